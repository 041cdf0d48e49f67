//! What the device keeps: the op log of its own and others' work, current documents, how far it is synced.
//!
//! The one door to a home. *Saved* means: in the journal, on the disk; then in the database, in one transaction.
//! Reading order: [`journal`], [`database`], [`run`], [`entry`], [`index`], [`state`], [`epoch`], then the verbs
//! [`mod@write`], [`read`], [`offer`], [`apply`], [`doctor`], [`rebuild`].
//!
//! Source: docs/STORAGE.md.

pub mod adopt;
pub mod again;
pub mod anew;
pub mod apply;
pub mod aside;
pub mod blocks;
pub mod carry;
pub mod clocks;
pub mod closed;
pub mod compare;
pub mod cut;
pub mod database;
pub mod doctor;
pub mod entry;
pub mod epoch;
pub mod error;
#[cfg(test)]
mod faults;
pub mod files;
pub mod fork;
pub mod frame;
pub mod gather;
pub mod handed;
pub mod index;
pub mod journal;
pub mod last;
pub mod leave;
pub mod lines;
mod log;
pub mod look;
pub mod offer;
pub mod pack;
pub mod probe;
pub mod proofs;
pub mod quarantine;
pub mod read;
pub mod rebuild;
pub mod renamed;
pub mod restored;
pub mod rolled;
pub mod room;
pub mod ruled;
pub mod run;
#[cfg(test)]
mod salvaged;
mod signers;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;
pub mod trim;
pub mod twin;
pub mod upgrade;
pub mod walk;
pub mod words;
pub mod work;
#[cfg(test)]
mod wounds;
pub mod write;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sync_protocol::asides::Pins;
use sync_protocol::chain::Line;
use sync_protocol::enrolment::Enrolment;
use sync_protocol::sign::Signer;
use zeroize::Zeroizing;

use crate::clock::Now;
use crate::home::Lock;
use crate::keys::{Access, Domain, Keys, Place, random};
use crate::store::database::{Change, Database, Tree};
use crate::store::epoch::{Opening, Token};
use crate::store::error::{Part, StoreError};
use crate::store::journal::{Contents, Frame, Journal};
use crate::store::ruled::Ruled;
use crate::store::run::Recent;
use crate::store::state::{LineInfo, STATE_KEY, State};

/// Ops in the journal that the database does not yet hold durably, at most.
const CHECKPOINT_OPS: u64 = 200;
/// The same in bytes: replaying them costs each command, and making them durable takes room.
const CHECKPOINT_BYTES: u64 = 256 * 1024;
/// Lines kept at hand.
const LINES_MAX: usize = 4096;
const IDENTITY_FILE: &str = "identity";
const IDENTITY_SCHEMA: u8 = 1;

/// Who this installation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What the enrolment code said; the secret is zeros once HQ has seen the proof.
    pub enrolment: Enrolment,
    /// When the code was read, by the device's clock, milliseconds UTC.
    pub scanned_ms: u64,
    /// What the device calls itself.
    pub name: String,
    /// HQ's TLS keys as HQ told them since; none of version 0: the enrolment's.
    pub pins: Pins,
}

impl Identity {
    /// Returns who somebody is who has just read a code.
    fn new(enrolment: &Enrolment, scanned_ms: u64) -> Self {
        Self { enrolment: enrolment.clone(), scanned_ms, name: host_name(), pins: Pins::default() }
    }

    /// Returns the TLS keys by which HQ is known, the one in use first; none where HQ is reached without TLS.
    #[must_use]
    pub fn pins(&self) -> Vec<[u8; 32]> {
        match self.pins.version {
            0 => self.enrolment.tls_pin.into_iter().collect(),
            _ => self.pins.pins.clone(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct IdentityFile {
    identity: Identity,
    seed: [u8; 32],
}

/// A home whose lock is held and whose keys are read.
struct Unopened {
    home: PathBuf,
    lock: Lock,
    keys: Keys,
    identity: Identity,
    seed: Zeroizing<[u8; 32]>,
}

impl Unopened {
    /// Opens the journal; what it holds behind the database's end is yet to be taken in.
    fn with_database(self, database: Database, state: State) -> Result<(Store, Contents), StoreError> {
        let Self { home, lock, keys, identity, seed } = self;
        let (journal, contents) = Journal::open(&home.join("journal"), &keys, state.journal)?;
        let store = Store {
            token: Token::open(&home, &keys),
            home,
            _lock: lock,
            keys,
            seed,
            identity,
            journal,
            database,
            pending: Change::default(),
            state,
            opening: Opening::First,
            lines: RefCell::default(),
            recent: Recent::default(),
            ruled: Ruled::default(),
            unsynced: 0,
            unsynced_bytes: 0,
            behind: false,
        };
        Ok((store, contents))
    }
}

/// An open home.
#[derive(Debug)]
pub struct Store {
    home: PathBuf,
    _lock: Lock,
    keys: Keys,
    seed: Zeroizing<[u8; 32]>,
    identity: Identity,
    journal: Journal,
    database: Database,
    /// Changes that the database did not get yet.
    pending: Change,
    state: State,
    opening: Opening,
    token: Option<Token>,
    lines: RefCell<BTreeMap<Line, LineInfo>>,
    recent: Recent,
    ruled: Ruled,
    /// Own ops since the last checkpoint.
    unsynced: u64,
    /// And their bytes.
    unsynced_bytes: u64,
    /// The database refused a change that the journal holds: reads would be stale until the next opening.
    behind: bool,
}

impl Store {
    /// Makes a home: nothing is written before there is room for all of it.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`], [`StoreError::AlreadyEnrolled`], [`StoreError::Io`].
    pub fn create(home: &Path, enrolment: &Enrolment, now: Now) -> Result<Self, StoreError> {
        crate::home::require_space(home, crate::home::CREATE_BYTES_MIN)?;
        let folders = ["", "id", "journal", "blobs", "quarantine"].map(|name| home.join(name));
        for folder in &folders {
            std::fs::create_dir_all(folder)
                .map_err(|source| StoreError::io("making a home", folder, source))?;
        }
        // Asked under the lock: of two enrolments at once the second must not draw another key.
        let lock = Lock::take(home, now.boot)?;
        if is_enrolled(home)? {
            return Err(StoreError::AlreadyEnrolled { home: home.to_path_buf() });
        }
        room::write_reserve(home)?;
        Database::open(&home.join("sled"))?;
        let keys = Keys::create(&home.join("id"))?;
        let identity = Identity::new(enrolment, u64::try_from(now.wall.0).unwrap_or(0));
        epoch::note_made(home)?;
        // Written last: with it the home is whole.
        write_identity(home, &keys, &identity, random()?)?;
        for folder in &folders {
            let synced = crate::home::sync_folder(folder).and_then(|()| match folder.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => crate::home::sync_folder(parent),
                _ => Ok(()),
            });
            synced.map_err(|source| StoreError::io("making a home", folder, source))?;
        }
        drop(lock);
        Self::open(home, now)
    }

    /// Opens a home: takes its lock, cuts what a kill left torn, brings the database up to the journal.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`], [`StoreError::InUse`], [`StoreError::Damaged`], [`StoreError::NoSpace`], and
    /// [`StoreError::Locked`] where it has a PIN.
    pub fn open(home: &Path, now: Now) -> Result<Self, StoreError> {
        Self::open_by(home, Access::Plain, now)
    }

    /// As [`open`](Self::open), a home with a PIN by the key that was opened with it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_by(home: &Path, access: Access<'_>, now: Now) -> Result<Self, StoreError> {
        let unopened = Self::unopened(home, access, now)?;
        room::before_database(home, crate::home::OPEN_BYTES_MIN);
        if unopened.lock.was_held() {
            probe::read_elsewhere(home)?;
        }
        let database = Database::open(&home.join("sled"))?;
        let state: State = match database.get(&unopened.keys, Tree::Meta, STATE_KEY)? {
            Some(bytes) => postcard::from_bytes(&bytes).map_err(|_| StoreError::Newer)?,
            None => State::default(),
        };
        upgrade::refuse_newer(&database, &unopened.keys)?;
        let fresh = state == State::default();
        let (mut store, contents) = unopened.with_database(database, state)?;
        let short = contents.short;
        // Two damaged copies are no reason to keep the home shut: it goes on as a copy does, under a new epoch.
        let head = epoch::read_head(home);
        let head_lost = matches!(head, Err(StoreError::Damaged { .. }));
        let head = if head_lost { None } else { head? };
        // A head alone is a first save that was killed or refused; with a parent or a journal there was more.
        let saved = contents.frames.iter().any(|(frame, _)| !frame.ops.is_empty())
            || head_lost
            || head.as_ref().is_some_and(|head| head.parent.is_some());
        let saves: Vec<Frame> = contents.frames.iter().map(|(frame, _)| frame.clone()).collect();
        let holed = !contents.gaps.is_empty();
        let cut = store.cut_of(&contents);
        store.replay(contents, head.as_ref())?;
        if fresh && saved && store.state.own.is_none() {
            return Err(store.damaged(Part::Database));
        }
        store.opening = epoch::judge(head.as_ref(), store.state.own, home, &store.keys, now);
        let orphans = store.orphans(saves)?;
        if short || holed || cut.is_some() || head_lost || !orphans.is_empty() {
            store.opening = Opening::Elsewhere;
            // The first save settles it for the openings after this one.
            store.unsynced = CHECKPOINT_OPS;
        }
        if let Some(cut) = cut {
            store.note_cut(cut)?;
        }
        store.adopt(orphans, now)?;
        store.finish_forks(now)?;
        if store.is_behind_itself()? {
            store.opening = Opening::Elsewhere;
        }
        store.read_again(now)?;
        Ok(store)
    }

    fn unopened(home: &Path, access: Access<'_>, now: Now) -> Result<Unopened, StoreError> {
        let not_enrolled = || StoreError::NotEnrolled { home: home.to_path_buf() };
        if !home.join("id").is_dir() {
            return Err(not_enrolled());
        }
        let lock = Lock::take(home, now.boot)?;
        crate::keys::level_key(&home.join("id"))?;
        let keys = Keys::open(&home.join("id"), access)?.ok_or_else(not_enrolled)?;
        anew::finish_begun(home, &lock, &keys)?;
        rebuild::take_whole(home)?;
        let IdentityFile { identity, seed } = read_identity(home, &keys)?.ok_or_else(not_enrolled)?;
        Ok(Unopened { home: home.to_path_buf(), lock, keys, identity, seed: Zeroizing::new(seed) })
    }

    /// Returns who this installation is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Replaces what is known of this installation, as after the first contact with HQ.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoSpace`].
    pub fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        write_identity(&self.home, &self.keys, &identity, *self.seed)?;
        self.identity = identity;
        Ok(())
    }

    /// Returns the key that signs for this installation.
    ///
    /// # Errors
    /// [`StoreError::Key`].
    pub fn signer(&self) -> Result<Signer, StoreError> {
        Signer::from_seed(&self.seed).map_err(|_| StoreError::Key)
    }

    /// Returns the folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the door through which attachments pass.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Returns whether sheet and claim numbers wait until HQ confirmed the highest known.
    #[must_use]
    pub fn numbers_suspended(&self) -> bool {
        self.state.numbers_suspended || self.opening == Opening::Elsewhere
    }

    /// Returns whether HQ says that two homes write under this one's name.
    #[must_use]
    pub fn copied(&self) -> bool {
        self.state.copied
    }

    /// Makes the database durable.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`], [`StoreError::Io`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        room::before_database(&self.home, crate::home::SYNC_BYTES_MIN);
        self.flush()?;
        self.database.checkpoint()?;
        self.unsynced = 0;
        self.unsynced_bytes = 0;
        if !self.behind && self.state.journal >= self.journal.end() {
            self.journal.checkpointed();
        }
        Ok(())
    }
}

fn identity_place() -> Place<'static> {
    Place { domain: Domain::Identity, key: IDENTITY_FILE.as_bytes(), seq: 0, schema: IDENTITY_SCHEMA }
}

/// Whether a home was made here. A creation that was killed left keys without an identity and without a save:
/// it may be done again.
fn is_enrolled(home: &Path) -> Result<bool, StoreError> {
    let keys = match Keys::open(&home.join("id"), Access::Plain) {
        Ok(Some(keys)) => keys,
        Ok(None) => return Ok(false),
        // A PIN is set on whole homes only.
        Err(StoreError::Locked) => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(epoch::read_head(home)?.is_some() || read_identity(home, &keys)?.is_some())
}

fn write_identity(home: &Path, keys: &Keys, identity: &Identity, seed: [u8; 32]) -> Result<(), StoreError> {
    let file = IdentityFile { identity: identity.clone(), seed };
    let plain = Zeroizing::new(postcard::to_allocvec(&file).unwrap_or_default());
    let sealed = keys.seal(identity_place(), &plain)?;
    crate::home::write_twin(&home.join("id"), IDENTITY_FILE, &sealed)
}

fn read_identity(home: &Path, keys: &Keys) -> Result<Option<IdentityFile>, StoreError> {
    let id = home.join("id");
    let Some(sealed) = crate::home::read_twin(&id, IDENTITY_FILE)? else {
        return Ok(None);
    };
    let plain = keys.open_sealed(identity_place(), &sealed).map(Zeroizing::new);
    let file = plain.and_then(|plain| postcard::from_bytes(&plain).ok());
    file.map(Some).ok_or_else(|| StoreError::damaged(Part::Keys, &id))
}

fn host_name() -> String {
    let named = std::fs::read_to_string("/etc/hostname").ok().or_else(|| std::env::var("COMPUTERNAME").ok());
    named
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "device".to_owned())
}
