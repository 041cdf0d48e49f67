//! How old an expense may be when its claimant submits it.

use crate::policy::calendar::Calendar;
use crate::policy::choices::Holiday;
use crate::policy::count::{Count, Trace};
use crate::policy::cycle::Month;
use crate::policy::terms::{Age, Policy};
use crate::time::Day;

/// Until when an expense may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The last day on which it may be submitted.
    pub last_day: Day,
    /// Every day looked at.
    pub trace: Trace,
}

/// Returns until when an expense of that day may be claimed.
///
/// Source: docs/RULES.md P-17.
///
/// ```
/// use records::policy::{age, calendar::Calendar, terms::Policy};
/// let (policy, china) = (Policy::parse("")?, Calendar::china());
/// let expiry = age::expiry("2026-02-28".parse()?, &policy, &china);
/// assert_eq!(expiry.last_day, "2026-03-30".parse()?, "the 28th of March is a Saturday");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn expiry(date: Day, policy: &Policy, calendar: &Calendar) -> Expiry {
    let mut count = Count::new(calendar);
    count.start(date);
    let limit = policy.age.limit_of(date);
    let last_day = match policy.age.holiday {
        Holiday::NextWorking => count.next_working(limit),
        Holiday::None => count.as_named(limit),
    };
    Expiry { last_day, trace: count.into_trace() }
}

/// Returns whether an expense is too old on that day: of submission or of mailing, as the policy says.
///
/// Source: docs/RULES.md P-17.
#[must_use]
pub fn is_expired(date: Day, on: Day, policy: &Policy, calendar: &Calendar) -> bool {
    on > expiry(date, policy, calendar).last_day
}

impl Age {
    /// Returns the limit by the calendar's months, before holidays are looked at.
    fn limit_of(&self, date: Day) -> Day {
        let dom = date.ymd().map_or(1, |(_, _, dom)| dom);
        let month = Month::of(date).map(|month| month.plus(self.limit_months.into()));
        month.map_or(date, |month| month.day(dom)).plus(self.limit_days.into())
    }
}
