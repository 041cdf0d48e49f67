//! Comparing with HQ, document by document, where the digests over all of them differ.
//!
//! Source: docs/PROTOCOL.md, Anti-entropy.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::id::{DocId, OpId};
use serde::{Deserialize, Serialize};
use sync_protocol::asides::{Differing, HeldDocument};
use sync_protocol::digest::{Buckets, bucket_of};

use crate::store::Store;
use crate::store::error::StoreError;

/// Ops of one document that a difference lists, at most, of either end.
const OPS_LISTED_MAX: usize = 64;

/// A document that the two ends hold differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The document.
    pub doc: DocId,
    /// Its digest here; `None` where it is not here.
    pub here: Option<[u8; 16]>,
    /// Its digest at HQ; `None` where HQ does not hold it for this device.
    pub hq: Option<[u8; 16]>,
    /// Ops that are only here, at most 64.
    pub only_here: Vec<OpId>,
    /// Ops that are only at HQ, at most 64.
    pub only_at_hq: Vec<OpId>,
}

impl Store {
    /// Returns the digest of every document on whose ops HQ has ruled, by id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn digests(&self) -> Result<BTreeMap<DocId, [u8; 16]>, StoreError> {
        let mut documents = BTreeMap::new();
        self.each_entry(None, &mut |entry| {
            if self.all_ruled(&entry)? {
                documents.insert(entry.id, entry.digest);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(documents)
    }

    /// Returns the hashes that HQ compares with its own.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn buckets(&self) -> Result<Buckets, StoreError> {
        Ok(Buckets::of(self.digests()?))
    }

    /// Returns the documents of the listed buckets that are not as HQ holds them, by id.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn differences(&self, theirs: &Differing) -> Result<Vec<Difference>, StoreError> {
        let ours = self.digests()?;
        let listed: BTreeMap<DocId, &HeldDocument> =
            theirs.documents.iter().map(|held| (held.doc, held)).collect();
        let mut docs: Vec<DocId> =
            ours.keys().copied().filter(|doc| theirs.buckets.contains(&bucket_of(*doc))).collect();
        docs.extend(listed.keys());
        docs.sort_unstable();
        docs.dedup();
        let mut differences = Vec::new();
        for doc in docs {
            let (here, hq) = (ours.get(&doc).copied(), listed.get(&doc).copied());
            if here != hq.map(|held| held.digest) {
                differences.push(self.difference(doc, here, hq)?);
            }
        }
        Ok(differences)
    }

    fn difference(
        &self,
        doc: DocId,
        here: Option<[u8; 16]>,
        hq: Option<&HeldDocument>,
    ) -> Result<Difference, StoreError> {
        let own: Vec<OpId> =
            self.entry(doc)?.iter().flat_map(|entry| entry.op_ids().collect::<Vec<_>>()).collect();
        let runs = hq.map_or(&[][..], |held| &held.ops);
        let held = |op: &OpId| runs.iter().any(|run| run.has(*op));
        let theirs = runs.iter().flat_map(|run| {
            (run.first..=run.last).map(|seq| OpId { replica: run.replica, epoch: run.epoch, seq })
        });
        // A run may claim any length: only so many of its ops are looked at as a document could have.
        let looked = own.len().saturating_add(OPS_LISTED_MAX);
        Ok(Difference {
            doc,
            here,
            hq: hq.map(|held| held.digest),
            only_here: own.iter().filter(|op| !held(op)).copied().take(OPS_LISTED_MAX).collect(),
            only_at_hq: theirs.take(looked).filter(|op| !own.contains(op)).take(OPS_LISTED_MAX).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use sync_protocol::asides::OpRun;

    use super::*;
    use crate::store::testing::{NOW, create, home, note, rule_all};
    use crate::store::write::On;

    #[test]
    fn a_difference_names_the_ops_of_either_end_and_both_digests() {
        let (_dir, mut store) = home();
        let same = DocId(store.save(vec![create(b"same")], NOW).unwrap()[0]);
        let other = DocId(store.save(vec![create(b"other")], NOW).unwrap()[0]);
        let only = store.save(vec![note(On::Document(other), b"here")], NOW).unwrap()[0];
        rule_all(&mut store);
        let digest = |doc: DocId| store.digests().unwrap().get(&doc).copied().unwrap();
        let absent = DocId(OpId { seq: 9, ..only });
        let missing = OpId { seq: 7, ..only };
        let held = |doc: DocId, digest, ops: &[OpId]| HeldDocument { doc, digest, ops: OpRun::of(ops) };
        let theirs = Differing {
            buckets: [same, other, absent].map(bucket_of).to_vec(),
            documents: vec![
                held(same, digest(same), &[same.0]),
                held(other, [9; 16], &[other.0, missing]),
                held(absent, [8; 16], &[absent.0]),
            ],
        };
        let found = store.differences(&theirs).unwrap();
        assert_eq!(found.iter().map(|found| found.doc).collect::<Vec<_>>(), [other, absent]);
        assert_eq!((found[0].here, found[0].hq), (Some(digest(other)), Some([9; 16])));
        assert_eq!((&found[0].only_here[..], &found[0].only_at_hq[..]), (&[only][..], &[missing][..]));
        assert_eq!((found[1].here, &found[1].only_at_hq[..]), (None, &[absent.0][..]));
        // A bucket that HQ lists without a document of ours: HQ does not hold it for us.
        let theirs = Differing { buckets: vec![bucket_of(same)], documents: Vec::new() };
        let found = store.differences(&theirs).unwrap();
        assert!(found.iter().any(|found| found.doc == same && found.hq.is_none()));
        assert_eq!(store.buckets().unwrap().root(), store.digest().unwrap());
    }
}
