//! The three streams of coding 1: numbers and tables, texts, and bytes that nothing makes shorter.
//!
//! They stand one behind the other, so that what compresses alike lies together.

use crate::canonical;

/// Streams in the making.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// Headers, counts, masks, number planes.
    pub(crate) numbers: Vec<u8>,
    /// Texts, each behind the other with an end mark.
    pub(crate) texts: Vec<u8>,
    /// Hashes and number planes that look random.
    pub(crate) raw: Vec<u8>,
}

impl Streams {
    /// Returns the streams behind `coding` and the lengths of the first two.
    pub(crate) fn joined(&self, coding: u8) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.numbers.len() + self.texts.len() + self.raw.len() + 8);
        out.push(coding);
        canonical::push_len(self.numbers.len(), &mut out);
        canonical::push_len(self.texts.len(), &mut out);
        out.extend_from_slice(&self.numbers);
        out.extend_from_slice(&self.texts);
        out.extend_from_slice(&self.raw);
        out
    }
}

/// Streams being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) numbers: &'a [u8],
    pub(crate) texts: &'a [u8],
    pub(crate) raw: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads what [`Streams::joined`] wrote behind the coding.
    pub(crate) fn of(mut bytes: &'a [u8]) -> Option<Self> {
        let numbers = canonical::take_len(&mut bytes)?;
        let texts = canonical::take_len(&mut bytes)?;
        let (numbers, rest) = bytes.split_at_checked(numbers)?;
        let (texts, raw) = rest.split_at_checked(texts)?;
        Some(Self { numbers, texts, raw })
    }

    /// Returns whether everything was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.texts.is_empty() && self.raw.is_empty()
    }

    /// Takes a number off the number stream.
    pub(crate) fn number(&mut self) -> Option<u64> {
        take_varint(&mut self.numbers)
    }

    /// Takes bytes off the number stream.
    pub(crate) fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.numbers.split_at_checked(n)?;
        self.numbers = rest;
        Some(bytes)
    }

    /// Takes bytes off the raw stream.
    pub(crate) fn raw(&mut self, n: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.raw.split_at_checked(n)?;
        self.raw = rest;
        Some(bytes)
    }

    /// Takes a text up to its end mark.
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.texts.iter().position(|byte| *byte == super::texts::END)?;
        let (text, rest) = self.texts.split_at_checked(end)?;
        self.texts = rest.get(1..)?;
        Some(text)
    }
}

/// Returns all items, or none where one is missing; room for all of them is taken at once.
pub(crate) fn all<T>(items: impl ExactSizeIterator<Item = Option<T>>) -> Option<Vec<T>> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        out.push(item?);
    }
    Some(out)
}

/// Appends a number as postcard writes it: seven bits a byte, the lowest first.
pub(crate) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Takes a number in its shortest spelling.
pub(crate) fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for at in 0..10_u32 {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        value |= bits << (at * 7);
        if byte & 0x80 == 0 {
            return (*byte != 0 || at == 0).then_some(value);
        }
    }
    None
}

/// Returns the signed number that postcard spells as this unsigned one.
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Returns the unsigned number that postcard spells this signed one as.
pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}
