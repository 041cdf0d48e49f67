//! By what documents about money are found beside their number: claimant, voucher, the claim that they are about.

use std::collections::BTreeSet;

use records::id::{DocId, Epoch, OpId, Replica};
use rusqlite::params;

use super::{Store, StoreError, bytes};

/// One thing that a document is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A voucher's duplicate key on one of its lines.
    Key(String),
    /// The person whose it is.
    Staff(DocId),
    /// The unit whose it is.
    Unit(DocId),
    /// The claim that it is about, or holds.
    Claim(DocId),
    /// A mark of [`records::claim::traces::marks`], as its bytes.
    Trace(Vec<u8>),
}

impl Mark {
    fn bytes(&self) -> Vec<u8> {
        let (tag, rest) = match self {
            Self::Key(key) => (b'k', key.as_bytes().to_vec()),
            Self::Staff(id) => (b's', bytes(id)),
            Self::Unit(id) => (b'u', bytes(id)),
            Self::Claim(id) => (b'c', bytes(id)),
            Self::Trace(mark) => (b't', mark.clone()),
        };
        [vec![tag], rest].concat()
    }
}

impl Store {
    /// Enters what a document is found by, in place of what it was found by before.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn marks_put(&self, branch: u32, id: DocId, marks: &BTreeSet<Mark>) -> Result<(), StoreError> {
        let op = id.0;
        let key = params![branch, op.replica.0, op.epoch.0, op.seq];
        let mut query = self.db.prepare_cached(
            "SELECT mark FROM marks WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
        )?;
        let held: BTreeSet<Vec<u8>> = query.query_map(key, |row| row.get(0))?.collect::<Result<_, _>>()?;
        let wanted: BTreeSet<Vec<u8>> = marks.iter().map(Mark::bytes).collect();
        let mut delete = self.db.prepare_cached(
            "DELETE FROM marks WHERE mark = ?1 AND branch = ?2 AND replica = ?3 AND epoch = ?4 AND seq = ?5",
        )?;
        for gone in held.difference(&wanted) {
            delete.execute(params![gone, branch, op.replica.0, op.epoch.0, op.seq])?;
        }
        let mut insert = self.db.prepare_cached("INSERT INTO marks VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for new in wanted.difference(&held) {
            insert.execute(params![new, branch, op.replica.0, op.epoch.0, op.seq])?;
        }
        Ok(())
    }

    /// Returns the documents of any kind that are found by a mark, by creator's branch and id.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn listed(&self, mark: &Mark) -> Result<Vec<DocId>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq FROM marks WHERE mark = ?1 ORDER BY branch, replica, epoch, seq",
        )?;
        let rows = query.query_map(params![mark.bytes()], |row| {
            let (replica, epoch) = (Replica(row.get(0)?), Epoch(row.get(1)?));
            Ok(DocId(OpId { replica, epoch, seq: row.get(2)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the documents of a kind that are found by a mark, by creator's branch and id.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn marked(&self, mark: &Mark, kind: u16) -> Result<Vec<DocId>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT m.replica, m.epoch, m.seq FROM marks m JOIN documents d USING (branch, replica, epoch, seq)
             WHERE m.mark = ?1 AND d.kind = ?2 ORDER BY m.branch, m.replica, m.epoch, m.seq",
        )?;
        let rows = query.query_map(params![mark.bytes(), kind], |row| {
            let (replica, epoch) = (Replica(row.get(0)?), Epoch(row.get(1)?));
            Ok(DocId(OpId { replica, epoch, seq: row.get(2)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
