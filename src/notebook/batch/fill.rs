//! Putting claims into a batch and taking them out; the claims' decisions and the batch are saved as one.

use std::ops::ControlFlow;

use records::id::DocId;
use records::kinds::batch::{BATCH, BatchClaims, Explained};
use records::kinds::{claim_machine, number};
use records::value::Count;

use crate::clock::Now;
use crate::notebook::batch::{self, Envelope};
use crate::notebook::find::{self as finder, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review;
use crate::notebook::set::Changed;
use crate::notebook::typed::{self, Writes};
use crate::store::Store;
use crate::store::write::NewOp;

/// What was put in, and what was not and why.
#[derive(Debug, Default)]
pub struct Filled {
    /// The batch's number.
    pub batch: String,
    /// The claims that went in, or out.
    pub claims: Vec<(DocId, String)>,
    /// Of all that were looked at, those that stayed out, each with the rule that holds it.
    pub left: Vec<(DocId, String, Refusal)>,
}

/// Puts claims into a batch; without names all that the branch GM approved and the rules let in.
///
/// # Errors
/// W-70 for a batch that is not open; W-62 with the rule that keeps a named claim out; [`NotebookError::Store`].
pub fn add(
    store: &mut Store,
    which: Option<&str>,
    claims: &[String],
    now: Now,
) -> Result<Filled, NotebookError> {
    let envelope = batch::find(store, which, now)?;
    is_open(&envelope)?;
    let wanted = match claims {
        [] => approved(store)?,
        named => named.iter().map(|text| one(store, text)).collect::<Result<Vec<_>, _>>()?,
    };
    let mut filled = Filled { batch: envelope.batch.no.clone(), ..Filled::default() };
    let mut ops: Vec<NewOp> = Vec::new();
    let mut writes = Writes::default();
    let mut at = u32::try_from(envelope.batch.claims.len()).unwrap_or(u32::MAX);
    for id in wanted {
        let Some(document) = store.document(id)? else { continue };
        let Some(claim) = review::read(&document) else { continue };
        let name = review::name(&claim);
        match envelope.with_claim(store, (&document, &claim), "batch", now) {
            Ok(more) => ops.extend(more),
            Err(NotebookError::Refused(refusal)) if claims.is_empty() => {
                filled.left.push((id, name, *refusal));
                continue;
            }
            Err(error) => return Err(error),
        }
        at = at.saturating_add(1);
        writes.add(&BatchClaims {
            claim: Some(review::link(id)),
            claim_no: review::text(&name),
            at: Some(Count(at)),
        });
        filled.claims.push((id, name));
    }
    if !writes.is_empty() {
        ops.extend(review::on(&envelope.document, &BATCH, writes));
        store.save(ops, now)?;
    }
    Ok(filled)
}

/// Takes claims out of a batch that is not sealed.
///
/// # Errors
/// W-70 for a batch that is not open, W-71 for a claim that is not inside; [`NotebookError::Store`].
pub fn remove(
    store: &mut Store,
    which: Option<&str>,
    claims: &[String],
    now: Now,
) -> Result<Filled, NotebookError> {
    let envelope = batch::find(store, which, now)?;
    is_open(&envelope)?;
    let mut filled = Filled { batch: envelope.batch.no.clone(), ..Filled::default() };
    let mut writes = Writes::default();
    let mut ops = Vec::new();
    let standing = typed::standing::<BatchClaims>(&envelope.document);
    for text in claims {
        let id = one(store, text)?;
        let rows = standing.iter().filter(|(row, _)| row.claim == Some(review::link(id)));
        let names: Vec<_> = rows.map(|(_, name)| *name).collect();
        if names.is_empty() {
            return Err(Refusal::by("W-71").with("claim", text).with("batch", &filled.batch).into());
        }
        writes.remove::<BatchClaims>(names);
        let document = store.document(id)?;
        if let Some((document, claim)) = document.and_then(|document| {
            let claim = review::read(&document)?;
            Some((document, claim))
        }) {
            // One that was thrown away meanwhile is in no batch any more by its own history.
            if claim.state == claim_machine::BATCHED {
                ops.extend(envelope.with_claim(store, (&document, &claim), "unbatch", now)?);
            }
            filled.claims.push((id, review::name(&claim)));
        }
    }
    ops.extend(review::on(&envelope.document, &BATCH, writes));
    store.save(ops, now)?;
    Ok(filled)
}

/// Says why a number is not inside.
///
/// # Errors
/// W-70 for a batch that is not open, W-11 without words; [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-25.
pub fn explain(
    store: &mut Store,
    which: Option<&str>,
    no: &str,
    why: &str,
    now: Now,
) -> Result<Changed, NotebookError> {
    let envelope = batch::find(store, which, now)?;
    is_open(&envelope)?;
    if why.trim().is_empty() {
        return Err(Refusal::by("W-11").label("step", "缺号说明", "explain").with("code", no).into());
    }
    let mut writes = Writes::default();
    let old = typed::standing::<Explained>(&envelope.document);
    let same = |row: &Explained| row.claim_no.as_ref().is_some_and(|known| known.0 == no.trim());
    writes.remove::<Explained>(old.into_iter().filter(|(row, _)| same(row)).map(|(_, name)| name));
    writes.add(&Explained { claim_no: review::text(no), why: review::text(why) });
    let ops = store.save(review::on(&envelope.document, &BATCH, writes), now)?;
    Ok(Changed { id: envelope.document.id, op: ops.first().copied() })
}

fn is_open(envelope: &Envelope) -> Result<(), Refusal> {
    if envelope.batch.state == records::kinds::batch_machine::OPEN {
        return Ok(());
    }
    let states = records::kinds::batch_machine::BATCH.states;
    let state = states.get(usize::from(envelope.batch.state)).map_or(("", ""), |state| (state.zh, state.en));
    Err(Refusal::by("W-70").with("batch", &envelope.batch.no).label("state", state.0, state.1))
}

fn one(store: &Store, text: &str) -> Result<DocId, NotebookError> {
    Ok(finder::document(store, text, Wanted::Kind(number::CLAIM))?.0.id)
}

/// Returns the claims that the branch GM approved, by number.
fn approved(store: &Store) -> Result<Vec<DocId>, NotebookError> {
    let mut found = Vec::new();
    store.each(Some(number::CLAIM), &mut |document| {
        if document.state == claim_machine::GM_APPROVED
            && let Some(claim) = review::read(&document)
        {
            found.push((review::name(&claim), claim.id));
        }
        ControlFlow::Continue(())
    })?;
    found.sort();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}
