//! Work and receipts that somebody carries as files: late, twice, in any order, whole or damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use fieldbook::bundle::{self, BundleFault, hand_over, relay};
use fieldbook::notebook::find::{self, Wanted};
use fieldbook::notebook::hand_over as handing;
use fieldbook::notebook::refusal::NotebookError;
use fieldbook::notebook::state::Taken;
use fieldbook::notebook::step::{Step, step};
use fieldbook::store::error::StoreError;
use records::id::{OpId, Replica};
use records::kinds::number;
use sync_protocol::bundle::BundleId;

use crate::work::Deed;
use crate::world::World;

/// Files on their way.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    work: Vec<PathBuf>,
    receipts: Vec<(PathBuf, Replica)>,
    /// Jobs in a file for a colleague.
    jobs: Vec<PathBuf>,
    /// Who took a job over, and from whom.
    taken: Vec<(Replica, Replica)>,
    /// What was acknowledged to its author before each file was written.
    said: BTreeMap<BundleId, BTreeSet<OpId>>,
    n_files: usize,
}

impl World {
    fn new_file(&mut self) -> PathBuf {
        self.carried.n_files += 1;
        self.folder.path().join(format!("carried{}", self.carried.n_files))
    }

    /// A device writes what headquarters did not sign for into a file.
    pub(crate) fn write_bundle(&mut self, at: usize) {
        let file = self.new_file();
        let now = self.devices[at].now(self.now_ms);
        let written = match bundle::work::write(self.devices[at].store(), now, &file) {
            Err(_) if self.is_full(at) => return,
            written => written.expect("a bundle"),
        };
        self.tell(format!("{at} writes a bundle of {} ops", written.ops));
        self.hear_written(at, written.id);
        self.carried.work.push(file);
    }

    /// Notes what a file that was just written must hold, or headquarters had.
    fn hear_written(&mut self, at: usize, id: BundleId) {
        let device = &self.devices[at];
        let own = |id: &OpId| {
            id.replica == device.replica && device.said.get(&id.epoch).is_some_and(|n| *n >= id.seq)
        };
        let said = self.said.iter().filter(|said| !said.forgiven).map(|said| said.id).filter(own).collect();
        self.carried.said.insert(id, said);
    }

    /// A device takes along what a colleague wrote for headquarters.
    pub(crate) fn take_along(&mut self, at: usize) {
        let files = [&self.carried.work[..], &self.carried.jobs].concat();
        let Some(file) = files.get(self.dice.below(files.len())).cloned() else { return };
        let kept = relay::keep(self.devices[at].store(), &file);
        let foreseen = match &kept {
            Ok(_) => true,
            // Its own.
            Err(BundleFault::NotForHim) => {
                bundle::header(&file).expect("a header").author == self.devices[at].replica
            }
            Err(_) => self.is_full(at),
        };
        assert!(foreseen, "device {at}: {kept:?}");
        if kept.is_ok() {
            self.count("taken along");
        }
        self.tell(format!("{at} takes along {kept:?}"));
    }

    /// Notes the receipts that a device got for what it took along.
    pub(crate) fn hear_receipts(&mut self, receipts: &[String]) {
        for receipt in receipts {
            let kept = self.new_file();
            std::fs::copy(receipt, &kept).expect("a receipt");
            let author = bundle::header(&kept).expect("a header").readers[0];
            self.carried.receipts.push((kept, author));
        }
    }

    /// Returns the ops that devices in use still carry for others.
    pub(crate) fn on_their_way(&mut self) -> BTreeSet<OpId> {
        let mut ops = BTreeSet::new();
        for at in 0..self.devices.len() {
            let device = &mut self.devices[at];
            if device.dead || device.revoked || device.stranded {
                continue;
            }
            device.open(self.now_ms);
            let waiting = relay::carried(device.store()).expect("a folder");
            let waiting = waiting.into_iter().filter(|carried| carried.waiting > 0);
            ops.extend(waiting.filter_map(|carried| self.carried.said.get(&carried.id)).flatten());
        }
        ops
    }

    /// Somebody hands a job over to a colleague, in a file.
    pub(crate) fn hand_over(&mut self, at: usize) {
        let job = ["J1", "J2"][self.dice.below(2)];
        let colleague = ["T101", "T102", "S101"][self.dice.below(3)];
        self.hear_written_again(at);
        let (file, now) = (self.new_file(), self.devices[at].now(self.now_ms));
        let store = self.devices[at].store();
        let staff = find::document(store, colleague, Wanted::Kind(number::STAFF));
        let Ok((staff, _)) = staff else { return self.count("colleague unknown") };
        let Ok(readers) = hand_over::readers(store, staff.id) else { return self.count("no reader") };
        let accept = Step {
            record: job,
            wanted: Wanted::Any,
            taken: Taken { step: "accept", ..Taken::default() },
            pairs: Vec::new(),
            entries: Vec::new(),
        };
        if step(store, &accept, now).is_ok() {
            self.hear_saved(at, 0, Deed::JobStep, job);
        }
        let store = self.devices[at].store();
        let handed = match handing::hand_over(store, job, staff.id, now) {
            Ok(handed) => handed,
            Err(NotebookError::Refused(refusal)) => return self.count(("hand over", refusal.rule)),
            Err(NotebookError::Store(StoreError::NoSpace { .. })) if self.is_full(at) => return,
            Err(error) => panic!("device {at} hands {job} over: {error}"),
        };
        let docs: Vec<_> = [handed.job].into_iter().chain(handed.sheets).collect();
        let written = hand_over::write(store, now, &file, &readers, &docs);
        self.hear_saved(at, 0, Deed::JobStep, job);
        match written {
            Ok(written) => {
                self.tell(format!("{at} hands {job} over to {colleague}: {} ops", written.ops));
                self.count("handed over");
                self.hear_written(at, written.id);
                self.carried.jobs.push(file);
            }
            Err(error) => assert!(self.is_full(at), "device {at} writes {job} into a file: {error}"),
        }
    }

    /// A colleague reads a job that was handed over, perhaps not for the first time.
    pub(crate) fn take_over(&mut self) {
        let n_jobs = self.carried.jobs.len();
        let Some(file) = self.carried.jobs.get(self.dice.below(n_jobs)).cloned() else { return };
        let readers = bundle::header(&file).expect("a header").readers;
        let is_his = |at: &usize| !self.devices[*at].dead && readers.contains(&self.devices[*at].replica);
        let his: Vec<usize> = (0..self.devices.len()).filter(is_his).collect();
        let Some(at) = his.get(self.dice.below(his.len())).copied() else { return };
        fieldbook::simulated::set_free_bytes(self.devices[at].free_bytes);
        let now = self.devices[at].now(self.now_ms);
        if self.dice.chance(20) {
            let bent = self.bent(&file);
            let refused = hand_over::read(self.devices[at].store(), now, &bent);
            assert!(refused.is_err(), "a damaged hand-over was read: {refused:?}");
        }
        let read = hand_over::read(self.devices[at].store(), now, &file);
        self.devices[at].moved_on();
        let foreseen = match &read {
            // Its writer may not be known here yet.
            Ok(_) | Err(BundleFault::TooOld | BundleFault::Stranger) => true,
            Err(_) => self.is_full(at),
        };
        assert!(foreseen, "device {at}: {read:?}");
        if read.is_ok() {
            self.count("taken over");
            let author = bundle::header(&file).expect("a header").author;
            self.carried.taken.push((self.devices[at].replica, author));
        }
        self.tell(format!("{at} takes over {read:?}"));
    }

    /// Headquarters reads one of the files that were written, perhaps not for the first time.
    pub(crate) fn read_bundle(&mut self) {
        let n_files = self.carried.work.len();
        let Some(file) = self.carried.work.get(self.dice.below(n_files)).cloned() else { return };
        let receipt = self.new_file();
        if self.dice.chance(20) {
            let bent = self.bent(&file);
            let refused = self.hq.borrow().reads(&bent, &receipt, self.now_ms);
            assert!(refused.is_err(), "a damaged bundle was read: {refused:?}");
        }
        match self.hq.borrow().reads(&file, &receipt, self.now_ms) {
            Ok(taken) => {
                let author = taken.header.author;
                self.story.push(format!("a bundle of {} is read: {} new ops", author.0, taken.new_ops));
                self.carried.receipts.push((receipt, author));
            }
            Err(error) => self.story.push(format!("a bundle is refused: {error}")),
        }
    }

    /// A device reads one of the receipts for it, perhaps not for the first time.
    pub(crate) fn read_receipt(&mut self, at: usize) {
        let replica = self.devices[at].replica;
        let own: Vec<PathBuf> = self
            .carried
            .receipts
            .iter()
            .filter(|(_, author)| *author == replica)
            .map(|(file, _)| file.clone())
            .collect();
        let Some(file) = own.get(self.dice.below(own.len())) else { return };
        let now = self.devices[at].now(self.now_ms);
        if self.dice.chance(20) {
            let bent = self.bent(file);
            let refused = bundle::receipt::read(self.devices[at].store(), now, &bent);
            assert!(refused.is_err(), "a damaged receipt was read: {refused:?}");
        }
        let read = bundle::receipt::read(self.devices[at].store(), now, file);
        self.devices[at].moved_on();
        assert!(read.is_ok() || self.is_full(at), "device {at}: {read:?}");
        self.tell(format!("{at} reads a receipt: {read:?}"));
    }

    /// Returns a copy of a file in which one bit is turned.
    fn bent(&mut self, file: &std::path::Path) -> PathBuf {
        let mut bytes = std::fs::read(file).expect("a file that was written");
        let at = self.dice.below(bytes.len());
        bytes[at] ^= 1 << self.dice.below(8);
        let bent = self.new_file();
        std::fs::write(&bent, bytes).expect("room on the disk");
        bent
    }

    /// Returns whether a device was handed something by one that was revoked: until an administrator has ruled on its
    /// last work, headquarters does not have it, and tells that the digests differ.
    pub(crate) fn has_of_a_revoked_one(&self, at: usize) -> bool {
        let of_revoked =
            |author: &Replica| self.devices.iter().any(|device| device.replica == *author && device.revoked);
        let replica = self.devices[at].replica;
        self.carried.taken.iter().any(|(reader, author)| *reader == replica && of_revoked(author))
    }
}
