//! The archive: segments that came long ago leave the table that every sync works on, and are read from another one.
//!
//! They go as they came, byte for byte, and nothing that is shown is made of anything else because of it.
//! What an op waits for stays: it is judged again when that comes.
//!
//! Source: docs/STORAGE.md, Headquarters.

use records::id::{Epoch, Replica};

use crate::store::engine::{Row, values};
use crate::store::{Store, StoreError};

/// The name of a kept segment within its branch: replica, epoch, first op, and HQ's order of arrival.
pub type Name = (Replica, Epoch, u64, u64);

/// Before the first name.
pub const BEFORE_ALL: Name = (Replica(0), Epoch(0), 0, 0);

/// What is held where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// How many segments.
    pub segments: u64,
    /// How many bytes their bodies have.
    pub bytes: u64,
}

const OLD: &str = "SELECT s.replica, s.epoch, s.first, s.arrival FROM segments s
     WHERE s.branch = ?1 AND (s.replica, s.epoch, s.first, s.arrival) > (?2, ?3, ?4, ?5) AND s.received_ms < ?6
     AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.branch = s.branch AND w.replica = s.replica
       AND w.epoch = s.epoch AND w.seq BETWEEN s.first AND s.first + s.count - 1)
     ORDER BY s.replica, s.epoch, s.first, s.arrival LIMIT ?7";
const ONE: &str = "WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND first = ?4 AND arrival = ?5";

impl Store {
    /// Returns the branches that hold segments which are not archived, 0 for HQ's own, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn branches_with_segments(&self) -> Result<Vec<u32>, StoreError> {
        self.db.all("SELECT DISTINCT branch FROM lines ORDER BY branch", &[], |row| row.get(0))
    }

    /// Returns the names of a branch's segments that came before `before_ms` and of which no op waits: at most `limit`
    /// of those behind `after`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn segments_before(
        &self,
        branch: u32,
        after: Name,
        before_ms: u64,
        limit: u32,
    ) -> Result<Vec<Name>, StoreError> {
        let (replica, epoch, first, arrival) = after;
        let name = |row: &Row<'_>| Ok((Replica(row.get(0)?), Epoch(row.get(1)?), row.get(2)?, row.get(3)?));
        self.db.all(OLD, values![branch, replica.0, epoch.0, first, arrival, before_ms, limit], name)
    }

    /// Moves a segment into the archive and returns the number of its ops; 0 where it is there already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn segment_archive(&self, branch: u32, name: Name) -> Result<u32, StoreError> {
        let (replica, epoch, first, arrival) = name;
        let key = values![branch, replica.0, epoch.0, first, arrival];
        let columns =
            "branch, replica, epoch, first, count, arrival, received_ms, skew_ms, link, signature, body";
        let sql = format!("INSERT INTO archived ({columns}) SELECT {columns} FROM segments {ONE}");
        self.db.run(&sql, key)?;
        let count =
            self.db.one(&format!("DELETE FROM segments {ONE} RETURNING count"), key, |row| row.get(0))?;
        Ok(count.unwrap_or(0))
    }

    /// Returns what is held for every sync, and what is archived.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_and_archived(&self) -> Result<(Held, Held), StoreError> {
        let of = |table: &str| -> Result<Held, StoreError> {
            let sql = format!("SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM {table}");
            let held =
                self.db.one(&sql, &[], |row| Ok(Held { segments: row.get(0)?, bytes: row.get(1)? }))?;
            Ok(held.unwrap_or_default())
        };
        Ok((of("segments")?, of("archived")?))
    }
}
