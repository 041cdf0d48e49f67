//! The view of a document: what lists and counts ask, and which ops make it. The values stay in the log, once.

use std::collections::BTreeMap;

use records::id::{DocId, Epoch, OpId, Replica};
use records::machine::Index;
use serde::{Deserialize, Serialize};
use sync_protocol::stamp::Stamp;

/// A document in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: DocId,
    /// Its kind's number.
    pub kind: u16,
    /// Whether the op that created it is here; without it the ops wait.
    pub whole: bool,
    /// The state's index in the kind's machine.
    pub state: Index,
    /// The stamp of its creation.
    pub created: Stamp,
    /// The latest effective stamp of an op that stands.
    pub updated: Stamp,
    /// Open conflicts.
    pub conflicts: u32,
    /// Whether an op asks a newer version.
    pub newer: bool,
    /// The document's digest, for comparing with HQ.
    pub digest: [u8; 16],
    /// Its ops, by line.
    pub ops: BTreeMap<(Replica, Epoch), Vec<u64>>,
}

impl Entry {
    /// Returns the entry of a document of which no op is known.
    #[must_use]
    pub fn new(id: DocId, kind: u16) -> Self {
        Self {
            id,
            kind,
            whole: false,
            state: 0,
            created: Stamp::default(),
            updated: Stamp::default(),
            conflicts: 0,
            newer: false,
            digest: [0; 16],
            ops: BTreeMap::new(),
        }
    }

    /// Adds an op and returns whether it is new.
    pub fn add(&mut self, op: OpId) -> bool {
        let seqs = self.ops.entry((op.replica, op.epoch)).or_default();
        match seqs.binary_search(&op.seq) {
            Ok(_) => false,
            Err(at) => {
                seqs.insert(at, op.seq);
                true
            }
        }
    }

    /// Takes an op out and returns whether it was there.
    pub fn remove(&mut self, op: OpId) -> bool {
        let line = (op.replica, op.epoch);
        let Some(seqs) = self.ops.get_mut(&line) else {
            return false;
        };
        let Ok(at) = seqs.binary_search(&op.seq) else {
            return false;
        };
        seqs.remove(at);
        if seqs.is_empty() {
            self.ops.remove(&line);
        }
        true
    }

    /// Returns its ops.
    pub fn op_ids(&self) -> impl Iterator<Item = OpId> {
        self.ops.iter().flat_map(|((replica, epoch), seqs)| {
            seqs.iter().map(|seq| OpId { replica: *replica, epoch: *epoch, seq: *seq })
        })
    }
}

/// The key of a document: its id, big-endian, so that documents of one log lie side by side.
pub type DocKey = [u8; 16];

/// Returns the key of a document.
#[must_use]
pub fn doc_key(DocId(id): DocId) -> DocKey {
    let mut key = [0; 16];
    let (replica, rest) = key.split_at_mut(4);
    let (epoch, seq) = rest.split_at_mut(4);
    replica.copy_from_slice(&id.replica.0.to_be_bytes());
    epoch.copy_from_slice(&id.epoch.0.to_be_bytes());
    seq.copy_from_slice(&id.seq.to_be_bytes());
    key
}

/// Returns the document of a key.
#[must_use]
pub fn doc_of_key(key: DocKey) -> DocId {
    let [a, b, c, d, e, f, g, h, seq @ ..] = key;
    DocId(OpId {
        replica: Replica(u32::from_be_bytes([a, b, c, d])),
        epoch: Epoch(u32::from_be_bytes([e, f, g, h])),
        seq: u64::from_be_bytes(seq),
    })
}
