//! All chance of a run, out of its seed: what happens next, and the random bytes of both programs.

use std::cell::Cell;

thread_local! {
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// Lets both programs draw their random bytes on this thread from `seed`.
pub(crate) fn begin(seed: u64) {
    BYTES.set(seed);
    fieldbook::simulated::draw_from(Some(fill));
    fieldbook_hq::keys::simulated::draw_from(Some(fill));
}

fn fill(out: &mut [u8]) {
    let mut state = BYTES.get();
    if out.len() > 64 {
        // Filling for its bulk, as a home's reserve: not worth the time.
        out.fill(next(&mut state).to_le_bytes()[0]);
        BYTES.set(state);
        return;
    }
    for chunk in out.chunks_mut(8) {
        let bytes = next(&mut state).to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
    }
    BYTES.set(state);
}

/// SplitMix64: every state is followed by another one, and neighbouring seeds have nothing in common.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What the scheduler throws.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed ^ 0x5eed)
    }

    /// Returns any number.
    pub(crate) fn any(&mut self) -> u64 {
        next(&mut self.0)
    }

    /// Returns a number below `end`; 0 where `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.any() % (end.max(1) as u64)).expect("below a usize")
    }

    /// Returns true about `percent` times of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Returns one of them by its weight; `None` where all weigh nothing.
    pub(crate) fn weighed<T: Copy>(&mut self, all: &[(usize, T)]) -> Option<T> {
        let total: usize = all.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        all.iter().find_map(|(weight, item)| {
            if at < *weight {
                return Some(*item);
            }
            at -= weight;
            None
        })
    }
}
