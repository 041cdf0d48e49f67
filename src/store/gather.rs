//! Changes between two checkpoints: true at once for whoever asks, handed to sled in one transaction.
//!
//! A transaction a save would cost more than the save and leave ten times its bytes in sled's files; and before a
//! checkpoint sled's copy is no safer than memory, for only the journal is synced. So changes are gathered:
//! a kill loses what the next opening takes from the journal again.
//!
//! Source: docs/STORAGE.md, Saving.

use crate::store::Store;
use crate::store::database::{Change, Tree};
use crate::store::error::StoreError;

/// Values gathered at most: a large pull goes over in several transactions, in order.
const GATHERED_MAX: usize = 2048;

impl Store {
    /// Lets a change become true; the database gets it with the next transaction.
    pub(in crate::store) fn gather(&mut self, change: Change) -> Result<(), StoreError> {
        self.pending.absorb(change);
        if self.pending.len() > GATHERED_MAX { self.flush() } else { Ok(()) }
    }

    /// Hands the gathered changes to the database: all of them or none.
    pub(in crate::store) fn flush(&mut self) -> Result<(), StoreError> {
        if !self.pending.is_empty() {
            self.database.commit(&self.keys, &self.pending)?;
            self.pending = Change::default();
        }
        Ok(())
    }

    /// Returns a value, gathered or kept.
    pub(in crate::store) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.pending.known(tree, key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.database.get(&self.keys, tree, key),
        }
    }

    /// Returns whether a posting is there.
    pub(in crate::store) fn has(&self, posting: &[u8]) -> Result<bool, StoreError> {
        match self.pending.known(Tree::Index, posting) {
            Some(value) => Ok(value.is_some()),
            None => Ok(self.database.get(&self.keys, Tree::Index, posting)?.is_some()),
        }
    }

    /// Walks the keys from `from` on, forward, gathered and kept, as long as `f` says so.
    pub(in crate::store) fn keys_from(
        &self,
        tree: Tree,
        from: &[u8],
        f: &mut dyn FnMut(&[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut gathered = self.pending.from(tree, from).peekable();
        let mut go_on = true;
        self.database.keys_from(&self.keys, tree, from, &mut |key| {
            while let Some((earlier, put)) = gathered.next_if(|(gathered, _)| *gathered < key) {
                go_on = go_on && (!put || f(earlier)?);
            }
            let changed = gathered.next_if(|(gathered, _)| *gathered == key);
            let there = changed.is_none_or(|(_, put)| put);
            go_on = go_on && (!there || f(key)?);
            Ok(go_on)
        })?;
        for (key, put) in gathered {
            go_on = go_on && (!put || f(key)?);
            if !go_on {
                break;
            }
        }
        Ok(())
    }
}
