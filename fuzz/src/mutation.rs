//! Cheap mutations for stable Rust: no coverage guides them, so they are many and small.

/// Values that lengths and counts break at.
const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, b'\n', b'"'];

/// Mutates inputs; the same seed gives the same mutations.
#[derive(Debug, Clone)]
pub struct Mutator(u64);

impl Mutator {
    /// Returns the mutator of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `end`, 0 where `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) >> 1).unwrap_or_default().checked_rem(end).unwrap_or_default()
    }

    /// Returns `bytes` changed in one to four places; `other` gives the pieces that are spliced in.
    #[must_use]
    pub fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut out, other);
        }
        out
    }

    fn change(&mut self, out: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(out.len());
        let until = at + self.below(out.len().saturating_sub(at).min(64) + 1);
        match self.below(6) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..until)),
            2 => {
                let again: Vec<u8> = out.get(at..until).unwrap_or_default().to_vec();
                out.splice(at..at, again);
            }
            3 => {
                let from = self.below(other.len());
                let piece = other.get(from..).unwrap_or_default();
                let piece = piece.get(..self.below(piece.len().min(64) + 1)).unwrap_or_default();
                out.splice(at..until, piece.iter().copied());
            }
            4 => {
                let edge = EDGES.get(self.below(EDGES.len())).copied().unwrap_or_default();
                out.get_mut(at).into_iter().for_each(|byte| *byte = edge);
            }
            _ => {
                let bit = 1 << self.below(8);
                out.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
            }
        }
    }
}
