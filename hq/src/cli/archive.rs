//! `archive`: what came long ago, out of the way of every sync.

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::progress::Progress;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What `archive` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What came more than so many days ago
    #[arg(long, default_value_t = 400, value_name = "N")]
    days: u32,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let bar = Progress::waiting("text.progress.archive", room);
    let before_ms = room.clock.now_ms().saturating_sub(u64::from(args.days) * DAY_MS);
    let done = desk.archive(before_ms)?;
    drop(bar);
    let (kept, archived) = desk.store.held_and_archived()?;
    let facts = [
        ("segments".to_owned(), done.segments.to_string()),
        ("ops".to_owned(), done.ops.to_string()),
        ("kept_segments".to_owned(), kept.segments.to_string()),
        ("archived_segments".to_owned(), archived.segments.to_string()),
    ];
    let json = json!({
        "segments": done.segments,
        "ops": done.ops,
        "kept_segments": kept.segments,
        "kept_bytes": kept.bytes,
        "archived_segments": archived.segments,
        "archived_bytes": archived.bytes,
    });
    Ok(Answer::new(json, room.lang.say("hq.archive.done", &facts)))
}
