//! By what documents about money are found beside their number: claimant, voucher, the claim that they are about.

use std::collections::BTreeSet;

use records::id::{DocId, Epoch, OpId, Replica};

use crate::store::engine::{Row, values};
use crate::store::{Store, StoreError, bytes};

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
    /// A conflict of it, or an entry that was refused, waits for a person.
    Unsettled,
}

impl Mark {
    fn bytes(&self) -> Vec<u8> {
        let (tag, rest) = match self {
            Self::Key(key) => (b'k', key.as_bytes().to_vec()),
            Self::Staff(id) => (b's', bytes(id)),
            Self::Unit(id) => (b'u', bytes(id)),
            Self::Claim(id) => (b'c', bytes(id)),
            Self::Trace(mark) => (b't', mark.clone()),
            Self::Unsettled => (b'!', Vec::new()),
        };
        [vec![tag], rest].concat()
    }
}

fn id(row: &Row<'_>) -> Result<DocId, StoreError> {
    let (replica, epoch) = (Replica(row.get(0)?), Epoch(row.get(1)?));
    Ok(DocId(OpId { replica, epoch, seq: row.get(2)? }))
}

impl Store {
    /// Enters what a document is found by, in place of what it was found by before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn marks_put(&self, branch: u32, id: DocId, marks: &BTreeSet<Mark>) -> Result<(), StoreError> {
        let op = id.0;
        let key = values![branch, op.replica.0, op.epoch.0, op.seq];
        let sql = "SELECT mark FROM marks WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        let held: BTreeSet<Vec<u8>> = self.db.all(sql, key, |row| row.get(0))?.into_iter().collect();
        let wanted: BTreeSet<Vec<u8>> = marks.iter().map(Mark::bytes).collect();
        let delete =
            "DELETE FROM marks WHERE mark = ?1 AND branch = ?2 AND replica = ?3 AND epoch = ?4 AND seq = ?5";
        for gone in held.difference(&wanted) {
            self.db.run(delete, values![gone, branch, op.replica.0, op.epoch.0, op.seq])?;
        }
        let insert = "INSERT INTO marks VALUES (?1, ?2, ?3, ?4, ?5)";
        for new in wanted.difference(&held) {
            self.db.run(insert, values![new, branch, op.replica.0, op.epoch.0, op.seq])?;
        }
        Ok(())
    }

    /// Returns the documents of any kind that are found by a mark, by creator's branch and id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn listed(&self, mark: &Mark) -> Result<Vec<DocId>, StoreError> {
        let sql =
            "SELECT replica, epoch, seq FROM marks WHERE mark = ?1 ORDER BY branch, replica, epoch, seq";
        self.db.all(sql, values![&mark.bytes()], id)
    }

    /// Returns the documents of a kind that are found by a mark, by creator's branch and id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn marked(&self, mark: &Mark, kind: u16) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT m.replica, m.epoch, m.seq FROM marks m JOIN documents d USING (branch, replica, epoch, seq)
             WHERE m.mark = ?1 AND d.kind = ?2 ORDER BY m.branch, m.replica, m.epoch, m.seq";
        self.db.all(sql, values![&mark.bytes(), kind], id)
    }
}
