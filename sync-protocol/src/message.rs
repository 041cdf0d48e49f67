//! What the two ends say to each other in one `POST /v1/sync`.
//!
//! A body is a run of frames, deflated once, and ends with a signature.
//! Request: `Control { Hello, Enrol?, Pull }`, then a `Push` per segment.
//! Answer: `Control { PushAck, Notice… }`, then `Page` items, then `Rulings`.

use records::id::{DocId, Epoch, Replica};
use serde::{Deserialize, Serialize};

use crate::chain::{Link, Parent};
use crate::cursor::Cursor;
use crate::ruling::Ruling;
use crate::segment::Segment;
use crate::sign::PublicKey;

/// The protocol versions this build speaks, both ends included.
pub const VERSIONS: (u8, u8) = (1, 1);

/// One log end that HQ has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The epoch.
    pub epoch: Epoch,
    /// Where it hangs; `None` for a root.
    pub parent: Option<Parent>,
    /// Its last seq.
    pub seq: u64,
    /// The first 8 bytes of its chain value there.
    pub link: [u8; 8],
}

/// Three clocks, so that HQ can say how wrong the device's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Clocks {
    /// Wall time, milliseconds UTC.
    pub wall_ms: u64,
    /// Milliseconds since the boot.
    pub monotonic_ms: u64,
    /// Names the boot.
    pub boot: u32,
}

/// The first words of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Lowest and highest protocol version spoken.
    pub versions: (u8, u8),
    /// First 4 bytes of SHA-256 of the (kind, schema) list.
    pub schemas: [u8; 4],
    /// Who speaks.
    pub replica: Replica,
    /// The lease of the last answer; zeros before the first.
    pub lease: [u8; 8],
    /// Every epoch with unacknowledged ops.
    pub heads: Vec<Head>,
    /// What was read so far.
    pub cursor: Cursor,
    /// The digest root, where it is comparable.
    pub digest: Option<[u8; 16]>,
    /// The device's clocks now.
    pub clocks: Clocks,
    /// The answer may hold this many bytes, inflated.
    pub answer_bytes_max: u32,
}

/// In a device's first request: its key, and the proof that it holds the code's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    /// The device's public key.
    pub key: PublicKey,
    /// HMAC-SHA-256 of (replica ‖ key) under the one-time secret.
    pub proof: [u8; 32],
    /// When the code was read, by the device's clock, milliseconds UTC.
    pub scanned_ms: u64,
    /// What the device calls itself.
    pub name: String,
}

/// HQ's word on what it holds of the asking replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAck {
    /// HQ's history; another one than the cursor's means a restored HQ.
    pub incarnation: crate::cursor::Incarnation,
    /// The lease to show next time.
    pub lease: [u8; 8],
    /// For each epoch named or pushed: contiguous last seq held, and up to where a backup holds it.
    pub held: Vec<Held>,
    /// Answers that are not plain acceptance, until their ruling comes in the feed.
    pub rulings: Vec<Ruling>,
    /// HQ's digest of the replica's scope, where Hello's root was comparable.
    pub digest: Option<[u8; 16]>,
}

/// A receipt for one epoch: with the answer's signature it is HQ's signed word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The epoch.
    pub epoch: Epoch,
    /// All ops up to this seq are on HQ's disk.
    pub up_to: u64,
    /// The first 8 bytes of the chain value there.
    pub link: [u8; 8],
    /// How many ops of this epoch HQ holds.
    pub count: u64,
    /// Up to here a backup of HQ holds them too.
    pub backed_up_to: u64,
}

/// One thing from the feeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A whole segment as received, with its author's signature.
    Segment(Segment),
    /// Those ops of a line that the reader may see.
    Extract(Extract),
    /// A document that left the reader's scope.
    Evict(DocId),
}

/// Some ops of one line, without the author's signature: the answer's signature vouches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extract {
    /// Whose log.
    pub replica: Replica,
    /// Which epoch.
    pub epoch: Epoch,
    /// Where the epoch hangs.
    pub parent: Option<Parent>,
    /// The ops' seqs, rising; at most 256.
    pub seqs: Vec<u64>,
    /// Their coding, as in a segment.
    pub rows: Vec<u8>,
}

/// The end of what an answer carries from the feeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageEnd {
    /// What is read once this answer is applied.
    pub next: Cursor,
    /// Whether more is waiting.
    pub more: bool,
}

/// Something a person or the program should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// No protocol version in common: the segments were stored, upgrade.
    UpgradeNeeded {
        /// What HQ speaks.
        versions: (u8, u8),
    },
    /// The device was revoked: what it pushed is in quarantine, nothing comes back.
    Revoked,
    /// The key is not the one bound to this replica: pushes wait for an administrator.
    Unconfirmed,
    /// HQ's wall clock, milliseconds UTC.
    ServerTime(u64),
    /// Another answer was refused for this stable code.
    Refused(u16),
    /// The epoch hangs behind what HQ holds: ops after `seq` come in the feed.
    Rewound {
        /// The epoch that HQ holds further.
        epoch: Epoch,
        /// Where the device's own memory of it ends.
        seq: u64,
    },
    /// Two installations write under this name: enrol the second one anew.
    Copied,
    /// The same (epoch, seq) with another chain value: last point in common.
    Fork {
        /// The epoch.
        epoch: Epoch,
        /// The last seq in common.
        common: u64,
        /// HQ's chain value there.
        link: Link,
    },
}
