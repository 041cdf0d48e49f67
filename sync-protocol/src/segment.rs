//! Up to 256 consecutive ops of one line, coded and signed once.

use records::id::{Epoch, OpId, Replica};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::chain::{Line, Link, Parent};
use crate::columns;
use crate::limits::{OP_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use crate::op::Row;
use crate::sign::{PublicKey, Signature, Signer};
use crate::tables::Tables;

/// A signed run of a log, as it travels and as HQ keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Whose log.
    pub replica: Replica,
    /// Which epoch.
    pub epoch: Epoch,
    /// The first op's seq.
    pub first: u64,
    /// How many ops, 1 to 256.
    pub count: u32,
    /// The chain value after the last op.
    pub link: Link,
    /// [`Body`], as bytes: hashed and kept as received, never coded again before the check.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Over all of the above.
    pub signature: Signature,
}

/// What a segment's bytes hold.
///
/// One byte of flags (1: a parent follows, 2: test clock; the others must be 0), the parent, then the rows' coding
/// up to the end.
///
/// Source: docs/PROTOCOL.md, Segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Where the epoch hangs; only with `first == 1`, and `None` there for a root epoch.
    pub parent: Option<Parent>,
    /// Written under a clock set by `FIELDBOOK_TEST_CLOCK`.
    pub test_clock: bool,
    /// The rows' coding, see [`columns`].
    pub rows: Vec<u8>,
}

/// Consecutive rows of one line, before they are cut into segments.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Whose log, which epoch.
    pub line: Line,
    /// The first row's seq, from 1.
    pub first: u64,
    /// The chain value before it.
    pub before: Link,
    /// Where the epoch hangs; only looked at where `first` is 1.
    pub parent: Option<Parent>,
    /// Whether they were written under a clock set by `FIELDBOOK_TEST_CLOCK`.
    pub test_clock: bool,
    /// The rows.
    pub rows: &'a [Row],
}

/// Why a segment was refused; nothing of it was used.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum SegmentError {
    /// Over the limits of ops or bytes, or empty.
    #[error("a segment holds 1 to 256 ops and at most 64 KiB of rows")]
    Size,
    /// The signature is not the replica's.
    #[error("the segment's signature is not its author's")]
    Signature,
    /// The body or its rows do not decode, or not to `count` rows.
    #[error("the segment does not decode")]
    Malformed,
    /// A newer version wrote the body or the rows; the bytes can be kept and passed on.
    #[error("the segment is coded by a newer version")]
    Newer,
    /// The rows do not hang together from the link before to the link named.
    #[error("the segment's chain does not match its rows")]
    Chain,
}

impl Segment {
    /// Signs rows that follow `before`.
    ///
    /// # Errors
    /// [`SegmentError::Size`].
    pub fn sign(
        signer: &Signer,
        line: Line,
        first: u64,
        before: Link,
        body: &Body,
        rows: &[Row],
    ) -> Result<Self, SegmentError> {
        let count = u32::try_from(rows.len()).map_err(|_| SegmentError::Size)?;
        let link = link_after(before, rows);
        let body = body.to_bytes();
        let mut segment =
            Self { replica: line.0, epoch: line.1, first, count, link, body, signature: Signature([0; 64]) };
        segment.sized()?;
        segment.signature = signer.sign("segment", &[&segment.signed()]);
        Ok(segment)
    }

    /// Checks the signature over the bytes as received.
    ///
    /// # Errors
    /// [`SegmentError::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), SegmentError> {
        let genuine = key.verifies("segment", &[&self.signed()], &self.signature);
        if genuine { Ok(()) } else { Err(SegmentError::Signature) }
    }

    /// Decodes the body and its rows and checks that they lead from `before` to the link named.
    ///
    /// `before` is the chain value of op `first - 1`. With `first == 1` the body says it itself, by its parent,
    /// and `before` is not looked at; whether that parent is known is the caller's question.
    /// The signature is checked by [`Self::verify`], before.
    ///
    /// # Errors
    /// [`SegmentError::Size`], [`SegmentError::Malformed`], [`SegmentError::Newer`], [`SegmentError::Chain`].
    pub fn open(&self, before: Link) -> Result<(Body, Vec<Row>), SegmentError> {
        self.sized()?;
        let body = Body::from_bytes(&self.body)?;
        if body.parent.is_some() && self.first != 1 {
            return Err(SegmentError::Malformed);
        }
        let seqs: Vec<u64> = (self.first..=self.last()).collect();
        let rows = columns::decode(&body.rows, self.line(), &seqs)?;
        let seed = if self.first == 1 { Parent::seed(body.parent.as_ref()) } else { before };
        let link = link_after(seed, &rows);
        if link == self.link { Ok((body, rows)) } else { Err(SegmentError::Chain) }
    }

    /// Returns the log and epoch.
    #[must_use]
    pub fn line(&self) -> Line {
        (self.replica, self.epoch)
    }

    /// Returns the last op's seq.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count)).saturating_sub(1)
    }

    /// Returns the names of its ops, in order.
    pub fn ids(&self) -> impl Iterator<Item = OpId> + use<> {
        let (replica, epoch) = self.line();
        (self.first..=self.last()).map(move |seq| OpId { replica, epoch, seq })
    }

    fn sized(&self) -> Result<(), SegmentError> {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let ops = (1..=SEGMENT_OPS_MAX).contains(&count);
        let seqs = self.first >= 1 && self.first.checked_add(u64::from(self.count)).is_some();
        if ops && seqs && self.body.len() <= SEGMENT_BYTES_MAX { Ok(()) } else { Err(SegmentError::Size) }
    }

    fn signed(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(88);
        out.extend_from_slice(&self.replica.0.to_le_bytes());
        out.extend_from_slice(&self.epoch.0.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.last().to_le_bytes());
        out.extend_from_slice(&self.link.0);
        out.extend_from_slice(&crate::chain::sha256(&[&self.body]));
        out
    }
}

/// Returns the chain value after rows that follow `before`.
fn link_after(before: Link, rows: &[Row]) -> Link {
    let mut bytes = Vec::new();
    rows.iter().fold(before, |link, row| {
        bytes.clear();
        row.push_to(&mut bytes);
        link.next(&bytes)
    })
}

const HAS_PARENT: u8 = 1;
const TEST_CLOCK: u8 = 2;

impl Body {
    /// Returns the bytes of [`Segment::body`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let parent = if self.parent.is_some() { HAS_PARENT } else { 0 };
        let test_clock = if self.test_clock { TEST_CLOCK } else { 0 };
        let mut out = vec![parent | test_clock];
        if let Some(parent) = &self.parent {
            out.extend_from_slice(&canonical::to_bytes(parent));
        }
        out.extend_from_slice(&self.rows);
        out
    }

    /// Reads [`Segment::body`]; the rows are not decoded.
    ///
    /// # Errors
    /// [`SegmentError::Malformed`], [`SegmentError::Newer`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SegmentError> {
        let (flags, rest) = bytes.split_first().ok_or(SegmentError::Malformed)?;
        if flags & !(HAS_PARENT | TEST_CLOCK) != 0 {
            return Err(SegmentError::Newer);
        }
        let (parent, rows) = if flags & HAS_PARENT == 0 {
            (None, rest)
        } else {
            let (parent, rows) =
                postcard::take_from_bytes::<Parent>(rest).map_err(|_| SegmentError::Malformed)?;
            (Some(parent), rows)
        };
        let body = Self { parent, test_clock: flags & TEST_CLOCK != 0, rows: rows.to_vec() };
        if body.to_bytes() == bytes { Ok(body) } else { Err(SegmentError::Malformed) }
    }
}

/// Cuts a run into signed segments, each as full as the limits allow.
///
/// # Errors
/// [`SegmentError::Size`] where one row passes the limit of an op.
///
/// Source: docs/PROTOCOL.md, Limits.
pub fn cut(signer: &Signer, run: &Run<'_>) -> Result<Vec<Segment>, SegmentError> {
    cut_for(signer, run, &Tables::own())
}

/// As [`cut`], coded for a reader with these tables.
///
/// # Errors
/// As [`cut`].
pub fn cut_for(signer: &Signer, run: &Run<'_>, reader: &Tables) -> Result<Vec<Segment>, SegmentError> {
    let mut out = Vec::new();
    let mut rest = run.rows;
    let (mut first, mut before) = (run.first, run.before);
    while !rest.is_empty() {
        let (rows, left) = rest.split_at(fitting(rest)?);
        let seqs: Vec<u64> = (first..).take(rows.len()).collect();
        let body = Body {
            parent: run.parent.filter(|_| first == 1),
            test_clock: run.test_clock,
            rows: columns::encode_for(rows, run.line, &seqs, reader),
        };
        let segment = Segment::sign(signer, run.line, first, before, &body, rows)?;
        (first, before, rest) = (segment.last() + 1, segment.link, left);
        out.push(segment);
    }
    Ok(out)
}

/// Returns how many of the rows, at least one, go into one segment.
///
/// # Errors
/// [`SegmentError::Size`] where a row passes the limit of an op.
pub fn fitting(rows: &[Row]) -> Result<usize, SegmentError> {
    let mut bytes = 0;
    let mut fit = 0;
    for row in rows.iter().take(SEGMENT_OPS_MAX) {
        let length = row.row_bytes();
        if length > OP_BYTES_MAX {
            return Err(SegmentError::Size);
        }
        bytes += length;
        if bytes > SEGMENT_ROW_BYTES_MAX {
            break;
        }
        fit += 1;
    }
    Ok(fit)
}

impl From<columns::ColumnsError> for SegmentError {
    fn from(error: columns::ColumnsError) -> Self {
        match error {
            columns::ColumnsError::Newer(_) => Self::Newer,
            columns::ColumnsError::Size => Self::Size,
            columns::ColumnsError::Malformed => Self::Malformed,
        }
    }
}
