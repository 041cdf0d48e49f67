//! What searching made of the log, kept so that the next search need not read all of it again.
//!
//! Opaque here; it may go at any time, and goes wherever a run that it was made from goes or becomes another one.
//!
//! Source: docs/STORAGE.md, Words.

use crate::store::Store;
use crate::store::database::{Tree, fits};
use crate::store::error::StoreError;
use crate::store::state::WORDS_PREFIX;
use crate::store::work::Work;

/// Free bytes below which the disk is left to the work itself.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;

impl Store {
    /// Returns the pieces that are kept, each with its number; one that does not read is empty.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the database cannot be walked.
    pub fn words(&self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let piece =
            |number| (number, self.get(Tree::Meta, &words_key(number)).ok().flatten().unwrap_or_default());
        Ok(self.words_numbers()?.into_iter().map(piece).collect())
    }

    /// Returns whether no op came since pieces were kept: there is nothing in the log that is in none of them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn words_are_whole(&self) -> Result<bool, StoreError> {
        let noted = self.get(Tree::Meta, WORDS_PREFIX)?;
        Ok(noted.is_some_and(|noted| noted == self.state.ops.to_be_bytes()))
    }

    /// Keeps pieces of all that is in the log and in no other piece, some of them in the place of others; none where the
    /// disk has little room, and none that is too long for a value.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_words(&mut self, pieces: &[Vec<u8>], instead_of: &[u32]) -> Result<(), StoreError> {
        if crate::home::free_bytes(&self.home).is_some_and(|free| free < ROOM_BYTES) {
            return Ok(());
        }
        let next = self.words_numbers()?.last().map_or(0, |last| last.saturating_add(1));
        let mut work = self.work();
        for number in instead_of {
            work.change.remove(Tree::Meta, &words_key(*number));
        }
        work.change.put(Tree::Meta, WORDS_PREFIX, work.state.ops.to_be_bytes().to_vec());
        for (number, piece) in (next..).zip(pieces) {
            match fits(piece.len()) {
                true => work.change.put(Tree::Meta, &words_key(number), piece.clone()),
                false => work.change.remove(Tree::Meta, WORDS_PREFIX),
            }
        }
        self.commit(work)?;
        // Not for the disk's sake: what is gathered goes with the process.
        self.flush()
    }

    fn words_numbers(&self) -> Result<Vec<u32>, StoreError> {
        let mut numbers = Vec::new();
        self.keys_from(Tree::Meta, WORDS_PREFIX, &mut |key| {
            let Some(number) = key.strip_prefix(WORDS_PREFIX) else { return Ok(false) };
            // One without a number says how many ops there were.
            numbers.extend(number.try_into().map(u32::from_be_bytes));
            Ok(true)
        })?;
        Ok(numbers)
    }
}

impl Work {
    /// Lets all pieces go: a run that some may be made of goes, or comes with other ops.
    pub(in crate::store) fn forget_words(&mut self, store: &Store) -> Result<(), StoreError> {
        self.change.remove(Tree::Meta, WORDS_PREFIX);
        for number in store.words_numbers()? {
            self.change.remove(Tree::Meta, &words_key(number));
        }
        Ok(())
    }
}

fn words_key(number: u32) -> Vec<u8> {
    [WORDS_PREFIX, &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, create, home};

    #[test]
    fn pieces_stay_until_others_take_their_place_or_the_database_is_made_anew() {
        let (dir, mut store) = home();
        store.save(vec![create(b"pump")], NOW).unwrap();
        let pieces: Vec<Vec<u8>> = [1_u8, 2, 3].iter().map(|byte| vec![*byte; 9_000]).collect();
        store.keep_words(&pieces, &[]).unwrap();
        drop(store);
        let mut store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.words().unwrap(), (0..).zip(pieces.clone()).collect::<Vec<_>>());
        store.keep_words(&[b"both".to_vec()], &[0, 2]).unwrap();
        assert_eq!(store.words().unwrap(), [(1, pieces[1].clone()), (3, b"both".to_vec())]);
        let too_long = vec![0; 2_000_000];
        store.keep_words(&[too_long], &[]).unwrap();
        assert_eq!(store.words().unwrap().len(), 2);
        assert_eq!(store.doctor().unwrap().faults, []);
        drop(store);
        Store::rebuild(dir.path(), NOW).unwrap();
        assert_eq!(Store::open(dir.path(), NOW).unwrap().words().unwrap(), []);
    }
}
