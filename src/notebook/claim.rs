//! The claimant's side of an expense claim: from captured vouchers to a submission, and what becomes of it.
//!
//! Reading order: [`paper`], [`gather`], [`draft`], [`edit`]; [`facts`], [`check`]; [`number`], [`submit`], [`steps`], [`exception`]; [`way`], [`reminders`].

pub mod check;
pub mod draft;
pub mod edit;
pub mod exception;
pub mod facts;
pub mod gather;
pub mod number;
pub mod paper;
pub mod reminders;
pub mod steps;
pub mod submit;
pub mod way;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim::CLAIM;
use records::kinds::{claim_machine, number as kind_number};
use sync_protocol::merge::Document;

use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::{rows, state};
use crate::store::Store;
use crate::store::error::StoreError;

/// Claims, where a command is about one.
pub const CLAIMS: Wanted = Wanted::Kind(kind_number::CLAIM);

/// Returns a claim as it stands, and as the rules read it.
///
/// # Errors
/// What [`find::document`] refuses; W-40 where its first part is not here yet.
pub fn open(store: &Store, text: &str) -> Result<(Document, Claim), NotebookError> {
    let (document, _) = find::document(store, text, CLAIMS)?;
    let claim = Claim::of(&rows::record(&CLAIM, &document))
        .ok_or_else(|| Refusal::by("W-40").with("code", document.id.code()))?;
    Ok((document, claim))
}

/// Refuses a change to a claim that is not one's own (W-41), or not open any more (W-42).
///
/// # Errors
/// W-41, W-42; [`NotebookError::Store`].
pub fn editable(store: &Store, document: &Document) -> Result<(), NotebookError> {
    let code = document.id.code();
    if !state::is_mine(store, &CLAIM, document)? {
        return Err(Refusal::by("W-41").with("code", code).into());
    }
    if claim_machine::CLAIM.opens(document.state) {
        return Ok(());
    }
    let now = claim_machine::CLAIM.states.get(usize::from(document.state));
    let (zh, en) = now.map_or(("", ""), |state| (state.zh, state.en));
    let case = if document.state == claim_machine::SUBMITTED { "submitted" } else { "later" };
    Err(Refusal::by("W-42").case(case).with("code", code).label("state", zh, en).into())
}

/// Returns this person's claims, newest first.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn mine(store: &Store) -> Result<Vec<(Document, Claim)>, StoreError> {
    let me = store.identity().enrolment.staff;
    let mut claims = Vec::new();
    store.each(Some(kind_number::CLAIM), &mut |document| {
        if let Some(claim) = Claim::of(&rows::record(&CLAIM, &document)).filter(|claim| claim.staff == me) {
            claims.push((document, claim));
        }
        ControlFlow::Continue(())
    })?;
    Ok(claims)
}

/// Returns on which claim and line each voucher stands, of claims that are neither thrown away nor rejected.
#[must_use]
pub fn places(claims: &[(Document, Claim)]) -> BTreeMap<DocId, (DocId, u32)> {
    let live = claims
        .iter()
        .filter(|(_, claim)| !matches!(claim.state, claim_machine::VOID | claim_machine::REJECTED));
    let lines = live.flat_map(|(_, claim)| claim.lines.iter().map(|line| (claim.id, line)));
    let tickets = lines.flat_map(|(id, line)| line.vouchers.iter().map(move |ticket| (id, line.n, ticket)));
    tickets.filter_map(|(id, n, ticket)| Some((ticket.voucher?, (id, n)))).collect()
}
