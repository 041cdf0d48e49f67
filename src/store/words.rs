//! What searching made of the log, kept so that the next search need not read all of it again.
//!
//! Opaque here, in a file beside the database, which names it: it counts as long as the database says so, and the
//! database stops saying so where a run that it was made of goes or comes with other ops. It may be lost at any time.
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
const SCHEMA: u8 = 1;
/// Free bytes below which the disk is left to the work itself.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;

/// What earlier searches noted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// In pieces, in the order in which they were made.
    pub pieces: Vec<Vec<u8>>,
    /// No op came since: there is nothing in the log that is in none of them.
    pub whole: bool,
}

impl Store {
    /// Returns what is noted; nothing where the file is gone or does not read.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn words(&self) -> Result<Words, StoreError> {
        let note = self.get(Tree::Meta, WORDS_KEY)?;
        let Some((name, ops)) = note.as_deref().and_then(<[u8]>::split_first_chunk::<8>) else {
            return Ok(Words::default());
        };
        let sealed = std::fs::read(self.home.join(FILE)).unwrap_or_default();
        let bytes = self.keys.open_sealed(place(name), &sealed).unwrap_or_default();
        let Ok(pieces) = postcard::from_bytes::<Vec<&Bytes>>(&bytes) else {
            return Ok(Words::default());
        };
        let pieces = pieces.into_iter().map(|piece| piece.to_vec()).collect();
        Ok(Words { pieces, whole: ops == self.state.ops.to_be_bytes() })
    }

    /// Notes all that is in the log, in the place of what was noted before; nothing where the disk has little room.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoSpace`], those of the database; what was noted before may be lost then.
    pub fn keep_words(&mut self, pieces: &[Vec<u8>]) -> Result<(), StoreError> {
        if crate::home::free_bytes(&self.home).is_some_and(|free| free < ROOM_BYTES) {
            return Ok(());
        }
        let name = crate::keys::random::<8>()?;
        let pieces: Vec<&Bytes> = pieces.iter().map(|piece| Bytes::new(piece)).collect();
        let bytes = postcard::to_allocvec(&pieces).unwrap_or_default();
        crate::home::write_whole(&self.home.join(FILE), &self.keys.seal(place(&name), &bytes)?)?;
        let mut work = self.work();
        let note = [&name[..], &work.state.ops.to_be_bytes()].concat();
        work.change.put(Tree::Meta, WORDS_KEY, note);
        self.commit(work)?;
        // Not for the disk's sake: what is gathered goes with the process.
        self.flush()
    }
}

impl Work {
    /// Lets what is noted go: a run that it was made of goes, or comes with other ops.
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

    #[test]
    fn what_was_noted_stays_until_more_comes_or_the_database_is_another_one() {
        let (dir, mut store) = home();
        assert_eq!(store.words().unwrap(), Words::default());
        store.save(vec![create(b"pump")], NOW).unwrap();
        let pieces: Vec<Vec<u8>> = [1_u8, 2].iter().map(|byte| vec![*byte; 9_000]).collect();
        store.keep_words(&pieces).unwrap();
        drop(store);
        let mut store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.words().unwrap(), Words { pieces: pieces.clone(), whole: true });
        store.save(vec![create(b"fan")], NOW).unwrap();
        assert_eq!(store.words().unwrap(), Words { pieces: pieces.clone(), whole: false });
        let file = dir.path().join(FILE);
        let earlier = std::fs::read(&file).unwrap();
        assert!(!earlier.windows(64).any(|bytes| bytes == [1; 64]), "sealed");
        store.keep_words(&[b"both".to_vec()]).unwrap();
        assert_eq!(store.words().unwrap(), Words { pieces: vec![b"both".to_vec()], whole: true });
        let now = std::fs::read(&file).unwrap();
        for damaged in [earlier, now[1..].to_vec(), Vec::new()] {
            std::fs::write(&file, damaged).unwrap();
            assert_eq!(store.words().unwrap(), Words::default());
        }
        std::fs::write(&file, now).unwrap();
        assert_eq!(store.doctor().unwrap().faults, []);
        drop(store);
        Store::rebuild(dir.path(), NOW).unwrap();
        assert_eq!(Store::open(dir.path(), NOW).unwrap().words().unwrap(), Words::default());
    }
}
