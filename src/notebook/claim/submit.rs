//! Submitting a claim: the findings, the number, what is frozen, and its vouchers, saved as one.

use records::claim::checks;
use records::claim::guard::{Actor, Given, guard};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim::{CLAIM, ClaimNo, Placed, Submission};
use records::kinds::voucher_machine;
use records::problems::Problem;
use records::record::Record;
use records::value::{Count, Ref, Target, Text};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::claim::check::{Checked, judged};
use crate::notebook::claim::{draft, edit, facts, number, open, paper};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::rows;
use crate::notebook::state::{self, Taken};
use crate::notebook::typed::{self, Writes};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// Which claim to submit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// The claim.
    pub record: String,
    /// What the claimant says to findings: `R2=TEXT`, `R2:3=TEXT` for line 3.
    pub reasons: Vec<String>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The claim.
    pub id: DocId,
    /// Its number.
    pub number: String,
    /// Which submission of it this was, from 1.
    pub rev: u32,
    /// What the rules say of it.
    pub checked: Checked,
}

/// Submits a claim and returns its number once all of it is saved.
///
/// # Errors
/// W-55 with what stands in its way; W-52 to W-54 where this device may give no number; W-56 where one of its vouchers
/// is not here; what [`state::decide`] refuses. Nothing is then changed.
pub fn submit(store: &mut Store, request: &Submit, now: Now) -> Result<Submitted, NotebookError> {
    let (document, claim) = open(store, &request.record)?;
    let decision = state::decide(store, &CLAIM, &document, &Taken { step: "submit", ..Taken::default() })?;
    let mut writes = Writes::default();
    for word in &request.reasons {
        writes.add(&edit::reason(word, now)?);
    }
    reread(store, &document, &mut writes)?;
    let today = now.wall.day(store.identity().enrolment.zone);
    let claim = as_it_will_read(&document, &writes).unwrap_or(claim);
    let facts = facts::of(store, &[&claim], now)?;
    let checked = judged(claim, &facts);
    let points: Vec<Problem> = checked.in_the_way().cloned().collect();
    if !points.is_empty() {
        return Err(Refusal { points, ..Refusal::by("W-55").with("code", document.id.code()) }.into());
    }
    let enrolment = &store.identity().enrolment;
    let actor = Actor::new(enrolment.staff, enrolment.roles.iter().copied());
    if let Err(problem) = guard(&checked.claim, "submit", &actor, &Given::default(), &facts) {
        let points = vec![problem];
        return Err(Refusal { points, ..Refusal::by("W-55").with("code", document.id.code()) }.into());
    }
    let vouchers = vouchers(store, &checked.claim)?;
    let number = number::of(store, &document, (&facts.policy, today))?;
    if checked.claim.no.is_none() {
        writes.single(typed::register(&ClaimNo { claim_no: Some(Text(number.clone())) }));
    }
    let rev = checked.claim.submission.as_ref().map_or(1, |last| last.rev.saturating_add(1));
    writes.single(typed::register(&Submission {
        rev: Some(Count(rev)),
        submitted_day: Some(today),
        submitted_at: Some(now.wall),
        policy_version: Some(Text(checked.policy.clone())),
        cycle: checked.goes_with.as_ref().map(|mailing| Text(mailing.cycle.to_string())),
        claimed_total: Some(checked.claim.claimed_total()),
        voucher_total_count: Some(Count(checked.claim.voucher_count())),
    }));
    writes.single(decision);
    let mut ops = writes.into_ops(&CLAIM, On::Document(document.id));
    ops.extend(vouchers);
    store.save(ops, now)?;
    Ok(Submitted { id: document.id, number, rev, checked })
}

/// Writes down what changed on a voucher since it was placed: the claim is judged by what is submitted.
fn reread(store: &Store, document: &Document, writes: &mut Writes) -> Result<(), NotebookError> {
    for (row, name) in typed::standing::<Placed>(document) {
        let Some(Ref(Target::Doc(id))) = row.voucher else {
            continue;
        };
        let missing = || Refusal::by("W-56").with("voucher", id.code()).with("code", document.id.code());
        let (_, paper) = paper::read(store, id)?.ok_or_else(missing)?;
        let now = paper.placed(row.line.unwrap_or_default().0);
        if now != row {
            writes.remove::<Placed>([name]);
            writes.add(&now);
        }
    }
    Ok(())
}

fn as_it_will_read(document: &Document, writes: &Writes) -> Option<Claim> {
    let mut record: Record = rows::record(&CLAIM, document);
    writes.show(&mut record);
    Claim::of(&record)
}

/// Returns the ops that take the claim's vouchers along; those that a reviewer already judged stay as they are.
fn vouchers(store: &Store, claim: &Claim) -> Result<Vec<NewOp>, NotebookError> {
    let mut ops = Vec::new();
    let tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
    for id in tickets.filter_map(|ticket| ticket.voucher) {
        let document = store.document(id)?.ok_or(StoreError::NoDocument(id))?;
        let judged = [voucher_machine::SUBMITTED, voucher_machine::VERIFIED, voucher_machine::REJECTED];
        if !judged.contains(&document.state) {
            ops.push(draft::step(store, &document, "submit")?);
        }
    }
    Ok(ops)
}

/// Returns the findings that wait for a reason, as `R2` or `R2:3`.
#[must_use]
pub fn waiting(points: &[Problem]) -> Vec<(String, &Problem)> {
    let asks = points
        .iter()
        .filter(|point| point.rule().is_some_and(|rule| rule.weight == records::rules::Weight::Reason));
    asks.map(|point| {
        let place = checks::line_of(point).map_or_else(String::new, |line| format!(":{line}"));
        (format!("{}{place}", point.rule), point)
    })
    .collect()
}
