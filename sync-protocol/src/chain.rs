//! One link per op: what makes a changed or lost op of a log provable.

use records::id::{Epoch, Replica};
use serde::{Deserialize, Serialize};

/// The chain value after an op: `c(n) = SHA-256(c(n-1) ‖ row bytes of op n)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Link(pub [u8; 32]);

impl Link {
    /// The seed of a root epoch.
    pub const ROOT: Self = Self([0; 32]);

    /// Returns the next link.
    #[must_use]
    pub fn next(self, row: &[u8]) -> Self {
        Self(sha256(&[&self.0, row]))
    }
}

/// Where an epoch hangs: the epoch before it, the last seq it builds on, and the chain value there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The epoch of the same replica.
    pub epoch: Epoch,
    /// Its last seq that belongs to the line.
    pub seq: u64,
    /// The chain value there: the seed of the child.
    pub link: Link,
}

impl Parent {
    /// Returns the chain value that an epoch with this parent begins from; without one it is a root.
    #[must_use]
    pub fn seed(parent: Option<&Self>) -> Link {
        parent.map_or(Link::ROOT, |parent| parent.link)
    }
}

/// The name of a log's epoch.
pub type Line = (Replica, Epoch);

/// Returns SHA-256 of the parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}
