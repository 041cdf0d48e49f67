//! taskchampion: a task a sheet, a property a field, one commit a sheet; its own sync client.

use std::path::Path;
use std::time::Duration;

use driver::{Done, Peer};
use serde_json::Value;
use taskchampion::storage::AccessMode;
use taskchampion::{Operations, Replica, ServerConfig, SqliteStorage, TaskData, Uuid};

/// All devices of one person, as taskchampion means it.
const CLIENT: Uuid = Uuid::from_u128(0x7d3a_5a3e_1a3c_4d0e_9b35_0b7a_52c1_f00d);

struct TaskChampion;

fn main() -> Done<()> {
    driver::main::<TaskChampion>()
}

impl Peer for TaskChampion {
    fn join(folder: &Path, _url: &str) -> Done<()> {
        alone(async { open(folder).await.map(drop) })
    }

    fn save(folder: &Path, rows: &[Value]) -> Done<Vec<Duration>> {
        alone(async {
            let mut replica = open(folder).await?;
            let mut times = Vec::new();
            for row in rows {
                let start = std::time::Instant::now();
                let mut ops = Operations::new();
                let mut task = TaskData::create(Uuid::parse_str(driver::text(row, "id"))?, &mut ops);
                for (name, value) in row.as_object().into_iter().flatten() {
                    task.update(name, Some(written(value)), &mut ops);
                }
                replica.commit_operations(ops).await?;
                times.push(start.elapsed());
            }
            Ok(times)
        })
    }

    fn sync(folder: &Path, url: &str) -> Done<Option<u64>> {
        alone(async {
            let server = ServerConfig::Remote {
                url: url.to_owned(),
                client_id: CLIENT,
                encryption_secret: b"a secret of the bench".to_vec(),
            };
            let mut server = server.into_server().await?;
            // Snapshots are for servers that ask urgently; a person's device sends them when it is idle.
            open(folder).await?.sync(&mut server, true).await?;
            Ok(None)
        })
    }

    fn count(folder: &Path) -> Done<usize> {
        alone(async { Ok(open(folder).await?.all_task_uuids().await?.len()) })
    }

    fn serve(_folder: &Path) -> Done<()> {
        Err("the server is a program of its own".into())
    }
}

async fn open(folder: &Path) -> Done<Replica<SqliteStorage>> {
    Ok(Replica::new(SqliteStorage::new(folder, AccessMode::ReadWrite, true).await?))
}

/// A task's properties are texts.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn alone<T>(work: impl Future<Output = Done<T>>) -> Done<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
