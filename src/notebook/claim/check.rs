//! What the rules say of a claim now: findings, what will be paid, and until when it must go.

use records::claim::checks;
use records::claim::facts::Facts;
use records::claim::mailing;
use records::claim::settle::{self, Settled};
use records::claim::view::Claim;
use records::policy::dispatch::Dispatch;
use records::problems::Problem;
use records::time::Day;
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::claim::{facts, open};
use crate::notebook::refusal::NotebookError;
use crate::store::Store;

/// What the rules say of a claim now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The claim.
    pub claim: Claim,
    /// Every finding; those of a line name it.
    pub problems: Vec<Problem>,
    /// What is paid, line by line and in all.
    pub settled: Settled,
    /// The last day on which all of its lines may be submitted; `None` without a line.
    pub submit_by: Option<Day>,
    /// The mailing that it goes with, submitted today or as it was.
    pub goes_with: Option<Dispatch>,
    /// The policy by which it is judged.
    pub policy: String,
    /// Years whose calendar is not loaded.
    pub missing_calendars: Vec<i32>,
    /// Whether it goes to the vice-president.
    pub vp: bool,
}

impl Checked {
    /// Returns the findings that stand in the way of the submission.
    pub fn in_the_way(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| checks::stands_in_the_way(problem, &self.claim))
    }
}

/// Returns what the rules say of a claim.
///
/// # Errors
/// What [`open`] refuses.
pub fn check(store: &Store, record: &str, now: Now) -> Result<Checked, NotebookError> {
    let (document, claim) = open(store, record)?;
    of(store, &document, claim, now)
}

/// Returns what the rules say of a claim that was read.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn of(store: &Store, document: &Document, claim: Claim, now: Now) -> Result<Checked, NotebookError> {
    let facts = facts::of(store, &[&claim], now)?;
    debug_assert!(document.id == claim.id);
    Ok(judged(claim, &facts))
}

/// Returns what the rules say of a claim with these facts.
#[must_use]
pub fn judged(claim: Claim, facts: &Facts) -> Checked {
    let problems = checks::check(&claim, facts);
    let settled = settle::settle(&claim, facts);
    let going = mailing::going(&claim, facts);
    let submit_by = going.as_ref().and_then(|going| going.submit_by);
    let goes_with = going.map(|going| going.with);
    let asked = [Some(facts.today), submit_by, goes_with.as_ref().map(|mailing| mailing.due)];
    let mut missing: Vec<i32> =
        asked.into_iter().flatten().flat_map(|day| facts.calendar.missing(day)).collect();
    missing.sort_unstable();
    missing.dedup();
    let vp = facts.policy.vp.is_asked(claim.claimed_total(), settled.payable);
    let policy = facts.policy.version.clone();
    Checked { claim, problems, settled, submit_by, goes_with, policy, missing_calendars: missing, vp }
}
