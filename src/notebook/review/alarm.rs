//! Raising an alarm about a claim by hand.

use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::alert::{ALERT, Finding};
use records::kinds::number;
use records::value::Count;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review;
use crate::notebook::typed;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// The rule of an alarm that a person raised.
pub const MANUAL: &str = "manual";

/// Raises an alarm about a claim, or one line of it, and returns the alert; the claimant does not read it.
///
/// # Errors
/// W-11 without words, W-64 where the claim has no such line; what [`find::document`] refuses; [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-03, Anomalies.
pub fn alarm(
    store: &mut Store,
    record: &str,
    line: Option<u32>,
    note: &str,
    now: Now,
) -> Result<(DocId, Claim), NotebookError> {
    let (document, _) = find::document(store, record, Wanted::Kind(number::CLAIM))?;
    let claim =
        review::read(&document).ok_or_else(|| Refusal::by("W-61").with("code", document.id.code()))?;
    if note.trim().is_empty() {
        let refusal = Refusal::by("W-11").label("step", "报警", "an alarm");
        return Err(refusal.with("code", review::name(&claim)).into());
    }
    if let Some(n) = line.filter(|n| claim.line(*n).is_none()) {
        let lines = claim.lines.iter().map(|line| line.n.to_string()).collect::<Vec<_>>();
        return Err(Refusal::by("W-64").with("line", n.to_string()).with("lines", lines.join(", ")).into());
    }
    let finding = Finding {
        rule: review::text(MANUAL),
        claim: Some(review::link(claim.id)),
        line: line.map(Count),
        staff: Some(review::link(claim.staff)),
        evidence: review::text(note),
        by: Some(review::link(store.identity().enrolment.staff)),
    };
    let writes = vec![typed::register(&finding)];
    let op = NewOp { kind: ALERT.number, schema: ALERT.schema, on: On::Create, writes, local: None };
    let ids = store.save(vec![op], now)?;
    let id = ids.first().copied().ok_or(StoreError::Unordered)?;
    Ok((DocId(id), claim))
}
