//! Money in fen; no float ever.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount in fen, 1/100 yuan; negative for refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Fen(pub i64);

/// The largest amount a person may type, 100 million yuan: a slip of the keyboard, not an expense.
pub const FEN_MAX: i64 = 10_000_000_000;

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum FenError {
    /// Something else than digits, one point, a leading minus.
    #[error("an amount is digits with at most one point, like 35.00")]
    NotANumber,
    /// More than two decimals.
    #[error("an amount has at most two decimals")]
    TooFine,
    /// Beyond [`FEN_MAX`].
    #[error("amounts go up to 100000000.00")]
    TooLarge,
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

impl FromStr for Fen {
    type Err = FenError;

    /// Reads `35`, `35.5`, `35.00`, `-3.20`; no separators, no currency.
    fn from_str(text: &str) -> Result<Self, FenError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, cents) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(yuan) || !plain(cents) {
            return Err(FenError::NotANumber);
        }
        if cents.len() > 2 {
            return Err(FenError::TooFine);
        }
        let yuan: i64 = yuan.parse().map_err(|_| FenError::TooLarge)?;
        let scale = if cents.len() == 1 { 10 } else { 1 };
        let cents: i64 = cents.parse().map_err(|_| FenError::NotANumber)?;
        let fen = yuan.checked_mul(100).and_then(|fen| fen.checked_add(cents * scale));
        let fen = fen.filter(|fen| *fen <= FEN_MAX).ok_or(FenError::TooLarge)?;
        Ok(Self(if negative { -fen } else { fen }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_printed() {
        let check = |text: &str, expected| assert_eq!(text.parse::<Fen>(), expected, "{text}");
        check("35", Ok(Fen(3500)));
        check("35.5", Ok(Fen(3550)));
        check("-0.05", Ok(Fen(-5)));
        check("100000000.00", Ok(Fen(FEN_MAX)));
        check("12.345", Err(FenError::TooFine));
        check("100000000.01", Err(FenError::TooLarge));
        check("99999999999999999999", Err(FenError::TooLarge));
        for bad in ["", ".", "1.", ".5", "1,000", "¥5", "1e3", "--1", "１"] {
            check(bad, Err(FenError::NotANumber));
        }
        assert_eq!(Fen(-5).to_string(), "-0.05");
    }
}
