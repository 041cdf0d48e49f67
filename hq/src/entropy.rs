//! Where a device holds something else than it should: found bucket by bucket, mended by reading again.
//!
//! Source: docs/PROTOCOL.md, Anti-entropy.

use std::collections::BTreeSet;

use records::id::{DocId, OpId};
use sync_protocol::asides::{Differing, HeldDocument, OpRun};
use sync_protocol::cursor::Feed;
use sync_protocol::digest::{Buckets, bucket_of};

use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::store::feeds::Entry;

/// What a list of documents may take; the buckets that do not fit come when the device compares again.
const LIST_BYTES_MAX: usize = 128 * 1024;
/// A document's id and digest on the wire, at most, and a run of its ops.
const DOCUMENT_BYTES: usize = 40;
const RUN_BYTES: usize = 30;
/// Documents that are given again in one request.
const REREAD_MAX: usize = 256;

impl Desk {
    /// Returns the documents of the buckets in which the device holds something else; at least one bucket whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn differing(&mut self, device: &Device, theirs: &Buckets) -> Result<Differing, StoreError> {
        let sees = self.seen_by(device)?;
        let ours = Buckets::of(sees.iter().map(|(doc, digest)| (*doc, *digest)));
        let mut told = Differing { buckets: Vec::new(), documents: Vec::new() };
        let mut bytes = 0;
        for bucket in ours.differing(theirs) {
            if bytes >= LIST_BYTES_MAX {
                break;
            }
            for (doc, digest) in sees.iter().filter(|(doc, _)| bucket_of(**doc) == bucket) {
                let ops = self.runs_of(*doc)?;
                bytes += DOCUMENT_BYTES + ops.len() * RUN_BYTES;
                told.documents.push(HeldDocument { doc: *doc, digest: *digest, ops });
            }
            told.buckets.push(bucket);
        }
        told.documents.sort_unstable_by_key(|held| held.doc);
        Ok(told)
    }

    fn runs_of(&mut self, doc: DocId) -> Result<Vec<OpRun>, StoreError> {
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let mut ops: Vec<OpId> = self.store.known(home, doc)?.unwrap_or_default().ops;
        ops.sort_unstable();
        Ok(OpRun::of(&ops))
    }

    /// Gives documents to a device once more, with its own ops on them, and takes those off it that it may not see.
    /// What HQ never heard of stays where it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reread(&mut self, device: &Device, docs: &[DocId]) -> Result<(), StoreError> {
        let docs: BTreeSet<DocId> = docs.iter().copied().take(REREAD_MAX).collect();
        let sees = self.seen_by(device)?;
        let feed = Feed::Replica(device.replica.0);
        for doc in docs {
            let ops = self.history(doc)?;
            if sees.contains_key(&doc) {
                self.feed_ops(device.branch, feed, ops.iter())?;
            } else if !ops.is_empty() {
                self.store.feed_append(device.branch, feed, &Entry::Evict(doc))?;
            }
        }
        Ok(())
    }
}
