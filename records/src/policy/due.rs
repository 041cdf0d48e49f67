//! Until when each step must be done, and when finance takes a claim in.
//!
//! A due day means its end, 24:00. The day on which something arrives is not counted.

use crate::policy::calendar::Calendar;
use crate::policy::count::{Count, Trace};
use crate::policy::terms::{Blackout, Policy};
use crate::time::{Day, Ts, Zone};

/// Until when a step must be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The last day; `None` where the policy sets no limit.
    pub day: Option<Day>,
    /// Every counted and skipped day.
    pub trace: Trace,
}

/// When finance takes a claim in, and until when it is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The day on which finance takes it in.
    pub accepted: Day,
    /// The last day to pay; `None` where the policy sets no limit.
    pub due: Option<Day>,
    /// Every counted and skipped day.
    pub trace: Trace,
}

/// Whether finance takes claims in on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// Whether the day lies in the blackout; a weekend outside it is not closed, only not worked.
    pub closed: bool,
    /// The last day of that blackout.
    pub closed_until: Option<Day>,
    /// The first day, this one included, on which finance takes claims in.
    pub opens: Day,
    /// Every day up to it.
    pub trace: Trace,
}

impl Due {
    fn after(start: Day, working_days: u16, calendar: &Calendar) -> Self {
        let mut count = Count::new(calendar);
        count.start(start);
        let day = (working_days > 0).then(|| count.working_days(start, working_days, |_| false));
        Self { day, trace: count.into_trace() }
    }
}

/// Returns the instant at which a due day is over.
#[must_use]
pub fn end_of(day: Day, zone: Zone) -> Ts {
    day.plus(1).start(zone)
}

/// Returns until when the auditor must be done with what arrived on `received`: paper and data, the later of both.
///
/// Source: docs/RULES.md P-21.
///
/// ```
/// use records::policy::{calendar::Calendar, due, terms::Policy};
/// let (policy, china) = (Policy::parse("")?, Calendar::china());
/// let due = due::audit("2025-09-30".parse()?, &policy, &china);
/// assert_eq!(due.day, Some("2025-10-11".parse()?), "a Saturday that is worked");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn audit(received: Day, policy: &Policy, calendar: &Calendar) -> Due {
    Due::after(received, policy.sla.audit_wd, calendar)
}

/// Returns until when the manager must decide what was audited on that day.
///
/// Source: docs/RULES.md P-22.
#[must_use]
pub fn manager(audited: Day, policy: &Policy, calendar: &Calendar) -> Due {
    Due::after(audited, policy.sla.manager_wd, calendar)
}

/// Returns until when the vice-president must decide what reached him on that day.
///
/// Source: docs/RULES.md P-08.
#[must_use]
pub fn vp(reached: Day, policy: &Policy, calendar: &Calendar) -> Due {
    Due::after(reached, policy.vp.sla_wd, calendar)
}

/// Returns until when a question to the branch may stay open.
///
/// Source: docs/RULES.md P-21.
#[must_use]
pub fn answer(asked: Day, policy: &Policy, calendar: &Calendar) -> Due {
    Due::after(asked, policy.sla.info_request_wd, calendar)
}

/// Returns until when the persons of a case may appeal that was confirmed on that day.
///
/// Source: docs/RULES.md P-27, P-29.
#[must_use]
pub fn appeal(confirmed: Day, policy: &Policy, calendar: &Calendar) -> Due {
    Due::after(confirmed, policy.fine.appeal_wd, calendar)
}

/// Returns when finance takes in what was approved on that day, and until when it is paid.
///
/// Source: docs/RULES.md P-23, P-24.
///
/// ```
/// use records::policy::{calendar::Calendar, due, terms::Policy};
/// let (policy, china) = (Policy::parse("")?, Calendar::china());
/// let payment = due::finance("2026-01-29".parse()?, &policy, &china);
/// assert_eq!((payment.accepted, payment.due), ("2026-02-10".parse()?, Some("2026-02-26".parse()?)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn finance(approved: Day, policy: &Policy, calendar: &Calendar) -> Payment {
    let mut count = Count::new(calendar);
    let accepted = count.next_open(approved, |day| policy.blackout.holds(day));
    let n = policy.sla.finance_wd;
    let pauses = |day| policy.blackout.pauses_payment && policy.blackout.holds(day);
    let due = (n > 0).then(|| count.working_days(accepted, n, pauses));
    Payment { accepted, due, trace: count.into_trace() }
}

/// Returns whether finance is closed on a day, until when, and when it takes claims in.
///
/// Source: docs/RULES.md P-24.
///
/// ```
/// use records::policy::{calendar::Calendar, due, terms::Policy};
/// let (policy, china) = (Policy::parse("")?, Calendar::china());
/// let closure = due::blackout("2026-02-28".parse()?, &policy, &china);
/// assert!(!closure.closed, "a February without a 29th closes on the 1st of March");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn blackout(day: Day, policy: &Policy, calendar: &Calendar) -> Closure {
    let mut count = Count::new(calendar);
    let opens = count.next_open(day, |day| policy.blackout.holds(day));
    let closed = policy.blackout.holds(day);
    let last = (day.0..opens.0).map(Day).take_while(|day| policy.blackout.holds(*day)).last();
    Closure { closed, closed_until: last, opens, trace: count.into_trace() }
}

impl Blackout {
    /// Returns whether finance is closed on that day.
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        day.ymd().is_some_and(|(_, _, dom)| self.closes(dom))
    }

    /// Returns whether finance is closed on that day of a month.
    pub(crate) fn closes(&self, dom: u32) -> bool {
        match (self.from_dom, self.to_dom) {
            (0, _) | (_, 0) => false,
            (from, to) if from <= to => (from..=to).contains(&dom),
            (from, to) => dom >= from || dom <= to,
        }
    }
}
