//! Deflate where it pays, before sealing: sealed bytes no longer shrink.

use std::io::{Read, Write};

const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;
/// Below this length deflate finds little to repeat, and setting it up costs more than a save may.
const DEFLATE_BYTES_MIN: usize = 1024;

/// Returns the bytes behind a byte that says how they stand there.
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() >= DEFLATE_BYTES_MIN {
        let mut coder = flate2::write::DeflateEncoder::new(vec![DEFLATED], flate2::Compression::new(6));
        let deflated = coder.write_all(bytes).and_then(|()| coder.finish());
        if let Some(deflated) = deflated.ok().filter(|deflated| deflated.len() <= bytes.len()) {
            return deflated;
        }
    }
    let mut out = Vec::with_capacity(bytes.len() + 1);
    out.push(PLAIN);
    out.extend_from_slice(bytes);
    out
}

/// Returns what was packed; `None` where it is not that, or longer than `max`.
#[must_use]
pub fn unpack(packed: &[u8], max: usize) -> Option<Vec<u8>> {
    let (coding, rest) = packed.split_first()?;
    match *coding {
        PLAIN => Some(rest.to_vec()).filter(|bytes| bytes.len() <= max),
        DEFLATED => {
            // Four times as long is common; more only makes it grow.
            let mut out = Vec::with_capacity(rest.len().saturating_mul(4).min(max));
            let limit = u64::try_from(max).ok()?.checked_add(1)?;
            flate2::read::DeflateDecoder::new(rest).take(limit).read_to_end(&mut out).ok()?;
            Some(out).filter(|bytes| bytes.len() <= max)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_a_bomb_does_not_burst() {
        for bytes in [vec![], vec![1; 100], vec![2; 100_000], (0..=255).collect()] {
            let packed = pack(&bytes);
            assert!(packed.len() <= bytes.len() + 1);
            assert_eq!(unpack(&packed, 100_000).unwrap(), bytes);
        }
        assert_eq!(unpack(&pack(&vec![0; 100_000]), 99_999), None);
        assert_eq!(unpack(&[], 10), None);
        assert_eq!(unpack(&[9, 1], 10), None);
    }
}
