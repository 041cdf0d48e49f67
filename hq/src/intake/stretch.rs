//! Ops of one line that arrive together: each with a verdict of its own, or with the one that HQ gave before a restore.

use sync_protocol::chain::Line;
use sync_protocol::op::Row;
use sync_protocol::ruling::{Ruling, Verdict};

use records::id::{DocId, OpId};

use crate::intake::desk::Desk;
use crate::intake::judge::Author;
use crate::intake::ops::Op;
use crate::intake::segments::{Job, Run};
use crate::store::StoreError;
use crate::store::log::Lack;

/// What all ops that arrive together share.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    /// The branch under which the line is kept.
    pub(super) branch: u32,
    /// Whose log.
    pub(super) line: Line,
    /// HQ's order of arrival of the first; of the others one by one.
    pub(super) order: u64,
    /// Received + 10 minutes.
    pub(super) cap_ms: u64,
    /// Why none of them can count.
    pub(super) refused: Option<Verdict>,
}

/// An op's place in HQ's word: order, cap in milliseconds, version.
pub(super) type At = (u64, u64, u8);

impl Desk {
    /// Judges ops in their order; those that HQ ruled on before a restore keep verdict, order and effective time.
    pub(super) fn judge_stretch<'a>(
        &mut self,
        job: &mut Job,
        stretch: &Stretch,
        author: &Author,
        ops: impl Iterator<Item = (u64, &'a Row)>,
    ) -> Result<(), StoreError> {
        let restored = self.store.restored_from()?.is_some();
        job.before = job.runs.len();
        for (order, (seq, row)) in (stretch.order..).zip(ops) {
            let id = OpId { replica: stretch.line.0, epoch: stretch.line.1, seq };
            let op = Op { id, doc: row.document(id), row };
            let proven = if restored { self.store.proven(id)? } else { None };
            let mut at = (order, stretch.cap_ms, 1);
            let mut given = stretch.refused.clone();
            if let Some(ruling) = &proven {
                (at, given) = told(ruling, seq);
            }
            if restored && let Some(lack) = self.lacks(job, op)? {
                self.store.wait(stretch.branch, id, op.doc, lack)?;
                job.waits = Some(true);
                if proven.is_none() {
                    let missing = lack.missing;
                    job.rule(stretch, seq, (op.doc, Verdict::Deferred { missing }), at, false);
                }
                continue;
            }
            let verdict = self.judge_one(job, author, op, given, at)?;
            job.rule(stretch, seq, (op.doc, verdict), at, proven.is_some());
        }
        Ok(())
    }

    /// Returns what an op builds on and HQ lacks, where parts of any log may be missing.
    pub(super) fn lacks(&mut self, job: &mut Job, op: Op<'_>) -> Result<Option<Lack>, StoreError> {
        if op.row.doc.is_some() && self.row(op.doc.0)?.is_none() {
            return Ok(Some(Lack::of(op.doc.0)));
        }
        self.missing(job, op.id, op.doc, op.row)
    }
}

/// Returns what a ruling says of one of its ops.
pub(super) fn told(ruling: &Ruling, seq: u64) -> (At, Option<Verdict>) {
    let at = (ruling.order.saturating_add(seq.saturating_sub(ruling.first)), ruling.cap_ms, ruling.version);
    let judgement = ruling.of(seq, sync_protocol::stamp::Stamp::default());
    (at, judgement.map(|judgement| judgement.verdict))
}

impl Job {
    /// Returns the version of the last word on an op that this job said; `None` where it said none.
    pub(super) fn version_of(&self, line: Line, seq: u64) -> Option<u8> {
        let says = |run: &&Run| {
            let n_ops = u64::try_from(run.ops.len()).unwrap_or(u64::MAX);
            run.line == line && seq.checked_sub(run.first).is_some_and(|at| at < n_ops)
        };
        self.runs.iter().filter(says).map(|run| run.version).max()
    }

    /// Adds HQ's word on one op, to the last run of the same stretch where it goes on with it.
    pub(super) fn rule(
        &mut self,
        stretch: &Stretch,
        seq: u64,
        ruled: (DocId, Verdict),
        (order, cap_ms, version): At,
        stands: bool,
    ) {
        let goes_on = |run: &&mut Run| {
            let n_ops = u64::try_from(run.ops.len()).unwrap_or(u64::MAX);
            let next = (run.first.saturating_add(n_ops), run.order.saturating_add(n_ops));
            (run.line, run.cap_ms, run.version, run.stands) == (stretch.line, cap_ms, version, stands)
                && next == (seq, order)
                && n_ops < 256
        };
        let opened = self.runs.len() > self.before;
        match self.runs.last_mut().filter(|_| opened).filter(goes_on) {
            Some(run) => run.ops.push(ruled),
            None => self.runs.push(Run {
                branch: stretch.branch,
                line: stretch.line,
                first: seq,
                ops: vec![ruled],
                order,
                cap_ms,
                version,
                whole: false,
                stands,
            }),
        }
    }
}
