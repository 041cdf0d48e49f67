//! Own ops in the log: a save alone lies loose, and many loose ones become one packed run.

use sync_protocol::chain::{Line, Link};

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::StoreError;
use crate::store::journal::{Frame, Logged};
use crate::store::run::{LOOSE_OPS_MAX, PACKED_BYTES_MAX, Run, RunKey};
use crate::store::state::End;
use crate::store::work::Work;

impl Store {
    /// Puts the ops of a save into the log, loose; many loose ones become one packed run.
    pub(in crate::store) fn log(&self, work: &mut Work, frame: &Frame) -> Result<(), StoreError> {
        let line = (self.replica(), frame.epoch);
        if let Some(own) = work.state.own.filter(|own| own.epoch != frame.epoch) {
            work.line(self, (self.replica(), own.epoch))?.end = Some((own.seq, own.link));
            work.state.unfinished.push(own.epoch);
            work.state.loose = 0;
            work.line(self, line)?.parent = frame.parent;
        }
        let mut before = frame.before;
        let many = frame.ops.len() > 1;
        for run in runs(&frame.ops) {
            let first = frame.first + run.0;
            let last = first + u64::try_from(run.1.len()).unwrap_or(u64::MAX) - 1;
            let after = run.1.iter().fold(before, |link, op| link.next(&op.row));
            let value = Run::Own { before, test_clock: frame.test_clock, ops: run.1.to_vec() };
            work.change.put(Tree::Log, &RunKey { line, last, first }.to_bytes(), value.to_bytes());
            before = after;
        }
        work.state.own = Some(End { epoch: frame.epoch, seq: frame.last(), link: before });
        work.state.loose = if many { 0 } else { work.state.loose + 1 };
        if work.state.loose >= LOOSE_OPS_MAX { self.pack_loose(work, line) } else { Ok(()) }
    }

    fn pack_loose(&self, work: &mut Work, line: Line) -> Result<(), StoreError> {
        let Some(own) = work.state.own else { return Ok(()) };
        let first = own.seq + 1 - u64::from(work.state.loose);
        let mut loose = Vec::new();
        for seq in first..=own.seq {
            let key = RunKey { line, last: seq, first: seq };
            let bytes = work.value(self, Tree::Log, &key.to_bytes())?;
            let run = bytes.and_then(|bytes| Run::decode(&bytes, key));
            let Some(run) = run else { return Ok(()) };
            let Run::Own { before, test_clock, ops } = run.run else {
                return Ok(());
            };
            work.change.remove(Tree::Log, &key.to_bytes());
            loose.push((seq, before, test_clock, ops));
        }
        for (first, last, run) in joined(loose) {
            work.change.put(Tree::Log, &RunKey { line, last, first }.to_bytes(), run.to_bytes());
        }
        work.state.loose = 0;
        Ok(())
    }
}

/// Cuts the ops of a save into runs, each with its offset.
fn runs(ops: &[Logged]) -> Vec<(u64, &[Logged])> {
    let (mut out, mut start, mut bytes) = (Vec::new(), 0, 0);
    let offset = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
    for (at, op) in ops.iter().enumerate() {
        let full = bytes + op.row.len() > PACKED_BYTES_MAX || at - start >= 256;
        if full && at > start {
            out.push((offset(start), ops.get(start..at).unwrap_or_default()));
            (start, bytes) = (at, 0);
        }
        bytes += op.row.len();
    }
    out.push((offset(start), ops.get(start..).unwrap_or_default()));
    out
}

/// Joins neighbours that were written under the same clock, within the limit of bytes.
fn joined(loose: Vec<(u64, Link, bool, Vec<Logged>)>) -> Vec<(u64, u64, Run)> {
    let mut out: Vec<(u64, u64, Run)> = Vec::new();
    let mut bytes = 0;
    for (seq, before, test, mut ops) in loose {
        let more: usize = ops.iter().map(|op| op.row.len()).sum();
        if let Some((_, last, Run::Own { test_clock, ops: run, .. })) = out.last_mut()
            && *test_clock == test
            && bytes + more <= PACKED_BYTES_MAX
        {
            run.append(&mut ops);
            *last = seq;
            bytes += more;
        } else {
            out.push((seq, seq, Run::Own { before, test_clock: test, ops }));
            bytes = more;
        }
    }
    out
}
