//! HQ's signature over an answer, kept so that its words can be shown to an HQ that lost them.
//!
//! The signature is over four hashes: of the rulings, of the leaves, of the request, of everything else.
//! A leaf is SHA-256 of one extract as it came; so rulings or single extracts stay provable when the rest is gone.
//!
//! Source: docs/PROTOCOL.md, Bodies.

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::chain::sha256;
use crate::conversation::ReadError;
use crate::envelope::{Message, Raw, Rulings};
use crate::message::{Extract, Item};
use crate::ruling::Ruling;
use crate::sign::{PublicKey, Signature, Signer};

/// What is kept of an answer's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerProof {
    /// The bytes of the rulings as received; empty where the answer had none.
    #[serde(with = "serde_bytes")]
    pub rulings: Vec<u8>,
    /// SHA-256 of each extract in the page, in order.
    pub leaves: Vec<[u8; 32]>,
    /// SHA-256 of the request, then SHA-256 of the rest of the answer.
    #[serde(with = "serde_bytes")]
    pub context: [u8; 64],
    /// HQ's signature.
    pub signature: Signature,
}

/// Rulings under HQ's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulingProof {
    /// The bytes of the rulings as received.
    #[serde(with = "serde_bytes")]
    pub rulings: Vec<u8>,
    /// SHA-256 of the leaves, of the request, of the rest of the answer.
    #[serde(with = "serde_bytes")]
    pub context: [u8; 96],
    /// HQ's signature.
    pub signature: Signature,
}

/// Some extracts of one answer under HQ's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractsProof {
    /// The extracts that are shown.
    pub extracts: Vec<Extract>,
    /// SHA-256 of every extract that the answer had, in order.
    pub leaves: Vec<[u8; 32]>,
    /// SHA-256 of the rulings, of the request, of the rest of the answer.
    #[serde(with = "serde_bytes")]
    pub context: [u8; 96],
    /// HQ's signature.
    pub signature: Signature,
}

/// Returns the leaf of an extract: SHA-256 of its bytes, of which there is only one spelling.
#[must_use]
pub fn leaf(extract: &Extract) -> [u8; 32] {
    sha256(&[&canonical::to_bytes(extract)])
}

/// Returns the leaves in a page's bytes, which are split but not read; `None` where they are no list of items.
pub(crate) fn leaves(mut page: &[u8]) -> Option<Vec<[u8; 32]>> {
    let mut leaves = Vec::new();
    if page.is_empty() {
        return Some(leaves);
    }
    for _ in 0..canonical::take_len(&mut page)? {
        let (number, rest) = page.split_first()?;
        page = rest;
        let bytes = canonical::take_bytes(&mut page)?;
        if *number == Item::EXTRACT {
            leaves.push(sha256(&[bytes]));
        }
    }
    page.is_empty().then_some(leaves)
}

fn over(leaves: &[[u8; 32]]) -> [u8; 32] {
    let leaves: Vec<&[u8]> = leaves.iter().map(<[u8; 32]>::as_slice).collect();
    sha256(&leaves)
}

pub(crate) fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut all = [0; N];
    for (to, from) in all.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
    all
}

impl AnswerProof {
    /// Signs an answer: its rulings' bytes, its leaves, the request's hash and the hash of the rest.
    pub(crate) fn sign(
        signer: &Signer,
        rulings: Vec<u8>,
        leaves: Vec<[u8; 32]>,
        (request, rest): ([u8; 32], [u8; 32]),
    ) -> Self {
        let context = join(&[&request, &rest]);
        let mut proof = Self { rulings, leaves, context, signature: Signature([0; 64]) };
        let [what, context] = proof.signed();
        proof.signature = signer.sign("answer", &[&what, &context]);
        proof
    }

    /// Returns whether the signature is `key`'s.
    pub(crate) fn genuine(&self, key: &PublicKey) -> bool {
        let [what, context] = self.signed();
        key.verifies("answer", &[&what, &context], &self.signature)
    }

    fn signed(&self) -> [[u8; 64]; 2] {
        [join(&[&sha256(&[&self.rulings]), &over(&self.leaves)]), self.context]
    }

    /// Returns the rulings as they can be shown; `None` where the answer had none.
    #[must_use]
    pub fn of_rulings(&self) -> Option<RulingProof> {
        (!self.rulings.is_empty()).then(|| RulingProof {
            rulings: self.rulings.clone(),
            context: join(&[&over(&self.leaves), &self.context]),
            signature: self.signature,
        })
    }

    /// Returns extracts of the answer as they can be shown; those that it did not bring in these bytes are left out.
    #[must_use]
    pub fn of_extracts(&self, extracts: Vec<Extract>) -> ExtractsProof {
        ExtractsProof {
            extracts: extracts.into_iter().filter(|extract| self.leaves.contains(&leaf(extract))).collect(),
            leaves: self.leaves.clone(),
            context: join(&[&sha256(&[&self.rulings]), &self.context]),
            signature: self.signature,
        }
    }
}

impl RulingProof {
    /// Checks HQ's signature and returns the rulings that it covers.
    ///
    /// # Errors
    /// [`ReadError::Signature`], [`ReadError::Message`].
    pub fn open(&self, key: &PublicKey) -> Result<Vec<Ruling>, ReadError> {
        let hash = sha256(&[&self.rulings]);
        if !key.verifies("answer", &[&hash, &self.context], &self.signature) {
            return Err(ReadError::Signature);
        }
        let raw = Raw { number: Rulings::NUMBER, schema: Rulings::SCHEMA, bytes: &self.rulings };
        Ok(raw.read::<Rulings>()?.0)
    }
}

impl ExtractsProof {
    /// Checks HQ's signature and returns the extracts, each of which it covers.
    ///
    /// # Errors
    /// [`ReadError::Signature`].
    pub fn open(&self, key: &PublicKey) -> Result<&[Extract], ReadError> {
        let (rulings, rest) = self.context.split_at(32);
        let covered = |extract: &Extract| self.leaves.contains(&leaf(extract));
        let genuine = key.verifies("answer", &[rulings, &over(&self.leaves), rest], &self.signature);
        if genuine && self.extracts.iter().all(covered) {
            Ok(&self.extracts)
        } else {
            Err(ReadError::Signature)
        }
    }
}
