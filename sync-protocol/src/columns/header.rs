//! What rows have besides their payloads: kind, document, stamp, what they saw.

use records::id::{DocId, Epoch, OpId, Replica};
use records::schema::Tag;

use super::numbers;
use super::wire::{Reader, Streams, all, push_varint};
use crate::chain::Line;
use crate::limits::{GROUPS_MAX, LIST_MAX};
use crate::op::Row;
use crate::stamp::Stamp;

/// What rows of one sort look like: which groups they write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) kind: u16,
    pub(crate) schema: u8,
    /// The groups, and whether each one's payload stands in columns.
    pub(crate) writes: Vec<(Tag, bool)>,
}

/// Appends the sorts in order of appearance, then which row is of which.
pub(crate) fn push_sorts(sorts: &[Sort], of_rows: &[usize], to: &mut Streams) {
    push_len(sorts.len(), &mut to.numbers);
    for sort in sorts {
        push_varint(sort.kind.into(), &mut to.numbers);
        to.numbers.push(sort.schema);
        push_len(sort.writes.len(), &mut to.numbers);
        for (tag, in_columns) in &sort.writes {
            push_varint(u64::from(tag.0) << 1 | u64::from(*in_columns), &mut to.numbers);
        }
    }
    numbers::push(&list(of_rows, |sort| i64::try_from(*sort).unwrap_or(i64::MAX)), to);
}

/// Reads the sort of each of `n` rows: the sorts, and the place of each row's among them.
pub(crate) fn take_sorts(n: usize, from: &mut Reader<'_>) -> Option<(Vec<Sort>, Vec<usize>)> {
    let len = take_len(from).filter(|len| *len <= n)?;
    let mut sorts = Vec::with_capacity(len);
    for _ in 0..len {
        let kind = u16::try_from(from.number()?).ok()?;
        let [schema] = *from.bytes(1)? else { return None };
        let len = take_len(from).filter(|len| *len <= GROUPS_MAX)?;
        let write = |_| {
            let number = from.number()?;
            Some((Tag(u16::try_from(number >> 1).ok()?), number & 1 == 1))
        };
        let writes = all((0..len).map(write))?;
        sorts.push(Sort { kind, schema, writes });
    }
    let places = numbers::take(n, from)?;
    let place = |place: i64| usize::try_from(place).ok().filter(|place| *place < sorts.len());
    let places = places.into_iter().map(place).collect::<Option<_>>()?;
    Some((sorts, places))
}

/// Appends documents, stamps, what was seen, and what was written again after a fork.
///
/// A document: 0 the row's own, 1 one named in full, else how far back on the same line, and one.
pub(crate) fn push_rows(rows: &[Row], line: Line, seqs: &[u64], to: &mut Streams) {
    let mut named = Vec::new();
    let back = |(row, seq): (&Row, &u64)| {
        let Some(DocId(id)) = row.doc else { return 0 };
        let back = seq.checked_sub(id.seq).filter(|_| (id.replica, id.epoch) == line);
        back.filter(|back| (1..u64::MAX / 4).contains(back)).map_or_else(
            || {
                named.push(id);
                1
            },
            |back| (back + 1).cast_signed(),
        )
    };
    let backs: Vec<i64> = rows.iter().zip(seqs).map(back).collect();
    numbers::push(&backs, to);
    numbers::push(&list(rows, |row| row.stamp.ms.cast_signed()), to);
    numbers::push(&list(rows, |row| row.stamp.counter.into()), to);
    numbers::push(&list(rows, |row| i64::try_from(row.seen.len()).unwrap_or(i64::MAX)), to);
    numbers::push(&list(rows, |row| row.forked_from.is_some().into()), to);
    let seen = rows.iter().flat_map(|row| row.seen.iter().copied());
    let ids: Vec<OpId> =
        named.into_iter().chain(seen).chain(rows.iter().filter_map(|row| row.forked_from)).collect();
    numbers::push(&list(&ids, |id| id.replica.0.into()), to);
    numbers::push(&list(&ids, |id| id.epoch.0.into()), to);
    numbers::push(&list(&ids, |id| id.seq.cast_signed()), to);
}

/// Reads as many rows as there are `seqs`, without kinds and writes.
pub(crate) fn take_rows(line: Line, seqs: &[u64], from: &mut Reader<'_>) -> Option<Vec<Row>> {
    let n = seqs.len();
    let backs = numbers::take(n, from)?;
    let (stamps, counters) = (numbers::take(n, from)?, numbers::take(n, from)?);
    let (seen, forked) = (numbers::take(n, from)?, numbers::take(n, from)?);
    let named = backs.iter().filter(|back| **back == 1).count();
    let seens = seen.iter().map(|seen| usize::try_from(*seen).ok().filter(|seen| *seen <= LIST_MAX));
    let seens = all(seens)?;
    let forks = forked.iter().filter(|forked| **forked == 1).count();
    let mut ids = take_ids(named + seens.iter().sum::<usize>() + forks, from)?.into_iter();
    let docs: Vec<OpId> = ids.by_ref().take(named).collect();
    let mut docs = docs.into_iter();
    let mut rows = Vec::with_capacity(n);
    for ((((seq, back), ms), counter), seen) in seqs.iter().zip(backs).zip(stamps).zip(counters).zip(seens) {
        let doc = match back {
            0 => None,
            1 => Some(docs.next()?),
            back => {
                let back = u64::try_from(back.checked_sub(1)?).ok()?;
                Some(OpId { replica: line.0, epoch: line.1, seq: seq.checked_sub(back)? })
            }
        };
        rows.push(Row {
            kind: 0,
            schema: 0,
            doc: doc.map(DocId),
            stamp: Stamp { ms: ms.cast_unsigned(), counter: u16::try_from(counter).ok()? },
            seen: ids.by_ref().take(seen).collect(),
            forked_from: None,
            writes: Vec::new(),
        });
    }
    for (row, forked) in rows.iter_mut().zip(forked) {
        row.forked_from = match forked {
            0 => None,
            1 => Some(ids.next()?),
            _ => return None,
        };
    }
    Some(rows)
}

fn take_ids(n: usize, from: &mut Reader<'_>) -> Option<Vec<OpId>> {
    let (replicas, epochs) = (numbers::take(n, from)?, numbers::take(n, from)?);
    let seqs = numbers::take(n, from)?;
    let id = |((replica, epoch), seq): ((i64, i64), i64)| {
        Some(OpId {
            replica: Replica(u32::try_from(replica).ok()?),
            epoch: Epoch(u32::try_from(epoch).ok()?),
            seq: seq.cast_unsigned(),
        })
    };
    replicas.into_iter().zip(epochs).zip(seqs).map(id).collect()
}

fn list<T>(of: &[T], number: impl Fn(&T) -> i64) -> Vec<i64> {
    of.iter().map(number).collect()
}

fn push_len(len: usize, out: &mut Vec<u8>) {
    push_varint(u64::try_from(len).unwrap_or(u64::MAX), out);
}

fn take_len(from: &mut Reader<'_>) -> Option<usize> {
    usize::try_from(from.number()?).ok()
}
