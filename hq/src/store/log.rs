//! Segments as received, the lines they make, HQ's rulings, and the ops that wait for others.

use std::collections::BTreeSet;

use records::id::{DocId, Epoch, OpId, Replica};

use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::ruling::{Judgement, Ruling};
use sync_protocol::segment::Segment;
use sync_protocol::sign::Signature;
use sync_protocol::stamp::Stamp;

use crate::store::engine::{Row, Value, values};
use crate::store::{Store, StoreError, bytes, read};

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

const WAIT: &str = "INSERT INTO waiting VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
     ON CONFLICT (branch, replica, epoch, seq) DO UPDATE SET doc_replica = excluded.doc_replica,
       doc_epoch = excluded.doc_epoch, doc_seq = excluded.doc_seq, behind_replica = excluded.behind_replica,
       behind_epoch = excluded.behind_epoch, behind_seq = excluded.behind_seq,
       lacks_replica = excluded.lacks_replica, lacks_epoch = excluded.lacks_epoch, lacks_seq = excluded.lacks_seq";
const LINE_PUT: &str = "INSERT INTO lines VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
     ON CONFLICT (branch, replica, epoch) DO UPDATE SET parent_epoch = excluded.parent_epoch,
       parent_seq = excluded.parent_seq, parent_link = excluded.parent_link, last = excluded.last,
       link = excluded.link, count = excluded.count";

/// Segments that one statement asks for. It always has so many places, so that a connection prepares it once.
const TOGETHER: usize = 64;

const COLUMNS: &str = "replica, epoch, first, count, link, body, signature, arrival, received_ms, skew_ms";

/// Returns the statement that reads what came lately and what was archived.
pub(super) fn both(columns: &str, which: &str, order: &str) -> String {
    format!("SELECT {columns} FROM segments {which} UNION ALL SELECT {columns} FROM archived {which} {order}")
}

fn kept(row: &Row<'_>) -> Result<Kept, StoreError> {
    let segment = Segment {
        replica: Replica(row.get(0)?),
        epoch: Epoch(row.get(1)?),
        first: row.get(2)?,
        count: row.get(3)?,
        link: Link(row.get(4)?),
        body: row.get(5)?,
        signature: Signature(row.get(6)?),
    };
    Ok(Kept { segment, arrival: row.get(7)?, came: Came { received_ms: row.get(8)?, skew_ms: row.get(9)? } })
}

fn op(row: &Row<'_>, at: usize) -> Result<OpId, StoreError> {
    Ok(OpId { replica: Replica(row.get(at)?), epoch: Epoch(row.get(at + 1)?), seq: row.get(at + 2)? })
}

fn held(row: &Row<'_>, at: usize) -> Result<Held, StoreError> {
    let parent = match (row.get::<Option<u32>>(at)?, row.get(at + 1)?, row.get::<Option<[u8; 32]>>(at + 2)?) {
        (Some(epoch), Some(seq), Some(link)) => Some(Parent { epoch: Epoch(epoch), seq, link: Link(link) }),
        _ => None,
    };
    Ok(Held { parent, last: row.get(at + 3)?, link: Link(row.get(at + 4)?), count: row.get(at + 5)? })
}

impl Store {
    /// Keeps a segment as received.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn segment_put(&self, branch: u32, kept: &Kept) -> Result<(), StoreError> {
        let Kept { segment, arrival, came } = kept;
        self.db.run("INSERT INTO segments (branch, replica, epoch, first, count, link, body, signature, arrival, received_ms,
                                       skew_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", values![
                branch,
                segment.replica.0,
                segment.epoch.0,
                segment.first,
                segment.count,
                &segment.link.0,
                &segment.body,
                &segment.signature.0,
                *arrival,
                came.received_ms,
                came.skew_ms
            ])?;
        Ok(())
    }

    /// Returns the segment that holds op `seq` of a line.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn segment_at(&self, branch: u32, line: Line, seq: u64) -> Result<Option<Kept>, StoreError> {
        // Whatever holds the op holds the same op; what is asked for is young, as a rule. Nothing comes back from the
        // archive, so what is not in the first is in the second.
        for table in ["segments", "archived"] {
            let sql = &format!(
                "SELECT {COLUMNS} FROM {table} WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
                 AND first <= ?4 AND first + count > ?4 ORDER BY first DESC LIMIT 1"
            );
            let found = self.db.one(sql, values![branch, line.0.0, line.1.0, seq], kept)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Returns when op `seq` of a line came first, and under what clock it was saved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn came(&self, branch: u32, line: Line, seq: u64) -> Result<Option<Came>, StoreError> {
        let sql = &both(
            "received_ms, skew_ms, arrival",
            "WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first > CAST(?4 AS BIGINT) - 256 AND first <= ?4 AND first + count > ?4",
            "ORDER BY arrival LIMIT 1",
        );
        let came = |row: &Row<'_>| Ok(Came { received_ms: row.get(0)?, skew_ms: row.get(1)? });
        let key = values![branch, line.0.0, line.1.0, seq];
        let Some(came) = self.db.one(sql, key, came)? else {
            return Ok(None);
        };
        let sql = "SELECT skew_ms FROM clocks WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first <= ?4 AND last >= ?4 ORDER BY first DESC LIMIT 1";
        let then: Option<i64> = self.db.one(sql, key, |row| row.get(0))?;
        Ok(Some(Came { skew_ms: then.or(came.skew_ms), ..came }))
    }

    /// Notes that ops `first ..= last` of a line were saved under a clock that was off by so much, whatever it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn clock_put(
        &self,
        branch: u32,
        line: Line,
        (first, last): (u64, u64),
        skew_ms: i64,
    ) -> Result<(), StoreError> {
        self.db.run(
            "INSERT INTO clocks VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (branch, replica, epoch, first)
             DO UPDATE SET last = excluded.last, skew_ms = excluded.skew_ms",
            values![branch, line.0.0, line.1.0, first, last, skew_ms],
        )?;
        Ok(())
    }

    /// Returns the segments of a line that begin with any of these ops. Of those that begin with the same one, the first
    /// here is what brought it; a longer one that came later is another.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn segments_from(&self, branch: u32, line: Line, firsts: &[u64]) -> Result<Vec<Kept>, StoreError> {
        let places: Vec<String> = (4..4 + TOGETHER).map(|at| format!("?{at}")).collect();
        let which =
            format!("WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND first IN ({})", places.join(", "));
        let sql = both(COLUMNS, &which, "ORDER BY arrival");
        let firsts: BTreeSet<u64> = firsts.iter().copied().collect();
        let firsts: Vec<u64> = firsts.into_iter().collect();
        let mut found = Vec::new();
        for firsts in firsts.chunks(TOGETHER) {
            let mut key = values![branch, line.0.0, line.1.0].to_vec();
            key.extend(firsts.iter().map(|first| Value::from(*first)));
            // No op has number 0.
            key.resize(3 + TOGETHER, Value::Int(0));
            found.extend(self.db.all(&sql, &key, kept)?);
        }
        Ok(found)
    }

    /// Hands every segment to `each`, those of the archive too, in order of arrival.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError`].
    pub fn each_segment<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(u32, Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = both(&format!("{COLUMNS}, branch"), "", "ORDER BY arrival");
        self.db.each(&sql, &[], |row| each(row.get(10)?, kept(row)?))
    }

    /// Returns how far a line is held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn line(&self, branch: u32, line: Line) -> Result<Option<Held>, StoreError> {
        let sql = "SELECT parent_epoch, parent_seq, parent_link, last, link, count FROM lines
             WHERE branch = ?1 AND replica = ?2 AND epoch = ?3";
        self.db.one(sql, values![branch, line.0.0, line.1.0], |row| held(row, 0))
    }

    /// Returns every line of one replica, by epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lines(&self, branch: u32, replica: Replica) -> Result<Vec<(Epoch, Held)>, StoreError> {
        let sql = "SELECT epoch, parent_epoch, parent_seq, parent_link, last, link, count FROM lines
             WHERE branch = ?1 AND replica = ?2 ORDER BY epoch";
        self.db.all(sql, values![branch, replica.0], |row| Ok((Epoch(row.get(0)?), held(row, 1)?)))
    }

    /// Returns HQ's order of arrival of a line's first and last segments; `None` where nothing of it is held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn line_arrivals(&self, branch: u32, line: Line) -> Result<Option<(u64, u64)>, StoreError> {
        let sql = &format!(
            "SELECT MIN(arrival), MAX(arrival) FROM ({}) AS held",
            both("arrival", "WHERE branch = ?1 AND replica = ?2 AND epoch = ?3", "")
        );
        let key = values![branch, line.0.0, line.1.0];
        let found = self.db.one(sql, key, |row| Ok(row.get::<Option<u64>>(0)?.zip(row.get(1)?)))?;
        Ok(found.flatten())
    }

    /// Sets how far a line is held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn line_put(&self, branch: u32, line: Line, held: &Held) -> Result<(), StoreError> {
        let parent = held.parent.as_ref();
        self.db.run(
            LINE_PUT,
            values![
                branch,
                line.0.0,
                line.1.0,
                parent.map(|parent| parent.epoch.0),
                parent.map(|parent| parent.seq),
                parent.map(|parent| &parent.link.0),
                held.last,
                &held.link.0,
                held.count
            ],
        )?;
        Ok(())
    }

    /// Returns how many ops are held in all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ops(&self) -> Result<u64, StoreError> {
        self.db.only(
            "SELECT CAST((SELECT COALESCE(SUM(count), 0) FROM lines) + (SELECT COUNT(*) FROM islands) AS BIGINT)",
            &[],
        )
    }

    /// Keeps a ruling.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ruling_put(&self, branch: u32, ruling: &Ruling) -> Result<(), StoreError> {
        self.db.run(
            "INSERT INTO rulings VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (branch, replica, epoch, first, version) DO UPDATE SET body = excluded.body",
            values![branch, ruling.replica.0, ruling.epoch.0, ruling.first, ruling.version, &bytes(ruling)],
        )?;
        Ok(())
    }

    /// Returns the rulings that touch ops `from ..= to` of a line, by first op, then version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rulings(&self, branch: u32, line: Line, from: u64, to: u64) -> Result<Vec<Ruling>, StoreError> {
        let sql = "SELECT body FROM rulings WHERE branch = ?1 AND replica = ?2 AND epoch = ?3
             AND first > CAST(?4 AS BIGINT) - 256 AND first <= ?5 ORDER BY first, version";
        let mut rulings: Vec<Ruling> =
            self.db.all(sql, values![branch, line.0.0, line.1.0, from, to], |row| {
                read("rulings", &row.get::<Vec<u8>>(0)?)
            })?;
        rulings.retain(|ruling| ruling.first.saturating_add(u64::from(ruling.count)) > from);
        Ok(rulings)
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
    /// [`StoreError`].
    pub fn wait(&self, branch: u32, op: OpId, doc: DocId, lack: Lack) -> Result<(), StoreError> {
        let Lack { behind, missing } = lack;
        self.db.run(
            WAIT,
            values![
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
            ],
        )?;
        Ok(())
    }

    /// Notes that an op waits no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn wait_no_more(&self, branch: u32, op: OpId) -> Result<(), StoreError> {
        self.db.run(
            "DELETE FROM waiting WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
            values![branch, op.replica.0, op.epoch.0, op.seq],
        )?;
        Ok(())
    }

    /// Returns whether any op waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn anything_waits(&self) -> Result<bool, StoreError> {
        self.db.only("SELECT EXISTS (SELECT 1 FROM waiting)", &[])
    }

    /// Returns every op that waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_ops(&self) -> Result<Vec<OpId>, StoreError> {
        let sql = "SELECT replica, epoch, seq FROM waiting ORDER BY branch, replica, epoch, seq";
        self.db.all(sql, &[], |row| op(row, 0))
    }

    /// Returns whether any op of a replica on a document waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn anything_waits_on(&self, doc: DocId, replica: Replica) -> Result<bool, StoreError> {
        self.db.only(ANYTHING_WAITS_ON, values![doc.0.replica.0, doc.0.epoch.0, doc.0.seq, replica.0])
    }

    /// Returns the last op of `line` up to `last` that waits on a document, and what HQ lacks for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_on(&self, doc: DocId, line: Line, last: u64) -> Result<Option<Lack>, StoreError> {
        let key = values![doc.0.replica.0, doc.0.epoch.0, doc.0.seq, line.0.0, line.1.0, last];
        let lack = |row: &Row<'_>| Ok(Lack { behind: op(row, 0)?, missing: op(row, 3)? });
        self.db.one(WAITING_ON, key, lack)
    }

    /// Returns the ops that wait behind ops `first ..= last` of a line, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_behind(
        &self,
        line: Line,
        (first, last): (u64, u64),
    ) -> Result<Vec<(u32, OpId)>, StoreError> {
        let sql = "SELECT branch, replica, epoch, seq FROM waiting
             WHERE behind_replica = ?1 AND behind_epoch = ?2 AND behind_seq BETWEEN ?3 AND ?4
             ORDER BY replica, epoch, seq";
        let key = values![line.0.0, line.1.0, first, last];
        self.db.all(sql, key, |row| Ok((row.get(0)?, op(row, 1)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_on_a_document_is_found_without_looking_at_what_waits_on_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("hq.sqlite")).unwrap();
        let crate::store::engine::Engine::Sqlite(engine) = &store.db else { panic!("a file is SQLite") };
        for sql in [ANYTHING_WAITS_ON, WAITING_ON] {
            let plan = engine.plan(sql);
            assert!(plan.contains("waiting_doc") && plan.contains("replica=?"), "{plan}");
            assert!(!plan.contains("SCAN waiting") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
