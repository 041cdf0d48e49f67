//! What a branch claimed in each mailing: a batch is looked at beside those before it.

use std::collections::BTreeMap;

use records::id::DocId;
use records::kinds::claim_machine as at;
use records::kinds::number;
use records::money::Fen;

use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::refusal::MoneyError;
use crate::money::review::Review;
use crate::store::StoreError;
use crate::store::marks::Mark;

/// What a branch claimed in a mailing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CycleTotal {
    /// Which mailing, like `2026-02-A`.
    pub cycle: String,
    /// How many claims.
    pub claims: usize,
    /// What was claimed.
    pub claimed: Fen,
}

/// What became of claims that were approved together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Together {
    /// Those that are approved.
    pub approved: Vec<Held>,
    /// Those that a person has to look at one by one, by their numbers.
    pub left: Vec<String>,
}

impl Desk {
    /// Returns what a branch claimed in each mailing, the latest first; what was thrown away or rejected is not in it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn cycle_totals(&mut self, branch: DocId) -> Result<Vec<CycleTotal>, StoreError> {
        let terms = self.terms()?;
        let units = terms.people.units.keys().filter(|unit| terms.people.branch_of(**unit) == Some(branch));
        let mut totals: BTreeMap<String, CycleTotal> = BTreeMap::new();
        for unit in units {
            for id in self.store.marked(&Mark::Unit(*unit), number::CLAIM)? {
                let Some(Held { claim, .. }) = self.held_claim(id)? else { continue };
                let gone = [at::DRAFT, at::VOID, at::REJECTED].contains(&claim.state);
                let Some(submission) = claim.submission.as_ref().filter(|_| !gone) else { continue };
                let total = totals.entry(submission.cycle.clone()).or_default();
                total.cycle.clone_from(&submission.cycle);
                total.claims += 1;
                total.claimed = Fen(total.claimed.0.saturating_add(claim.claimed_total().0));
            }
        }
        Ok(totals.into_values().rev().collect())
    }

    /// Approves claims on which nothing has to be acknowledged, counted or cut; the others are left for a closer look.
    ///
    /// # Errors
    /// The first refusal where none could be approved; the database.
    pub fn approve_clean(
        &mut self,
        names: &[String],
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Together, MoneyError> {
        let (mut together, mut refused) = (Together::default(), None);
        for name in names {
            match self.review(name, &Review::Approve { vouchers: None, acks: &[], cuts: &[] }, actor, now_ms)
            {
                Ok(held) => together.approved.push(held),
                Err(error @ (MoneyError::Refused(_) | MoneyError::Ruled(_))) => {
                    together.left.push(name.clone());
                    refused = refused.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        match refused.filter(|_| together.approved.is_empty()) {
            Some(error) => Err(error),
            None => Ok(together),
        }
    }
}
