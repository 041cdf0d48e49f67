//! Views from segments: everything that is shown can be made again, and must come out equal.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, OpId};
use sync_protocol::columns;
use sync_protocol::merge::Document;
use sync_protocol::segment::Body;

use crate::intake::desk::Desk;
use crate::intake::work::{NOWHERE, Work};
use crate::store::StoreError;

/// What was made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// Ops read.
    pub ops: u64,
    /// Documents folded.
    pub documents: u64,
    /// Documents that were not as their ops make them; they are now, after [`Desk::rebuild`].
    pub differed: u64,
}

impl Desk {
    /// Folds every document from the segments and compares it with the index; with `mend` the index is put right.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rebuild(&mut self, mend: bool) -> Result<Rebuilt, StoreError> {
        let mut digests: BTreeMap<DocId, Option<[u8; 16]>> = BTreeMap::new();
        self.store.each_document::<StoreError>(None, |_, indexed| {
            // A bit that turned in the document leaves its digest beside it as it was: only together are they whole.
            let whole = indexed.document.digest() == indexed.digest;
            digests.insert(indexed.document.id, whole.then_some(indexed.digest));
            Ok(())
        })?;
        let mut rebuilt = Rebuilt { ops: 0, documents: 0, differed: 0 };
        for (doc, ops) in self.all_ops()? {
            rebuilt.ops += u64::try_from(ops.len()).unwrap_or(0);
            let mut work = self.folded(doc, ops)?;
            let Some(digest) = work.document.as_ref().map(Document::digest) else {
                continue;
            };
            rebuilt.documents += 1;
            let differs = digests.remove(&doc).flatten() != Some(digest);
            rebuilt.differed += u64::from(differs);
            let Some(card) = mend.then(|| work.card(None)).flatten() else {
                continue;
            };
            if differs {
                self.learn(&card.indexed.document)?;
                self.index(&[card])?;
            } else {
                self.index_money(std::slice::from_ref(&card))?;
                self.store.concerns_put(&[card])?;
            }
        }
        rebuilt.differed += u64::try_from(digests.len()).unwrap_or(0);
        Ok(rebuilt)
    }

    /// Every document's ops, without those that wait; out of the segments alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn all_ops(&self) -> Result<BTreeMap<DocId, Vec<OpId>>, StoreError> {
        let waiting: BTreeSet<OpId> = self.store.waiting_ops()?.into_iter().collect();
        let mut all: BTreeMap<DocId, Vec<OpId>> = BTreeMap::new();
        self.store.each_segment::<StoreError>(|_, kept| {
            let damaged = StoreError::Damaged { table: "segments" };
            let Ok(body) = Body::from_bytes(&kept.segment.body) else {
                return Err(damaged);
            };
            let seqs: Vec<u64> = kept.segment.ids().map(|id| id.seq).collect();
            let Ok(rows) = columns::decode(&body.rows, kept.segment.line(), &seqs) else {
                return Err(damaged);
            };
            for (id, row) in kept.segment.ids().zip(rows) {
                let ops = all.entry(row.document(id)).or_default();
                if !waiting.contains(&id) && !ops.contains(&id) {
                    ops.push(id);
                }
            }
            Ok(())
        })?;
        self.store.each_island(|id, row| {
            if !waiting.contains(&id) {
                all.entry(row.document(id)).or_default().push(id);
            }
        })?;
        Ok(all)
    }

    /// Folds a document from its ops, as the index should have it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn folded(&mut self, doc: DocId, ops: Vec<OpId>) -> Result<Work, StoreError> {
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let creator = self.store.device(doc.0.replica)?.and_then(|device| device.staff);
        // Where its author worked when he made it is told by the index alone.
        let known = self.store.known(home, doc)?.map(|known| known.scope);
        let scope = if creator.is_some() { known.unwrap_or(home) } else { NOWHERE };
        let mut work = Work { home, creator, scope, stale: true, ..Work::default() };
        for id in ops {
            let home = self.home(id.replica)?.unwrap_or(0);
            self.trace(home, (id.replica, id.epoch))?;
            work.ops.extend(self.judged(id)?);
        }
        work.fold(self.lines());
        self.rescope(&mut work)?;
        Ok(work)
    }
}
