//! Files that arrive piece by piece, and files that somebody asked for.
//!
//! A file that is whole has no row here: its name on the disk says that it is.

use records::id::Replica;

use crate::store::engine::{Row, values};
use crate::store::{Store, StoreError};

/// Files of one device that may be on their way at a time; the one touched longest ago gives way.
const ON_THE_WAY_MAX: usize = 32;

/// A file's name: SHA-256 of its bytes.
pub type Hash = [u8; 32];

/// Which pieces of a file are on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// Bytes of the whole file.
    pub total: u64,
    /// One bit a piece, the first one lowest.
    held: Vec<u8>,
}

impl Pieces {
    /// Returns a file of which nothing has come.
    #[must_use]
    pub fn none(total: u64) -> Self {
        let bytes = sync_protocol::asides::pieces(total).div_ceil(8);
        Self { total, held: vec![0; usize::try_from(bytes).unwrap_or(0)] }
    }

    /// Notes a piece; one that the file does not have changes nothing.
    pub fn note(&mut self, index: u32) {
        let at = usize::try_from(index / 8).unwrap_or(usize::MAX);
        if index < sync_protocol::asides::pieces(self.total)
            && let Some(byte) = self.held.get_mut(at)
        {
            *byte |= 1 << (index % 8);
        }
    }

    /// Returns the runs of pieces that have not come, as (first, count), rising.
    #[must_use]
    pub fn missing(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for index in (0..sync_protocol::asides::pieces(self.total)).filter(|index| !self.has(*index)) {
            match runs.last_mut() {
                Some((first, count)) if *first + *count == index => *count += 1,
                _ => runs.push((index, 1)),
            }
        }
        runs
    }

    fn has(&self, index: u32) -> bool {
        let byte = usize::try_from(index / 8).ok().and_then(|at| self.held.get(at));
        byte.is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }
}

impl Store {
    /// Returns what has come of a device's file; `None` where nothing has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pieces(&self, branch: u32, replica: Replica, hash: &Hash) -> Result<Option<Pieces>, StoreError> {
        let sql = "SELECT total, held FROM file_pieces WHERE branch = ?1 AND replica = ?2 AND hash = ?3";
        let read = |row: &Row<'_>| Ok(Pieces { total: row.get(0)?, held: row.get(1)? });
        self.db.one(sql, values![branch, replica.0, hash], read)
    }

    /// Notes what has come of a device's file, and returns the files of the same device that give way to it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pieces_put(
        &self,
        branch: u32,
        replica: Replica,
        hash: &Hash,
        pieces: &Pieces,
        now_ms: u64,
    ) -> Result<Vec<Hash>, StoreError> {
        self.db.run("INSERT INTO file_pieces (branch, replica, hash, total, held, touched_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (branch, replica, hash) DO UPDATE
             SET total = excluded.total, held = excluded.held, touched_ms = excluded.touched_ms",
            values![branch, replica.0, hash, pieces.total, &pieces.held, now_ms])?;
        let sql = "SELECT hash FROM file_pieces WHERE branch = ?1 AND replica = ?2 AND hash <> ?3
                   ORDER BY touched_ms DESC, hash";
        let others: Vec<Hash> = self.db.all(sql, values![branch, replica.0, hash], |row| row.get(0))?;
        let old: Vec<Hash> = others.into_iter().skip(ON_THE_WAY_MAX - 1).collect();
        for hash in &old {
            self.pieces_forget(branch, replica, hash)?;
        }
        Ok(old)
    }

    /// Forgets what has come of a device's file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pieces_forget(&self, branch: u32, replica: Replica, hash: &Hash) -> Result<(), StoreError> {
        self.db.run(
            "DELETE FROM file_pieces WHERE branch = ?1 AND replica = ?2 AND hash = ?3",
            values![branch, replica.0, hash],
        )?;
        Ok(())
    }

    /// Forgets all that came of files that are not whole: a restored headquarters has none of those bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pieces_forget_all(&self) -> Result<(), StoreError> {
        self.db.run("DELETE FROM file_pieces", &[])?;
        Ok(())
    }

    /// Returns how many files are on their way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn files_on_the_way(&self) -> Result<u64, StoreError> {
        self.db.only("SELECT COUNT(*) FROM file_pieces", &[])
    }

    /// Asks a device for a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn file_ask(&self, branch: u32, replica: Replica, hash: &Hash) -> Result<(), StoreError> {
        self.db.run(
            "INSERT INTO file_asks (branch, replica, hash) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            values![branch, replica.0, hash],
        )?;
        Ok(())
    }

    /// Returns the files that a device is asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn files_asked(&self, branch: u32, replica: Replica) -> Result<Vec<Hash>, StoreError> {
        let sql = "SELECT hash FROM file_asks WHERE branch = ?1 AND replica = ?2 ORDER BY hash";
        self.db.all(sql, values![branch, replica.0], |row| row.get(0))
    }

    /// Asks nobody any more for a file that has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn file_came(&self, hash: &Hash) -> Result<(), StoreError> {
        self.db.run("DELETE FROM file_asks WHERE hash = ?1", values![hash])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_missing_pieces_are_told_exactly() {
        let total = 19 * 131_072 + 5;
        let mut pieces = Pieces::none(total);
        assert_eq!(pieces.missing(), [(0, 20)]);
        for index in [0, 3, 4, 7, 8, 19, 20, u32::MAX] {
            pieces.note(index);
        }
        assert_eq!(pieces.missing(), [(1, 2), (5, 2), (9, 10)]);
        (0..20).for_each(|index| pieces.note(index));
        assert_eq!(pieces.missing(), []);
        assert_eq!(Pieces::none(0).missing(), []);
    }

    #[test]
    fn a_device_that_begins_many_files_loses_the_one_touched_longest_ago() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("hq.sqlite")).unwrap();
        let device = Replica(7);
        for n in 0..32 {
            assert_eq!(
                store.pieces_put(1, device, &[n; 32], &Pieces::none(5), n.into()).unwrap(),
                [[0; 32]; 0]
            );
        }
        assert_eq!(store.pieces_put(1, device, &[0; 32], &Pieces::none(5), 50).unwrap(), [[0; 32]; 0]);
        assert_eq!(store.pieces_put(1, device, &[99; 32], &Pieces::none(5), 60).unwrap(), [[1; 32]]);
        assert_eq!(store.pieces(1, device, &[1; 32]).unwrap(), None);
        assert_eq!(store.pieces(1, device, &[0; 32]).unwrap(), Some(Pieces::none(5)));
        assert_eq!(store.pieces(1, Replica(8), &[0; 32]).unwrap(), None, "each device has its own");
    }
}
