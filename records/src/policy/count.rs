//! Counting days, with a note of each: an answer that nobody can follow is not believed.

use std::collections::BTreeSet;

use crate::policy::calendar::{Calendar, DayKind};
use crate::time::Day;

/// What a day did in a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The count begins after it.
    Start,
    /// The n-th working day, from 1.
    Counted(u16),
    /// Not a working day.
    Skipped,
    /// Finance takes nothing in.
    Closed,
    /// The clock stands still: a question is open, or the claim is frozen.
    Paused,
    /// Finance takes the claim in.
    Accepted,
    /// The day that the policy names, before holidays are looked at.
    Named,
    /// The working day that stands for it.
    Moved,
}

impl Mark {
    /// Returns the name that `--json` answers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Counted(_) => "counted",
            Self::Skipped => "skipped",
            Self::Closed => "closed",
            Self::Paused => "paused",
            Self::Accepted => "accepted",
            Self::Named => "named",
            Self::Moved => "moved",
        }
    }
}

/// One day of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The day.
    pub day: Day,
    /// What it is by the calendar.
    pub kind: DayKind,
    /// What it did.
    pub mark: Mark,
}

/// How a day was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Every day looked at, in order.
    pub steps: Vec<Step>,
    /// Years whose tables are not loaded: there, Monday to Friday was taken.
    pub missing: BTreeSet<i32>,
}

/// A count that is under way.
#[derive(Debug)]
pub struct Count<'c> {
    calendar: &'c Calendar,
    trace: Trace,
}

impl<'c> Count<'c> {
    /// Returns a count that has seen no day.
    #[must_use]
    pub fn new(calendar: &'c Calendar) -> Self {
        Self { calendar, trace: Trace::default() }
    }

    /// Returns what was noted.
    #[must_use]
    pub fn into_trace(self) -> Trace {
        self.trace
    }

    /// Notes a day.
    fn note(&mut self, day: Day, mark: Mark) {
        self.trace.missing.extend(self.calendar.missing(day));
        self.trace.steps.push(Step { day, kind: self.calendar.kind(day), mark });
    }

    /// Notes the day after which a count begins.
    pub fn start(&mut self, day: Day) {
        self.note(day, Mark::Start);
    }

    /// Returns `day` as the policy names it, worked or not.
    pub fn as_named(&mut self, day: Day) -> Day {
        self.note(day, Mark::Named);
        day
    }

    /// Returns the first working day from `day` on: `next_working` of the rules.
    ///
    /// `day` itself is noted as [`Mark::Named`], the one that stands for it as [`Mark::Moved`].
    pub fn next_working(&mut self, day: Day) -> Day {
        self.note(day, Mark::Named);
        let mut found = day;
        while !self.calendar.is_working(found) && found.0 < i32::MAX {
            found = found.plus(1);
            let working = self.calendar.is_working(found);
            self.note(found, if working { Mark::Moved } else { Mark::Skipped });
        }
        found
    }

    /// Returns the first working day from `day` on that is not closed.
    pub fn next_open(&mut self, day: Day, closed: impl Fn(Day) -> bool) -> Day {
        let mut found = day;
        loop {
            let mark = self.mark(found, &closed, Mark::Accepted);
            self.note(found, mark);
            if mark == Mark::Accepted || found.0 == i32::MAX {
                return found;
            }
            found = found.plus(1);
        }
    }

    /// Returns the n-th working day after `start`, itself not counted: `add_wd` of the rules; closed days do not count.
    pub fn working_days(&mut self, start: Day, n: u16, closed: impl Fn(Day) -> bool) -> Day {
        let mut day = start;
        let mut counted = 0;
        while counted < n && day.0 < i32::MAX {
            day = day.plus(1);
            let mark = self.mark(day, &closed, Mark::Counted(counted + 1));
            self.note(day, mark);
            if let Mark::Counted(reached) = mark {
                counted = reached;
            }
        }
        day
    }

    /// Returns the n-th working day after `start` on which the clock does not stand still.
    pub fn unpaused_days(&mut self, start: Day, n: u16, paused: impl Fn(Day) -> bool) -> Day {
        let mut day = start;
        let mut counted = 0;
        while counted < n && day.0 < i32::MAX {
            day = day.plus(1);
            let mark = match (paused(day), self.calendar.is_working(day)) {
                (true, _) => Mark::Paused,
                (false, false) => Mark::Skipped,
                (false, true) => Mark::Counted(counted + 1),
            };
            self.note(day, mark);
            if let Mark::Counted(reached) = mark {
                counted = reached;
            }
        }
        day
    }

    fn mark(&self, day: Day, closed: impl Fn(Day) -> bool, otherwise: Mark) -> Mark {
        match (closed(day), self.calendar.is_working(day)) {
            (true, _) => Mark::Closed,
            (false, false) => Mark::Skipped,
            (false, true) => otherwise,
        }
    }
}
