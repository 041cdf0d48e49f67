//! What the two ends say to each other in one `POST /v1/sync`.
//!
//! A message is a number, a schema number, a length and the postcard bytes of a frozen struct:
//! a change is a new schema number, never a changed struct.
//! How they are written: [`crate::envelope`]. How they make a request and an answer: [`crate::conversation`].
//!
//! Source: docs/PROTOCOL.md, Messages.

use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::staff::Role;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::chain::{Link, Parent};
use crate::columns;
use crate::cursor::{Cursor, Incarnation};
use crate::numbered::Numbered;
use crate::op::Row;
use crate::ruling::Ruling;
use crate::segment::{Segment, SegmentError};
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
    /// Every epoch with unacknowledged ops; one whose ops are all pushed in this request may be left out.
    pub heads: Vec<Head>,
    /// What was read so far.
    pub cursor: Cursor,
    /// The digest root, where it is comparable.
    pub digest: Option<[u8; 16]>,
    /// The device's clocks now.
    pub clocks: Clocks,
    /// The answer may hold this many bytes, inflated; 0: as many as the limit allows.
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
    pub incarnation: Incarnation,
    /// The lease to show next time.
    pub lease: [u8; 8],
    /// For each epoch named or pushed: contiguous last seq held, and up to where a backup holds it.
    pub held: Vec<Held>,
    /// Answers that are not plain acceptance, until their ruling comes in the feed.
    pub rulings: Vec<Ruling>,
    /// HQ's digest of the replica's scope beside Hello's.
    pub digest: Compared,
}

/// What HQ says of the digest in Hello; neither side ever takes over the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Compared {
    /// Hello had none, or the two were not comparable.
    #[default]
    Not,
    /// The same.
    Equal,
    /// Another one, which is HQ's.
    Differs([u8; 16]),
}

/// HQ's word on who a device is and what its owner may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The device.
    pub replica: Replica,
    /// Its public key.
    pub key: PublicKey,
    /// Its owner.
    pub staff: DocId,
    /// His roles.
    pub roles: Vec<Role>,
    /// HQ's number of his branch.
    pub branch: u32,
    /// His unit.
    pub unit: DocId,
    /// Pulling ends then; capturing and pushing never do. Milliseconds UTC.
    pub valid_until_ms: u64,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A whole segment as received, with its author's signature.
    Segment(Segment),
    /// Those ops of a line that the reader may see.
    Extract(Extract),
    /// A document that left the reader's scope.
    Evict(DocId),
    /// One of a newer version.
    Newer {
        /// Its number.
        number: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
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
    #[serde(with = "serde_bytes")]
    pub rows: Vec<u8>,
}

impl Extract {
    /// Returns the ops.
    ///
    /// # Errors
    /// [`SegmentError::Malformed`], [`SegmentError::Newer`], [`SegmentError::Size`].
    pub fn open(&self) -> Result<Vec<(OpId, Row)>, SegmentError> {
        let rising = self.seqs.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if !rising || self.seqs.first() == Some(&0) {
            return Err(SegmentError::Malformed);
        }
        let rows = columns::decode(&self.rows, (self.replica, self.epoch), &self.seqs)?;
        let name = |seq: &u64| OpId { replica: self.replica, epoch: self.epoch, seq: *seq };
        Ok(self.seqs.iter().map(name).zip(rows).collect())
    }
}

/// The end of what an answer carries from the feeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageEnd {
    /// What is read once this answer is applied: the feeds that moved, for [`Cursor::advance`].
    /// Its incarnation is the acknowledgement's and does not travel twice.
    pub next: Cursor,
    /// Whether more is waiting.
    pub more: bool,
}

/// Something a person or the program should know.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Another incarnation than the cursor's: HQ was restored from a backup, and asks for what it may have lost.
    Restored {
        /// What has a ruling of a lower order is in the backup.
        order: u64,
    },
    /// A backup of HQ holds everything that the hello's cursor covers.
    BackedUp {
        /// HQ's order of arrival at the backup.
        order: u64,
    },
    /// One of a newer version.
    Newer {
        /// Its number.
        number: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Item {
    /// The number of an extract among items.
    pub(crate) const EXTRACT: u8 = 2;
}

impl Numbered for Item {
    fn to_numbered(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Segment(segment) => (1, canonical::to_bytes(segment)),
            Self::Extract(extract) => (Self::EXTRACT, canonical::to_bytes(extract)),
            Self::Evict(doc) => (3, canonical::to_bytes(doc)),
            Self::Newer { number, bytes } => (*number, bytes.clone()),
        }
    }

    fn from_numbered(number: u8, bytes: &[u8]) -> Option<Self> {
        Some(match number {
            1 => Self::Segment(canonical::from_bytes(bytes)?),
            Self::EXTRACT => Self::Extract(canonical::from_bytes(bytes)?),
            3 => Self::Evict(canonical::from_bytes(bytes)?),
            _ => Self::Newer { number, bytes: bytes.to_vec() },
        })
    }
}

impl Numbered for Notice {
    fn to_numbered(&self) -> (u8, Vec<u8>) {
        match self {
            Self::UpgradeNeeded { versions } => (1, canonical::to_bytes(versions)),
            Self::Revoked => (2, Vec::new()),
            Self::Unconfirmed => (3, Vec::new()),
            Self::ServerTime(ms) => (4, canonical::to_bytes(ms)),
            Self::Refused(code) => (5, canonical::to_bytes(code)),
            Self::Rewound { epoch, seq } => (6, canonical::to_bytes(&(epoch, seq))),
            Self::Copied => (7, Vec::new()),
            Self::Fork { epoch, common, link } => (8, canonical::to_bytes(&(epoch, common, link))),
            Self::Restored { order } => (9, canonical::to_bytes(order)),
            Self::BackedUp { order } => (10, canonical::to_bytes(order)),
            Self::Newer { number, bytes } => (*number, bytes.clone()),
        }
    }

    fn from_numbered(number: u8, bytes: &[u8]) -> Option<Self> {
        let bare = |notice| bytes.is_empty().then_some(notice);
        match number {
            1 => Some(Self::UpgradeNeeded { versions: canonical::from_bytes(bytes)? }),
            2 => bare(Self::Revoked),
            3 => bare(Self::Unconfirmed),
            4 => canonical::from_bytes(bytes).map(Self::ServerTime),
            5 => canonical::from_bytes(bytes).map(Self::Refused),
            6 => canonical::from_bytes(bytes).map(|(epoch, seq)| Self::Rewound { epoch, seq }),
            7 => bare(Self::Copied),
            8 => canonical::from_bytes(bytes).map(|(epoch, common, link)| Self::Fork { epoch, common, link }),
            9 => canonical::from_bytes(bytes).map(|order| Self::Restored { order }),
            10 => canonical::from_bytes(bytes).map(|order| Self::BackedUp { order }),
            _ => Some(Self::Newer { number, bytes: bytes.to_vec() }),
        }
    }
}

crate::numbered::numbered_serde!(Item);
crate::numbered::numbered_serde!(Notice);
