//! Months, half-months and the two mailings of a month.

use std::fmt;
use std::str::FromStr;

use crate::time::Day;

/// A calendar month of the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

/// The first or second half of a month: 1 to 15, or 16 to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HalfMonth {
    /// The month.
    pub month: Month,
    /// Which half.
    pub half: Half,
}

/// Which half of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Half {
    /// The 1st to the 15th.
    First,
    /// The 16th to the end.
    Second,
}

/// A regular mailing, named by the month in which it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cycle {
    /// The month of the mailing.
    pub month: Month,
    /// Which one of the month.
    pub letter: Letter,
}

/// Which mailing of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    /// The first.
    A,
    /// The second.
    B,
}

/// Why a text is none of these.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum CycleError {
    /// Not a month.
    #[error("a month is written 2026-02")]
    NotAMonth,
    /// Not a half-month.
    #[error("a half-month is written 2026-02-H1 or 2026-02-H2")]
    NotAHalf,
    /// Not a mailing.
    #[error("a mailing is written 2026-02-A or 2026-02-B")]
    NotACycle,
}

impl Month {
    /// Returns the month of a day; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn of(day: Day) -> Option<Self> {
        let (year, month, _) = day.ymd()?;
        (1..=9999).contains(&year).then_some(Self { year, month })
    }

    /// Returns the month so many months later, or earlier; the first or last one where that leaves the calendar.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        let first = self.year * 12 + i32::try_from(self.month).unwrap_or(1) - 1;
        let months = first.saturating_add(months).clamp(12, 9999 * 12 + 11);
        Self { year: months.div_euclid(12), month: months.rem_euclid(12).unsigned_abs() + 1 }
    }

    /// Returns its year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// Returns that day of the month, the last where the month is shorter, the first for 0.
    #[must_use]
    pub fn day(self, dom: u32) -> Day {
        let dom = dom.clamp(1, 31);
        (28..=dom)
            .rev()
            .chain([dom])
            .find_map(|dom| Day::from_ymd(self.year, self.month, dom))
            .unwrap_or_default()
    }

    /// Returns the last day of the month.
    #[must_use]
    pub fn last(self) -> Day {
        self.day(31)
    }
}

impl HalfMonth {
    /// Returns the half-month of a day; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn of(day: Day) -> Option<Self> {
        let month = Month::of(day)?;
        let half = if day < month.day(16) { Half::First } else { Half::Second };
        Some(Self { month, half })
    }

    /// Returns its first day.
    #[must_use]
    pub fn first(self) -> Day {
        match self.half {
            Half::First => self.month.day(1),
            Half::Second => self.month.day(16),
        }
    }

    /// Returns its last day.
    #[must_use]
    pub fn last(self) -> Day {
        match self.half {
            Half::First => self.month.day(15),
            Half::Second => self.month.last(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Display for HalfMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = match self.half {
            Half::First => "H1",
            Half::Second => "H2",
        };
        write!(f, "{}-{half}", self.month)
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.letter {
            Letter::A => "A",
            Letter::B => "B",
        };
        write!(f, "{}-{letter}", self.month)
    }
}

impl FromStr for Month {
    type Err = CycleError;

    fn from_str(text: &str) -> Result<Self, CycleError> {
        let day = format!("{text}-01").parse().map_err(|_| CycleError::NotAMonth)?;
        Self::of(day).ok_or(CycleError::NotAMonth)
    }
}

impl FromStr for HalfMonth {
    type Err = CycleError;

    fn from_str(text: &str) -> Result<Self, CycleError> {
        let (month, half) = text.rsplit_once('-').ok_or(CycleError::NotAHalf)?;
        let half = match half {
            "H1" => Half::First,
            "H2" => Half::Second,
            _ => return Err(CycleError::NotAHalf),
        };
        Ok(Self { month: month.parse().map_err(|_| CycleError::NotAHalf)?, half })
    }
}

impl FromStr for Cycle {
    type Err = CycleError;

    fn from_str(text: &str) -> Result<Self, CycleError> {
        let (month, letter) = text.rsplit_once('-').ok_or(CycleError::NotACycle)?;
        let letter = match letter {
            "A" => Letter::A,
            "B" => Letter::B,
            _ => return Err(CycleError::NotACycle),
        };
        Ok(Self { month: month.parse().map_err(|_| CycleError::NotACycle)?, letter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn months_roll_over_and_short_ones_end_early() {
        let month: Month = "2026-01".parse().unwrap();
        assert_eq!(month.plus(-1).to_string(), "2025-12");
        assert_eq!(month.plus(13).to_string(), "2027-02");
        assert_eq!(month.plus(1).day(31), day("2026-02-28"));
        assert_eq!("2024-02".parse::<Month>().unwrap().last(), day("2024-02-29"));
        assert_eq!("0001-01".parse::<Month>().unwrap().plus(-5).to_string(), "0001-01");
        assert_eq!(month.plus(i32::MAX).to_string(), "9999-12");
    }

    #[test]
    fn half_months_meet_at_the_fifteenth() {
        let check = |text: &str, half: &str| assert_eq!(HalfMonth::of(day(text)).unwrap().to_string(), half);
        check("2026-02-01", "2026-02-H1");
        check("2026-02-15", "2026-02-H1");
        check("2026-02-16", "2026-02-H2");
        check("2026-02-28", "2026-02-H2");
        let second: HalfMonth = "2026-02-H2".parse().unwrap();
        assert_eq!((second.first(), second.last()), (day("2026-02-16"), day("2026-02-28")));
    }

    #[test]
    fn what_is_no_month_half_or_mailing_is_refused() {
        for bad in ["2026-02-C", "2026-13-A", "2026-2-A", "A", "", "2026-02-31-A", "0000-01-A", "2026-02-A "]
        {
            assert_eq!(bad.parse::<Cycle>(), Err(CycleError::NotACycle), "{bad}");
        }
        assert_eq!("2026-02-H3".parse::<HalfMonth>(), Err(CycleError::NotAHalf));
        assert_eq!("2026".parse::<Month>(), Err(CycleError::NotAMonth));
        assert_eq!("2026-02-B".parse::<Cycle>().unwrap().to_string(), "2026-02-B");
    }
}
