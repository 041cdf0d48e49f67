//! Who syncs by himself: at the start, some seconds after a change, every few minutes; more rarely while nothing answers.
//!
//! He holds the home before and after a request, never while he waits for the answer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cli::fault::Fault;
use crate::clock::Clock;
use crate::store::error::StoreError;
use crate::sync::standing::{self, Apart};
use crate::sync::{self, Options, SyncError};
use crate::transport::TransportError;
use crate::web::held::Held;

/// So long after a change: whoever captures goes on capturing first.
const AFTER_CHANGE: Duration = Duration::from_secs(10);
/// Between two syncs when all is well.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// The wait after the first sync that failed; each further one doubles it.
const FAILED: Duration = Duration::from_secs(30);

/// What he is doing, for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// A sync is under way.
    pub runs: bool,
    /// Syncs that failed, one after the other.
    pub failed: u32,
    /// Syncs that ended, well or not.
    pub ended: u64,
}

#[derive(Debug, Default)]
struct Wishes {
    standing: Standing,
    /// The last failure; `None` once a sync came through.
    error: Option<Fault>,
    /// So long headquarters asked to be left alone.
    asked: Duration,
    changed: bool,
    now: bool,
}

/// The courier of a home.
#[derive(Debug, Default)]
pub struct Courier {
    wishes: Mutex<Wishes>,
    bell: Condvar,
}

impl Courier {
    /// Says that something was written.
    pub fn changed(&self) {
        self.wishes().changed = true;
        self.bell.notify_all();
    }

    /// Asks for a sync now and does not wait; one that runs is enough.
    pub fn hurry(&self) {
        let mut wishes = self.wishes();
        wishes.now = !wishes.standing.runs;
        drop(wishes);
        self.bell.notify_all();
    }

    /// Asks for a sync now and waits for its end, at most so long; returns whether it ended.
    pub fn sync_now(&self, wait: Duration) -> bool {
        let mut wishes = self.wishes();
        // One that runs may have begun before the last change.
        let awaited = wishes.standing.ended + 1 + u64::from(wishes.standing.runs);
        wishes.now = true;
        self.bell.notify_all();
        let waiting = |wishes: &mut Wishes| wishes.standing.ended < awaited;
        let ended = self.bell.wait_timeout_while(wishes, wait, waiting);
        ended.map_or(true, |(_, timeout)| !timeout.timed_out())
    }

    /// Lets him begin now: the home was unlocked.
    pub fn wake(&self) {
        self.wishes().now = true;
        self.bell.notify_all();
    }

    /// Returns what he is doing.
    pub fn standing(&self) -> Standing {
        self.wishes().standing
    }

    /// Does something with the last failure; `None` where the last sync came through.
    pub fn failure<T>(&self, told: impl FnOnce(&Fault) -> T) -> Option<T> {
        self.wishes().error.as_ref().map(told)
    }

    /// Works until the process ends.
    pub fn run(&self, mut held: &Held, clock: Clock) {
        loop {
            self.begins();
            let revoked = is_revoked(held);
            let done = sync::sync(&mut held, &clock, Options::default(), &mut |_| {});
            let asked = match &done {
                Err(SyncError::Transport(TransportError::Later { seconds })) => u64::from(*seconds),
                _ => 0,
            };
            if !revoked && is_revoked(held) {
                held.lock();
            }
            let failed = done.err().map(|error| {
                let address =
                    held.with(|store| Ok::<_, StoreError>(store.identity().enrolment.address.clone()));
                crate::cli::sync::fault(error, &address.unwrap_or_default())
            });
            self.ended(failed, Duration::from_secs(asked));
            self.rest();
        }
    }

    fn begins(&self) {
        let mut wishes = self.wishes();
        wishes.standing.runs = true;
        (wishes.changed, wishes.now) = (false, false);
    }

    fn ended(&self, error: Option<Fault>, asked: Duration) {
        let mut wishes = self.wishes();
        let Standing { failed, ended, .. } = wishes.standing;
        let failed = if error.is_some() { failed.saturating_add(1) } else { 0 };
        wishes.standing = Standing { runs: false, failed, ended: ended + 1 };
        (wishes.error, wishes.asked) = (error, asked);
        drop(wishes);
        self.bell.notify_all();
    }

    /// Waits for the next sync to be due.
    fn rest(&self) {
        let mut wishes = self.wishes();
        let pause = pause(wishes.standing.failed).max(wishes.asked);
        let quiet = |wishes: &mut Wishes| {
            let worth = wishes.changed && wishes.standing.failed == 0;
            !wishes.now && !worth
        };
        wishes = self.waited(wishes, pause, quiet);
        while wishes.changed && !wishes.now {
            wishes.changed = false;
            // Each further change begins the wait anew.
            wishes = self.waited(wishes, AFTER_CHANGE, |wishes| !wishes.now && !wishes.changed);
        }
    }

    fn waited<'a>(
        &self,
        wishes: MutexGuard<'a, Wishes>,
        pause: Duration,
        quiet: impl FnMut(&mut Wishes) -> bool,
    ) -> MutexGuard<'a, Wishes> {
        self.bell.wait_timeout_while(wishes, pause, quiet).unwrap_or_else(PoisonError::into_inner).0
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the home knows that headquarters takes nothing from it as it stands.
fn is_revoked(held: &Held) -> bool {
    held.with(|store| standing::apart(store)).is_ok_and(|apart| apart == Some(Apart::Revoked))
}

/// Returns how long to wait after so many failures one after the other.
fn pause(failed: u32) -> Duration {
    match failed {
        0 => EVERY,
        n => FAILED.saturating_mul(1 << (n - 1).min(4)).min(EVERY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fault::Exit;

    #[test]
    fn nobody_is_asked_more_often_because_he_does_not_answer() {
        let seconds: Vec<u64> = (0..8).map(|failed| pause(failed).as_secs()).collect();
        assert_eq!(seconds, [300, 30, 60, 120, 240, 300, 300, 300]);
        assert_eq!(pause(u32::MAX), EVERY);
    }

    #[test]
    fn whoever_asks_for_a_sync_waits_for_one_that_began_after_he_asked() {
        let courier = Courier::default();
        courier.begins();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| courier.sync_now(Duration::from_secs(60)));
            while !courier.wishes().now {
                std::thread::yield_now();
            }
            let fault = Fault::new(Exit::Unreachable, "error.sync.refused");
            courier.ended(Some(fault.clone()), Duration::ZERO);
            courier.rest();
            courier.begins();
            assert_eq!(courier.failure(Clone::clone), Some(fault));
            courier.ended(None, Duration::ZERO);
            assert!(asked.join().unwrap());
        });
        assert_eq!(courier.standing(), Standing { runs: false, failed: 0, ended: 2 });
        assert!(courier.failure(|_| ()).is_none());
    }
}
