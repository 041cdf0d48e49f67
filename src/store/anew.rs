//! A home that gets a name of its own: the old log, of which headquarters has everything, is set aside as it is.
//!
//! What is to be is written first, into `id/next`; then the old log moves, then the new identity stands. A kill at any
//! step is made good by the next opening.
//!
//! Source: docs/STORAGE.md, A new name.

use std::path::{Path, PathBuf};

use sync_protocol::asides::Pins;
use sync_protocol::enrolment::Enrolment;

use crate::clock::Now;
use crate::home::Lock;
use crate::keys::{Access, Keys, random};
use crate::store::error::{Part, StoreError};
use crate::store::{Identity, IdentityFile, Store, identity_place, read_identity, write_identity};

const NEXT: &str = "next";
/// What belongs to one name: the log and what was made of it. Keys and attachments stay.
const OF_A_NAME: [&str; 4] = ["journal", "sled", "head.a", "head.b"];

/// The setting with the name that HQ gave this device: the bytes of an enrolment.
const RENAMED: &str = "enrol.renamed";

impl Store {
    /// Keeps the name that HQ gave this device, until it can be taken.
    ///
    /// # Errors
    /// Those of saving.
    pub fn hear_name(&mut self, enrolment: &[u8]) -> Result<(), StoreError> {
        let known = self.setting(RENAMED)?.is_some_and(|known| known == enrolment);
        if known { Ok(()) } else { self.put_setting(RENAMED, enrolment.to_vec()) }
    }

    /// Returns the name that HQ gave this device, where HQ has all of its work so that it can be taken now.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn own_name(&self) -> Result<Option<Enrolment>, StoreError> {
        let bytes = self.setting(RENAMED)?;
        let Some(named) = bytes.and_then(|bytes| postcard::from_bytes::<Enrolment>(&bytes).ok()) else {
            return Ok(None);
        };
        let own = &self.identity.enrolment;
        let fits = named.hq_key == own.hq_key && named.replica != own.replica;
        if !fits || self.only_here()? != (0, 0) {
            return Ok(None);
        }
        // Where this device reached HQ it will reach it again, whatever HQ calls itself.
        let (address, tls_pin) = (own.address.clone(), self.identity.pins().first().copied());
        Ok(Some(Enrolment { address, tls_pin, ..named }))
    }

    /// Returns how many ops and files HQ does not have.
    fn only_here(&self) -> Result<(u64, u64), StoreError> {
        Ok((self.counts()?.unsent_ops, self.file_counts()?.waiting))
    }

    /// Gives the home another name, and opens it empty: the next sync brings everything that its owner may see.
    /// `scanned_ms` is when the code was read.
    ///
    /// # Errors
    /// [`StoreError::OnlyHere`] where HQ has not signed for every op and file, [`StoreError::AlreadyEnrolled`] for the name that
    /// it has, [`StoreError::EarlierName`] for one that it had: its log would go on under another key;
    /// [`StoreError::Io`], [`StoreError::NoSpace`].
    pub fn enrol_anew(self, enrolment: &Enrolment, scanned_ms: u64, now: Now) -> Result<Self, StoreError> {
        let (ops, files) = self.only_here()?;
        if (ops, files) != (0, 0) {
            return Err(StoreError::OnlyHere { ops, files });
        }
        if enrolment.replica == self.replica() {
            return Err(StoreError::AlreadyEnrolled { home: self.home });
        }
        if set_aside(&self.home, enrolment.replica).exists() {
            return Err(StoreError::EarlierName { replica: enrolment.replica });
        }
        crate::home::require_space(&self.home, crate::home::CREATE_BYTES_MIN)?;
        let known = &self.identity;
        let same = enrolment.hq_key == known.enrolment.hq_key
            && enrolment.tls_pin.is_some_and(|pin| known.pins().contains(&pin));
        let pins = if same { known.pins.clone() } else { Pins::default() };
        let identity = Identity { pins, ..Identity::new(enrolment, scanned_ms) };
        let file = IdentityFile { identity, seed: random()? };
        let sealed = self.keys.seal(identity_place(), &postcard::to_allocvec(&file).unwrap_or_default())?;
        let Self { home, _lock: lock, keys, database, journal, .. } = self;
        // Open files do not move everywhere.
        drop((database, journal));
        crate::home::write_twin(&home.join("id"), NEXT, &sealed)?;
        finish(&home, &keys)?;
        drop(lock);
        Self::open_by(&home, Access::By(keys.data_key()), now)
    }
}

/// Returns where the log of a name is set aside.
#[must_use]
pub fn set_aside(home: &Path, replica: records::id::Replica) -> PathBuf {
    home.join("quarantine").join(format!("replica-{}", replica.0))
}

/// Goes on with a change of name that was begun; to be called under the home's lock, given by `_`.
pub(in crate::store) fn finish_begun(home: &Path, _: &Lock, keys: &Keys) -> Result<(), StoreError> {
    if crate::home::whole_copies(&home.join("id"), NEXT) > 0 { finish(home, keys) } else { Ok(()) }
}

fn finish(home: &Path, keys: &Keys) -> Result<(), StoreError> {
    let id = home.join("id");
    let damaged = || StoreError::damaged(Part::Keys, &id);
    let sealed = crate::home::read_twin(&id, NEXT)?.ok_or_else(damaged)?;
    let next = keys.open_sealed(identity_place(), &sealed).ok_or_else(damaged)?;
    let next: IdentityFile = postcard::from_bytes(&next).map_err(|_| damaged())?;
    let now = read_identity(home, keys)?.ok_or_else(damaged)?.identity.enrolment.replica;
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| StoreError::io("setting the old log aside", &path, source)
    };
    if now != next.identity.enrolment.replica {
        let aside = set_aside(home, now);
        std::fs::create_dir_all(&aside).map_err(failed(&aside))?;
        for name in OF_A_NAME {
            let (from, to) = (home.join(name), aside.join(name));
            if from.exists() && !to.exists() {
                std::fs::rename(&from, &to).map_err(failed(&to))?;
            }
        }
        for folder in [aside.as_path(), &home.join("quarantine"), home] {
            crate::home::sync_folder(folder).map_err(failed(folder))?;
        }
        crate::store::epoch::note_made(home)?;
        write_identity(home, keys, &next.identity, next.seed)?;
    }
    let journal = home.join("journal");
    std::fs::create_dir_all(&journal).map_err(failed(&journal))?;
    for copy in ["a", "b"] {
        let path = id.join(format!("{NEXT}.{copy}"));
        if path.exists() {
            std::fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    [home, id.as_path()]
        .into_iter()
        .try_for_each(|folder| crate::home::sync_folder(folder).map_err(failed(folder)))
}

#[cfg(test)]
mod tests {
    use records::id::Replica;

    use super::*;
    use crate::store::testing::{NOW, create, enrolment, home};

    fn other() -> Enrolment {
        Enrolment { replica: Replica(42), ..enrolment() }
    }

    /// Lets HQ sign for everything.
    fn sent(store: &mut Store) {
        let own = store.state.own.unwrap();
        let mut work = store.work();
        work.line(store, (store.replica(), own.epoch)).unwrap().held = own.seq;
        store.commit(work).unwrap();
        store.checkpoint().unwrap();
    }

    #[test]
    fn a_home_gets_another_name_only_when_nothing_is_only_here_and_keeps_its_old_log() {
        let (dir, mut store) = home();
        store.save(vec![create(b"pump")], NOW).unwrap();
        let key = store.signer().unwrap().public();
        assert!(matches!(store.enrol_anew(&other(), 0, NOW), Err(StoreError::OnlyHere { ops: 1, files: 0 })));
        let mut store = Store::open(dir.path(), NOW).unwrap();
        sent(&mut store);
        assert!(matches!(store.enrol_anew(&enrolment(), 0, NOW), Err(StoreError::AlreadyEnrolled { .. })));
        let store = Store::open(dir.path(), NOW).unwrap();
        let mut store = store.enrol_anew(&other(), 0, NOW).unwrap();
        assert_eq!((store.replica(), store.counts().unwrap().ops), (Replica(42), 0));
        assert_ne!(store.signer().unwrap().public(), key);
        assert!(!store.numbers_suspended());
        store.save(vec![create(b"fan")], NOW).unwrap();
        drop(store);
        let store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.counts().unwrap().ops, 1);
        assert_eq!(store.doctor().unwrap().faults, []);
        assert!(set_aside(dir.path(), Replica(41)).join("journal").join("00000001.log").exists());
    }

    #[test]
    fn a_name_that_the_home_had_is_not_taken_again_and_no_log_is_mixed() {
        let (dir, mut store) = home();
        store.save(vec![create(b"pump")], NOW).unwrap();
        sent(&mut store);
        let mut store = store.enrol_anew(&other(), 0, NOW).unwrap();
        store.save(vec![create(b"fan")], NOW).unwrap();
        sent(&mut store);
        let back = store.enrol_anew(&enrolment(), 0, NOW);
        assert!(matches!(back, Err(StoreError::EarlierName { replica: Replica(41) })));
        let store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!((store.replica(), store.counts().unwrap().ops), (Replica(42), 1));
        assert_eq!(store.doctor().unwrap().faults, []);
    }

    #[test]
    fn a_kill_at_any_step_is_made_good_by_the_next_opening() {
        // So many of the parts had moved, and whether the new identity stood.
        for (moved, stands) in [(0, false), (1, false), (4, false), (4, true)] {
            let (dir, mut store) = home();
            store.save(vec![create(b"pump")], NOW).unwrap();
            sent(&mut store);
            let identity = Identity::new(&other(), 0);
            let file = IdentityFile { identity: identity.clone(), seed: [9; 32] };
            let sealed = store.keys.seal(identity_place(), &postcard::to_allocvec(&file).unwrap()).unwrap();
            crate::home::write_twin(&dir.path().join("id"), NEXT, &sealed).unwrap();
            let aside = set_aside(dir.path(), Replica(41));
            let Store { keys, database, journal, _lock: lock, .. } = store;
            drop((database, journal, lock));
            std::fs::create_dir_all(&aside).unwrap();
            for name in &OF_A_NAME[..moved] {
                std::fs::rename(dir.path().join(name), aside.join(name)).unwrap();
            }
            if stands {
                write_identity(dir.path(), &keys, &identity, [9; 32]).unwrap();
            }
            let mut store = Store::open(dir.path(), NOW).unwrap();
            assert_eq!((store.replica(), store.counts().unwrap().ops), (Replica(42), 0), "{moved} {stands}");
            store.save(vec![create(b"fan")], NOW).unwrap();
            assert!(aside.join("sled").exists() && !dir.path().join("id").join("next.a").exists());
        }
    }
}
