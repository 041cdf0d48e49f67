//! Anti-entropy: one hash over all documents, from 256 buckets, so that two ends find where they differ.

use records::id::DocId;

use crate::chain::sha256;

/// How many buckets there are; a document's bucket is a byte.
pub const BUCKETS: usize = 256;

/// The hashes of all buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets(Vec<[u8; 16]>);

/// Returns the document's bucket: the first byte of SHA-256 of its id, little-endian.
#[must_use]
pub fn bucket_of(document: DocId) -> u8 {
    let [first, ..] = sha256(&[&id_bytes(document)]);
    first
}

/// Returns the hash over all documents with their digests, in whatever order they come.
///
/// Source: docs/PROTOCOL.md, Anti-entropy.
///
/// ```
/// let one = ("7.1.1".parse()?, [1; 16]);
/// let two = ("7.1.2".parse()?, [2; 16]);
/// assert_eq!(sync_protocol::digest::root([one, two]), sync_protocol::digest::root([two, one]));
/// # Ok::<(), records::id::IdError>(())
/// ```
#[must_use]
pub fn root(documents: impl IntoIterator<Item = (DocId, [u8; 16])>) -> [u8; 16] {
    Buckets::of(documents).root()
}

impl Buckets {
    /// Hashes each bucket: its documents by id, each with its digest.
    #[must_use]
    pub fn of(documents: impl IntoIterator<Item = (DocId, [u8; 16])>) -> Self {
        let mut all: Vec<_> = documents.into_iter().map(|(id, digest)| (bucket_of(id), id, digest)).collect();
        all.sort_unstable();
        let mut hashes = vec![[0; 16]; BUCKETS];
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            let part = |(_, id, digest): &(u8, DocId, [u8; 16])| [&id_bytes(*id)[..], digest].concat();
            let parts: Vec<u8> = run.iter().flat_map(part).collect();
            let slot = run.first().and_then(|(bucket, ..)| hashes.get_mut(usize::from(*bucket)));
            slot.into_iter().for_each(|slot| *slot = first_16(sha256(&[&parts])));
        }
        Self(hashes)
    }

    /// Returns the hashes, bucket by bucket.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Reads [`Self::to_bytes`]; `None` where they are not as many hashes as there are buckets.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<16>();
        (hashes.len() == BUCKETS && rest.is_empty()).then(|| Self(hashes.to_vec()))
    }

    /// Returns the hash over all of them.
    #[must_use]
    pub fn root(&self) -> [u8; 16] {
        first_16(sha256(&[&self.0.concat()]))
    }

    /// Returns the buckets where the two ends hold something else.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<u8> {
        let pairs = (0..=u8::MAX).zip(self.0.iter().zip(&other.0));
        pairs.filter(|(_, (a, b))| a != b).map(|(bucket, _)| bucket).collect()
    }
}

/// Returns the half of a hash that is compared.
pub(crate) fn first_16(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(hash.split_at(16).0);
    half
}

fn id_bytes(DocId(id): DocId) -> [u8; 16] {
    let mut bytes = [0; 16];
    let (replica, rest) = bytes.split_at_mut(4);
    let (epoch, seq) = rest.split_at_mut(4);
    replica.copy_from_slice(&id.replica.0.to_le_bytes());
    epoch.copy_from_slice(&id.epoch.0.to_le_bytes());
    seq.copy_from_slice(&id.seq.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_document_is_found_by_its_bucket() {
        let documents: Vec<(DocId, [u8; 16])> =
            (1..500_u64).map(|seq| (format!("7.9.{seq}").parse().unwrap(), [3; 16])).collect();
        let mut changed = documents.clone();
        changed[100].1 = [4; 16];
        let (a, b) = (Buckets::of(documents.clone()), Buckets::of(changed.clone()));
        assert_eq!(a.differing(&b), [bucket_of(documents[100].0)]);
        assert_ne!(a.root(), b.root());
        changed.reverse();
        assert_eq!(Buckets::of(changed).root(), b.root());
    }
}
