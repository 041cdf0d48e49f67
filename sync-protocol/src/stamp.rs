//! The hybrid logical clock: wall time that never goes back.

use serde::{Deserialize, Serialize};

use crate::limits::STAMP_AHEAD_MS;

/// When a save happened: 48 bits of milliseconds UTC and a counter within the millisecond; one per save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since 1970-01-01 UTC, below 2^48.
    pub ms: u64,
    /// Tells saves of the same millisecond apart.
    pub counter: u16,
}

/// The largest millisecond a stamp can hold.
pub const MS_MAX: u64 = (1 << 48) - 1;

impl Stamp {
    /// Returns the stamp of a save at wall time `wall_ms` that follows `self`.
    #[must_use]
    pub fn next(self, wall_ms: u64) -> Self {
        let wall_ms = wall_ms.min(MS_MAX);
        if wall_ms > self.ms {
            return Self { ms: wall_ms, counter: 0 };
        }
        match self.counter.checked_add(1) {
            Some(counter) => Self { ms: self.ms, counter },
            None => Self { ms: (self.ms + 1).min(MS_MAX), counter: 0 },
        }
    }

    /// Returns the floor of the own clock after reading somebody's stamp: a stamp too far ahead of `wall_ms` raises nobody.
    #[must_use]
    pub fn witness(self, other: Self, wall_ms: u64) -> Self {
        if other.ms > wall_ms.saturating_add(STAMP_AHEAD_MS) { self } else { self.max(other) }
    }

    /// Returns the time merging goes by: the stamp, but not beyond HQ's `cap_ms`.
    #[must_use]
    pub fn effective(self, cap_ms: u64) -> Self {
        self.min(Self { ms: cap_ms.min(MS_MAX), counter: u16::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_rises_though_the_clock_falls() {
        let mut stamp = Stamp::default();
        for wall in [10, 10, 5, 11, 0, u64::MAX] {
            let next = stamp.next(wall);
            assert!(next > stamp);
            stamp = next;
        }
    }

    #[test]
    fn a_clock_two_years_ahead_raises_nobody() {
        let wall = 1_000_000_000_000;
        let mine = Stamp { ms: wall, counter: 0 };
        let mad = Stamp { ms: wall + 63_072_000_000, counter: 0 };
        assert_eq!(mine.witness(mad, wall), mine);
        assert!(mad.effective(wall + STAMP_AHEAD_MS).ms <= wall + STAMP_AHEAD_MS);
    }
}
