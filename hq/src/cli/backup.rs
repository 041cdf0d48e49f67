//! `backup` and `restore`: a headquarters in one file, and out of it.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::progress::Progress;

/// What both are told.
#[derive(Debug, clap::Args)]
pub(super) struct File {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &File, room: &Room) -> Result<Answer, Fault> {
    let bar = Progress::waiting("text.progress.backup", room);
    let bytes = room.data.back_up(&args.file)?;
    drop(bar);
    let now_ms = room.clock.now_ms();
    room.open()?.transact(|desk| {
        desk.store.set(crate::server::watch::BACKED_UP, &now_ms.to_le_bytes())?;
        desk.store.audit(0, now_ms, "backup", &bytes.to_string())
    })?;
    let facts =
        [("file".to_owned(), args.file.display().to_string()), ("bytes".to_owned(), bytes.to_string())];
    let json = json!({"file": args.file.display().to_string(), "bytes": bytes});
    Ok(Answer::new(json, room.lang.say("hq.backup.done", &facts)))
}

pub(super) fn restore(args: &File, room: &Room) -> Result<Answer, Fault> {
    let bar = Progress::waiting("text.progress.restore", room);
    let ops = room.data.restore(&args.file, room.clock.now_ms())?;
    drop(bar);
    let text = room.lang.say("hq.restore.done", &[("ops".to_owned(), ops.to_string())]);
    Ok(Answer::new(json!({"ops": ops}), text))
}
