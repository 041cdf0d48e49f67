//! Sealed bytes that only the holders of some keys can read, for what is carried by hand through others' pockets.
//!
//! ```text
//! 0   1: the version of this layout
//! 1   n, how many may read it: 1 to 16
//! 2   an X25519 key that was drawn for this parcel, 32 bytes
//! 34  n slots of 48 bytes: the parcel's own key, sealed to one reader each
//! .   the content in chunks of 64 KiB, each with 16 bytes of tag; the last may be shorter or empty
//! ```
//!
//! A reader is named by his Ed25519 key: the same secret makes his X25519 key, so that nobody needs a second one.
//! A parcel says nothing of who sealed it: what is in it is signed.
//!
//! Source: docs/PROTOCOL.md, Parcels.

use curve25519_dalek::constants::X25519_BASEPOINT;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use crate::chain::sha256;
use crate::limits::PARCEL_BYTES_MAX;
use crate::sign::PublicKey;

/// Who may read one parcel, at most.
pub const READERS_MAX: usize = 16;
/// Content of one chunk.
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const SLOT_BYTES: usize = 32 + TAG_BYTES;
/// Bytes before the slots.
const FRONT_BYTES: usize = 34;
const VERSION: u8 = 1;

/// Why a parcel was not sealed, or did not open; of one that did not open nothing is known.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ParcelError {
    /// Nobody or too many are to read it, or one of the keys is none.
    #[error("a parcel is sealed to 1 to {READERS_MAX} sound keys")]
    Readers,
    /// It is longer than one may be.
    #[error("a parcel holds at most {PARCEL_BYTES_MAX} bytes")]
    TooLong,
    /// The layout is of a newer version.
    #[error("parcel version {found}; this build reads {VERSION}")]
    Version {
        /// The version named.
        found: u8,
    },
    /// It is not sealed to this reader.
    #[error("the parcel is sealed to somebody else")]
    NotForHim,
    /// It was changed or cut on its way.
    #[error("the parcel is damaged")]
    Damaged,
}

/// A reader's secret half.
pub struct Opener {
    secret: Zeroizing<[u8; 32]>,
    public: MontgomeryPoint,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opener(…)")
    }
}

/// Seals `plain` to `readers`. `random` is fresh for each parcel: the first half draws its X25519 key, the second is
/// the key that the content is under.
///
/// # Errors
/// [`ParcelError::Readers`], [`ParcelError::TooLong`].
///
/// ```
/// use sync_protocol::parcel::seal;
/// let reader = sync_protocol::sign::Signer::from_seed(&[7; 32])?;
/// let sealed = seal(b"for him only", &[reader.public()], &[9; 64])?;
/// assert_eq!(reader.opener().open(&sealed)?, b"for him only");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn seal(plain: &[u8], readers: &[PublicKey], random: &[u8; 64]) -> Result<Vec<u8>, ParcelError> {
    let count = u8::try_from(readers.len()).ok().filter(|_| (1..=READERS_MAX).contains(&readers.len()));
    let count = count.ok_or(ParcelError::Readers)?;
    if plain.len() > PARCEL_BYTES_MAX {
        return Err(ParcelError::TooLong);
    }
    let (drawn, key) = random.split_at(32);
    let mut ephemeral = [0; 32];
    ephemeral.copy_from_slice(drawn);
    let public = X25519_BASEPOINT.mul_clamped(ephemeral);
    let chunks = plain.len() / CHUNK_BYTES + 1;
    let mut out =
        Vec::with_capacity(FRONT_BYTES + readers.len() * SLOT_BYTES + plain.len() + chunks * TAG_BYTES);
    out.extend_from_slice(&[VERSION, count]);
    out.extend_from_slice(&public.0);
    for reader in readers {
        let reader = montgomery(reader).ok_or(ParcelError::Readers)?;
        let slot = slot_key(ephemeral, reader, public, reader).ok_or(ParcelError::Readers)?;
        push_sealed(&slot, Nonce::assume_unique_for_key([0; 12]), key, &mut out)?;
    }
    let content = content_key(key, &out)?;
    let mut rest = plain;
    for at in 0_u32.. {
        let (chunk, left) = rest.split_at(rest.len().min(CHUNK_BYTES));
        push_sealed(&content, nonce(at, left.is_empty()), chunk, &mut out)?;
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    Ok(out)
}

impl Opener {
    /// Returns the opener of the Ed25519 key pair that these 32 bytes make.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA512, seed);
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(hash.as_ref().split_at(32).0);
        let public = X25519_BASEPOINT.mul_clamped(*secret);
        Self { secret, public }
    }

    /// Opens a parcel; all of it was checked when this returns.
    ///
    /// # Errors
    /// [`ParcelError`].
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, ParcelError> {
        let Some(([version, count], rest)) = sealed.split_first_chunk::<2>() else {
            return Err(ParcelError::Damaged);
        };
        if *version != VERSION {
            return Err(ParcelError::Version { found: *version });
        }
        let count = usize::from(*count);
        let (ephemeral, rest) = rest.split_first_chunk::<32>().ok_or(ParcelError::Damaged)?;
        if !(1..=READERS_MAX).contains(&count) {
            return Err(ParcelError::Damaged);
        }
        let (slots, chunks) = rest.split_at_checked(count * SLOT_BYTES).ok_or(ParcelError::Damaged)?;
        if chunks.len() > PARCEL_BYTES_MAX + (PARCEL_BYTES_MAX / CHUNK_BYTES + 1) * TAG_BYTES {
            return Err(ParcelError::TooLong);
        }
        let ephemeral = MontgomeryPoint(*ephemeral);
        let slot = slot_key(*self.secret, ephemeral, ephemeral, self.public).ok_or(ParcelError::Damaged)?;
        let mine = |slot_bytes: &[u8]| opened(&slot, Nonce::assume_unique_for_key([0; 12]), slot_bytes);
        let key = slots.chunks(SLOT_BYTES).find_map(mine).ok_or(ParcelError::NotForHim)?;
        let (head, _) = sealed.split_at(FRONT_BYTES + slots.len());
        content(&content_key(&key, head)?, chunks)
    }
}

fn content(key: &LessSafeKey, chunks: &[u8]) -> Result<Vec<u8>, ParcelError> {
    let mut plain = Vec::with_capacity(chunks.len());
    let mut rest = chunks;
    for at in 0_u32.. {
        let (chunk, left) = rest.split_at(rest.len().min(CHUNK_BYTES + TAG_BYTES));
        plain.extend(opened(key, nonce(at, left.is_empty()), chunk).ok_or(ParcelError::Damaged)?);
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    Ok(plain)
}

/// The place of the chunk, and whether it is the last: so none can be moved, left out or cut off.
fn nonce(at: u32, last: bool) -> Nonce {
    let [a, b, c, d] = at.to_be_bytes();
    Nonce::assume_unique_for_key([0, 0, 0, 0, 0, 0, 0, a, b, c, d, u8::from(last)])
}

fn push_sealed(key: &LessSafeKey, nonce: Nonce, plain: &[u8], out: &mut Vec<u8>) -> Result<(), ParcelError> {
    let start = out.len();
    out.extend_from_slice(plain);
    let place = out.get_mut(start..).ok_or(ParcelError::TooLong)?;
    let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), place).map_err(|_| ParcelError::TooLong)?;
    out.extend_from_slice(tag.as_ref());
    Ok(())
}

fn opened(key: &LessSafeKey, nonce: Nonce, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = sealed.to_vec();
    let length = key.open_in_place(nonce, Aad::empty(), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn montgomery(key: &PublicKey) -> Option<MontgomeryPoint> {
    if key.is_small_order() {
        return None;
    }
    Some(CompressedEdwardsY(key.0).decompress()?.to_montgomery())
}

/// The key of a slot; `None` where the other side's point has small order, so that everybody would know the key.
fn slot_key(
    secret: [u8; 32],
    other: MontgomeryPoint,
    ephemeral: MontgomeryPoint,
    reader: MontgomeryPoint,
) -> Option<LessSafeKey> {
    let shared = other.mul_clamped(secret);
    if shared.0 == [0; 32] {
        return None;
    }
    derived(&[&ephemeral.0, &reader.0], &shared.0, b"fieldbook parcel slot").ok()
}

fn content_key(key: &[u8], head: &[u8]) -> Result<LessSafeKey, ParcelError> {
    derived(&[head], key, b"fieldbook parcel content")
}

fn derived(salt: &[&[u8]], secret: &[u8], purpose: &[u8]) -> Result<LessSafeKey, ParcelError> {
    struct KeyBytes;
    impl KeyType for KeyBytes {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, &sha256(salt))
        .extract(secret)
        .expand(&[purpose], KeyBytes)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| ParcelError::Damaged)?;
    UnboundKey::new(&CHACHA20_POLY1305, &key).map(LessSafeKey::new).map_err(|_| ParcelError::Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sign::Signer;

    const HQ: [u8; 32] = [7; 32];
    const ZHAO: [u8; 32] = [8; 32];

    fn public(seed: [u8; 32]) -> PublicKey {
        Signer::from_seed(&seed).unwrap().public()
    }

    #[test]
    fn each_reader_opens_it_and_nobody_else() {
        let sealed = seal(b"rows", &[public(HQ), public(ZHAO)], &[3; 64]).unwrap();
        assert_eq!(Opener::from_seed(&HQ).open(&sealed), Ok(b"rows".to_vec()));
        assert_eq!(Opener::from_seed(&ZHAO).open(&sealed), Ok(b"rows".to_vec()));
        assert_eq!(Opener::from_seed(&[9; 32]).open(&sealed), Err(ParcelError::NotForHim));
    }

    #[test]
    fn chunks_end_where_they_should_at_every_length_around_a_border() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES] {
            let plain = vec![5; length];
            let sealed = seal(&plain, &[public(HQ)], &[3; 64]).unwrap();
            assert_eq!(Opener::from_seed(&HQ).open(&sealed), Ok(plain));
        }
    }

    #[test]
    fn a_parcel_cut_at_a_chunk_border_or_with_two_chunks_changed_about_does_not_open() {
        let plain = vec![5; 2 * CHUNK_BYTES + 9];
        let sealed = seal(&plain, &[public(HQ)], &[3; 64]).unwrap();
        let head = FRONT_BYTES + SLOT_BYTES;
        let chunk = CHUNK_BYTES + TAG_BYTES;
        for end in [head, head + chunk, head + 2 * chunk] {
            assert_eq!(Opener::from_seed(&HQ).open(&sealed[..end]), Err(ParcelError::Damaged));
        }
        let (front, rest) = sealed.split_at(head);
        let (first, rest) = rest.split_at(chunk);
        let (second, last) = rest.split_at(chunk);
        let swapped = [front, second, first, last].concat();
        assert_eq!(Opener::from_seed(&HQ).open(&swapped), Err(ParcelError::Damaged));
    }

    #[test]
    fn keys_of_small_order_neither_get_nor_send_a_parcel() {
        assert_eq!(seal(b"x", &[PublicKey([0; 32])], &[3; 64]), Err(ParcelError::Readers));
        assert_eq!(seal(b"x", &[], &[3; 64]), Err(ParcelError::Readers));
        let mut sealed = seal(b"x", &[public(HQ)], &[3; 64]).unwrap();
        sealed[2..34].fill(0);
        assert_eq!(Opener::from_seed(&HQ).open(&sealed), Err(ParcelError::Damaged));
    }

    #[test]
    fn the_key_that_opens_belongs_to_the_key_that_is_sealed_to() {
        for seed in [HQ, ZHAO, [0; 32], [255; 32]] {
            assert_eq!(montgomery(&public(seed)), Some(Opener::from_seed(&seed).public));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_flipped_bit_never_opens(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut sealed = seal(b"forty bytes of somebody's working day...", &[public(HQ)], &[3; 64]).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(Opener::from_seed(&HQ).open(&sealed).is_err());
        }

        #[test]
        fn hostile_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Opener::from_seed(&HQ).open(&bytes).is_err());
        }
    }
}
