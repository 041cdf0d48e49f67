//! Ed25519 by ring: the keys of replicas.

use serde::{Deserialize, Serialize};

/// A replica's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (left, right) = self.0.split_at(32);
        let halves: ([u8; 32], [u8; 32]) =
            (left.try_into().unwrap_or_default(), right.try_into().unwrap_or_default());
        halves.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (left, right) = <([u8; 32], [u8; 32])>::deserialize(from)?;
        let mut all = [0; 64];
        let (a, b) = all.split_at_mut(32);
        a.copy_from_slice(&left);
        b.copy_from_slice(&right);
        Ok(Self(all))
    }
}

/// The seed is no key, or its public half has small order.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("not a usable Ed25519 key")]
pub struct KeyError;

/// A replica's key pair.
pub struct Signer {
    pair: ring::signature::Ed25519KeyPair,
    /// The seed: the same secret opens what is sealed to the public half.
    seed: zeroize::Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// Returns the key pair of 32 random bytes, which the caller drew.
    ///
    /// # Errors
    /// [`KeyError`] where ring refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError)?;
        Ok(Self { pair, seed: zeroize::Zeroizing::new(*seed) })
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        use ring::signature::KeyPair;
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(key)
    }

    /// Returns what opens parcels sealed to the public half.
    #[must_use]
    pub fn opener(&self) -> crate::parcel::Opener {
        crate::parcel::Opener::from_seed(&self.seed)
    }

    /// Signs the concatenation of `parts` under a `domain` that keeps one use from passing as another.
    #[must_use]
    pub fn sign(&self, domain: &str, parts: &[&[u8]]) -> Signature {
        let mut out = [0; 64];
        out.copy_from_slice(self.pair.sign(&message(domain, parts)).as_ref());
        Signature(out)
    }
}

/// The points of small order, as y without the sign bit: under such a key one signature fits many messages.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    point(0x01, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    point(0xec, 0xff, 0x7f),
    point(0xed, 0xff, 0x7f),
    point(0xee, 0xff, 0x7f),
];

const fn point(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut point = [middle; 32];
    point[0] = first;
    point[31] = last;
    point
}

impl PublicKey {
    /// Returns whether the key is of small order: no device draws one, so whoever sends one means harm.
    ///
    /// ```
    /// assert!(sync_protocol::sign::PublicKey([0; 32]).is_small_order());
    /// ```
    ///
    /// Source: docs/SECURITY.md, Sync.
    #[must_use]
    pub fn is_small_order(&self) -> bool {
        let mut y = self.0;
        y[31] &= 0x7f;
        SMALL_ORDER.contains(&y)
    }

    /// Returns what people tell one key from another by: 8 hexadecimal digits of its SHA-256.
    ///
    /// ```
    /// assert_eq!(sync_protocol::sign::PublicKey([7; 32]).fingerprint(), "4bb06f8e");
    /// ```
    ///
    /// Source: docs/SECURITY.md, Enrolment.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let [a, b, c, d, ..] = crate::chain::sha256(&[&self.0]);
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// Returns whether the signature is this key's over the same domain and parts.
    #[must_use]
    pub fn verifies(&self, domain: &str, parts: &[&[u8]], signature: &Signature) -> bool {
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, self.0)
            .verify(&message(domain, parts), &signature.0)
            .is_ok()
    }
}

fn message(domain: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut all = format!("fieldbook {domain}\n").into_bytes();
    for part in parts {
        all.extend_from_slice(part);
    }
    all
}
