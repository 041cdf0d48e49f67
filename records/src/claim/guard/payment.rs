//! Whether a person may take a step on a payment batch now.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::facts::Facts;
use crate::claim::guard::{Actor, Given, possible, refusal, roles_for};
use crate::claim::settle::settle;
use crate::claim::view::{Approval, Claim};
use crate::id::DocId;
use crate::kinds::approval::Approvals;
use crate::kinds::claim_machine as at;
use crate::kinds::payment::{PaymentClaims, Results};
use crate::kinds::payment_machine::{self, PAYMENT};
use crate::machine::Index;
use crate::money::Fen;
use crate::problems::Problem;
use crate::record::Record;

/// A payment batch, read into plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Which document.
    pub id: DocId,
    /// Where it is.
    pub state: Index,
    /// What is paid, in order.
    pub rows: Vec<PaymentRow>,
    /// What the bank said of each claim; the last word counts.
    pub results: BTreeMap<DocId, bool>,
    /// Who took which step.
    pub approvals: Vec<Approval>,
}

/// What is paid of one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Which claim.
    pub claim: DocId,
    /// Its number.
    pub claim_no: String,
    /// To whom.
    pub staff: Option<DocId>,
    /// How much.
    pub amount: Fen,
}

impl Payment {
    /// Reads a payment batch.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let row = |row: PaymentClaims| {
            Some(PaymentRow {
                claim: row.claim?.doc()?,
                claim_no: row.claim_no.unwrap_or_default().0,
                staff: row.staff.and_then(|staff| staff.doc()),
                amount: row.amount.unwrap_or_default(),
            })
        };
        let result = |row: Results| Some((row.claim?.doc()?, row.ok.unwrap_or_default()));
        Self {
            id: record.id,
            state: record.state,
            rows: record.all::<PaymentClaims>().into_iter().filter_map(row).collect(),
            results: record.all::<Results>().into_iter().filter_map(result).collect(),
            approvals: record.all::<Approvals>().into_iter().map(Approval::of).collect(),
        }
    }
}

/// Says whether `actor` may take a step on a payment batch; `claims` are those inside.
///
/// Who made it stands in [`Facts::authors`].
///
/// # Errors
/// The first rule that refuses.
///
/// Source: docs/RULES.md, Payments.
pub fn guard(
    payment: &Payment,
    step: &str,
    actor: &Actor,
    given: &Given,
    claims: &BTreeMap<DocId, Claim>,
    facts: &Facts,
) -> Result<(), Problem> {
    let taken = possible(&PAYMENT, payment.state, step, &given.reason)?;
    roles_for(taken, actor, facts)?;
    match step {
        "approve" => {
            second_person(payment, actor, facts)?;
            payment.rows.iter().try_for_each(|row| may_be_paid(payment, row, claims, facts))?;
            if payment.rows.is_empty() { Err(refusal("T-08")) } else { Ok(()) }
        }
        "confirm" => answered(payment, |ok| ok, "T-09"),
        "fail" => answered(payment, |_| true, "T-09"),
        _ => Ok(()),
    }
}

/// Returns whether a claim in it was paid, as far as the batch itself says.
#[must_use]
pub fn paid(payment: &Payment, claim: DocId) -> Option<bool> {
    match payment.state {
        payment_machine::CONFIRMED => Some(true),
        payment_machine::PART_FAILED => Some(payment.results.get(&claim).copied().unwrap_or(false)),
        payment_machine::CANCELLED => Some(false),
        _ => None,
    }
}

/// Who approves neither made it nor is paid by it.
fn second_person(payment: &Payment, actor: &Actor, facts: &Facts) -> Result<(), Problem> {
    let people = actor.people();
    let made = facts.authors.get(&payment.id);
    if people.iter().any(|person| made.is_some_and(|made| made.contains(person))) {
        return Err(refusal("T-10"));
    }
    let payees: BTreeSet<DocId> = payment.rows.iter().filter_map(|row| row.staff).collect();
    if people.iter().any(|person| payees.contains(person)) {
        return Err(refusal("C-03").fact("step", "approve"));
    }
    Ok(())
}

/// A row pays a claim that finance took in, to its claimant, what the audit left of it, and in no other batch.
fn may_be_paid(
    payment: &Payment,
    row: &PaymentRow,
    claims: &BTreeMap<DocId, Claim>,
    facts: &Facts,
) -> Result<(), Problem> {
    let wrong = || refusal("T-11").fact("claim", &row.claim_no).fact("amount", row.amount.to_string());
    let claim = claims.get(&row.claim).ok_or_else(wrong)?;
    let payable = settle(claim, facts).payable;
    let fits = claim.state == at::FIN_RECEIVED && row.staff == Some(claim.staff) && row.amount == payable;
    if !fits || payable <= Fen(0) {
        return Err(wrong());
    }
    let elsewhere = facts.payments.get(&row.claim).into_iter().flatten().any(|other| {
        other.payment != payment.id && other.state != payment_machine::CANCELLED && other.paid != Some(false)
    });
    if elsewhere { Err(refusal("C-22")) } else { Ok(()) }
}

/// The bank has a word on every claim, and each is what the step says.
fn answered(payment: &Payment, fits: impl Fn(bool) -> bool, rule: &'static str) -> Result<(), Problem> {
    let good = |row: &PaymentRow| payment.results.get(&row.claim).is_some_and(|ok| fits(*ok));
    match payment.rows.iter().find(|row| !good(row)) {
        Some(row) => Err(refusal(rule).fact("claim", &row.claim_no)),
        None => Ok(()),
    }
}
