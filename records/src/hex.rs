//! Bytes as people and addresses carry them: two lower-case digits each.

/// Returns bytes as hexadecimal digits.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the bytes of hexadecimal digits, of either case; `None` where it is something else.
#[must_use]
pub fn read(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_back_and_nothing_else_is() {
        assert_eq!(read("000aFf"), Some(vec![0, 10, 255]));
        assert_eq!(read(""), Some(Vec::new()));
        for bad in ["0", "0g", "+f", "0x", "零零", "é", " 0"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(of(&[0, 10, 255]), "000aff");
        assert_eq!(of(&[]), "");
    }
}
