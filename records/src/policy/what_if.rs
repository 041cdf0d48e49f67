//! The what-if calendar: how long money takes, and how often it meets the blackout, for each day of mailing.

use crate::policy::calendar::Calendar;
use crate::policy::choices::Holiday;
use crate::policy::count::Count;
use crate::policy::cycle::Month;
use crate::policy::due;
use crate::policy::terms::Policy;
use crate::time::Day;

/// A claim's way from the mailing to the money when everybody takes the whole of his time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// When the batch is sent.
    pub sent: Day,
    /// When headquarters has it: after the days in the mail, on a working day.
    pub received: Day,
    /// When it is audited.
    pub audited: Day,
    /// When the manager approves it.
    pub approved: Day,
    /// When finance takes it in.
    pub accepted: Day,
    /// When it is paid.
    pub paid: Day,
    /// Whether the approved claim meets the blackout.
    pub meets_blackout: bool,
}

/// One day of mailing over all months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The day of the month.
    pub dispatch_day: u32,
    /// How many months were looked at.
    pub months: u32,
    /// In how many of them the claim meets the blackout.
    pub blackout_months: u32,
    /// Days from the mailing to the money, mean, in tenths, half up.
    pub mean_tenths: u32,
    /// The longest.
    pub max_days: u32,
}

/// Days of the month that are tried; every month has them.
pub const DISPATCH_DAYS: std::ops::RangeInclusive<u32> = 1..=28;

/// Returns the course of a batch that is sent on that day.
///
/// Source: docs/RULES.md P-21 to P-24.
#[must_use]
pub fn course(sent: Day, transit_days: u8, policy: &Policy, calendar: &Calendar) -> Course {
    let received = Count::new(calendar).next_working(sent.plus(transit_days.into()));
    let audited = due::audit(received, policy, calendar).day.unwrap_or(received);
    let approved = due::manager(audited, policy, calendar).day.unwrap_or(audited);
    let payment = due::finance(approved, policy, calendar);
    Course {
        sent,
        received,
        audited,
        approved,
        accepted: payment.accepted,
        paid: payment.due.unwrap_or(payment.accepted),
        meets_blackout: policy.blackout.holds(approved),
    }
}

/// Returns a row for each day of mailing, over the months from `first` to `last`.
#[must_use]
pub fn what_if(
    first: Month,
    last: Month,
    transit_days: u8,
    policy: &Policy,
    calendar: &Calendar,
) -> Vec<Row> {
    DISPATCH_DAYS.map(|dom| row(dom, first, last, transit_days, policy, calendar)).collect()
}

fn row(dom: u32, first: Month, last: Month, transit_days: u8, policy: &Policy, calendar: &Calendar) -> Row {
    let mut row = Row { dispatch_day: dom, months: 0, blackout_months: 0, mean_tenths: 0, max_days: 0 };
    let mut sum = 0;
    let mut month = first;
    while month <= last {
        let course = course(sent(month.day(dom), policy, calendar), transit_days, policy, calendar);
        let days = course.paid.0.abs_diff(course.sent.0);
        sum += days;
        row.months += 1;
        row.blackout_months += u32::from(course.meets_blackout);
        row.max_days = row.max_days.max(days);
        let next = month.plus(1);
        if next == month {
            break;
        }
        month = next;
    }
    row.mean_tenths = (sum * 10 + row.months / 2).checked_div(row.months).unwrap_or(0);
    row
}

/// Returns the day on which a batch goes that the policy would send on `named`.
fn sent(named: Day, policy: &Policy, calendar: &Calendar) -> Day {
    match policy.cycle.holiday {
        Holiday::NextWorking => Count::new(calendar).next_working(named),
        Holiday::None => named,
    }
}
