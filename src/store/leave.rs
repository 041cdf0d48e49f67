//! Documents that leave what this device may see: others' ops go, own ones stay, and none goes before HQ has them.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, OpId};
use sync_protocol::chain::Line;
use sync_protocol::op::Row;

use crate::store::Store;
use crate::store::apply::Applied;
use crate::store::database::Tree;
use crate::store::error::{Part, StoreError};
use crate::store::run::{Decoded, Run, RunKey};
use crate::store::state::LEAVING_KEY;
use crate::store::work::Work;

impl Store {
    /// A document that was to leave and of which more comes has come back: it stays.
    pub(in crate::store) fn stay(
        &self,
        work: &mut Work,
        line: Line,
        rows: &[(u64, Row)],
    ) -> Result<(), StoreError> {
        let leaving = self.leaving()?;
        if leaving.is_empty() {
            return Ok(());
        }
        let (replica, epoch) = line;
        let named = |(seq, row): &(u64, Row)| row.document(OpId { replica, epoch, seq: *seq });
        let back: BTreeSet<DocId> = rows.iter().map(named).collect();
        if leaving.iter().any(|doc| back.contains(doc)) {
            put_leaving(work, leaving.into_iter().filter(|doc| !back.contains(doc)).collect());
        }
        Ok(())
    }

    /// Returns the documents that are to leave.
    pub(in crate::store) fn leaving(&self) -> Result<Vec<DocId>, StoreError> {
        match self.get(Tree::Meta, LEAVING_KEY)? {
            Some(bytes) => postcard::from_bytes(&bytes).map_err(|_| self.damaged(Part::Database)),
            None => Ok(Vec::new()),
        }
    }

    /// Lets documents go that left the scope, those with unsent own ops later.
    pub(in crate::store) fn evict(&mut self, applied: &mut Applied) -> Result<(), StoreError> {
        let leaving = self.leaving()?;
        if leaving.is_empty() {
            return Ok(());
        }
        let mut work = self.work();
        let (mut later, mut gone) = (Vec::new(), BTreeSet::new());
        for doc in leaving {
            if self.has_unsent(doc)? {
                later.push(doc);
            } else if let Some(entry) = work.forget(self, doc)? {
                applied.evicted += 1;
                gone.extend(entry.op_ids().filter(|id| id.replica != self.replica()));
            }
        }
        self.drop_runs(&mut work, &gone)?;
        put_leaving(&mut work, later);
        self.commit(work)
    }

    fn has_unsent(&self, doc: DocId) -> Result<bool, StoreError> {
        let Some(entry) = self.entry(doc)? else {
            return Ok(false);
        };
        for id in entry.op_ids().filter(|id| id.replica == self.replica()) {
            // What came back from HQ is there, whatever it signed for of what was written here.
            let written = |run: std::sync::Arc<Decoded>| matches!(run.run, Run::Own { .. });
            if self.line((id.replica, id.epoch))?.held < id.seq && self.run_of(id)?.is_some_and(written) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes others' ops out of every run that holds them; what remains of a run stays as an extract.
    pub(in crate::store) fn drop_runs(
        &self,
        work: &mut Work,
        ops: &BTreeSet<OpId>,
    ) -> Result<(), StoreError> {
        let mut lines: BTreeMap<Line, BTreeSet<u64>> = BTreeMap::new();
        for id in ops {
            lines.entry((id.replica, id.epoch)).or_default().insert(id.seq);
        }
        if !lines.is_empty() {
            work.forget_words();
        }
        for (line, seqs) in lines {
            let mut dropped = BTreeSet::new();
            let mut remains = Vec::new();
            for key in self.runs_with(line, &seqs)? {
                let run = self.run(key)?;
                let (gone, kept): (Vec<_>, Vec<_>) =
                    run.rows.iter().cloned().partition(|(seq, _)| seqs.contains(seq));
                if !gone.is_empty() {
                    dropped.extend(gone.into_iter().map(|(seq, _)| seq));
                    work.change.remove(Tree::Log, &key.to_bytes());
                    remains.push(kept);
                }
            }
            for kept in remains {
                if let Some((key, run)) = self.extract_of(line, kept)? {
                    self.put_run(work, key, &run)?;
                }
            }
            let dropped = u64::try_from(dropped.len()).unwrap_or(u64::MAX);
            work.state.ops = work.state.ops.saturating_sub(dropped);
        }
        Ok(())
    }

    /// Returns the runs of a line that span one of these ops.
    fn runs_with(&self, line: Line, seqs: &BTreeSet<u64>) -> Result<Vec<RunKey>, StoreError> {
        let from = RunKey { line, last: seqs.first().copied().unwrap_or(0), first: 0 };
        let mut keys = Vec::new();
        self.keys_from(Tree::Log, &from.to_bytes(), &mut |bytes| {
            let key = RunKey::from_bytes(bytes).filter(|key| key.line == line);
            keys.extend(key.filter(|key| seqs.range(key.first..=key.last.max(key.first)).next().is_some()));
            Ok(key.is_some())
        })?;
        Ok(keys)
    }
}

/// Notes which documents are to leave.
pub(in crate::store) fn put_leaving(work: &mut Work, mut docs: Vec<DocId>) {
    docs.sort_unstable();
    docs.dedup();
    let bytes = postcard::to_allocvec(&docs).unwrap_or_default();
    work.change.put(Tree::Meta, LEAVING_KEY, bytes);
}

#[cfg(test)]
mod tests {
    use sync_protocol::message::Item;

    use super::*;
    use crate::store::testing::{NOW, answer, create, home, note, other};
    use crate::store::write::On;

    #[test]
    fn a_document_leaves_only_when_the_own_work_on_it_is_sent() {
        let ((_a, mut mine), (dir, mut theirs)) = (home(), other());
        let left = DocId(mine.save(vec![create(b"left")], NOW).unwrap()[0]);
        let stays = DocId(mine.save(vec![create(b"stays")], NOW).unwrap()[0]);
        let segments = mine.unsent(usize::MAX, usize::MAX).unwrap();
        let items: Vec<Item> = segments.iter().cloned().map(Item::Segment).collect();
        let (page, proof) = answer(&[], items.clone(), vec![], 1);
        theirs.apply(&page, &proof, NOW).unwrap();
        theirs.save(vec![note(On::Document(left), b"mine")], NOW).unwrap();
        let (page, proof) = answer(&[], vec![Item::Evict(left)], vec![], 2);
        assert_eq!(theirs.apply(&page, &proof, NOW).unwrap().evicted, 0);
        assert!(theirs.document(left).unwrap().is_some());
        let own = theirs.unsent(usize::MAX, usize::MAX).unwrap();
        let (page, proof) = answer(&own, vec![], vec![], 3);
        assert_eq!(theirs.apply(&page, &proof, NOW).unwrap().evicted, 1);
        assert!(theirs.document(left).unwrap().is_none());
        assert!(theirs.document(stays).unwrap().is_some());
        assert_eq!((theirs.counts().unwrap().ops, theirs.counts().unwrap().documents), (2, 1));
        // Coming back into scope brings what others wrote; the own op never left.
        let (page, proof) = answer(&[], items, vec![], 4);
        theirs.apply(&page, &proof, NOW).unwrap();
        assert_eq!(theirs.document(left).unwrap().unwrap().ops.len(), 2);
        assert_eq!(theirs.counts().unwrap().ops, 3);
        drop(theirs);
        assert_eq!(Store::open(dir.path(), NOW).unwrap().counts().unwrap().ops, 3);
    }

    #[test]
    fn a_document_that_comes_back_before_it_left_stays() {
        let ((_a, mut mine), (_b, mut theirs)) = (home(), other());
        let doc = DocId(mine.save(vec![create(b"x")], NOW).unwrap()[0]);
        let items: Vec<Item> =
            mine.unsent(usize::MAX, usize::MAX).unwrap().into_iter().map(Item::Segment).collect();
        let (page, proof) = answer(&[], items.clone(), vec![], 1);
        theirs.apply(&page, &proof, NOW).unwrap();
        theirs.save(vec![note(On::Document(doc), b"unsent")], NOW).unwrap();
        for (at, items) in [(2, vec![Item::Evict(doc)]), (3, items)] {
            let (page, proof) = answer(&[], items, vec![], at);
            assert_eq!(theirs.apply(&page, &proof, NOW).unwrap().evicted, 0);
        }
        let own = theirs.unsent(usize::MAX, usize::MAX).unwrap();
        let (page, proof) = answer(&own, vec![], vec![], 4);
        assert_eq!(theirs.apply(&page, &proof, NOW).unwrap().evicted, 0);
        assert_eq!(theirs.document(doc).unwrap().unwrap().ops.len(), 2);
    }
}
