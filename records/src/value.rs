//! What a field may hold, and its frozen bytes: postcard of the same typed struct.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::id::DocId;
use crate::money::Fen;
use crate::schema::Field;
use crate::time::{Day, Ts};

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
    ($(#[$doc:meta])* $name:ident $id:literal { $($konst:ident = $index:literal $word:literal $zh:literal $en:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u8);

        impl $name {
            $(#[doc = $en] pub const $konst: Self = Self($index);)+
            /// The list.
            pub const CHOICES: $crate::value::Choices =
                $crate::value::Choices { name: $id, options: &[$(($word, $zh, $en)),+] };
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
    /// Another spelling of the same values exists, so a re-encoding would change the hash.
    #[error("bytes are not in the canonical form")]
    NotCanonical,
}

/// Returns the bytes of one row of `fields`: postcard of a struct of `Option`s in the table's order.
///
/// `values` stands in the same order; a missing tail counts as `None`.
#[must_use]
pub fn encode(fields: &[Field], values: &[Option<Value>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        encode_one(field.ty, values.get(i).and_then(Option::as_ref), &mut out);
    }
    out
}

/// Reads one row of `fields` from the front of `bytes` and returns the rest.
///
/// # Errors
/// [`CodecError::Malformed`].
pub fn decode<'a>(fields: &[Field], bytes: &'a [u8]) -> Result<(Vec<Option<Value>>, &'a [u8]), CodecError> {
    let mut rest = bytes;
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        values.push(decode_one(field.ty, &mut rest)?);
    }
    Ok((values, rest))
}

fn take<'a, T: Deserialize<'a>>(rest: &mut &'a [u8]) -> Result<T, CodecError> {
    let (value, left) = postcard::take_from_bytes(rest).map_err(|_| CodecError::Malformed)?;
    *rest = left;
    Ok(value)
}

fn decode_one(ty: Type, rest: &mut &[u8]) -> Result<Option<Value>, CodecError> {
    match take::<u8>(rest)? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(CodecError::Malformed),
    }
    Ok(Some(match ty {
        Type::Text(_) => Value::Text(take(rest)?),
        Type::Fen | Type::Ts | Type::Qty => Value::Int(take(rest)?),
        Type::Day => Value::Int(i64::from(take::<i32>(rest)?)),
        Type::Min | Type::Count | Type::Metre => Value::Int(i64::from(take::<u32>(rest)?)),
        Type::Bool => Value::Bool(take(rest)?),
        Type::Choice(_) => Value::Choice(take(rest)?),
        Type::Ref(_) => Value::Ref(take(rest)?),
        Type::Meter => Value::Meter(take(rest)?),
        Type::Fix => Value::Fix(take(rest)?),
        Type::File | Type::Digest => Value::File(take::<Vec<u8>>(rest)?),
    }))
}

fn push<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    // Serialising plain data into a growing vector has no way to fail.
    if let Ok(bytes) = postcard::to_allocvec(value) {
        out.extend_from_slice(&bytes);
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
