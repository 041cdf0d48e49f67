//! Penalties: whom a confirmed case fines and how much, and the days by which an audit was late.
//!
//! Nothing here is charged: a case is proposed, confirmed and may be appealed first.
//! A fine never changes what is paid of a claim; it stands on a list of its own.

use std::collections::BTreeSet;

use crate::id::DocId;
use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::choices::{FineMode, FinePer};
use crate::policy::terms::Fines;
use crate::time::Day;

/// What a case is about; the heavier stands later, and of one line only the heavier counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offence {
    /// Not filled in or pasted as it should be, vouchers missing, not valid or forged for a real expense.
    FormFault,
    /// An expense that never happened.
    FalseClaim,
}

/// What a confirmed case brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Penalty {
    /// Each person with the amount; zero where the policy only records.
    pub fines: Vec<(DocId, Fen)>,
    /// The claimant's appraisal, where the case brings one.
    pub grade: Option<String>,
}

/// Returns the offence of a line that more than one was found on.
///
/// Source: docs/RULES.md P-27, P-29.
#[must_use]
pub fn heaviest(found: &[Offence]) -> Option<Offence> {
    found.iter().max().copied()
}

/// Returns what a confirmed alert of that rule is: an expense that never happened, a form fault, or nothing that its
/// claimant answers for.
///
/// A paper that stands twice, a night or a minute at two places, a journey without work: such an expense was not made.
/// Forged and spliced papers, sums cut to a limit and papers that do not fit what was typed are faults of form as long
/// as nobody says that there was no expense.
///
/// Source: docs/RULES.md P-27, P-29, Anomalies.
///
/// ```
/// use records::policy::penalty::{Offence, offence};
/// assert_eq!(offence("A10"), Some(Offence::FalseClaim));
/// assert_eq!(offence("A6"), Some(Offence::FormFault));
/// assert_eq!(offence("A16"), None, "the supervisor's haste is not the claimant's");
/// ```
#[must_use]
pub fn offence(rule: &str) -> Option<Offence> {
    match rule {
        "A1" | "A2" | "A7" | "A8" | "A9" | "A10" | "B6" => Some(Offence::FalseClaim),
        "A14" | "A16" | "B3" | "B5" | "C-37" => None,
        _ => Some(Offence::FormFault),
    }
}

/// Returns what a confirmed case of one claim brings: to its claimant and to the supervisor of record.
///
/// `lines` is how many lines show the offence; they count once, unless the policy counts lines.
/// A supervisor's own claim brings one fine.
///
/// Source: docs/RULES.md P-27, P-29.
#[must_use]
pub fn penalty(
    offence: Offence,
    lines: u16,
    claimant: DocId,
    supervisor: Option<DocId>,
    terms: &Fines,
) -> Penalty {
    let (amount, grade) = match offence {
        Offence::FormFault => (terms.form, None),
        Offence::FalseClaim => (terms.false_claim, Some(terms.false_grade.clone())),
    };
    let times = match terms.per {
        FinePer::Claim => lines.min(1),
        FinePer::Line => lines,
    };
    let amount = charged(amount, times.into(), terms);
    let supervisor = supervisor.filter(|supervisor| *supervisor != claimant);
    let fines = [Some(claimant), supervisor].into_iter().flatten().map(|person| (person, amount));
    Penalty {
        fines: if times > 0 { fines.collect() } else { Vec::new() },
        grade: grade.filter(|_| times > 0),
    }
}

/// A batch of a branch: when its audit was due, and when it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// The last day.
    pub due: Day,
    /// The day on which it was done; the day of asking where it is not yet.
    pub done: Day,
}

/// Returns the working days by which the audits of one branch were late; a day on which two were late counts once.
///
/// `excused` are the days of approved exceptions for temporary work.
///
/// Source: docs/RULES.md P-30.
#[must_use]
pub fn days_late(batches: &[Audited], excused: &BTreeSet<Day>, calendar: &Calendar) -> BTreeSet<Day> {
    let days = batches.iter().flat_map(|batch| (batch.due.0.saturating_add(1)..=batch.done.0).map(Day));
    days.filter(|day| calendar.is_working(*day) && !excused.contains(day)).collect()
}

/// Returns the auditor's fine for so many days, added over the branches.
///
/// Source: docs/RULES.md P-30.
#[must_use]
pub fn late_fine(days: usize, terms: &Fines) -> Fen {
    charged(terms.audit_late, i64::try_from(days).unwrap_or(i64::MAX), terms)
}

fn charged(amount: Fen, times: i64, terms: &Fines) -> Fen {
    match terms.mode {
        FineMode::Charge => Fen(amount.0.saturating_mul(times)),
        FineMode::RecordOnly => Fen(0),
    }
}
