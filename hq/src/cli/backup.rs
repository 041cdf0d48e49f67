//! `backup` and `restore`: a headquarters in one file, and out of it.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, of_system};
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
    let done = room.here()?.back_up_noting(&args.file, |store, bytes| {
        let now_ms = room.clock.now_ms();
        store.set(crate::server::watch::BACKED_UP, &now_ms.to_le_bytes())?;
        store.audit(0, now_ms, "backup", &bytes.to_string())
    })?;
    drop(bar);
    let file = args.file.display().to_string();
    let json = json!({"file": file, "bytes": done.bytes, "noted": done.unnoted.is_none()});
    let facts = [("file".to_owned(), file), ("bytes".to_owned(), done.bytes.to_string())];
    let mut said = vec![room.lang.say("hq.backup.done", &facts)];
    // Done, and not refused: whoever keeps a backup by its exit code shall keep this one.
    said.extend(done.unnoted.map(|error| match error.is_full() {
        true => room.lang.say("hq.backup.unnoted.full", &[]),
        false => {
            let reason = of_system(&error).map_or_else(|| error.reason(), |said| room.lang.reason(said));
            room.lang.say("hq.backup.unnoted", &[("reason".to_owned(), reason)])
        }
    }));
    Ok(Answer::new(json, said.join("\n")))
}

pub(super) fn restore(args: &File, room: &Room) -> Result<Answer, Fault> {
    let bar = Progress::waiting("text.progress.restore", room);
    let ops = room.data.restore(&args.file, room.clock.now_ms())?;
    drop(bar);
    let text = room.lang.say("hq.restore.done", &[("ops".to_owned(), ops.to_string())]);
    Ok(Answer::new(json!({"ops": ops}), text))
}
