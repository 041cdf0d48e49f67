//! HQ's signatures over what it gave out, kept until its backups hold it: with them a restored HQ believes it again.
//!
//! Source: docs/PROTOCOL.md, A restored HQ.

use serde::{Deserialize, Serialize};
use sync_protocol::asides::Ask;
use sync_protocol::conversation::Answer;
use sync_protocol::cursor::Incarnation;
use sync_protocol::message::{Extract, Item, Notice};
use sync_protocol::proof::{AnswerProof, RulingProof};

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::{Part, StoreError};
use crate::store::run::{Run, RunKey};
use crate::store::state::{PROOFS, proof_key};
use crate::store::work::Work;

/// Bytes of extracts shown together: with their leaves they fit into one message.
const SHOWN_BYTES: usize = 96 * 1024;

/// The signature of one answer, and where the extracts that it covers lie in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Kept {
    proof: AnswerProof,
    /// The key of each extract's run, in the order of the leaves.
    runs: Vec<Vec<u8>>,
    /// A backup held it already when HQ said so last; it goes with the next one, lest the last backup does not read.
    aged: bool,
}

impl Store {
    /// Keeps an answer's signature, where it covers anything that could be lost; of what came before only what HQ's
    /// backups do not hold.
    pub(in crate::store) fn keep_proof(
        &self,
        work: &mut Work,
        answer: &Answer,
        proof: &AnswerProof,
    ) -> Result<(), StoreError> {
        let backed_up = |notice: &Notice| matches!(notice, Notice::BackedUp { .. });
        // While HQ is offered what it lost, its backups do not hold all that it gave out.
        if answer.notices.iter().any(backed_up) && self.offer()?.is_none() {
            self.age_proofs(work)?;
        }
        if proof.rulings.is_empty() && proof.leaves.is_empty() {
            return Ok(());
        }
        let run = |item: &Item| match item {
            Item::Extract(extract) => Some(run_key(extract).map(RunKey::to_bytes).unwrap_or_default()),
            Item::Segment(_) | Item::Evict(_) | Item::Newer { .. } => None,
        };
        let kept =
            Kept { proof: proof.clone(), runs: answer.items.iter().filter_map(run).collect(), aged: false };
        let key = proof_key(answer.ack.incarnation, &proof.signature.0);
        work.change.put(Tree::Meta, &key, postcard::to_allocvec(&kept).unwrap_or_default());
        Ok(())
    }

    fn age_proofs(&self, work: &mut Work) -> Result<(), StoreError> {
        let mut keys = Vec::new();
        self.keys_from(Tree::Meta, PROOFS, &mut |key| {
            let is_proof = key.starts_with(PROOFS);
            keys.extend(is_proof.then(|| key.to_vec()));
            Ok(is_proof)
        })?;
        for key in keys {
            let kept = self.kept_proof(&key)?;
            if kept.aged {
                work.change.remove(Tree::Meta, &key);
            } else {
                let aged = Kept { aged: true, ..kept };
                work.change.put(Tree::Meta, &key, postcard::to_allocvec(&aged).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Returns the key of the first signature behind `after` that is of another history than `now`.
    pub(in crate::store) fn next_proof(
        &self,
        after: &[u8],
        now: Incarnation,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let from = if after.is_empty() { PROOFS } else { after };
        let newest = [PROOFS, &now.0.to_be_bytes()].concat();
        let mut found = None;
        self.keys_from(Tree::Meta, from, &mut |key| {
            if key.starts_with(PROOFS) && key != after && !key.starts_with(&newest) {
                found = Some(key.to_vec());
            }
            Ok(found.is_none() && key.starts_with(PROOFS))
        })?;
        Ok(found)
    }

    pub(in crate::store) fn kept_proof(&self, key: &[u8]) -> Result<Kept, StoreError> {
        let bytes = self.get(Tree::Meta, key)?.unwrap_or_default();
        postcard::from_bytes(&bytes).map_err(|_| self.damaged(Part::Database))
    }

    /// Returns what of an answer can be shown, extracts from the `from`th on, and where the next part begins; `None`
    /// where it ends here.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn shown(
        &self,
        kept: &Kept,
        from: usize,
    ) -> Result<(Vec<Ask>, Option<usize>), StoreError> {
        let mut asks = Vec::new();
        if from == 0 {
            asks.extend(kept.proof.of_rulings().map(Ask::Rulings));
        }
        let (mut extracts, mut bytes, mut next) = (Vec::new(), 0, from);
        for key in kept.runs.iter().skip(from) {
            if bytes > SHOWN_BYTES {
                break;
            }
            next += 1;
            if let Some(extract) = self.kept_extract(key)? {
                bytes += extract.rows.len() + extract.seqs.len() * 2;
                extracts.push(extract);
            }
        }
        let proof = kept.proof.of_extracts(extracts);
        asks.extend((!proof.extracts.is_empty()).then_some(Ask::Extracts(proof)));
        Ok((asks, Some(next).filter(|next| *next < kept.runs.len())))
    }

    fn kept_extract(&self, key: &[u8]) -> Result<Option<Extract>, StoreError> {
        let Some(key) = RunKey::from_bytes(key).filter(|key| key.first > 0) else {
            return Ok(None);
        };
        if self.get(Tree::Log, &key.to_bytes())?.is_none() {
            return Ok(None);
        }
        match &self.run(key)?.run {
            Run::Extract(extract) => Ok(Some(extract.clone())),
            Run::Own { .. } | Run::Segment(_) => Ok(None),
        }
    }

    /// Returns an extract with the signature that covers it; `None` where none is kept.
    pub(in crate::store) fn proven_extract(&self, extract: &Extract) -> Result<Option<Ask>, StoreError> {
        let leaf = sync_protocol::proof::leaf(extract);
        let mut found = None;
        self.keys_from(Tree::Meta, PROOFS, &mut |key| {
            if key.starts_with(PROOFS) {
                let kept = self.kept_proof(key)?;
                if kept.proof.leaves.contains(&leaf) {
                    found = Some(Ask::Extracts(kept.proof.of_extracts(vec![extract.clone()])));
                }
            }
            Ok(found.is_none() && key.starts_with(PROOFS))
        })?;
        Ok(found)
    }
}

impl Kept {
    /// Returns the rulings as they can be shown; `None` where the answer had none.
    pub(in crate::store) fn rulings(&self) -> Option<RulingProof> {
        self.proof.of_rulings()
    }

    /// Returns whether HQ's backup of that order may lack anything of it.
    pub(in crate::store) fn is_after(&self, order: u64, key: &sync_protocol::sign::PublicKey) -> bool {
        let rulings = self.proof.of_rulings().map(|proof| proof.open(key).unwrap_or_default());
        let Some(rulings) = rulings else { return true };
        rulings.iter().any(|ruling| ruling.order.saturating_add(u64::from(ruling.count)) > order)
    }
}

fn run_key(extract: &Extract) -> Option<RunKey> {
    let line = (extract.replica, extract.epoch);
    Some(RunKey { line, last: *extract.seqs.last()?, first: *extract.seqs.first()? })
}
