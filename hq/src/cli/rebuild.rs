//! `rebuild`: all views again, from what was received.

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::progress::Progress;

pub(super) fn run(room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let bar = Progress::waiting("text.progress.rebuild", room);
    let rebuilt = desk.transact(|desk| desk.rebuild(true))?;
    drop(bar);
    let facts = [
        ("documents".to_owned(), rebuilt.documents.to_string()),
        ("ops".to_owned(), rebuilt.ops.to_string()),
        ("differed".to_owned(), rebuilt.differed.to_string()),
    ];
    let json = json!({"ops": rebuilt.ops, "documents": rebuilt.documents, "differed": rebuilt.differed});
    Ok(Answer::new(json, room.lang.say("hq.rebuild.done", &facts)))
}
