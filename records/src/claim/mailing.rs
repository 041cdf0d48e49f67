//! With which mailing a claim goes, until when it must be submitted, and who answers for a late one.

use crate::claim::facts::{BatchFact, Facts};
use crate::claim::segregation::{Level, taken_by};
use crate::claim::view::Claim;
use crate::id::DocId;
use crate::policy::age;
use crate::policy::count::Count;
use crate::policy::cycle::Cycle;
use crate::policy::dispatch::{self, Dispatch};
use crate::time::Day;

/// Working days before the mailing by which a claimant has done his part.
///
/// Source: docs/RULES.md P-28.
pub const SUBMITTED_IN_TIME_WD: u16 = 2;

/// With which mailing a claim goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// The mailing: the first regular one from the submission on, and not before the one of its half-month.
    pub with: Dispatch,
    /// The last day on which all its lines may be submitted; `None` where it has none with a date.
    pub submit_by: Option<Day>,
    /// The line that sets that day.
    pub oldest_line: Option<u32>,
}

/// Returns with which mailing a claim goes and until when it must be submitted; `None` outside the years 1 to 9999.
///
/// Source: docs/RULES.md P-14, P-15, P-17.
#[must_use]
pub fn going(claim: &Claim, facts: &Facts) -> Option<Going> {
    let (policy, calendar) = (&facts.policy, &facts.calendar);
    let next = dispatch::first_from(claim.submitted_day(facts.today), policy, calendar)?;
    let own = claim.half.and_then(|half| dispatch::carrying(half.last(), policy, calendar));
    let with = match own {
        Some(own) if own.due > next.due => own,
        _ => next,
    };
    let last = |(n, date): (u32, Day)| (age::expiry(date, policy, calendar).last_day, n);
    let aging = claim.lines.iter().filter(|line| !line.is_adjustment());
    let first = aging.filter_map(|line| Some((line.n, line.date?))).map(last).min();
    Some(Going { with, submit_by: first.map(|(day, _)| day), oldest_line: first.map(|(_, n)| n) })
}

/// Returns the number of a regular batch: its branch, the month of its mailing, its letter, like `HZ-202602-A`.
///
/// Source: docs/RULES.md, Batches.
#[must_use]
pub fn batch_no(branch: &str, cycle: Cycle) -> String {
    let text = cycle.to_string();
    let (month, letter) = text.rsplit_once('-').unwrap_or((&text, ""));
    format!("{branch}-{}-{letter}", month.replace('-', ""))
}

/// Returns the number of a branch's n-th supplementary batch in the month of a mailing, like `HZ-202602-S1`.
///
/// Source: docs/RULES.md, Batches.
#[must_use]
pub fn extra_batch_no(branch: &str, month: crate::policy::cycle::Month, n: u32) -> String {
    format!("{branch}-{}-S{n}", month.to_string().replace('-', ""))
}

/// A request for an exception that is written for a claimant whose centre was late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excuse {
    /// The claim.
    pub claim: DocId,
    /// The batch that was late.
    pub batch: DocId,
    /// Who asks: the claimant.
    pub asked_by: DocId,
    /// Who is named as the cause: the supervisor who approved, else the one of the unit.
    pub caused_by: Option<DocId>,
    /// When the claimant had submitted.
    pub submitted: Day,
    /// When the batch was due.
    pub due: Day,
    /// When it went.
    pub dispatched: Day,
}

/// Returns the request for a claim in a late batch whose claimant had submitted in time: [`SUBMITTED_IN_TIME_WD`]
/// working days before the batch was due.
///
/// Source: docs/RULES.md P-28.
#[must_use]
pub fn excuse(claim: &Claim, batch: &BatchFact, facts: &Facts) -> Option<Excuse> {
    let (due, dispatched) = (batch.due?, batch.dispatched?);
    let submitted = claim.submission.as_ref()?.day;
    let ready = Count::new(&facts.calendar).working_days(submitted, SUBMITTED_IN_TIME_WD, |_| false);
    let of_unit = || facts.people.supervisor_of(claim.unit?);
    (dispatched > due && ready <= due).then(|| Excuse {
        claim: claim.id,
        batch: batch.batch,
        asked_by: claim.staff,
        caused_by: taken_by(claim, Level::Supervisor).or_else(of_unit),
        submitted,
        due,
        dispatched,
    })
}
