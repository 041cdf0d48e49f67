//! `gaps`: claim numbers that are missing: not synced, lost in the post, on no list.

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::office::{self, person, person_text, titles};
use crate::cli::table::table;

/// What `gaps` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only one person's
    #[arg(long, value_name = "STAFF")]
    staff: Option<String>,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let staff = match &args.staff {
        None => None,
        Some(code) => {
            let found = desk.people()?.by_code(code).map(|(id, _)| id);
            Some(found.ok_or_else(|| Fault::usage("hq.staff.unknown").with("staff", code))?)
        }
    };
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for missing in desk.gaps(staff)? {
        for gap in &missing.gaps {
            let first = desk.number_text(&missing.sample, gap.first)?;
            let last = desk.number_text(&missing.sample, gap.last)?;
            rows.push(json!({
                "staff": person(&mut desk, Some(missing.staff))?,
                "fault": gap.fault.name(),
                "first": first,
                "last": last,
                "n": gap.last.seq.saturating_sub(gap.first.seq).saturating_add(1),
            }));
            let fault = room.lang.say(&format!("hq.gap.{}", gap.fault.name()), &[]);
            lines.push(vec![person_text(&mut desk, Some(missing.staff))?, first, last, fault]);
        }
    }
    let none = office::say(room.lang, "hq.gap.none", &[]);
    let text = if lines.is_empty() {
        none
    } else {
        table(&titles(room.lang, ["who", "from", "to", "notes"]), lines)
    };
    Ok(Answer::new(rows.into(), text))
}
