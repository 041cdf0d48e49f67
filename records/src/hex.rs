//! Bytes as people and addresses carry them: two lower-case digits each.

/// Returns bytes as hexadecimal digits.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(of(&[0, 10, 255]), "000aff");
        assert_eq!(of(&[]), "");
    }
}
