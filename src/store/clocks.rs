//! Under which clock own ops were saved: where it was set before they were sent, HQ hears how far it stood elsewhere.
//!
//! Within one boot the wall clock and the time since the boot go on together; where their difference changes, somebody
//! set the clock.
//!
//! Source: docs/PROTOCOL.md, Clocks.

use records::id::Epoch;
use serde::{Deserialize, Serialize};
use sync_protocol::asides::{Ask, ClockRun};
use sync_protocol::limits::CLOCK_OFF_MS;

use crate::clock::Now;
use crate::store::Store;
use crate::store::error::StoreError;

/// The setting with the runs of ops.
const SETTING: &str = "clock.runs";
/// Runs that are kept: somebody who sets his clock more often before he syncs is told by the last ones.
const RUNS_MAX: usize = 32;

/// From an op on the clock stood so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stood {
    epoch: Epoch,
    first: u64,
    /// Names the boot.
    boot: u32,
    /// Wall time less the time since the boot, milliseconds.
    offset_ms: i64,
}

impl Store {
    /// Returns the setting to save with the op `first` of an epoch where the clock stands elsewhere than it did at the
    /// save before; `None` where it does not, or where the platform does not name its boots.
    pub(in crate::store) fn clock_setting(
        &self,
        epoch: Epoch,
        first: u64,
        now: Now,
    ) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let mut runs = self.clock_runs()?;
        let offset_ms = offset(now);
        let same = |run: &Stood| run.boot == now.boot && off(run.offset_ms, offset_ms) < CLOCK_OFF_MS;
        if now.boot == 0 || runs.last().is_some_and(same) {
            return Ok(None);
        }
        if runs.len() >= RUNS_MAX {
            runs.remove(0);
        }
        runs.push(Stood { epoch, first, boot: now.boot, offset_ms });
        Ok(Some((SETTING.to_owned(), postcard::to_allocvec(&runs).unwrap_or_default())))
    }

    /// Returns what HQ is to hear of the clock under which unsent ops were saved; `None` where it stood as it does now.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn clock_ask(&self, now: Now) -> Result<Option<Ask>, StoreError> {
        let runs = self.clock_runs()?;
        let ends = runs.iter().skip(1).map(Some).chain([None]);
        let mut told = Vec::new();
        for (run, next) in runs.iter().zip(ends) {
            let shift_ms = run.offset_ms.saturating_sub(offset(now));
            if run.boot != now.boot || shift_ms.unsigned_abs() < CLOCK_OFF_MS {
                continue;
            }
            let until = next.filter(|next| next.epoch == run.epoch).map_or(u64::MAX, |next| next.first - 1);
            let unheld = self.unheld()?.into_iter().find(|unheld| unheld.epoch == run.epoch);
            if let Some(unheld) = unheld.filter(|unheld| unheld.held < until) {
                let (first, last) = (run.first.max(unheld.held + 1), until.min(unheld.last));
                told.push(ClockRun { epoch: run.epoch, first, last, shift_ms });
            }
        }
        Ok((!told.is_empty()).then_some(Ask::Clocks(told)))
    }

    fn clock_runs(&self) -> Result<Vec<Stood>, StoreError> {
        let bytes = self.setting(SETTING)?;
        // Lost without harm: HQ then reckons with the clock as it stands now.
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default())
    }
}

fn offset(now: Now) -> i64 {
    now.wall.0.saturating_sub_unsigned(now.monotonic_ms)
}

fn off(a: i64, b: i64) -> u64 {
    a.abs_diff(b)
}

#[cfg(test)]
mod tests {
    use records::time::Ts;

    use super::*;
    use crate::store::testing::{NOW, create, home};

    /// A moment `ms` after [`NOW`], with the wall clock off by `off_ms`.
    fn at(ms: u64, off_ms: i64) -> Now {
        let wall = Ts(NOW.wall.0.saturating_add_unsigned(ms).saturating_add(off_ms));
        Now { wall, monotonic_ms: NOW.monotonic_ms + ms, boot: 7, ..NOW }
    }

    fn told(store: &Store, now: Now) -> Vec<(u64, u64, i64)> {
        match store.clock_ask(now).unwrap() {
            Some(Ask::Clocks(runs)) => runs.iter().map(|run| (run.first, run.last, run.shift_ms)).collect(),
            None => Vec::new(),
            Some(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn ops_saved_before_the_clock_was_set_are_told_with_how_far_it_was_off() {
        const SLOW: i64 = -3 * 60 * 60 * 1000;
        let (dir, mut store) = home();
        for ms in [0, 60_000, 120_000] {
            store.save(vec![create(b"x")], at(ms, SLOW)).unwrap();
        }
        assert_eq!(told(&store, at(180_000, SLOW)), [], "it stands as it stood");
        assert_eq!(told(&store, at(180_000, 0)), [(1, 3, SLOW)]);
        store.save(vec![create(b"x")], at(240_000, 0)).unwrap();
        assert_eq!(told(&store, at(300_000, 0)), [(1, 3, SLOW)]);
        drop(store);
        let store = Store::open(dir.path(), at(360_000, 0)).unwrap();
        assert_eq!(told(&store, at(360_000, 0)), [(1, 3, SLOW)], "a kill loses nothing of it");
        // After a boot nobody can say.
        assert_eq!(told(&store, Now { boot: 8, ..at(360_000, 0) }), []);
    }
}
