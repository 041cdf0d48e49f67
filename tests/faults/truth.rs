//! Everything that can be read from a home, to be compared with what can be read from it after a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use fieldbook::blobs::Blobs;
use fieldbook::store::Store;
use fieldbook::store::error::StoreError;
use fieldbook::store::read::Counts;
use records::id::{DocId, OpId, Replica};
use sync_protocol::merge::Document;
use sync_protocol::op::Row;

/// What a home says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Truth {
    pub(crate) ops: BTreeMap<OpId, Row>,
    documents: BTreeMap<DocId, Document>,
    /// What its lists lead to: numbers, conflicts, quarantine, documents one by one.
    leads: BTreeMap<String, String>,
    counts: Counts,
    digest: [u8; 16],
    /// Attachments by name, each with whether it reads.
    files: BTreeMap<String, bool>,
}

impl Truth {
    /// Asks an open home for everything, as commands do; numbers are looked up by what `numbers` says.
    ///
    /// # Errors
    /// What a command would have ended with.
    pub(crate) fn of(store: &Store, names: &[String]) -> Result<Self, StoreError> {
        let mut ops = BTreeMap::new();
        store.each_op(&mut |id, row| {
            ops.insert(id, row.clone());
        })?;
        let mut documents = BTreeMap::new();
        store.each(None, &mut |document| {
            documents.insert(document.id, document);
            ControlFlow::Continue(())
        })?;
        let mut leads = BTreeMap::new();
        for name in names {
            leads.insert(name.clone(), format!("{:?}", store.resolve(name)?));
            leads.insert(format!("setting {name}"), format!("{:?}", store.setting(name)?));
        }
        let mut conflicts = Vec::new();
        store.each_conflict(&mut |document| conflicts.push(document.id))?;
        leads.insert("conflicts".into(), format!("{conflicts:?}"));
        leads.insert("quarantine".into(), format!("{:?}", store.quarantine()?));
        leads.insert("files waiting".into(), format!("{:?}", store.files_waiting(usize::MAX)?));
        leads.insert("files missing".into(), format!("{:?}", store.files_missing()?));
        let ids: BTreeSet<DocId> = ops.iter().map(|(id, row)| row.document(*id)).collect();
        for id in ids {
            let found = store.document(id)?;
            if found.as_ref() != documents.get(&id) {
                leads.insert(format!("{id}"), format!("{found:?}"));
            }
            leads.insert(format!("twice {id}"), format!("{:?}", store.written_twice(id)?));
        }
        let blobs = Blobs::of(store);
        let files = blobs
            .names()
            .map(|name| (records::hex::of(&name.0), blobs.read_to(&name, &mut std::io::sink()).is_ok()))
            .collect();
        Ok(Self { ops, documents, leads, counts: store.counts()?, digest: store.digest()?, files })
    }

    /// Returns the first thing in which another home says otherwise; `None` where both say the same.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let of = |what: &str, here: &dyn std::fmt::Debug, there: &dyn std::fmt::Debug| {
            let (here, there) = (format!("{here:?}"), format!("{there:?}"));
            (here != there).then(|| format!("{what}: {here:.300} became {there:.300}"))
        };
        let missing: Vec<_> = self.ops.keys().filter(|id| !other.ops.contains_key(*id)).collect();
        let new: Vec<_> = other.ops.keys().filter(|id| !self.ops.contains_key(*id)).collect();
        if !missing.is_empty() || !new.is_empty() {
            return Some(format!("ops: without {missing:?}, with {new:?}"));
        }
        let docs = |truth: &Self| truth.documents.keys().copied().collect::<Vec<_>>();
        of("listed", &docs(self), &docs(other))
            .or_else(|| of("counts", &self.counts, &other.counts))
            .or_else(|| of("files", &self.files, &other.files))
            .or_else(|| {
                let mut leads = self.leads.keys().chain(other.leads.keys());
                leads.find_map(|name| of(name, &self.leads.get(name), &other.leads.get(name)))
            })
            .or_else(|| {
                let mut ids = self.documents.keys();
                ids.find_map(|id| of("document", &self.documents.get(id), &other.documents.get(id)))
            })
            .or_else(|| of("digest", &self.digest, &other.digest))
            .or_else(|| (self.ops != other.ops).then(|| "ops say otherwise".to_owned()))
    }

    /// Returns whether some of its ops are those of another home under new names.
    pub(crate) fn written_again(&self, other: &Self) -> bool {
        self.ops.values().any(|row| row.forked_from.is_some_and(|old| other.ops.contains_key(&old)))
    }

    /// Returns the ops of a device that another home holds neither under their name nor written again.
    pub(crate) fn lost_in(&self, other: &Self, replica: Replica) -> Vec<OpId> {
        let again: BTreeSet<OpId> = other.ops.values().filter_map(|row| row.forked_from).collect();
        let own = self.ops.iter().filter(|(id, _)| id.replica == replica);
        let lost = own.filter(|(id, row)| other.ops.get(id) != Some(row) && !again.contains(id));
        lost.map(|(id, _)| *id).collect()
    }
}
