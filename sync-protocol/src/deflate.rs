//! Deflate with a new code where the bytes change their nature: numbers, texts and hashes take turns in a body,
//! and one code for all of them would be long for each.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Bytes that are looked at together.
const CELL_BYTES: usize = 512;
/// What a new code costs: its table and the end of the block before, in 1/256 bits.
const BLOCK_COST: u64 = 800 * 256;

/// How hard to look for repetitions, of 9.
pub(crate) const LEVEL: u32 = 6;

/// Appends the bytes deflated to `out`.
pub(crate) fn deflate(bytes: &[u8], level: u32, out: Vec<u8>) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(out, Compression::new(level));
    let mut block = Counts::default();
    for (at, cell) in bytes.chunks(CELL_BYTES).enumerate() {
        let counts = Counts::of(cell);
        // Writing into a growing vector has no way to fail.
        if at > 0 && block.cost_with(&counts) > BLOCK_COST {
            encoder.flush().ok()?;
            block = Counts::default();
        }
        block.add(&counts);
        encoder.write_all(cell).ok()?;
    }
    encoder.finish().ok()
}

/// How often each byte occurs.
struct Counts {
    each: [u64; 256],
    all: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { each: [0; 256], all: 0 }
    }
}

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        let mut counts = Self::default();
        for byte in bytes {
            counts.each.get_mut(usize::from(*byte)).into_iter().for_each(|count| *count += 1);
            counts.all += 1;
        }
        counts
    }

    fn add(&mut self, more: &Self) {
        self.each.iter_mut().zip(&more.each).for_each(|(count, more)| *count += more);
        self.all += more.all;
    }

    /// Returns how much longer one code for both is than one for each, in 1/256 bits.
    fn cost_with(&self, more: &Self) -> u64 {
        let apart = |a: u64, b: u64| weight(a + b).saturating_sub(weight(a) + weight(b));
        let pairs = self.each.iter().zip(&more.each).filter(|(_, more)| **more > 0);
        let each: u64 = pairs.map(|(count, more)| apart(*count, *more)).sum();
        apart(self.all, more.all).saturating_sub(each)
    }
}

/// Returns `n * log2(n)` in 1/256.
fn weight(n: u64) -> u64 {
    let Some(whole) = n.checked_ilog2() else { return 0 };
    // Between two powers of two the logarithm is close to a parabola.
    let part = (n << 8 >> whole) & 0xFF;
    n * (u64::from(whole) * 256 + part + ((part * (256 - part) * 88) >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_close_to_the_logarithm() {
        for (n, expected) in [(1, 0), (2, 2), (3, 5), (100, 664), (1000, 9966), (65_536, 1_048_576)] {
            let found = weight(n) / 256;
            assert!(found.abs_diff(expected) <= expected / 100 + 1, "{n}: {found}, {expected}");
        }
    }

    #[test]
    fn hashes_between_texts_cost_no_more_than_alone() {
        let text = "the motor runs hot, the fuse is gone; ".repeat(100);
        let text: Vec<u8> = (0..)
            .zip(text.bytes())
            .map(|(i, byte): (u32, u8)| if i % 7 == 0 { b'a' } else { byte })
            .collect();
        let hashes: Vec<u8> = (0..100_u8).flat_map(|i| crate::chain::sha256(&[&[i]])).collect();
        let bytes = [&text[..], &hashes, &text, &hashes].concat();
        let packed = deflate(&bytes, LEVEL, Vec::new()).unwrap();
        let alone = deflate(&text, LEVEL, Vec::new()).unwrap();
        assert!(packed.len() < alone.len() * 2 + hashes.len() + 200, "{} {}", packed.len(), alone.len());
        let mut again = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&packed[..]), &mut again).unwrap();
        assert_eq!(again, bytes);
    }
}
