//! Secrets in memory: wiped when they go, and shown to nobody.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The variable that a command takes the PIN from, where nobody types it.
pub const VARIABLE: &str = "FIELDBOOK_PIN";
/// A PIN is not taken with fewer characters.
pub const PIN_CHARS_MIN: usize = 4;
/// Nobody types more.
pub const PIN_CHARS_MAX: usize = 256;
/// From so many characters on a PIN withstands a thief who has copied the home.
const STRONG_CHARS: usize = 10;
/// Or from so many words on.
const STRONG_WORDS: usize = 6;
/// Of fewer different characters no length makes a good PIN.
const STRONG_KINDS: usize = 5;
/// Cores of the computer that a thief is thought to have.
pub const THIEF_CORES: u64 = 16;

/// What opens everything that a home holds.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl From<Zeroizing<[u8; 32]>> for DataKey {
    fn from(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }
}

impl DataKey {
    /// Reads a key; `None` for another length.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A PIN or a passphrase, as somebody typed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Zeroizing<String>);

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(…)")
    }
}

impl Pin {
    /// Returns the PIN that was typed: without spaces around it, full-width digits as the plain ones that they mean, so
    /// that an input method changes nothing.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        // Room for all of it at once: a text that grows leaves what it was behind.
        let mut pin = Zeroizing::new(String::with_capacity(text.len().saturating_mul(4)));
        pin.extend(text.trim().nfkc());
        Self(pin)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns how many characters it has.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    /// Returns whether it falls to a thief who tries all of its kind on a copy of the home.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        let words: BTreeSet<&str> = self.0.split_whitespace().collect();
        let kinds: BTreeSet<char> = self.0.chars().collect();
        (self.chars() < STRONG_CHARS && words.len() < STRONG_WORDS) || kinds.len() < STRONG_KINDS
    }

    /// Returns the seconds in which a computer of [`THIEF_CORES`] cores tries every PIN of this one's length and kind,
    /// where one try takes so long on this device.
    #[must_use]
    pub fn falls_in_s(&self, try_ms: u64) -> u64 {
        let has = |kind: fn(&char) -> bool| self.0.chars().any(|c| kind(&c));
        let kinds: [(bool, u128); 4] = [
            (has(char::is_ascii_digit), 10),
            (has(|c| c.is_ascii_alphabetic()), 26),
            (has(|c| c.is_ascii() && !c.is_ascii_alphanumeric()), 33),
            (has(|c| !c.is_ascii()), 3000),
        ];
        let alphabet: u128 = kinds.iter().filter(|(there, _)| *there).map(|(_, many)| many).sum();
        let tries = (0..self.chars()).fold(1_u128, |tries, _| tries.saturating_mul(alphabet));
        let ms = tries.saturating_mul(u128::from(try_ms)) / u128::from(THIEF_CORES);
        u64::try_from(ms / 1000).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_pin_typed_by_another_input_method_is_the_same() {
        assert_eq!(Pin::typed(" １２３４ \n"), Pin::typed("1234"));
        assert_ne!(Pin::typed("1234"), Pin::typed("1235"));
    }

    #[test]
    fn a_short_or_dull_pin_is_weak_and_ten_characters_or_six_words_are_not() {
        let weak = |pin| Pin::typed(pin).is_weak();
        assert!(weak("1234") && weak("123456789") && weak("111111111111") && weak("a b c d e"));
        assert!(!weak("k7-Perlach") && !weak("a b c d e f") && !weak("钱塘江的潮水每年八月十八最大"));
    }

    #[test]
    fn four_digits_fall_in_a_minute_and_ten_mixed_characters_never() {
        assert_eq!(Pin::typed("4711").falls_in_s(96), 60);
        assert!(Pin::typed("k7-Perlach").falls_in_s(96) > 100 * 365 * 86_400);
    }

    #[test]
    fn neither_is_ever_printed() {
        let key = DataKey::of(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?} {:?}", Pin::typed("hunter22")), "DataKey(…) Pin(…)");
    }
}
