//! How long a step took: the one room of the chores that asks the time.

use std::time::{Duration, Instant};

/// Runs from the moment it is made.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the clock of the chores")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn read(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Returns a duration as people say it: `41 s`, `3 min 07 s`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 60 {
        0 if seconds < 10 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {:02} s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_spoken_in_the_unit_that_matters() {
        assert_eq!(spoken(Duration::from_millis(250)), "0.2 s");
        assert_eq!(spoken(Duration::from_secs(41)), "41 s");
        assert_eq!(spoken(Duration::from_secs(187)), "3 min 07 s");
    }
}
