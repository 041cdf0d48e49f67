//! One intention on one document, and its canonical row form: what is journaled, hashed and kept.

use records::id::{DocId, OpId};
use records::schema::Tag;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::limits::{GROUPS_MAX, LIST_MAX, OP_BYTES_MAX, SEQ_MAX};
use crate::stamp::Stamp;

/// What one op writes to one group: the group's frozen bytes, readable or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The group and its merge class.
    pub tag: Tag,
    /// The payload, see [`records::schema::Group`].
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// An op without its name: the name (replica, epoch, seq) is its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The document's kind; the high bit means that a reader must understand it.
    pub kind: u16,
    /// The version of the kind's table.
    pub schema: u8,
    /// The document; `None` where this op creates it, its id then being this op's own.
    pub doc: Option<DocId>,
    /// When it was saved.
    pub stamp: Stamp,
    /// What the author had applied on this document outside his own line since his previous op on it:
    /// each entry stands for that line up to that seq. Sorted, at most one entry per line.
    pub seen: Vec<OpId>,
    /// The op that this one writes again after a fork.
    pub forked_from: Option<OpId>,
    /// One write per group, by tag.
    pub writes: Vec<Write>,
}

/// The row form is postcard of this; the body, the writes, stands behind its own length.
#[derive(Deserialize)]
struct RowWire<'a> {
    kind: u16,
    schema: u8,
    doc: Option<DocId>,
    stamp: Stamp,
    seen: Vec<OpId>,
    forked_from: Option<OpId>,
    body: &'a [u8],
}

/// Why bytes are not a row.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum RowError {
    /// Beyond [`OP_BYTES_MAX`].
    #[error("op of {bytes} bytes; at most {OP_BYTES_MAX} are taken")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not the row form, or not its canonical spelling.
    #[error("not a row in canonical form")]
    Malformed,
}

impl Row {
    /// Returns the canonical row bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.row_bytes());
        self.push_to(&mut out);
        out
    }

    /// Appends the canonical row bytes.
    pub(crate) fn push_to(&self, out: &mut Vec<u8>) {
        let head = (self.kind, self.schema, self.doc, self.stamp, &self.seen, self.forked_from);
        canonical::push(&head, out);
        canonical::push_len(self.body_bytes(), out);
        canonical::push(&self.writes, out);
    }

    /// Returns the length of [`Self::to_bytes`].
    pub(crate) fn row_bytes(&self) -> usize {
        let id = |id: &OpId| number(id.replica.0.into()) + number(id.epoch.0.into()) + number(id.seq);
        let named = self.doc.iter().map(|DocId(doc)| doc).chain(&self.seen).chain(&self.forked_from);
        let stamp = number(self.stamp.ms) + number(self.stamp.counter.into());
        let body = self.body_bytes();
        number(self.kind.into())
            + 3
            + stamp
            + named.map(id).sum::<usize>()
            + counted(self.seen.len())
            + counted(body)
            + body
    }

    /// Returns the length of the writes.
    fn body_bytes(&self) -> usize {
        let write =
            |write: &Write| number(write.tag.0.into()) + counted(write.bytes.len()) + write.bytes.len();
        counted(self.writes.len()) + self.writes.iter().map(write).sum::<usize>()
    }

    /// Reads row bytes; whatever decodes, encodes to the same bytes again.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        if bytes.len() > OP_BYTES_MAX {
            return Err(RowError::TooLong { bytes: bytes.len() });
        }
        let wire: RowWire<'_> = postcard::from_bytes(bytes).map_err(|_| RowError::Malformed)?;
        let writes: Vec<Write> = postcard::from_bytes(wire.body).map_err(|_| RowError::Malformed)?;
        let row = Self {
            kind: wire.kind,
            schema: wire.schema,
            doc: wire.doc,
            stamp: wire.stamp,
            seen: wire.seen,
            forked_from: wire.forked_from,
            writes,
        };
        // A longer spelling of a number, or something left over, would not have the length of what is written.
        if row.well_formed() && row.row_bytes() == bytes.len() { Ok(row) } else { Err(RowError::Malformed) }
    }

    /// Returns the document, given the op's own name.
    #[must_use]
    pub fn document(&self, id: OpId) -> DocId {
        self.doc.unwrap_or(DocId(id))
    }

    /// Returns what the op writes to that group.
    #[must_use]
    pub fn write(&self, tag: Tag) -> Option<&[u8]> {
        self.writes.iter().find(|write| write.tag == tag).map(|write| write.bytes.as_slice())
    }

    pub(crate) fn well_formed(&self) -> bool {
        let rising = |pair: &[OpId]| matches!(pair, [a, b] if (a.replica, a.epoch) < (b.replica, b.epoch));
        let tags = |pair: &[Write]| matches!(pair, [a, b] if a.tag < b.tag);
        let mut named = self.doc.iter().map(|DocId(doc)| doc).chain(&self.seen).chain(&self.forked_from);
        self.writes.len() <= GROUPS_MAX
            && named.all(|op| op.seq <= SEQ_MAX)
            && self.seen.len() <= LIST_MAX
            && self.stamp.ms <= crate::stamp::MS_MAX
            && self.seen.windows(2).all(rising)
            && self.writes.windows(2).all(tags)
    }
}

/// Returns how many bytes a number takes: seven bits in each.
fn number(value: u64) -> usize {
    usize::try_from((u64::BITS - value.leading_zeros()).div_ceil(7).max(1)).unwrap_or(10)
}

/// Returns how many bytes a length takes.
fn counted(len: usize) -> usize {
    number(u64::try_from(len).unwrap_or(u64::MAX))
}
