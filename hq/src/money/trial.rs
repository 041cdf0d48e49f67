//! A policy tried on past claims: what would be paid otherwise, and which rules would speak. Nothing is written.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use records::claim::view::Claim;
use records::claim::{checks, settle};
use records::id::DocId;
use records::kinds::claim_machine::{DRAFT, VOID};
use records::kinds::number;
use records::money::Fen;
use records::policy::terms::Policy;
use records::time::Day;

use crate::intake::desk::Desk;
use crate::reading;
use crate::store::StoreError;

/// What a policy says of past claims, beside the one that each was judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// How many claims were looked at.
    pub claims: u64,
    /// Those of which it says something else.
    pub differing: Vec<Tried>,
    /// What all of them pay by their own policies.
    pub before: Fen,
    /// What all of them would pay.
    pub after: Fen,
}

/// A claim judged by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Which claim.
    pub id: DocId,
    /// Its number.
    pub no: String,
    /// The version that it was judged by.
    pub policy: String,
    /// What that says.
    pub before: Said,
    /// What the other one says.
    pub after: Said,
}

/// What a policy says of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is paid.
    pub payable: Fen,
    /// What the claimant bears himself.
    pub self_paid: Fen,
    /// Whether the vice-president is asked.
    pub vp: bool,
    /// The rules that speak: those that block, and those that want a reason.
    pub rules: BTreeSet<&'static str>,
}

impl Desk {
    /// Judges the claims that were submitted on these days by `policy`, each as if its audit had not been.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn try_policy(
        &mut self,
        policy: &Policy,
        days: &RangeInclusive<Day>,
        today: Day,
    ) -> Result<Trial, StoreError> {
        let mut trial = Trial::default();
        for id in self.store.in_state(number::CLAIM, &[])? {
            let claim = self.document(id)?.as_ref().and_then(reading::record).as_ref().and_then(Claim::of);
            let past = claim.filter(|claim| {
                let day = claim.submission.as_ref().map(|submission| submission.day);
                day.is_some_and(|day| days.contains(&day)) && ![DRAFT, VOID].contains(&claim.state)
            });
            let Some(mut claim) = past else { continue };
            claim.audit.clear();
            let mut facts = self.facts(&claim, today)?;
            let before = said(&claim, &facts);
            let named = std::mem::replace(&mut facts.policy, policy.clone()).version;
            let after = said(&claim, &facts);
            trial.claims += 1;
            trial.before = Fen(trial.before.0.saturating_add(before.payable.0));
            trial.after = Fen(trial.after.0.saturating_add(after.payable.0));
            if before != after {
                let no = claim.no.clone().unwrap_or_else(|| id.code());
                trial.differing.push(Tried { id, no, policy: named, before, after });
            }
        }
        Ok(trial)
    }
}

fn said(claim: &Claim, facts: &records::claim::facts::Facts) -> Said {
    let settled = settle::settle(claim, facts);
    let speaks = |problem: &records::problems::Problem| {
        problem.rule().is_none_or(|rule| rule.weight != records::rules::Weight::Notice)
    };
    Said {
        payable: settled.payable,
        self_paid: settled.self_paid,
        vp: facts.policy.vp.is_asked(claim.claimed_total(), settled.payable),
        rules: checks::check(claim, facts)
            .iter()
            .filter(|problem| speaks(problem))
            .map(|problem| problem.rule)
            .collect(),
    }
}
