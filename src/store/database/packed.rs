//! The trees of small values, whose pairs lie in blocks. All of it can be made anew from the ops.
//!
//! Source: docs/STORAGE.md, Blocks.

use std::sync::Arc;

use crate::keys::Keys;
use crate::store::blocks::{self, Pair};
use crate::store::database::{Change, Database, Tree, guarded};
use crate::store::error::StoreError;

/// A block that was read.
#[derive(Debug, Clone)]
pub(super) struct Block {
    tree: Tree,
    name: Vec<u8>,
    pairs: Vec<Pair>,
}

impl Block {
    /// Whether the pair of `key` is in it, if it is anywhere.
    fn covers(&self, tree: Tree, key: &[u8]) -> bool {
        let begins = self.pairs.first().is_some_and(|(first, _)| first.as_slice() <= key);
        self.tree == tree && begins && blocks::reaches(&self.name, key)
    }
}

impl Database {
    /// Returns the value of a key that lies in a block.
    pub(super) fn packed(&self, keys: &Keys, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let at_hand = self.at_hand.borrow().clone().filter(|block| block.covers(tree, key));
        let block = match at_hand {
            Some(block) => Some(block),
            None => match self.block_for(tree, key)? {
                Some(name) => Some(self.keep_at_hand(self.block(keys, tree, name)?)),
                None => None,
            },
        };
        Ok(block.and_then(|block| blocks::get(&block.pairs, key).map(<[u8]>::to_vec)))
    }

    /// Walks the keys from `from` on. A block that does not read is stepped over and told at the end.
    pub(super) fn packed_from(
        &self,
        keys: &Keys,
        tree: Tree,
        from: &[u8],
        f: &mut dyn FnMut(&[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut damaged = None;
        let mut names = self.tree(tree).range(blocks::bounded(from)..).keys();
        while let Some(name) = guarded(&self.path, tree.part(), || names.next().transpose())? {
            let Some(name) = of_first_piece(&name).filter(|name| blocks::reaches(name, from)) else {
                continue;
            };
            let block = match self.block(keys, tree, name.to_vec()) {
                Ok(block) => self.keep_at_hand(block),
                Err(error) => {
                    damaged.get_or_insert(error);
                    continue;
                }
            };
            for (key, _) in block.pairs.iter().filter(|(key, _)| key.as_slice() >= from) {
                if !f(key)? {
                    return Ok(());
                }
            }
        }
        damaged.map_or(Ok(()), Err)
    }

    /// Puts a tree's changes into its blocks; a block that they touch is written anew.
    pub(super) fn repack(
        &self,
        keys: &Keys,
        tree: Tree,
        change: &Change,
        batch: &mut sled::Batch,
    ) -> Result<(), StoreError> {
        let mut open: Option<Block> = None;
        for ((_, key), value) in
            change.values.range((tree, Vec::new())..).take_while(|((of, _), _)| *of == tree)
        {
            let mut block = match open.take() {
                Some(block) if blocks::reaches(&block.name, key) => block,
                done => {
                    done.map_or(Ok(()), |done| self.put_block(keys, &done, batch))?;
                    match self.block_for(tree, key)? {
                        Some(name) => self.block(keys, tree, name)?,
                        None => Block { tree, name: blocks::last(), pairs: Vec::new() },
                    }
                }
            };
            blocks::set(&mut block.pairs, key, value.as_deref());
            open = Some(block);
        }
        open.map_or(Ok(()), |done| self.put_block(keys, &done, batch))
    }

    fn put_block(&self, keys: &Keys, block: &Block, batch: &mut sled::Batch) -> Result<(), StoreError> {
        let parts = blocks::cut(&block.pairs);
        let Some((rest, full)) = parts.split_last() else {
            return self.remove_pieces(keys, block.tree, &block.name, batch);
        };
        for part in full {
            let bound = part.last().map(|(key, _)| blocks::bounded(key)).unwrap_or_default();
            Self::put_pieces(keys, block.tree, &bound, &blocks::encode(part), batch)?;
        }
        Self::put_pieces(keys, block.tree, &block.name, &blocks::encode(rest), batch)
    }

    /// Returns the name of the block for a key; `None` where there is none yet.
    fn block_for(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut names = self.tree(tree).range(blocks::bounded(key)..).keys();
        while let Some(name) = guarded(&self.path, tree.part(), || names.next().transpose())? {
            if let Some(name) = of_first_piece(&name).filter(|name| blocks::reaches(name, key)) {
                return Ok(Some(name.to_vec()));
            }
        }
        Ok(None)
    }

    fn block(&self, keys: &Keys, tree: Tree, name: Vec<u8>) -> Result<Block, StoreError> {
        let pairs = self.value(keys, tree, &name)?.and_then(|bytes| blocks::decode(&bytes));
        let pairs = pairs.ok_or_else(|| StoreError::damaged(tree.part(), &self.path))?;
        Ok(Block { tree, name, pairs })
    }

    /// Keeps the block read last: neighbours are asked for one after the other.
    fn keep_at_hand(&self, block: Block) -> Arc<Block> {
        let block = Arc::new(block);
        *self.at_hand.borrow_mut() = Some(Arc::clone(&block));
        block
    }
}

/// Returns the name of a value that one piece of it stands for; the first does.
pub(super) fn of_first_piece(key: &[u8]) -> Option<&[u8]> {
    key.split_last().filter(|(piece, _)| **piece == 0).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::testing::home;

    #[test]
    fn what_was_put_and_removed_in_any_order_is_there_and_walked_in_order() {
        let (_dir, mut store) = home();
        let mut expected = BTreeMap::new();
        for round in 0_u64..8 {
            let mut change = Change::default();
            for n in 0..200 {
                let hash = sync_protocol::chain::sha256(&[&(round * 170 + n).to_le_bytes()]);
                let key = [&b"n"[..], &hash[..8], &[9; 16]].concat();
                if (round + n) % 5 == 0 {
                    change.remove(Tree::Index, &key);
                    expected.remove(&key);
                } else {
                    let value = vec![7; usize::from(hash[9]) * usize::from(n == 3) * 30];
                    change.put(Tree::Index, &key, value.clone());
                    expected.insert(key, value);
                }
            }
            store.gather(change).unwrap();
            store.flush().unwrap();
            for (key, value) in &expected {
                assert_eq!(store.get(Tree::Index, key).unwrap().as_ref(), Some(value));
            }
            let from = expected.keys().nth(expected.len() / 2).unwrap();
            let mut walked = Vec::new();
            let mut take = |key: &[u8]| {
                walked.push(key.to_vec());
                Ok(true)
            };
            store.keys_from(Tree::Index, from, &mut take).unwrap();
            let behind: Vec<Vec<u8>> = expected.range(from.clone()..).map(|(key, _)| key.clone()).collect();
            assert_eq!(walked, behind);
        }
        let mut change = Change::default();
        expected.keys().for_each(|key| change.remove(Tree::Index, key));
        store.gather(change).unwrap();
        store.flush().unwrap();
        let mut left = |key: &[u8]| panic!("{key:02x?} is left");
        store.keys_from(Tree::Index, b"n", &mut left).unwrap();
        assert_eq!(
            store
                .database
                .tree(Tree::Index)
                .iter()
                .filter(|pair| pair.as_ref().unwrap().0[..2] == *b"\0n")
                .count(),
            0
        );
    }
}
