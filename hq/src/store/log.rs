//! Segments as received, the lines they make, HQ's rulings, and the ops that wait for others.

use records::id::{DocId, Epoch, OpId, Replica};
use rusqlite::{OptionalExtension, Row, params};
use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::ruling::{Judgement, Ruling};
use sync_protocol::segment::Segment;
use sync_protocol::sign::Signature;
use sync_protocol::stamp::Stamp;

use super::{Store, StoreError, bytes, read};

/// How far HQ holds one line, without holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Where it hangs.
    pub parent: Option<Parent>,
    /// The last seq.
    pub last: u64,
    /// The chain value there.
    pub link: Link,
    /// How many ops.
    pub count: u64,
}

/// A segment with the circumstances of its arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// As received.
    pub segment: Segment,
    /// HQ's order of arrival of its first new op.
    pub arrival: u64,
    /// When it came, and from what clock.
    pub came: Came,
}

/// When something came, and how far the clock was off that it was written under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// HQ's time, milliseconds UTC.
    pub received_ms: u64,
    /// The author's wall clock less HQ's, milliseconds, as he pushed; `None` where nobody can say: HQ's own ops, and
    /// what was carried by hand.
    pub skew_ms: Option<i64>,
}

/// Why an op waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// The op that has to come, or to wait no more, before this one is judged again.
    pub behind: OpId,
    /// What HQ lacks, in the end.
    pub missing: OpId,
}

impl Lack {
    /// Waits for an op that is not here.
    #[must_use]
    pub fn of(missing: OpId) -> Self {
        Self { behind: missing, missing }
    }
}

const ANYTHING_WAITS_ON: &str = "SELECT EXISTS (SELECT 1 FROM waiting
     WHERE doc_replica = ?1 AND doc_epoch = ?2 AND doc_seq = ?3 AND replica = ?4)";
const WAITING_ON: &str = "SELECT replica, epoch, seq, lacks_replica, lacks_epoch, lacks_seq FROM waiting
     WHERE doc_replica = ?1 AND doc_epoch = ?2 AND doc_seq = ?3 AND replica = ?4 AND epoch = ?5 AND seq <= ?6
     ORDER BY seq DESC LIMIT 1";

const COLUMNS: &str = "replica, epoch, first, count, link, body, signature, arrival, received_ms, skew_ms";

fn array<const N: usize>(row: &Row<'_>, at: usize) -> rusqlite::Result<[u8; N]> {
    row.get::<_, [u8; N]>(at)
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let segment = Segment {
        replica: Replica(row.get(0)?),
        epoch: Epoch(row.get(1)?),
        first: row.get(2)?,
        count: row.get(3)?,
        link: Link(array(row, 4)?),
        body: row.get(5)?,
        signature: Signature(array(row, 6)?),
    };
    Ok(Kept { segment, arrival: row.get(7)?, came: Came { received_ms: row.get(8)?, skew_ms: row.get(9)? } })
}

fn op(row: &Row<'_>, at: usize) -> rusqlite::Result<OpId> {
    Ok(OpId { replica: Replica(row.get(at)?), epoch: Epoch(row.get(at + 1)?), seq: row.get(at + 2)? })
}

fn held(row: &Row<'_>, at: usize) -> rusqlite::Result<Held> {
    let parent =
        match (row.get::<_, Option<u32>>(at)?, row.get(at + 1)?, row.get::<_, Option<[u8; 32]>>(at + 2)?) {
            (Some(epoch), Some(seq), Some(link)) => {
                Some(Parent { epoch: Epoch(epoch), seq, link: Link(link) })
            }
            _ => None,
        };
    Ok(Held { parent, last: row.get(at + 3)?, link: Link(array(row, at + 4)?), count: row.get(at + 5)? })
}

impl Store {
    /// Keeps a segment as received.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn segment_put(&self, branch: u32, kept: &Kept) -> Result<(), StoreError> {
        let Kept { segment, arrival, came } = kept;
        self.db
            .prepare_cached(
                "INSERT INTO segments (branch, replica, epoch, first, count, link, body, signature, arrival, received_ms,
                                       skew_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                branch,
                segment.replica.0,
                segment.epoch.0,
                segment.first,
                segment.count,
                segment.link.0,
                segment.body,
                segment.signature.0,
                arrival,
                came.received_ms,
                came.skew_ms
            ])?;
        Ok(())
    }

    /// Returns the segment that holds op `seq` of a line.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn segment_at(&self, branch: u32, line: Line, seq: u64) -> Result<Option<Kept>, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM segments WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first <= ?4 AND first + count > ?4 ORDER BY first DESC LIMIT 1"
        ))?;
        Ok(query.query_row(params![branch, line.0.0, line.1.0, seq], kept).optional()?)
    }

    /// Returns when op `seq` of a line came first, and under what clock it was saved.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn came(&self, branch: u32, line: Line, seq: u64) -> Result<Option<Came>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT received_ms, skew_ms FROM segments WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first > ?4 - 256 AND first <= ?4 AND first + count > ?4 ORDER BY arrival LIMIT 1",
        )?;
        let came = |row: &Row<'_>| Ok(Came { received_ms: row.get(0)?, skew_ms: row.get(1)? });
        let key = params![branch, line.0.0, line.1.0, seq];
        let Some(came) = query.query_row(key, came).optional()? else {
            return Ok(None);
        };
        let mut query = self.db.prepare_cached(
            "SELECT skew_ms FROM clocks WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first <= ?4 AND last >= ?4 ORDER BY first DESC LIMIT 1",
        )?;
        let then: Option<i64> = query.query_row(key, |row| row.get(0)).optional()?;
        Ok(Some(Came { skew_ms: then.or(came.skew_ms), ..came }))
    }

    /// Notes that ops `first ..= last` of a line were saved under a clock that was off by so much, whatever it is now.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn clock_put(
        &self,
        branch: u32,
        line: Line,
        (first, last): (u64, u64),
        skew_ms: i64,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO clocks VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![branch, line.0.0, line.1.0, first, last, skew_ms])?;
        Ok(())
    }

    /// Returns the segment that brought op `first` as its first; a longer one that came later is another.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn segment_from(&self, branch: u32, line: Line, first: u64) -> Result<Option<Kept>, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM segments WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND first = ?4
             ORDER BY arrival LIMIT 1"
        ))?;
        Ok(query.query_row(params![branch, line.0.0, line.1.0, first], kept).optional()?)
    }

    /// Hands every segment to `each`, in order of arrival.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError::Sqlite`].
    pub fn each_segment<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(u32, Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("SELECT {COLUMNS}, branch FROM segments ORDER BY arrival");
        let mut query = self.db.prepare(&sql).map_err(StoreError::from)?;
        let mut rows = query.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let branch = row.get(10).map_err(StoreError::from)?;
            each(branch, kept(row).map_err(StoreError::from)?)?;
        }
        Ok(())
    }

    /// Returns how far a line is held.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn line(&self, branch: u32, line: Line) -> Result<Option<Held>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT parent_epoch, parent_seq, parent_link, last, link, count FROM lines
             WHERE branch = ?1 AND replica = ?2 AND epoch = ?3",
        )?;
        Ok(query.query_row(params![branch, line.0.0, line.1.0], |row| held(row, 0)).optional()?)
    }

    /// Returns every line of one replica, by epoch.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn lines(&self, branch: u32, replica: Replica) -> Result<Vec<(Epoch, Held)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT epoch, parent_epoch, parent_seq, parent_link, last, link, count FROM lines
             WHERE branch = ?1 AND replica = ?2 ORDER BY epoch",
        )?;
        let rows =
            query.query_map(params![branch, replica.0], |row| Ok((Epoch(row.get(0)?), held(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns HQ's order of arrival of a line's first and last segments; `None` where nothing of it is held.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn line_arrivals(&self, branch: u32, line: Line) -> Result<Option<(u64, u64)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT MIN(arrival), MAX(arrival) FROM segments WHERE branch = ?1 AND replica = ?2 AND epoch = ?3",
        )?;
        let key = params![branch, line.0.0, line.1.0];
        let (first, last) = query.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (first, last): (Option<u64>, Option<u64>) = (first, last);
        Ok(first.zip(last))
    }

    /// Sets how far a line is held.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn line_put(&self, branch: u32, line: Line, held: &Held) -> Result<(), StoreError> {
        let parent = held.parent.as_ref();
        self.db
            .prepare_cached("INSERT OR REPLACE INTO lines VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute(params![
            branch,
            line.0.0,
            line.1.0,
            parent.map(|parent| parent.epoch.0),
            parent.map(|parent| parent.seq),
            parent.map(|parent| parent.link.0),
            held.last,
            held.link.0,
            held.count
        ])?;
        Ok(())
    }

    /// Returns how many ops are held in all.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn ops(&self) -> Result<u64, StoreError> {
        Ok(self.db.query_row(
            "SELECT (SELECT COALESCE(SUM(count), 0) FROM lines) + (SELECT COUNT(*) FROM islands)",
            [],
            |row| row.get(0),
        )?)
    }

    /// Keeps a ruling.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn ruling_put(&self, branch: u32, ruling: &Ruling) -> Result<(), StoreError> {
        self.db.prepare_cached("INSERT OR REPLACE INTO rulings VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
            params![branch, ruling.replica.0, ruling.epoch.0, ruling.first, ruling.version, bytes(ruling)],
        )?;
        Ok(())
    }

    /// Returns the rulings that touch ops `from ..= to` of a line, by first op, then version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rulings(&self, branch: u32, line: Line, from: u64, to: u64) -> Result<Vec<Ruling>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT body FROM rulings WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first > ?4 - 256 AND first <= ?5 ORDER BY first, version",
        )?;
        let rows =
            query.query_map(params![branch, line.0.0, line.1.0, from, to], |row| row.get::<_, Vec<u8>>(0))?;
        let mut out = Vec::new();
        for row in rows {
            let ruling: Ruling = read("rulings", &row?)?;
            if ruling.first.saturating_add(u64::from(ruling.count)) > from {
                out.push(ruling);
            }
        }
        Ok(out)
    }

    /// Returns what HQ said of one op: the ruling with the highest version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn judgement(&self, branch: u32, id: OpId, stamp: Stamp) -> Result<Option<Judgement>, StoreError> {
        let rulings = self.rulings(branch, (id.replica, id.epoch), id.seq, id.seq)?;
        Ok(rulings
            .iter()
            .filter_map(|ruling| ruling.of(id.seq, stamp))
            .max_by_key(|judgement| judgement.version))
    }

    /// Notes that an op on a document waits for another one, or for something else now.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn wait(&self, branch: u32, op: OpId, doc: DocId, lack: Lack) -> Result<(), StoreError> {
        let Lack { behind, missing } = lack;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO waiting
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                branch,
                op.replica.0,
                op.epoch.0,
                op.seq,
                doc.0.replica.0,
                doc.0.epoch.0,
                doc.0.seq,
                behind.replica.0,
                behind.epoch.0,
                behind.seq,
                missing.replica.0,
                missing.epoch.0,
                missing.seq
            ])?;
        Ok(())
    }

    /// Notes that an op waits no more.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn wait_no_more(&self, branch: u32, op: OpId) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "DELETE FROM waiting WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
            )?
            .execute(params![branch, op.replica.0, op.epoch.0, op.seq])?;
        Ok(())
    }

    /// Returns whether any op waits.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn anything_waits(&self) -> Result<bool, StoreError> {
        let mut query = self.db.prepare_cached("SELECT EXISTS (SELECT 1 FROM waiting)")?;
        Ok(query.query_row([], |row| row.get(0))?)
    }

    /// Returns every op that waits.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn waiting_ops(&self) -> Result<Vec<OpId>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT replica, epoch, seq FROM waiting")?;
        let rows = query.query_map([], |row| op(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns whether any op of a replica on a document waits.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn anything_waits_on(&self, doc: DocId, replica: Replica) -> Result<bool, StoreError> {
        let mut query = self.db.prepare_cached(ANYTHING_WAITS_ON)?;
        let key = params![doc.0.replica.0, doc.0.epoch.0, doc.0.seq, replica.0];
        Ok(query.query_row(key, |row| row.get(0))?)
    }

    /// Returns the last op of `line` up to `last` that waits on a document, and what HQ lacks for it.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn waiting_on(&self, doc: DocId, line: Line, last: u64) -> Result<Option<Lack>, StoreError> {
        let mut query = self.db.prepare_cached(WAITING_ON)?;
        let key = params![doc.0.replica.0, doc.0.epoch.0, doc.0.seq, line.0.0, line.1.0, last];
        let lack = |row: &Row<'_>| Ok(Lack { behind: op(row, 0)?, missing: op(row, 3)? });
        Ok(query.query_row(key, lack).optional()?)
    }

    /// Returns the ops that wait behind ops `first ..= last` of a line, by name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn waiting_behind(
        &self,
        line: Line,
        (first, last): (u64, u64),
    ) -> Result<Vec<(u32, OpId)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT branch, replica, epoch, seq FROM waiting
             WHERE behind_replica = ?1 AND behind_epoch = ?2 AND behind_seq BETWEEN ?3 AND ?4
             ORDER BY replica, epoch, seq",
        )?;
        let key = params![line.0.0, line.1.0, first, last];
        let rows = query.query_map(key, |row| Ok((row.get(0)?, op(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_on_a_document_is_found_without_looking_at_what_waits_on_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("hq.sqlite")).unwrap();
        for sql in [ANYTHING_WAITS_ON, WAITING_ON] {
            let mut query = store.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let none = vec![0_u32; query.parameter_count()];
            let plan: Vec<String> = query
                .query_map(rusqlite::params_from_iter(none), |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            let plan = plan.join("; ");
            assert!(plan.contains("waiting_doc") && plan.contains("replica=?"), "{plan}");
            assert!(!plan.contains("SCAN waiting") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
