//! Walking the log: every op that is here, run by run, without folding a document.

use records::id::OpId;
use sync_protocol::op::Row;

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::{Part, StoreError};
use crate::store::run::{KEY_BYTES, RunKey};

/// The name of a run: the bytes of its [`RunKey`].
pub type RunName = [u8; KEY_BYTES];

impl Store {
    /// Walks all ops, each line from its first on; ops of a newer version's coding are passed over.
    ///
    /// One run is in memory at a time. Whatever was overwritten or refused is among them: who looks for what a
    /// document says now asks [`Store::document`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn each_op(&self, f: &mut dyn FnMut(OpId, &Row)) -> Result<(), StoreError> {
        self.each_op_of(&|_| true, &mut |_, id, row| f(id, row))
    }

    /// Walks the ops of the runs that are `wanted` by their names, as [`Store::each_op`] does.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn each_op_of(
        &self,
        wanted: &dyn Fn(&RunName) -> bool,
        f: &mut dyn FnMut(&RunName, OpId, &Row),
    ) -> Result<(), StoreError> {
        self.keys_from(Tree::Log, &[], &mut |bytes| {
            let damaged = || self.damaged(Part::Log);
            let name: &RunName = bytes.try_into().map_err(|_| damaged())?;
            if wanted(name) {
                let key = RunKey::from_bytes(name).ok_or_else(damaged)?;
                let (replica, epoch) = key.line;
                for (seq, row) in &self.run(key)?.rows {
                    f(name, OpId { replica, epoch, seq: *seq }, row);
                }
            }
            Ok(true)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{NOW, create, home, note};
    use crate::store::write::On;
    use records::id::DocId;

    #[test]
    fn every_op_is_met_once_loose_or_packed() {
        let (_dir, mut store) = home();
        let mut saved = store.save(vec![create(b"pump"), create(b"fan")], NOW).unwrap();
        let pump = On::Document(DocId(saved[0]));
        for _ in 0..70 {
            saved.extend(store.save(vec![note(pump, b"noisy")], NOW).unwrap());
        }
        let mut met = Vec::new();
        store.each_op(&mut |id, _| met.push(id)).unwrap();
        met.sort();
        assert_eq!(met, saved);
    }
}
