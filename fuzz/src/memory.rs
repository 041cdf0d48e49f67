//! How much memory an input may cost: so many times its length, and something besides.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static HELD: PeakAlloc = PeakAlloc;

/// One measurement at a time: the counter is the whole program's.
static ALONE: Mutex<()> = Mutex::new(());

/// What a target may hold at once, in bytes: `times` the input's length, and `plus`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Bytes held for each byte of the input.
    pub(crate) times: usize,
    /// Bytes held whatever the input.
    pub(crate) plus: usize,
}

impl Memory {
    /// Calls `run`, and panics where it held more than `input` bytes allow.
    pub(crate) fn hold(self, name: &str, input: usize, run: impl FnOnce()) {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.reset_peak_usage();
        let before = HELD.current_usage();
        run();
        let held = HELD.peak_usage().saturating_sub(before);
        let most = self.times.saturating_mul(input).saturating_add(self.plus);
        assert!(held <= most, "{name} held {held} bytes for an input of {input}; at most {most}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_allowed_is_a_find() {
        // What the other tests of this program hold meanwhile is counted too, and far less.
        let held = |plus| {
            let hold = || Memory { times: 1, plus }.hold("test", 10, || drop(vec![1_u8; 100_000_000]));
            std::panic::catch_unwind(hold).is_ok()
        };
        assert!(held(200_000_000));
        assert!(!held(90_000_000));
    }
}
