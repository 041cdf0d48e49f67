//! A column of texts: as they are, as numbers behind a common beginning, or as places in a table.
//!
//! ```text
//! mode   u8: 0 the texts; 1 codes; 2 a table; 3 a table, and place 0 says: what stood beside this neighbour last time
//! 0      each text and an end mark, in the text stream
//! 1      the beginning (text stream), u8 digits of each (0: as many as the number has), the column of numbers
//! 2, 3   how many, the distinct texts in order (text stream), the column of places
//! ```

use std::borrow::Cow;

use super::numbers;
use super::wire::{Reader, Streams, push_varint};
use crate::limits::SEGMENT_ROW_BYTES_MAX;

/// Ends a text: no byte of UTF-8.
pub(crate) const END: u8 = 0xFF;

const AS_THEY_ARE: u8 = 0;
const CODES: u8 = 1;
const TABLE: u8 = 2;
const BESIDE: u8 = 3;

/// Appends a column; `beside` gives one neighbour for each text, or none.
pub(crate) fn push<'b>(texts: &[&[u8]], beside: impl FnOnce() -> Vec<&'b [u8]>, to: &mut Streams) {
    if texts.is_empty() {
        return;
    }
    let Sorted { table, places } = Sorted::of(texts);
    if table.len() > 1
        && table.len() * 8 > texts.len()
        && let Some(codes) = Codes::of(texts)
    {
        to.numbers.push(CODES);
        codes.write(to);
    } else if texts.len() * 2 > table.len() * 3 {
        let number = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        let places: Vec<i64> = places.into_iter().map(number).collect();
        let guessed = guessed(&places, &Sorted::of(&beside()).places);
        let hits = guessed.iter().filter(|place| **place == 0).count();
        let beside = hits * 4 > places.len() && table.len() > 1;
        to.numbers.push(if beside { BESIDE } else { TABLE });
        push_varint(u64::try_from(table.len()).unwrap_or(u64::MAX), &mut to.numbers);
        table.iter().for_each(|text| push_text(text, to));
        numbers::push(if beside { &guessed } else { &places }, &[], to);
    } else {
        to.numbers.push(AS_THEY_ARE);
        texts.iter().for_each(|text| push_text(text, to));
    }
}

/// The distinct ones of some texts in order, and the place of each among them.
struct Sorted<'a> {
    table: Vec<&'a [u8]>,
    places: Vec<usize>,
}

impl<'a> Sorted<'a> {
    fn of(texts: &[&'a [u8]]) -> Self {
        let keyed = |(at, text): (usize, &&'a [u8])| (Head::of(text), *text, at);
        let mut sorted: Vec<_> = texts.iter().enumerate().map(keyed).collect();
        sorted.sort_unstable();
        let mut table: Vec<&[u8]> = Vec::new();
        let mut places = vec![0; texts.len()];
        let mut last = None;
        for (head, text, at) in sorted {
            if last != Some((head, text)) {
                last = Some((head, text));
                table.push(text);
            }
            places.get_mut(at).into_iter().for_each(|place| *place = table.len() - 1);
        }
        Self { table, places }
    }
}

/// The first bytes of a text as a number: most texts differ there, and numbers are soon compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head(u64);

impl Head {
    fn of(text: &[u8]) -> Self {
        let mut head = [0; 8];
        head.iter_mut().zip(text).for_each(|(head, byte)| *head = *byte);
        Self(u64::from_be_bytes(head))
    }
}

/// Reads a column of `n` texts, with `beside` as it was written.
pub(crate) fn take<'a, 'b>(
    n: usize,
    beside: impl FnOnce() -> Vec<&'b [u8]>,
    from: &mut Reader<'a>,
) -> Option<Vec<Cow<'a, [u8]>>> {
    if n == 0 {
        return Some(Vec::new());
    }
    match *from.bytes(1)? {
        [AS_THEY_ARE] => (0..n).map(|_| from.text().map(Cow::Borrowed)).collect(),
        [CODES] => Codes::take(n, from),
        [mode @ (TABLE | BESIDE)] => {
            let len = usize::try_from(from.number()?).ok().filter(|len| *len <= n)?;
            let table: Vec<&[u8]> = (0..len).map(|_| from.text()).collect::<Option<_>>()?;
            let places = numbers::take(n, &[], from)?;
            if mode == BESIDE {
                look_beside(&table, &places, &Sorted::of(&beside()).places)
            } else {
                look_up(&table, &places)
            }
        }
        _ => None,
    }
}

fn look_up<'a>(table: &[&'a [u8]], places: &[i64]) -> Option<Vec<Cow<'a, [u8]>>> {
    let text = |place: &i64| table.get(usize::try_from(*place).ok()?).map(|text| Cow::Borrowed(*text));
    places.iter().map(text).collect()
}

/// `beside` has a number for each neighbour, the same one for equal neighbours.
fn look_beside<'a>(table: &[&'a [u8]], places: &[i64], beside: &[usize]) -> Option<Vec<Cow<'a, [u8]>>> {
    let mut last = vec![None; places.len()];
    let mut out = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        let last = last.get_mut(beside.get(at).copied().unwrap_or_default())?;
        let place = if *place == 0 { (*last)? } else { usize::try_from(place.checked_sub(1)?).ok()? };
        *last = Some(place);
        out.push(Cow::Borrowed(*table.get(place)?));
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
struct Codes<'a> {
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
        let tails: Vec<&[u8]> =
            texts.iter().map(|text| text.strip_prefix(beginning)).collect::<Option<_>>()?;
        let digits = tails.first()?.len();
        let same = tails.iter().all(|tail| tail.len() == digits);
        let digits = if same { digits } else { 0 };
        let value = |tail: &&[u8]| {
            let plain = (1..=DIGITS_MAX).contains(&tail.len()) && tail.iter().all(u8::is_ascii_digit);
            let spelt = same || tail.len() == 1 || tail.first() != Some(&b'0');
            (plain && spelt)
                .then(|| tail.iter().fold(0_i64, |value, byte| value * 10 + i64::from(byte - b'0')))
        };
        let values = tails.iter().map(value).collect::<Option<_>>()?;
        Some(Self { beginning, digits, values })
    }

    fn write(&self, to: &mut Streams) {
        push_text(self.beginning, to);
        to.numbers.push(self.digits.to_le_bytes()[0]);
        numbers::push(&self.values, &[], to);
    }

    fn take(n: usize, from: &mut Reader<'a>) -> Option<Vec<Cow<'a, [u8]>>> {
        let beginning = from.text()?;
        let [digits] = *from.bytes(1)? else { return None };
        let digits = usize::from(digits);
        // Each text will stand in a row, beginning and all.
        let short = beginning.len().checked_mul(n).is_some_and(|bytes| bytes <= SEGMENT_ROW_BYTES_MAX);
        if digits > DIGITS_MAX || !short {
            return None;
        }
        let values = numbers::take(n, &[], from)?;
        values.into_iter().map(|value| spell(beginning, digits, value).map(Cow::Owned)).collect()
    }
}

/// Returns the beginning and the number in at least that many digits.
fn spell(beginning: &[u8], digits: usize, value: i64) -> Option<Vec<u8>> {
    let mut left = u64::try_from(value).ok()?;
    let n = value.checked_ilog10().and_then(|log| usize::try_from(log).ok()).unwrap_or(0) + 1;
    let mut text = Vec::with_capacity(beginning.len() + n.max(digits));
    text.extend_from_slice(beginning);
    text.resize(beginning.len() + n.max(digits), b'0');
    for place in text.iter_mut().rev().take(n) {
        *place = b'0' + u8::try_from(left % 10).ok()?;
        left /= 10;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_sorted_as_their_bytes_are(texts in prop::collection::vec("[\u{0}ab客]{0,12}", 1..40)) {
            let texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
            let Sorted { table, places } = Sorted::of(&texts);
            let mut expected = texts.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(&table, &expected);
            prop_assert!(places.iter().map(|place| table[*place]).eq(texts));
        }
    }
}
