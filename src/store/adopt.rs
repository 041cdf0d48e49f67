//! Saves that stand in the journal behind a hole: their log does not reach them, so they are written again.
//!
//! A frame that does not read and that no checkpoint had yet is lost, and with it the link to what was saved after it.
//! What was saved after it is not: it goes into a new epoch that hangs from the last op before the hole, each op naming
//! the one it is written again from. The hole itself is told by `doctor`.
//!
//! Source: docs/STORAGE.md, Trouble.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, OpId};
use sync_protocol::op::Row;

use crate::clock::Now;
use crate::store::Store;
use crate::store::epoch::Opening;
use crate::store::error::StoreError;
use crate::store::journal::Frame;
use crate::store::write::{NewOp, On, ids};

impl Store {
    /// Returns the saves of which nothing is in the log, neither as they are nor written again.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn orphans(&self, frames: Vec<Frame>) -> Result<Vec<Frame>, StoreError> {
        let adopted: BTreeSet<OpId> = rows(&frames).filter_map(|row| row.forked_from).collect();
        let mut orphans = Vec::new();
        for frame in frames.into_iter().filter(|frame| !frame.ops.is_empty()) {
            let Some(first) = ids(self.replica(), &frame).next() else {
                continue;
            };
            if !adopted.contains(&first) && self.run_of(first)?.is_none() {
                orphans.push(frame);
            }
        }
        Ok(orphans)
    }

    /// Writes saves again under a new epoch, with the time they had. What adds to a document whose creation was in
    /// the hole has nothing to hang from: it stays in the journal, and `doctor` names it.
    ///
    /// # Errors
    /// Those of saving; the next opening then goes on with it.
    pub(in crate::store) fn adopt(&mut self, orphans: Vec<Frame>, now: Now) -> Result<(), StoreError> {
        if orphans.is_empty() {
            return Ok(());
        }
        let mut names: BTreeMap<OpId, OpId> = BTreeMap::new();
        for orphan in orphans {
            let old: Vec<OpId> = ids(self.replica(), &orphan).collect();
            let Some((stamp, ops)) = written_again(&orphan, &old, &names) else {
                continue;
            };
            let mut work = self.work();
            let tip = self.tip(now)?;
            let frame = match self.build(&mut work, ops, tip, stamp, orphan.test_clock, Some(&orphan)) {
                Err(StoreError::NoDocument(_)) => continue,
                other => other?,
            };
            self.append(&frame)?;
            self.opening = Opening::Continues;
            if let Some(token) = &mut self.token {
                token.write(now.boot, frame.epoch, frame.last());
            }
            names.extend(old.into_iter().zip(ids(self.replica(), &frame)));
            self.log(&mut work, &frame)?;
            self.commit(work)?;
        }
        // Only now is nothing behind the hole left to be met again.
        let mut work = self.work();
        work.state.journal = self.journal.end();
        self.commit(work)?;
        self.checkpoint()
    }
}

fn rows(frames: &[Frame]) -> impl Iterator<Item = Row> {
    let ops = frames.iter().flat_map(|frame| &frame.ops);
    ops.filter_map(|op| Row::from_bytes(&op.row).ok())
}

/// Returns the stamp and the ops of a save, with the names that its documents have now; `None` where it does not read.
fn written_again(
    frame: &Frame,
    old: &[OpId],
    names: &BTreeMap<OpId, OpId>,
) -> Option<(sync_protocol::stamp::Stamp, Vec<NewOp>)> {
    let rows: Vec<Row> = rows(std::slice::from_ref(frame)).collect();
    let stamp = rows.first()?.stamp;
    let ops = rows.into_iter().zip(&frame.ops).map(|(row, op)| {
        let on = match row.doc {
            None => On::Create,
            Some(DocId(doc)) => match old.iter().position(|id| *id == doc) {
                Some(at) => On::CreatedBy(at),
                None => On::Document(DocId(names.get(&doc).copied().unwrap_or(doc))),
            },
        };
        NewOp { kind: row.kind, schema: row.schema, on, writes: row.writes, local: op.local }
    });
    Some((stamp, ops.collect()))
}
