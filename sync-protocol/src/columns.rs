//! How the rows of a segment are coded; the coding is lossless, so the rows' own bytes and their chain come back.
//!
//! The first byte names the coding.
//! 0: the rows one after the other, each behind its length.
//! 1: columns. What many rows have in one place lies together, as differences and tables; the columns of a group are
//! frozen with the (kind, schema) whose table it comes from. A payload of a table that this build does not have, or
//! that is not in its only spelling, stands there as it is.
//!
//! Source: docs/PROTOCOL.md, Rows of a segment.

mod column;
mod header;
#[cfg(test)]
mod laws;
mod layout;
#[cfg(test)]
pub(crate) mod measure;
mod numbers;
mod sheaf;
mod texts;
mod wire;

use self::header::Sort;
use self::layout::Layout;
use self::sheaf::Sheaf;
use self::wire::{Reader, Streams, push_varint};
use records::schema::Tag;

use crate::canonical;
use crate::chain::Line;
use crate::limits::{OP_BYTES_MAX, SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use crate::op::{Row, Write};
use crate::tables::Tables;

const PLAIN: u8 = 0;
const COLUMNS: u8 = 1;

/// Why bytes are not the coding of these rows.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ColumnsError {
    /// A newer version's coding.
    #[error("rows in coding {0}, which this build does not read")]
    Newer(u8),
    /// More ops or more bytes than a segment may hold.
    #[error("rows beyond {SEGMENT_OPS_MAX} ops or {SEGMENT_ROW_BYTES_MAX} bytes")]
    Size,
    /// They do not decode to one row a seq.
    #[error("rows that do not decode")]
    Malformed,
}

/// Up to so many rows may be shorter as they are: the columns' headers cost some bytes.
const FEW_ROWS: usize = 8;

/// Returns the coding of `rows` for a reader that has this build's tables; row `i` is op `seqs[i]` of `line`.
#[must_use]
pub fn encode(rows: &[Row], line: Line, seqs: &[u64]) -> Vec<u8> {
    encode_for(rows, line, seqs, &Tables::own())
}

/// Returns the coding of `rows` for a reader with these tables: payloads of a kind or schema that it does not read
/// stand apart, as they are.
///
/// Source: docs/PROTOCOL.md, Evolution.
#[must_use]
pub fn encode_for(rows: &[Row], line: Line, seqs: &[u64], reader: &Tables) -> Vec<u8> {
    let columns = encode_columns(rows, line, seqs, reader);
    if rows.len() > FEW_ROWS {
        return columns;
    }
    let plain = encode_plain(rows);
    if plain.len() <= columns.len() { plain } else { columns }
}

/// Returns whether rows in this coding are read by whatever build, without a table.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.first() == Some(&PLAIN)
}

fn encode_plain(rows: &[Row]) -> Vec<u8> {
    let mut out = vec![PLAIN];
    for row in rows {
        let bytes = row.to_bytes();
        canonical::push_len(bytes.len(), &mut out);
        out.extend_from_slice(&bytes);
    }
    out
}

fn encode_columns(rows: &[Row], line: Line, seqs: &[u64], reader: &Tables) -> Vec<u8> {
    let mut sheaves = Sheaves { n: rows.len(), ..Sheaves::default() };
    let of_rows: Vec<usize> = rows.iter().map(|row| sheaves.add(row, reader)).collect();
    let mut to = Streams::default();
    header::push_sorts(&sheaves.sorts, &of_rows, &mut to);
    header::push_rows(rows, line, seqs, &mut to);
    let (layouts, _) = layouts(&sheaves.sorts).unwrap_or_default();
    for layout in layouts {
        let sheaf = sheaves.all.iter().find(|sheaf| sheaf.layout == layout);
        sheaf.into_iter().for_each(|sheaf| sheaf.write(&mut to));
    }
    for bytes in sheaves.apart {
        push_varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX), &mut to.numbers);
        to.texts.extend_from_slice(bytes);
    }
    to.joined(COLUMNS)
}

/// Reads as many rows as there are `seqs`, and nothing besides.
///
/// # Errors
/// [`ColumnsError`]; [`ColumnsError::Newer`] also for columns of a table that this build does not have.
pub fn decode(bytes: &[u8], line: Line, seqs: &[u64]) -> Result<Vec<Row>, ColumnsError> {
    if seqs.len() > SEGMENT_OPS_MAX {
        return Err(ColumnsError::Size);
    }
    match bytes.split_first() {
        Some((&PLAIN, rest)) => decode_plain(rest, seqs.len()),
        Some((&COLUMNS, rest)) => decode_columns(rest, line, seqs),
        Some((&newer, _)) => Err(ColumnsError::Newer(newer)),
        None => Err(ColumnsError::Malformed),
    }
}

/// Rows that write the same groups of a kind and schema: which columns those go to.
struct Alike {
    kind: u16,
    schema: u8,
    places: Vec<(Tag, Option<usize>)>,
    /// The sort of those whose payloads all went there.
    sort: Option<usize>,
}

/// The columns of all groups, and the payloads that go into none.
#[derive(Default)]
struct Sheaves<'a> {
    /// How many rows there will be.
    n: usize,
    alike: Vec<Alike>,
    /// In order of appearance.
    sorts: Vec<Sort>,
    layouts: Layouts,
    /// One of each layout.
    all: Vec<Sheaf<'a>>,
    apart: Vec<&'a [u8]>,
}

impl<'a> Sheaves<'a> {
    /// Adds a row and returns the place of its sort.
    fn add(&mut self, row: &'a Row, reader: &Tables) -> usize {
        let tags = || row.writes.iter().map(|write| write.tag);
        let same = |alike: &Alike| {
            (alike.kind, alike.schema) == (row.kind, row.schema)
                && alike.places.iter().map(|(tag, _)| *tag).eq(tags())
        };
        let at = self.alike.iter().position(same).unwrap_or_else(|| {
            let read = reader.reads(row.kind, row.schema);
            let mut place = |tag| if read { self.place(row.kind, row.schema, tag) } else { None };
            let places = tags().map(|tag| (tag, place(tag))).collect();
            self.alike.push(Alike { kind: row.kind, schema: row.schema, places, sort: None });
            self.alike.len() - 1
        });
        let Some(alike) = self.alike.get_mut(at) else { return 0 };
        let mut refused = Vec::new();
        for (write, (tag, place)) in row.writes.iter().zip(&alike.places) {
            let sheaf = place.and_then(|place| self.all.get_mut(place));
            if !sheaf.is_some_and(|sheaf| sheaf.add(&write.bytes)) {
                self.apart.push(&write.bytes);
                refused.extend(place.is_some().then_some(*tag));
            }
        }
        if let Some(sort) = alike.sort.filter(|_| refused.is_empty()) {
            return sort;
        }
        let in_columns =
            |(tag, place): &(Tag, Option<usize>)| (*tag, place.is_some() && !refused.contains(tag));
        let writes = alike.places.iter().map(in_columns).collect();
        let sort = Sort { kind: row.kind, schema: row.schema, writes };
        let at = self.sorts.iter().position(|known| *known == sort).unwrap_or_else(|| {
            self.sorts.push(sort);
            self.sorts.len() - 1
        });
        if refused.is_empty() {
            alike.sort = Some(at);
        }
        at
    }

    fn place(&mut self, kind: u16, schema: u8, tag: Tag) -> Option<usize> {
        let place = self.layouts.place(kind, schema, tag)?;
        let new = self.layouts.all.get(self.all.len()..).unwrap_or_default();
        self.all.extend(new.iter().map(|layout| Sheaf::new(layout.clone(), self.n)));
        Some(place)
    }
}

fn decode_columns(bytes: &[u8], line: Line, seqs: &[u64]) -> Result<Vec<Row>, ColumnsError> {
    let mut from = Reader::of(bytes).ok_or(ColumnsError::Malformed)?;
    let (sorts, of_rows) = header::take_sorts(seqs.len(), &mut from).ok_or(ColumnsError::Malformed)?;
    let (layouts, places) = layouts(&sorts).ok_or(ColumnsError::Newer(COLUMNS))?;
    let mut rows = header::take_rows(line, seqs, &mut from).ok_or(ColumnsError::Malformed)?;
    let mut counts = vec![0; layouts.len()];
    let used = of_rows.iter().filter_map(|sort| places.get(*sort)).flatten().flatten();
    used.for_each(|place| counts.get_mut(*place).into_iter().for_each(|count| *count += 1));
    let mut payloads = Vec::with_capacity(layouts.len());
    let mut bytes = 0;
    for (layout, count) in layouts.into_iter().zip(counts) {
        let sheaf = Sheaf::take(layout, count, &mut from).ok_or(ColumnsError::Malformed)?;
        let of_sheaf = sheaf.payloads().ok_or(ColumnsError::Size)?;
        bytes += of_sheaf.iter().map(Vec::len).sum::<usize>();
        if bytes > SEGMENT_ROW_BYTES_MAX {
            return Err(ColumnsError::Size);
        }
        payloads.push(of_sheaf.into_iter());
    }
    let mut row_bytes = 0;
    for (row, sort) in rows.iter_mut().zip(of_rows) {
        let (Some(sort), Some(places)) = (sorts.get(sort), places.get(sort)) else {
            return Err(ColumnsError::Malformed);
        };
        (row.kind, row.schema) = (sort.kind, sort.schema);
        row.writes.reserve_exact(places.len());
        for ((tag, _), place) in sort.writes.iter().zip(places) {
            let payload = match place {
                Some(place) => payloads.get_mut(*place).and_then(Iterator::next),
                None => take_apart(&mut from),
            };
            let bytes = payload.ok_or(ColumnsError::Malformed)?;
            row.writes.push(Write { tag: *tag, bytes });
        }
        row_bytes += check(row)?;
    }
    if row_bytes > SEGMENT_ROW_BYTES_MAX {
        return Err(ColumnsError::Size);
    }
    if from.is_empty() { Ok(rows) } else { Err(ColumnsError::Malformed) }
}

/// Each layout once, and where the groups of the kinds find theirs.
#[derive(Default)]
struct Layouts {
    all: Vec<Layout>,
    places: Vec<((u16, u8, Tag), Option<usize>)>,
}

impl Layouts {
    fn place(&mut self, kind: u16, schema: u8, tag: Tag) -> Option<usize> {
        let group = (kind, schema, tag);
        if let Some((_, place)) = self.places.iter().find(|(known, _)| *known == group) {
            return *place;
        }
        let place = Layout::of(kind, schema, tag).map(|layout| {
            self.all.iter().position(|known| *known == layout).unwrap_or_else(|| {
                self.all.push(layout);
                self.all.len() - 1
            })
        });
        self.places.push((group, place));
        place
    }
}

/// Returns the layouts in order of appearance, and for each write of each sort which one it is in.
#[expect(clippy::type_complexity, reason = "two lists that are taken apart at once")]
fn layouts(sorts: &[Sort]) -> Option<(Vec<Layout>, Vec<Vec<Option<usize>>>)> {
    let mut layouts = Layouts::default();
    let mut places = Vec::with_capacity(sorts.len());
    for sort in sorts {
        let mut of_sort = Vec::with_capacity(sort.writes.len());
        for (tag, in_columns) in &sort.writes {
            of_sort.push(if *in_columns { Some(layouts.place(sort.kind, sort.schema, *tag)?) } else { None });
        }
        places.push(of_sort);
    }
    Some((layouts.all, places))
}

fn take_apart(from: &mut Reader<'_>) -> Option<Vec<u8>> {
    let len = usize::try_from(from.number()?).ok()?;
    let (bytes, rest) = from.texts.split_at_checked(len)?;
    from.texts = rest;
    Some(bytes.to_vec())
}

/// Returns the row's length; it must be one that [`Row::from_bytes`] takes.
fn check(row: &Row) -> Result<usize, ColumnsError> {
    let bytes = row.row_bytes();
    if bytes > OP_BYTES_MAX {
        return Err(ColumnsError::Size);
    }
    if row.well_formed() { Ok(bytes) } else { Err(ColumnsError::Malformed) }
}

fn decode_plain(mut rest: &[u8], count: usize) -> Result<Vec<Row>, ColumnsError> {
    let mut rows = Vec::with_capacity(count);
    let mut row_bytes = 0;
    for _ in 0..count {
        let bytes = canonical::take_bytes(&mut rest).ok_or(ColumnsError::Malformed)?;
        row_bytes += bytes.len();
        if bytes.len() > OP_BYTES_MAX || row_bytes > SEGMENT_ROW_BYTES_MAX {
            return Err(ColumnsError::Size);
        }
        rows.push(Row::from_bytes(bytes).map_err(|_| ColumnsError::Malformed)?);
    }
    if rest.is_empty() { Ok(rows) } else { Err(ColumnsError::Malformed) }
}
