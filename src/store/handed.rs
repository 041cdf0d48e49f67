//! What is handed over to a colleague by file, and what was handed over by one.
//!
//! The rows that a colleague hands over are his word. They count at once, so that work goes on; but each is marked, and
//! where HQ gives out an op of that name it is HQ's that stays.
//!
//! Source: docs/PROTOCOL.md, Bundles; docs/SECURITY.md, Bundles.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, OpId, Replica};
use sync_protocol::bundle::Handed;
use sync_protocol::chain::Line;
use sync_protocol::limits::{SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use sync_protocol::message::Extract;
use sync_protocol::op::Row;
use sync_protocol::proof::RulingProof;
use sync_protocol::ruling::Ruling;
use sync_protocol::sign::PublicKey;

use crate::clock::Now;
use crate::store::Store;
use crate::store::apply::Applied;
use crate::store::database::Tree;
use crate::store::error::StoreError;
use crate::store::run::Run;
use crate::store::state::{PROOFS, VOUCHED_PREFIX, vouched_key};

impl Store {
    /// Returns the keys that HQ has told of a device.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn keys_of_device(&self, replica: Replica) -> Result<Vec<PublicKey>, StoreError> {
        self.device_keys(replica)
    }

    /// Returns all ops of some documents, a batch at a time in no order; own ones are in it, as anybody's.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn extracts_of(&self, docs: &[DocId]) -> Result<Vec<Extract>, StoreError> {
        let mut lines: BTreeMap<Line, BTreeSet<u64>> = BTreeMap::new();
        for doc in docs {
            for (line, seqs) in self.entry(*doc)?.map(|entry| entry.ops).unwrap_or_default() {
                lines.entry(line).or_default().extend(seqs);
            }
        }
        let mut extracts = Vec::new();
        for (line, seqs) in lines {
            let mut batch: Vec<(u64, Row)> = Vec::new();
            let mut bytes = 0;
            for seq in seqs {
                let row = self.read_op(OpId { replica: line.0, epoch: line.1, seq })?.row;
                bytes += row.to_bytes().len();
                if batch.len() >= SEGMENT_OPS_MAX || (bytes > SEGMENT_ROW_BYTES_MAX && !batch.is_empty()) {
                    bytes = row.to_bytes().len();
                    extracts.extend(self.extract(line, std::mem::take(&mut batch))?);
                }
                batch.push((seq, row));
            }
            extracts.extend(self.extract(line, batch)?);
        }
        Ok(extracts)
    }

    fn extract(&self, line: Line, rows: Vec<(u64, Row)>) -> Result<Option<Extract>, StoreError> {
        Ok(self.extract_of(line, rows)?.and_then(|(_, run)| match run {
            Run::Extract(extract) => Some(extract),
            Run::Own { .. } | Run::Segment(_) => None,
        }))
    }

    /// Returns HQ's signed word on some ops, as far as it is kept here.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn rulings_on(&self, extracts: &[Extract]) -> Result<Vec<RulingProof>, StoreError> {
        let hq = self.identity.enrolment.hq_key;
        let mut keys = Vec::new();
        self.keys_from(Tree::Meta, PROOFS, &mut |key| {
            let proof = key.starts_with(PROOFS);
            keys.extend(proof.then(|| key.to_vec()));
            Ok(proof)
        })?;
        let mut proofs = Vec::new();
        for key in keys {
            let Some(proof) = self.kept_proof(&key)?.rulings() else { continue };
            let rulings = proof.open(&hq).unwrap_or_default();
            if rulings.iter().any(|ruling| extracts.iter().any(|extract| is_on(ruling, extract))) {
                proofs.push(proof);
            }
        }
        Ok(proofs)
    }

    /// Takes in what a colleague handed over, and returns how many ops were not here before. His signature was checked.
    ///
    /// # Errors
    /// Those of [`Store::apply`].
    pub fn take_handed(&mut self, handed: &Handed, now: Now) -> Result<u64, StoreError> {
        let mut applied = Applied::default();
        let hq = self.identity.enrolment.hq_key;
        for proof in &handed.rulings {
            // HQ's word or none: a colleague does not rule.
            for ruling in proof.open(&hq).unwrap_or_default() {
                let wanted = handed.extracts.iter().any(|extract| is_on(&ruling, extract));
                if wanted && ruling.replica != self.replica() {
                    self.apply_ruling(&ruling, &mut applied)?;
                }
            }
        }
        for extract in &handed.extracts {
            self.take_extract(extract, now, &mut applied)?;
        }
        self.checkpoint()?;
        Ok(applied.received_ops)
    }

    /// What is here already is not taken from a colleague, and never an own op.
    fn take_extract(&mut self, extract: &Extract, now: Now, applied: &mut Applied) -> Result<(), StoreError> {
        let line = (extract.replica, extract.epoch);
        // Rows that this build cannot read come from HQ, when it can.
        let Ok(rows) = extract.open() else { return Ok(()) };
        let mut news = Vec::new();
        for (id, row) in rows {
            if line.0 != self.replica() && self.run_of(id)?.is_none() {
                news.push((id.seq, row));
            }
        }
        let Some((key, run)) = self.extract_of(line, news.clone())? else {
            return Ok(());
        };
        let mut work = self.work();
        let info = work.line(self, line)?;
        info.parent = info.parent.or(extract.parent);
        for (seq, _) in &news {
            let id = OpId { replica: line.0, epoch: line.1, seq: *seq };
            work.change.put(Tree::Meta, &vouched_key(id), Vec::new());
        }
        self.apply_run(work, key, &run, news, Some(now), applied)
    }

    /// Lets what a colleague vouched for yield to what HQ gives out under the same names.
    pub(in crate::store) fn yield_to(&mut self, line: Line, rows: &[(u64, Row)]) -> Result<(), StoreError> {
        let mut any = false;
        self.keys_from(Tree::Meta, VOUCHED_PREFIX, &mut |key| {
            any = key.starts_with(VOUCHED_PREFIX);
            Ok(false)
        })?;
        if !any {
            return Ok(());
        }
        let mut work = self.work();
        let mut other = BTreeSet::new();
        for (seq, row) in rows {
            let id = OpId { replica: line.0, epoch: line.1, seq: *seq };
            let key = vouched_key(id);
            if self.get(Tree::Meta, &key)?.is_none() {
                continue;
            }
            work.change.remove(Tree::Meta, &key);
            let here = self.read_op(id)?.row;
            if here != *row {
                work.remove(self, id, &here, None)?;
                other.insert(id);
            }
        }
        let ops = work.state.ops;
        self.drop_runs(&mut work, &other)?;
        work.state.ops = ops;
        self.commit(work)
    }
}

fn is_on(ruling: &Ruling, extract: &Extract) -> bool {
    let last = ruling.first.saturating_add(u64::from(ruling.count)).saturating_sub(1);
    (ruling.replica, ruling.epoch) == (extract.replica, extract.epoch)
        && extract.seqs.iter().any(|seq| (ruling.first..=last).contains(seq))
}

#[cfg(test)]
mod tests {
    use sync_protocol::columns;
    use sync_protocol::enrolment::Enrolment;
    use sync_protocol::message::Item;

    use super::*;
    use crate::store::signers::KeyRing;
    use crate::store::testing::{NOW, create, enrolment, home};

    #[test]
    fn what_a_colleague_made_up_yields_to_what_hq_gives_out() {
        let (_li, mut li) = home();
        let folder = tempfile::tempdir().unwrap();
        let his = Enrolment { replica: Replica(42), ..enrolment() };
        let mut zhao = Store::create(folder.path(), &his, NOW).unwrap();
        let id = li.save(vec![create(b"x")], NOW).unwrap()[0];
        let genuine = li.extracts_of(&[DocId(id)]).unwrap().remove(0);
        let row = genuine.open().unwrap().remove(0).1;
        let mut other = row.clone();
        other.stamp.ms += 1;
        let line = (genuine.replica, genuine.epoch);
        let forged =
            Extract { rows: columns::encode(&[other.clone()], line, &genuine.seqs), ..genuine.clone() };
        let handed = |extract: &Extract| Handed { extracts: vec![extract.clone()], rulings: Vec::new() };
        assert_eq!(zhao.take_handed(&handed(&forged), NOW).unwrap(), 1);
        // What is here does not change by another word of a colleague's, and never what one wrote oneself.
        assert_eq!(zhao.take_handed(&handed(&genuine), NOW).unwrap(), 0);
        assert_eq!(li.take_handed(&handed(&forged), NOW).unwrap(), 0);
        assert_eq!(zhao.read_op(id).unwrap().row, other);

        let item = Item::Extract(genuine);
        for _ in 0..2 {
            zhao.apply_item(&item, &mut KeyRing::new(), NOW, &mut Applied::default()).unwrap();
            assert_eq!(zhao.read_op(id).unwrap().row, row);
        }
        assert_eq!((zhao.counts().unwrap().ops, zhao.counts().unwrap().documents), (1, 1));
        assert_eq!(
            zhao.entry(DocId(id)).unwrap().unwrap().digest,
            li.entry(DocId(id)).unwrap().unwrap().digest
        );
    }
}
