//! What waits at a glance: each claim against what its claimant usually claims, and those that need no second look.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::{claim_machine, number};
use records::money::Fen;
use records::policy::cycle::HalfMonth;

use crate::clock::Now;
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::approve::{Approve, approve};
use crate::notebook::review::waiting::{Waiting, waiting};
use crate::notebook::review::{LEVELS, read};
use crate::store::Store;

/// The half-months before a claim's own against which it is held.
const CYCLES: usize = 6;

/// A record that waits, at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The record.
    pub waiting: Waiting,
    /// What its claimant claimed in the middle of his last six half-months; `None` where he claimed in none.
    pub usual: Option<Fen>,
    /// Whether it is more than half as much again.
    pub outlier: bool,
    /// Whether nothing about it asks for a second look.
    pub clean: bool,
}

/// Returns what waits for the person of this device: outliers first, then what is due first.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn glances(store: &Store, now: Now) -> Result<Vec<Glance>, NotebookError> {
    let waits = waiting(store, now)?;
    let mut past: BTreeMap<DocId, BTreeMap<HalfMonth, i64>> = BTreeMap::new();
    let mut own: BTreeMap<DocId, Claim> = BTreeMap::new();
    store.each(Some(number::CLAIM), &mut |document| {
        if let Some(claim) = read(&document) {
            let counts = claim.submission.is_some()
                && !matches!(claim.state, claim_machine::VOID | claim_machine::REJECTED);
            if let Some(half) = claim.half.filter(|_| counts) {
                let sum = past.entry(claim.staff).or_default().entry(half).or_default();
                *sum = sum.saturating_add(claim.claimed_total().0);
            }
            if waits.iter().any(|waiting| waiting.id == claim.id) {
                own.insert(claim.id, claim);
            }
        }
        ControlFlow::Continue(())
    })?;
    let glance = |waiting: Waiting| {
        let claim = own.get(&waiting.id);
        let usual = claim.and_then(|claim| usual(past.get(&claim.staff)?, claim.half?));
        let outlier = is_outlier(waiting.claimed, usual);
        let clean = claim.is_some() && waiting.anomalies.is_empty() && !waiting.again && !outlier;
        Glance { waiting, usual, outlier, clean }
    };
    let mut glances: Vec<Glance> = waits.into_iter().map(glance).collect();
    glances.sort_by_key(|glance| {
        let waiting = &glance.waiting;
        (!glance.outlier, waiting.due.is_none(), waiting.due, waiting.since, waiting.id)
    });
    Ok(glances)
}

/// Returns the mean of the last six half-months before `half` in which something was claimed.
fn usual(past: &BTreeMap<HalfMonth, i64>, half: HalfMonth) -> Option<Fen> {
    let before: Vec<i64> = past.range(..half).rev().take(CYCLES).map(|(_, sum)| *sum).collect();
    let n = i64::try_from(before.len()).ok().filter(|n| *n > 0)?;
    Some(Fen(before.iter().fold(0_i64, |sum, part| sum.saturating_add(*part)) / n))
}

fn is_outlier(claimed: Option<Fen>, usual: Option<Fen>) -> bool {
    claimed.zip(usual).is_some_and(|(claimed, usual)| claimed.0.saturating_mul(2) > usual.0.saturating_mul(3))
}

/// Approves every clean claim at the second level, and returns their numbers. At the first level each envelope is counted
/// by hand, so nothing is approved in one go there.
///
/// # Errors
/// What [`approve`] refuses; those before it stay approved.
pub fn approve_clean(store: &mut Store, now: Now) -> Result<Vec<String>, NotebookError> {
    let [_, second] = LEVELS;
    let clean = glances(store, now)?
        .into_iter()
        .filter(|glance| glance.clean && glance.waiting.step == second.approve);
    let mut approved = Vec::new();
    for glance in clean {
        let principal = glance.waiting.principal.map(|id| id.to_string());
        let record = glance.waiting.id.to_string();
        let request = Approve { record, vouchers: None, acks: Vec::new(), principal, note: String::new() };
        approved.push(approve(store, &request, now)?.decided.name);
    }
    Ok(approved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_held_against_the_six_half_months_before_it() {
        let half = |text: &str| text.parse::<HalfMonth>().unwrap();
        let months = (1..=4).flat_map(|month| [1, 2].map(|h| half(&format!("2026-{month:02}-H{h}"))));
        let past: BTreeMap<HalfMonth, i64> =
            months.zip([90_000, 90_000, 100, 200, 300, 400, 500, 600]).collect();
        assert_eq!(usual(&past, half("2026-05-H1")), Some(Fen(350)));
        assert_eq!(usual(&past, half("2026-01-H1")), None, "his first one");
        let outlier = |claimed, usual| is_outlier(Some(Fen(claimed)), usual);
        assert!(!outlier(525, Some(Fen(350))) && outlier(526, Some(Fen(350))) && !outlier(9_999, None));
        assert!(!is_outlier(None, Some(Fen(1))));
    }
}
