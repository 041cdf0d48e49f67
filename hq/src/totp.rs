//! One-time codes beside the password: six digits of half a minute, each good once.
//!
//! Source: RFC 6238 with HMAC-SHA-1, which every authenticator reads; docs/SECURITY.md, The console.

use records::id::DocId;
use ring::hmac;

use crate::intake::desk::Desk;
use crate::keys;
use crate::logins::LoginError;
use crate::store::StoreError;

/// Seconds that a code stands for.
const STEP_S: u64 = 30;
/// Steps before and after the present one whose code is taken: clocks differ.
const AROUND: u64 = 1;
/// Bytes of a secret: as long as the hash.
const SECRET_BYTES: usize = 20;

/// A secret, and the last step whose code was used.
type Kept = ([u8; SECRET_BYTES], u64);

fn named(staff: DocId) -> String {
    format!("totp {staff}")
}

/// Returns the code of a step.
///
/// Source: RFC 4226, section 5.3.
fn code(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or(0) & 15);
    let four = bytes.get(at..at.saturating_add(4)).unwrap_or_default();
    let number = four.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Returns the step after `used` whose code was typed; `None` where it is none of those around now.
fn step_of(secret: &[u8], typed: &str, used: u64, now_ms: u64) -> Option<u64> {
    let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    let now = now_ms / 1000 / STEP_S;
    let steps = now.saturating_sub(AROUND)..=now.saturating_add(AROUND);
    // Every one is compared: the time says nothing of which it was.
    steps.filter(|step| *step > used).fold(None, |found, step| {
        let fits = pages::gate::same(&code(secret, step), &typed);
        if fits { Some(step) } else { found }
    })
}

/// Returns a secret as authenticators take it.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let letter = |five: &[u8]| {
        let value =
            five.iter().fold(0_usize, |value, bit| value << 1 | usize::from(*bit)) << (5 - five.len());
        LETTERS.get(value).copied().map_or('A', char::from)
    };
    bits.chunks(5).map(letter).collect()
}

impl Desk {
    /// Asks somebody for one-time codes from now on; returns the address that an authenticator reads.
    ///
    /// # Errors
    /// [`LoginError::NoSuchStaff`], [`LoginError::Store`], [`LoginError::Keys`].
    pub fn set_totp(&mut self, staff_code: &str, now_ms: u64) -> Result<String, LoginError> {
        let people = self.people()?;
        let (staff, _) = people.by_code(staff_code).ok_or(LoginError::NoSuchStaff)?;
        let secret: [u8; SECRET_BYTES] = keys::random()?;
        self.keep_totp(staff, (secret, 0))?;
        self.store.visitors_drop(staff)?;
        self.store.audit(0, now_ms, "totp set", staff_code)?;
        let name: String = staff_code.chars().filter(char::is_ascii_alphanumeric).collect();
        Ok(format!("otpauth://totp/fieldbook:{name}?secret={}&issuer=fieldbook", base32(&secret)))
    }

    /// Asks somebody for none any more.
    ///
    /// # Errors
    /// [`LoginError::NoSuchStaff`], [`LoginError::Store`].
    pub fn drop_totp(&mut self, staff_code: &str, now_ms: u64) -> Result<(), LoginError> {
        let people = self.people()?;
        let (staff, _) = people.by_code(staff_code).ok_or(LoginError::NoSuchStaff)?;
        self.store.set(&named(staff), &[])?;
        Ok(self.store.audit(0, now_ms, "totp removed", staff_code)?)
    }

    /// Returns whether what somebody typed beside his right password lets him in; a code that does is used up.
    ///
    /// # Errors
    /// [`LoginError::CodeAsked`] where he typed none and one is asked for.
    pub fn use_code(&self, staff: DocId, typed: &str, now_ms: u64) -> Result<bool, LoginError> {
        let kept = self.store.setting(&named(staff))?.filter(|kept| !kept.is_empty());
        let Some(kept) = kept else { return Ok(true) };
        let damaged = |_| StoreError::Damaged { table: "settings" };
        let (secret, used): Kept = postcard::from_bytes(&kept).map_err(damaged)?;
        if typed.trim().is_empty() {
            return Err(LoginError::CodeAsked);
        }
        let Some(step) = step_of(&secret, typed, used, now_ms) else { return Ok(false) };
        self.keep_totp(staff, (secret, step))?;
        Ok(true)
    }

    fn keep_totp(&self, staff: DocId, kept: Kept) -> Result<(), StoreError> {
        self.store.set(&named(staff), &postcard::to_allocvec(&kept).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, seconds / STEP_S), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_around_and_once() {
        let now_ms = 1_234_567_890_000;
        let step = now_ms / 1000 / STEP_S;
        let typed = |step| code(SECRET, step);
        for near in [step - 1, step, step + 1] {
            assert_eq!(step_of(SECRET, &typed(near), 0, now_ms), Some(near));
        }
        for far in [step - 2, step + 2] {
            assert_eq!(step_of(SECRET, &typed(far), 0, now_ms), None);
        }
        assert_eq!(step_of(SECRET, &typed(step), step, now_ms), None, "used up");
        assert_eq!(step_of(SECRET, &typed(step - 1), step, now_ms), None, "an earlier one too");
        assert_eq!(step_of(SECRET, " 005 924 ", 0, now_ms), Some(step));
        for wrong in ["", "000000", "00592", "0059240", "abcdef"] {
            assert_eq!(step_of(SECRET, wrong, 0, now_ms), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_written_as_authenticators_read_them() {
        // RFC 4648, section 10, without padding.
        for (bytes, text) in [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}
