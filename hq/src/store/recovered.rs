//! What devices show of a lost database: single ops beside the segments, and rulings of ops that may still come.

use records::id::{OpId, Replica};
use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::message::Extract;
use sync_protocol::op::Row;
use sync_protocol::ruling::{Ruling, Verdict};

use crate::store::engine::values;
use crate::store::{Store, StoreError, bytes, read};

impl Store {
    /// Keeps one op of a line whose ops before it may be missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn island_put(
        &self,
        branch: u32,
        id: OpId,
        parent: Option<&Parent>,
        row: &Row,
    ) -> Result<(), StoreError> {
        self.db.run(
            "INSERT INTO islands VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            values![
                branch,
                id.replica.0,
                id.epoch.0,
                id.seq,
                parent.map(|parent| parent.epoch.0),
                parent.map(|parent| parent.seq),
                parent.map(|parent| &parent.link.0),
                &row.to_bytes()
            ],
        )?;
        Ok(())
    }

    /// Returns an op that stands alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn island(&self, branch: u32, id: OpId) -> Result<Option<Row>, StoreError> {
        let sql = "SELECT row FROM islands WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        let found: Option<Vec<u8>> =
            self.db.one(sql, values![branch, id.replica.0, id.epoch.0, id.seq], |row| row.get(0))?;
        found.map(|bytes| island(&bytes)).transpose()
    }

    /// Returns where the line of some op that stands alone hangs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn island_parent(&self, branch: u32, line: Line) -> Result<Option<Parent>, StoreError> {
        let sql = "SELECT parent_epoch, parent_seq, parent_link FROM islands
             WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND parent_epoch IS NOT NULL LIMIT 1";
        self.db.one(sql, values![branch, line.0.0, line.1.0], |row| {
            Ok(Parent { epoch: records::id::Epoch(row.get(0)?), seq: row.get(1)?, link: Link(row.get(2)?) })
        })
    }

    /// Returns the ops from `first` to `last` of a line that stand alone, by seq.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn islands(
        &self,
        branch: u32,
        line: Line,
        (first, last): (u64, u64),
    ) -> Result<Vec<(u64, Row)>, StoreError> {
        let sql = "SELECT seq, row FROM islands WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND seq >= ?4 AND seq <= ?5 ORDER BY seq";
        let key = values![branch, line.0.0, line.1.0, first, last];
        self.db.all(sql, key, |row| Ok((row.get(0)?, island(&row.get::<Vec<u8>>(1)?)?)))
    }

    /// Hands every op that stands alone to `each`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_island(&self, mut each: impl FnMut(OpId, Row)) -> Result<(), StoreError> {
        let sql = "SELECT replica, epoch, seq, row FROM islands ORDER BY 1, 2, 3";
        self.db.each(sql, &[], |row| {
            let epoch = records::id::Epoch(row.get(1)?);
            let id = OpId { replica: Replica(row.get(0)?), epoch, seq: row.get(2)? };
            each(id, island(&row.get::<Vec<u8>>(3)?)?);
            Ok(())
        })
    }

    /// Forgets the ops from `first` to `last` that stood alone: a segment holds them now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn islands_joined(
        &self,
        branch: u32,
        line: Line,
        (first, last): (u64, u64),
    ) -> Result<(), StoreError> {
        self.db.run("DELETE FROM islands WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq >= ?4 AND seq <= ?5", values![branch, line.0.0, line.1.0, first, last])?;
        Ok(())
    }

    /// Keeps an extract whose author is not known again yet; the same one twice is kept once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stranger_put(&self, extract: &Extract) -> Result<(), StoreError> {
        let extracted = bytes(extract);
        let hash = sync_protocol::chain::sha256(&[&extracted]);
        self.db.run(
            "INSERT INTO strangers VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            values![extract.replica.0, &hash, &extracted],
        )?;
        Ok(())
    }

    /// Takes out the extracts of an author who was not known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn strangers_take(&self, replica: Replica) -> Result<Vec<Extract>, StoreError> {
        let sql = "DELETE FROM strangers WHERE replica = ?1 RETURNING extract";
        self.db.all(sql, values![replica.0], |row| read("strangers", &row.get::<Vec<u8>>(0)?))
    }

    /// Keeps a ruling that HQ's own signature proved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn proven_put(&self, ruling: &Ruling) -> Result<(), StoreError> {
        self.db.run(
            "INSERT INTO proven VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            values![
                ruling.replica.0,
                ruling.epoch.0,
                ruling.first,
                ruling.count,
                ruling.version,
                ruling.order,
                &bytes(ruling)
            ],
        )?;
        Ok(())
    }

    /// Returns whether any ruling was proven.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn anything_proven(&self) -> Result<bool, StoreError> {
        self.db.only("SELECT EXISTS (SELECT 1 FROM proven)", &[])
    }

    /// Returns the ruling that was proven of one op; of several the highest version, then the earliest order.
    ///
    /// One by which the op had to wait is none: what it waits for decides.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn proven(&self, id: OpId) -> Result<Option<Ruling>, StoreError> {
        let sql = "SELECT body FROM proven WHERE replica = ?1 AND epoch = ?2 AND first <= ?3 AND first > CAST(?3 AS BIGINT) - 256
             AND first + count > ?3 ORDER BY version DESC, first_order + ?3 - first";
        let key = values![id.replica.0, id.epoch.0, id.seq];
        let rulings: Vec<Ruling> = self.db.all(sql, key, |row| read("proven", &row.get::<Vec<u8>>(0)?))?;
        for ruling in rulings {
            let judgement = ruling.of(id.seq, sync_protocol::stamp::Stamp::default());
            if judgement.is_some_and(|judgement| !matches!(judgement.verdict, Verdict::Deferred { .. })) {
                return Ok(Some(ruling));
            }
        }
        Ok(None)
    }
}

fn island(bytes: &[u8]) -> Result<Row, StoreError> {
    Row::from_bytes(bytes).map_err(|_| StoreError::Damaged { table: "islands" })
}
