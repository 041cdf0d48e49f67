//! Examining a home: journal, log and views against each other, every value opened, every chain walked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use records::id::{DocId, Epoch, OpId};
use sync_protocol::chain::Link;
use sync_protocol::op::Row;

use crate::blobs::Blobs;
use crate::store::Store;
use crate::store::cut::Cut;
use crate::store::database::Tree;
use crate::store::entry::{Entry, doc_key};
use crate::store::error::{Part, StoreError};
use crate::store::files::Hash;
use crate::store::read::Counts;
use crate::store::run::{Run, RunKey};
use crate::store::state::left_key;
use crate::store::{journal, work};

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// How much is here, as the database says.
    pub counts: Counts,
    /// The hash over all documents that HQ has ruled on, folded anew.
    pub digest: [u8; 16],
    /// Own ops that read in the journal, in the log, and in either.
    pub safe: Safe,
    /// What is wrong; empty where all is well.
    pub faults: Vec<Fault>,
    /// Forked branches as they were before they were written again.
    pub set_aside: Vec<SetAside>,
}

/// A forked branch as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The file.
    pub path: PathBuf,
    /// The names that its ops had.
    pub ops: Vec<OpId>,
}

/// Own ops by where they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Safe {
    /// In the journal.
    pub in_journal: u64,
    /// In the database.
    pub in_log: u64,
    /// In at least one of them.
    pub in_either: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// One of a file's two copies in `id/` or of `head` does not read; the other does.
    CopyLost(Part),
    /// Bytes of a journal file are no frame.
    JournalGap {
        /// The file's number.
        file: u64,
        /// Where in it.
        offset: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// An op does not follow from the one before it.
    ChainBroken(OpId),
    /// An op is in the journal and not in the log, or the other way with another content.
    OpDiffers(OpId),
    /// Own ops that were saved and read nowhere here: epoch, first, last.
    OpsLost(Epoch, u64, u64),
    /// The journal lost its end.
    JournalCut(Cut),
    /// A stored value does not open or decode.
    Unreadable(Part),
    /// What lists show of a document is not what its ops make.
    ViewDiffers(DocId),
    /// The counts are not those of what is there.
    CountsDiffer,
    /// An attachment does not read.
    BlobDamaged(Hash),
    /// A record names a file that is neither here nor at HQ.
    FileMissing(Hash),
    /// Ops of a forked branch could not be written again: they stand in this file only.
    OnlyAside {
        /// The file.
        path: PathBuf,
        /// How many.
        ops: u64,
    },
    /// The file of a forked branch does not read, or is gone before the branch was written again.
    AsideDamaged(PathBuf),
    /// The database wrote a value outside its own file, where nothing syncs it.
    ValueOutside,
    /// The database went back behind so many answers of HQ; the next sync brings again what they brought.
    AnswersLost(u64),
}

impl Findings {
    /// Returns whether lists and counts are what the ops make.
    #[must_use]
    pub fn views_ok(&self) -> bool {
        !self.faults.iter().any(|fault| {
            matches!(fault, Fault::ViewDiffers(_) | Fault::CountsDiffer | Fault::Unreadable(Part::Views))
        })
    }
}

type OwnRows = BTreeMap<(Epoch, u64), Vec<u8>>;

impl Store {
    /// Examines the whole home and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Io`], and [`StoreError::Damaged`] where not even counts read.
    pub fn doctor(&self) -> Result<Findings, StoreError> {
        let mut faults = Vec::new();
        examine_copies(&self.home, &mut faults);
        if self.state.own.is_some() && crate::home::whole_copies(&self.home, "head") == 0 {
            faults.push(Fault::Unreadable(Part::Head));
        }
        let journaled = self.examine_journal(&mut faults)?;
        let (logged, n_ops) = self.examine_log(&mut faults)?;
        let again = logged.values().filter_map(|row| Row::from_bytes(row).ok()?.forked_from);
        let mut again: BTreeSet<(Epoch, u64)> = again.map(|id| (id.epoch, id.seq)).collect();
        let set_aside = self.examine_aside(&again, &mut faults)?;
        again.extend(set_aside.iter().flat_map(|aside| &aside.ops).map(|id| (id.epoch, id.seq)));
        for ((epoch, seq), row) in journaled.iter().filter(|(place, _)| !again.contains(*place)) {
            if logged.get(&(*epoch, *seq)) != Some(row) {
                faults.push(Fault::OpDiffers(OpId { replica: self.replica(), epoch: *epoch, seq: *seq }));
            }
        }
        let mut ends: BTreeMap<Epoch, u64> = BTreeMap::new();
        for (epoch, seq) in journaled.keys().chain(logged.keys()) {
            let end = ends.entry(*epoch).or_insert(0);
            *end = (*seq).max(*end);
        }
        let cuts = self.cuts()?;
        crate::store::cut::stretch(&mut ends, &cuts);
        if let Ok(lost) = self.ops_lost(&ends) {
            faults.extend(lost.into_iter().map(|(epoch, first, last)| Fault::OpsLost(epoch, first, last)));
        }
        faults.extend(cuts.into_iter().map(Fault::JournalCut));
        let digest = self.examine_views(n_ops, &mut faults)?;
        self.examine_files(&mut faults);
        faults.extend(self.files_missing()?.into_iter().map(Fault::FileMissing));
        let lost = self.answers_lost()?;
        faults.extend((lost > 0).then_some(Fault::AnswersLost(lost)));
        let either = journaled.keys().chain(logged.keys()).collect::<BTreeSet<_>>().len();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let safe = Safe {
            in_journal: count(journaled.len()),
            in_log: count(logged.len()),
            in_either: count(either),
        };
        Ok(Findings { counts: self.counts()?, digest, safe, faults, set_aside })
    }

    /// Reads the branches that were set aside; an op of one that is not written again is only there.
    fn examine_aside(
        &self,
        again: &BTreeSet<(Epoch, u64)>,
        faults: &mut Vec<Fault>,
    ) -> Result<Vec<SetAside>, StoreError> {
        let asides = crate::store::aside::all(&self.home, &self.keys)?;
        let damaged = crate::store::aside::unreadable(&self.home, &self.keys, self.unfinished_forks()?)?;
        faults.extend(damaged.into_iter().map(Fault::AsideDamaged));
        // One that was forked twice is written again twice.
        let twice = asides.iter().flat_map(|aside| crate::store::adopt::rows(&aside.frames));
        let twice: BTreeSet<OpId> = twice.filter_map(|row| row.forked_from).collect();
        let mut all = Vec::new();
        for aside in asides {
            let ops: Vec<OpId> = aside.ops(self.replica()).collect();
            let (mut standing, mut left) = (true, 0_u64);
            for (id, op) in ops.iter().zip(aside.frames.iter().flat_map(|frame| &frame.ops)) {
                let run = self.run_of(*id)?;
                let own = run.filter(|run| matches!(run.run, Run::Own { .. }));
                standing &= own.is_some_and(|run| {
                    run.row(id.seq).is_some_and(|row| Row::from_bytes(&op.row).as_ref() == Ok(row))
                });
                left += u64::from(!again.contains(&(id.epoch, id.seq)) && !twice.contains(id));
            }
            // Set aside and then killed before the log let go of it: the log still says it all.
            if standing {
                continue;
            }
            if left > 0 {
                faults.push(Fault::OnlyAside { path: aside.path.clone(), ops: left });
            }
            all.push(SetAside { path: aside.path, ops });
        }
        Ok(all)
    }

    fn examine_journal(&self, faults: &mut Vec<Fault>) -> Result<OwnRows, StoreError> {
        let contents = journal::read_all(&self.home.join("journal"), &self.keys)?;
        for gap in contents.gaps {
            faults.push(Fault::JournalGap { file: gap.at.file, offset: gap.at.offset, bytes: gap.bytes });
        }
        let mut rows = OwnRows::new();
        let mut ends: BTreeMap<Epoch, (u64, Link)> = BTreeMap::new();
        for (frame, _) in contents.frames.iter().filter(|(frame, _)| !frame.ops.is_empty()) {
            if let Some((last, link)) = ends.insert(frame.epoch, (frame.last(), frame.after()))
                && last + 1 == frame.first
                && link != frame.before
            {
                let id = OpId { replica: self.replica(), epoch: frame.epoch, seq: frame.first };
                faults.push(Fault::ChainBroken(id));
            }
            for (seq, op) in (frame.first..).zip(&frame.ops) {
                rows.insert((frame.epoch, seq), op.row.clone());
            }
        }
        Ok(rows)
    }

    /// Reads every run: the own rows, and how many ops there are in all.
    fn examine_log(&self, faults: &mut Vec<Fault>) -> Result<(OwnRows, u64), StoreError> {
        let mut own = OwnRows::new();
        let mut ids = BTreeSet::new();
        let mut before: Option<(RunKey, Link)> = None;
        self.keys_from(Tree::Log, &[], &mut |bytes| {
            let Some((key, run)) = RunKey::from_bytes(bytes).and_then(|key| Some((key, self.run(key).ok()?)))
            else {
                faults.push(Fault::Unreadable(Part::Log));
                return Ok(true);
            };
            ids.extend(run.rows.iter().map(|(seq, _)| (key.line, *seq)));
            if let Run::Own { before: link, ops, .. } = &run.run {
                let follows = before.filter(|(up, _)| up.line == key.line && up.last + 1 == key.first);
                if follows.is_some_and(|(_, expected)| expected != *link) {
                    faults.push(Fault::ChainBroken(OpId {
                        replica: key.line.0,
                        epoch: key.line.1,
                        seq: key.first,
                    }));
                }
                before = Some((key, ops.iter().fold(*link, |link, op| link.next(&op.row))));
                own.extend((key.first..).zip(ops).map(|(seq, op)| ((key.line.1, seq), op.row.clone())));
            }
            Ok(true)
        })?;
        self.keys_from(Tree::Rulings, &[], &mut |key| {
            if self.get(Tree::Rulings, key).is_err() {
                faults.push(Fault::Unreadable(Part::Rulings));
            }
            Ok(true)
        })?;
        Ok((own, u64::try_from(ids.len()).unwrap_or(u64::MAX)))
    }

    /// Folds every document anew and compares; returns the digest of what comes out.
    fn examine_views(&self, n_ops: u64, faults: &mut Vec<Fault>) -> Result<[u8; 16], StoreError> {
        let (mut documents, mut conflicts, mut digests) = (0, 0, Vec::new());
        let mut listed = BTreeSet::new();
        let walked = self.each_entry(None, &mut |entry| {
            listed.insert(doc_key(entry.id));
            Ok(ControlFlow::Continue(()))
        });
        // The lists by kind are not the only postings.
        if walked.is_err() || self.keys_from(Tree::Index, &[], &mut |_| Ok(true)).is_err() {
            faults.push(Fault::Unreadable(Part::Views));
        }
        let walked = self.keys_from(Tree::Docs, &[], &mut |key| {
            let entry = key.try_into().ok().and_then(|key| self.entry_at(key).ok().flatten());
            let Some(entry) = entry else {
                faults.push(Fault::Unreadable(Part::Views));
                return Ok(true);
            };
            match self.refolded(&entry) {
                Ok(fresh) if fresh == entry && entry.whole == listed.contains(key) => {}
                _ => faults.push(Fault::ViewDiffers(entry.id)),
            }
            if entry.whole {
                documents += 1;
                conflicts += u64::from(entry.conflicts);
                if self.all_ruled(&entry)? {
                    digests.push((entry.id, entry.digest));
                }
            }
            Ok(true)
        });
        match walked {
            // Entries that lie together do not read together.
            Err(StoreError::Damaged { .. }) => faults.push(Fault::Unreadable(Part::Views)),
            other => other?,
        }
        self.examine_membership(faults)?;
        let state = &self.state;
        if (state.ops, state.documents, state.conflicts) != (n_ops, documents, conflicts) {
            faults.push(Fault::CountsDiffer);
        }
        Ok(sync_protocol::digest::root(digests))
    }

    /// Asks of every op whether its document lists it.
    fn examine_membership(&self, faults: &mut Vec<Fault>) -> Result<(), StoreError> {
        let mut homeless = BTreeSet::new();
        self.keys_from(Tree::Log, &[], &mut |bytes| {
            let run = RunKey::from_bytes(bytes).and_then(|key| Some((key, self.run(key).ok()?)));
            let Some((key, run)) = run else { return Ok(true) };
            for (seq, row) in &run.rows {
                let doc = row.document(OpId { replica: key.line.0, epoch: key.line.1, seq: *seq });
                let listed = self.entry(doc).ok().flatten();
                let listed = listed
                    .is_some_and(|entry| entry.ops.get(&key.line).is_some_and(|seqs| seqs.contains(seq)));
                if !listed && self.get(Tree::Meta, &left_key(&doc_key(doc)))?.is_none() {
                    homeless.insert(doc);
                }
            }
            Ok(true)
        })?;
        faults.extend(homeless.into_iter().map(Fault::ViewDiffers));
        Ok(())
    }

    fn refolded(&self, entry: &Entry) -> Result<Entry, StoreError> {
        let mut fresh = Entry::new(entry.id, entry.kind);
        fresh.ops.clone_from(&entry.ops);
        match self.folded(entry) {
            Ok(document) => work::summarise(&mut fresh, &document),
            Err(error) if entry.whole => return Err(error),
            Err(_) => {}
        }
        Ok(fresh)
    }

    fn examine_files(&self, faults: &mut Vec<Fault>) {
        let outside = std::fs::read_dir(self.home.join("sled").join("blobs"));
        if outside.is_ok_and(|mut entries| entries.next().is_some()) {
            faults.push(Fault::ValueOutside);
        }
        let blobs = Blobs::of(self);
        let damaged = blobs.names().filter(|name| blobs.read_to(name, &mut std::io::sink()).is_err());
        faults.extend(damaged.filter_map(|name| Hash::try_from(name.0).ok()).map(Fault::BlobDamaged));
    }
}

/// Names what has two copies of which one does not read.
pub(in crate::store) fn examine_copies(home: &Path, faults: &mut Vec<Fault>) {
    for (folder, name) in crate::home::TWINS {
        let (part, fewest) = if name == "head" { (Part::Head, 1) } else { (Part::Keys, 0) };
        if (fewest..2).contains(&crate::home::whole_copies(&home.join(folder), name)) {
            faults.push(Fault::CopyLost(part));
        }
    }
}
