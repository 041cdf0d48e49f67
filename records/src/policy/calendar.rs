//! Which days are worked: Monday to Friday, unless the calendar says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Day;

/// The built-in table; its head says where it comes from.
const CHINA: &str = include_str!("china.txt");

/// What a day is to people who work by the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Monday to Friday.
    Workday,
    /// Worked although it would be free: it makes up for a holiday.
    MakeUp,
    /// Saturday or Sunday.
    Weekend,
    /// Free by the calendar.
    Holiday,
}

impl DayKind {
    /// Returns whether people work on such a day.
    #[must_use]
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Workday | Self::MakeUp)
    }

    /// Returns the name that `--json` answers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workday => "workday",
            Self::MakeUp => "make_up",
            Self::Weekend => "weekend",
            Self::Holiday => "holiday",
        }
    }
}

/// The days that differ from Monday to Friday, and for which years they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeSet<i32>,
    /// Whether the day is free.
    off: BTreeMap<Day, bool>,
}

impl Calendar {
    /// Returns mainland China's calendar, 2012 to 2026.
    #[must_use]
    pub fn china() -> Self {
        let mut calendar = Self::default();
        for line in CHINA.lines().filter(|line| !line.starts_with('#')) {
            calendar.take_line(line);
        }
        calendar
    }

    /// Enters one year's table, in place of what stood there for its days.
    ///
    /// A table may rule days of the year before: enter the years in their order.
    /// An empty one leaves the year unknown: a year that is not published yet is an empty table at some publishers.
    pub fn load_year(&mut self, year: i32, days: impl IntoIterator<Item = (Day, bool)>) {
        let mut days = days.into_iter().peekable();
        if days.peek().is_some() {
            self.years.insert(year);
        }
        self.off.extend(days);
    }

    /// Returns the years that are loaded.
    pub fn years(&self) -> impl Iterator<Item = i32> {
        self.years.iter().copied()
    }

    /// Returns the years whose tables are missing to be sure of a day; December is ruled by the next year's table too.
    pub fn missing(&self, day: Day) -> impl Iterator<Item = i32> {
        let (year, month, _) = day.ymd().unwrap_or_default();
        let asked = [Some(year), (month == 12).then_some(year + 1)];
        asked.into_iter().flatten().filter(|year| !self.years.contains(year))
    }

    /// Returns what the day is: the calendar's word, else Monday to Friday.
    ///
    /// ```
    /// use records::policy::calendar::{Calendar, DayKind};
    /// let china = Calendar::china();
    /// assert_eq!(china.kind("2026-10-10".parse()?), DayKind::MakeUp);
    /// assert_eq!(china.kind("2026-10-07".parse()?), DayKind::Holiday);
    /// # Ok::<(), records::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn kind(&self, day: Day) -> DayKind {
        match (self.off.get(&day), day.weekday() < 5) {
            (Some(true), _) => DayKind::Holiday,
            (None, false) => DayKind::Weekend,
            (Some(false), false) => DayKind::MakeUp,
            (Some(false) | None, true) => DayKind::Workday,
        }
    }

    /// Returns whether people work on the day.
    #[must_use]
    pub fn is_working(&self, day: Day) -> bool {
        self.kind(day).is_working()
    }

    /// Reads a line of the built-in table; a line of another shape enters nothing, which a test would see.
    fn take_line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let year = words.next()?.parse().ok()?;
        let off = match words.next()? {
            "off" => true,
            "work" => false,
            _ => return None,
        };
        let day =
            |text: &str| Day::from_ymd(year, text.get(..2)?.parse().ok()?, text.get(2..)?.parse().ok()?);
        let mut days = Vec::new();
        for run in words {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            let (first, last) = (day(first)?, day(last)?);
            days.extend((first.0..=last.0).map(|n| (Day(n), off)));
        }
        self.load_year(year, days);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_read_whole() {
        let china = Calendar::china();
        assert_eq!(china.years().collect::<Vec<_>>(), (2012..=2026).collect::<Vec<_>>());
        let count = |off| china.off.values().filter(|o| **o == off).count();
        assert_eq!((count(true), count(false)), (407, 99));
        let mut empty = Calendar::default();
        for line in CHINA.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(empty.take_line(line), Some(()), "{line}");
        }
    }

    /// The working days of each year, counted from the notices apart from this table.
    #[test]
    fn each_year_has_as_many_working_days_as_the_notices_give() {
        let china = Calendar::china();
        let expected = [249, 250, 250, 249, 250, 249, 250, 250, 249, 250, 249, 249, 251, 248, 248];
        for (year, expected) in (2012..).zip(expected) {
            let day = |year| Day::from_ymd(year, 1, 1).unwrap().0;
            let found = (day(year)..day(year + 1)).filter(|n| china.is_working(Day(*n))).count();
            assert_eq!(found, expected, "{year}");
        }
    }

    #[test]
    fn the_calendar_goes_before_the_weekday() {
        let china = Calendar::china();
        let check = |day: &str, expected| assert_eq!(china.kind(day.parse().unwrap()), expected, "{day}");
        check("2026-01-03", DayKind::Holiday);
        check("2026-01-04", DayKind::MakeUp);
        check("2026-01-10", DayKind::Weekend);
        check("2026-02-16", DayKind::Holiday);
        check("2026-11-23", DayKind::Workday);
        // The long holiday of 2020 was ended by a notice that named a Monday.
        check("2020-02-03", DayKind::Workday);
    }

    #[test]
    fn a_year_that_is_not_loaded_is_named_and_december_asks_the_next() {
        let china = Calendar::china();
        let check = |day: &str, expected: &[i32]| {
            assert_eq!(china.missing(day.parse().unwrap()).collect::<Vec<_>>(), expected, "{day}");
        };
        check("2026-11-30", &[]);
        check("2026-12-01", &[2027]);
        check("2027-12-01", &[2027, 2028]);
        check("2011-12-31", &[2011]);
    }

    #[test]
    fn a_later_year_rules_december_of_the_year_before_and_an_empty_one_nothing() {
        let mut china = Calendar::china();
        let day: Day = "2026-12-31".parse().unwrap();
        assert!(china.is_working(day));
        china.load_year(2027, []);
        assert_eq!(china.missing(day).collect::<Vec<_>>(), [2027]);
        china.load_year(2027, [(day, true)]);
        assert!(!china.is_working(day));
        assert_eq!(china.missing(day).count(), 0);
    }
}
