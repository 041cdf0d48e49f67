//! After an upgrade of the program: what an earlier build kept and could not read is read again.
//!
//! The views name the tables they were made with. Where this build has others, whatever came in a coding or as an item
//! that was not known is tried again, and every document is folded anew. All of it may be done twice: a kill on the way
//! lets the next opening begin again.
//!
//! Source: docs/STORAGE.md, Upgrades; docs/PROTOCOL.md, Evolution.

use records::id::{DocId, OpId};
use sync_protocol::message::Item;
use sync_protocol::op::Row;
use sync_protocol::tables::Tables;

use crate::clock::Now;
use crate::keys::Keys;
use crate::store::Store;
use crate::store::apply::Applied;
use crate::store::database::{Database, Tree};
use crate::store::entry::DocKey;
use crate::store::error::{Part, StoreError};
use crate::store::index;
use crate::store::leave::put_leaving;
use crate::store::run::RunKey;
use crate::store::signers::KeyRing;
use crate::store::state::{NEWER_PREFIX, TABLES_KEY, newer_key};

/// The setting with the tables that HQ has.
const OF_HQ: &str = "sync.tables";
/// Documents folded anew in one change.
const DOCUMENTS: usize = 64;

/// Refuses a home whose views a build with more tables made: what stands there would seem damaged.
///
/// # Errors
/// [`StoreError::Newer`], [`StoreError::Damaged`].
pub(in crate::store) fn refuse_newer(database: &Database, keys: &Keys) -> Result<(), StoreError> {
    let known = made_with(database, keys)?.is_none_or(|made| Tables::own().covers(&made));
    if known { Ok(()) } else { Err(StoreError::Newer) }
}

/// Returns the tables that the views were made with; `None` in a new home.
fn made_with(database: &Database, keys: &Keys) -> Result<Option<Tables>, StoreError> {
    let bytes = database.get(keys, Tree::Meta, TABLES_KEY)?;
    bytes.map(|bytes| postcard::from_bytes(&bytes).map_err(|_| StoreError::Newer)).transpose()
}

impl Store {
    /// Returns what HQ reads, as far as it said; before it said anything, what this build does.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn tables_of_hq(&self) -> Result<Tables, StoreError> {
        let bytes = self.setting(OF_HQ)?;
        // Lost without harm: HQ says it again.
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_else(Tables::own))
    }

    /// Notes what HQ reads; returns whether that is another thing than what was known.
    ///
    /// # Errors
    /// Those of saving a setting.
    pub fn put_tables_of_hq(&mut self, tables: &Tables) -> Result<bool, StoreError> {
        let news = self.tables_of_hq()? != *tables;
        // Also where it is not news: after an upgrade of this program the same list is not its own any more.
        if news || self.setting(OF_HQ)?.is_none() {
            self.put_setting(OF_HQ, postcard::to_allocvec(tables).unwrap_or_default())?;
        }
        Ok(news)
    }

    /// Reads again what an earlier build could not, where the views were made with other tables than this build's.
    ///
    /// # Errors
    /// Those of the database, and of taking in an answer.
    pub(in crate::store) fn read_again(&mut self, now: Now) -> Result<(), StoreError> {
        let own = Tables::own();
        if made_with(&self.database, &self.keys)?.as_ref() == Some(&own) {
            return Ok(());
        }
        self.read_items(now)?;
        self.read_runs()?;
        self.view_all()?;
        let mut work = self.work();
        work.change.put(Tree::Meta, TABLES_KEY, postcard::to_allocvec(&own).unwrap_or_default());
        work.forget_words();
        self.commit(work)?;
        // What the first save after this opening is to settle stays to be settled.
        let unsynced = self.unsynced;
        self.checkpoint()?;
        self.unsynced = unsynced;
        Ok(())
    }

    /// Keeps something from the feeds whose number this build does not know.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) fn keep_item(&mut self, item: &Item) -> Result<(), StoreError> {
        let bytes = postcard::to_allocvec(item).unwrap_or_default();
        let mut work = self.work();
        work.change.put(Tree::Meta, &newer_key(&bytes), bytes);
        self.commit(work)
    }

    /// Takes in the items that this build knows.
    fn read_items(&mut self, now: Now) -> Result<(), StoreError> {
        let mut keys = Vec::new();
        self.keys_from(Tree::Meta, NEWER_PREFIX, &mut |key| {
            let newer = key.starts_with(NEWER_PREFIX);
            keys.extend(newer.then(|| key.to_vec()));
            Ok(newer)
        })?;
        let mut leaving: Vec<DocId> = Vec::new();
        for key in keys {
            let bytes = self.get(Tree::Meta, &key)?.unwrap_or_default();
            let item: Item = postcard::from_bytes(&bytes).map_err(|_| self.damaged(Part::Database))?;
            if matches!(item, Item::Newer { .. }) {
                continue;
            }
            leaving.extend(self.apply_item(&item, &mut KeyRing::new(), now, &mut Applied::default())?);
            let mut work = self.work();
            work.change.remove(Tree::Meta, &key);
            self.commit(work)?;
        }
        leaving.append(&mut self.leaving()?);
        let mut work = self.work();
        put_leaving(&mut work, leaving);
        self.commit(work)
    }

    /// Takes in the runs whose coding or columns were not known when they came; each is listed by its first op.
    fn read_runs(&mut self) -> Result<(), StoreError> {
        let prefix = index::quarantine_prefix();
        let mut listed: Vec<OpId> = Vec::new();
        self.keys_from(Tree::Index, &prefix, &mut |key| {
            // Own ops that HQ refused are on the same list; they were read, and their document may have left.
            if self.get(Tree::Index, key)?.is_some_and(|said| said == index::UNREAD) {
                listed.extend(key.strip_prefix(prefix.as_slice()).and_then(index::op_of));
            }
            Ok(key.starts_with(&prefix))
        })?;
        for id in listed {
            for key in self.runs_from(id)? {
                let run = self.run(key)?;
                let mut fresh = 0;
                for (seq, row) in &run.rows {
                    fresh += u64::from(!self.is_viewed(OpId { seq: *seq, ..id }, row)?);
                }
                if fresh == 0 {
                    continue;
                }
                let mut work = self.work();
                work.state.ops += fresh;
                work.read_newer(self, id)?;
                self.apply_run(work, key, &run.run, run.rows.clone(), None, &mut Applied::default())?;
            }
        }
        Ok(())
    }

    /// Returns whether an op is in its document.
    fn is_viewed(&self, id: OpId, row: &Row) -> Result<bool, StoreError> {
        let entry = self.entry(row.document(id))?;
        Ok(entry.is_some_and(|mut entry| !entry.add(id)))
    }

    /// Returns the runs whose first op is that one.
    fn runs_from(&self, id: OpId) -> Result<Vec<RunKey>, StoreError> {
        let line = (id.replica, id.epoch);
        let from = RunKey { line, last: id.seq, first: 0 };
        let mut keys = Vec::new();
        self.keys_from(Tree::Log, &from.to_bytes(), &mut |bytes| {
            let key = RunKey::from_bytes(bytes).filter(|key| key.line == line);
            keys.extend(key.filter(|key| key.first == id.seq));
            Ok(key.is_some())
        })?;
        Ok(keys)
    }

    /// Folds every document anew.
    fn view_all(&mut self) -> Result<(), StoreError> {
        let mut keys: Vec<DocKey> = Vec::new();
        self.keys_from(Tree::Docs, &[], &mut |key| {
            keys.extend(DocKey::try_from(key));
            Ok(true)
        })?;
        for some in keys.chunks(DOCUMENTS) {
            let mut work = self.work();
            for key in some {
                if let Some(entry) = self.entry_at(*key)? {
                    work.view_again(self, &entry)?;
                }
            }
            self.commit(work)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use records::kinds::later;
    use sync_protocol::ruling::{Ruling, Verdict};

    use super::*;
    use crate::store::testing::{NOW, answer, create, enrolment};

    /// A supervisor's work was refused, and with his role the sheet left his device. The next version of the program took
    /// what stays of it in the log for something that the earlier version could not read, and counted it twice.
    #[test]
    fn a_refused_op_whose_document_left_is_not_taken_for_an_unread_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        let made = store.save(vec![create(b"sheet")], NOW).unwrap()[0];
        let sent = store.unsent(usize::MAX, usize::MAX).unwrap();
        let ruling = Ruling {
            replica: made.replica,
            epoch: made.epoch,
            first: 1,
            count: 1,
            order: 0,
            cap_ms: u64::MAX >> 16,
            version: 1,
            exceptions: vec![(
                0,
                Verdict::Quarantined { code: 9, text: "role".to_owned(), retryable: false },
            )],
        };
        let (page, proof) = answer(&sent, vec![Item::Evict(DocId(made))], vec![ruling], 1);
        assert_eq!(store.apply(&page, &proof, NOW).unwrap().evicted, 1);
        let before = store.counts().unwrap();
        assert_eq!((before.quarantined, before.documents), (1, 0));
        store.keep_words(&[b"made with the tables before"]).unwrap();
        drop(store);
        later::set(true);
        let store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.doctor().unwrap().faults, []);
        assert_eq!(store.counts().unwrap(), before);
        assert!(store.words().pieces().is_empty());
        later::set(false);
    }
}
