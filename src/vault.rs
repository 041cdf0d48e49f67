//! The PIN of a home: set, asked for, taken away, and what an administrator of headquarters can do where it is forgotten.
//!
//! Reading order: this file, [`rescue`].
//!
//! Source: docs/SECURITY.md, On the device.

pub mod rescue;

use std::path::Path;

use crate::clock::{Now, measured};
use crate::home::Lock;
use crate::keys::secret::{DataKey, Pin};
use crate::keys::wrap::{KeyFile, Params, Wrapped, derive};
use crate::keys::{Access, random, read_key, ticket, tries, write_key};
use crate::store::Store;
use crate::store::error::StoreError;

/// What one try at a PIN may take on this device.
const TRY_MS_MAX: u64 = 1500;

/// How a home stands to its PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has none: whoever reads its files reads the records.
    NoPin,
    /// It has one.
    Pin {
        /// What a guess costs.
        params: Params,
        /// Until when an unlock holds, milliseconds UTC; `None` where there is none.
        unlocked_until_ms: Option<i64>,
    },
}

/// What this device manages, and how long one try takes on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Managed {
    /// The parameters.
    pub params: Params,
    /// One try, in milliseconds.
    pub try_ms: u64,
}

/// Returns how a home stands to its PIN.
///
/// # Errors
/// [`StoreError::NotEnrolled`], [`StoreError::Damaged`].
pub fn standing(home: &Path, now: Now) -> Result<Standing, StoreError> {
    Ok(match key_file(home)? {
        KeyFile::Open { .. } => Standing::NoPin,
        KeyFile::Wrapped(wrapped) => {
            let unlocked_until_ms = ticket::holds_until(home, wrapped.home, now);
            Standing::Pin { params: wrapped.params, unlocked_until_ms }
        }
    })
}

/// Opens a home that has no PIN, or whose unlock holds.
///
/// # Errors
/// [`StoreError::Locked`], and those of [`Store::open`].
pub fn open(home: &Path, now: Now) -> Result<Store, StoreError> {
    match key(home, now)? {
        Some(key) => Store::open_by(home, Access::By(&key), now),
        None => Store::open(home, now),
    }
}

/// Returns the key of an unlock that holds; `None` where the home has no PIN.
///
/// # Errors
/// [`StoreError::Locked`] where there is no such unlock, [`StoreError::NotEnrolled`], [`StoreError::Damaged`].
pub fn key(home: &Path, now: Now) -> Result<Option<DataKey>, StoreError> {
    match key_file(home)? {
        KeyFile::Open { .. } => Ok(None),
        KeyFile::Wrapped(wrapped) => {
            ticket::read(home, wrapped.home, now).map(Some).ok_or(StoreError::Locked)
        }
    }
}

/// Opens a home by its PIN, and brings its escrow up to headquarters' key.
///
/// # Errors
/// Those of [`unlock`] and [`Store::open`].
pub fn open_by_pin(home: &Path, pin: &Pin, now: Now) -> Result<Store, StoreError> {
    let key = unlock(home, pin, now)?;
    let store = Store::open_by(home, Access::By(&key), now)?;
    rescue::renew_escrow(&store)?;
    Ok(store)
}

/// Opens the data key with a PIN; each wrong one is counted before it is tried.
///
/// # Errors
/// [`StoreError::WrongPin`], [`StoreError::Waits`] after too many wrong ones, [`StoreError::InUse`],
/// [`StoreError::NotEnrolled`], [`StoreError::Damaged`], [`StoreError::Key`] where the memory is not to be had.
pub fn unlock(home: &Path, pin: &Pin, now: Now) -> Result<DataKey, StoreError> {
    let id = home.join("id");
    let wrapped = match key_file(home)? {
        KeyFile::Open { key, .. } => return Ok(key),
        KeyFile::Wrapped(wrapped) => wrapped,
    };
    // Under the lock: two guesses at once are two guesses.
    let lock = Lock::take(home, now.boot)?;
    match tries::left_ms(&id, now)? {
        0 => {}
        wait_ms => return Err(StoreError::Waits { wait_ms }),
    }
    let wrong = tries::count(&id, now)?;
    let opened = wrapped.open(pin)?;
    if opened.is_some() {
        tries::forget(&id)?;
    }
    drop(lock);
    opened.ok_or(StoreError::WrongPin { wait_ms: tries::wait_ms(wrong) })
}

/// Returns the dearest parameters with which one try stays under a second and a half here.
///
/// # Errors
/// [`StoreError::Key`] where not even the least are to be had.
pub fn managed() -> Result<Managed, StoreError> {
    let (done, floor_ms) = measured(|| derive(b"how long does it take", &[0; 16], Params::FLOOR));
    done?;
    let takes = |params: Params| floor_ms.saturating_mul(params.work()) / Params::FLOOR.work();
    let params = Params::LADDER.into_iter().find(|params| takes(*params) <= TRY_MS_MAX);
    let params = params.unwrap_or(Params::FLOOR);
    Ok(Managed { params, try_ms: takes(params).max(1) })
}

/// Puts the data key of an open home under a PIN, and leaves no unlock behind.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`], [`StoreError::Key`].
pub fn set_pin(store: &Store, pin: &Pin, params: Params) -> Result<(), StoreError> {
    let keys = store.keys();
    let wrapped = Wrapped::seal(keys.home_id(), keys.data_key(), pin, params, random()?)?;
    // First the way back, then the lock: a kill in between leaves a home that is still open.
    rescue::write_escrow(store)?;
    ticket::destroy(store.home())?;
    write_key(&store.home().join("id"), &KeyFile::Wrapped(wrapped))
}

/// Lets the data key of an open home lie as it is again.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn remove_pin(store: &Store) -> Result<(), StoreError> {
    let (keys, id) = (store.keys(), store.home().join("id"));
    write_key(&id, &KeyFile::Open { home: keys.home_id(), key: keys.data_key().clone() })?;
    ticket::destroy(store.home())?;
    rescue::forget(store.home())
}

/// Leaves an unlock behind that holds for so many minutes; returns until when, milliseconds UTC, and `None` where this machine
/// keeps none.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`], [`StoreError::Key`].
pub fn keep_unlocked(store: &Store, minutes: u16, now: Now) -> Result<Option<i64>, StoreError> {
    let keys = store.keys();
    ticket::leave(store.home(), keys.home_id(), keys.data_key(), minutes, now)
}

/// Ends the unlock of a home.
///
/// # Errors
/// [`StoreError::Io`].
pub fn lock(home: &Path) -> Result<(), StoreError> {
    ticket::destroy(home)
}

fn key_file(home: &Path) -> Result<KeyFile, StoreError> {
    read_key(&home.join("id"))?.ok_or_else(|| StoreError::NotEnrolled { home: home.to_path_buf() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, create, home};

    fn locked(pin: &str) -> tempfile::TempDir {
        let (dir, mut store) = home();
        store.save(vec![create(b"x")], NOW).unwrap();
        set_pin(&store, &Pin::typed(pin), Params::FLOOR).unwrap();
        dir
    }

    #[test]
    fn a_home_with_a_pin_opens_with_it_alone_and_holds_what_it_held() {
        let dir = locked("4711");
        assert!(matches!(Store::open(dir.path(), NOW), Err(StoreError::Locked)));
        assert!(matches!(Store::rebuild(dir.path(), NOW), Err(StoreError::Locked)));
        assert!(matches!(standing(dir.path(), NOW), Ok(Standing::Pin { unlocked_until_ms: None, .. })));
        let wrong = open_by_pin(dir.path(), &Pin::typed("4712"), NOW);
        assert!(matches!(wrong, Err(StoreError::WrongPin { wait_ms: 0 })), "{wrong:?}");
        let store = open_by_pin(dir.path(), &Pin::typed("4711"), NOW).unwrap();
        assert_eq!((store.counts().unwrap().ops, store.doctor().unwrap().faults), (1, Vec::new()));
        remove_pin(&store).unwrap();
        drop(store);
        assert_eq!(standing(dir.path(), NOW).unwrap(), Standing::NoPin);
        assert_eq!(Store::open(dir.path(), NOW).unwrap().counts().unwrap().ops, 1);
        assert!(!dir.path().join("id/escrow.a").exists());
    }

    #[test]
    fn a_home_with_a_pin_is_enrolled_and_is_not_made_over() {
        let dir = locked("4711");
        let again = Store::create(dir.path(), &crate::store::testing::enrolment(), NOW);
        assert!(matches!(again, Err(StoreError::AlreadyEnrolled { .. })));
    }

    #[test]
    fn the_fifth_wrong_pin_makes_even_the_right_one_wait_and_nothing_is_lost() {
        let dir = locked("4711");
        for n in 1..=5 {
            let wait = if n < 5 { 0 } else { 30_000 };
            let refused = unlock(dir.path(), &Pin::typed("0000"), NOW);
            assert!(matches!(refused, Err(StoreError::WrongPin { wait_ms }) if wait_ms == wait), "{n}");
        }
        let early = Now { monotonic_ms: NOW.monotonic_ms + 20_000, ..NOW };
        let refused = unlock(dir.path(), &Pin::typed("4711"), early);
        assert!(matches!(refused, Err(StoreError::Waits { wait_ms: 10_000 })), "{refused:?}");
        let later = Now { monotonic_ms: NOW.monotonic_ms + 30_000, ..NOW };
        let store = open_by_pin(dir.path(), &Pin::typed("4711"), later).unwrap();
        assert_eq!(store.counts().unwrap().ops, 1);
        drop(store);
        let again = unlock(dir.path(), &Pin::typed("0000"), later);
        assert!(matches!(again, Err(StoreError::WrongPin { wait_ms: 0 })), "the count begins anew");
    }
}
