//! The four requests of taskchampion's sync protocol over its server core, on SQLite.

use std::error::Error;
use std::path::Path;

use taskchampion_sync_server_core::{
    AddVersionResult, GetVersionResult, NIL_VERSION_ID, Server, ServerConfig, ServerError, SnapshotUrgency,
};
use taskchampion_sync_server_storage_sqlite::SqliteStorage;
use tiny_http::{Header, Request, Response};
use uuid::Uuid;

type Done<T> = Result<T, Box<dyn Error>>;
type Answer = Response<std::io::Cursor<Vec<u8>>>;

fn main() -> Done<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [verb, folder] = args.as_slice() else { return Err("serve FOLDER".into()) };
    if verb != "serve" {
        return Err("serve FOLDER".into());
    }
    let server = Server::new(ServerConfig::default(), SqliteStorage::new(Path::new(folder))?);
    let http = tiny_http::Server::http("127.0.0.1:0").map_err(|error| error.to_string())?;
    println!("http://{}", http.server_addr());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for mut request in http.incoming_requests() {
        let answer = runtime.block_on(answer(&server, &mut request))?;
        request.respond(answer)?;
    }
    Ok(())
}

async fn answer(server: &Server, request: &mut Request) -> Done<Answer> {
    let client = header(request, "X-Client-Id").and_then(|id| Uuid::parse_str(&id).ok()).ok_or("no client")?;
    let mut body = Vec::new();
    request.as_reader().read_to_end(&mut body)?;
    let path = request.url().to_owned();
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.contains("add-version") {
        add_version(server, client, Uuid::parse_str(last)?, body).await
    } else if path.contains("get-child-version") {
        get_child_version(server, client, Uuid::parse_str(last)?).await
    } else if path.contains("add-snapshot") {
        server.add_snapshot(client, Uuid::parse_str(last)?, body).await?;
        Ok(empty(200))
    } else {
        snapshot(server, client).await
    }
}

async fn add_version(server: &Server, client: Uuid, parent: Uuid, segment: Vec<u8>) -> Done<Answer> {
    let added = match server.add_version(client, parent, segment.clone()).await {
        Err(ServerError::NoSuchClient) => {
            let mut new = server.txn(client).await?;
            new.new_client(NIL_VERSION_ID).await?;
            new.commit().await?;
            drop(new);
            server.add_version(client, parent, segment).await?
        }
        other => other?,
    };
    Ok(match added {
        (AddVersionResult::Ok(id), urgency) => {
            let answer = empty(200).with_header(named("X-Version-Id", &id.to_string())?);
            match urgency {
                SnapshotUrgency::None => answer,
                SnapshotUrgency::Low => answer.with_header(named("X-Snapshot-Request", "urgency=low")?),
                SnapshotUrgency::High => answer.with_header(named("X-Snapshot-Request", "urgency=high")?),
            }
        }
        (AddVersionResult::ExpectedParentVersion(id), _) => {
            empty(409).with_header(named("X-Parent-Version-Id", &id.to_string())?)
        }
    })
}

async fn get_child_version(server: &Server, client: Uuid, parent: Uuid) -> Done<Answer> {
    Ok(match server.get_child_version(client, parent).await {
        Ok(GetVersionResult::Success { version_id, parent_version_id, history_segment }) => {
            Response::from_data(history_segment)
                .with_header(named("Content-Type", "application/vnd.taskchampion.history-segment")?)
                .with_header(named("X-Version-Id", &version_id.to_string())?)
                .with_header(named("X-Parent-Version-Id", &parent_version_id.to_string())?)
        }
        Ok(GetVersionResult::NotFound) | Err(ServerError::NoSuchClient) => empty(404),
        Ok(GetVersionResult::Gone) => empty(410),
        Err(other) => return Err(other.into()),
    })
}

async fn snapshot(server: &Server, client: Uuid) -> Done<Answer> {
    Ok(match server.get_snapshot(client).await {
        Ok(Some((version, data))) => Response::from_data(data)
            .with_header(named("Content-Type", "application/vnd.taskchampion.snapshot")?)
            .with_header(named("X-Version-Id", &version.to_string())?),
        Ok(None) | Err(ServerError::NoSuchClient) => empty(404),
        Err(other) => return Err(other.into()),
    })
}

fn empty(status: u16) -> Answer {
    Response::from_data(Vec::new()).with_status_code(status)
}

fn named(name: &str, value: &str) -> Done<Header> {
    Header::from_bytes(name, value).map_err(|()| "not a header".into())
}

fn header(request: &Request, name: &'static str) -> Option<String> {
    let found = request.headers().iter().find(|header| header.field.equiv(name))?;
    Some(found.value.as_str().to_owned())
}
