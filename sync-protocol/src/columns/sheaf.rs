//! The columns of one group, filled from payloads and turned into payloads again.

use std::borrow::Cow;

use super::layout::{Atom, Layout, Shape, Slot};
use super::wire::{Reader, Streams, push_varint, take_varint, unzigzag, zigzag};
use super::{numbers, texts};
use crate::limits::SEGMENT_ROW_BYTES_MAX;

/// Columns: what a slot's atoms come to, row after row. An atom uses some of the lists, in this order.
#[derive(Debug, Default)]
struct Column<'a> {
    /// Which row each value belongs to.
    rows: Vec<usize>,
    /// Up to five lists of numbers.
    numbers: [Vec<i64>; 5],
    texts: Vec<Cow<'a, [u8]>>,
    bytes: Vec<&'a [u8]>,
}

/// The columns of a group.
#[derive(Debug)]
pub(crate) struct Sheaf<'a> {
    pub(crate) layout: Layout,
    /// What was added, in order.
    added: Vec<&'a [u8]>,
    payloads: usize,
    /// Of each payload, how many rows.
    counts: Vec<i64>,
    /// Of each payload of a set, how many names it takes away.
    removals: Vec<i64>,
    /// (replica, epoch, seq, index).
    removed: [Vec<i64>; 4],
    /// Of each row, a bit per optional slot.
    masks: Vec<i64>,
    columns: Vec<Column<'a>>,
}

impl<'a> Sheaf<'a> {
    pub(crate) fn new(layout: Layout) -> Self {
        let columns = layout.slots.iter().map(|_| Column::default()).collect();
        let (added, payloads, counts, removals, removed, masks) = Default::default();
        Self {
            layout,
            added,
            payloads,
            counts,
            removals,
            removed,
            masks,
            columns,
        }
    }

    /// Adds a payload; `false` where its bytes are not this layout's, or not their only spelling.
    pub(crate) fn add(&mut self, payload: &'a [u8]) -> bool {
        if self.try_add(payload).is_some() {
            self.added.push(payload);
            return true;
        }
        // Half of it may be in the columns already: begin again.
        let added = std::mem::take(&mut self.added);
        *self = Self::new(self.layout.clone());
        for payload in added {
            let _ = self.add(payload);
        }
        false
    }

    fn try_add(&mut self, payload: &'a [u8]) -> Option<()> {
        let mut rest = payload;
        let rows = if self.layout.shape == Shape::One {
            1
        } else {
            take_varint(&mut rest)?
        };
        for _ in 0..rows {
            self.add_row(&mut rest)?;
        }
        self.counts.push(rows.cast_signed());
        if self.layout.shape == Shape::Change {
            let n = take_varint(&mut rest)?;
            for _ in 0..n {
                for list in &mut self.removed {
                    list.push(take_varint(&mut rest)?.cast_signed());
                }
            }
            self.removals.push(n.cast_signed());
        }
        self.payloads += 1;
        rest.is_empty().then_some(())
    }

    fn add_row(&mut self, rest: &mut &'a [u8]) -> Option<()> {
        let mut mask = 0;
        let row = self.masks.len();
        for (at, (slot, column)) in self.layout.slots.iter().zip(&mut self.columns).enumerate() {
            if slot.optional {
                match take_byte(rest)? {
                    0 => continue,
                    1 => mask |= 1 << at,
                    _ => return None,
                }
            }
            column.rows.push(row);
            column.add(slot.atom, rest)?;
        }
        self.masks.push(mask);
        Some(())
    }

    /// Appends all columns.
    pub(crate) fn write(&self, to: &mut Streams) {
        if self.layout.shape != Shape::One {
            numbers::push(&self.counts, &[], to);
        }
        if self.layout.shape == Shape::Change {
            numbers::push(&self.removals, &[], to);
            self.removed.iter().for_each(|list| numbers::push(list, &[], to));
        }
        numbers::push(&self.masks, &[], to);
        for (at, (slot, column)) in self.layout.slots.iter().zip(&self.columns).enumerate() {
            let before = Before::of(&self.layout.slots, self.columns.get(..at).unwrap_or_default());
            column.write(slot.atom, &before, to);
        }
    }

    /// Reads the columns of `payloads` payloads.
    pub(crate) fn take(layout: Layout, payloads: usize, from: &mut Reader<'a>) -> Option<Self> {
        let mut sheaf = Self::new(layout);
        sheaf.payloads = payloads;
        sheaf.counts = match sheaf.layout.shape {
            Shape::One => vec![1; payloads],
            Shape::Many | Shape::Change => numbers::take(payloads, &[], from)?,
        };
        if sheaf.layout.shape == Shape::Change {
            sheaf.removals = numbers::take(payloads, &[], from)?;
            let n = total(&sheaf.removals, sheaf.removed.len())?;
            for list in &mut sheaf.removed {
                *list = numbers::take(n, &[], from)?;
            }
        }
        let rows = total(&sheaf.counts, sheaf.layout.slots.len())?;
        sheaf.masks = numbers::take(rows, &[], from)?;
        let mut columns = Vec::with_capacity(sheaf.layout.slots.len());
        for (at, slot) in sheaf.layout.slots.iter().enumerate() {
            let there = |(row, mask): (usize, &i64)| (!slot.optional || mask >> at & 1 == 1).then_some(row);
            let there = sheaf.masks.iter().enumerate().filter_map(there).collect();
            let before = Before::of(&sheaf.layout.slots, &columns);
            columns.push(Column::take(slot.atom, there, &before, from)?);
        }
        sheaf.columns = columns;
        Some(sheaf)
    }

    /// Returns the payloads in order; `None` where they would pass a segment's limit.
    pub(crate) fn payloads(&self) -> Option<Vec<Vec<u8>>> {
        let mut places: Vec<Place> = self.columns.iter().map(|_| Place::default()).collect();
        let (mut row, mut removed, mut bytes) = (0, 0, 0);
        let mut out = Vec::with_capacity(self.payloads);
        let mut payload = Vec::new();
        for at in 0..self.payloads {
            payload.clear();
            let rows = *self.counts.get(at)?;
            if self.layout.shape != Shape::One {
                push_varint(rows.cast_unsigned(), &mut payload);
            }
            for _ in 0..rows {
                self.row(*self.masks.get(row)?, &mut places, &mut payload)?;
                row += 1;
                if payload.len() > SEGMENT_ROW_BYTES_MAX {
                    return None;
                }
            }
            if self.layout.shape == Shape::Change {
                let n = *self.removals.get(at)?;
                push_varint(n.cast_unsigned(), &mut payload);
                for _ in 0..n {
                    for list in &self.removed {
                        push_varint(list.get(removed)?.cast_unsigned(), &mut payload);
                    }
                    removed += 1;
                }
            }
            bytes += payload.len();
            if bytes > SEGMENT_ROW_BYTES_MAX {
                return None;
            }
            out.push(payload.clone());
        }
        Some(out)
    }

    fn row(&self, mask: i64, places: &mut [Place], out: &mut Vec<u8>) -> Option<()> {
        let slots = self.layout.slots.iter().zip(&self.columns).zip(places);
        for (at, ((slot, column), place)) in slots.enumerate() {
            if slot.optional {
                let there = mask >> at & 1 == 1;
                out.push(u8::from(there));
                if !there {
                    continue;
                }
            }
            column.put(slot.atom, place, out)?;
        }
        Some(())
    }
}

/// What stood before in the same row, and may tell of what comes.
struct Before<'b, 'a> {
    numbers: Option<&'b Column<'a>>,
    texts: Option<&'b Column<'a>>,
}

impl<'b, 'a> Before<'b, 'a> {
    /// Looks at the columns of the first slots: a number right before the next one, the last text.
    fn of(slots: &[Slot], columns: &'b [Column<'a>]) -> Self {
        let before = || slots.iter().zip(columns).take(columns.len());
        let numbers = before().next_back().filter(|(slot, _)| slot.atom == Atom::Signed);
        let texts = before().rfind(|(slot, _)| slot.atom == Atom::Text);
        let filled = |found: Option<(&Slot, &'b Column<'a>)>| {
            found
                .map(|(_, column)| column)
                .filter(|column| !column.rows.is_empty())
        };
        Self {
            numbers: filled(numbers),
            texts: filled(texts),
        }
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
        column
            .places(rows)
            .map(|place| text(place).unwrap_or_default())
            .collect()
    }
}

/// How far a column was turned into payloads again.
#[derive(Default)]
struct Place {
    numbers: [usize; 5],
    text: usize,
    bytes: usize,
}

impl<'a> Column<'a> {
    fn add(&mut self, atom: Atom, rest: &mut &'a [u8]) -> Option<()> {
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

    fn write(&self, atom: Atom, before: &Before<'_, '_>, to: &mut Streams) {
        for (at, list) in self.numbers.iter().enumerate() {
            let beside = atom == Atom::Signed && at == 0 && !list.is_empty();
            let beside = if beside {
                before.numbers(&self.rows)
            } else {
                Vec::new()
            };
            numbers::push(list, &beside, to);
        }
        let texts: Vec<&[u8]> = self.texts.iter().map(AsRef::as_ref).collect();
        let told = || {
            if atom == Atom::Text {
                before.texts(&self.rows)
            } else {
                Vec::new()
            }
        };
        texts::push(&texts, told, to);
        self.bytes
            .iter()
            .for_each(|bytes| to.raw.extend_from_slice(bytes));
    }

    fn take(atom: Atom, rows: Vec<usize>, before: &Before<'_, '_>, from: &mut Reader<'a>) -> Option<Self> {
        let n = rows.len();
        let mut column = Self {
            rows,
            ..Self::default()
        };
        let beside = if atom == Atom::Signed {
            before.numbers(&column.rows)
        } else {
            Vec::new()
        };
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
            Atom::Bytes => a
                .iter()
                .map(|len| usize::try_from(*len).ok())
                .collect::<Option<Vec<_>>>()?,
            Atom::Half => vec![16; n],
            _ => Vec::new(),
        };
        let told = || {
            if atom == Atom::Text {
                before.texts(&column.rows)
            } else {
                Vec::new()
            }
        };
        column.texts = texts::take(n_texts, told, from)?;
        column.bytes = lens.into_iter().map(|len| from.raw(len)).collect::<Option<_>>()?;
        Some(column)
    }

    /// Appends the next value's payload bytes.
    fn put(&self, atom: Atom, place: &mut Place, out: &mut Vec<u8>) -> Option<()> {
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

/// Returns the sum of counts of things that take at least `bytes` each; `None` where a segment could not hold as many.
fn total(counts: &[i64], bytes: usize) -> Option<usize> {
    let add = |sum: usize, count: &i64| sum.checked_add(usize::try_from(*count).ok()?);
    counts
        .iter()
        .try_fold(0, add)
        .filter(|sum| *sum <= SEGMENT_ROW_BYTES_MAX / bytes.max(1))
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
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
    std::str::from_utf8(text)
        .ok()
        .map(|text| Cow::Borrowed(text.as_bytes()))
}
