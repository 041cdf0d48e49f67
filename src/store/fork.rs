//! A fork: headquarters holds other ops under names that were used here too. The own branch is written again.
//!
//! ```text
//! log here   E ── 1 ── 2 ── 3 ── 4           log there  E ── 1 ── 2 ── 3'
//! after it   E ── 1 ── 2 ── 3' (came back)
//!                        └── F ── 1 (was 3) ── 2 (was 4)
//! ```
//!
//! Nothing is lost at any step: the branch is set aside in a file, then taken out of the log in one transaction that
//! also says that it is to be written again, then written again save by save, then done.
//!
//! Source: docs/PROTOCOL.md, Copies, rewinds and forks; docs/STORAGE.md, Forks.

use std::collections::BTreeSet;

use records::id::{Epoch, OpId};
use sync_protocol::chain::{Link, Parent};
use sync_protocol::message::Notice;
use sync_protocol::op::Row;
use sync_protocol::stamp::Stamp;

use crate::clock::Now;
use crate::store::Store;
use crate::store::adopt::Past;
use crate::store::apply::Applied;
use crate::store::aside;
use crate::store::database::Tree;
use crate::store::epoch::Opening;
use crate::store::error::{Part, StoreError};
use crate::store::journal::{self, Frame};
use crate::store::renamed::Names;
use crate::store::run::{Run, RunKey};
use crate::store::state::{End, FORKS_KEY};
use crate::store::work::Work;
use crate::store::write::ids;

/// What a fork that HQ names comes to here.
enum Forked {
    /// The own branch behind the last op in common; the link there is the same.
    Branch(Vec<Frame>),
    /// HQ's guess lies behind the fork: it has to be asked from the epoch's beginning.
    Further,
    /// Nothing of the own log stands there any more.
    Healed,
}

/// A stretch of the own log: an epoch, the last op of it that belongs to the log, and where it hangs.
struct Stretch {
    end: Parent,
    parent: Option<Parent>,
}

impl Store {
    /// Heals the forks that an answer names; to be called before what the answer brings is taken in.
    pub(in crate::store) fn heal_forks(
        &mut self,
        notices: &[Notice],
        now: Now,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let mut further = BTreeSet::new();
        for notice in notices {
            let Notice::Fork { epoch, common, link } = notice else {
                continue;
            };
            match self.forked(*epoch, *common, *link)? {
                Forked::Branch(frames) => {
                    further.remove(epoch);
                    self.heal(*epoch, *common, &frames, now)?;
                    applied.healed.push(*epoch);
                }
                Forked::Further => drop(further.insert(*epoch)),
                Forked::Healed => {}
            }
        }
        for epoch in further {
            self.offer_again(epoch)?;
            applied.healed.push(epoch);
        }
        Ok(())
    }

    /// Writes again what a kill left of branches that were taken out of the log.
    ///
    /// # Errors
    /// Those of saving; the next opening goes on with it.
    pub(in crate::store) fn finish_forks(&mut self, now: Now) -> Result<(), StoreError> {
        let unfinished = self.unfinished_forks()?;
        if unfinished.is_empty() {
            return Ok(());
        }
        let mut names = self.written_again()?;
        let mut unread = Vec::new();
        for name in unfinished {
            let Ok(aside) = aside::read(&self.home, &self.keys, &name) else {
                unread.push(name);
                continue;
            };
            self.write_branch_again(&aside.frames, &mut names, now)?;
        }
        if !unread.is_empty() {
            // One damaged file must not keep the home shut: the journal has the saves too, as they were.
            let journaled = journal::read_all(&self.home.join("journal"), &self.keys)?.frames;
            let frames = self.orphans(journaled.into_iter().map(|(frame, _)| frame).collect())?;
            self.write_branch_again(&frames, &mut names, now)?;
        }
        self.list_forks(&unread)
    }

    fn write_branch_again(
        &mut self,
        frames: &[Frame],
        names: &mut Names,
        now: Now,
    ) -> Result<(), StoreError> {
        for frame in frames {
            let done = ids(self.replica(), frame).all(|id| names.contains_key(&id));
            if !done {
                // What cannot be written again stays in the file, and `doctor` says so.
                self.write_again(frame, names, Past::Said, now)?;
            }
        }
        Ok(())
    }

    /// Lets only those files stay listed whose branches nobody can read whole; `doctor` names them.
    fn list_forks(&mut self, unread: &[String]) -> Result<(), StoreError> {
        let mut work = self.work();
        if unread.is_empty() {
            work.change.remove(Tree::Meta, FORKS_KEY);
        } else {
            work.change.put(Tree::Meta, FORKS_KEY, postcard::to_allocvec(unread).unwrap_or_default());
        }
        self.commit(work)?;
        self.checkpoint()
    }

    /// Returns the names of the files whose branches are not written again yet.
    pub(in crate::store) fn unfinished_forks(&self) -> Result<Vec<String>, StoreError> {
        match self.get(Tree::Meta, FORKS_KEY)? {
            Some(bytes) => postcard::from_bytes(&bytes).map_err(|_| self.damaged(Part::Database)),
            None => Ok(Vec::new()),
        }
    }

    fn forked(&self, epoch: Epoch, common: u64, link: Link) -> Result<Forked, StoreError> {
        let log = self.own_log(epoch)?;
        let Some(at) = log.first().filter(|at| at.end.epoch == epoch && at.end.seq > common) else {
            return Ok(Forked::Healed);
        };
        let own = match common {
            0 => Some(Parent::seed(at.parent.as_ref())),
            seq => self.link_at(epoch, seq)?,
        };
        let Some(own) = own.filter(|own| common == 0 || *own == link) else {
            return Ok(Forked::Further);
        };
        let (mut frames, mut next, mut before) = (Vec::new(), common + 1, own);
        for stretch in &log {
            frames.append(&mut self.saves(stretch, next, before)?);
            (next, before) = (1, stretch.end.link);
        }
        Ok(Forked::Branch(frames))
    }

    /// Returns the own log from `epoch` on, oldest first; all of it where the epoch is not part of it.
    fn own_log(&self, epoch: Epoch) -> Result<Vec<Stretch>, StoreError> {
        let mut log = Vec::new();
        let mut met = BTreeSet::new();
        let mut at = self.state.own.map(End::as_parent);
        while let Some(end) = at.filter(|end| met.insert(end.epoch)) {
            let parent = self.line((self.replica(), end.epoch))?.parent;
            log.push(Stretch { end, parent });
            at = parent.filter(|_| end.epoch != epoch);
        }
        log.reverse();
        Ok(log)
    }

    /// Returns the ops of a stretch from `first` on as the saves that they were: one save has one stamp.
    fn saves(&self, of: &Stretch, first: u64, mut before: Link) -> Result<Vec<Frame>, StoreError> {
        let (epoch, last) = (of.end.epoch, of.end.seq);
        let mut saves: Vec<(Stamp, Frame)> = Vec::new();
        let mut next = first;
        while next <= last {
            let run = self.run_of(OpId { replica: self.replica(), epoch, seq: next })?;
            let run = run.ok_or_else(|| self.damaged(Part::Log))?;
            let Run::Own { test_clock, ops, .. } = &run.run else {
                return Err(self.damaged(Part::Log));
            };
            let from = next;
            let rows = run.rows.iter().zip(ops).filter(|((seq, _), _)| (from..=last).contains(seq));
            for ((seq, row), op) in rows {
                match saves.last_mut() {
                    Some((stamp, save)) if *stamp == row.stamp && save.test_clock == *test_clock => {
                        save.ops.push(op.clone());
                    }
                    _ => saves.push((
                        row.stamp,
                        Frame {
                            epoch,
                            parent: of.parent.filter(|_| *seq == 1),
                            first: *seq,
                            before,
                            test_clock: *test_clock,
                            ops: vec![op.clone()],
                            settings: Vec::new(),
                        },
                    )),
                }
                before = before.next(&op.row);
                next = seq + 1;
            }
        }
        Ok(saves.into_iter().map(|(_, save)| save).collect())
    }

    fn heal(&mut self, epoch: Epoch, common: u64, frames: &[Frame], now: Now) -> Result<(), StoreError> {
        let name = aside::write(&self.home, &self.keys, epoch, common, frames)?;
        self.cut(epoch, common, frames, name)?;
        self.checkpoint()?;
        self.finish_forks(now)
    }

    /// Takes a branch out of the log and its documents, and lets the log end at the last op in common.
    fn cut(&mut self, epoch: Epoch, common: u64, frames: &[Frame], name: String) -> Result<(), StoreError> {
        let mut work = self.work();
        for frame in frames {
            for (id, op) in ids(self.replica(), frame).zip(&frame.ops) {
                let row = Row::from_bytes(&op.row).map_err(|_| self.damaged(Part::Log))?;
                work.remove(self, id, &row, op.local.as_ref())?;
            }
        }
        let epochs: BTreeSet<Epoch> = frames.iter().map(|frame| frame.epoch).collect();
        for gone in &epochs {
            let kept = if *gone == epoch { common } else { 0 };
            self.cut_line(&mut work, *gone, kept)?;
        }
        let parent = self.line((self.replica(), epoch))?.parent;
        let end =
            Parent { epoch, seq: common, link: frames.first().map_or(Link::ROOT, |first| first.before) };
        let end = if common == 0 { parent } else { Some(end) };
        work.state.own = end.map(|Parent { epoch, seq, link }| End { epoch, seq, link });
        // The epoch in which the log ends now is listed again when the next one opens.
        let ends_in = work.state.own.map(|own| own.epoch);
        work.state.unfinished.retain(|open| !epochs.contains(open) && Some(*open) != ends_in);
        work.state.loose = 0;
        work.state.numbers_suspended = true;
        let mut unfinished = self.unfinished_forks()?;
        unfinished.retain(|other| *other != name);
        unfinished.push(name);
        work.change.put(Tree::Meta, FORKS_KEY, postcard::to_allocvec(&unfinished).unwrap_or_default());
        self.commit(work)?;
        self.opening = Opening::Elsewhere;
        Ok(())
    }

    /// Takes the own runs behind an op of an epoch out of the log.
    fn cut_line(&self, work: &mut Work, epoch: Epoch, kept: u64) -> Result<(), StoreError> {
        work.forget_words();
        let line = (self.replica(), epoch);
        let from = RunKey { line, last: kept.saturating_add(1), first: 0 };
        let mut keys = Vec::new();
        self.keys_from(Tree::Log, &from.to_bytes(), &mut |bytes| {
            let key = RunKey::from_bytes(bytes).filter(|key| key.line == line);
            keys.extend(key);
            Ok(key.is_some())
        })?;
        for key in keys {
            let run = self.run(key)?;
            let Run::Own { before, test_clock, ops } = &run.run else {
                continue;
            };
            work.change.remove(Tree::Log, &key.to_bytes());
            let stays = run.rows.iter().take_while(|(seq, _)| *seq <= kept).count();
            let ops = ops.get(..stays).unwrap_or_default().to_vec();
            if !ops.is_empty() {
                let rest = Run::Own { before: *before, test_clock: *test_clock, ops };
                let key = RunKey { last: kept, ..key };
                work.change.put(Tree::Log, &key.to_bytes(), rest.to_bytes());
            }
        }
        let info = work.line(self, line)?;
        info.end = None;
        info.held = info.held.min(kept);
        info.backed_up = info.backed_up.min(kept);
        Ok(())
    }

    /// Lets a whole epoch be pushed again, so that HQ finds the last op in common.
    fn offer_again(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        let mut work = self.work();
        let info = work.line(self, (self.replica(), epoch))?;
        (info.held, info.backed_up) = (0, 0);
        let current = self.state.own.is_some_and(|own| own.epoch == epoch);
        if !current && !work.state.unfinished.contains(&epoch) {
            work.state.unfinished.insert(0, epoch);
        }
        self.commit(work)
    }
}

#[cfg(test)]
mod tests {
    use records::id::DocId;

    use super::*;
    use crate::store::testing::{NOW, create, home, note};
    use crate::store::write::{NewOp, On};

    fn hears(store: &mut Store, epoch: Epoch, common: u64, link: Link) -> Vec<Epoch> {
        let mut applied = Applied::default();
        store.heal_forks(&[Notice::Fork { epoch, common, link }], NOW, &mut applied).unwrap();
        applied.healed
    }

    fn is_well(store: &Store) {
        let found = store.doctor().unwrap();
        assert_eq!(found.faults, []);
    }

    /// A home with a sheet of two ops, a fork behind the first, and more in an epoch of the next boot.
    fn forked() -> (tempfile::TempDir, Store, Vec<OpId>) {
        let (dir, mut store) = home();
        let pump = store.save(vec![create(b"pump")], NOW).unwrap()[0];
        let on_pump = On::Document(DocId(pump));
        let mut branch = store.save(vec![note(on_pump, b"noisy")], NOW).unwrap();
        let fan = NewOp { local: Some([5; 16]), ..create(b"fan") };
        branch.extend(store.save(vec![fan, note(On::CreatedBy(0), b"new")], NOW).unwrap());
        drop(store);
        let boot = crate::clock::Now { boot: 8, ..NOW };
        let mut store = Store::open(dir.path(), boot).unwrap();
        branch.extend(store.save(vec![note(On::Document(DocId(branch[1])), b"hums")], boot).unwrap());
        (dir, store, branch)
    }

    #[test]
    fn a_forked_branch_is_written_again_under_new_names_and_nothing_else_changes() {
        let (dir, mut store, branch) = forked();
        let (pump, epoch) = (DocId(OpId { seq: 1, ..branch[0] }), branch[0].epoch);
        let link = store.link_at(epoch, 1).unwrap().unwrap();
        store.keep_words(&[b"made of the branch"]).unwrap();
        assert_eq!(hears(&mut store, epoch, 1, link), [epoch]);
        assert!(store.words().pieces().is_empty());
        for round in 0..3 {
            let fan = store.imported(&[5; 16]).unwrap().unwrap();
            assert_ne!(fan.0.epoch, epoch);
            let ops = store.ops(fan).unwrap();
            let from: Vec<OpId> = ops.iter().filter_map(|op| op.row.forked_from).collect();
            assert_eq!(from, branch[1..], "{round}");
            assert_eq!(store.ops(pump).unwrap()[1].row.forked_from, Some(branch[0]));
            // What was printed still leads to it.
            let old = DocId(branch[1]);
            for text in [old.to_string(), old.code(), old.code().to_lowercase()] {
                assert_eq!(store.resolve(&text).unwrap(), [fan], "{text}");
            }
            let counts = store.counts().unwrap();
            assert_eq!((counts.ops, counts.documents, counts.unsent_ops), (5, 2, 5));
            assert!(store.numbers_suspended());
            is_well(&store);
            // The names that it had are free for what HQ holds under them.
            assert!(branch.iter().all(|id| store.run_of(*id).unwrap().is_none()));
            let heads = store.hello(NOW).unwrap().heads;
            assert_eq!(heads.iter().map(|head| head.seq).collect::<Vec<_>>(), [1, 4]);
            assert_eq!(heads[1].parent.map(|parent| (parent.epoch, parent.seq)), Some((epoch, 1)));
            store.unsent(usize::MAX, usize::MAX).unwrap();
            drop(store);
            if round == 1 {
                Store::rebuild(dir.path(), NOW).unwrap();
            }
            store = Store::open(dir.path(), NOW).unwrap();
        }
        // Named twice, healed once.
        assert_eq!(hears(&mut store, epoch, 1, link), []);
        assert_eq!(store.counts().unwrap().ops, 5);
    }

    #[test]
    fn a_fork_from_the_first_op_on_hangs_where_its_epoch_hung() {
        let (_dir, mut store, branch) = forked();
        let last = branch[3].epoch;
        let hangs = store.line((store.replica(), last)).unwrap().parent;
        assert_eq!(hears(&mut store, last, 0, Link::ROOT), [last]);
        assert_eq!(store.line((store.replica(), store.state.own.unwrap().epoch)).unwrap().parent, hangs);
        is_well(&store);
        let first = branch[0].epoch;
        assert_eq!(hears(&mut store, first, 0, Link::ROOT), [first]);
        let own = store.state.own.unwrap();
        assert_eq!((own.seq, store.line((store.replica(), own.epoch)).unwrap().parent), (5, None));
        assert_eq!(store.counts().unwrap().documents, 2);
        is_well(&store);
    }

    #[test]
    fn a_guess_behind_the_fork_lets_the_epoch_be_offered_from_its_beginning() {
        let (_dir, mut store, branch) = forked();
        let epoch = branch[0].epoch;
        let mut work = store.work();
        work.line(&store, (branch[0].replica, epoch)).unwrap().held = 3;
        store.commit(work).unwrap();
        assert_eq!(hears(&mut store, epoch, 2, Link([9; 32])), [epoch]);
        let offered = store.unsent(usize::MAX, usize::MAX).unwrap();
        assert_eq!((offered[0].epoch, offered[0].first), (epoch, 1));
        assert_eq!(store.counts().unwrap().unsent_ops, 5);
    }

    /// A branch that was taken out of the log and not written again yet; its file, its saves.
    fn cut_branch(store: &mut Store, first: OpId) -> (std::path::PathBuf, Vec<Frame>) {
        let link = store.link_at(first.epoch, 1).unwrap().unwrap();
        let Forked::Branch(frames) = store.forked(first.epoch, 1, link).unwrap() else { panic!("no branch") };
        let name = aside::write(&store.home, &store.keys, first.epoch, 1, &frames).unwrap();
        let path = store.home.join("quarantine").join(&name);
        store.cut(first.epoch, 1, &frames, name).unwrap();
        store.checkpoint().unwrap();
        (path, frames)
    }

    #[test]
    fn a_damaged_file_of_a_branch_does_not_keep_the_home_shut_and_the_journal_stands_in_for_it() {
        for gone in [false, true] {
            let (dir, mut store, branch) = forked();
            let (path, _) = cut_branch(&mut store, branch[0]);
            drop(store);
            if gone {
                std::fs::remove_file(&path).unwrap();
            } else {
                std::fs::write(&path, b"nonsense").unwrap();
            }
            for _ in 0..2 {
                let store = Store::open(dir.path(), NOW).unwrap();
                assert_eq!(store.counts().unwrap().ops, 5);
                assert_eq!(store.ops(store.imported(&[5; 16]).unwrap().unwrap()).unwrap().len(), 3);
                let fault = crate::store::doctor::Fault::AsideDamaged(path.clone());
                assert_eq!(store.doctor().unwrap().faults, [fault]);
            }
        }
    }

    #[test]
    fn a_home_whose_branch_reads_nowhere_any_more_opens_and_goes_on() {
        let (dir, mut store, branch) = forked();
        let (path, _) = cut_branch(&mut store, branch[0]);
        drop(store);
        std::fs::write(&path, b"nonsense").unwrap();
        for file in std::fs::read_dir(dir.path().join("journal")).unwrap().flatten() {
            std::fs::write(file.path(), b"").unwrap();
        }
        let mut store = Store::open(dir.path(), NOW).unwrap();
        store.save(vec![create(b"after")], NOW).unwrap();
        assert_eq!(store.counts().unwrap().ops, 2);
        let fault = crate::store::doctor::Fault::AsideDamaged(path);
        assert_eq!(store.doctor().unwrap().faults, std::slice::from_ref(&fault));
        drop(store);
        Store::rebuild(dir.path(), NOW).unwrap();
        assert_eq!(Store::open(dir.path(), NOW).unwrap().doctor().unwrap().faults, [fault]);
    }

    #[test]
    fn a_rebuild_with_a_damaged_file_of_a_branch_takes_it_from_the_journal() {
        let (dir, mut store, branch) = forked();
        let (path, _) = cut_branch(&mut store, branch[0]);
        let link = store.link_at(branch[0].epoch, 1).unwrap().unwrap();
        drop(store);
        std::fs::write(&path, b"nonsense").unwrap();
        Store::rebuild(dir.path(), NOW).unwrap();
        let mut store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.counts().unwrap().ops, 5);
        // HQ says again that it holds others: the branch is written again then.
        assert_eq!(hears(&mut store, branch[0].epoch, 1, link), [branch[0].epoch]);
        assert_eq!(store.counts().unwrap().ops, 5);
        is_well(&store);
    }

    #[test]
    fn a_kill_in_the_middle_is_made_good_by_the_next_opening() {
        let (dir, mut store, branch) = forked();
        let (_, frames) = cut_branch(&mut store, branch[0]);
        // One save was written again, then the lamp went out.
        store.write_again(&frames[0], &mut crate::store::renamed::Names::new(), Past::Said, NOW).unwrap();
        drop(store);
        let store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.unfinished_forks().unwrap(), Vec::<String>::new());
        assert_eq!(store.counts().unwrap().ops, 5);
        assert_eq!(store.ops(store.imported(&[5; 16]).unwrap().unwrap()).unwrap().len(), 3);
        is_well(&store);
    }
}
