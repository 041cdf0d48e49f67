//! Decimal numbers as they are written, brought to whole numbers without a float.

use crate::money::FenError;

/// What a mapping multiplies and divides a number by, for another unit than the field's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Multiplied with.
    pub times: u32,
    /// Divided by; never 0.
    pub over: u32,
    /// Whether decimals that the field does not keep are rounded, half away from zero, instead of refused.
    pub round: bool,
}

impl Scale {
    /// The number as it stands.
    pub const NONE: Self = Self { times: 1, over: 1, round: false };
}

/// Returns `text` times `scale`, in units of `10^-decimals`: `12.5` with two decimals is 1250.
///
/// # Errors
/// [`FenError::NotANumber`], [`FenError::TooFine`], [`FenError::TooLarge`].
///
/// ```
/// use records::table::decimal::{Scale, fixed};
/// assert_eq!(fixed("-12.5", 2, Scale::NONE)?, -1250);
/// assert_eq!(fixed("1.5", 0, Scale { times: 60, over: 1, round: false })?, 90);
/// # Ok::<(), records::money::FenError>(())
/// ```
pub fn fixed(text: &str, decimals: u8, scale: Scale) -> Result<i64, FenError> {
    let (mantissa, fine) = parts(if scale.round { coarse(text) } else { text })?;
    let above = i128::from(mantissa)
        .checked_mul(i128::from(scale.times))
        .and_then(|n| n.checked_mul(10_i128.checked_pow(u32::from(decimals))?))
        .ok_or(FenError::TooLarge)?;
    let below = 10_i128
        .checked_pow(u32::from(fine))
        .and_then(|n| n.checked_mul(i128::from(scale.over.max(1))))
        .ok_or(FenError::TooLarge)?;
    let (whole, left) = (above / below, above % below);
    let whole = match (left, scale.round) {
        (0, _) => whole,
        (_, false) => return Err(FenError::TooFine),
        (_, true) if left.abs() * 2 >= below => whole + left.signum(),
        (_, true) => whole,
    };
    i64::try_from(whole).map_err(|_| FenError::TooLarge)
}

/// Leaves out what stands behind the ninth decimal: sums made with floats have such tails.
fn coarse(text: &str) -> &str {
    let end = text.find('.').map_or(text.len(), |point| point + 10);
    let tail = text.get(end..).unwrap_or_default();
    if tail.bytes().all(|byte| byte.is_ascii_digit()) { text.get(..end).unwrap_or(text) } else { text }
}

/// Returns the digits of a number and how many of them stand behind the point, at most 9.
///
/// # Errors
/// [`FenError::NotANumber`], [`FenError::TooFine`], [`FenError::TooLarge`].
pub fn parts(text: &str) -> Result<(i64, u8), FenError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fine) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fine) || whole.len() + fine.len() == 0 {
        return Err(FenError::NotANumber);
    }
    if fine.len() > 9 && fine.bytes().skip(9).any(|byte| byte != b'0') {
        return Err(FenError::TooFine);
    }
    let fine = fine.get(..9).unwrap_or(fine);
    let mantissa: i64 = format!("{whole}{fine}").parse().map_err(|_| FenError::TooLarge)?;
    let mantissa = if text.starts_with('-') { -mantissa } else { mantissa };
    Ok((mantissa, u8::try_from(fine.len()).unwrap_or(9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scaled_exactly_or_refused() {
        let check = |text: &str, decimals, (times, over, round), expected| {
            assert_eq!(fixed(text, decimals, Scale { times, over, round }), expected, "{text}");
        };
        check("183.05", 2, (1, 1, false), Ok(18_305));
        check(".5", 0, (60, 1, false), Ok(30));
        check("5600", 2, (1, 100, false), Ok(5600));
        check("0.125", 2, (1, 1, false), Err(FenError::TooFine));
        check("0.125", 2, (1, 1, true), Ok(13));
        check("-0.125", 2, (1, 1, true), Ok(-13));
        check("183.0500000000000114", 2, (1, 1, true), Ok(18_305));
        check("183.050000000000011x", 2, (1, 1, true), Err(FenError::NotANumber));
        check("1.10000000000", 1, (1, 1, false), Ok(11));
        check("99999999999999999999", 0, (1, 1, false), Err(FenError::TooLarge));
        check("9223372036854775807", 3, (1, 1, false), Err(FenError::TooLarge));
        for bad in ["", ".", "-", "1e3", "1,000", "NA", "--1", "１"] {
            check(bad, 0, (1, 1, false), Err(FenError::NotANumber));
        }
    }
}
