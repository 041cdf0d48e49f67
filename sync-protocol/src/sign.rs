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
        let halves: ([u8; 32], [u8; 32]) = (
            left.try_into().unwrap_or_default(),
            right.try_into().unwrap_or_default(),
        );
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
pub struct Signer(ring::signature::Ed25519KeyPair);

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
        ring::signature::Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|_| KeyError)
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        use ring::signature::KeyPair;
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// Signs the concatenation of `parts` under a `domain` that keeps one use from passing as another.
    #[must_use]
    pub fn sign(&self, domain: &str, parts: &[&[u8]]) -> Signature {
        let mut out = [0; 64];
        out.copy_from_slice(self.0.sign(&message(domain, parts)).as_ref());
        Signature(out)
    }
}

impl PublicKey {
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
