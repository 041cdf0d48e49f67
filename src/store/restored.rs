//! HQ came back from a backup: what it signed for before counts no more, and everything is offered to it again.
//!
//! Source: docs/PROTOCOL.md, A restored HQ.

use std::collections::BTreeMap;

use records::id::Epoch;
use sync_protocol::cursor::Incarnation;

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::StoreError;
use crate::store::state::line_prefix;
use crate::store::work::Work;

impl Store {
    /// Returns whether an answer of that incarnation comes from another history than the one read so far.
    pub(in crate::store) fn is_restored(&self, incarnation: Incarnation) -> bool {
        let read = self.state.cursor.incarnation;
        read != Incarnation::default() && read != incarnation
    }

    /// Forgets what HQ signed for: every own op is unsent again until HQ says what it holds of its line.
    pub(in crate::store) fn forget_receipts(&self, work: &mut Work) -> Result<(), StoreError> {
        let epochs = self.own_epochs()?;
        for epoch in &epochs {
            let info = work.line(self, (self.replica(), *epoch))?;
            info.held = 0;
            info.backed_up = 0;
        }
        let current = work.state.own.map(|own| own.epoch);
        work.state.unfinished = epochs.into_iter().filter(|epoch| Some(*epoch) != current).collect();
        Ok(())
    }

    /// Returns the epochs of the own log, each behind the one that it hangs from.
    fn own_epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        let prefix = line_prefix(self.replica());
        let mut found = Vec::new();
        self.keys_from(Tree::Meta, &prefix, &mut |key| {
            let epoch = key.strip_prefix(prefix.as_slice()).and_then(|epoch| epoch.try_into().ok());
            found.extend(epoch.map(|epoch| Epoch(u32::from_be_bytes(epoch))));
            Ok(epoch.is_some())
        })?;
        let mut parents = BTreeMap::new();
        for epoch in found {
            parents.insert(epoch, self.line((self.replica(), epoch))?.parent.map(|parent| parent.epoch));
        }
        Ok(parents_first(parents))
    }
}

/// Sorts epochs so that each comes behind its parent; one whose parent is not among them is a root.
fn parents_first(mut left: BTreeMap<Epoch, Option<Epoch>>) -> Vec<Epoch> {
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |parent: &Option<Epoch>| parent.is_some_and(|parent| left.contains_key(&parent));
        let mut ready: Vec<Epoch> =
            left.iter().filter(|(_, parent)| !waits(parent)).map(|(epoch, _)| *epoch).collect();
        if ready.is_empty() {
            // A ring, which no home writes: any order is as good.
            ready = left.keys().copied().collect();
        }
        left.retain(|epoch, _| !ready.contains(epoch));
        sorted.append(&mut ready);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_comes_behind_the_one_that_it_hangs_from() {
        let epochs = [(9, None), (1, Some(5)), (5, Some(9)), (7, Some(9)), (3, Some(88))];
        let parents = epochs.map(|(epoch, parent)| (Epoch(epoch), parent.map(Epoch)));
        let sorted = parents_first(parents.into());
        assert_eq!(sorted, [3, 9, 5, 7, 1].map(Epoch));
        let ring = [(1, Some(2)), (2, Some(1))].map(|(epoch, parent)| (Epoch(epoch), parent.map(Epoch)));
        assert_eq!(parents_first(ring.into()).len(), 2);
    }
}
