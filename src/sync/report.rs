//! What a sync did, and how far one is.

use std::collections::BTreeMap;

use records::id::Epoch;
use records::time::Ts;
use serde::{Deserialize, Serialize};
use sync_protocol::message::Notice;

use crate::store::Store;
use crate::store::error::StoreError;

/// The setting with the last finished sync.
const LAST: &str = "sync.last";

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Ops that HQ took in so far.
    pub sent_ops: u64,
    /// Ops that it does not have yet.
    pub unsent_ops: u64,
    /// Ops that came.
    pub received_ops: u64,
    /// Rounds answered.
    pub requests: u32,
    /// Bytes of bodies sent.
    pub bytes_up: u64,
    /// Bytes of bodies received.
    pub bytes_down: u64,
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncReport {
    /// Own ops that HQ has signed for now and had not before.
    pub sent_ops: u64,
    /// Ops that were not here before.
    pub received_ops: u64,
    /// Own ops newly ruled on, by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Own ops that went into quarantine.
    pub new_quarantine: u64,
    /// Documents that left what this device may see.
    pub evicted: u64,
    /// Bytes of bodies sent, those of lost requests included.
    pub bytes_up: u64,
    /// Bytes of bodies received.
    pub bytes_down: u64,
    /// Requests sent, lost ones included.
    pub requests: u32,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// No record is left to send and none to fetch.
    pub level: bool,
    /// Files that HQ got whole.
    pub files_sent: u64,
    /// Files that only this device has.
    pub files_left: u64,
    /// Files that came whole.
    pub files_received: u64,
    /// Whether HQ's digest of what this device may see is the device's; `None` where it was not compared.
    pub digest_equal: Option<bool>,
    /// Documents that were asked for again because the digests differed.
    pub reread: u64,
    /// Own epochs of which HQ holds another chain.
    pub forked: Vec<Epoch>,
    /// What HQ wants a person to know.
    pub notices: Vec<Notice>,
    /// Receipts for bundles that were carried for others.
    pub receipts: Vec<String>,
}

impl SyncReport {
    /// Returns this and a later one as one report.
    #[must_use]
    pub fn then(self, mut later: Self) -> Self {
        later.sent_ops += self.sent_ops;
        later.received_ops += self.received_ops;
        later.bytes_up += self.bytes_up;
        later.bytes_down += self.bytes_down;
        later.requests += self.requests;
        later.took_ms += self.took_ms;
        for (name, count) in self.verdicts {
            *later.verdicts.entry(name).or_default() += count;
        }
        later
    }
}

/// A sync that was finished, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSync {
    /// When it ended, by the device's clock.
    pub at: Ts,
    /// What it did.
    pub report: SyncReport,
}

/// Returns the last finished sync of this home; `None` before the first.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn last(store: &Store) -> Result<Option<LastSync>, StoreError> {
    let bytes = store.setting(LAST)?;
    // Lost without harm: one of another version is as none.
    Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
}

/// Keeps the last finished sync.
///
/// # Errors
/// Those of the database.
pub(in crate::sync) fn keep(store: &mut Store, last: &LastSync) -> Result<(), StoreError> {
    store.put_setting(LAST, postcard::to_allocvec(last).unwrap_or_default())
}
