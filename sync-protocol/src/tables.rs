//! Which kinds and schemas a build reads: two ends of different versions tell each other, and write so that the other
//! can read it.
//!
//! Source: docs/PROTOCOL.md, Evolution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chain::sha256;

/// The kinds that a build knows, each with the highest schema of its table. Every lower one it reads too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tables(Vec<(u16, u8)>);

impl Tables {
    /// Returns those of this build.
    ///
    /// ```
    /// use sync_protocol::tables::Tables;
    /// let own = Tables::own();
    /// assert!(own.reads(records::kinds::number::SITE, 1) && !own.reads(4_000, 1));
    /// assert!(!Tables::default().reads(records::kinds::number::SITE, 1));
    /// ```
    #[must_use]
    pub fn own() -> Self {
        let all: BTreeMap<u16, u8> =
            records::kinds::known().iter().map(|kind| (kind.number, kind.schema)).collect();
        Self(all.into_iter().collect())
    }

    /// Returns those that a peer listed: the number of each kind and its highest schema.
    #[must_use]
    pub fn of(listed: Vec<(u16, u8)>) -> Self {
        Self(listed)
    }

    /// Returns their name: the first 4 bytes of SHA-256 over each kind's number, little endian, and its schema.
    #[must_use]
    pub fn hash(&self) -> [u8; 4] {
        let bytes: Vec<u8> = self
            .0
            .iter()
            .flat_map(|(number, schema)| [number.to_le_bytes().as_slice(), &[*schema]].concat())
            .collect();
        let [a, b, c, d, ..] = sha256(&[&bytes]);
        [a, b, c, d]
    }

    /// Returns whether all that `other` reads is read with these too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(kind, schema)| self.reads(*kind, *schema))
    }

    /// Returns whether a row of that kind and schema is read, and not only kept.
    #[must_use]
    pub fn reads(&self, kind: u16, schema: u8) -> bool {
        self.0.iter().any(|(number, highest)| *number == kind && schema <= *highest)
    }
}
