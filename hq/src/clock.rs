//! The one room of headquarters that asks the time.

/// The clock: the machine's, or one set for a test.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Option<(u64, std::time::Instant)>,
    runs: bool,
}

impl Clock {
    /// The machine's own.
    pub const REAL: Self = Self { start: None, runs: true };

    /// Returns a clock that was set to `ms` just now; it stands still unless it `runs`.
    #[expect(clippy::disallowed_methods, reason = "this is the room that asks the time")]
    #[must_use]
    pub fn set(ms: u64, runs: bool) -> Self {
        Self { start: Some((ms, std::time::Instant::now())), runs }
    }

    /// Returns whether it was set for a test.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.start.is_some()
    }

    /// Returns milliseconds UTC.
    #[expect(clippy::disallowed_methods, reason = "this is the room that asks the time")]
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        match self.start {
            Some((ms, at)) if self.runs => {
                let gone = std::time::Instant::now().saturating_duration_since(at).as_millis();
                ms.saturating_add(u64::try_from(gone).unwrap_or(u64::MAX))
            }
            Some((ms, _)) => ms,
            None => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            }
        }
    }
}

/// Returns whether tests may set the clock: `FIELDBOOK_TEST_CLOCK=1`.
#[must_use]
pub fn tests_may_set() -> bool {
    std::env::var_os("FIELDBOOK_TEST_CLOCK").is_some_and(|value| value == "1")
}
