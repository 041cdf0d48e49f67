//! How far a device has read HQ's feeds.

use serde::{Deserialize, Serialize};

/// Names one HQ database history; a restore from a backup draws a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Incarnation(pub u32);

/// One of HQ's feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Feed {
    /// Master data, for all.
    Company,
    /// A branch, for its supervisors; by HQ's number of the branch, from 1.
    Branch(u32),
    /// What concerns one replica: own documents, jobs, rulings.
    Replica(u32),
}

/// Positions read, sorted by feed; a feed not listed is at 0. Stored in one transaction with what it covers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Whose feeds.
    pub incarnation: Incarnation,
    /// The last position read of each.
    pub positions: Vec<(Feed, u64)>,
}
