//! One slot's values, row after row: numbers, texts and bytes, each in lists of their own.

use super::layout::{Atom, Slot};
use super::numbers;
use super::texts::Texts;
use super::wire::{Reader, Streams, all, push_varint, take_varint, unzigzag, zigzag};

/// Columns: what a slot's atoms come to, row after row. An atom uses some of the lists, in this order.
#[derive(Debug, Default)]
pub(crate) struct Column<'a> {
    numbers: [Vec<i64>; 4],
    texts: Texts<'a>,
    bytes: Vec<&'a [u8]>,
}

/// What stood before in the same rows, and may tell of what comes.
pub(crate) struct Before<'b, 'a> {
    /// Of each row, which optional slots stand in it.
    pub(crate) masks: &'b [i64],
    /// All slots of a row.
    pub(crate) slots: &'b [Slot],
    /// The columns of the first ones.
    pub(crate) columns: &'b [Column<'a>],
}

impl<'a> Before<'_, 'a> {
    /// Returns one number for each row of the next column, from the column right before it; none where that has none.
    fn numbers(&self) -> Vec<i64> {
        if let Some((at, Column { numbers: [numbers, ..], .. })) = self.last(Atom::Signed)
            && at + 1 == self.columns.len()
            && !numbers.is_empty()
        {
            let number =
                |place: Option<usize>| place.and_then(|place| numbers.get(place)).copied().unwrap_or(0);
            return self.places(at).map(number).collect();
        }
        Vec::new()
    }

    /// Returns the class of one text for each row of the next column, from the last column of texts; none without one.
    fn texts(&self) -> Vec<usize> {
        let classes = |(at, column): (usize, &Column<'_>)| column.texts.classes(self.places(at));
        self.last(Atom::Text).map(classes).unwrap_or_default()
    }

    fn last(&self, atom: Atom) -> Option<(usize, &Column<'a>)> {
        let mut columns = self.columns.iter().enumerate();
        columns.rfind(|(at, _)| self.slots.get(*at).is_some_and(|slot| slot.atom == atom))
    }

    /// Returns where in the column at `before` each row of the next column stands.
    fn places(&self, before: usize) -> impl Iterator<Item = Option<usize>> {
        let stands = |at: usize, mask| self.slots.get(at).is_some_and(|slot| slot.stands(at, mask));
        let mut next = 0;
        self.masks.iter().filter_map(move |mask| {
            let place = stands(before, *mask).then_some(next);
            next += usize::from(place.is_some());
            stands(self.columns.len(), *mask).then_some(place)
        })
    }
}

/// How far a column was turned into payloads again.
#[derive(Default)]
pub(crate) struct Place {
    numbers: [usize; 4],
    text: usize,
    bytes: usize,
}

impl<'a> Column<'a> {
    /// Returns an empty column with room for that many rows.
    pub(crate) fn for_rows(atom: Atom, n: usize) -> Self {
        let (numbers, texts, bytes): (&[usize], _, _) = match atom {
            Atom::Signed | Atom::Number | Atom::Byte => (&[0], 0, 0),
            Atom::Text => (&[], n, 0),
            Atom::Bytes => (&[0], 0, n),
            Atom::Half => (&[], 0, n),
            Atom::Id => (&[1, 2, 3], 0, 0),
            Atom::Target => (&[0], n, 0),
            Atom::Meter => (&[0, 1], n, 0),
            Atom::Fix => (&[0, 1, 2, 3], 0, 0),
        };
        let list = |at| Vec::with_capacity(if numbers.contains(&at) { n } else { 0 });
        let texts = Texts::Spelt(Vec::with_capacity(texts));
        Self { numbers: [0, 1, 2, 3].map(list), texts, bytes: Vec::with_capacity(bytes) }
    }

    /// Takes a value off the front of `rest`; its row is in `rows` already.
    pub(crate) fn add(&mut self, atom: Atom, rest: &mut &'a [u8]) -> Option<()> {
        let [a, b, c, d] = &mut self.numbers;
        match atom {
            Atom::Signed => a.push(unzigzag(take_varint(rest)?)),
            Atom::Number => a.push(take_varint(rest)?.cast_signed()),
            Atom::Byte => a.push(take_byte(rest)?.into()),
            Atom::Text => self.texts.add(take_text(rest)?),
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
                    0 => self.texts.add(take_text(rest)?),
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
                self.texts.add(take_text(rest)?);
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

    /// Appends the column.
    pub(crate) fn write(&self, atom: Atom, before: &Before<'_, '_>, to: &mut Streams) {
        for (at, list) in self.numbers.iter().enumerate() {
            let beside = atom == Atom::Signed && at == 0 && !list.is_empty();
            numbers::push_beside(list, &if beside { before.numbers() } else { Vec::new() }, to);
        }
        let told = || if atom == Atom::Text { before.texts() } else { Vec::new() };
        self.texts.write(told, to);
        self.bytes.iter().for_each(|bytes| to.raw.extend_from_slice(bytes));
    }

    /// Reads the column of `n` rows.
    pub(crate) fn take(atom: Atom, n: usize, before: &Before<'_, '_>, from: &mut Reader<'a>) -> Option<Self> {
        let mut column = Self::default();
        let [a, b, c, d] = &mut column.numbers;
        let (mut n_texts, mut n_ids) = (0, 0);
        match atom {
            Atom::Signed => *a = numbers::take_beside(n, || before.numbers(), from)?,
            Atom::Number | Atom::Byte | Atom::Bytes => *a = numbers::take(n, from)?,
            Atom::Target => {
                *a = numbers::take(n, from)?;
                n_texts = a.iter().filter(|variant| **variant == 0).count();
                n_ids = n - n_texts;
            }
            Atom::Id => n_ids = n,
            Atom::Text => n_texts = n,
            Atom::Half => {}
            Atom::Meter => {
                (*a, *b) = (numbers::take(n, from)?, numbers::take(n, from)?);
                n_texts = n;
            }
            Atom::Fix => {
                (*a, *b) = (numbers::take(n, from)?, numbers::take(n, from)?);
                (*c, *d) = (numbers::take(n, from)?, numbers::take(n, from)?);
            }
        }
        if n_ids > 0 {
            (*b, *c) = (numbers::take(n_ids, from)?, numbers::take(n_ids, from)?);
            *d = numbers::take(n_ids, from)?;
        }
        let lens = match atom {
            Atom::Bytes => all(a.iter().map(|len| usize::try_from(*len).ok()))?,
            Atom::Half => vec![16; n],
            _ => Vec::new(),
        };
        let told = || if atom == Atom::Text { before.texts() } else { Vec::new() };
        column.texts = Texts::take(n_texts, told, from)?;
        column.bytes = all(lens.into_iter().map(|len| from.raw(len)))?;
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
        place.text += 1;
        self.texts.put(place.text - 1, out)
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

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    std::str::from_utf8(take_bytes(rest)?).ok().map(str::as_bytes)
}
