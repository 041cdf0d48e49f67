//! The columns of one group, filled from payloads and turned into payloads again.

use super::column::{Before, Column, Place, take_byte};
use super::layout::{Layout, Shape};
use super::numbers;
use super::wire::{Reader, Streams, push_varint, take_varint};
use crate::limits::SEGMENT_ROW_BYTES_MAX;

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
    pub(crate) fn new(layout: Layout, n: usize) -> Self {
        let columns = layout.slots.iter().map(|slot| Column::for_rows(slot.atom, n)).collect();
        let list = || Vec::with_capacity(n);
        let (payloads, removals, removed) = Default::default();
        Self {
            layout,
            added: Vec::with_capacity(n),
            payloads,
            counts: list(),
            removals,
            removed,
            masks: list(),
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
        *self = Self::new(self.layout.clone(), added.len());
        for payload in added {
            let _ = self.add(payload);
        }
        false
    }

    fn try_add(&mut self, payload: &'a [u8]) -> Option<()> {
        let mut rest = payload;
        let rows = if self.layout.shape == Shape::One { 1 } else { take_varint(&mut rest)? };
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
        for (at, (slot, column)) in self.layout.slots.iter().zip(&mut self.columns).enumerate() {
            if slot.optional {
                match take_byte(rest)? {
                    0 => continue,
                    1 => mask |= 1 << at,
                    _ => return None,
                }
            }
            column.add(slot.atom, rest)?;
        }
        self.masks.push(mask);
        Some(())
    }

    /// Appends all columns.
    pub(crate) fn write(&self, to: &mut Streams) {
        if self.layout.shape != Shape::One {
            numbers::push(&self.counts, to);
        }
        if self.layout.shape == Shape::Change {
            numbers::push(&self.removals, to);
            self.removed.iter().for_each(|list| numbers::push(list, to));
        }
        numbers::push(&self.masks, to);
        for (at, (slot, column)) in self.layout.slots.iter().zip(&self.columns).enumerate() {
            let columns = self.columns.get(..at).unwrap_or_default();
            let before = Before { masks: &self.masks, slots: &self.layout.slots, columns };
            column.write(slot.atom, &before, to);
        }
    }

    /// Reads the columns of `payloads` payloads.
    pub(crate) fn take(layout: Layout, payloads: usize, from: &mut Reader<'a>) -> Option<Self> {
        let mut sheaf = Self::new(layout, 0);
        sheaf.payloads = payloads;
        sheaf.counts = match sheaf.layout.shape {
            Shape::One => vec![1; payloads],
            Shape::Many | Shape::Change => numbers::take(payloads, from)?,
        };
        if sheaf.layout.shape == Shape::Change {
            sheaf.removals = numbers::take(payloads, from)?;
            let n = total(&sheaf.removals, sheaf.removed.len())?;
            for list in &mut sheaf.removed {
                *list = numbers::take(n, from)?;
            }
        }
        let rows = total(&sheaf.counts, sheaf.layout.slots.len())?;
        sheaf.masks = numbers::take(rows, from)?;
        let mut columns = Vec::with_capacity(sheaf.layout.slots.len());
        for (at, slot) in sheaf.layout.slots.iter().enumerate() {
            let n = sheaf.masks.iter().filter(|mask| slot.stands(at, **mask)).count();
            let before = Before { masks: &sheaf.masks, slots: &sheaf.layout.slots, columns: &columns };
            let column = Column::take(slot.atom, n, &before, from)?;
            columns.push(column);
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

/// Returns the sum of counts of things that take at least `bytes` each; `None` where a segment could not hold as many.
fn total(counts: &[i64], bytes: usize) -> Option<usize> {
    let add = |sum: usize, count: &i64| sum.checked_add(usize::try_from(*count).ok()?);
    counts.iter().try_fold(0, add).filter(|sum| *sum <= SEGMENT_ROW_BYTES_MAX / bytes.max(1))
}
