//! Ops in the database: runs of one line, decoded when asked, a few kept at hand.
//!
//! A run's key is `replica | epoch | last seq | first seq`, so that a forward scan from an op's own place meets the
//! runs that may hold it.
//!
//! Source: docs/STORAGE.md, Ops.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use records::id::{Epoch, OpId, Replica};
use serde::{Deserialize, Serialize};
use sync_protocol::chain::{Line, Link};
use sync_protocol::columns;
use sync_protocol::message::Extract;
use sync_protocol::op::Row;
use sync_protocol::segment::{Body, Segment, SegmentError};

use crate::store::journal::Logged;

/// Plain bytes of a run.
pub const RUN_BYTES_MAX: usize = 512 * 1024;
/// Loose ops are packed into one run when so many lie at the end.
pub const LOOSE_OPS_MAX: u32 = 64;
/// Row bytes of a packed run.
pub const PACKED_BYTES_MAX: usize = 48 * 1024;
const RECENT_MAX: usize = 8;
/// Bytes of a run's key.
pub const KEY_BYTES: usize = 24;

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Run {
    /// Consecutive ops of the own log.
    Own {
        /// The link before the first.
        before: Link,
        /// Written under a clock set by hand.
        test_clock: bool,
        /// The ops.
        ops: Vec<Logged>,
    },
    /// A segment as received, with its author's signature.
    Segment(Segment),
    /// Ops that HQ gave out of somebody's log.
    Extract(Extract),
}

/// The name of a run: its line and the seqs it spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunKey {
    /// Whose log.
    pub line: Line,
    /// The last op.
    pub last: u64,
    /// The first op.
    pub first: u64,
}

/// A run, read.
#[derive(Debug)]
pub struct Decoded {
    /// The run as kept.
    pub run: Run,
    /// Its ops by seq.
    pub rows: Vec<(u64, Row)>,
}

impl RunKey {
    /// Returns the key's bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let (replica, epoch) = self.line;
        let mut out = Vec::with_capacity(KEY_BYTES);
        out.extend_from_slice(&replica.0.to_be_bytes());
        out.extend_from_slice(&epoch.0.to_be_bytes());
        out.extend_from_slice(&self.last.to_be_bytes());
        out.extend_from_slice(&self.first.to_be_bytes());
        out
    }

    /// Reads a key's bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (replica, rest) = bytes.split_first_chunk::<4>()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let first = u64::from_be_bytes(rest.try_into().ok()?);
        let line = (Replica(u32::from_be_bytes(*replica)), Epoch(u32::from_be_bytes(*epoch)));
        Some(Self { line, last: u64::from_be_bytes(*last), first })
    }
}

impl Run {
    /// Returns the plain bytes to seal.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::store::pack::pack(&postcard::to_allocvec(self).unwrap_or_default())
    }

    /// Reads a run and its rows; `None` where the bytes are no run.
    #[must_use]
    pub fn decode(bytes: &[u8], key: RunKey) -> Option<Decoded> {
        let run: Self = postcard::from_bytes(&crate::store::pack::unpack(bytes, RUN_BYTES_MAX)?).ok()?;
        let rows = match &run {
            Self::Own { ops, .. } => {
                let rows =
                    (key.first..).zip(ops).map(|(seq, op)| Some((seq, Row::from_bytes(&op.row).ok()?)));
                rows.collect::<Option<Vec<_>>>()?
            }
            Self::Segment(segment) => segment_rows(segment)?,
            Self::Extract(extract) => match extract.open() {
                Ok(rows) => rows.into_iter().map(|(id, row)| (id.seq, row)).collect(),
                Err(SegmentError::Newer) => Vec::new(),
                Err(_) => return None,
            },
        };
        Some(Decoded { run, rows })
    }
}

/// Reads the rows of a segment whose signature was checked when it came; of a newer version's coding there are none.
fn segment_rows(segment: &Segment) -> Option<Vec<(u64, Row)>> {
    let seqs: Vec<u64> = segment.ids().map(|id| id.seq).collect();
    let rows = Body::from_bytes(&segment.body)
        .and_then(|body| Ok(columns::decode(&body.rows, segment.line(), &seqs)?));
    match rows {
        Ok(rows) => Some(seqs.into_iter().zip(rows).collect()),
        Err(SegmentError::Newer) => Some(Vec::new()),
        Err(_) => None,
    }
}

impl Decoded {
    /// Returns the op of that seq.
    #[must_use]
    pub fn row(&self, seq: u64) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&seq, |row| row.0).ok()?;
        self.rows.get(at).map(|row| &row.1)
    }
}

/// The runs decoded last: a scan in order decodes each run once.
#[derive(Debug, Default)]
pub struct Recent(RefCell<VecDeque<(RunKey, Arc<Decoded>)>>);

impl Recent {
    /// Returns the run that holds the op, where it is at hand.
    #[must_use]
    pub fn find(&self, op: OpId) -> Option<Arc<Decoded>> {
        let runs = self.0.borrow();
        let mut hits = runs.iter().filter(|(key, _)| {
            key.line == (op.replica, op.epoch) && key.first <= op.seq && op.seq <= key.last
        });
        hits.find(|(_, run)| run.row(op.seq).is_some()).map(|(_, run)| Arc::clone(run))
    }

    /// Keeps a run at hand.
    pub fn keep(&self, key: RunKey, run: Arc<Decoded>) {
        let mut runs = self.0.borrow_mut();
        if runs.len() >= RECENT_MAX {
            runs.pop_front();
        }
        runs.push_back((key, run));
    }

    /// Forgets all: the database changed.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
