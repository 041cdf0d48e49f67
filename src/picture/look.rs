//! What a picture looks like in 64 bits: two photos of one paper differ in few of them.
//!
//! The classical perceptual hash: the picture shrunk to 32 by 32 grey cells, the 8 by 8 slowest waves of its cosine
//! transform, and of each wave whether it is stronger than the middle one. It bears light, scale, compression and a
//! slight turn. Libraries that do it bring an image decoder and a Fourier transform of floats along; block means,
//! which one small library gives, tell one till receipt from the next only half of the time.
//!
//! Source: docs/STORAGE.md, Attachments.

use records::duplicate::PictureHash;

use crate::picture::{Picture, Pixels, squeeze};

/// Cells of the shrunk picture, across and down.
const SIDE: usize = 32;
/// Waves that are looked at, across and down.
const WAVES: usize = 8;
/// cos(k · π / 64) for k = 0 to 32, in 1/2^14.
const COSINES: [i64; SIDE + 1] = [
    16384, 16364, 16305, 16207, 16069, 15893, 15679, 15426, 15137, 14811, 14449, 14053, 13623, 13160, 12665,
    12140, 11585, 11003, 10394, 9760, 9102, 8423, 7723, 7005, 6270, 5520, 4756, 3981, 3196, 2404, 1606, 804,
    0,
];

impl Picture {
    /// Returns what the picture looks like; `None` of an even grey, which looks like nothing.
    ///
    /// The first bit, the mean light, is always 0.
    #[must_use]
    pub fn look(&self) -> Option<PictureHash> {
        let waves = waves(&self.pixels.cells());
        let middle = middle(&waves);
        let bits = waves.iter().skip(1).fold(0_u64, |bits, wave| (bits << 1) | u64::from(*wave > middle));
        waves.iter().skip(1).any(|wave| *wave != 0).then_some(PictureHash(bits))
    }
}

impl Pixels {
    /// Returns the picture as 32 by 32 grey cells, each the mean of what it covers.
    fn cells(&self) -> Vec<i64> {
        let grey: Vec<u8> = match self.depth {
            1 => self.bytes.clone(),
            _ => self.bytes.chunks_exact(self.depth.max(1)).map(grey).collect(),
        };
        let narrow = squeeze(&grey, self.width.max(1), 1, SIDE);
        squeeze(&narrow, self.height.max(1), SIDE, SIDE).into_iter().map(i64::from).collect()
    }
}

/// Returns the light of a pixel as the eye weighs the colours.
///
/// Source: ITU-R BT.601, 2.5.1.
fn grey(pixel: &[u8]) -> u8 {
    let light =
        pixel.iter().zip([299_u32, 587, 114]).map(|(colour, part)| u32::from(*colour) * part).sum::<u32>();
    u8::try_from(light / 1000).unwrap_or(u8::MAX)
}

/// Returns how strong each of the slowest waves is, row by row; at most 2^46, so sums of cells fit.
fn waves(cells: &[i64]) -> Vec<i64> {
    let across: Vec<Vec<i64>> = cells.chunks_exact(SIDE).map(transform).collect();
    let column = |wave: usize| across.iter().filter_map(|row| row.get(wave).copied()).collect::<Vec<i64>>();
    let down: Vec<Vec<i64>> = (0..WAVES).map(|wave| transform(&column(wave))).collect();
    (0..WAVES * WAVES).filter_map(|at| down.get(at % WAVES)?.get(at / WAVES).copied()).collect()
}

/// Returns the slowest waves of 32 values: the cosine transform, type II.
fn transform(values: &[i64]) -> Vec<i64> {
    let wave = |wave: usize| {
        values.iter().zip(0..).map(|(value, at): (&i64, usize)| value * cosine((2 * at + 1) * wave)).sum()
    };
    (0..WAVES).map(wave).collect()
}

/// Returns cos(k · π / 64) in 1/2^14.
fn cosine(k: usize) -> i64 {
    let folded = match k % 128 {
        k @ 0..=64 => k,
        k => 128 - k,
    };
    let at = |k: usize| COSINES.get(k).copied().unwrap_or(0);
    if folded <= SIDE { at(folded) } else { -at(2 * SIDE - folded) }
}

/// Returns the middle one of the waves but the first, which is the mean light.
fn middle(waves: &[i64]) -> i64 {
    let mut sorted: Vec<i64> = waves.iter().skip(1).copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
