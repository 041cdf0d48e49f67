//! `gaps`: claim numbers that are missing: not synced, lost in the post, on no list.

use std::path::{Path, PathBuf};

use papers::lists::gaps::{Gap as Kind, GapList, GapRow};
use papers::lists::{ListError, workbook};
use records::claim::gaps::{Fault as Missed, Number};
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::office::{self, person, person_text, titles};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::gaps::Missing;

/// What `gaps` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only one person's
    #[arg(long, value_name = "STAFF")]
    staff: Option<String>,
    /// Also writes them number by number: .csv or .xlsx
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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
    let all = desk.gaps(staff)?;
    if let Some(out) = &args.out {
        write(&mut desk, &all, out, room)?;
    }
    for missing in all {
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

/// Writes each missing number with where it was seen.
fn write(desk: &mut Desk, all: &[Missing], out: &Path, room: &Room) -> Result<(), Fault> {
    let mut list = GapList::default();
    for missing in all {
        let people = desk.people()?;
        let person = people.staff.get(&missing.staff);
        for gap in &missing.gaps {
            for seq in gap.first.seq..=gap.last.seq {
                let number = Number { year: gap.first.year, seq };
                list.rows.push(GapRow {
                    staff_code: person.map(|person| person.code.clone()).unwrap_or_default(),
                    name: person.map(|person| person.name.clone()).unwrap_or_default(),
                    claim_no: desk.number_text(&missing.sample, number)?,
                    gap: kind(gap.fault),
                    electronic: missing.numbers.known.contains_key(&number),
                    listed: missing.numbers.listed.contains(&number),
                    scanned: missing.numbers.scanned.contains(&number),
                    note: String::new(),
                });
            }
        }
    }
    let unwritten =
        |error: ListError| Fault::usage("hq.file").with("file", out.display()).with("reason", error);
    let list = list.list(room.lang.papers());
    let bytes = match out.extension().and_then(|extension| extension.to_str()) {
        Some("xlsx") => workbook(&[list]),
        Some("csv") => list.csv(true),
        _ => return Err(Fault::usage("hq.pay.form").with("file", out.display())),
    };
    std::fs::write(out, bytes.map_err(unwritten)?).map_err(|error| Fault::file(out, &error))
}

const fn kind(fault: Missed) -> Kind {
    match fault {
        Missed::NotSynced => Kind::NotSynced,
        Missed::LostInTransit => Kind::LostInTransit,
        Missed::Unlisted => Kind::Unlisted,
        Missed::NumberingFault | Missed::ListedAgain => Kind::NumberingFault,
    }
}
