//! What the ops on one document come to: the same pure fold on every device and at HQ.

pub mod conflict;
pub(crate) mod decisions;
pub(crate) mod entries;
pub mod fingerprint;
#[cfg(test)]
mod laws;
pub mod past;
pub mod record;
pub(crate) mod registers;
pub(crate) mod split;
#[cfg(test)]
mod stories;

use std::collections::BTreeMap;

use records::id::{DocId, OpId};
use records::machine::Index;
use records::schema::{Class, Group, Kind, Tag};
use records::value::{Row, payload};
use serde::{Deserialize, Serialize};

use crate::chain::Line;
use crate::merge::past::History;
use crate::ruling::Judgement;
use crate::stamp::Stamp;

/// Where each known epoch hangs: the line's parent epoch and the seq there. A line that is not listed is a root.
pub type Lines = BTreeMap<Line, (records::id::Epoch, u64)>;

/// One op on the document, with what HQ said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Its name.
    pub id: OpId,
    /// What it says.
    pub row: crate::op::Row,
    /// HQ's judgement; `None`: provisional, folds last.
    pub judgement: Option<Judgement>,
}

/// One value of a group, and the op that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The op.
    pub op: OpId,
    /// The schema of the kind under which the op was written.
    pub schema: u8,
    /// The group's bytes as received.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// A Once, Last or Contested group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The current value; of an open conflict the provisional one.
    pub value: Written,
    /// Values nobody has seen and replaced: of Last and Once the losers (soft), of Contested an open conflict (hard).
    /// By op id; none equal to `value` in bytes. Of a class of a newer version: every other value ever written.
    pub others: Vec<Written>,
}

/// One entry of a Ledger or element of a Set: its identity and its row's bytes as received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The op that added it.
    pub op: OpId,
    /// Its place in that op's payload.
    pub index: u32,
    /// The schema of the kind under which the row was written; `None` where the bytes are a whole payload, which this
    /// build cannot read.
    pub schema: Option<u8>,
    /// The row's bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// One decision that the fold looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruled {
    /// The op that carries it.
    pub op: OpId,
    /// The step of the kind's machine.
    pub step: Index,
    /// What became of it.
    pub standing: Standing,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It stands.
    Stands,
    /// It stands on content that changed without its author knowing: it asks again.
    Stale,
    /// A stricter or earlier concurrent one stands instead.
    Superseded,
    /// An equal seal stands beside it: a person picks.
    Contested,
    /// Not possible from where the document was.
    Void,
    /// Others were built on a concurrent one before this came.
    TooLate,
}

/// A document as all its ops make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its id: the op that created it.
    pub id: DocId,
    /// Its kind's number.
    pub kind: u16,
    /// The highest schema among its ops.
    pub schema: u8,
    /// The stamp of its creation.
    pub created: Stamp,
    /// The latest effective stamp of an op that stands.
    pub updated: Stamp,
    /// The state's index in the kind's machine; 0 where it has none.
    pub state: Index,
    /// Once, Last and Contested groups.
    pub registers: BTreeMap<Tag, Register>,
    /// Ledger entries in fold order. A payload that this build cannot read is one entry.
    pub ledgers: BTreeMap<Tag, Vec<Entry>>,
    /// Set elements that stand, by op id; of a keyed set one element a key, the losers are in the history.
    /// A payload that this build cannot read is one element.
    pub sets: BTreeMap<Tag, Vec<Entry>>,
    /// Decisions in fold order; those of a kind without states, or that this build cannot read, are void.
    pub decisions: Vec<Ruled>,
    /// Writes that came concurrently with the seal or after it: visible, outside the sealed content.
    pub late: Vec<(Tag, Written)>,
    /// Ops that HQ refused: they write nothing, their values are listed.
    pub refused: Vec<OpId>,
    /// Whether an op asks a newer version (an unknown kind, group, schema or step).
    pub newer: bool,
    /// Whether any op is without a verdict.
    pub provisional: bool,
    /// Every op, in fold order.
    pub ops: Vec<OpId>,
}

/// Why ops are no document.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum FoldError {
    /// None of them creates it.
    #[error("the op that created the document is missing")]
    NoCreation,
    /// They name different documents.
    #[error("ops of different documents")]
    Mixed,
}

/// Returns the document that these ops make, in whatever order they are given and however often.
///
/// Ops whose `seen` names what is not there are folded as if it were not named: HQ holds such ops back.
///
/// # Errors
/// [`FoldError`].
///
/// Source: docs/PROTOCOL.md, Merge classes.
pub fn fold(ops: &[Judged], lines: &Lines) -> Result<Document, FoldError> {
    let history = History::of(ops, lines)?;
    let kind = history.row(history.creation()).and_then(|row| records::kinds::by_number(row.kind));
    Ok(fold_as(&history, kind))
}

impl Written {
    /// Reads the row; `None` where the bytes are not the group's. Fields of a newer version behind it are not seen.
    #[must_use]
    pub fn row(&self, group: &Group) -> Option<Row> {
        payload::row_at(group, self.schema, &self.bytes).ok().map(|(row, _)| row)
    }

    /// Returns whether [`Self::row`] is all that was written: who writes the group again loses nothing.
    #[must_use]
    pub fn is_read(&self, group: &Group) -> bool {
        payload::row_at(group, self.schema, &self.bytes).is_ok_and(|(_, rest)| rest.is_empty())
    }
}

impl Entry {
    /// Reads the row; `None` where this build cannot.
    #[must_use]
    pub fn row(&self, group: &Group) -> Option<Row> {
        payload::row_at(group, self.schema?, &self.bytes).ok().map(|(row, _)| row)
    }
}

/// Folds a history as a document of `kind`; `None`: a kind of a newer version.
pub(crate) fn fold_as(history: &History<'_>, kind: Option<&'static Kind>) -> Document {
    let outcome = decisions::fold(history, kind);
    let mut document = empty(history, kind);
    (document.decisions, document.state) = (outcome.ruled, outcome.state);
    document.newer |= outcome.newer;
    for run in puts(history).chunk_by(|a, b| a.tag == b.tag) {
        let Some(tag) = run.first().map(|put| put.tag) else {
            continue;
        };
        let known = kind.and_then(|kind| Known::of(kind, tag));
        document.newer |= known.is_none();
        let sealed = outcome.seal.filter(|_| known.is_some_and(|known| known.group.frozen));
        let Some(seal) = sealed else {
            document.add(history, known, tag, run);
            continue;
        };
        let inside = |put: &Put<'_>| put.op == seal || history.covers(seal, put.op);
        let (content, late): (Vec<_>, Vec<_>) = run.iter().copied().partition(inside);
        document.late.extend(late.iter().map(|put| (tag, put.written(history))));
        document.add(history, known, tag, &content);
    }
    document
}

/// A group as this build knows it, and the highest schema of its kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) group: &'static Group,
    pub(crate) schema: u8,
}

impl Known {
    fn of(kind: &Kind, tag: Tag) -> Option<Self> {
        let group = kind.group(tag.number()).filter(|group| group.tag() == tag)?;
        Some(Self { group, schema: kind.schema })
    }
}

/// One standing write, borrowed from its op.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Put<'a> {
    pub(crate) tag: Tag,
    rank: usize,
    pub(crate) op: usize,
    pub(crate) schema: u8,
    pub(crate) bytes: &'a [u8],
}

impl Put<'_> {
    pub(crate) fn written(&self, history: &History<'_>) -> Written {
        Written { op: history.id(self.op), schema: self.schema, bytes: self.bytes.to_vec() }
    }
}

/// Returns all standing writes by group, within a group in fold order.
fn puts<'a>(history: &History<'a>) -> Vec<Put<'a>> {
    let mut puts = Vec::new();
    for (rank, op) in history.order().iter().copied().enumerate().filter(|(_, op)| history.stands(*op)) {
        let Some(row) = history.row(op) else { continue };
        let put = |write: &'a crate::op::Write| Put {
            tag: write.tag,
            rank,
            op,
            schema: row.schema,
            bytes: &write.bytes,
        };
        puts.extend(row.writes.iter().map(put));
    }
    puts.sort_unstable_by_key(|put| (put.tag, put.rank));
    puts
}

/// Returns the document before any group is folded.
fn empty(history: &History<'_>, kind: Option<&'static Kind>) -> Document {
    let creation = history.row(history.creation());
    let ops = || history.order().iter().copied();
    let rows = || ops().filter_map(|op| history.row(op));
    let schema = rows().map(|row| row.schema).max().unwrap_or(0);
    let created = creation.map(|row| row.stamp).unwrap_or_default();
    Document {
        id: history.document(),
        kind: creation.map_or(0, |row| row.kind),
        schema,
        created,
        updated: ops()
            .filter(|op| history.stands(*op))
            .map(|op| history.effective(op))
            .max()
            .unwrap_or(created),
        state: 0,
        registers: BTreeMap::new(),
        ledgers: BTreeMap::new(),
        sets: BTreeMap::new(),
        decisions: Vec::new(),
        late: Vec::new(),
        refused: ops().filter(|op| !history.stands(*op)).map(|op| history.id(op)).collect(),
        newer: kind.is_none_or(|kind| schema > kind.schema),
        provisional: ops().any(|op| history.judgement(op).is_none()),
        ops: ops().map(|op| history.id(op)).collect(),
    }
}

impl Document {
    /// Folds what was written to one group.
    fn add(&mut self, history: &History<'_>, known: Option<Known>, tag: Tag, run: &[Put<'_>]) {
        let Some((last, before)) = run.split_last() else {
            return;
        };
        match tag.class() {
            Some(Class::Ledger) => drop(self.ledgers.insert(tag, entries::ledger(history, known, run))),
            Some(Class::Set) => drop(self.sets.insert(tag, entries::set(history, known, run))),
            Some(Class::Decision) => {}
            Some(Class::Once) => drop(self.registers.insert(tag, registers::once(history, before, last))),
            Some(Class::Last) => drop(self.registers.insert(tag, registers::last(history, before, last))),
            Some(Class::Contested) => {
                drop(self.registers.insert(tag, registers::contested(history, before, last)));
            }
            None => drop(self.registers.insert(tag, registers::kept(history, before, last))),
        }
    }
}
