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

#[cfg(test)]
mod tests {
    use records::kinds::voucher::Category;

    use crate::cli::testing::Office;

    #[test]
    fn what_is_old_is_archived_once_and_everything_is_whole_and_shown_as_before() {
        let mut office = Office::new();
        let claim = "HZC-E01-2026-0001";
        office.claim("E01", claim, &[(Category::COURIER, "2026-03-05", 1_000, 1_000)]);
        assert_eq!(office.done("archive")["segments"], 0, "nothing is old yet");
        let shown = |office: &Office| (office.done("doctor"), office.done(&format!("claim history {claim}")));
        let before = shown(&office);
        office.now = "2027-09-01T10:00:00+08:00";
        let done = office.done("archive");
        assert!(done["segments"].as_u64() > Some(3) && done["ops"].as_u64() >= done["segments"].as_u64());
        assert_eq!((&done["kept_segments"], &done["archived_segments"]), (&0.into(), &done["segments"]));
        let again = office.done("archive --days 0");
        assert_eq!((&again["segments"], &again["archived_segments"]), (&0.into(), &done["segments"]));
        office.now = "2026-03-20T10:00:00+08:00";
        assert_eq!(shown(&office), before);
        let rows = include_str!("../../../docs/CLI.md");
        let row = rows.lines().find(|line| line.starts_with("| `archive` |")).unwrap();
        for key in done.as_object().unwrap().keys() {
            assert!(row.contains(&format!("`{key}`")), "{key}");
        }
    }
}
