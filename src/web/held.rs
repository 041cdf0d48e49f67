//! The home as the pages hold it: open while it is used, given away where a command asks for it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Now};
use crate::keys::Access;
use crate::keys::secret::{DataKey, Pin};
use crate::notebook::terms::unlock_minutes;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::sync::Lends;
use crate::vault::{self, Standing};
use crate::web::kept::Kept;
use crate::web::remembered::Remembered;

/// How long a home that was given away is left alone, so that whoever asked takes it: he looks every 50 ms.
const LENT: Duration = Duration::from_millis(300);

/// A home that many requests share, one at a time.
#[derive(Debug)]
pub struct Held {
    home: PathBuf,
    clock: Clock,
    store: Mutex<Option<Store>>,
    /// When it was given away last, milliseconds of the monotonic clock.
    lent_ms: Mutex<Option<u64>>,
    unlocked: Mutex<Option<Unlocked>>,
    /// What need not be reckoned at each visit.
    pub(crate) remembered: Remembered,
    /// What refused forms brought.
    pub(crate) kept: Kept,
}

/// The key of a home with a PIN, as long as somebody uses the pages.
#[derive(Debug)]
struct Unlocked {
    key: DataKey,
    idle_ms_max: u64,
    used_ms: u64,
}

impl Held {
    /// Returns a home that is opened when it is first needed.
    #[must_use]
    pub const fn new(home: PathBuf, clock: Clock) -> Self {
        Self {
            home,
            clock,
            store: Mutex::new(None),
            lent_ms: Mutex::new(None),
            unlocked: Mutex::new(None),
            remembered: Remembered::new(),
            kept: Kept::new(),
        }
    }

    /// Returns the home's folder.
    #[must_use]
    pub fn home(&self) -> &std::path::Path {
        &self.home
    }

    /// Does one job with the home; nobody else has it meanwhile. Where it was given away, this waits up to five seconds.
    ///
    /// # Errors
    /// [`StoreError`] where it does not open, and what the job says.
    pub fn with<T, E: From<StoreError>>(&self, job: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        // A job that broke off in the middle may have left the store's own notes half made: it is read anew.
        let mut held = self.store.lock().unwrap_or_else(|broken: PoisonError<_>| {
            let mut held = broken.into_inner();
            *held = None;
            self.store.clear_poison();
            held
        });
        let mut store = match held.take() {
            Some(store) => store,
            None => {
                std::thread::sleep(self.still_lent());
                self.open()?
            }
        };
        let done = job(&mut store);
        *held = Some(store);
        done
    }

    fn open(&self) -> Result<Store, StoreError> {
        match self.key().as_ref() {
            Some(unlocked) => Store::open_by(&self.home, Access::By(&unlocked.key), self.clock.now()),
            None => Store::open(&self.home, self.clock.now()),
        }
    }

    /// Takes a home that is open already; where it has a PIN, its key is kept as long as somebody uses the pages.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn begin(&self, store: Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        if vault::standing(&self.home, now)? != Standing::NoPin {
            let idle_ms_max = u64::from(unlock_minutes(&store, now)?) * 60_000;
            let key = store.keys().data_key().clone();
            *self.key() = Some(Unlocked { key, idle_ms_max, used_ms: now.monotonic_ms });
        }
        *self.held() = Some(store);
        Ok(())
    }

    /// Opens the home by its PIN.
    ///
    /// # Errors
    /// Those of [`vault::open_by_pin`].
    pub fn unlock(&self, pin: &Pin) -> Result<(), StoreError> {
        // Two that are sent at once are two tries: the home's own lock sees to that.
        let store = vault::open_by_pin(&self.home, pin, self.clock.now())?;
        self.begin(store)
    }

    /// Returns whether the home waits for its PIN.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let open = self.held().is_some() || self.key().is_some();
        !open && matches!(vault::standing(&self.home, self.clock.now()), Ok(Standing::Pin { .. }))
    }

    /// Closes the home and forgets its key, and what was remembered of it.
    pub fn lock(&self) {
        let mut held = self.held();
        *held = None;
        *self.key() = None;
        self.remembered.forget();
        self.kept.forget_all();
    }

    /// Notes that somebody uses the pages.
    pub fn touch(&self) {
        if let Some(unlocked) = self.key().as_mut() {
            unlocked.used_ms = self.clock.now().monotonic_ms;
        }
    }

    /// Locks the home where nobody used the pages for as long as the policy allows; returns whether it did.
    pub fn lock_if_idle(&self, now: Now) -> bool {
        let idle =
            |unlocked: &Unlocked| now.monotonic_ms.saturating_sub(unlocked.used_ms) >= unlocked.idle_ms_max;
        let over = self.key().as_ref().is_some_and(idle);
        if over {
            self.lock();
        }
        over
    }

    fn key(&self) -> MutexGuard<'_, Option<Unlocked>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the home and does something with its folder; it is opened again when it is next needed.
    pub fn apart<T>(&self, job: impl FnOnce(&std::path::Path) -> T) -> T {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        job(&self.home)
    }

    /// Gives the home to another process: the job that runs ends first.
    pub fn lend(&self) {
        let mut held = self.held();
        *held = None;
        *self.lent() = Some(self.clock.now().monotonic_ms);
    }

    /// Returns how long whoever asked for the home has yet to take it.
    fn still_lent(&self) -> Duration {
        let since = self.lent().take().map(|lent| self.clock.now().monotonic_ms.saturating_sub(lent));
        since.map_or(Duration::ZERO, |ms| LENT.saturating_sub(Duration::from_millis(ms)))
    }

    fn lent(&self) -> MutexGuard<'_, Option<u64>> {
        self.lent_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lends for &Held {
    fn lend<T, E: From<StoreError>>(&mut self, job: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.with(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Device;

    #[test]
    fn a_home_that_was_given_away_is_left_to_whoever_asked_for_it() {
        let device = Device::new();
        device.ready();
        let held = Held::new(device.dir.path().join("home"), Clock::system());
        let used = || held.with(|_| Ok::<_, StoreError>(())).unwrap();
        used();
        held.lend();
        std::thread::scope(|scope| {
            // The next sync of the pages, which waited all the time.
            scope.spawn(used);
            drop(Store::open(held.home(), Clock::system().now()).unwrap());
        });
        used();
    }
}
