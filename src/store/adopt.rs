//! Saves that are written again under new names: those behind a hole in the journal, and those of a forked branch.
//!
//! A frame that does not read and that no checkpoint had yet is lost, and with it the link to what was saved after it.
//! What was saved after it is not: it goes into a new epoch that hangs from the last op before the hole, each op naming
//! the one it is written again from. The hole itself is told by `doctor`.
//!
//! Source: docs/STORAGE.md, Journal and Forks.

use std::collections::BTreeSet;

use records::id::{DocId, OpId};
use sync_protocol::op::Row;
use sync_protocol::stamp::Stamp;

use crate::clock::Now;
use crate::store::Store;
use crate::store::database::Tree;
use crate::store::epoch::Opening;
use crate::store::error::StoreError;
use crate::store::journal::Frame;
use crate::store::renamed::{self, Names};
use crate::store::run::{Run, RunKey};
use crate::store::write::{Again, NewOp, On, ids};

/// What an op that is written again says that its author had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Past {
    /// What is known now: of what stood in a hole nobody knows what it had seen.
    Known,
    /// What it said: others' ops may have come since, and he has not seen them.
    Said,
}

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
        if !orphans.is_empty() {
            let mut again: BTreeSet<OpId> = self.written_again()?.into_keys().collect();
            for aside in crate::store::aside::all(&self.home, &self.keys)? {
                // One that was forked twice is written again twice.
                again.extend(rows(&aside.frames).filter_map(|row| row.forked_from));
            }
            orphans.retain(|frame| !ids(self.replica(), frame).any(|id| again.contains(&id)));
        }
        Ok(orphans)
    }

    /// Writes saves behind a hole again, with the time they had. What adds to a document whose creation was in
    /// the hole has nothing to hang from: it stays in the journal, and `doctor` names it.
    ///
    /// # Errors
    /// Those of saving; the next opening then goes on with it.
    pub(in crate::store) fn adopt(&mut self, orphans: Vec<Frame>, now: Now) -> Result<(), StoreError> {
        if orphans.is_empty() {
            return Ok(());
        }
        let mut names = Names::new();
        for orphan in orphans {
            self.write_again(&orphan, &mut names, Past::Known, now)?;
        }
        // Only now is nothing behind the hole left to be met again.
        let mut work = self.work();
        work.state.journal = self.journal.end();
        self.commit(work)?;
        self.checkpoint()
    }

    /// Writes one save again at the end of the own log, under the names that its documents have now; returns whether
    /// that could be done: what it adds to may not be here.
    pub(in crate::store) fn write_again(
        &mut self,
        old: &Frame,
        names: &mut Names,
        past: Past,
        now: Now,
    ) -> Result<bool, StoreError> {
        let old_ids: Vec<OpId> = ids(self.replica(), old).collect();
        let mut work = self.work();
        let tip = self.tip(now)?;
        // Links among the save's own documents follow them, so the new names are needed before the ops are built.
        let mut all = names.clone();
        all.extend(old_ids.iter().copied().zip(tip.ids(self.replica())));
        let Some((stamp, ops, seen)) = renamed_ops(old, &old_ids, &all) else {
            return Ok(false);
        };
        let again = Again { frame: old, seen: (past == Past::Said).then_some(seen) };
        let frame = match self.build(&mut work, ops, tip, stamp, old.test_clock, Some(&again)) {
            Err(StoreError::NoDocument(_) | StoreError::Limit { .. }) => return Ok(false),
            other => other?,
        };
        self.append(&frame)?;
        self.opening = Opening::Continues;
        if let Some(token) = &mut self.token {
            token.write(now.boot, frame.epoch, frame.last());
        }
        names.extend(old_ids.into_iter().zip(ids(self.replica(), &frame)));
        if past == Past::Said {
            work.state.journal = self.journal.end();
        }
        self.log(&mut work, &frame)?;
        self.commit(work)?;
        Ok(true)
    }

    /// Returns what became of every own op that was written again.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn written_again(&self) -> Result<Names, StoreError> {
        let mut names = Names::new();
        let from = self.replica().0.to_be_bytes();
        self.keys_from(Tree::Log, &from, &mut |bytes| {
            let key = RunKey::from_bytes(bytes).filter(|key| key.line.0 == self.replica());
            let Some(key) = key else { return Ok(false) };
            let run = self.run(key)?;
            if matches!(run.run, Run::Own { .. }) {
                for (seq, row) in &run.rows {
                    let new = OpId { replica: key.line.0, epoch: key.line.1, seq: *seq };
                    names.extend(row.forked_from.map(|old| (old, new)));
                }
            }
            Ok(true)
        })?;
        Ok(names)
    }
}

pub(in crate::store) fn rows(frames: &[Frame]) -> impl Iterator<Item = Row> {
    let ops = frames.iter().flat_map(|frame| &frame.ops);
    ops.filter_map(|op| Row::from_bytes(&op.row).ok())
}

/// A save's stamp, its ops under new names, and what each had seen.
type Renamed = (Stamp, Vec<NewOp>, Vec<Vec<OpId>>);

/// Returns a save with the names that its documents have now; `None` where it does not read.
fn renamed_ops(frame: &Frame, old: &[OpId], names: &Names) -> Option<Renamed> {
    let rows: Vec<Row> = rows(std::slice::from_ref(frame)).collect();
    let stamp = rows.first()?.stamp;
    let seen = rows.iter().map(|row| row.seen.clone()).collect();
    let ops = rows.into_iter().zip(&frame.ops).map(|(row, op)| {
        let on = match row.doc {
            None => On::Create,
            Some(DocId(doc)) => match old.iter().position(|id| *id == doc) {
                Some(at) => On::CreatedBy(at),
                None => On::Document(DocId(renamed::op(doc, names))),
            },
        };
        let writes = row.writes.into_iter().map(|write| renamed::write(row.kind, write, names)).collect();
        NewOp { kind: row.kind, schema: row.schema, on, writes, local: op.local }
    });
    Some((stamp, ops.collect(), seen))
}
