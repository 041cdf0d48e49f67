//! One device: a real home, opened and closed, killed, cut off from power, copied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fieldbook::clock::Now;
use fieldbook::store::Store;
use fieldbook::store::files::Hash;
use records::id::{Epoch, Replica};
use records::kinds::later;
use records::time::Ts;
use sync_protocol::enrolment::Enrolment;

/// A device, or a copy of one.
pub(crate) struct Device {
    pub(crate) home: PathBuf,
    pub(crate) store: Option<Store>,
    pub(crate) staff: &'static str,
    pub(crate) replica: Replica,
    /// How far its wall clock is from the world's.
    pub(crate) ahead_ms: i64,
    /// Its program is of one version later.
    pub(crate) later: bool,
    boot: u32,
    booted_ms: u64,
    /// How far each epoch was acknowledged to its user.
    pub(crate) said: BTreeMap<Epoch, u64>,
    /// The database as it was at the last checkpoint, while nothing has been checkpointed since.
    durable: Option<PathBuf>,
    /// An earlier state of the whole home, and what was acknowledged up to then.
    saved: Option<(PathBuf, BTreeMap<Epoch, u64>)>,
    /// Nobody will ever switch it on again.
    pub(crate) dead: bool,
    pub(crate) revoked: bool,
    /// Headquarters forgot its code with the last restore before the device had heard a word of it: nobody can show it.
    pub(crate) stranded: bool,
    /// What is left of its disk, where that is little.
    pub(crate) free_bytes: Option<u64>,
}

impl Device {
    /// Makes the home of the device that a code describes.
    pub(crate) fn enrol(
        home: PathBuf,
        staff: &'static str,
        code: &Enrolment,
        later: bool,
        now_ms: u64,
    ) -> Self {
        let mut device = Self {
            home,
            store: None,
            staff,
            replica: code.replica,
            ahead_ms: 0,
            later,
            boot: 1,
            booted_ms: now_ms,
            said: BTreeMap::new(),
            durable: None,
            saved: None,
            dead: false,
            revoked: false,
            stranded: false,
            free_bytes: None,
        };
        device.takes_over();
        let store = Store::create(&device.home, code, device.now(now_ms)).expect("a new home");
        device.store = Some(store);
        device
    }

    /// Returns what its clocks show.
    pub(crate) fn now(&self, now_ms: u64) -> Now {
        let wall = i64::try_from(now_ms).expect("a time").saturating_add(self.ahead_ms);
        Now {
            wall: Ts(wall),
            monotonic_ms: now_ms.saturating_sub(self.booted_ms),
            boot: self.boot,
            test_clock: false,
        }
    }

    /// Returns its open home, and lets this thread know what its program knows.
    pub(crate) fn store(&mut self) -> &mut Store {
        self.takes_over();
        self.store.as_mut().expect("an open home")
    }

    /// Lets this thread know what the program of this device knows.
    pub(crate) fn takes_over(&self) {
        later::set(self.later);
    }

    /// Ends the program and puts one of a later version in its place.
    pub(crate) fn upgrade(&mut self) {
        self.store = None;
        self.moved_on();
        self.later = true;
    }

    /// Opens the home, where it is not open.
    pub(crate) fn open(&mut self, now_ms: u64) {
        if self.store.is_none() {
            self.takes_over();
            let opened = Store::open(&self.home, self.now(now_ms));
            self.store = Some(opened.expect("a home that opens"));
        }
    }

    /// Returns the ops that its journal gives back.
    pub(crate) fn journaled(&mut self) -> BTreeSet<(Epoch, u64)> {
        let folder = self.home.join("journal");
        let read = fieldbook::store::journal::read_all(&folder, self.store().keys()).expect("a journal");
        let frames = read.frames.iter().filter(|(frame, _)| !frame.ops.is_empty());
        frames.flat_map(|(frame, _)| (frame.first..=frame.last()).map(|seq| (frame.epoch, seq))).collect()
    }

    /// Ends the program as `kill -9` does: what it had not handed to the system is gone.
    pub(crate) fn kill(&mut self) {
        let left = self.home.with_extension("left");
        copy_folder(&self.home.join("sled"), &left);
        self.store = None;
        self.put_database(&left);
        clear(&left);
    }

    /// Makes the database durable and remembers it as it is then.
    pub(crate) fn checkpoint(&mut self) {
        self.store().checkpoint().expect("a checkpoint");
        let durable = self.home.with_extension("durable");
        clear(&durable);
        copy_folder(&self.home.join("sled"), &durable);
        self.durable = Some(durable);
    }

    /// Cuts the power: the database falls back to its last checkpoint where that is known, the journal does not.
    pub(crate) fn cut_power(&mut self, now_ms: u64) {
        match self.durable.take() {
            None => self.kill(),
            Some(durable) => {
                self.store = None;
                self.put_database(&durable);
                clear(&durable);
            }
        }
        self.reboot(now_ms);
    }

    /// Begins another boot; the home must be closed.
    pub(crate) fn reboot(&mut self, now_ms: u64) {
        self.store = None;
        self.boot += 1;
        self.booted_ms = now_ms;
    }

    /// Forgets what was durable: something else is by now.
    pub(crate) fn moved_on(&mut self) {
        self.durable = None;
    }

    /// Copies the home as it lies, running or not, and returns the device that the copy is.
    pub(crate) fn copy(&self, to: PathBuf) -> Self {
        clear(&to);
        copy_folder(&self.home, &to);
        Self { home: to, store: None, durable: None, saved: None, said: self.said.clone(), ..*self }
    }

    /// Keeps a copy of the home as it lies.
    pub(crate) fn save_home(&mut self) {
        let saved = self.home.with_extension("saved");
        clear(&saved);
        copy_folder(&self.home, &saved);
        self.saved = Some((saved, self.said.clone()));
    }

    /// Puts the home back to the copy, where there is one: into the same folder or into a new one of its name.
    pub(crate) fn put_back(&mut self, same_folder: bool) -> bool {
        let Some((saved, said)) = self.saved.clone() else { return false };
        self.store = None;
        self.moved_on();
        if same_folder {
            for entry in std::fs::read_dir(&self.home).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() { clear(&path) } else { std::fs::remove_file(path).expect("a file") }
            }
        } else {
            clear(&self.home);
        }
        copy_folder(&saved, &self.home);
        self.said = said;
        true
    }

    /// Returns whether a file lies in its home.
    pub(crate) fn has_file(&self, hash: &Hash) -> bool {
        let name = records::hex::of(hash);
        self.home.join("blobs").join(&name[..2]).join(name).is_file()
    }

    fn put_database(&self, from: &Path) {
        let sled = self.home.join("sled");
        clear(&sled);
        copy_folder(from, &sled);
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("room on the disk");
        }
    }
}

pub(crate) fn clear(folder: &Path) {
    if folder.exists() {
        std::fs::remove_dir_all(folder).expect("a folder of the simulator");
    }
}
