//! How one field gets its value from the columns of a row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::schema::Field;
use crate::table::cell;
use crate::table::decimal::{Scale, fixed, parts};
use crate::table::refusal::Reason;
use crate::time::{Day, TimeError, Ts, Zone};
use crate::value::text::{REF_CHARS_MAX, ValueError};
use crate::value::{MeterValue, Target, Type, Value};

/// Where the text of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// These columns, the empty ones left out, joined with [`Pick::join`].
    Columns(Vec<String>),
    /// The first of these columns that is there and not empty.
    First(Vec<String>),
    /// The same text in every row.
    Constant(String),
    /// All columns that nothing else of the mapping names, as lines `column: text`.
    Rest,
}

/// How numbers of an instant or a day count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
    /// Days since 1899-12-30, as spreadsheets keep dates.
    Spreadsheet,
}

/// How one field gets its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// Where the text comes from.
    pub from: From,
    /// What stands between two columns; a blank unless the mapping says otherwise.
    pub join: String,
    /// Words that mean "nothing" in this field, beside those of the whole mapping.
    pub empty: Vec<String>,
    /// Put before a text that is not empty.
    pub before: String,
    /// Word for word translations, before the field's type reads it.
    pub words: BTreeMap<String, String>,
    /// What a word that `words` does not list becomes; `None`: it stays as it is.
    pub other: Option<String>,
    /// Words taken off at the beginning and the end of numbers, like a currency.
    pub strip: Vec<String>,
    /// Characters taken out of numbers, like the comma of thousands.
    pub thousands: String,
    /// What stands before the decimals, where it is not a point.
    pub decimal: String,
    /// Another unit than the field's.
    pub scale: Scale,
    /// The unit of a meter value.
    pub unit: String,
    /// Shapes of dates, `strftime` style, tried in order after the ISO form: the first that gives a day of 1900 to 2199.
    pub dates: Vec<String>,
    /// The time of day where the date has none.
    pub clock: NaiveTime,
    /// Numbers as dates.
    pub epoch: Option<Epoch>,
    /// Whether a longer text is cut to the field's length instead of refused.
    pub cut: bool,
    /// Whether a row without it is refused.
    pub required: bool,
    /// Whether a file may lack the columns altogether.
    pub optional: bool,
    /// Whether a day or instant after today is refused.
    pub past: bool,
    /// Whether an export wrote the text: ids are references, meter values have their unit.
    pub plain: bool,
    /// Whether an export may have put a quote before it, against formulas.
    pub quoted: bool,
}

/// What reading needs to know about the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside {
    /// The zone of instants without one.
    pub zone: Zone,
    /// Today, for [`Pick::past`].
    pub today: Day,
}

impl Pick {
    /// Returns a pick of one column, read in the plain form.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self::new(From::Columns(vec![name.to_owned()]))
    }

    /// Returns a pick with nothing special.
    #[must_use]
    pub fn new(from: From) -> Self {
        Self {
            from,
            join: " ".to_owned(),
            empty: Vec::new(),
            before: String::new(),
            words: BTreeMap::new(),
            other: None,
            strip: Vec::new(),
            thousands: String::new(),
            decimal: String::new(),
            scale: Scale::NONE,
            unit: String::new(),
            dates: Vec::new(),
            clock: NaiveTime::MIN,
            epoch: None,
            cut: false,
            required: false,
            optional: false,
            past: false,
            plain: false,
            quoted: false,
        }
    }

    /// Returns the columns it names.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match &self.from {
            From::Columns(names) | From::First(names) => names,
            From::Constant(_) | From::Rest => &[],
        }
    }

    /// Returns the text of the field; empty where there is none. `column` reads a column, `rest` gives the others.
    pub(crate) fn text<'r>(
        &self,
        column: &dyn Fn(&str) -> Option<Cow<'r, str>>,
        rest: &dyn Fn() -> String,
        nothing: &[String],
    ) -> String {
        let full = |name: &String| {
            let text = column(name).unwrap_or_default();
            let none =
                text.is_empty() || [nothing, &self.empty].iter().any(|list| list.iter().any(|w| *w == text));
            if none { None } else { Some(text) }
        };
        let text = match &self.from {
            From::Columns(names) => names.iter().filter_map(full).collect::<Vec<_>>().join(&self.join),
            From::First(names) => names.iter().find_map(full).unwrap_or_default().into_owned(),
            From::Constant(text) => text.clone(),
            From::Rest => rest(),
        };
        if text.is_empty() || self.before.is_empty() { text } else { format!("{}{text}", self.before) }
    }

    /// Returns the value that `text` means in `field`; `None` for none.
    ///
    /// # Errors
    /// [`Reason`].
    pub(crate) fn value(&self, field: &Field, text: &str, outside: Outside) -> Result<Option<Value>, Reason> {
        let word = match self.words.get(text) {
            Some(word) => word,
            None if text.is_empty() || self.words.is_empty() => text,
            None => self.other.as_deref().unwrap_or(text),
        };
        let bare = if self.quoted { cell::unquoted(word) } else { word };
        if bare.is_empty() {
            return if self.required { Err(Reason::Missing) } else { Ok(None) };
        }
        let value = self.typed(field.ty, bare, outside)?;
        if self.past && later(field.ty, &value, outside) { Err(Reason::InFuture) } else { Ok(Some(value)) }
    }

    fn typed(&self, ty: Type, text: &str, outside: Outside) -> Result<Value, ValueError> {
        let scaled = |decimals| fixed(&self.number(text), decimals, self.scale);
        let value = match ty {
            Type::Text(max) if self.cut => return parse(ty, &cell::shortened(text, max.into()), outside),
            Type::Ref(_) if self.cut => Value::Ref(Target::Text(cell::shortened(text, REF_CHARS_MAX))),
            // Only an export writes ids; elsewhere "10.1.2" is a room.
            Type::Ref(_) if !self.plain => match parse(Type::Text(u16::MAX), text, outside)? {
                Value::Text(text) => Value::Ref(Target::Text(text)),
                other => other,
            },
            Type::Fen => Value::Int(scaled(2)?),
            Type::Qty => Value::Int(scaled(3).map_err(|_| ValueError::NotADecimal { decimals: 3 })?),
            Type::Min | Type::Count | Type::Metre => {
                Value::Int(scaled(0).map_err(|_| ValueError::NotACount)?)
            }
            Type::Meter if !self.plain => {
                let read = parts(&self.number(text));
                let (mantissa, decimals) = read.map_err(|_| ValueError::NotADecimal { decimals: 9 })?;
                Value::Meter(MeterValue { mantissa, decimals, unit: self.unit.clone() })
            }
            Type::Fix => return parse(ty, text.trim_matches(['[', ']']), outside),
            Type::Ts => Value::Int(self.instant(text, outside.zone)?.0),
            Type::Day => Value::Int(self.day(text, outside.zone)?.0.into()),
            Type::Text(_)
            | Type::Bool
            | Type::Choice(_)
            | Type::Ref(_)
            | Type::Meter
            | Type::File
            | Type::Digest => return parse(ty, text, outside),
        };
        value.check(ty)?;
        Ok(value)
    }

    /// The number without what the mapping takes off; `(12.50)` and `12.50-` are how ledgers write -12.50.
    fn number(&self, text: &str) -> String {
        let ledger = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let minus = ledger.or_else(|| text.strip_prefix('-')).or_else(|| text.strip_suffix('-'));
        let bare = minus.unwrap_or(text).trim();
        let bare = self.strip.iter().find_map(|word| bare.strip_prefix(word.as_str())).unwrap_or(bare);
        let bare = self.strip.iter().find_map(|word| bare.strip_suffix(word.as_str())).unwrap_or(bare);
        let digits: String = bare.trim().chars().filter(|c| !self.thousands.contains(*c)).collect();
        let digits = if self.decimal.is_empty() { digits } else { digits.replace(&self.decimal, ".") };
        // A second minus stays and makes it no number.
        if minus.is_some() { format!("-{digits}") } else { digits }
    }

    fn instant(&self, text: &str, zone: Zone) -> Result<Ts, TimeError> {
        if let Some(epoch) = self.epoch {
            return since(epoch, text, zone);
        }
        if let Ok(ts) = Ts::parse(text, zone) {
            return Ok(ts);
        }
        let civil = |form: &String| {
            let day = || NaiveDate::parse_from_str(text, form).ok().map(|day| day.and_time(self.clock));
            let at = NaiveDateTime::parse_from_str(text, form).ok().or_else(day)?;
            sane(at.date()).map(|_| at)
        };
        let day = || text.parse::<Day>().ok().and_then(|day| NaiveDate::from_epoch_days(day.0));
        let at = self.dates.iter().find_map(civil).or_else(|| day().map(|day| day.and_time(self.clock)));
        let ms = at.ok_or(TimeError::NotADay)?.and_utc().timestamp_millis();
        Ok(Ts(ms - i64::from(zone.0) * 60_000))
    }

    fn day(&self, text: &str, zone: Zone) -> Result<Day, TimeError> {
        if let Some(epoch) = self.epoch {
            return since(epoch, text, zone).map(|ts| ts.day(zone));
        }
        if let Ok(day) = text.parse() {
            return Ok(day);
        }
        let civil = |form: &String| sane(NaiveDate::parse_from_str(text, form).ok()?);
        let day = self.dates.iter().find_map(civil).map(|day| Day(day.to_epoch_days()));
        day.or_else(|| Ts::parse(text, zone).ok().map(|ts| ts.day(zone))).ok_or(TimeError::NotADay)
    }
}

/// `%Y` reads `18` as the year 18; then the next shape has its turn.
fn sane(date: NaiveDate) -> Option<NaiveDate> {
    use chrono::Datelike;
    (1900..2200).contains(&date.year()).then_some(date)
}

fn since(epoch: Epoch, text: &str, zone: Zone) -> Result<Ts, TimeError> {
    let round = Scale { round: true, ..Scale::NONE };
    let number = |decimals, scale| fixed(text, decimals, scale).map_err(|_| TimeError::NotADay);
    let ms = match epoch {
        Epoch::Millis => number(0, round)?,
        Epoch::Seconds => number(3, round)?,
        Epoch::Spreadsheet => {
            let civil = number(0, Scale { times: 86_400_000, ..round })?;
            civil.saturating_sub(25_569 * 86_400_000).saturating_sub(i64::from(zone.0) * 60_000)
        }
    };
    // 9999-12-31: later numbers are no dates.
    if ms.unsigned_abs() < 253_402_300_800_000 { Ok(Ts(ms)) } else { Err(TimeError::NotADay) }
}

fn parse(ty: Type, text: &str, outside: Outside) -> Result<Value, ValueError> {
    // Old files end lines with a single carriage return.
    Value::parse(ty, &text.replace("\r\n", "\n").replace('\r', "\n"), outside.zone)
}

fn later(ty: Type, value: &Value, outside: Outside) -> bool {
    match (ty, value) {
        (Type::Day, Value::Int(day)) => *day > i64::from(outside.today.0),
        (Type::Ts, Value::Int(ms)) => Ts(*ms).day(outside.zone) > outside.today,
        _ => false,
    }
}
