//! Making the database anew from everything that reads: the journal, and what the old database still gives.
//!
//! The old one is set aside, never patched and never deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use records::id::Epoch;
use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::ruling::Ruling;

use crate::clock::Now;
use crate::keys::{Access, Keys};
use crate::store::Store;
use crate::store::apply::Applied;
use crate::store::database::{Change, Database, Tree};
use crate::store::entry::{DocKey, Entry};
use crate::store::epoch::Opening;
use crate::store::error::StoreError;
use crate::store::journal::{self, Contents, Frame, Logged};
use crate::store::look::Look;
use crate::store::run::{Decoded, Run, RunKey};
use crate::store::state::{FORKS_KEY, LineInfo, STATE_KEY, State, WORDS_KEY, line_key};

/// The name of a database that a rebuild finished, until it has its place.
const WHOLE: &str = "sled.new";

/// What a rebuild made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Ops in the new database.
    pub ops: u64,
    /// Documents.
    pub documents: u64,
    /// Own ops that only the journal had.
    pub from_journal: u64,
    /// Values of the old database that did not read; what HQ had sent among them comes again with the next sync.
    pub unreadable: u64,
    /// Where the old database lies; `None` where there was none.
    pub set_aside: Option<PathBuf>,
    /// What a person should look at.
    pub look: Vec<Look>,
}

/// What the old database still gives.
#[derive(Default)]
pub(in crate::store) struct Salvage {
    state: Option<State>,
    meta: Vec<(Vec<u8>, Vec<u8>)>,
    lines: BTreeMap<Line, LineInfo>,
    pub(in crate::store) runs: Vec<(RunKey, Decoded)>,
    rulings: Vec<Ruling>,
    left: Vec<DocKey>,
    /// Documents that it listed, each in short where that reads.
    pub(in crate::store) docs: BTreeMap<DocKey, Option<Entry>>,
    unreadable: u64,
}

/// Takes one value of the old database in; `None` where it does not decode.
type TakeIn<'a> = dyn FnMut(&mut Salvage, &[u8], Vec<u8>) -> Option<()> + 'a;

/// The own log of one epoch, as far as it reads.
#[derive(Default)]
struct OwnEpoch {
    parent: Option<Parent>,
    frames: BTreeMap<u64, Frame>,
}

impl Store {
    /// Makes the database of a home anew.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::NotEnrolled`], [`StoreError::NoSpace`], [`StoreError::Damaged`] where keys do not read.
    pub fn rebuild(home: &Path, now: Now) -> Result<Rebuilt, StoreError> {
        Self::rebuild_by(home, Access::Plain, now)
    }

    /// As [`rebuild`](Self::rebuild), of a home with a PIN by the key that was opened with it.
    ///
    /// # Errors
    /// As [`rebuild`](Self::rebuild), and [`StoreError::Locked`].
    pub fn rebuild_by(home: &Path, access: Access<'_>, now: Now) -> Result<Rebuilt, StoreError> {
        let opened = Self::unopened(home, access, now)?;
        let path = home.join("sled");
        let salvage = salvage(home, &opened.keys)?;
        let part = home.join("sled.part");
        if part.exists() {
            clear(&part)?;
        }
        let (mut store, contents) = opened.with_database(Database::open(&part)?, State::default())?;
        let cut = store.cut_of(&contents);
        let from_journal = store.restore(&salvage.own_epochs(&store)?, &salvage)?;
        store.finish_restore(&salvage)?;
        let journaled = journal::read_all(&home.join("journal"), &store.keys)?;
        let mut ends = salvage.ends(&store, &journaled);
        let mut cuts = store.cuts()?;
        cuts.extend(cut);
        crate::store::cut::stretch(&mut ends, &cuts);
        let orphans = store.orphans(journaled.frames.into_iter().map(|(frame, _)| frame).collect())?;
        store.opening = Opening::Elsewhere;
        store.adopt(orphans, now)?;
        let mut look = store.records_to_look_at(&salvage.docs)?;
        look.extend(store.saves_to_look_at(&ends, &journaled.gaps, &cuts)?);
        look.extend(store.set_damaged_files_aside()?);
        store.forget_cuts()?;
        store.checkpoint()?;
        let counts = store.counts()?;
        let Self { database, _lock: lock, .. } = store;
        drop(database);
        // Whole by its name: a kill from here on is made good by the next opening.
        rename(home, &part, &home.join(WHOLE))?;
        let set_aside = set_aside(home, &path, now)?;
        take_whole(home)?;
        mend_copies(home)?;
        drop(lock);
        Ok(Rebuilt {
            ops: counts.ops,
            documents: counts.documents,
            from_journal,
            unreadable: salvage.unreadable,
            set_aside,
            look,
        })
    }

    /// Takes the own log in again, epoch after epoch; returns how many ops only the journal had.
    fn restore(&mut self, epochs: &BTreeMap<Epoch, OwnEpoch>, salvage: &Salvage) -> Result<u64, StoreError> {
        for (key, value) in &salvage.meta {
            let mut change = Change::default();
            change.put(Tree::Meta, key, value.clone());
            self.gather(change)?;
        }
        for (line, info) in &salvage.lines {
            let kept = LineInfo { ruled: Vec::new(), revised: false, ..info.clone() };
            let mut change = Change::default();
            change.put(
                Tree::Meta,
                &line_key(line.0, line.1),
                postcard::to_allocvec(&kept).unwrap_or_default(),
            );
            self.gather(change)?;
        }
        let end = self.journal.end();
        // Settings up to there are in the old database, and of the same name it has the newer one.
        let known = salvage.state.as_ref().map(|state| state.journal).unwrap_or_default();
        for (frame, at) in journal::read_all(&self.home.join("journal"), &self.keys)?.frames {
            if frame.ops.is_empty() && at > known {
                let mut work = self.work();
                self.take(&mut work, &frame, end)?;
                self.commit(work)?;
            }
        }
        let mut from_journal = 0;
        let mut next: Option<Parent> = None;
        // Of several epochs that hang alike only one was written here: the others came back from HQ.
        let written = |epoch: &&OwnEpoch| !epoch.frames.is_empty();
        while let Some(epoch) = epochs.values().filter(written).find(|epoch| epoch.parent == next) {
            for frame in epoch.frames.values() {
                let mut work = self.work();
                if self.follows(&work, frame) {
                    self.take(&mut work, frame, end)?;
                    self.commit(work)?;
                    from_journal += (frame.first..=frame.last())
                        .filter(|seq| !salvage.has((self.replica(), frame.epoch), *seq))
                        .fold(0, |n, _| n + 1);
                }
            }
            let tip = self.state.own.map(crate::store::state::End::as_parent);
            if tip == next {
                break;
            }
            next = tip;
        }
        Ok(from_journal)
    }

    /// Takes in what others wrote, what HQ ruled, and how far that was.
    fn finish_restore(&mut self, salvage: &Salvage) -> Result<(), StoreError> {
        for (key, decoded) in &salvage.runs {
            if !matches!(decoded.run, Run::Own { .. }) {
                let work = self.work();
                self.apply_run(
                    work,
                    *key,
                    &decoded.run,
                    decoded.rows.clone(),
                    None,
                    &mut Applied::default(),
                )?;
            }
        }
        for ruling in &salvage.rulings {
            let mut work = self.work();
            work.rule(self, ruling)?;
            self.commit(work)?;
        }
        for key in &salvage.left {
            if let Some(entry) = self.entry_at(*key)? {
                let mut work = self.work();
                work.forget(self, entry.id)?;
                self.commit(work)?;
            }
        }
        let mut work = self.work();
        work.state.journal = self.journal.end();
        if let Some(old) = &salvage.state {
            work.state.floor = work.state.floor.max(old.floor);
            work.state.numbers_suspended = old.numbers_suspended;
            work.state.lease = old.lease;
            // Where something of HQ's is missing, the feeds are read again from the start.
            if salvage.unreadable == 0 {
                work.state.cursor = old.cursor.clone();
                work.state.level = old.level;
                work.state.answers = old.answers;
            }
        }
        work.drop_finished(self)?;
        self.commit(work)
    }
}

impl Salvage {
    fn has(&self, line: Line, seq: u64) -> bool {
        self.runs.iter().any(|(key, run)| key.line == line && run.row(seq).is_some())
    }

    /// Returns how far each own epoch is known to have gone, by whatever names its ops.
    fn ends(&self, store: &Store, journaled: &Contents) -> BTreeMap<Epoch, u64> {
        let own = |line: &&Line| line.0 == store.replica();
        let lines = self.lines.iter().filter(|(line, _)| own(line));
        let lines = lines.filter_map(|(line, info)| Some((line.1, info.end?.0)));
        let written = self.runs.iter().filter(|(_, run)| matches!(run.run, Run::Own { .. }));
        let runs = written.map(|(key, _)| (key.line.1, key.last));
        let frames = journaled.frames.iter().filter(|(frame, _)| !frame.ops.is_empty());
        let frames = frames.map(|(frame, _)| (frame.epoch, frame.last()));
        let tip = self.state.iter().filter_map(|state| state.own).map(|own| (own.epoch, own.seq));
        let mut ends = BTreeMap::new();
        for (epoch, seq) in lines.chain(runs).chain(frames).chain(tip) {
            let end = ends.entry(epoch).or_insert(0);
            *end = seq.max(*end);
        }
        ends
    }

    /// Joins what the journal and the old database hold of the own log.
    fn own_epochs(&self, store: &Store) -> Result<BTreeMap<Epoch, OwnEpoch>, StoreError> {
        let mut epochs: BTreeMap<Epoch, OwnEpoch> = BTreeMap::new();
        for (line, info) in self.lines.iter().filter(|(line, _)| line.0 == store.replica()) {
            epochs.entry(line.1).or_default().parent = info.parent;
        }
        for (frame, _) in journal::read_all(&store.home.join("journal"), &store.keys)?.frames {
            if frame.ops.is_empty() {
                continue;
            }
            let epoch = epochs.entry(frame.epoch).or_default();
            epoch.parent = epoch.parent.or(frame.parent);
            epoch.frames.insert(frame.first, frame);
        }
        for (key, decoded) in &self.runs {
            let Run::Own { before, test_clock, ops } = &decoded.run else {
                continue;
            };
            let epoch = epochs.entry(key.line.1).or_default();
            epoch.fill(*key, *before, *test_clock, ops);
        }
        let gone = self.written_again(store, &epochs)?;
        for (epoch, own) in &mut epochs {
            own.frames.retain(|first, _| !gone.contains(&(*epoch, *first)));
        }
        Ok(epochs)
    }

    /// Returns where saves stood that were written again elsewhere, or are to be.
    fn written_again(
        &self,
        store: &Store,
        epochs: &BTreeMap<Epoch, OwnEpoch>,
    ) -> Result<BTreeSet<(Epoch, u64)>, StoreError> {
        let frames: Vec<Frame> = epochs.values().flat_map(|epoch| epoch.frames.values().cloned()).collect();
        let mut gone: BTreeSet<(Epoch, u64)> = crate::store::adopt::rows(&frames)
            .filter_map(|row| row.forked_from)
            .map(|old| (old.epoch, old.seq))
            .collect();
        let unfinished = self.meta.iter().find(|(key, _)| key == FORKS_KEY);
        let unfinished: Vec<String> =
            unfinished.and_then(|(_, names)| postcard::from_bytes(names).ok()).unwrap_or_default();
        for name in unfinished {
            // Of one that does not read, the journal's saves take their old places: HQ names the fork again.
            if let Ok(aside) = crate::store::aside::read(&store.home, &store.keys, &name) {
                gone.extend(aside.frames.iter().map(|frame| (frame.epoch, frame.first)));
            }
        }
        Ok(gone)
    }
}

impl OwnEpoch {
    /// Puts a run of the old database where the journal has nothing.
    fn fill(&mut self, key: RunKey, before: Link, test_clock: bool, ops: &[Logged]) {
        let mut link = before;
        let mut open: Option<Frame> = None;
        for (seq, op) in (key.first..).zip(ops) {
            let before = link;
            link = link.next(&op.row);
            let known = self.frames.range(..=seq).next_back().is_some_and(|(_, frame)| frame.last() >= seq);
            if known {
                self.frames.extend(open.take().map(|frame| (frame.first, frame)));
                continue;
            }
            let frame = open.get_or_insert_with(|| Frame {
                epoch: key.line.1,
                parent: None,
                first: seq,
                before,
                test_clock,
                ops: Vec::new(),
                settings: Vec::new(),
            });
            frame.ops.push(op.clone());
            if seq == 1 {
                frame.parent = self.parent;
            }
        }
        self.frames.extend(open.take().map(|frame| (frame.first, frame)));
    }
}

/// Gives a database that a rebuild made whole its place, where a kill left the place empty. One beside a database that
/// is in its place is older than that, and goes.
///
/// # Errors
/// [`StoreError::Io`].
pub(in crate::store) fn take_whole(home: &Path) -> Result<(), StoreError> {
    let (whole, path) = (home.join(WHOLE), home.join("sled"));
    match (whole.exists(), path.exists()) {
        (true, false) => rename(home, &whole, &path),
        (true, true) => clear(&whole),
        (false, _) => Ok(()),
    }
}

/// Writes what has two copies anew where only one of them reads.
fn mend_copies(home: &Path) -> Result<(), StoreError> {
    for (folder, name) in crate::home::TWINS {
        let folder = home.join(folder);
        if crate::home::whole_copies(&folder, name) == 1
            && let Some(bytes) = crate::home::read_twin(&folder, name)?
        {
            crate::home::write_twin(&folder, name, &bytes)?;
        }
    }
    Ok(())
}

/// Removes what a killed rebuild left; all of it is in the journal and the database.
fn clear(part: &Path) -> Result<(), StoreError> {
    let cleared = std::fs::remove_dir_all(part);
    cleared.map_err(|source| StoreError::io("clearing a rebuild that was killed", part, source))
}

fn rename(home: &Path, from: &Path, to: &Path) -> Result<(), StoreError> {
    let moved = std::fs::rename(from, to).and_then(|()| crate::home::sync_folder(home));
    moved.map_err(|source| StoreError::io("putting the new database in its place", to, source))
}

/// Moves the old database into `quarantine/`, under the time of the rebuild.
fn set_aside(home: &Path, path: &Path, now: Now) -> Result<Option<PathBuf>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let folder = home.join("quarantine");
    let to = (0..).map(|n| folder.join(format!("sled-{}-{n}", now.wall.0))).find(|to| !to.exists());
    let to = to.unwrap_or_else(|| folder.join("sled"));
    let moved = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::rename(path, &to))
        .and_then(|()| crate::home::sync_folder(&folder))
        .and_then(|()| crate::home::sync_folder(home));
    moved.map_err(|source| StoreError::io("setting the old database aside", &to, source))?;
    Ok(Some(to))
}

/// Returns what the database of a home still gives.
///
/// # Errors
/// [`StoreError::Io`].
pub(in crate::store) fn salvage(home: &Path, keys: &Keys) -> Result<Salvage, StoreError> {
    match crate::store::probe::read_elsewhere(home).and_then(|()| Database::open(&home.join("sled"))) {
        Ok(old) => read_old(&old, keys),
        Err(StoreError::Damaged { .. }) => Ok(Salvage { unreadable: 1, ..Salvage::default() }),
        Err(other) => Err(other),
    }
}

/// Reads what still reads; what does not is counted.
fn read_old(old: &Database, keys: &Keys) -> Result<Salvage, StoreError> {
    let mut salvage = Salvage::default();
    let mut each = |tree: Tree, take: &mut TakeIn| {
        let walked = old.keys_from(keys, tree, &[], &mut |key| {
            let value = old.get(keys, tree, key).ok().flatten();
            if value.and_then(|value| take(&mut salvage, key, value)).is_none() {
                salvage.unreadable += 1;
            }
            Ok(true)
        });
        if walked.is_err() {
            salvage.unreadable += 1;
        }
    };
    each(Tree::Meta, &mut |salvage, key, value| {
        match key.split_first()? {
            _ if key == STATE_KEY => salvage.state = Some(postcard::from_bytes(&value).ok()?),
            (b'l', line) => {
                let (replica, epoch) = line.split_first_chunk::<4>()?;
                let epoch = u32::from_be_bytes(epoch.try_into().ok()?);
                let line = (records::id::Replica(u32::from_be_bytes(*replica)), Epoch(epoch));
                salvage.lines.insert(line, postcard::from_bytes(&value).ok()?);
            }
            // Made of the old log.
            _ if key == WORDS_KEY => {}
            (kind, rest) => {
                if *kind == b'v' {
                    salvage.left.push(rest.try_into().ok()?);
                }
                salvage.meta.push((key.to_vec(), value));
            }
        }
        Some(())
    });
    each(Tree::Log, &mut |salvage, key, value| {
        let key = RunKey::from_bytes(key)?;
        salvage.runs.push((key, Run::decode(&value, key)?));
        Some(())
    });
    each(Tree::Rulings, &mut |salvage, _, value| {
        salvage.rulings.push(postcard::from_bytes(&value).ok()?);
        Some(())
    });
    read_old_documents(old, keys, &mut salvage);
    Ok(salvage)
}

/// Reads which documents there were; of one whose value does not read the key still says that it was there.
fn read_old_documents(old: &Database, keys: &Keys, salvage: &mut Salvage) {
    let walked = old.keys_from(keys, Tree::Docs, &[], &mut |key| {
        let value = old.get(keys, Tree::Docs, key).ok().flatten();
        let entry = value.and_then(|value| postcard::from_bytes(&value).ok());
        salvage.unreadable += u64::from(entry.is_none());
        if let Ok(key) = key.try_into() {
            salvage.docs.insert(key, entry);
        }
        Ok(true)
    });
    salvage.unreadable += u64::from(walked.is_err());
}
