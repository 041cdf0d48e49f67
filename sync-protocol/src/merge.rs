//! What the ops on one document come to: the same pure fold on every device and at HQ.

use std::collections::BTreeMap;

use records::id::{DocId, OpId};
use records::machine::Index;
use records::schema::Tag;
use serde::{Deserialize, Serialize};

use crate::chain::Line;
use crate::op::Row;
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
    pub row: Row,
    /// HQ's judgement; `None`: provisional, folds last.
    pub judgement: Option<Judgement>,
}

/// One value of a group, and the op that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The op.
    pub op: OpId,
    /// The group's bytes as received.
    pub bytes: Vec<u8>,
}

/// A Once, Last or Contested group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The current value; of an open conflict the provisional one.
    pub value: Written,
    /// Values nobody has seen and replaced: of Last and Once the losers (soft), of Contested an open conflict (hard).
    /// By op id; none equal to `value` in bytes.
    pub others: Vec<Written>,
}

/// One entry of a Ledger or element of a Set: its identity and its row's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The op that added it.
    pub op: OpId,
    /// Its place in that op's payload.
    pub index: u32,
    /// The row's bytes.
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
    /// Ledger entries in causal order, then by op id.
    pub ledgers: BTreeMap<Tag, Vec<Entry>>,
    /// Set elements that stand, by op id; of a keyed set one element a key, the losers are in the history.
    pub sets: BTreeMap<Tag, Vec<Entry>>,
    /// Decisions in fold order.
    pub decisions: Vec<Ruled>,
    /// Writes that came concurrently with the seal or after it: visible, outside the sealed content.
    pub late: Vec<(Tag, Written)>,
    /// Ops that HQ refused: they write nothing, their values are listed.
    pub refused: Vec<OpId>,
    /// Whether an op asks a newer version (an unknown group or schema).
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
/// # Errors
/// [`FoldError`].
///
/// Source: docs/PROTOCOL.md, Merge classes.
pub fn fold(_ops: &[Judged], _lines: &Lines) -> Result<Document, FoldError> {
    Err(FoldError::NoCreation)
}
