//! By what documents about money are found beside their number: claimant, voucher, the claim that they are about.

use std::collections::BTreeSet;

use records::id::{DocId, Epoch, OpId, Replica};

use crate::store::engine::{Row, Value, values};
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

/// What one document is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Its creator's branch.
    pub branch: u32,
    /// Which document.
    pub id: DocId,
    /// All that it is found by now.
    pub marks: BTreeSet<Mark>,
    /// Whether nothing was ever entered of it.
    pub new: bool,
}

impl Marked {
    fn row<'a>(&self, mark: &'a [u8]) -> Vec<Value<'a>> {
        let id = self.id.0;
        values![mark, self.branch, id.replica.0, id.epoch.0, id.seq].to_vec()
    }
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
    /// Enters what documents are found by, in place of what they were found by before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn marks_put(&self, marked: &[Marked]) -> Result<(), StoreError> {
        let mut more: Vec<(&Marked, Vec<u8>)> = Vec::new();
        for of in marked {
            let held = if of.new { BTreeSet::new() } else { self.marks(of.branch, of.id)? };
            let wanted: BTreeSet<Vec<u8>> = of.marks.iter().map(Mark::bytes).collect();
            for gone in held.difference(&wanted) {
                let sql = "DELETE FROM marks WHERE mark = ?1 AND branch = ?2 AND replica = ?3 AND epoch = ?4 AND seq = ?5";
                self.db.run(sql, &of.row(gone))?;
            }
            more.extend(wanted.into_iter().filter(|mark| !held.contains(mark)).map(|mark| (of, mark)));
        }
        let rows: Vec<_> = more.iter().map(|(of, mark)| of.row(mark)).collect();
        self.db.run_each("INSERT INTO marks VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING", &rows)
    }

    fn marks(&self, branch: u32, id: DocId) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let key = values![branch, id.0.replica.0, id.0.epoch.0, id.0.seq];
        let sql = "SELECT mark FROM marks WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        Ok(self.db.all(sql, key, |row| row.get(0))?.into_iter().collect())
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
