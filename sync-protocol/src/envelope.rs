//! A message behind its number, schema and length, so that one of a newer version can be stepped over.
//!
//! ```text
//! number  u8, the high bit means that a reader must understand it
//! schema  u8
//! length  varint
//! bytes   postcard of the struct of that number and schema
//! ```
//!
//! Source: docs/PROTOCOL.md, Messages.

use records::id::{Epoch, Replica};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::chain::Link;
use crate::cursor::Feed;
use crate::frame::MUST_UNDERSTAND;
use crate::limits::BODY_OPS_MAX;
use crate::message::{Certificate, Enrol, Hello, Item, Notice, PushAck};
use crate::ruling::Ruling;
use crate::segment::Segment;
use crate::sign::Signature;

/// A struct with a number on the wire.
pub trait Message: Serialize + DeserializeOwned {
    /// Its number.
    const NUMBER: u8;
    /// The version of the struct.
    const SCHEMA: u8 = 1;
    /// Whether it is one list, whose count is held against [`BODY_OPS_MAX`] before it is read.
    const IS_LIST: bool = false;
}

macro_rules! messages {
    ($($name:ty = $number:literal $(list=$list:literal)?),+ $(,)?) => {
        $(impl Message for $name {
            const NUMBER: u8 = $number;
            $(const IS_LIST: bool = $list;)?
        })+
    };
}
messages! {
    Hello = 0x81, Enrol = 0x82, Push = 0x83, PushAck = 0x84,
    Notices = 0x05 list=true, Certificate = 0x06, Page = 0x87 list=true, Rulings = 0x88 list=true, Moved = 0x89,
}

/// A short segment of the asker's own log, among his first words: whose log it is, his hello said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// Which epoch.
    pub epoch: Epoch,
    /// The first op's seq.
    pub first: u64,
    /// How many ops, 1 to 256.
    pub count: u32,
    /// The chain value after the last op.
    pub link: Link,
    /// As [`Segment::body`].
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// As [`Segment::signature`]: over the replica too.
    pub signature: Signature,
}

impl Push {
    /// Returns the segment of that replica.
    #[must_use]
    pub fn by(self, replica: Replica) -> Segment {
        let Self { epoch, first, count, link, body, signature } = self;
        Segment { replica, epoch, first, count, link, body, signature }
    }
}

impl From<&Segment> for Push {
    fn from(segment: &Segment) -> Self {
        let Segment { replica: _, epoch, first, count, link, body, signature } = segment;
        Self {
            epoch: *epoch,
            first: *first,
            count: *count,
            link: *link,
            body: body.clone(),
            signature: *signature,
        }
    }
}

/// The notices of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notices(pub Vec<Notice>);

/// What one answer brings from the feeds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Page(pub Vec<Item>);

/// The rulings of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rulings(pub Vec<Ruling>);

/// [`crate::message::PageEnd`] without the incarnation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moved {
    /// The feeds that moved, and where they are read up to.
    pub positions: Vec<(Feed, u64)>,
    /// Whether more is waiting.
    pub more: bool,
}

/// A message that is not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    /// Its number.
    pub number: u8,
    /// Its schema.
    pub schema: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// They end inside one.
    #[error("a message is cut short")]
    CutShort,
    /// The bytes are not the struct's only spelling.
    #[error("message {number:#04x} does not decode")]
    Malformed {
        /// Its number.
        number: u8,
    },
    /// A list beyond the limit.
    #[error("message {number:#04x} lists more than {BODY_OPS_MAX} things")]
    TooMany {
        /// Its number.
        number: u8,
    },
    /// This build must understand it and does not.
    #[error("message {number:#04x} of a newer version must be understood")]
    Newer {
        /// Its number.
        number: u8,
    },
}

/// Appends a message to `out`.
pub fn write<M: Message>(message: &M, out: &mut Vec<u8>) {
    write_as::<M>(message, out);
}

/// Appends a message whose one field is borrowed: a struct of one field has the field's bytes.
pub(crate) fn write_as<M: Message>(field: &impl Serialize, out: &mut Vec<u8>) {
    write_bytes(M::NUMBER, M::SCHEMA, &canonical::to_bytes(field), out);
}

/// Appends a message whose bytes are there already.
pub(crate) fn write_bytes(number: u8, schema: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[number, schema]);
    canonical::push_len(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Returns how long a message of `length` bytes is with what stands before it.
pub(crate) fn written_len(length: usize) -> usize {
    let mut before = Vec::new();
    canonical::push_len(length, &mut before);
    2 + before.len() + length
}

/// Splits a run of messages; none is read yet.
///
/// # Errors
/// [`MessageError::CutShort`].
pub fn split(mut rest: &[u8]) -> Result<Vec<Raw<'_>>, MessageError> {
    let mut out = Vec::new();
    while let Some((number, left)) = rest.split_first() {
        let (schema, left) = left.split_first().ok_or(MessageError::CutShort)?;
        rest = left;
        let bytes = canonical::take_bytes(&mut rest).ok_or(MessageError::CutShort)?;
        out.push(Raw { number: *number, schema: *schema, bytes });
    }
    Ok(out)
}

impl Raw<'_> {
    /// Returns whether this is an `M` of the schema that this build knows.
    #[must_use]
    pub fn is<M: Message>(&self) -> bool {
        (self.number, self.schema) == (M::NUMBER, M::SCHEMA)
    }

    /// Reads it as an `M`, with nothing left over.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn read<M: Message>(&self) -> Result<M, MessageError> {
        let number = self.number;
        let mut peek = self.bytes;
        if M::IS_LIST && canonical::take_len(&mut peek).is_some_and(|count| count > BODY_OPS_MAX) {
            return Err(MessageError::TooMany { number });
        }
        canonical::from_bytes(self.bytes).ok_or(MessageError::Malformed { number })
    }

    /// Steps over a message that this build does not know.
    ///
    /// # Errors
    /// [`MessageError::Newer`] where it must be understood.
    pub fn skip(&self) -> Result<(), MessageError> {
        let number = self.number;
        if number & MUST_UNDERSTAND == 0 { Ok(()) } else { Err(MessageError::Newer { number }) }
    }
}
