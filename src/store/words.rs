//! What searching made of the log, kept so that the next search need not read all of it again.
//!
//! Opaque here, in a file beside the database, which names it: it counts as long as the database says so, and the
//! database stops saying so where ops leave the log or a run comes with other ops. It may be lost at any time.
//!
//! Source: docs/STORAGE.md, Words.

use serde_bytes::Bytes;

use crate::keys::{Domain, Place};
use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::StoreError;
use crate::store::state::WORDS_KEY;
use crate::store::work::Work;

const FILE: &str = "words";
/// The layout of what is noted, and how texts are cut and folded for it.
const SCHEMA: u8 = 1;
/// Free bytes that are left to the work itself.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
/// Longer notes are not kept.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// What earlier searches noted.
#[derive(Debug, Default)]
pub struct Words {
    bytes: Vec<u8>,
    /// No op came since: there is nothing in the log that is in no piece.
    pub whole: bool,
}

impl Words {
    /// Returns the pieces, in the order in which they were made.
    #[must_use]
    pub fn pieces(&self) -> Vec<&[u8]> {
        let pieces = postcard::from_bytes::<Vec<&Bytes>>(&self.bytes).unwrap_or_default();
        pieces.into_iter().map(|piece| &**piece).collect()
    }
}

impl Store {
    /// Returns what is noted; nothing where the file is gone or does not read.
    #[must_use]
    pub fn words(&self) -> Words {
        let note = self.get(Tree::Meta, WORDS_KEY).ok().flatten();
        let Some((name, ops)) = note.as_deref().and_then(<[u8]>::split_first_chunk::<8>) else {
            return Words::default();
        };
        let sealed = std::fs::read(self.home.join(FILE)).unwrap_or_default();
        match self.keys.open_sealed(place(name), &sealed) {
            Some(bytes) => Words { bytes, whole: ops == self.state.ops.to_be_bytes() },
            None => Words::default(),
        }
    }

    /// Notes all that is in the log, in the place of what was noted before; nothing where the disk has little room, or
    /// where it is too much.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoSpace`], those of the database; what was noted before may be lost then.
    pub fn keep_words(&mut self, pieces: &[&[u8]]) -> Result<(), StoreError> {
        let pieces: Vec<&Bytes> = pieces.iter().map(|piece| Bytes::new(piece)).collect();
        let bytes = postcard::to_allocvec(&pieces).unwrap_or_default();
        // Beside the old file stands the new one until it takes its place.
        let needed =
            u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(ROOM_BYTES);
        let full = crate::home::free_bytes(&self.home).is_some_and(|free| free < needed);
        if full || bytes.len() > BYTES_MAX {
            return Ok(());
        }
        let name = crate::keys::random::<8>()?;
        crate::home::write_whole(&self.home.join(FILE), &self.keys.seal(place(&name), &bytes)?)?;
        let mut work = self.work();
        let note = [&name[..], &work.state.ops.to_be_bytes()].concat();
        work.change.put(Tree::Meta, WORDS_KEY, note);
        self.commit(work)?;
        // What is gathered would go with the process.
        self.checkpoint()
    }
}

impl Work {
    /// Lets what is noted go: ops leave the log, or a run comes with other ones.
    pub(in crate::store) fn forget_words(&mut self) {
        self.change.remove(Tree::Meta, WORDS_KEY);
    }
}

/// The database's name for the file is the key that it is sealed under: another one does not open.
fn place(name: &[u8; 8]) -> Place<'_> {
    Place { domain: Domain::Words, key: name, seq: 0, schema: SCHEMA }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, create, home};

    fn is_nothing(words: &Words) -> bool {
        words.pieces().is_empty() && !words.whole
    }

    #[test]
    fn what_was_noted_stays_until_more_comes_or_the_database_is_another_one() {
        let (dir, mut store) = home();
        assert!(is_nothing(&store.words()));
        store.save(vec![create(b"pump")], NOW).unwrap();
        let pieces = [&[1; 9_000][..], &[2; 9_000]];
        store.keep_words(&pieces).unwrap();
        drop(store);
        let mut store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!((store.words().pieces(), store.words().whole), (pieces.to_vec(), true));
        store.save(vec![create(b"fan")], NOW).unwrap();
        assert_eq!((store.words().pieces(), store.words().whole), (pieces.to_vec(), false));
        let file = dir.path().join(FILE);
        let earlier = std::fs::read(&file).unwrap();
        assert!(!earlier.windows(64).any(|bytes| bytes == [1; 64]), "sealed");
        store.keep_words(&[b"both"]).unwrap();
        assert_eq!((store.words().pieces(), store.words().whole), (vec![&b"both"[..]], true));
        let now = std::fs::read(&file).unwrap();
        for damaged in [earlier, now[1..].to_vec(), Vec::new()] {
            std::fs::write(&file, damaged).unwrap();
            assert!(is_nothing(&store.words()));
        }
        std::fs::write(&file, now).unwrap();
        assert_eq!(store.doctor().unwrap().faults, []);
        drop(store);
        Store::rebuild(dir.path(), NOW).unwrap();
        assert!(is_nothing(&Store::open(dir.path(), NOW).unwrap().words()));
    }

    #[test]
    fn too_much_is_not_noted() {
        let (dir, mut store) = home();
        store.keep_words(&[&vec![0; BYTES_MAX]]).unwrap();
        assert!(is_nothing(&store.words()) && !dir.path().join(FILE).exists());
    }
}
