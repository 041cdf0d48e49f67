//! `move`: the records of a folder to a database server.

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::progress::Progress;

/// What `move` is told; the server is named by `--database`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the records are
    #[arg(long, value_name = "ENGINE", value_parser = ["sqlite"])]
    from: String,
    /// Where they go
    #[arg(long, value_name = "ENGINE", value_parser = ["postgres"])]
    to: String,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let Some(server) = &room.database else { return Err(Fault::usage("hq.server.none")) };
    let bar = Progress::waiting("text.progress.move", room);
    let copied = room.data.move_to_server(server)?;
    drop(bar);
    let now_ms = room.clock.now_ms();
    room.open()?
        .transact(|desk| desk.store.audit(0, now_ms, "move", &format!("{} {}", args.from, args.to)))?;
    let digest = records::hex::of(&copied.digest);
    let facts = [
        ("rows".to_owned(), copied.rows.to_string()),
        ("documents".to_owned(), copied.documents.to_string()),
        ("digest".to_owned(), digest.clone()),
    ];
    let json = json!({"rows": copied.rows, "documents": copied.documents, "digest": digest});
    Ok(Answer::new(json, room.lang.say("hq.move.done", &facts)))
}
