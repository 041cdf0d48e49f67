//! Values as a person types and reads them.

use unicode_normalization::UnicodeNormalization;

use crate::id::DocId;
use crate::money::{Fen, FenError};
use crate::schema::Field;
use crate::time::{Day, TimeError, Ts, Zone};
use crate::value::{Choices, Fix, HASH_BYTES_MAX, MeterValue, STRING_BYTES_MAX, Target, Type, Value};

/// Characters of a typed reference.
pub const REF_CHARS_MAX: usize = 200;

/// Characters of a meter's unit.
pub const UNIT_CHARS_MAX: usize = 20;

/// The language of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese.
    Zh,
    /// Traditional Chinese.
    ZhTw,
    /// English.
    En,
}

impl Lang {
    /// Returns the label of this language.
    #[must_use]
    pub fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::ZhTw => crate::value::traditional::of(zh),
            Self::En => en,
        }
    }
}

/// Why a text, or a stored value, is not a value of the field's type.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ValueError {
    /// More characters than the field takes.
    #[error("{chars} characters; at most {max}")]
    TooLong {
        /// How many there are.
        chars: usize,
        /// How many may be.
        max: usize,
    },
    /// A character that steers a terminal.
    #[error("control character U+{0:04X}")]
    Control(u32),
    /// Decomposed text: equal words would be unequal bytes.
    #[error("text is not in composed form")]
    NotComposed,
    /// Nothing where something must stand.
    #[error("empty")]
    Empty,
    /// Not an amount.
    #[error(transparent)]
    Amount(#[from] FenError),
    /// Not a day or an instant.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// Not a whole number from 0 to 4294967295.
    #[error("a whole number from 0 to 4294967295 is taken")]
    NotACount,
    /// Not a decimal number with at most so many decimals.
    #[error("a number with at most {decimals} decimals is taken")]
    NotADecimal {
        /// How many decimals may stand.
        decimals: u8,
    },
    /// Not yes or no.
    #[error("yes or no")]
    NotABool,
    /// None of the list.
    #[error("none of the list {}", list.name)]
    NotInList {
        /// The list.
        list: &'static Choices,
    },
    /// Not a latitude and a longitude in degrees.
    #[error("a position is latitude,longitude in degrees, like 30.1874,120.21369")]
    NotAFix,
    /// Not the hexadecimal text of 1 to 32 bytes.
    #[error("1 to 32 bytes in hexadecimal are taken")]
    NotAHash,
    /// A value of another type.
    #[error("value and type do not belong together")]
    WrongType,
}

impl Value {
    /// Reads what a person typed for a field of type `ty`; civil times are taken in `zone`.
    ///
    /// Choices are taken by identifier or by either label, yes/no also as 是/否 and 1/0,
    /// references as an id or as plain text. Text is composed (NFC) and trimmed.
    ///
    /// # Errors
    /// [`ValueError`].
    ///
    /// ```
    /// use records::time::Zone;
    /// use records::value::{Type, Value};
    /// assert_eq!(Value::parse(Type::Fen, "35.00", Zone::SHANGHAI), Ok(Value::Int(3500)));
    /// assert_eq!(Value::parse(Type::Qty, "1.5", Zone::SHANGHAI), Ok(Value::Int(1500)));
    /// assert!(Value::parse(Type::Day, "31/02", Zone::SHANGHAI).is_err());
    /// ```
    pub fn parse(ty: Type, text: &str, zone: Zone) -> Result<Self, ValueError> {
        let text: String = text.trim().replace("\r\n", "\n").nfc().collect();
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        let value = match ty {
            Type::Text(_) => Self::Text(text),
            Type::Fen => Self::Int(text.parse::<Fen>()?.0),
            Type::Ts => Self::Int(Ts::parse(&text, zone)?.0),
            Type::Day => Self::Int(text.parse::<Day>()?.0.into()),
            Type::Min | Type::Count | Type::Metre => Self::Int(count(&text)?),
            Type::Qty => Self::Int(decimal(&text, 3)?),
            Type::Bool => Self::Bool(bool_of(&text)?),
            Type::Choice(list) => Self::Choice(choice(list, &text)?),
            Type::Ref(_) => Self::Ref(text.parse::<DocId>().map_or(Target::Text(text), Target::Doc)),
            Type::Meter => Self::Meter(meter(&text)?),
            Type::Fix => Self::Fix(fix(&text)?),
            Type::File | Type::Digest => Self::File(hex(&text)?),
        };
        value.check(ty)?;
        Ok(value)
    }

    /// Checks a stored value against the limits of its type, as [`Value::parse`] does for a typed one.
    ///
    /// An index beyond a list passes: it comes from a newer version.
    ///
    /// # Errors
    /// [`ValueError`].
    pub fn check(&self, ty: Type) -> Result<(), ValueError> {
        match (ty, self) {
            (Type::Text(max), Self::Text(text)) => text_within(text, max.into()),
            (Type::Ref(_), Self::Ref(Target::Text(text))) => text_within(text, REF_CHARS_MAX),
            (Type::Fen, Self::Int(fen)) if fen.unsigned_abs() > crate::money::FEN_MAX.unsigned_abs() => {
                Err(FenError::TooLarge.into())
            }
            (Type::Day, Self::Int(day)) => {
                i32::try_from(*day).map(drop).map_err(|_| TimeError::NotADay.into())
            }
            (Type::Min | Type::Count | Type::Metre, Self::Int(n)) => {
                u32::try_from(*n).map(drop).map_err(|_| ValueError::NotACount)
            }
            (Type::Meter, Self::Meter(meter)) if meter.decimals > 9 => {
                Err(ValueError::NotADecimal { decimals: 9 })
            }
            (Type::Meter, Self::Meter(meter)) if meter.unit.is_empty() => Ok(()),
            (Type::Meter, Self::Meter(meter)) => text_within(&meter.unit, UNIT_CHARS_MAX),
            (Type::Fix, Self::Fix(fix)) if !on_earth(fix) => Err(ValueError::NotAFix),
            (Type::File | Type::Digest, Self::File(hash)) if !(1..=HASH_BYTES_MAX).contains(&hash.len()) => {
                Err(ValueError::NotAHash)
            }
            (Type::Fen | Type::Ts | Type::Qty, Self::Int(_))
            | (Type::Bool, Self::Bool(_))
            | (Type::Choice(_), Self::Choice(_))
            | (Type::Ref(_), Self::Ref(Target::Doc(_)))
            | (Type::Fix, Self::Fix(_))
            | (Type::File | Type::Digest, Self::File(_)) => Ok(()),
            _ => Err(ValueError::WrongType),
        }
    }

    /// Returns the value as [`Value::parse`] reads it: choices by identifier, instants as RFC 3339.
    #[must_use]
    pub fn text(&self, ty: Type, zone: Zone) -> String {
        match (ty, self) {
            (Type::Choice(list), Self::Choice(index)) => match list.option(*index) {
                Some((word, ..)) => word.to_owned(),
                None => format!("#{index}"),
            },
            (_, Self::Text(text) | Self::Ref(Target::Text(text))) => text.clone(),
            (Type::Fen, Self::Int(fen)) => Fen(*fen).to_string(),
            (Type::Ts, Self::Int(ts)) => Ts(*ts).rfc3339(zone),
            (Type::Day, Self::Int(day)) => Day(i32::try_from(*day).unwrap_or(i32::MAX)).to_string(),
            (Type::Qty, Self::Int(qty)) => point(*qty, 3, true),
            (_, Self::Int(n)) => n.to_string(),
            (_, Self::Bool(yes)) => (if *yes { "yes" } else { "no" }).to_owned(),
            (_, Self::Choice(index)) => format!("#{index}"),
            (_, Self::Ref(Target::Doc(doc))) => doc.to_string(),
            (_, Self::Meter(meter)) => {
                let number = point(meter.mantissa, meter.decimals, false);
                if meter.unit.is_empty() { number } else { format!("{number} {}", meter.unit) }
            }
            (_, Self::Fix(fix)) => {
                let (lat, lon) = (point(fix.lat.into(), 7, true), point(fix.lon.into(), 7, true));
                format!("{lat},{lon},{}{}", fix.accuracy, if fix.mock { ",mock" } else { "" })
            }
            (_, Self::File(hash)) => crate::hex::of(hash),
        }
    }

    /// Returns the value for a person: choices and yes/no in `lang`, instants to the minute, files cut short,
    /// the field's unit behind a number.
    ///
    /// A linked document reads as its code; the caller who knows its name writes that instead.
    #[must_use]
    pub fn label(&self, field: &Field, zone: Zone, lang: Lang) -> String {
        let text = match (field.ty, self) {
            (Type::Choice(list), Self::Choice(index)) => match list.option(*index) {
                Some((_, zh, en)) => lang.pick(zh, en).to_owned(),
                None => format!("#{index}"),
            },
            (_, Self::Bool(yes)) => match yes {
                true => lang.pick("是", "yes").to_owned(),
                false => lang.pick("否", "no").to_owned(),
            },
            (Type::Ts, Self::Int(ts)) => Ts(*ts).minute(zone),
            (_, Self::Ref(Target::Doc(doc))) => doc.code(),
            (_, Self::File(_)) => self.text(field.ty, zone).chars().take(12).collect(),
            _ => self.text(field.ty, zone),
        };
        if field.unit.is_empty() { text } else { format!("{text} {}", field.unit) }
    }
}

fn text_within(text: &str, max: usize) -> Result<(), ValueError> {
    let chars = text.chars().count();
    if chars > max || text.len() > STRING_BYTES_MAX {
        return Err(ValueError::TooLong { chars, max: max.min(STRING_BYTES_MAX) });
    }
    if text.is_empty() {
        return Err(ValueError::Empty);
    }
    if let Some(control) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(ValueError::Control(control.into()));
    }
    if !unicode_normalization::is_nfc(text) {
        return Err(ValueError::NotComposed);
    }
    Ok(())
}

fn count(text: &str) -> Result<i64, ValueError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let count = text.parse::<u32>().ok().filter(|_| digits);
    count.map(i64::from).ok_or(ValueError::NotACount)
}

/// Reads a decimal number as so many parts of 10^`decimals`.
fn decimal(text: &str, decimals: u8) -> Result<i64, ValueError> {
    let (mantissa, found) = mantissa(text).ok_or(ValueError::NotADecimal { decimals })?;
    let missing = decimals.checked_sub(found).ok_or(ValueError::NotADecimal { decimals })?;
    10_i64
        .checked_pow(missing.into())
        .and_then(|scale| mantissa.checked_mul(scale))
        .ok_or(ValueError::NotADecimal { decimals })
}

/// Returns the digits of `-12.50` as -1250 and 2.
fn mantissa(text: &str) -> Option<(i64, u8)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let shaped =
        !whole.is_empty() && plain(whole) && plain(part) && (digits.len() == whole.len() || !part.is_empty());
    let number: i64 = format!("{whole}{part}").parse().ok().filter(|_| shaped)?;
    let decimals = u8::try_from(part.len()).ok()?;
    Some((if text.starts_with('-') { -number } else { number }, decimals))
}

/// Writes `number / 10^decimals`; `short` leaves out zeros at the end.
fn point(number: i64, decimals: u8, short: bool) -> String {
    let width = usize::from(decimals) + 1;
    let digits = format!("{:0>width$}", number.unsigned_abs());
    let (whole, part) = digits.split_at(digits.len() - usize::from(decimals));
    let part = if short { part.trim_end_matches('0') } else { part };
    let sign = if number < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

fn bool_of(text: &str) -> Result<bool, ValueError> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "y" | "1" | "是" => Ok(true),
        "no" | "false" | "n" | "0" | "否" => Ok(false),
        _ => Err(ValueError::NotABool),
    }
}

fn choice(list: &'static Choices, text: &str) -> Result<u8, ValueError> {
    let low = text.to_lowercase();
    let hit = |(word, zh, en): &(&str, &str, &str)| *word == low || *zh == text || en.to_lowercase() == low;
    let at = list.options.iter().position(hit);
    at.and_then(|at| u8::try_from(at).ok()).ok_or(ValueError::NotInList { list })
}

fn meter(text: &str) -> Result<MeterValue, ValueError> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let wrong = ValueError::NotADecimal { decimals: 9 };
    let (mantissa, decimals) = mantissa(number).filter(|(_, decimals)| *decimals <= 9).ok_or(wrong)?;
    Ok(MeterValue { mantissa, decimals, unit: unit.trim().to_owned() })
}

fn fix(text: &str) -> Result<Fix, ValueError> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (lat, lon, accuracy, mock) = match *parts.as_slice() {
        [lat, lon] => (lat, lon, "0", false),
        [lat, lon, accuracy] => (lat, lon, accuracy, false),
        [lat, lon, accuracy, "mock"] => (lat, lon, accuracy, true),
        _ => return Err(ValueError::NotAFix),
    };
    let degrees = |text: &str| decimal(text, 7).ok().and_then(|number| i32::try_from(number).ok());
    Ok(Fix {
        lat: degrees(lat).ok_or(ValueError::NotAFix)?,
        lon: degrees(lon).ok_or(ValueError::NotAFix)?,
        accuracy: accuracy.parse().map_err(|_| ValueError::NotAFix)?,
        mock,
    })
}

fn on_earth(fix: &Fix) -> bool {
    fix.lat.unsigned_abs() <= 900_000_000 && fix.lon.unsigned_abs() <= 1_800_000_000
}

fn hex(text: &str) -> Result<Vec<u8>, ValueError> {
    if text.len() > HASH_BYTES_MAX * 2 {
        return Err(ValueError::NotAHash);
    }
    crate::hex::read(text).ok_or(ValueError::NotAHash)
}

#[cfg(test)]
mod tests;
