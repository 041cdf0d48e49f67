//! The list of the ops that HQ refused and the device keeps, and of those that this build cannot read.

use records::id::OpId;
use sync_protocol::merge::Judged;
use sync_protocol::ruling::{Judgement, Verdict};

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::StoreError;
use crate::store::index;
use crate::store::work::Work;

/// An op that does not count, or not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its name.
    pub id: OpId,
    /// What it says, with HQ's verdict; `None` where this build cannot read it.
    pub op: Option<Judged>,
}

impl Store {
    /// Returns the own ops in quarantine, and the ops that need a newer version, by name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn quarantine(&self) -> Result<Vec<Quarantined>, StoreError> {
        let prefix = index::quarantine_prefix();
        let mut ids = Vec::new();
        self.keys_from(Tree::Index, &prefix, &mut |key| {
            ids.extend(key.strip_prefix(prefix.as_slice()).and_then(index::op_of));
            Ok(key.starts_with(&prefix))
        })?;
        let read = |id: OpId| {
            let run = self.run_of(id)?;
            let op = if run.is_some() { Some(self.read_op(id)?) } else { None };
            Ok(Quarantined { id, op })
        };
        ids.into_iter().map(read).collect()
    }
}

impl Work {
    /// Keeps the list of own ops in quarantine.
    ///
    /// # Errors
    /// Those of the database.
    pub fn quarantine(
        &mut self,
        store: &Store,
        id: OpId,
        judged: Option<&Judgement>,
    ) -> Result<(), StoreError> {
        if id.replica != store.replica() {
            return Ok(());
        }
        let posting = index::quarantined(id);
        let listed = self.state.quarantined > 0 && store.has(&posting)?;
        let refused = judged.is_some_and(|judged| matches!(judged.verdict, Verdict::Quarantined { .. }));
        match (listed, refused) {
            (false, true) => {
                self.change.put(Tree::Index, &posting, Vec::new());
                self.state.quarantined += 1;
            }
            (true, false) => {
                self.change.remove(Tree::Index, &posting);
                self.state.quarantined = self.state.quarantined.saturating_sub(1);
            }
            (true, true) | (false, false) => {}
        }
        Ok(())
    }

    /// Lists an op that this build cannot read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_newer(&mut self, store: &Store, id: OpId) -> Result<(), StoreError> {
        let posting = index::quarantined(id);
        self.state.quarantined += u64::from(!store.has(&posting)?);
        self.change.put(Tree::Index, &posting, index::UNREAD.to_vec());
        Ok(())
    }

    /// Takes an op off the list of those that this build cannot read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn read_newer(&mut self, store: &Store, id: OpId) -> Result<(), StoreError> {
        let posting = index::quarantined(id);
        if store.has(&posting)? {
            self.change.remove(Tree::Index, &posting);
            self.state.quarantined = self.state.quarantined.saturating_sub(1);
        }
        Ok(())
    }
}
