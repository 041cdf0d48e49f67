//! `tick`: the daily round, for scripts; a server that runs does it by itself.

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};

pub(super) fn run(room: &Room) -> Result<Answer, Fault> {
    let now = room.clock.now_ms();
    let mut desk = room.open()?;
    let done = desk.transact(|desk| desk.tick(now))?;
    let facts =
        [("documents".to_owned(), done.documents.to_string()), ("ops".to_owned(), done.ops.to_string())];
    let json = json!({"documents": done.documents, "ops": done.ops});
    Ok(Answer::new(json, room.lang.say("hq.tick", &facts)))
}
