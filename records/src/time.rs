//! Instants, civil days and the offset that joins them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Ts(pub i64);

/// A civil day in the policy's time zone: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Day(pub i32);

/// The policy's time zone as minutes east of UTC; China has no summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone(pub i16);

impl Zone {
    /// UTC+8, the default.
    pub const SHANGHAI: Self = Self(480);

    /// Reads an offset such as `+08:00`, up to 14 hours.
    #[must_use]
    pub fn of_offset(text: &str) -> Option<Self> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'+' => (1, text.get(1..)?),
            b'-' => (-1, text.get(1..)?),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
        let fits = (0..=14).contains(&hours) && (0..60).contains(&minutes);
        fits.then_some(Self(sign * (hours * 60 + minutes)))
    }

    fn offset(self) -> Option<FixedOffset> {
        FixedOffset::east_opt(i32::from(self.0) * 60)
    }
}

/// Why a text is not a day or an instant.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum TimeError {
    /// Not `YYYY-MM-DD`, or no such day.
    #[error("a day is written 2026-11-22 and must exist")]
    NotADay,
    /// Not RFC 3339.
    #[error("an instant is written 2026-11-22T09:30:00+08:00")]
    NotAnInstant,
}

impl Ts {
    /// Reads RFC 3339, or `YYYY-MM-DD HH:MM[:SS]` (a `T` may stand between) in `zone`.
    ///
    /// # Errors
    /// [`TimeError::NotAnInstant`].
    pub fn parse(text: &str, zone: Zone) -> Result<Self, TimeError> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(instant.timestamp_millis()));
        }
        let text = text.replacen('T', " ", 1);
        let civil = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|form| chrono::NaiveDateTime::parse_from_str(&text, form).ok())
            .ok_or(TimeError::NotAnInstant)?;
        let offset = zone.offset().ok_or(TimeError::NotAnInstant)?;
        let instant = civil.and_local_timezone(offset).single().ok_or(TimeError::NotAnInstant)?;
        Ok(Self(instant.timestamp_millis()))
    }

    /// Returns RFC 3339 with the zone's offset; whole seconds unless there are milliseconds.
    #[must_use]
    pub fn rfc3339(self, zone: Zone) -> String {
        let form = if self.0.rem_euclid(1000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        self.civil(zone).map_or_else(|| self.0.to_string(), |civil| civil.to_rfc3339_opts(form, false))
    }

    /// Returns `YYYY-MM-DD HH:MM` for tables.
    #[must_use]
    pub fn minute(self, zone: Zone) -> String {
        self.civil(zone)
            .map_or_else(|| self.0.to_string(), |civil| civil.format("%Y-%m-%d %H:%M").to_string())
    }

    /// Returns the civil day of the instant.
    #[must_use]
    pub fn day(self, zone: Zone) -> Day {
        let days = (self.0 + i64::from(zone.0) * 60_000).div_euclid(86_400_000);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    fn civil(self, zone: Zone) -> Option<DateTime<FixedOffset>> {
        Some(DateTime::from_timestamp_millis(self.0)?.with_timezone(&zone.offset()?))
    }
}

impl Day {
    /// Returns year, month 1–12 and day of month 1–31; `None` beyond the calendar's reach.
    #[must_use]
    pub fn ymd(self) -> Option<(i32, u32, u32)> {
        let date = self.date()?;
        Some((date.year(), date.month(), date.day()))
    }

    /// Returns the day of that date; `None` where no such day exists.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        Some(Self(date.to_epoch_days()))
    }

    /// Returns the day so many days later, or earlier where `days` is negative.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Returns the day of the week: 0 is Monday, 6 is Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((i64::from(self.0) + 3).rem_euclid(7)).unwrap_or(0)
    }

    /// Returns the instant at which the day begins.
    #[must_use]
    pub fn start(self, zone: Zone) -> Ts {
        Ts(i64::from(self.0) * 86_400_000 - i64::from(zone.0) * 60_000)
    }

    fn date(self) -> Option<NaiveDate> {
        NaiveDate::from_epoch_days(self.0)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| shaped);
        date.map(|date| Self(date.to_epoch_days())).ok_or(TimeError::NotADay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_read_back() {
        let day: Day = "2026-11-22".parse().unwrap();
        assert_eq!(day.to_string(), "2026-11-22");
        assert_eq!(day.ymd(), Some((2026, 11, 22)));
        for bad in ["2026-02-30", "31/02", "2026-2-3", "", "2026-11-22 "] {
            assert_eq!(bad.parse::<Day>(), Err(TimeError::NotADay), "{bad}");
        }
        let ts = Ts::parse("2026-11-22T09:30:00+08:00", Zone::SHANGHAI).unwrap();
        assert_eq!(Ts::parse("2026-11-22 09:30", Zone::SHANGHAI), Ok(ts));
        assert_eq!(ts.rfc3339(Zone::SHANGHAI), "2026-11-22T09:30:00+08:00");
        assert_eq!(ts.day(Zone::SHANGHAI), day);
        assert_eq!(Ts(-1).day(Zone(0)), Day(-1));
        assert_eq!(day.start(Zone::SHANGHAI).rfc3339(Zone::SHANGHAI), "2026-11-22T00:00:00+08:00");
        assert_eq!(
            (day.weekday(), day.plus(1).weekday(), day.plus(-1).to_string()),
            (6, 0, "2026-11-21".into())
        );
    }
}
