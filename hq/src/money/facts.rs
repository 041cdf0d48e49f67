//! What the rules must know beside a claim, as headquarters holds it when it is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use records::claim::facts::Facts;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim::Claimant;
use records::record::Record;
use records::schema::Kind;
use records::time::Day;
use sync_protocol::merge::Judged;

use crate::intake::desk::Desk;
use crate::money::rows::linked;
use crate::store::StoreError;

impl Desk {
    /// Returns what holds for a claim without looking at any other document: people, policy, calendar, ceilings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn plain_facts(&mut self, claim: &Claim, today: Day) -> Result<Facts, StoreError> {
        let terms = self.terms()?;
        let named = claim.submission.as_ref().map(|submission| submission.policy_version.as_str());
        let policy = terms.in_force.of_claim(named, claim.submitted_day(today));
        let mut facts = Facts::new(today, policy.clone(), Arc::clone(&terms.in_force.calendar));
        facts.people = Arc::clone(&terms.people);
        facts.caps = terms.caps.clone();
        Ok(facts)
    }

    /// Returns who wrote content of a document, beside HQ: a device's op is its owner's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn authors(&mut self, kind: &Kind, ops: &[Judged]) -> Result<BTreeSet<DocId>, StoreError> {
        let content: BTreeSet<_> =
            kind.groups.iter().filter(|group| group.content).map(|group| group.tag()).collect();
        let mut authors = BTreeSet::new();
        for op in ops {
            let stands = op.judgement.as_ref().is_none_or(|judgement| judgement.verdict.stands());
            if stands && op.row.writes.iter().any(|write| content.contains(&write.tag)) {
                authors.extend(self.store.device(op.id.replica)?.and_then(|device| device.staff));
            }
        }
        Ok(authors)
    }
}

/// Returns the claimant of a claim's record.
#[must_use]
pub fn claimant(record: &Record) -> Option<DocId> {
    record.get::<Claimant>().and_then(|row| linked(row.staff.as_ref()))
}
