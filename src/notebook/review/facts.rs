//! What a reviewer's device knows beside a claim.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::claim::facts::Facts;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::alert::{ALERT, Finding};
use records::kinds::{alert_machine, number};

use crate::notebook::review::Reviewer;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// An anomaly that nobody answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// The alert.
    pub id: DocId,
    /// The rule that found it; `manual` where a person did.
    pub rule: String,
    /// Which line; `None`: the whole claim.
    pub line: Option<u32>,
    /// Why.
    pub evidence: String,
}

impl Reviewer {
    /// Returns what is known beside a claim.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn facts(&self, store: &Store, claim: &Claim) -> Result<Facts, StoreError> {
        let mut facts = self.beside.facts(store, &[claim], self.today)?;
        let rules = self.anomalies_of(claim.id).iter().map(|anomaly| anomaly.rule.clone()).collect();
        facts.alerts.insert(claim.id, rules);
        Ok(facts)
    }

    /// Returns the anomalies of a claim that nobody answered yet, by rule and line.
    #[must_use]
    pub fn anomalies_of(&self, claim: DocId) -> &[Anomaly] {
        self.anomalies.get(&claim).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Returns the anomalies that nobody answered yet, by claim.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn anomalies(store: &Store) -> Result<BTreeMap<DocId, Vec<Anomaly>>, StoreError> {
    let mut found: BTreeMap<DocId, Vec<Anomaly>> = BTreeMap::new();
    store.each(Some(number::ALERT), &mut |document| {
        let record = rows::record(&ALERT, &document);
        let finding = record.get::<Finding>().filter(|_| record.state == alert_machine::OPEN);
        if let Some((finding, claim)) = finding.and_then(|finding| {
            let claim = finding.claim.as_ref()?.doc()?;
            Some((finding, claim))
        }) {
            found.entry(claim).or_default().push(Anomaly {
                id: record.id,
                rule: finding.rule.unwrap_or_default().0,
                line: finding.line.map(|line| line.0),
                evidence: finding.evidence.unwrap_or_default().0,
            });
        }
        ControlFlow::Continue(())
    })?;
    for anomalies in found.values_mut() {
        anomalies.sort_by(|a, b| (&a.rule, a.line, a.id).cmp(&(&b.rule, b.line, b.id)));
    }
    Ok(found)
}
