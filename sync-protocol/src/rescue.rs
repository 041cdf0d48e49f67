//! How the key of a home comes back whose PIN is lost: sealed to headquarters beforehand, and from there to its device.
//!
//! ```text
//! escrow   "FBE1" · headquarters' key 32 · replica u32 · device's key 32 · parcel to headquarters of:
//!            home 8 · replica u32 · device's key 32 · data key 32
//! request  "FBQ1" · a key that was drawn for this request 32 · escrow · CRC-32C u32
//! answer   "FBA1" · parcel to the key of the request of: home 8 · data key 32 · CRC-32C u32
//! ```
//!
//! Little-endian throughout. The checksums tell a damaged file from a wrong one; what counts is sealed.
//!
//! Source: docs/PROTOCOL.md, Rescue.

use records::id::Replica;
use zeroize::Zeroizing;

use crate::frame::crc32c;
use crate::parcel::{self, ParcelError};
use crate::sign::{PublicKey, Signer};

/// The longest of the three, and more than any of them is.
pub const RESCUE_BYTES_MAX: usize = 1024;

const ESCROW: &[u8; 4] = b"FBE1";
const REQUEST: &[u8; 4] = b"FBQ1";
const ANSWER: &[u8; 4] = b"FBA1";

/// Why there is no key in these bytes.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum RescueError {
    /// They are something else.
    #[error("these bytes are something else")]
    OtherKind,
    /// They were changed or cut.
    #[error("these bytes were changed or cut")]
    Damaged,
    /// They are sealed to somebody else, or could not be sealed.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
}

/// The key of a home, and whose home that is.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// The home's random name.
    pub home: [u8; 8],
    /// The installation's short id.
    pub replica: Replica,
    /// The key that signs for it.
    pub device: PublicKey,
    /// What opens everything that it wrote.
    pub data_key: Zeroizing<[u8; 32]>,
}

// The key stays out of logs.
impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({}, …)", self.replica.0)
    }
}

/// What a home keeps for the day on which nobody knows its PIN; only headquarters opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escrow {
    /// Headquarters' key that opens it.
    pub hq: PublicKey,
    /// The installation's short id, for people; what is sealed counts.
    pub replica: Replica,
    /// The key that signs for it, for people; what is sealed counts.
    pub device: PublicKey,
    sealed: Vec<u8>,
}

impl Escrow {
    /// Seals a home's key to headquarters; `random` is fresh.
    ///
    /// # Errors
    /// [`RescueError::Parcel`].
    pub fn seal(kept: &Kept, hq: PublicKey, random: &[u8; 64]) -> Result<Self, RescueError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(76));
        plain.extend_from_slice(&kept.home);
        plain.extend_from_slice(&kept.replica.0.to_le_bytes());
        plain.extend_from_slice(&kept.device.0);
        plain.extend_from_slice(&kept.data_key[..]);
        let sealed = parcel::seal(&plain, &[hq], random)?;
        Ok(Self { hq, replica: kept.replica, device: kept.device, sealed })
    }

    /// Opens it with headquarters' key.
    ///
    /// # Errors
    /// [`RescueError::Parcel`] for another key, [`RescueError::Damaged`] where what stands outside differs from what is sealed.
    pub fn open(&self, hq: &Signer) -> Result<Kept, RescueError> {
        let plain = Zeroizing::new(hq.opener().open(&self.sealed)?);
        let kept = kept(&plain).ok_or(RescueError::Damaged)?;
        let same = kept.replica == self.replica && kept.device == self.device;
        if same { Ok(kept) } else { Err(RescueError::Damaged) }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = ESCROW.to_vec();
        out.extend_from_slice(&self.hq.0);
        out.extend_from_slice(&self.replica.0.to_le_bytes());
        out.extend_from_slice(&self.device.0);
        out.extend_from_slice(&self.sealed);
        out
    }

    /// Reads the bytes; what is sealed is checked when it is opened.
    ///
    /// # Errors
    /// [`RescueError::OtherKind`], [`RescueError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RescueError> {
        let rest = bytes.strip_prefix(ESCROW).ok_or(RescueError::OtherKind)?;
        if rest.len() > RESCUE_BYTES_MAX {
            return Err(RescueError::Damaged);
        }
        let read = || {
            let (hq, rest) = rest.split_first_chunk::<32>()?;
            let (replica, rest) = rest.split_first_chunk::<4>()?;
            let (device, sealed) = rest.split_first_chunk::<32>()?;
            let replica = Replica(u32::from_le_bytes(*replica));
            Some(Self { hq: PublicKey(*hq), replica, device: PublicKey(*device), sealed: sealed.to_vec() })
        };
        read().ok_or(RescueError::Damaged)
    }
}

fn kept(plain: &[u8]) -> Option<Kept> {
    let (home, rest) = plain.split_first_chunk::<8>()?;
    let (replica, rest) = rest.split_first_chunk::<4>()?;
    let (device, rest) = rest.split_first_chunk::<32>()?;
    let data_key = Zeroizing::new(rest.try_into().ok()?);
    let replica = Replica(u32::from_le_bytes(*replica));
    Some(Kept { home: *home, replica, device: PublicKey(*device), data_key })
}

/// What a locked device asks headquarters for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// To whom the answer is to be sealed: drawn for this request, its secret half lies in the home.
    pub reader: PublicKey,
    /// What headquarters is to open.
    pub escrow: Escrow,
}

impl Request {
    /// Returns the bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = REQUEST.to_vec();
        out.extend_from_slice(&self.reader.0);
        out.extend_from_slice(&self.escrow.to_bytes());
        checked(out)
    }

    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// [`RescueError::OtherKind`], [`RescueError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RescueError> {
        let rest = body(bytes, REQUEST)?;
        let (reader, escrow) = rest.split_first_chunk::<32>().ok_or(RescueError::Damaged)?;
        let escrow = Escrow::from_bytes(escrow).map_err(|_| RescueError::Damaged)?;
        Ok(Self { reader: PublicKey(*reader), escrow })
    }
}

/// Seals a home's key to the one who asked; `random` is fresh. Returns the bytes of the file.
///
/// # Errors
/// [`RescueError::Parcel`].
pub fn answer(kept: &Kept, reader: PublicKey, random: &[u8; 64]) -> Result<Vec<u8>, RescueError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(40));
    plain.extend_from_slice(&kept.home);
    plain.extend_from_slice(&kept.data_key[..]);
    let mut out = ANSWER.to_vec();
    out.extend_from_slice(&parcel::seal(&plain, &[reader], random)?);
    Ok(checked(out))
}

/// Opens an answer with the secret half of the request's key; returns the home's name and its data key.
///
/// # Errors
/// [`RescueError`].
pub fn open_answer(bytes: &[u8], asked: &Signer) -> Result<([u8; 8], Zeroizing<[u8; 32]>), RescueError> {
    let plain = Zeroizing::new(asked.opener().open(body(bytes, ANSWER)?)?);
    let (home, key) = plain.split_first_chunk::<8>().ok_or(RescueError::Damaged)?;
    let key = key.try_into().map_err(|_| RescueError::Damaged)?;
    Ok((*home, Zeroizing::new(key)))
}

fn checked(mut out: Vec<u8>) -> Vec<u8> {
    let crc = crc32c(&[&out]);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

fn body<'a>(bytes: &'a [u8], magic: &[u8; 4]) -> Result<&'a [u8], RescueError> {
    let rest = bytes.strip_prefix(magic).ok_or(RescueError::OtherKind)?;
    let (body, crc) = rest.split_last_chunk::<4>().ok_or(RescueError::Damaged)?;
    let whole = bytes.len() <= RESCUE_BYTES_MAX && crc32c(&[magic, body]).to_le_bytes() == *crc;
    if whole { Ok(body) } else { Err(RescueError::Damaged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(n: u8) -> Signer {
        Signer::from_seed(&[n; 32]).unwrap()
    }

    fn home() -> Kept {
        let data_key = Zeroizing::new([9; 32]);
        Kept { home: *b"homename", replica: Replica(7), device: signer(3).public(), data_key }
    }

    fn request() -> Request {
        let escrow = Escrow::seal(&home(), signer(1).public(), &[5; 64]).unwrap();
        Request { reader: signer(2).public(), escrow }
    }

    #[test]
    fn the_key_goes_to_headquarters_and_back_and_nobody_else_opens_it() {
        let asked = Request::from_bytes(&request().to_bytes()).unwrap();
        assert_eq!(asked, request());
        let kept = asked.escrow.open(&signer(1)).unwrap();
        assert_eq!(kept, home());
        assert_eq!(asked.escrow.open(&signer(2)), Err(RescueError::Parcel(ParcelError::NotForHim)));
        let answer = answer(&kept, asked.reader, &[6; 64]).unwrap();
        assert_eq!(open_answer(&answer, &signer(2)).unwrap(), (*b"homename", Zeroizing::new([9; 32])));
        assert_eq!(open_answer(&answer, &signer(1)), Err(RescueError::Parcel(ParcelError::NotForHim)));
        assert_eq!(format!("{kept:?}"), "Kept(7, …)");
    }

    #[test]
    fn a_flipped_byte_or_a_cut_is_an_error_and_never_another_key() {
        let (escrow, request) = (request().escrow.to_bytes(), request().to_bytes());
        let answer = answer(&home(), signer(2).public(), &[6; 64]).unwrap();
        for at in 0..escrow.len() {
            let mut changed = escrow.clone();
            changed[at] ^= 1;
            let opened = Escrow::from_bytes(&changed).and_then(|escrow| escrow.open(&signer(1)));
            // Who may open it stands outside for people only; the parcel itself knows its reader.
            assert!(opened.is_err() || (4..36).contains(&at), "byte {at}");
            let cut = Escrow::from_bytes(&escrow[..at]).and_then(|escrow| escrow.open(&signer(1)));
            assert!(cut.is_err(), "cut at {at}");
        }
        for at in 0..request.len() {
            let mut changed = request.clone();
            changed[at] ^= 1;
            assert!(Request::from_bytes(&changed).is_err(), "byte {at}");
            assert!(Request::from_bytes(&request[..at]).is_err(), "cut at {at}");
        }
        for at in 0..answer.len() {
            let mut changed = answer.clone();
            changed[at] ^= 1;
            assert!(open_answer(&changed, &signer(2)).is_err(), "byte {at}");
            assert!(open_answer(&answer[..at], &signer(2)).is_err(), "cut at {at}");
        }
        assert!(request.len() < RESCUE_BYTES_MAX && answer.len() < RESCUE_BYTES_MAX);
    }
}
