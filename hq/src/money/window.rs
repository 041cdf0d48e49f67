//! Finance's window: on which days it takes claims in, and until when one has to be there.

use records::policy::calendar::DayKind;
use records::policy::due::{self, Closure};
use records::time::Day;

use crate::intake::desk::Desk;
use crate::store::StoreError;

/// Days that are looked ahead: more than the longest time between two blackouts.
const AHEAD: i32 = 62;

/// The window as it stands on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Whether finance is closed now, and when it opens.
    pub closure: Closure,
    /// The last working day on which claims are taken in before the next closed time; `None` where none is near.
    pub last: Option<Day>,
    /// The first day on which they are taken in after that.
    pub reopens: Option<Day>,
    /// The days from this one on.
    pub days: Vec<WindowDay>,
}

/// A day of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowDay {
    /// Which.
    pub day: Day,
    /// What it is by the calendar.
    pub kind: DayKind,
    /// Whether claims are taken in.
    pub open: bool,
}

impl Desk {
    /// Returns finance's window.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// Source: docs/RULES.md P-24.
    pub fn window(&mut self, today: Day) -> Result<Window, StoreError> {
        let terms = self.terms()?;
        let (policy, calendar) = (terms.in_force.policy(today), &terms.in_force.calendar);
        let closure = due::blackout(today, policy, calendar);
        let working = |day: Day| calendar.is_working(day);
        let days: Vec<WindowDay> = (today.0..today.0.saturating_add(AHEAD))
            .map(Day)
            .map(|day| WindowDay {
                day,
                kind: calendar.kind(day),
                open: working(day) && !policy.blackout.holds(day),
            })
            .collect();
        let from = closure.opens;
        let shuts =
            days.iter().find(|day| day.day > from && policy.blackout.holds(day.day)).map(|day| day.day);
        let last = days.iter().rev().find(|day| day.open && Some(day.day) < shuts).map(|day| day.day);
        let reopens = shuts.map(|shuts| due::blackout(shuts, policy, calendar).opens);
        Ok(Window { closure, last: last.filter(|_| shuts.is_some()), reopens, days })
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Office;

    #[test]
    fn the_last_day_before_the_blackout_and_the_first_after_it_are_named() {
        let office = Office::new();
        let check = |today: &str, closed: bool, opens: &str, last: &str, reopens: &str| {
            let window = office.desk().window(today.parse().unwrap()).unwrap();
            assert_eq!((window.closure.closed, window.closure.opens.to_string()), (closed, opens.to_owned()));
            let day = |day: Option<records::time::Day>| day.unwrap().to_string();
            assert_eq!((day(window.last), day(window.reopens)), (last.to_owned(), reopens.to_owned()));
        };
        check("2026-03-20", false, "2026-03-20", "2026-03-27", "2026-04-10");
        check("2026-03-31", true, "2026-04-10", "2026-04-28", "2026-05-11");
    }
}
