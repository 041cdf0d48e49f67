//! The plain form of a value as text: what exports write, `--set` takes and an import without a mapping reads.

use unicode_normalization::UnicodeNormalization;

use crate::money::Fen;
use crate::table::decimal::{Scale, fixed, parts};
use crate::table::refusal::Reason;
use crate::time::{Day, Ts, Zone};
use crate::value::{Choices, Fix, MeterValue, Target, Type, Value};

/// Typed text in place of a reference has so many characters at most, as a title.
pub const REF_CHARS_MAX: u16 = 120;

/// A unit has so many characters at most.
const UNIT_CHARS_MAX: u16 = 20;

/// Returns the plain form of a value.
///
/// Money `35.00`, days `2026-11-22`, instants RFC 3339 in `zone`, quantities `1.5`, choices by identifier, references by
/// id or as typed, meter values `12.40 kWh`, positions `30.1874000,120.2136900,15` (degrees and metres), hashes in
/// hexadecimal digits.
#[must_use]
pub fn write(ty: Type, value: &Value, zone: Zone) -> String {
    match (value, ty) {
        (Value::Text(text), _) => text.clone(),
        (Value::Int(fen), Type::Fen) => Fen(*fen).to_string(),
        (Value::Int(ms), Type::Ts) => Ts(*ms).rfc3339(zone),
        (Value::Int(day), Type::Day) => {
            i32::try_from(*day).map_or_else(|_| day.to_string(), |d| Day(d).to_string())
        }
        (Value::Int(qty), Type::Qty) => decimal(*qty, 3, true),
        (Value::Int(int), _) => int.to_string(),
        (Value::Bool(yes), _) => yes.to_string(),
        (Value::Choice(index), Type::Choice(list)) => choice(list, *index),
        (Value::Choice(index), _) => format!("#{index}"),
        (Value::Ref(Target::Text(text)), _) => text.clone(),
        (Value::Ref(Target::Doc(doc)), _) => doc.to_string(),
        (Value::Meter(meter), _) => {
            let number = decimal(meter.mantissa, meter.decimals, false);
            if meter.unit.is_empty() {
                number
            } else {
                format!("{number} {}", meter.unit)
            }
        }
        (Value::Fix(fix), _) => {
            let (lat, lon) = (
                decimal(i64::from(fix.lat), 7, false),
                decimal(i64::from(fix.lon), 7, false),
            );
            let mock = if fix.mock { ",mock" } else { "" };
            format!("{lat},{lon},{}{mock}", fix.accuracy)
        }
        (Value::File(bytes), _) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Reads the plain form; the empty text is no value and is not asked here.
///
/// Choices are also taken by their labels, instants and days as [`Ts::parse`] and [`Day`] read them.
///
/// # Errors
/// [`Reason`], with what the type allows.
pub fn read(ty: Type, text: &str, zone: Zone) -> Result<Value, Reason> {
    Ok(match ty {
        Type::Text(max) => Value::Text(clean(text, max)?),
        Type::Fen => Value::Int(text.parse::<Fen>()?.0),
        Type::Ts => Value::Int(Ts::parse(text, zone).map_err(|_| Reason::NotADate)?.0),
        Type::Day => Value::Int(i64::from(text.parse::<Day>().map_err(|_| Reason::NotADate)?.0)),
        Type::Min | Type::Count | Type::Metre => Value::Int(count(fixed(text, 0, Scale::NONE)?)?),
        Type::Qty => Value::Int(fixed(text, 3, Scale::NONE)?),
        Type::Bool => Value::Bool(yes_or_no(text)?),
        Type::Choice(list) => Value::Choice(option(list, text)?),
        Type::Ref(_) => Value::Ref(match text.parse() {
            Ok(doc) => Target::Doc(doc),
            Err(_) => Target::Text(clean(text, REF_CHARS_MAX)?),
        }),
        Type::Meter => Value::Meter(meter(text)?),
        Type::Fix => Value::Fix(fix(text)?),
        Type::File | Type::Digest => Value::File(hash(text)?),
    })
}

/// Whether a spreadsheet would take a text for a formula: also behind the signs that exports put before one.
#[must_use]
pub fn formula(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    let starts = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    starts && (parts(text).is_err() || text.starts_with('+'))
}

/// Keeps 0 to 2^32 - 1.
pub(crate) fn count(int: i64) -> Result<i64, Reason> {
    u32::try_from(int).map(i64::from).map_err(|_| Reason::OutOfRange)
}

/// Composes the text, makes every line end one `\n`, and holds it to `max` characters.
pub(crate) fn clean(text: &str, max: u16) -> Result<String, Reason> {
    let text = composed(text)?;
    let found = text.chars().count();
    if found > usize::from(max) {
        Err(Reason::TooLong { max, found })
    } else {
        Ok(text)
    }
}

/// As [`clean`], but a longer text loses its end.
pub(crate) fn shortened(text: &str, max: u16) -> Result<String, Reason> {
    let text = composed(text)?;
    if text.chars().count() <= usize::from(max) {
        return Ok(text);
    }
    Ok(text
        .chars()
        .take(usize::from(max.saturating_sub(1)))
        .chain(['…'])
        .collect())
}

fn composed(text: &str) -> Result<String, Reason> {
    let text: String = text.replace("\r\n", "\n").replace('\r', "\n").nfc().collect();
    let control = text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if control { Err(Reason::Control) } else { Ok(text) }
}

fn decimal(mantissa: i64, decimals: u8, short: bool) -> String {
    let sign = if mantissa < 0 { "-" } else { "" };
    let digits = format!(
        "{:0>width$}",
        mantissa.unsigned_abs(),
        width = usize::from(decimals) + 1
    );
    let (whole, fine) = digits.split_at(digits.len() - usize::from(decimals));
    let fine = if short { fine.trim_end_matches('0') } else { fine };
    if fine.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fine}")
    }
}

fn choice(list: &Choices, index: u8) -> String {
    list.options
        .get(usize::from(index))
        .map_or_else(|| format!("#{index}"), |(word, _, _)| (*word).to_owned())
}

pub(crate) fn option(list: &'static Choices, text: &str) -> Result<u8, Reason> {
    let named = list.options.iter().position(|(word, zh, en)| {
        *word == text || *zh == text || en.eq_ignore_ascii_case(text) || word.eq_ignore_ascii_case(text)
    });
    named
        .or_else(|| {
            text.strip_prefix('#')?
                .parse()
                .ok()
                .filter(|index| *index >= list.options.len())
        })
        .and_then(|index| u8::try_from(index).ok())
        .ok_or(Reason::UnknownWord { list: list.name })
}

fn yes_or_no(text: &str) -> Result<bool, Reason> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "是" => Ok(true),
        "false" | "no" | "n" | "0" | "否" => Ok(false),
        _ => Err(Reason::UnknownWord { list: "bool" }),
    }
}

/// Reads `12.40 kWh`.
fn meter(text: &str) -> Result<MeterValue, Reason> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let (mantissa, decimals) = parts(number)?;
    Ok(MeterValue {
        mantissa,
        decimals,
        unit: clean(unit.trim(), UNIT_CHARS_MAX)?,
    })
}

/// Reads `lat,lon[,accuracy[,mock]]`.
pub(crate) fn fix(text: &str) -> Result<Fix, Reason> {
    let mut parts = text.split(',').map(str::trim);
    let mut degrees = |limit: i64| {
        let part = parts.next().ok_or(Reason::NotAPlace)?;
        let at = fixed(
            part,
            7,
            Scale {
                round: true,
                ..Scale::NONE
            },
        )
        .map_err(|_| Reason::NotAPlace)?;
        i32::try_from(at)
            .ok()
            .filter(|at| i64::from(*at).abs() <= limit * 10_000_000)
            .ok_or(Reason::NotAPlace)
    };
    let (lat, lon) = (degrees(90)?, degrees(180)?);
    let accuracy = parts
        .next()
        .unwrap_or("0")
        .parse()
        .map_err(|_| Reason::NotAPlace)?;
    let mock = match (parts.next(), parts.next()) {
        (None, _) => false,
        (Some("mock"), None) => true,
        _ => return Err(Reason::NotAPlace),
    };
    Ok(Fix {
        lat,
        lon,
        accuracy,
        mock,
    })
}

fn hash(text: &str) -> Result<Vec<u8>, Reason> {
    let digits = text.as_bytes();
    if digits.is_empty() || digits.len() > 64 || !digits.len().is_multiple_of(2) {
        return Err(Reason::NotHex);
    }
    let nibble = |digit: &u8| char::from(*digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |pair: &[u8]| Some(nibble(pair.first()?)? << 4 | nibble(pair.get(1)?)?);
    digits
        .chunks(2)
        .map(byte)
        .collect::<Option<_>>()
        .ok_or(Reason::NotHex)
}
