//! What HQ adds to ops: the verdict, the effective time, the place in its order of arrival.

use records::id::{Epoch, OpId, Replica};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::numbered::Numbered;
use crate::stamp::Stamp;

/// HQ's answer to one op.
///
/// On the wire a number, a length and the variant's bytes. Below [`NOT_STANDING`] the op's writes are in the document,
/// from there on they are not: so a verdict of a newer version folds right without being understood.
///
/// Source: docs/PROTOCOL.md, Verdicts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// In the document.
    Accepted,
    /// In the document, and it left something open there that a person should see.
    Merged,
    /// HQ had it already; the earlier verdict stands.
    Duplicate,
    /// Waits for an op that HQ does not have yet; neither applied nor lost.
    Deferred {
        /// The first op that is missing.
        missing: OpId,
    },
    /// A decision that came after something was built on the other one: kept, told, without effect.
    TooLate,
    /// Refused and kept, with its reason.
    Quarantined {
        /// Stable number of the reason, see docs/PROTOCOL.md.
        code: u16,
        /// What it is about: a field, a state, a limit; never input reflected.
        text: String,
        /// Whether sending it again can help.
        retryable: bool,
    },
    /// One of a newer version.
    Newer {
        /// Its number.
        number: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// The first number of the verdicts that leave an op's writes out of the document.
pub const NOT_STANDING: u8 = 64;

impl Numbered for Verdict {
    fn to_numbered(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Accepted => (0, Vec::new()),
            Self::Merged => (1, Vec::new()),
            Self::Duplicate => (2, Vec::new()),
            Self::Deferred { missing } => (64, canonical::to_bytes(missing)),
            Self::TooLate => (65, Vec::new()),
            Self::Quarantined { code, text, retryable } => {
                (66, canonical::to_bytes(&(code, text, retryable)))
            }
            Self::Newer { number, bytes } => (*number, bytes.clone()),
        }
    }

    fn from_numbered(number: u8, bytes: &[u8]) -> Option<Self> {
        let bare = |verdict| bytes.is_empty().then_some(verdict);
        match number {
            0 => bare(Self::Accepted),
            1 => bare(Self::Merged),
            2 => bare(Self::Duplicate),
            64 => Some(Self::Deferred { missing: canonical::from_bytes(bytes)? }),
            65 => bare(Self::TooLate),
            66 => {
                let (code, text, retryable) = canonical::from_bytes(bytes)?;
                Some(Self::Quarantined { code, text, retryable })
            }
            _ => Some(Self::Newer { number, bytes: bytes.to_vec() }),
        }
    }
}

crate::numbered::numbered_serde!(Verdict);

/// One signed-for run of verdicts: ops `first .. first + count` of a line, all [`Verdict::Accepted`] but the exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Whose log.
    pub replica: Replica,
    /// Which epoch.
    pub epoch: Epoch,
    /// The first op.
    pub first: u64,
    /// How many, at most 256.
    pub count: u32,
    /// HQ's order of arrival of the first; the others follow one by one.
    pub order: u64,
    /// Effective time of each op is its stamp, but not beyond this: received + 10 minutes.
    pub cap_ms: u64,
    /// A changed verdict is a new ruling with a higher version.
    pub version: u8,
    /// (offset from `first`, verdict), rising.
    pub exceptions: Vec<(u32, Verdict)>,
}

/// What is known of one op's verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Judgement {
    /// HQ's order of arrival.
    pub order: u64,
    /// The time that merging goes by.
    pub effective: Stamp,
    /// The verdict.
    pub verdict: Verdict,
    /// Of the ruling.
    pub version: u8,
}

impl Ruling {
    /// Returns the judgement of op `seq` with that stamp; `None` outside the run.
    #[must_use]
    pub fn of(&self, seq: u64, stamp: Stamp) -> Option<Judgement> {
        let offset =
            u32::try_from(seq.checked_sub(self.first)?).ok().filter(|offset| *offset < self.count)?;
        let exception = self.exceptions.iter().find(|(at, _)| *at == offset);
        Some(Judgement {
            order: self.order.saturating_add(u64::from(offset)),
            effective: stamp.effective(self.cap_ms),
            verdict: exception.map_or(Verdict::Accepted, |(_, verdict)| verdict.clone()),
            version: self.version,
        })
    }
}

impl Verdict {
    /// Returns whether the op's writes are in the document.
    #[must_use]
    pub fn stands(&self) -> bool {
        match self {
            Self::Accepted | Self::Merged | Self::Duplicate => true,
            Self::Deferred { .. } | Self::TooLate | Self::Quarantined { .. } => false,
            Self::Newer { number, .. } => *number < NOT_STANDING,
        }
    }
}
