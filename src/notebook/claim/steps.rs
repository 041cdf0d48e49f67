//! What a claimant does with a claim after its submission: take it back, throw it away, answer the auditor.

use records::claim::guard::{Actor, Given, guard};
use records::kinds::approval::Approvals;
use records::kinds::claim::{CLAIM, Questions};
use records::kinds::voucher_machine;
use records::value::{Count, Digest, Ref, Target, Text};
use sync_protocol::merge::Document;
use sync_protocol::merge::fingerprint::content_digest;

use crate::clock::Now;
use crate::notebook::claim::{draft, edit, facts, open};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::state::{self, Taken};
use crate::notebook::typed::Writes;
use crate::store::Store;
use crate::store::write::{NewOp, On};

use records::claim::view::Claim;

/// Takes a claim back that nobody has judged yet: it is open again, with its number, lines and vouchers.
///
/// # Errors
/// What [`state::decide`] refuses; [`NotebookError::Store`].
pub fn withdraw(store: &mut Store, record: &str, now: Now) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    let mut writes = Writes::default();
    writes.single(state::decide(store, &CLAIM, &document, &Taken { step: "withdraw", ..Taken::default() })?);
    let mut ops = Vec::new();
    for id in vouchers(&claim) {
        let voucher = store.document(id)?.filter(|voucher| voucher.state == voucher_machine::SUBMITTED);
        if let Some(voucher) = voucher {
            ops.push(draft::step(store, &voucher, "withdraw")?);
        }
    }
    save(store, &document, writes, ops, now)
}

/// Throws a claim away: its number stays explained by the reason, its vouchers are free for another one.
///
/// # Errors
/// What [`state::decide`] and the rules refuse; [`NotebookError::Store`].
pub fn void(store: &mut Store, record: &str, reason: &str, now: Now) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    let writes = judged(store, (&document, &claim), ("void", reason), now)?;
    let ops = edit::taken_off(store, &vouchers(&claim))?;
    save(store, &document, writes, ops, now)
}

/// Answers the auditor's question.
///
/// # Errors
/// What [`state::decide`] and the rules refuse; [`NotebookError::Store`].
pub fn answer(store: &mut Store, record: &str, text: &str, now: Now) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    let mut writes = judged(store, (&document, &claim), ("answer", text), now)?;
    writes.add(&Questions {
        text: Some(Text(text.trim().chars().take(1000).collect())),
        answer: Some(true),
        by: Some(Ref(Target::Doc(store.identity().enrolment.staff))),
        at: Some(now.wall),
    });
    save(store, &document, writes, Vec::new(), now)
}

/// Returns a decision and the row that says who took it, on which content.
fn judged(
    store: &Store,
    (document, claim): (&Document, &Claim),
    (step, reason): (&str, &str),
    now: Now,
) -> Result<Writes, NotebookError> {
    let mut writes = Writes::default();
    writes.single(state::decide(store, &CLAIM, document, &Taken { step, reason, ..Taken::default() })?);
    let enrolment = &store.identity().enrolment;
    let actor = Actor::new(enrolment.staff, enrolment.roles.iter().copied());
    let facts = facts::of(store, &[claim], now)?;
    let given = Given { reason: reason.to_owned(), ..Given::default() };
    if let Err(problem) = guard(claim, step, &actor, &given, &facts) {
        let points = vec![problem];
        return Err(Refusal { points, ..Refusal::by("W-57").with("code", document.id.code()) }.into());
    }
    writes.add(&Approvals {
        step: Some(Text(step.to_owned())),
        by: Some(Ref(Target::Doc(enrolment.staff))),
        rev: Some(Count(claim.submission.as_ref().map_or(0, |submission| submission.rev))),
        content: Some(Digest(content_digest(&[document]).to_vec())),
        note: Some(Text(reason.trim().chars().take(1000).collect())),
        at: Some(now.wall),
        ..Approvals::default()
    });
    Ok(writes)
}

fn vouchers(claim: &Claim) -> Vec<records::id::DocId> {
    let tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
    tickets.filter_map(|ticket| ticket.voucher).collect()
}

fn save(
    store: &mut Store,
    document: &Document,
    writes: Writes,
    more: Vec<NewOp>,
    now: Now,
) -> Result<Changed, NotebookError> {
    let mut ops = writes.into_ops(&CLAIM, On::Document(document.id));
    ops.extend(more);
    Ok(Changed { id: document.id, op: store.save(ops, now)?.first().copied() })
}
