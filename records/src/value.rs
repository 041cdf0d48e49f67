//! What a field may hold, and its frozen bytes: postcard of the same typed struct.

pub mod json;
pub(crate) mod length;
pub mod payload;
pub mod text;
pub mod traditional;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::id::DocId;
use crate::money::Fen;
use crate::schema::Field;
use crate::time::{Day, Ts};

/// Entries of one list in one op.
///
/// Source: docs/PROTOCOL.md, Limits.
pub const LIST_MAX: usize = 256;

/// UTF-8 bytes of one string in an op.
///
/// Source: docs/PROTOCOL.md, Limits.
pub const STRING_BYTES_MAX: usize = 12 * 1024;

/// Bytes of a file's name by content: SHA-256.
pub const HASH_BYTES_MAX: usize = 32;

/// Text of at most `MAX` characters, NFC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MAX: u16>(pub String);

/// A reference: a document of kind `KIND`, or what was typed where the master data was not at hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ref<const KIND: u16>(pub Target);

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// Typed text, shown as "not in master data" until somebody links it.
    Text(String),
    /// A document.
    Doc(DocId),
}

impl<const KIND: u16> Ref<KIND> {
    /// Returns the document; `None` where it was typed.
    #[must_use]
    pub const fn doc(&self) -> Option<DocId> {
        match &self.0 {
            Target::Doc(id) => Some(*id),
            Target::Text(_) => None,
        }
    }
}

/// Minutes of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Min(pub u32);

/// A plain count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Count(pub u32);

/// A distance in metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Metre(pub u32);

/// A quantity in thousandths of the part's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Qty(pub i64);

/// A reading as it was read: `mantissa / 10^decimals`, and its unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct MeterValue {
    /// The digits.
    pub mantissa: i64,
    /// How many of them stand behind the point, at most 9.
    pub decimals: u8,
    /// kWh, °C, h; empty where none was given.
    pub unit: String,
}

impl MeterValue {
    /// Returns the value in 10^-9 of its unit, so that two values of one unit compare.
    #[must_use]
    pub fn scaled(&self) -> i128 {
        let missing = 9_u32.saturating_sub(self.decimals.into());
        i128::from(self.mantissa) * 10_i128.pow(missing)
    }
}

/// A position, WGS-84.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Fix {
    /// 1e-7 degrees north.
    pub lat: i32,
    /// 1e-7 degrees east.
    pub lon: i32,
    /// Metres.
    pub accuracy: u16,
    /// The platform said that the position was simulated.
    pub mock: bool,
}

/// A file by its content: SHA-256, or the bytes that an import gave, at most 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileHash(pub Vec<u8>);

/// A digest of records, not of a file: at most 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub Vec<u8>);

/// A closed list of named values; on the wire the index, one byte, and lists are only appended to.
#[derive(Debug, PartialEq, Eq)]
pub struct Choices {
    /// The list's name.
    pub name: &'static str,
    /// Identifier, zh-CN, en; the index is the value.
    pub options: &'static [(&'static str, &'static str, &'static str)],
}

impl Choices {
    /// Returns the index of an identifier.
    #[must_use]
    pub fn index(&self, word: &str) -> Option<u8> {
        u8::try_from(self.options.iter().position(|(name, ..)| *name == word)?).ok()
    }

    /// Returns identifier, zh-CN and English; `None` for one of a newer version.
    #[must_use]
    pub fn option(&self, index: u8) -> Option<(&'static str, &'static str, &'static str)> {
        self.options.get(usize::from(index)).copied()
    }
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text of at most so many characters.
    Text(u16),
    /// Money.
    Fen,
    /// An instant.
    Ts,
    /// A civil day.
    Day,
    /// Minutes.
    Min,
    /// A count.
    Count,
    /// Metres.
    Metre,
    /// Thousandths.
    Qty,
    /// Yes or no.
    Bool,
    /// One of a list.
    Choice(&'static Choices),
    /// A reference to a document of this kind number, or typed text.
    Ref(u16),
    /// A meter's value.
    Meter,
    /// A position.
    Fix,
    /// A file's hash.
    File,
    /// A digest that names no file.
    Digest,
}

/// One value, with its type known from the field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// [`Type::Text`].
    Text(String),
    /// [`Type::Fen`], [`Type::Ts`], [`Type::Day`], [`Type::Qty`]: signed; [`Type::Min`], [`Type::Count`], [`Type::Metre`]: 0 to 2^32 - 1.
    Int(i64),
    /// [`Type::Bool`].
    Bool(bool),
    /// [`Type::Choice`]: the index; one beyond the list comes from a newer version.
    Choice(u8),
    /// [`Type::Ref`].
    Ref(Target),
    /// [`Type::Meter`].
    Meter(MeterValue),
    /// [`Type::Fix`].
    Fix(Fix),
    /// [`Type::File`], [`Type::Digest`]: at most 32 bytes.
    File(Vec<u8>),
}

/// A Rust type that a field may have; gives the table its [`Type`].
pub trait FieldType: Serialize + DeserializeOwned {
    /// The type in the table.
    const TYPE: Type;
}

impl<const MAX: u16> FieldType for Text<MAX> {
    const TYPE: Type = Type::Text(MAX);
}
impl<const KIND: u16> FieldType for Ref<KIND> {
    const TYPE: Type = Type::Ref(KIND);
}

macro_rules! field_types {
    ($($rust:ty => $ty:ident),+ $(,)?) => { $(impl FieldType for $rust { const TYPE: Type = Type::$ty; })+ };
}
field_types! {
    Fen => Fen, Ts => Ts, Day => Day, Min => Min, Count => Count, Metre => Metre, Qty => Qty,
    bool => Bool, MeterValue => Meter, Fix => Fix, FileHash => File, Digest => Digest,
}

/// Declares a closed list: the type, its constants and its names.
#[macro_export]
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident $id:literal { $(
        $(#[cfg($when:meta)])? $konst:ident = $index:literal $word:literal $zh:literal $en:literal
    ),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u8);

        impl $name {
            $($(#[cfg($when)])? #[doc = $en] pub const $konst: Self = Self($index);)+
            /// The list.
            pub const CHOICES: $crate::value::Choices =
                $crate::value::Choices { name: $id, options: &[$($(#[cfg($when)])? ($word, $zh, $en)),+] };
        }

        impl $crate::value::FieldType for $name {
            const TYPE: $crate::value::Type = $crate::value::Type::Choice(&Self::CHOICES);
        }
    };
}

/// Why bytes are not the values of a group.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum CodecError {
    /// The bytes end too early, or do not fit the types.
    #[error("bytes do not fit the schema")]
    Malformed,
    /// Bytes are left over.
    #[error("{0} bytes left over")]
    LeftOver(usize),
    /// A list of more than [`LIST_MAX`] entries, or an empty one where something must stand.
    #[error("a list of {0} entries; 1 to {LIST_MAX} are taken")]
    Entries(usize),
    /// A string of more than [`STRING_BYTES_MAX`] bytes.
    #[error("a string of {0} bytes; at most {STRING_BYTES_MAX} are taken")]
    TooLong(usize),
    /// A group or class of a newer version, whose rows this build cannot read.
    #[error("the group's rows cannot be read by this version")]
    Unreadable,
    /// Another spelling of the same values exists, so a re-encoding would change the hash.
    #[error("bytes are not in the canonical form")]
    NotCanonical,
}

/// One row: a value or nothing for each field, in the table's order.
pub type Row = Vec<Option<Value>>;

/// Returns the bytes of one row of `fields`: postcard of a struct of `Option`s in the table's order.
///
/// `values` stands in the same order; a missing tail counts as `None`.
///
/// ```
/// use records::schema::Typed;
/// use records::value::{Text, Value, encode};
/// let typed = records::kinds::sheet::Problem { problem: Some(Text("漏水".into())) };
/// let row = [Some(Value::Text("漏水".into()))];
/// let fields = records::kinds::sheet::Problem::GROUP.fields;
/// assert_eq!(encode(fields, &row), postcard::to_allocvec(&typed)?);
/// # Ok::<(), postcard::Error>(())
/// ```
#[must_use]
pub fn encode(fields: &[Field], values: &[Option<Value>]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(fields, values, &mut out);
    out
}

fn encode_into(fields: &[Field], values: &[Option<Value>], out: &mut Vec<u8>) {
    for (i, field) in fields.iter().enumerate() {
        encode_one(field.ty, values.get(i).and_then(Option::as_ref), out);
    }
}

/// Reads one row of `fields` from the front of `bytes` and returns the rest.
///
/// # Errors
/// [`CodecError::Malformed`], [`CodecError::TooLong`].
pub fn decode<'a>(fields: &[Field], bytes: &'a [u8]) -> Result<(Row, &'a [u8]), CodecError> {
    let mut rest = bytes;
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        values.push(decode_one(field.ty, &mut rest)?);
    }
    Ok((values, rest))
}

/// Reads a whole payload of one row: nothing left over, and the only spelling of its values.
///
/// # Errors
/// [`CodecError`].
pub fn decode_exact(fields: &[Field], bytes: &[u8]) -> Result<Row, CodecError> {
    let (row, rest) = decode(fields, bytes)?;
    if !rest.is_empty() {
        return Err(CodecError::LeftOver(rest.len()));
    }
    if length::of_row(fields, &row) != bytes.len() {
        return Err(CodecError::NotCanonical);
    }
    Ok(row)
}

fn take<'a, T: Deserialize<'a>>(rest: &mut &'a [u8]) -> Result<T, CodecError> {
    let (value, left) = postcard::take_from_bytes(rest).map_err(|_| CodecError::Malformed)?;
    *rest = left;
    Ok(value)
}

fn string(text: &str) -> Result<String, CodecError> {
    match text.len() {
        0..=STRING_BYTES_MAX => Ok(text.to_owned()),
        long => Err(CodecError::TooLong(long)),
    }
}

/// [`Target`] and [`MeterValue`] as they lie in the bytes, so that lengths are judged before anything is copied.
#[derive(Deserialize)]
enum TargetBytes<'a> {
    Text(&'a str),
    Doc(DocId),
}

fn decode_one(ty: Type, rest: &mut &[u8]) -> Result<Option<Value>, CodecError> {
    match take::<u8>(rest)? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(CodecError::Malformed),
    }
    Ok(Some(match ty {
        Type::Text(_) => Value::Text(string(take(rest)?)?),
        Type::Fen | Type::Ts | Type::Qty => Value::Int(take(rest)?),
        Type::Day => Value::Int(i64::from(take::<i32>(rest)?)),
        Type::Min | Type::Count | Type::Metre => Value::Int(i64::from(take::<u32>(rest)?)),
        Type::Bool => Value::Bool(take(rest)?),
        Type::Choice(_) => Value::Choice(take(rest)?),
        Type::Ref(_) => Value::Ref(match take(rest)? {
            TargetBytes::Text(text) => Target::Text(string(text)?),
            TargetBytes::Doc(doc) => Target::Doc(doc),
        }),
        Type::Meter => {
            let (mantissa, decimals, unit) = take(rest)?;
            Value::Meter(MeterValue { mantissa, decimals, unit: string(unit)? })
        }
        Type::Fix => Value::Fix(take(rest)?),
        Type::File | Type::Digest => match take::<&[u8]>(rest)? {
            hash if hash.len() <= HASH_BYTES_MAX => Value::File(hash.to_vec()),
            long => return Err(CodecError::TooLong(long.len())),
        },
    }))
}

fn push<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Serialising plain data into a growing vector has no way to fail.
    if let Ok(longer) = postcard::to_extend(value, std::mem::take(out)) {
        *out = longer;
    }
}

fn encode_one(ty: Type, value: Option<&Value>, out: &mut Vec<u8>) {
    let Some(value) = value else {
        out.push(0);
        return;
    };
    out.push(1);
    match value {
        Value::Text(text) => push(out, text),
        Value::Int(int) => match (ty, u32::try_from(*int)) {
            (Type::Min | Type::Count | Type::Metre, Ok(count)) => push(out, &count),
            _ => push(out, int),
        },
        Value::Bool(bool) => push(out, bool),
        Value::Choice(index) => out.push(*index),
        Value::Ref(target) => push(out, target),
        Value::Meter(meter) => push(out, meter),
        Value::Fix(fix) => push(out, fix),
        Value::File(hash) => push(out, hash),
    }
}

#[cfg(test)]
pub(crate) mod tests;
