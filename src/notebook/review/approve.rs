//! Approving a claim: the vouchers were counted, each anomaly was looked at, and what was cut goes with it.

use std::collections::BTreeSet;

use records::claim::facts::Facts;
use records::claim::guard::Given;
use records::claim::view::{Claim, Cut};
use records::kinds::approval::Approvals;
use records::kinds::claim::CLAIM;
use records::money::Fen;
use records::problems::Problem;
use records::value::Count;

use crate::clock::Now;
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::{self, Decided, Level, Opened, Reviewer};
use crate::notebook::state::Taken;
use crate::store::Store;

/// What to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// The claim.
    pub record: String,
    /// The vouchers that were counted.
    pub vouchers: Option<u32>,
    /// The rules of the anomalies that were looked at.
    pub acks: Vec<String>,
    /// For whom a delegate acts.
    pub principal: Option<String>,
    /// What else is said.
    pub note: String,
}

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The step.
    pub decided: Decided,
    /// On which submission.
    pub rev: u32,
    /// How many vouchers it has.
    pub vouchers: u32,
    /// What it comes to.
    pub claimed: Fen,
    /// The lines that were cut, and to what.
    pub cuts: Vec<(u32, Fen)>,
}

/// Approves a claim at the level where it waits, with what the reviewer cut.
///
/// The command itself says that the expenses are true and reasonable.
///
/// # Errors
/// W-62 with the rules that stand against it: P-03 for another number of vouchers, C-07 for each anomaly that was not
/// acknowledged, C-01 to C-06 for a step that is not this person's; [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-03, P-04.
pub fn approve(store: &mut Store, request: &Approve, now: Now) -> Result<Approved, NotebookError> {
    let reviewer = Reviewer::of(store, request.principal.as_deref(), now)?;
    let opened = review::open(store, &request.record, &reviewer)?;
    let facts = reviewer.facts(store, &opened.claim)?;
    let cuts = own_cuts(&opened.claim, opened.level, &reviewer);
    let step = if cuts.is_empty() { opened.level.approve } else { opened.level.cut };
    let acks: BTreeSet<String> = request.acks.iter().flat_map(|word| words(word)).collect();
    let given = Given { vouchers: request.vouchers, acks: acks.clone(), reason: String::new() };
    acknowledged(&opened, &reviewer, step, &given, &facts)?;
    let row = Approvals {
        rev: review::rev(&opened.claim),
        vouchers: request.vouchers.map(Count),
        acks: review::text(&acks.into_iter().collect::<Vec<_>>().join(" ")),
        note: review::text(&request.note),
        ..Approvals::default()
    };
    let taken = Taken { step, ..Taken::default() };
    let role = opened.level.role;
    let writes = review::decision(store, (&CLAIM, &opened.document), &reviewer, (role, &taken), row, now)?;
    let ops = store.save(review::on(&opened.document, &CLAIM, writes), now)?;
    let claim = &opened.claim;
    let of = (&CLAIM, claim.id, review::name(claim));
    Ok(Approved {
        decided: review::decided(of, step, ops.last().copied()),
        rev: claim.submission.as_ref().map_or(0, |submission| submission.rev),
        vouchers: claim.voucher_count(),
        claimed: claim.claimed_total(),
        cuts,
    })
}

/// Returns what the reviewer cut at a level.
#[must_use]
pub fn own_cuts(claim: &Claim, level: Level, reviewer: &Reviewer) -> Vec<(u32, Fen)> {
    let mine = |cut: &&Cut| cut.step == level.cut && cut.by == Some(reviewer.actor.staff);
    claim.cuts.iter().filter(mine).map(|cut| (cut.line, cut.to)).collect()
}

/// Every anomaly that is still to be looked at is named at once.
fn acknowledged(
    opened: &Opened,
    reviewer: &Reviewer,
    step: &str,
    given: &Given,
    facts: &Facts,
) -> Result<(), NotebookError> {
    let Err(mut refusal) = review::ask(opened, reviewer, step, given, facts) else {
        return Ok(());
    };
    if refusal.points.iter().any(|point| point.rule == "C-07") {
        let open = facts.alerts.get(&opened.claim.id).into_iter().flatten();
        let missing = open.filter(|rule| !given.acks.contains(*rule)).map(|rule| Problem {
            rule: "C-07",
            group: "decision",
            field: "",
            facts: vec![("rule", rule.clone())],
        });
        refusal.points = missing.collect();
    }
    Err(refusal.into())
}

/// Takes `A3,A5` and `A3 A5` as two.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split([',', ' ', ';']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
}
