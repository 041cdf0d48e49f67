//! The code that makes an installation a replica: HQ's address and keys, whose device it is, and a secret used once.
//!
//! ```text
//! "FB1-" and base64url without padding of:
//! length     u16, little endian, of the postcard bytes
//! postcard   of Enrolment
//! CRC-32C    u32, little endian, over all before
//! ```
//!
//! Source: docs/PROTOCOL.md, Enrolment code.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use records::id::{DocId, Replica};
use records::kinds::staff::Role;
use records::time::Zone;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::cursor::Incarnation;
use crate::frame::crc32c;
use crate::sign::PublicKey;

const PREFIX: &str = "FB1-";
/// The longest code that is looked at.
const CODE_BYTES_MAX: usize = 8 * 1024;
/// Reads a text whose end is missing as far as it goes, so that this can be said.
const CUT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// What an enrolment code says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Where HQ answers: `http://` or `https://`, host, port.
    pub address: String,
    /// HQ's signing key.
    pub hq_key: PublicKey,
    /// SHA-256 of the subject public key info of HQ's TLS certificate; `None` for plain HTTP.
    pub tls_pin: Option<[u8; 32]>,
    /// HQ's history.
    pub incarnation: Incarnation,
    /// The name that HQ gave the device.
    pub replica: Replica,
    /// Proves, once, that the device read this code.
    pub secret: [u8; 16],
    /// When HQ made the code, milliseconds UTC.
    pub issued_ms: u64,
    /// Until when it may be read, milliseconds UTC by the device's clock.
    pub expires_ms: u64,
    /// The company's name.
    pub company: String,
    /// The service centre's code, part of sheet numbers.
    pub center_code: String,
    /// The device's owner.
    pub staff: DocId,
    /// His code.
    pub staff_code: String,
    /// His name.
    pub staff_name: String,
    /// His unit.
    pub unit: DocId,
    /// Its name.
    pub unit_name: String,
    /// His roles.
    pub roles: Vec<Role>,
    /// The policy's time zone.
    pub zone: Zone,
    /// Sheet numbers of this device: first and last.
    pub sheet_block: (u32, u32),
    /// His next claim number, and the epoch of the lease on claim numbers.
    pub claim_lease: Option<(u32, u16)>,
}

/// Why a text is not an enrolment code.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum EnrolmentError {
    /// It does not begin like one.
    #[error("an enrolment code begins with {PREFIX}")]
    NotACode,
    /// Its end is missing.
    #[error("the enrolment code is cut short")]
    CutShort,
    /// A letter is wrong.
    #[error("the enrolment code is mistyped")]
    Mistyped,
    /// A newer HQ made it.
    #[error("the enrolment code is of a newer version")]
    Newer,
}

// The secret stays out of logs.
impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolment({} at {})", self.replica.0, self.address)
    }
}

impl Enrolment {
    /// Returns the code.
    #[must_use]
    pub fn to_code(&self) -> String {
        let postcard = canonical::to_bytes(self);
        let length = u16::try_from(postcard.len()).unwrap_or(u16::MAX);
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(&postcard);
        bytes.extend_from_slice(&crc32c(&[&bytes]).to_le_bytes());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a code; spaces and line breaks in it do not matter.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn from_code(code: &str) -> Result<Self, EnrolmentError> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).take(CODE_BYTES_MAX).collect();
        let text = code.strip_prefix(PREFIX).ok_or_else(|| wrong_prefix(&code))?;
        // Of a text that was cut, one letter may be left that makes no byte.
        let whole = text.get(..text.len() - usize::from(text.len() % 4 == 1)).unwrap_or_default();
        let bytes = CUT.decode(whole).map_err(|_| EnrolmentError::Mistyped)?;
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(EnrolmentError::CutShort)?;
        let length = usize::from(u16::from_le_bytes(*length));
        if rest.len() < length + 4 {
            return Err(EnrolmentError::CutShort);
        }
        let (checked, crc) = bytes.split_at(bytes.len() - 4);
        let postcard = checked.get(2..).unwrap_or_default();
        let canonical = URL_SAFE_NO_PAD.encode(&bytes) == text;
        if !canonical || postcard.len() != length || crc32c(&[checked]).to_le_bytes() != crc {
            return Err(EnrolmentError::Mistyped);
        }
        canonical::from_bytes(postcard).ok_or(EnrolmentError::Newer)
    }
}

fn wrong_prefix(code: &str) -> EnrolmentError {
    let newer = code.strip_prefix("FB").and_then(|rest| rest.split_once('-'));
    match newer {
        Some((version, _)) if version.parse::<u8>().is_ok_and(|version| version > 1) => EnrolmentError::Newer,
        _ if PREFIX.starts_with(code) && !code.is_empty() => EnrolmentError::CutShort,
        _ => EnrolmentError::NotACode,
    }
}

/// Returns HMAC-SHA-256 of (replica ‖ key) under the code's secret.
///
/// Source: docs/PROTOCOL.md, Enrolment code.
#[must_use]
pub fn proof(secret: &[u8; 16], replica: Replica, key: &PublicKey) -> [u8; 32] {
    let tag = ring::hmac::sign(&hmac_key(secret), &proven(replica, key));
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Returns whether the proof is this secret's for that device; takes the same time for every wrong one.
#[must_use]
pub fn proves(secret: &[u8; 16], replica: Replica, key: &PublicKey, proof: &[u8; 32]) -> bool {
    ring::hmac::verify(&hmac_key(secret), &proven(replica, key), proof).is_ok()
}

fn hmac_key(secret: &[u8; 16]) -> ring::hmac::Key {
    ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret)
}

fn proven(replica: Replica, key: &PublicKey) -> Vec<u8> {
    [&replica.0.to_le_bytes()[..], &key.0].concat()
}
