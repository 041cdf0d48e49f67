//! Sending a claim back to its claimant, with a reason, and with the lines that are meant.

use records::claim::guard::Given;
use records::kinds::approval::Approvals;
use records::kinds::claim::{CLAIM, LineReturns};
use records::value::Count;

use crate::clock::Now;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review::cut::reason;
use crate::notebook::review::{self, Decided, Reviewer};
use crate::notebook::state::Taken;
use crate::store::Store;

/// What to send back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBack {
    /// The claim.
    pub record: String,
    /// The lines that are meant, from 1; none: the whole claim.
    pub lines: Vec<u32>,
    /// One of the listed reasons; words may follow after a colon.
    pub reason: String,
    /// What else is said.
    pub note: String,
    /// For whom a delegate acts.
    pub principal: Option<String>,
}

/// Sends a claim back; its number stays, and the claimant submits it once more.
///
/// # Errors
/// W-62 with the rules that stand against it, W-63 for a reason that is not listed, W-64 where the claim has no such
/// line; [`NotebookError::Store`].
pub fn send_back(store: &mut Store, request: &SendBack, now: Now) -> Result<Decided, NotebookError> {
    let reviewer = Reviewer::of(store, request.principal.as_deref(), now)?;
    let opened = review::open(store, &request.record, &reviewer)?;
    let claim = &opened.claim;
    let (why, words) = reason(&request.reason)?;
    let note = [words.as_str(), request.note.trim()].join(" ").trim().to_owned();
    if let Some(n) = request.lines.iter().find(|n| claim.line(**n).is_none()) {
        let lines = claim.lines.iter().map(|line| line.n.to_string()).collect::<Vec<_>>();
        return Err(Refusal::by("W-64").with("line", n.to_string()).with("lines", lines.join(", ")).into());
    }
    let word = records::kinds::claim::CutReason::CHOICES.option(why.0).map_or("other", |option| option.0);
    let said = if note.is_empty() { word.to_owned() } else { format!("{word}: {note}") };
    let facts = reviewer.facts(store, claim)?;
    let step = opened.level.send_back;
    let given = Given { reason: said.clone(), ..Given::default() };
    review::ask(&opened, &reviewer, step, &given, &facts)?;
    let taken = Taken { step, reason: &said, ..Taken::default() };
    let row = Approvals { rev: review::rev(claim), note: review::text(&said), ..Approvals::default() };
    let document = (&CLAIM, &opened.document);
    let mut writes = review::decision(store, document, &reviewer, (opened.level.role, &taken), row, now)?;
    for n in &request.lines {
        writes.add(&LineReturns {
            line: Some(Count(*n)),
            step: review::text(step),
            reason: Some(why),
            note: review::text(&note),
            rev: review::rev(claim),
            at: Some(now.wall),
        });
    }
    let ops = store.save(review::on(&opened.document, &CLAIM, writes), now)?;
    Ok(review::decided((&CLAIM, claim.id, review::name(claim)), step, ops.last().copied()))
}
