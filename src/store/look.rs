//! What a person should look at after a rebuild: records of which something reads nowhere here any more.
//!
//! Source: docs/STORAGE.md, Trouble.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, Epoch};
use records::value::FileHash;

use crate::blobs::Blobs;
use crate::store::Store;
use crate::store::cut::Cut;
use crate::store::database::Tree;
use crate::store::entry::{DocKey, Entry, doc_of_key};
use crate::store::error::StoreError;
use crate::store::files::{self, Hash};
use crate::store::journal::Gap;
use crate::store::state::left_key;

/// Something that needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The record; `None` where nobody can say which.
    pub doc: Option<DocId>,
    /// What is wrong with it.
    pub why: Why,
}

/// Why something needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was here, and none of its ops reads; what HQ has of it comes with the next sync.
    Gone,
    /// So many of its ops do not read; what HQ has of them comes with the next sync.
    OpsMissing(u64),
    /// Its beginning does not read, and so it is listed nowhere.
    NotWhole,
    /// A file of it did not read: it was set aside, and the next sync asks HQ for it.
    FileDamaged(Hash),
    /// Own ops that neither the journal nor the database gives back.
    OpsLost {
        /// Their epoch.
        epoch: Epoch,
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// Bytes of the journal that do not read.
    JournalGap(Gap),
    /// The journal lost its end.
    JournalCut(Cut),
}

impl Store {
    /// Returns the records of the old database that are not what they were, and what the new one lists nowhere.
    pub(in crate::store) fn records_to_look_at(
        &self,
        old: &BTreeMap<DocKey, Option<Entry>>,
    ) -> Result<Vec<Look>, StoreError> {
        let again = self.written_again()?;
        let mut looks = Vec::new();
        for (key, was) in old {
            if self.get(Tree::Meta, &left_key(key))?.is_some() {
                continue;
            }
            let is: BTreeSet<_> = self.entry_at(*key)?.iter().flat_map(Entry::op_ids).collect();
            let had = was.iter().flat_map(Entry::op_ids);
            let missing = had.filter(|id| !is.contains(id) && !again.contains_key(id)).count();
            let missing = u64::try_from(missing).unwrap_or(u64::MAX);
            let renamed = again.contains_key(&doc_of_key(*key).0);
            let why = match (is.is_empty(), missing) {
                (true, _) if renamed => continue,
                (true, _) => Why::Gone,
                (false, 0) => continue,
                (false, missing) => Why::OpsMissing(missing),
            };
            looks.push(Look { doc: Some(doc_of_key(*key)), why });
        }
        self.keys_from(Tree::Docs, &[], &mut |key| {
            let entry = key.try_into().ok().and_then(|key| self.entry_at(key).ok().flatten());
            let begun = |entry: &Entry| looks.iter().any(|look: &Look| look.doc == Some(entry.id));
            if let Some(entry) = entry.filter(|entry| !entry.whole && !begun(entry)) {
                looks.push(Look { doc: Some(entry.id), why: Why::NotWhole });
            }
            Ok(true)
        })?;
        Ok(looks)
    }

    /// Returns the own ops that must have been and read nowhere, and what else the journal does not give back.
    ///
    /// `ends` is how far each own epoch is known to have gone.
    pub(in crate::store) fn saves_to_look_at(
        &self,
        ends: &BTreeMap<Epoch, u64>,
        gaps: &[Gap],
        cuts: &[Cut],
    ) -> Result<Vec<Look>, StoreError> {
        let lost = self.ops_lost(ends)?;
        let lost = lost.into_iter().map(|(epoch, first, last)| Why::OpsLost { epoch, first, last });
        let gaps = gaps.iter().map(|gap| Why::JournalGap(*gap));
        let cuts = cuts.iter().map(|cut| Why::JournalCut(*cut));
        Ok(lost.chain(gaps).chain(cuts).map(|why| Look { doc: None, why }).collect())
    }

    /// Returns the stretches of own ops, up to where each epoch is known to have gone, that read nowhere: epoch, first,
    /// last.
    pub(in crate::store) fn ops_lost(
        &self,
        ends: &BTreeMap<Epoch, u64>,
    ) -> Result<Vec<(Epoch, u64, u64)>, StoreError> {
        let mut have: BTreeSet<(Epoch, u64)> = BTreeSet::new();
        self.each_op(&mut |id, row| {
            let names = [Some(id), row.forked_from].into_iter().flatten();
            have.extend(names.filter(|id| id.replica == self.replica()).map(|id| (id.epoch, id.seq)));
        })?;
        for aside in crate::store::aside::all(&self.home, &self.keys)? {
            have.extend(aside.ops(self.replica()).map(|id| (id.epoch, id.seq)));
        }
        let mut lost = Vec::new();
        for (epoch, end) in ends {
            let mut first = 1;
            let present = have.range((*epoch, 0)..=(*epoch, *end)).map(|(_, seq)| *seq);
            for seq in present.chain([end.saturating_add(1)]) {
                if seq > first {
                    lost.push((*epoch, first, seq - 1));
                }
                first = seq.saturating_add(1);
            }
        }
        Ok(lost)
    }

    /// Sets attachments aside that do not read, and lets the next sync ask HQ for them.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(in crate::store) fn set_damaged_files_aside(&mut self) -> Result<Vec<Look>, StoreError> {
        let blobs = Blobs::of(self);
        let damaged: BTreeSet<Hash> = blobs
            .names()
            .filter(|name| blobs.read_to(name, &mut std::io::sink()).is_err())
            .filter_map(|name| Hash::try_from(name.0.as_slice()).ok())
            .collect();
        if damaged.is_empty() {
            return Ok(Vec::new());
        }
        let folder = self.home.join("quarantine").join("blobs");
        for hash in &damaged {
            blobs.set_aside(&FileHash(hash.to_vec()), &folder)?;
        }
        let mut named: BTreeMap<Hash, DocId> = BTreeMap::new();
        self.each_op(&mut |id, row| {
            let files = files::named(row).into_iter().map(|named| named.hash);
            named.extend(files.filter(|hash| damaged.contains(hash)).map(|hash| (hash, row.document(id))));
        })?;
        for (hash, doc) in &named {
            self.fetch_first(*doc, *hash)?;
        }
        let look = |hash: &Hash| Look { doc: named.get(hash).copied(), why: Why::FileDamaged(*hash) };
        Ok(damaged.iter().map(look).collect())
    }
}
