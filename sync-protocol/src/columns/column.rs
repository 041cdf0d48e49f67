//! One slot's values, row after row: numbers, texts and bytes, each in lists of their own.

use std::borrow::Cow;

use super::layout::{Atom, Slot};
use super::wire::{Reader, Streams, push_varint, take_varint, unzigzag, zigzag};
use super::{numbers, texts};

/// Columns: what a slot's atoms come to, row after row. An atom uses some of the lists, in this order.
#[derive(Debug, Default)]
pub(crate) struct Column<'a> {
    /// Which row each value belongs to.
    pub(crate) rows: Vec<usize>,
    /// Up to five lists of numbers.
    numbers: [Vec<i64>; 5],
    texts: Vec<Cow<'a, [u8]>>,
    bytes: Vec<&'a [u8]>,
}

/// What stood before in the same row, and may tell of what comes.
pub(crate) struct Before<'b, 'a> {
    numbers: Option<&'b Column<'a>>,
    texts: Option<&'b Column<'a>>,
}

impl<'b, 'a> Before<'b, 'a> {
    /// Looks at the columns of the first slots: a number right before the next one, the last text.
    pub(crate) fn of(slots: &[Slot], columns: &'b [Column<'a>]) -> Self {
        let before = || slots.iter().zip(columns).take(columns.len());
        let numbers = before().next_back().filter(|(slot, _)| slot.atom == Atom::Signed);
        let texts = before().rfind(|(slot, _)| slot.atom == Atom::Text);
        let filled = |found: Option<(&Slot, &'b Column<'a>)>| {
            found.map(|(_, column)| column).filter(|column| !column.rows.is_empty())
        };
        Self { numbers: filled(numbers), texts: filled(texts) }
    }

    /// Returns one number for each of `rows`; none where none stood before.
    fn numbers(&self, rows: &[usize]) -> Vec<i64> {
        let Some(column) = self.numbers else {
            return Vec::new();
        };
        let [numbers, ..] = &column.numbers;
        let number = |place: Option<usize>| place.and_then(|place| numbers.get(place)).copied().unwrap_or(0);
        column.places(rows).map(number).collect()
    }

    /// Returns one text for each of `rows`; none where none stood before.
    fn texts(&self, rows: &[usize]) -> Vec<&'b [u8]> {
        let Some(column) = self.texts else {
            return Vec::new();
        };
        let text = |place: Option<usize>| place.and_then(|place| column.texts.get(place)).map(AsRef::as_ref);
        column.places(rows).map(|place| text(place).unwrap_or_default()).collect()
    }
}

/// How far a column was turned into payloads again.
#[derive(Default)]
pub(crate) struct Place {
    numbers: [usize; 5],
    text: usize,
    bytes: usize,
}

impl<'a> Column<'a> {
    /// Takes a value off the front of `rest`; its row is in `rows` already.
    pub(crate) fn add(&mut self, atom: Atom, rest: &mut &'a [u8]) -> Option<()> {
        let [a, b, c, d, _] = &mut self.numbers;
        match atom {
            Atom::Signed => a.push(unzigzag(take_varint(rest)?)),
            Atom::Number => a.push(take_varint(rest)?.cast_signed()),
            Atom::Byte => a.push(take_byte(rest)?.into()),
            Atom::Text => self.texts.push(take_text(rest)?),
            Atom::Bytes => {
                let bytes = take_bytes(rest)?;
                a.push(i64::try_from(bytes.len()).ok()?);
                self.bytes.push(bytes);
            }
            Atom::Half => {
                let (bytes, left) = rest.split_at_checked(16)?;
                *rest = left;
                self.bytes.push(bytes);
            }
            Atom::Id => {
                for list in [b, c, d] {
                    list.push(take_varint(rest)?.cast_signed());
                }
            }
            Atom::Target => {
                let variant = take_byte(rest)?;
                a.push(variant.into());
                match variant {
                    0 => self.texts.push(take_text(rest)?),
                    1 => {
                        for list in [b, c, d] {
                            list.push(take_varint(rest)?.cast_signed());
                        }
                    }
                    _ => return None,
                }
            }
            Atom::Meter => {
                a.push(unzigzag(take_varint(rest)?));
                b.push(take_byte(rest)?.into());
                self.texts.push(take_text(rest)?);
            }
            Atom::Fix => {
                a.push(unzigzag(take_varint(rest)?));
                b.push(unzigzag(take_varint(rest)?));
                c.push(take_varint(rest)?.cast_signed());
                d.push(take_byte(rest)?.into());
            }
        }
        Some(())
    }

    /// Returns where in this column each of `rows` stands; both rise.
    fn places(&self, rows: &[usize]) -> impl Iterator<Item = Option<usize>> {
        let mut own = self.rows.iter().enumerate().peekable();
        rows.iter().map(move |row| {
            while own.next_if(|(_, at)| *at < row).is_some() {}
            own.next_if(|(_, at)| *at == row).map(|(place, _)| place)
        })
    }

    /// Appends the column.
    pub(crate) fn write(&self, atom: Atom, before: &Before<'_, '_>, to: &mut Streams) {
        for (at, list) in self.numbers.iter().enumerate() {
            let beside = atom == Atom::Signed && at == 0 && !list.is_empty();
            let beside = if beside { before.numbers(&self.rows) } else { Vec::new() };
            numbers::push(list, &beside, to);
        }
        let texts: Vec<&[u8]> = self.texts.iter().map(AsRef::as_ref).collect();
        let told = || {
            if atom == Atom::Text { before.texts(&self.rows) } else { Vec::new() }
        };
        texts::push(&texts, told, to);
        self.bytes.iter().for_each(|bytes| to.raw.extend_from_slice(bytes));
    }

    /// Reads the column of these rows.
    pub(crate) fn take(
        atom: Atom,
        rows: Vec<usize>,
        before: &Before<'_, '_>,
        from: &mut Reader<'a>,
    ) -> Option<Self> {
        let n = rows.len();
        let mut column = Self { rows, ..Self::default() };
        let beside = if atom == Atom::Signed { before.numbers(&column.rows) } else { Vec::new() };
        let [a, b, c, d, _] = &mut column.numbers;
        let (mut n_texts, mut n_ids) = (0, 0);
        match atom {
            Atom::Signed => *a = numbers::take(n, &beside, from)?,
            Atom::Number | Atom::Byte | Atom::Bytes => *a = numbers::take(n, &[], from)?,
            Atom::Target => {
                *a = numbers::take(n, &[], from)?;
                n_texts = a.iter().filter(|variant| **variant == 0).count();
                n_ids = n - n_texts;
            }
            Atom::Id => n_ids = n,
            Atom::Text => n_texts = n,
            Atom::Half => {}
            Atom::Meter => {
                (*a, *b) = (numbers::take(n, &[], from)?, numbers::take(n, &[], from)?);
                n_texts = n;
            }
            Atom::Fix => {
                (*a, *b) = (numbers::take(n, &[], from)?, numbers::take(n, &[], from)?);
                (*c, *d) = (numbers::take(n, &[], from)?, numbers::take(n, &[], from)?);
            }
        }
        if n_ids > 0 {
            (*b, *c) = (numbers::take(n_ids, &[], from)?, numbers::take(n_ids, &[], from)?);
            *d = numbers::take(n_ids, &[], from)?;
        }
        let lens = match atom {
            Atom::Bytes => a.iter().map(|len| usize::try_from(*len).ok()).collect::<Option<Vec<_>>>()?,
            Atom::Half => vec![16; n],
            _ => Vec::new(),
        };
        let told = || {
            if atom == Atom::Text { before.texts(&column.rows) } else { Vec::new() }
        };
        column.texts = texts::take(n_texts, told, from)?;
        column.bytes = lens.into_iter().map(|len| from.raw(len)).collect::<Option<_>>()?;
        Some(column)
    }

    /// Appends the next value's payload bytes.
    pub(crate) fn put(&self, atom: Atom, place: &mut Place, out: &mut Vec<u8>) -> Option<()> {
        let mut number = |list: usize| {
            let at = place.numbers.get_mut(list)?;
            *at += 1;
            self.numbers.get(list)?.get(*at - 1).copied()
        };
        match atom {
            Atom::Signed => push_varint(zigzag(number(0)?), out),
            Atom::Number => push_varint(number(0)?.cast_unsigned(), out),
            Atom::Byte => out.push(u8::try_from(number(0)?).ok()?),
            Atom::Text => self.put_text(place, out)?,
            Atom::Bytes => {
                push_varint(number(0)?.cast_unsigned(), out);
                self.put_bytes(place, out)?;
            }
            Atom::Half => self.put_bytes(place, out)?,
            Atom::Id => {
                for list in 1..4 {
                    push_varint(number(list)?.cast_unsigned(), out);
                }
            }
            Atom::Target => {
                let variant = u8::try_from(number(0)?).ok()?;
                out.push(variant);
                if variant == 0 {
                    self.put_text(place, out)?;
                } else {
                    for list in 1..4 {
                        push_varint(number(list)?.cast_unsigned(), out);
                    }
                }
            }
            Atom::Meter => {
                push_varint(zigzag(number(0)?), out);
                out.push(u8::try_from(number(1)?).ok()?);
                self.put_text(place, out)?;
            }
            Atom::Fix => {
                push_varint(zigzag(number(0)?), out);
                push_varint(zigzag(number(1)?), out);
                push_varint(number(2)?.cast_unsigned(), out);
                out.push(u8::try_from(number(3)?).ok()?);
            }
        }
        Some(())
    }

    fn put_text(&self, place: &mut Place, out: &mut Vec<u8>) -> Option<()> {
        let text = self.texts.get(place.text)?;
        place.text += 1;
        push_varint(u64::try_from(text.len()).ok()?, out);
        out.extend_from_slice(text);
        Some(())
    }

    fn put_bytes(&self, place: &mut Place, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(self.bytes.get(place.bytes)?);
        place.bytes += 1;
        Some(())
    }
}

/// Takes one byte off the front.
pub(crate) fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (byte, left) = rest.split_first()?;
    *rest = left;
    Some(*byte)
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take_varint(rest)?).ok()?;
    let (bytes, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(bytes)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let text = take_bytes(rest)?;
    std::str::from_utf8(text).ok().map(|text| Cow::Borrowed(text.as_bytes()))
}
