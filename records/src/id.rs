//! Names of replicas, ops and documents, and the short code shown to people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One installation that writes: a device, or HQ, which is replica 0.
///
/// Source: docs/PROTOCOL.md, Words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Replica(pub u32);

impl Replica {
    /// Headquarters.
    pub const HQ: Self = Self(0);
}

/// A stretch of one replica's log between two openings that must not share names; random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Epoch(pub u32);

/// Names one op: the replica and epoch that wrote it and its place there, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpId {
    /// Who wrote it.
    pub replica: Replica,
    /// In which epoch of his log.
    pub epoch: Epoch,
    /// At which place, from 1, without holes.
    pub seq: u64,
}

/// Names one document: the id of the op that created it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocId(pub OpId);

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("an id is three decimal numbers: replica.epoch.seq")]
pub struct IdError;

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.replica.0, self.epoch.0, self.seq)
    }
}

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OpId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut parts = text.split('.');
        let mut next = || parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let replica = next().and_then(|p| p.parse().ok()).ok_or(IdError)?;
        let epoch = next().and_then(|p| p.parse().ok()).ok_or(IdError)?;
        let seq = next().and_then(|p| p.parse().ok()).filter(|seq| *seq > 0).ok_or(IdError)?;
        match parts.next() {
            None => Ok(Self { replica: Replica(replica), epoch: Epoch(epoch), seq }),
            Some(_) => Err(IdError),
        }
    }
}

impl FromStr for DocId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

/// Crockford's base32: no I, L, O, U, so that a code survives a telephone.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl DocId {
    /// Returns the 8 characters shown to people: Crockford base32 of SHA-256 of the id's text.
    ///
    /// ```
    /// let id: records::id::DocId = "7.3061842211.42".parse()?;
    /// assert_eq!(id.code().len(), 8);
    /// # Ok::<(), records::id::IdError>(())
    /// ```
    ///
    /// Source: docs/CLI.md, ids.
    #[must_use]
    pub fn code(&self) -> String {
        let hash = ring::digest::digest(&ring::digest::SHA256, self.to_string().as_bytes());
        let bits = hash.as_ref().iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8)
            .rev()
            .filter_map(|i| CROCKFORD.get(usize::try_from(bits >> (i * 5) & 31).ok()?))
            .map(|byte| char::from(*byte))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_nothing_else_is_an_id() {
        let id: OpId = "7.3061842211.42".parse().unwrap();
        assert_eq!(id.to_string(), "7.3061842211.42");
        for bad in ["", "7", "7.1", "7.1.0", "7.1.2.3", "+7.1.2", "7.1.-2", "a.b.c", "4294967296.1.1"] {
            assert_eq!(bad.parse::<OpId>(), Err(IdError), "{bad}");
        }
    }
}
