//! Up to 256 consecutive ops of one line, coded and signed once.

use records::id::{Epoch, Replica};
use serde::{Deserialize, Serialize};

use crate::chain::{Link, Parent};
use crate::op::Row;
use crate::sign::{PublicKey, Signature, Signer};

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
    pub body: Vec<u8>,
    /// Over all of the above.
    pub signature: Signature,
}

/// What a segment's bytes hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Where the epoch hangs; only with `first == 1`, and `None` there for a root epoch.
    pub parent: Option<Parent>,
    /// Written under a clock set by `FIELDBOOK_TEST_CLOCK`.
    pub test_clock: bool,
    /// The rows' coding, see docs/PROTOCOL.md.
    pub rows: Vec<u8>,
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
        line: (Replica, Epoch),
        first: u64,
        before: Link,
        body: &Body,
        rows: &[Row],
    ) -> Result<Self, SegmentError> {
        let count = u32::try_from(rows.len()).map_err(|_| SegmentError::Size)?;
        let link = rows.iter().fold(before, |link, row| link.next(&row.to_bytes()));
        let body = postcard::to_allocvec(body).map_err(|_| SegmentError::Malformed)?;
        let mut segment = Self {
            replica: line.0,
            epoch: line.1,
            first,
            count,
            link,
            body,
            signature: Signature([0; 64]),
        };
        segment.signature = signer.sign("segment", &[&segment.signed()]);
        Ok(segment)
    }

    /// Checks the signature over the bytes as received.
    ///
    /// # Errors
    /// [`SegmentError::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), SegmentError> {
        let genuine = key.verifies("segment", &[&self.signed()], &self.signature);
        if genuine {
            Ok(())
        } else {
            Err(SegmentError::Signature)
        }
    }

    /// Returns the last op's seq.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count)).saturating_sub(1)
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
