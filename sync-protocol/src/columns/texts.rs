//! A column of texts: as they are, as numbers behind a common beginning, or as places in a table.
//!
//! ```text
//! mode   u8: 0 the texts; 1 codes; 2 a table; 3 a table, and place 0 says: what stood beside this neighbour last time
//! 0      each text and an end mark, in the text stream
//! 1      the beginning (text stream), u8 digits of each (0: as many as the number has), the column of numbers
//! 2, 3   how many, the distinct texts in order (text stream), the column of places
//! ```

use super::numbers;
use super::wire::{Reader, Streams, all, push_varint};
use crate::limits::SEGMENT_ROW_BYTES_MAX;

/// Ends a text: no byte of UTF-8.
pub(crate) const END: u8 = 0xFF;

const AS_THEY_ARE: u8 = 0;
const CODES: u8 = 1;
const TABLE: u8 = 2;
const BESIDE: u8 = 3;

/// The texts of a column.
#[derive(Debug)]
pub(crate) enum Texts<'a> {
    /// As they are.
    Spelt(Vec<&'a [u8]>),
    /// As they were read.
    Codes(Codes<'a>),
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self::Spelt(Vec::new())
    }
}

impl<'a> Texts<'a> {
    /// Adds a text, to those as they are.
    pub(crate) fn add(&mut self, text: &'a [u8]) {
        if let Self::Spelt(texts) = self {
            texts.push(text);
        }
    }

    /// Appends a column; `beside` gives the class of one neighbour for each text, or none.
    pub(crate) fn write(&self, beside: impl FnOnce() -> Vec<usize>, to: &mut Streams) {
        let Self::Spelt(texts) = self else { return };
        if texts.is_empty() {
            return;
        }
        let Sorted { table, places } = Sorted::of(texts.iter().map(|text| Keyed::of(text)));
        if table.len() > 1
            && table.len() * 8 > texts.len()
            && let Some(codes) = Codes::of(texts)
        {
            to.numbers.push(CODES);
            codes.write(to);
        } else if texts.len() * 2 > table.len() * 3 {
            let number = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
            let places: Vec<i64> = places.into_iter().map(number).collect();
            let guessed = guessed(&places, &beside());
            let hits = guessed.iter().filter(|place| **place == 0).count();
            let beside = hits * 4 > places.len() && table.len() > 1;
            to.numbers.push(if beside { BESIDE } else { TABLE });
            push_varint(u64::try_from(table.len()).unwrap_or(u64::MAX), &mut to.numbers);
            table.iter().for_each(|Keyed { text, .. }| push_text(text, to));
            numbers::push(if beside { &guessed } else { &places }, to);
        } else {
            to.numbers.push(AS_THEY_ARE);
            texts.iter().for_each(|text| push_text(text, to));
        }
    }

    /// Reads a column of `n` texts, with `beside` as it was written.
    pub(crate) fn take(n: usize, beside: impl FnOnce() -> Vec<usize>, from: &mut Reader<'a>) -> Option<Self> {
        if n == 0 {
            return Some(Self::default());
        }
        match *from.bytes(1)? {
            [AS_THEY_ARE] => all((0..n).map(|_| from.text())).map(Self::Spelt),
            [CODES] => Codes::take(n, from).map(Self::Codes),
            [mode @ (TABLE | BESIDE)] => {
                let len = usize::try_from(from.number()?).ok().filter(|len| *len <= n)?;
                let table = all((0..len).map(|_| from.text()))?;
                let places = numbers::take(n, from)?;
                let texts = if mode == BESIDE {
                    look_beside(&table, &places, &beside())
                } else {
                    look_up(&table, &places)
                };
                texts.map(Self::Spelt)
            }
            _ => None,
        }
    }

    /// Returns a number for each of the texts at `places`, the same one for equal texts; nowhere stands an empty one.
    pub(crate) fn classes(&self, places: impl Iterator<Item = Option<usize>>) -> Vec<usize> {
        match self {
            Self::Spelt(texts) => {
                let text = |place: usize| texts.get(place).filter(|text| !text.is_empty());
                let keyed = |place: Option<usize>| place.and_then(text).map(|text| Keyed::of(text));
                Sorted::of(places.map(keyed)).places
            }
            Self::Codes(codes) => {
                let value = |place: Option<usize>| place.and_then(|place| codes.values.get(place));
                Sorted::of(places.map(value)).places
            }
        }
    }

    /// Appends the text at that place behind its length.
    pub(crate) fn put(&self, place: usize, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Spelt(texts) => {
                let text = texts.get(place)?;
                push_varint(u64::try_from(text.len()).ok()?, out);
                out.extend_from_slice(text);
                Some(())
            }
            Self::Codes(codes) => codes.put(place, out),
        }
    }
}

/// The distinct ones of some things in order, and the place of each among them.
struct Sorted<T> {
    table: Vec<T>,
    places: Vec<usize>,
}

impl<T: Ord + Copy> Sorted<T> {
    fn of(things: impl Iterator<Item = T>) -> Self {
        let mut sorted: Vec<(T, usize)> = things.zip(0..).collect();
        sorted.sort_unstable_by_key(|(thing, _)| *thing);
        let mut table = Vec::new();
        let mut places = vec![0; sorted.len()];
        for (thing, at) in sorted {
            if table.last() != Some(&thing) {
                table.push(thing);
            }
            places.get_mut(at).into_iter().for_each(|place| *place = table.len() - 1);
        }
        Self { table, places }
    }
}

/// A text behind its first bytes as a number: most texts differ there, and numbers are soon compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Keyed<'a> {
    head: u64,
    text: &'a [u8],
}

impl<'a> Keyed<'a> {
    fn of(text: &'a [u8]) -> Self {
        let mut head = [0; 8];
        head.iter_mut().zip(text).for_each(|(head, byte)| *head = *byte);
        Self { head: u64::from_be_bytes(head), text }
    }
}

fn look_up<'a>(table: &[&'a [u8]], places: &[i64]) -> Option<Vec<&'a [u8]>> {
    all(places.iter().map(|place| table.get(usize::try_from(*place).ok()?).copied()))
}

fn look_beside<'a>(table: &[&'a [u8]], places: &[i64], beside: &[usize]) -> Option<Vec<&'a [u8]>> {
    let mut last = vec![None; places.len()];
    let mut out = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        let last = last.get_mut(beside.get(at).copied().unwrap_or_default())?;
        let place = if *place == 0 { (*last)? } else { usize::try_from(place.checked_sub(1)?).ok()? };
        *last = Some(place);
        out.push(*table.get(place)?);
    }
    Some(out)
}

/// Returns 0 where the place is the one that the neighbour had last time, else the place and one.
fn guessed(places: &[i64], beside: &[usize]) -> Vec<i64> {
    let mut last = vec![None; places.len()];
    let place = |(at, place): (usize, &i64)| {
        let last = last.get_mut(beside.get(at).copied().unwrap_or_default());
        let before = last.and_then(|last| last.replace(*place));
        if before == Some(*place) { 0 } else { place.saturating_add(1) }
    };
    places.iter().enumerate().map(place).collect()
}

fn push_text(text: &[u8], to: &mut Streams) {
    to.texts.extend_from_slice(text);
    to.texts.push(END);
}

/// Texts like `C687664`, `T006`: a common beginning and a number.
#[derive(Debug)]
pub(crate) struct Codes<'a> {
    beginning: &'a [u8],
    digits: usize,
    values: Vec<i64>,
}

/// A number of that many digits fits an i64.
const DIGITS_MAX: usize = 18;

impl<'a> Codes<'a> {
    fn of(texts: &[&'a [u8]]) -> Option<Self> {
        let first = *texts.first()?;
        let start = first.len() - first.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let beginning = first.get(..start)?;
        let tails = all(texts.iter().map(|text| text.strip_prefix(beginning)))?;
        let digits = tails.first()?.len();
        let same = tails.iter().all(|tail| tail.len() == digits);
        let digits = if same { digits } else { 0 };
        let value = |tail: &&[u8]| {
            let plain = (1..=DIGITS_MAX).contains(&tail.len()) && tail.iter().all(u8::is_ascii_digit);
            let spelt = same || tail.len() == 1 || tail.first() != Some(&b'0');
            (plain && spelt)
                .then(|| tail.iter().fold(0_i64, |value, byte| value * 10 + i64::from(byte - b'0')))
        };
        let values = all(tails.iter().map(value))?;
        Some(Self { beginning, digits, values })
    }

    fn write(&self, to: &mut Streams) {
        push_text(self.beginning, to);
        to.numbers.push(self.digits.to_le_bytes()[0]);
        numbers::push(&self.values, to);
    }

    fn take(n: usize, from: &mut Reader<'a>) -> Option<Self> {
        let beginning = from.text()?;
        let [digits] = *from.bytes(1)? else { return None };
        let digits = usize::from(digits);
        // Each text will stand in a row, beginning and all.
        let short = beginning.len().checked_mul(n).is_some_and(|bytes| bytes <= SEGMENT_ROW_BYTES_MAX);
        if digits > DIGITS_MAX || !short {
            return None;
        }
        let values = numbers::take(n, from)?;
        values.iter().all(|value| *value >= 0).then_some(Self { beginning, digits, values })
    }

    /// Appends the beginning and the number in at least that many digits, behind the length of both.
    fn put(&self, place: usize, out: &mut Vec<u8>) -> Option<()> {
        let mut left = u64::try_from(*self.values.get(place)?).ok()?;
        let n = left.checked_ilog10().and_then(|log| usize::try_from(log).ok()).unwrap_or(0) + 1;
        let len = self.beginning.len() + n.max(self.digits);
        push_varint(u64::try_from(len).ok()?, out);
        let end = out.len() + len;
        out.extend_from_slice(self.beginning);
        out.resize(end, b'0');
        for digit in out.iter_mut().rev().take(n) {
            *digit = b'0' + u8::try_from(left % 10).ok()?;
            left /= 10;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_sorted_as_their_bytes_are(texts in prop::collection::vec("[\u{0}ab客]{0,12}", 1..40)) {
            let texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
            let Sorted { table, places } = Sorted::of(texts.iter().map(|text| Keyed::of(text)));
            let table: Vec<&[u8]> = table.into_iter().map(|Keyed { text, .. }| text).collect();
            let mut expected = texts.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(&table, &expected);
            prop_assert!(places.iter().map(|place| table[*place]).eq(texts));
        }
    }
}
