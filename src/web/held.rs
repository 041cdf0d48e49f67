//! The home as the pages hold it: open while it is used, given away where a command asks for it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::sync::Lends;
use crate::web::remembered::Remembered;

/// How long a home that was given away is left alone, so that whoever asked takes it: he looks every 50 ms.
const LENT: Duration = Duration::from_millis(300);

/// A home that many requests share, one at a time.
#[derive(Debug)]
pub struct Held {
    home: PathBuf,
    clock: Clock,
    store: Mutex<Option<Store>>,
    /// What need not be reckoned at each visit.
    pub(crate) remembered: Remembered,
}

impl Held {
    /// Returns a home that is opened when it is first needed.
    #[must_use]
    pub const fn new(home: PathBuf, clock: Clock) -> Self {
        Self { home, clock, store: Mutex::new(None), remembered: Remembered::new() }
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
            None => Store::open(&self.home, self.clock.now())?,
        };
        let done = job(&mut store);
        *held = Some(store);
        done
    }

    /// Closes the home and does something with its folder; it is opened again when it is next needed.
    pub fn apart<T>(&self, job: impl FnOnce(&std::path::Path) -> T) -> T {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        job(&self.home)
    }

    /// Gives the home to another process: the job that runs ends first.
    pub fn lend(&self) {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        std::thread::sleep(LENT);
    }
}

impl Lends for &Held {
    fn lend<T, E: From<StoreError>>(&mut self, job: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.with(job)
    }
}
