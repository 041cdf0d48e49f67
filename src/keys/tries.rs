//! Wrong PINs: how many there were, and how long the next one has to wait. Nothing is ever wiped for them.
//!
//! Source: docs/SECURITY.md, On the device.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::Now;
use crate::store::error::StoreError;

/// From this wrong one on the next has to wait.
const FREE: u32 = 5;
/// So long after the fifth; each further one doubles it.
const WAIT_MS: u64 = 30_000;
/// And never longer than this.
const WAIT_MS_MAX: u64 = 15 * 60_000;
const FILE: &str = "tries";

/// The wrong ones since the last right one, and when the last of them was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Tries {
    wrong: u32,
    wall_ms: i64,
    boot: u32,
    monotonic_ms: u64,
}

impl Tries {
    fn at(wrong: u32, now: Now) -> Self {
        Self { wrong, wall_ms: now.wall.0, boot: now.boot, monotonic_ms: now.monotonic_ms }
    }

    /// Returns the milliseconds to wait, and whether the clock stands before the last wrong one.
    fn left_ms(self, now: Now) -> (u64, bool) {
        let wait = wait_ms(self.wrong);
        if now.boot != 0 && now.boot == self.boot {
            return (wait.saturating_sub(now.monotonic_ms.saturating_sub(self.monotonic_ms)), false);
        }
        match u64::try_from(now.wall.0.saturating_sub(self.wall_ms)) {
            Ok(since) => (wait.saturating_sub(since), false),
            Err(_) => (wait, true),
        }
    }
}

/// Returns how long the try after so many wrong ones has to wait, in milliseconds.
#[must_use]
pub fn wait_ms(wrong: u32) -> u64 {
    match wrong.checked_sub(FREE) {
        None => 0,
        Some(beyond) => WAIT_MS.saturating_mul(1 << beyond.min(10)).min(WAIT_MS_MAX),
    }
}

/// Returns the milliseconds until a PIN may be tried; 0 where that is now. To be called under the home's lock.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn left_ms(id: &Path, now: Now) -> Result<u64, StoreError> {
    let Some(tries) = read(id, now)? else {
        return Ok(0);
    };
    let (left, before) = tries.left_ms(now);
    if before && left > 0 {
        // Setting the clock back buys nothing: the wait begins anew, and ends though the clock stays there.
        write(id, Tries::at(tries.wrong, now))?;
    }
    Ok(left)
}

/// Counts a try before it is made, so that a kill in its middle makes none free; returns the wrong ones with it.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn count(id: &Path, now: Now) -> Result<u32, StoreError> {
    let wrong = read(id, now)?.map_or(0, |tries| tries.wrong).saturating_add(1);
    write(id, Tries::at(wrong, now))?;
    Ok(wrong)
}

/// Forgets the wrong ones: the right one came.
///
/// # Errors
/// [`StoreError::Io`].
pub fn forget(id: &Path) -> Result<(), StoreError> {
    crate::home::remove_twin(id, FILE)
}

/// A note that was damaged stands for one that has just begun to wait.
fn read(id: &Path, now: Now) -> Result<Option<Tries>, StoreError> {
    let kept = match crate::home::read_twin(id, FILE) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => postcard::from_bytes(&bytes).ok(),
        Err(StoreError::Damaged { .. }) => None,
        Err(error) => return Err(error),
    };
    if let Some(tries) = kept {
        return Ok(Some(tries));
    }
    let anew = Tries::at(FREE, now);
    write(id, anew)?;
    Ok(Some(anew))
}

fn write(id: &Path, tries: Tries) -> Result<(), StoreError> {
    crate::home::write_twin(id, FILE, &postcard::to_allocvec(&tries).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use records::time::Ts;

    use super::*;
    use crate::store::testing::NOW;

    fn at(boot: u32, seconds: i64) -> Now {
        let monotonic_ms = u64::try_from(seconds.max(0)).unwrap() * 1000;
        Now { wall: Ts(NOW.wall.0 + seconds * 1000), monotonic_ms, boot, ..NOW }
    }

    fn wrong(id: &Path, n: u32, now: Now) {
        for _ in 0..n {
            count(id, now).unwrap();
        }
    }

    #[test]
    fn waits_begin_with_the_fifth_and_double_to_a_quarter_of_an_hour() {
        let waits: Vec<u64> = (0..=13).map(|wrong| wait_ms(wrong) / 1000).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
        assert_eq!(wait_ms(u32::MAX), WAIT_MS_MAX);
    }

    #[test]
    fn a_wait_survives_a_restart_and_a_clock_that_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let id = folder.path();
        wrong(id, 4, at(7, 0));
        assert_eq!(left_ms(id, at(7, 0)).unwrap(), 0);
        wrong(id, 1, at(7, 0));
        assert_eq!(left_ms(id, at(7, 10)).unwrap(), 20_000);
        let set = |seconds, boot| Now { monotonic_ms: 10_000, ..at(boot, seconds) };
        // The clock of the boot goes on whatever is done to the one on the wall.
        assert_eq!(left_ms(id, set(-86_400, 7)).unwrap(), 20_000);
        assert_eq!(left_ms(id, set(86_400, 7)).unwrap(), 20_000);
        // After a boot only the wall's clock is left; set back, the wait begins anew and ends all the same.
        assert_eq!(left_ms(id, set(12, 8)).unwrap(), 18_000);
        assert_eq!(left_ms(id, set(-86_400, 8)).unwrap(), 30_000);
        assert_eq!(left_ms(id, set(-86_400 + 31, 9)).unwrap(), 0);
        forget(id).unwrap();
        assert_eq!((left_ms(id, at(8, 0)).unwrap(), count(id, at(8, 0)).unwrap()), (0, 1));
    }

    #[test]
    fn a_damaged_note_lets_nobody_guess_freely_and_keeps_nobody_out_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let id = folder.path();
        wrong(id, 9, at(7, 0));
        for copy in ["tries.a", "tries.b"] {
            std::fs::write(id.join(copy), b"nonsense").unwrap();
        }
        assert_eq!(left_ms(id, at(7, 0)).unwrap(), 30_000);
        assert_eq!(left_ms(id, at(7, 31)).unwrap(), 0);
    }
}
