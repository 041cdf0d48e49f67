//! The two mailings of a month: when each goes, what it carries, and which one an expense goes with.

use crate::policy::age;
use crate::policy::calendar::Calendar;
use crate::policy::choices::{AgeTo, Cutoff, Holiday};
use crate::policy::count::{Count, Trace};
use crate::policy::cycle::{Cycle, HalfMonth, Letter, Month};
use crate::policy::terms::{Cycles, Mailing, Policy};
use crate::time::Day;

/// A regular mailing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// Which one.
    pub cycle: Cycle,
    /// The day that the policy names.
    pub named: Day,
    /// The last day to send it: that day, or the working day that stands for it.
    pub due: Day,
    /// The half-month whose expenses it carries; `None` where it carries all before its day.
    pub half: Option<HalfMonth>,
    /// The first day of the expenses that it carries; older ones may ride along inside the age limit.
    pub from: Day,
    /// The last day of the expenses that it carries.
    pub to: Day,
    /// Every day looked at.
    pub trace: Trace,
}

impl Dispatch {
    /// Returns whether a batch that was sent on that day is late.
    ///
    /// Source: docs/RULES.md P-28.
    #[must_use]
    pub fn is_late(&self, sent: Day) -> bool {
        sent > self.due
    }
}

/// Returns a mailing; `None` where the policy has no such one.
///
/// Source: docs/RULES.md P-13 to P-16.
///
/// ```
/// use records::policy::{calendar::Calendar, dispatch, terms::Policy};
/// let (policy, china) = (Policy::parse("")?, Calendar::china());
/// let a = dispatch::dispatch("2026-02-A".parse()?, &policy, &china).ok_or("no such mailing")?;
/// assert_eq!(a.due, "2026-02-03".parse()?);
/// assert_eq!(a.half, Some("2026-01-H2".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn dispatch(cycle: Cycle, policy: &Policy, calendar: &Calendar) -> Option<Dispatch> {
    let mailing = policy.cycle.mailing(cycle.letter)?;
    let mut count = Count::new(calendar);
    let named = cycle.month.day(mailing.dispatch_day);
    let due = match policy.cycle.holiday {
        Holiday::NextWorking => count.next_working(named),
        Holiday::None => count.as_named(named),
    };
    let (half, from, to) = match policy.cycle.cutoff {
        Cutoff::HalfMonth => {
            let month = cycle.month.plus(-i32::from(mailing.month_offset));
            let half = HalfMonth { month, half: mailing.half };
            (Some(half), half.first(), half.last())
        }
        Cutoff::BeforeDispatchDay => (None, policy.cycle.day_before(named), named.plus(-1)),
    };
    Some(Dispatch { cycle, named, due, half, from, to, trace: count.into_trace() })
}

/// Returns the regular mailing that carries expenses of that day; `None` outside the years 1 to 9999.
///
/// Source: docs/RULES.md P-14, P-15.
#[must_use]
pub fn carrying(date: Day, policy: &Policy, calendar: &Calendar) -> Option<Dispatch> {
    mailings(Month::of(date)?, policy, calendar).find(|d| (d.from..=d.to).contains(&date))
}

/// Returns the first regular mailing that is due on that day or later; `None` outside the years 1 to 9999.
///
/// Source: docs/RULES.md P-14.
#[must_use]
pub fn first_from(day: Day, policy: &Policy, calendar: &Calendar) -> Option<Dispatch> {
    mailings(Month::of(day)?, policy, calendar).filter(|d| d.due >= day).min_by_key(|d| d.due)
}

/// Returns the last regular mailing that can carry an expense of that day without an exception.
///
/// Submitted on the last day of its limit, it goes with the next mailing; where the limit ends with the mailing
/// itself, that mailing goes within it. `None` outside the years 1 to 9999, or where none does.
///
/// Source: docs/RULES.md P-14, P-17.
#[must_use]
pub fn last_for(date: Day, policy: &Policy, calendar: &Calendar) -> Option<Dispatch> {
    let last_day = age::expiry(date, policy, calendar).last_day;
    match policy.age.to {
        AgeTo::ClaimSubmitted => first_from(last_day, policy, calendar),
        AgeTo::BatchDispatched => {
            let in_time = mailings(Month::of(last_day)?, policy, calendar).filter(|d| d.due <= last_day);
            in_time.filter(|d| d.due > date).max_by_key(|d| d.due)
        }
    }
}

/// Returns the mailings from the month before to four months after: a half-month is sent three months later at most.
fn mailings(month: Month, policy: &Policy, calendar: &Calendar) -> impl Iterator<Item = Dispatch> {
    let cycles = (-1..=4)
        .flat_map(move |n| [Letter::A, Letter::B].map(|letter| Cycle { month: month.plus(n), letter }));
    cycles.filter_map(|cycle| dispatch(cycle, policy, calendar))
}

impl Cycles {
    fn mailing(&self, letter: Letter) -> Option<&Mailing> {
        match letter {
            Letter::A => Some(&self.a),
            Letter::B => (self.count > 1).then_some(&self.b),
        }
    }

    /// Returns the mailing day before `named`.
    fn day_before(&self, named: Day) -> Day {
        let month = Month::of(named);
        let months = [month, month.map(|month| month.plus(-1))].into_iter().flatten();
        let letters = [Letter::A, Letter::B].into_iter().filter_map(|letter| self.mailing(letter));
        let days = letters.flat_map(|mailing| months.clone().map(|month| month.day(mailing.dispatch_day)));
        days.filter(|day| *day < named).max().unwrap_or(named)
    }
}
