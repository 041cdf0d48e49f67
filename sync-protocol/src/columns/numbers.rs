//! A column of numbers: each one less what was to be expected, in as few byte planes as needed.
//!
//! ```text
//! mode    u8: low two bits 0 as they are, 1 less the one before, 2 less the one beside; then a bit per plane
//!         from the second to the seventh that looks random
//! first   mode 1: the first number, zigzag; it has no difference
//! least   the least difference, zigzag
//! step    what all differences above the least are multiples of; 0 where there are none, and nothing follows
//! width   u8: bytes of the largest quotient, 1 to 8
//! planes  the quotients' bytes, highest first, each plane n bytes: in the number stream, or in the raw one
//! ```

use super::wire::{Reader, Streams, push_varint, unzigzag, zigzag};

const PLAIN: u8 = 0;
const BEFORE: u8 = 1;
const BESIDE: u8 = 2;

/// Appends a column.
pub(crate) fn push(values: &[i64], to: &mut Streams) {
    push_beside(values, &[], to);
}

/// Appends a column; `beside` has one number for each of `values`, or is empty.
pub(crate) fn push_beside(values: &[i64], beside: &[i64], to: &mut Streams) {
    if values.is_empty() {
        return;
    }
    let mut best = Quotients::of(values, beside, PLAIN);
    let others: &[u8] = if beside.is_empty() { &[BEFORE] } else { &[BEFORE, BESIDE] };
    for mode in others {
        // Equal numbers have no shorter coding.
        if best.bits == 0 {
            break;
        }
        let other = Quotients::of(values, beside, *mode);
        if other.bits < best.bits {
            best = other;
        }
    }
    best.write(to);
}

/// Reads a column of `n` numbers.
pub(crate) fn take(n: usize, from: &mut Reader<'_>) -> Option<Vec<i64>> {
    take_beside(n, Vec::new, from)
}

/// Reads a column of `n` numbers, with `beside` as it was written.
pub(crate) fn take_beside(
    n: usize,
    beside: impl FnOnce() -> Vec<i64>,
    from: &mut Reader<'_>,
) -> Option<Vec<i64>> {
    if n == 0 {
        return Some(Vec::new());
    }
    let [mode] = *from.bytes(1)? else { return None };
    let random = mode >> 2;
    let first = if mode & 3 == BEFORE { Some(unzigzag(from.number()?)) } else { None };
    let differences = n - usize::from(first.is_some());
    let least = unzigzag(from.number()?);
    let step = from.number()?;
    // The quotients at first.
    let mut values = Vec::with_capacity(n);
    values.resize(differences, 0_i64);
    if step != 0 {
        let [width @ 1..=8] = *from.bytes(1)? else {
            return None;
        };
        if u32::from(random) >> (width - 1) != 0 {
            return None;
        }
        for plane in 0..width {
            let bytes = if (1..7).contains(&plane) && (random >> (plane - 1)) & 1 == 1 {
                from.raw(differences)?
            } else {
                from.bytes(differences)?
            };
            for (value, byte) in values.iter_mut().zip(bytes) {
                *value = *value << 8 | i64::from(*byte);
            }
        }
    }
    for value in &mut values {
        *value = value.wrapping_mul(step.cast_signed()).wrapping_add(least);
    }
    match mode & 3 {
        PLAIN => {}
        BEFORE => {
            let mut before = first?;
            for value in &mut values {
                let here = before.wrapping_add(*value);
                *value = std::mem::replace(&mut before, here);
            }
            values.push(before);
        }
        BESIDE => {
            let beside = beside();
            if beside.len() != n {
                return None;
            }
            for (value, beside) in values.iter_mut().zip(beside) {
                *value = value.wrapping_add(beside);
            }
        }
        _ => return None,
    }
    Some(values)
}

struct Quotients {
    mode: u8,
    first: Option<i64>,
    least: i64,
    step: u64,
    values: Vec<u64>,
    /// Roughly how many bits the numbers hold.
    bits: u32,
}

impl Quotients {
    fn of(values: &[i64], beside: &[i64], mode: u8) -> Self {
        let (base, first): (&[i64], _) = match mode {
            BEFORE => (values, values.first().copied()),
            BESIDE => (beside, None),
            _ => (&[], None),
        };
        let values = values.get(usize::from(first.is_some())..).unwrap_or_default();
        // The differences at first; signed ones are kept as they are in unsigned numbers.
        let mut values: Vec<u64> = match base {
            [] => values.iter().map(|value| value.cast_unsigned()).collect(),
            base => values
                .iter()
                .zip(base)
                .map(|(value, base)| value.wrapping_sub(*base).cast_unsigned())
                .collect(),
        };
        let least = values.iter().map(|value| value.cast_signed()).min().unwrap_or(0);
        // What two differences lie apart may pass an i64: an unsigned number holds it.
        values.iter_mut().for_each(|value| *value = value.wrapping_sub(least.cast_unsigned()));
        let step = step_of(&values);
        if step > 1 {
            values.iter_mut().for_each(|value| *value /= step);
        }
        let bits = values.iter().map(|value| u64::BITS - value.leading_zeros()).sum();
        Self { mode, first, least, step, values, bits }
    }

    fn write(&self, to: &mut Streams) {
        let largest = self.values.iter().copied().max().unwrap_or(0);
        let width = (u64::BITS - largest.leading_zeros()).div_ceil(8).max(1);
        let at = to.numbers.len();
        to.numbers.push(self.mode);
        if let Some(first) = self.first {
            push_varint(zigzag(first), &mut to.numbers);
        }
        push_varint(zigzag(self.least), &mut to.numbers);
        push_varint(self.step, &mut to.numbers);
        if self.step == 0 {
            return;
        }
        to.numbers.push(width.to_le_bytes()[0]);
        for plane in 0..width {
            let shift = (width - 1 - plane) * 8;
            let bytes = to.numbers.len();
            to.numbers.extend(self.values.iter().map(|value| (value >> shift).to_le_bytes()[0]));
            if (1..7).contains(&plane) && to.numbers.get(bytes..).is_some_and(looks_random) {
                to.raw.extend(to.numbers.drain(bytes..));
                if let Some(mode) = to.numbers.get_mut(at) {
                    *mode |= 2 << plane;
                }
            }
        }
    }
}

/// Returns what all are multiples of; most often that is 1, and found soon.
fn step_of(values: &[u64]) -> u64 {
    let mut step = 0;
    for value in values {
        if step == 1 {
            break;
        }
        if step == 0 || *value % step != 0 {
            step = gcd(step, *value);
        }
    }
    step
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Returns whether the bytes take about as many values as random ones would: those are kept away from the others,
/// whose code they would lengthen.
fn looks_random(bytes: &[u8]) -> bool {
    if bytes.len() < 24 {
        return false;
    }
    let mut met = [false; 256];
    let mut distinct = 0_u32;
    // How many values of 256 that many throws of a die would show, in 1/4096.
    let mut expected = 0_u32;
    for byte in bytes {
        if let Some(met) = met.get_mut(usize::from(*byte)) {
            distinct += u32::from(!std::mem::replace(met, true));
        }
        expected += 4096 - expected / 256;
    }
    distinct * 4096 >= expected / 8 * 7
}
