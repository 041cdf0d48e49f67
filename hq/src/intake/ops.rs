//! Judging one op after the other: into its document, or to wait for what it builds on.

use std::collections::VecDeque;

use records::id::{DocId, OpId};
use sync_protocol::chain::Line;
use sync_protocol::limits::STAMP_AHEAD_MS;
use sync_protocol::merge::Judged;
use sync_protocol::op::Row;
use sync_protocol::reason;
use sync_protocol::ruling::{Judgement, Verdict};

use crate::intake::desk::Desk;
use crate::intake::guard::Asked;
use crate::intake::judge::{Author, Case, judge};
use crate::intake::segments::{Job, Run};
use crate::intake::stretch::{Stretch, told};
use crate::intake::work::{NOWHERE, Work};
use crate::store::StoreError;
use crate::store::log::Lack;

/// One op with its name and document.
#[derive(Clone, Copy)]
pub(super) struct Op<'a> {
    pub(super) id: OpId,
    pub(super) doc: DocId,
    pub(super) row: &'a Row,
}

impl Desk {
    /// Judges one op and puts it into its document; `given` is a verdict that stands already.
    pub(super) fn judge_one(
        &mut self,
        job: &mut Job,
        author: &Author,
        op: Op<'_>,
        given: Option<Verdict>,
        (order, cap_ms, version): (u64, u64, u8),
    ) -> Result<Verdict, StoreError> {
        let missing = if author.hq { None } else { self.missing(job, op.id, op.doc, op.row)? };
        let verdict = match (given, missing) {
            (Some(verdict), _) => verdict,
            (None, Some(lack)) => {
                let branch = self.home(op.id.replica)?.unwrap_or(0);
                self.store.wait(branch, op.id, op.doc, lack)?;
                job.waits = Some(true);
                return Ok(Verdict::Deferred { missing: lack.missing });
            }
            (None, None) => {
                self.load(job, op.doc, op.row.doc.is_none() && version == 1)?;
                let lines = self.lines();
                let work = job.works.entry(op.doc).or_default();
                // One that is judged again is not part of what it was written on.
                if work.ops.iter().any(|known| known.id == op.id) {
                    work.ops.retain(|known| known.id != op.id);
                    work.document = None;
                    work.stale = true;
                }
                work.fold(lines);
                let creation = op.row.doc.is_none();
                if !creation && work.ops.is_empty() {
                    let code = reason::NO_DOCUMENT;
                    Verdict::Quarantined { code, text: String::new(), retryable: false }
                } else {
                    let case = Case {
                        id: op.id,
                        row: op.row,
                        author,
                        document: work.document.as_ref(),
                        ops: &work.ops,
                        lines,
                        people: &work.people,
                        scope: work.scope,
                    };
                    let verdict = judge(&case);
                    match Asked::of(&case).filter(|_| verdict == Verdict::Accepted) {
                        Some(asked) => self.guard(job, author, op, &asked)?,
                        None => verdict,
                    }
                }
            }
        };
        self.load(job, op.doc, op.row.doc.is_none() && version == 1)?;
        let work = job.works.entry(op.doc).or_default();
        if work.ops.is_empty() {
            // A record belongs to the branch in which its author works as it comes; HQ's own go where their people are.
            work.scope = if author.hq { NOWHERE } else { author.branch };
        }
        if op.row.doc.is_none() || !work.ops.is_empty() {
            let judgement = Judgement {
                order,
                effective: op.row.stamp.effective(cap_ms),
                verdict: verdict.clone(),
                version,
            };
            work.ops.retain(|known| known.id != op.id);
            work.ops.push(Judged { id: op.id, row: op.row.clone(), judgement: Some(judgement) });
            work.added.push(op.id);
            work.stale = true;
        }
        Ok(verdict)
    }

    /// Returns the first op that this one builds on and that HQ lacks, or holds back for want of another one.
    pub(super) fn missing(
        &mut self,
        job: &mut Job,
        id: OpId,
        doc: DocId,
        row: &Row,
    ) -> Result<Option<Lack>, StoreError> {
        let own = row.doc.is_some().then_some(doc.0);
        for op in row.seen.iter().copied().chain(own) {
            let line = (op.replica, op.epoch);
            if line == (id.replica, id.epoch) {
                continue;
            }
            let Some(branch) = self.home(op.replica)? else {
                return Ok(Some(Lack::of(op)));
            };
            let last = self.store.line(branch, line)?.map_or(0, |held| held.last);
            if last < op.seq && self.store.island(branch, op)?.is_none() {
                return Ok(Some(Lack::of(op)));
            }
            self.trace(branch, line)?;
        }
        if job.waits.is_none() {
            job.waits = Some(self.store.anything_waits()?);
        }
        if row.doc.is_none() || job.waits == Some(false) {
            return Ok(None);
        }
        let own = (id.replica, id.epoch);
        let seen = row.seen.iter().map(|op| ((op.replica, op.epoch), op.seq));
        for end in seen.chain([(own, id.seq.saturating_sub(1))]) {
            if let Some(lack) = self.held_up(doc, end)? {
                return Ok(Some(lack));
            }
        }
        Ok(None)
    }

    /// Returns the nearest op on `doc` of a line, or of those that it hangs from, that still waits: whatever stands before
    /// it on this document waits no longer than it does, so nobody has to be asked twice.
    fn held_up(&mut self, doc: DocId, end: (Line, u64)) -> Result<Option<Lack>, StoreError> {
        if !self.store.anything_waits_on(doc, end.0.0)? {
            return Ok(None);
        }
        let mut at = Some(end);
        // More steps than lines would be a circle.
        for _ in 0..=self.lines().len() {
            let Some((line, last)) = at else { break };
            if let Some(lack) = self.store.waiting_on(doc, line, last)? {
                return Ok(Some(lack));
            }
            let parent = self.lines().get(&line);
            at = parent.map(|(epoch, seq)| ((line.0, *epoch), *seq));
        }
        Ok(None)
    }

    /// Judges the ops that waited behind something that is there now. Each waits behind one op at a time, and goes on only
    /// when that one does: so often at most as it names others.
    pub(super) fn judge_waiting(&mut self, job: &mut Job, received_ms: u64) -> Result<(), StoreError> {
        let came = |run: &Run| {
            let count = u64::try_from(run.ops.len()).unwrap_or(0);
            (run.line, (run.first, run.first.saturating_add(count).saturating_sub(1)))
        };
        let mut there: VecDeque<(Line, (u64, u64))> = job.runs.iter().map(came).collect();
        while let Some((line, seqs)) = there.pop_front() {
            for (branch, id) in self.store.waiting_behind(line, seqs)? {
                if self.judge_again(job, branch, id, received_ms)? {
                    there.push_back(((id.replica, id.epoch), (id.seq, id.seq)));
                }
            }
        }
        Ok(())
    }

    /// Judges an op that waited; returns whether it waits no more.
    pub(super) fn judge_again(
        &mut self,
        job: &mut Job,
        branch: u32,
        id: OpId,
        received_ms: u64,
    ) -> Result<bool, StoreError> {
        let (Some(row), Some(author)) = (self.row(id)?, self.author(id.replica)?) else {
            return Ok(false);
        };
        self.store.wait_no_more(branch, id)?;
        let line = (id.replica, id.epoch);
        let doc = row.document(id);
        self.trace(branch, line)?;
        let op = Op { id, doc, row: &row };
        let restored = self.store.restored_from()?.is_some();
        if restored && let Some(lack) = self.lacks(job, op)? {
            self.store.wait(branch, id, doc, lack)?;
            return Ok(false);
        }
        // What this job said of it is not in the database yet.
        let kept = self.store.judgement(branch, id, row.stamp)?.map(|judgement| judgement.version);
        let known = kept.max(job.version_of(line, id.seq));
        let later = |version: u8| known.map_or(version, |known| known.max(version).saturating_add(1));
        let proven = if restored { self.store.proven(id)? } else { None };
        let (at, given) = match &proven {
            Some(ruling) => {
                let ((order, cap_ms, version), verdict) = told(ruling, id.seq);
                ((order, cap_ms, later(version)), verdict)
            }
            None => {
                let version = known.map_or(1, |version| version.saturating_add(1));
                let order = self.store.count_up("order", 1)?;
                ((order, received_ms.saturating_add(STAMP_AHEAD_MS), version), None)
            }
        };
        let verdict = self.judge_one(job, &author, op, given, at)?;
        if matches!(verdict, Verdict::Deferred { .. }) {
            return Ok(false);
        }
        let stretch = Stretch { branch, line, order: at.0, cap_ms: at.1, refused: None };
        job.rule(&stretch, id.seq, (doc, verdict), at, proven.is_some());
        Ok(true)
    }

    /// Loads a document and its ops, once a job; a document that is being created has none.
    pub(super) fn load(&mut self, job: &mut Job, doc: DocId, created: bool) -> Result<(), StoreError> {
        if job.works.contains_key(&doc) {
            return Ok(());
        }
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let creator = match job.creators.get(&doc.0.replica) {
            Some(creator) => *creator,
            None => self.store.device(doc.0.replica)?.and_then(|device| device.staff),
        };
        job.creators.insert(doc.0.replica, creator);
        let mut work = Work { home, creator, ..Work::default() };
        let known = if created { None } else { self.store.known(home, doc)? };
        if let Some(known) = known {
            for id in &known.ops {
                let op = self.judged(*id)?.ok_or(StoreError::Damaged { table: "documents" })?;
                let branch = self.home(id.replica)?.unwrap_or(0);
                self.trace(branch, (id.replica, id.epoch))?;
                work.ops.push(op);
            }
            work.scope = known.scope;
            work.people.clone_from(&known.people);
            work.before = Some(known);
            work.stale = true;
        }
        job.works.insert(doc, work);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
