//! What is put into the log: own ops, loose at first and then many in one packed run, and the runs that HQ brings.

use sync_protocol::chain::{Line, Link};
use sync_protocol::message::Extract;
use sync_protocol::op::Row;

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

    /// Puts a run into the log. Two extracts may have the same ends and other ops between: what only the one that is
    /// here has goes into a narrower one.
    pub(in crate::store) fn put_run(
        &self,
        work: &mut Work,
        key: RunKey,
        run: &Run,
    ) -> Result<(), StoreError> {
        let bytes = run.to_bytes();
        let known = work.value(self, Tree::Log, &key.to_bytes())?;
        let rows = |bytes: &[u8]| Run::decode(bytes, key).map_or_else(Vec::new, |run| run.rows);
        let (old, new) = (known.map_or_else(Vec::new, |old| rows(&old)), rows(&bytes));
        if new.is_empty() && !old.is_empty() {
            return Ok(());
        }
        work.change.put(Tree::Log, &key.to_bytes(), bytes);
        if !old.is_empty() {
            work.forget_words();
        }
        let is_new = |seq: u64| new.binary_search_by_key(&seq, |row| row.0).is_ok();
        let rest: Vec<(u64, Row)> = old.into_iter().filter(|(seq, _)| !is_new(*seq)).collect();
        match self.extract_of(key.line, rest)? {
            Some((narrower, run)) => self.put_run(work, narrower, &run),
            None => Ok(()),
        }
    }

    /// Returns rows of one line as an extract; `None` of none.
    pub(in crate::store) fn extract_of(
        &self,
        line: Line,
        rows: Vec<(u64, Row)>,
    ) -> Result<Option<(RunKey, Run)>, StoreError> {
        let (seqs, rows): (Vec<u64>, Vec<Row>) = rows.into_iter().unzip();
        let (Some(first), Some(last)) = (seqs.first().copied(), seqs.last().copied()) else {
            return Ok(None);
        };
        let extract = Extract {
            replica: line.0,
            epoch: line.1,
            parent: self.line(line)?.parent,
            rows: sync_protocol::columns::encode(&rows, line, &seqs),
            seqs,
        };
        Ok(Some((RunKey { line, last, first }, Run::Extract(extract))))
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

#[cfg(test)]
mod tests {
    use records::id::DocId;
    use sync_protocol::message::Item;
    use sync_protocol::segment::{Body, Segment};

    use super::*;
    use crate::store::testing::{NOW, answer, create, home, other};

    fn extract(segment: &Segment, seqs: &[u64]) -> Item {
        let all: Vec<u64> = segment.ids().map(|id| id.seq).collect();
        let body = Body::from_bytes(&segment.body).unwrap();
        let rows = sync_protocol::columns::decode(&body.rows, segment.line(), &all).unwrap();
        let rows: Vec<Row> =
            all.into_iter().zip(rows).filter(|(seq, _)| seqs.contains(seq)).map(|(_, row)| row).collect();
        Item::Extract(Extract {
            replica: segment.replica,
            epoch: segment.epoch,
            parent: None,
            rows: sync_protocol::columns::encode(&rows, segment.line(), seqs),
            seqs: seqs.to_vec(),
        })
    }

    #[test]
    fn extracts_with_the_same_ends_keep_the_ops_of_both() {
        let ((_a, mut mine), (_b, mut theirs)) = (home(), other());
        let docs: Vec<DocId> =
            (0..4).map(|_| DocId(mine.save(vec![create(b"x")], NOW).unwrap()[0])).collect();
        let segment = mine.unsent(usize::MAX, usize::MAX).unwrap().remove(0);
        for (at, seqs) in [(1, [1, 2, 4]), (2, [1, 3, 4])] {
            theirs.keep_words(&[b"made of the run before"]).unwrap();
            let (page, proof) = answer(&[], vec![extract(&segment, &seqs)], vec![], at);
            theirs.apply(&page, &proof, NOW).unwrap();
            assert_eq!(theirs.words().pieces().len(), 2 - usize::try_from(at).unwrap());
        }
        theirs.recent.clear();
        for doc in &docs {
            assert_eq!(theirs.document(*doc).unwrap().unwrap().ops.len(), 1);
        }
        assert_eq!(theirs.doctor().unwrap().faults, []);
        // And what leaves, leaves every run that holds it.
        theirs.keep_words(&[b"made of the runs before"]).unwrap();
        let again = vec![Item::Segment(segment), Item::Evict(docs[0])];
        let (page, proof) = answer(&[], again, vec![], 3);
        assert_eq!(theirs.apply(&page, &proof, NOW).unwrap().evicted, 1);
        assert!(theirs.words().pieces().is_empty());
        assert_eq!(theirs.counts().unwrap().ops, 3);
        assert_eq!(theirs.doctor().unwrap().faults, []);
        let mut left = Vec::new();
        theirs.each_op(&mut |id, _| left.push(DocId(id))).unwrap();
        assert!(left.iter().all(|doc| docs[1..].contains(doc)) && left.contains(&docs[1]), "{left:?}");
    }
}
