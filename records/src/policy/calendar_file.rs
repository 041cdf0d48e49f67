//! A calendar file: the table of a year that is published after this program, as JSON.
//!
//! Two forms are taken, one of them by each publisher that we know of.
//! Per year: `{"2027": {"holidays": ["2027-01-01"], "makeup_workdays": ["2027-01-02"]}}`.
//! Per day: `{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": true}]}` (`off` is taken for `isOffDay`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::policy::calendar::Calendar;
use crate::time::Day;

/// Days and years of one file; more than a company will ever load.
const DAYS_MAX: usize = 20_000;
/// So much of a day's name is kept.
const NAME_CHARS_MAX: usize = 40;

/// Why a calendar file cannot be used; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not JSON.
    #[error("line {line}: this is not JSON")]
    Syntax {
        /// The line, from 1.
        line: usize,
    },
    /// Neither of the two forms.
    #[error("{at}: {expected} is expected")]
    Shape {
        /// Where in the file, such as `2027.holidays`.
        at: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// No such day.
    #[error("{at}: \"{found}\" is not a day")]
    NotADay {
        /// Where in the file.
        at: String,
        /// What stands there.
        found: String,
    },
    /// A table rules its own year and December of the year before, nothing else.
    #[error("{at}: {day} does not belong to the table of {year}")]
    OtherYear {
        /// Where in the file.
        at: String,
        /// The day.
        day: Day,
        /// The year.
        year: i32,
    },
    /// A day that is both free and worked.
    #[error("{day} is both free and worked")]
    Both {
        /// The day.
        day: Day,
    },
    /// Too many days.
    #[error("more than {DAYS_MAX} days")]
    TooLong,
}

/// A year's table: of each day whether it is free, and what it is called where the file says so.
pub type Days = BTreeMap<Day, (bool, String)>;

/// Returns the tables of a calendar file by year; one without days stands for a year that is not published yet.
///
/// # Errors
/// [`CalendarError`] with the place.
pub fn years(text: &str) -> Result<BTreeMap<i32, Days>, CalendarError> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| CalendarError::Syntax { line: error.line() })?;
    let file = json.as_object().ok_or_else(|| shape("", "an object"))?;
    let years = if file.contains_key("days") { by_day(file)? } else { by_year(file)? };
    if years.values().map(Days::len).sum::<usize>() > DAYS_MAX {
        return Err(CalendarError::TooLong);
    }
    Ok(years)
}

impl Calendar {
    /// Enters the years of a calendar file and returns them; one without days stays unknown and is not returned.
    ///
    /// # Errors
    /// [`CalendarError`] with the place; the calendar is then as before.
    ///
    /// ```
    /// use records::policy::calendar::Calendar;
    /// let mut calendar = Calendar::china();
    /// let file = r#"{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}"#;
    /// assert_eq!(calendar.load(file)?, [2027]);
    /// assert!(!calendar.is_working("2027-01-01".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load(&mut self, text: &str) -> Result<Vec<i32>, CalendarError> {
        let mut loaded = Vec::new();
        for (year, days) in years(text)?.into_iter().filter(|(_, days)| !days.is_empty()) {
            loaded.push(year);
            self.load_year(year, days.into_iter().map(|(day, (off, _))| (day, off)));
        }
        Ok(loaded)
    }
}

fn by_year(file: &Map<String, Value>) -> Result<BTreeMap<i32, Days>, CalendarError> {
    let mut years = BTreeMap::new();
    for (name, table) in file {
        let year = year(name).ok_or_else(|| shape(name, "a year such as 2027"))?;
        let table = table.as_object().ok_or_else(|| shape(name, "holidays and makeup_workdays"))?;
        let mut days = Days::new();
        for (key, list) in table {
            let at = format!("{name}.{key}");
            let off = match key.as_str() {
                "holidays" => true,
                "makeup_workdays" => false,
                _ => return Err(shape(&at, "holidays or makeup_workdays")),
            };
            for text in list.as_array().ok_or_else(|| shape(&at, "a list of days"))? {
                enter(&mut days, day(text, &at)?, (off, ""), year, &at)?;
            }
        }
        years.insert(year, days);
    }
    Ok(years)
}

fn by_day(file: &Map<String, Value>) -> Result<BTreeMap<i32, Days>, CalendarError> {
    let number = file.get("year").and_then(Value::as_i64);
    let year =
        number.and_then(|n| year(&n.to_string())).ok_or_else(|| shape("year", "a year such as 2027"))?;
    let list = file.get("days").and_then(Value::as_array).ok_or_else(|| shape("days", "a list"))?;
    let mut days = Days::new();
    for (n, entry) in list.iter().enumerate() {
        let at = format!("days[{n}]");
        let off = entry.get("isOffDay").or_else(|| entry.get("off")).and_then(Value::as_bool);
        let off = off.ok_or_else(|| shape(&at, "isOffDay: true or false"))?;
        let date = entry.get("date").ok_or_else(|| shape(&at, "date"))?;
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
        enter(&mut days, day(date, &at)?, (off, name), year, &at)?;
    }
    Ok(BTreeMap::from([(year, days)]))
}

fn enter(
    days: &mut Days,
    day: Day,
    (off, name): (bool, &str),
    year: i32,
    at: &str,
) -> Result<(), CalendarError> {
    let of_year = |(y, month, _): (i32, u32, u32)| y == year || (y == year - 1 && month == 12);
    if !day.ymd().is_some_and(of_year) {
        return Err(CalendarError::OtherYear { at: at.to_owned(), day, year });
    }
    match days.insert(day, (off, name.chars().take(NAME_CHARS_MAX).collect())) {
        Some((other, _)) if other != off => Err(CalendarError::Both { day }),
        _ => Ok(()),
    }
}

fn year(text: &str) -> Option<i32> {
    text.parse().ok().filter(|year| (1900..=2199).contains(year))
}

fn day(value: &Value, at: &str) -> Result<Day, CalendarError> {
    let text = value.as_str().unwrap_or_default();
    let bad = || CalendarError::NotADay { at: at.to_owned(), found: text.chars().take(40).collect() };
    text.parse().map_err(|_| bad())
}

fn shape(at: &str, expected: &'static str) -> CalendarError {
    CalendarError::Shape { at: at.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let (mut one, mut other) = (Calendar::default(), Calendar::default());
        let by_year =
            r#"{"2027": {"holidays": ["2026-12-31", "2027-01-01"], "makeup_workdays": ["2027-01-03"]}}"#;
        let by_day = r#"{"year": 2027, "days": [{"date": "2026-12-31", "isOffDay": true},
            {"date": "2027-01-01", "off": true}, {"date": "2027-01-03", "isOffDay": false, "name": "元旦"}]}"#;
        assert_eq!(one.load(by_year), Ok(vec![2027]));
        assert_eq!(other.load(by_day), Ok(vec![2027]));
        assert_eq!(one, other);
    }

    #[test]
    fn a_year_that_is_not_published_yet_stays_unknown() {
        let mut china = Calendar::china();
        assert_eq!(china.load(r#"{"year": 2027, "papers": [], "days": []}"#), Ok(vec![]));
        assert_eq!(china, Calendar::china());
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_place_and_changes_nothing() {
        let check = |text: &str, expected: &str| {
            let mut china = Calendar::china();
            assert_eq!(china.load(text).unwrap_err().to_string(), expected);
            assert_eq!(china, Calendar::china());
        };
        check("{\n\"2027\": [", "line 2: this is not JSON");
        check("[]", ": an object is expected");
        check(r#"{"2027": []}"#, "2027: holidays and makeup_workdays is expected");
        check(r#"{"soon": {}}"#, "soon: a year such as 2027 is expected");
        check(r#"{"2027": {"holiday": []}}"#, "2027.holiday: holidays or makeup_workdays is expected");
        check(r#"{"2027": {"holidays": ["2027-02-30"]}}"#, "2027.holidays: \"2027-02-30\" is not a day");
        check(
            r#"{"2027": {"holidays": ["2026-11-30"]}}"#,
            "2027.holidays: 2026-11-30 does not belong to the table of 2027",
        );
        check(
            r#"{"2027": {"holidays": ["2027-01-01"], "makeup_workdays": ["2027-01-01"]}}"#,
            "2027-01-01 is both free and worked",
        );
        check(
            r#"{"year": 2027, "days": [{"date": "2027-01-01"}]}"#,
            "days[0]: isOffDay: true or false is expected",
        );
    }
}
