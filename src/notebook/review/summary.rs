//! Signing a trip summary, sending it back, opening it again.

use records::claim::guard::Given;
use records::claim::guard::trip::{self, Trip};
use records::kinds::approval::Approvals;
use records::kinds::number;
use records::kinds::trip::TRIP;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review::{self, Decided, Reviewer};
use crate::notebook::rows;
use crate::notebook::state::Taken;
use crate::store::Store;

/// A step on a trip summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign<'a> {
    /// The trip summary.
    pub record: &'a str,
    /// `approve`, `return` or `reopen`.
    pub step: &'a str,
    /// The reason, where it is not approved.
    pub reason: &'a str,
    /// For whom a delegate acts.
    pub principal: Option<&'a str>,
}

/// Takes a reviewer's step on a trip summary.
///
/// # Errors
/// W-62 with the rules that stand against it; W-61 where its first part is not here; [`NotebookError::Store`].
///
/// Source: docs/RULES.md, Trip summaries.
pub fn sign(store: &mut Store, request: &Sign<'_>, now: Now) -> Result<Decided, NotebookError> {
    let reviewer = Reviewer::of(store, request.principal, now)?;
    let (document, _) = find::document(store, request.record, Wanted::Kind(number::TRIP))?;
    let code = document.id.code();
    let summary =
        Trip::of(&rows::record(&TRIP, &document)).ok_or_else(|| Refusal::by("W-61").with("code", &code))?;
    let facts = reviewer.terms.facts(None, reviewer.today, reviewer.today);
    let step = request.step;
    let given = Given { reason: request.reason.to_owned(), ..Given::default() };
    trip::guard(&summary, step, &reviewer.actor, &given, &facts)
        .map_err(|problem| review::refused(&TRIP, code.clone(), step, vec![problem]))?;
    let acting = reviewer.actor.acting(&facts);
    let acting =
        acting.map_err(|problem| review::refused(&TRIP, code.clone(), step, vec![problem.clone()]))?;
    let who = TRIP.machine.and_then(|machine| machine.step(step)).map_or(&[][..], |(_, step)| step.who);
    let role = who.iter().copied().find(|role| acting.contains(role));
    let role = role.ok_or_else(|| review::refused(&TRIP, code.clone(), step, Vec::new()))?;
    let taken = Taken { step, reason: request.reason, ..Taken::default() };
    let row = Approvals { note: review::text(request.reason), ..Approvals::default() };
    let writes = review::decision(store, (&TRIP, &document), &reviewer, (role, &taken), row, now)?;
    let ops = store.save(review::on(&document, &TRIP, writes), now)?;
    Ok(review::decided((&TRIP, document.id, code), step, ops.last().copied()))
}
