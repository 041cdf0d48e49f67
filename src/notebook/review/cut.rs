//! Cutting a line: said now, counted with the reviewer's own approval.

use records::claim::guard::Given;
use records::claim::view::Cut as CutOf;
use records::kinds::claim::{CLAIM, CutReason, Cuts};
use records::money::Fen;
use records::value::{Count, Type};

use crate::clock::Now;
use crate::notebook::pair;
use crate::notebook::refusal::{NotebookError, Refusal, words};
use crate::notebook::review::{self, Opened, Reviewer};
use crate::notebook::set::Changed;
use crate::notebook::typed::Writes;
use crate::store::Store;

/// What to cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The claim.
    pub record: String,
    /// The line, from 1.
    pub line: u32,
    /// What is left of it; `None` takes the cut back.
    pub to: Option<Fen>,
    /// One of the listed reasons; words may follow after a colon.
    pub reason: String,
    /// For whom a delegate acts.
    pub principal: Option<String>,
}

/// What was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutDown {
    /// The claim and the op.
    pub changed: Changed,
    /// Its number.
    pub name: String,
    /// The line.
    pub line: u32,
    /// What was claimed.
    pub claimed: Fen,
    /// What is left; `None` where the cut was taken back.
    pub to: Option<Fen>,
}

/// Notes a cut for the level at which the claim waits; it counts once the same reviewer approves.
///
/// # Errors
/// W-62 with the rules that stand against it: C-14 for an amount that is no cut; W-63 for a reason that is not listed,
/// W-64 where the claim has no such line; [`NotebookError::Store`].
pub fn cut(store: &mut Store, request: &Cut, now: Now) -> Result<CutDown, NotebookError> {
    let reviewer = Reviewer::of(store, request.principal.as_deref(), now)?;
    let mut opened = review::open(store, &request.record, &reviewer)?;
    let Some(line) = opened.claim.line(request.line) else {
        let lines = opened.claim.lines.iter().map(|line| line.n.to_string()).collect::<Vec<_>>();
        let refusal = Refusal::by("W-64").with("line", request.line.to_string());
        return Err(refusal.with("lines", lines.join(", ")).into());
    };
    let claimed = line.claimed;
    let (reason, note) = match request.to {
        Some(_) => reason(&request.reason).map(|(reason, note)| (Some(reason), note))?,
        None => (None, String::new()),
    };
    if let Some(to) = request.to {
        may(store, &mut opened, &reviewer, (request.line, to, reason), now)?;
    }
    let mut writes = Writes::default();
    writes.add(&Cuts {
        line: Some(Count(request.line)),
        to: request.to,
        step: review::text(opened.level.cut),
        reason,
        note: review::text(&note),
        by: Some(review::link(reviewer.actor.staff)),
        rev: review::rev(&opened.claim),
        at: Some(now.wall),
    });
    let ops = store.save(review::on(&opened.document, &CLAIM, writes), now)?;
    Ok(CutDown {
        changed: Changed { id: opened.claim.id, op: ops.first().copied() },
        name: review::name(&opened.claim),
        line: request.line,
        claimed,
        to: request.to,
    })
}

/// Reads `wrong_amount` or `wrong_amount: the meter said less`.
///
/// # Errors
/// W-63 with the reasons that there are.
pub fn reason(text: &str) -> Result<(CutReason, String), Refusal> {
    let (word, note) = text.split_once([':', '：']).unwrap_or((text, ""));
    let index = CutReason::CHOICES.index(word.trim()).ok_or_else(|| {
        Refusal::by("W-63").with("reason", word.trim()).with("allowed", words(&CutReason::CHOICES))
    })?;
    Ok((CutReason(index), note.trim().to_owned()))
}

/// Reads an amount as a person types it.
///
/// # Errors
/// W-02.
pub fn amount(store: &Store, text: &str) -> Result<Fen, NotebookError> {
    let field = records::schema::Field { name: "to", ty: Type::Fen, unit: "", zh: "", en: "", since: 1 };
    match pair::value(&field, text, store.identity().enrolment.zone)? {
        Some(records::value::Value::Int(fen)) => Ok(Fen(fen)),
        _ => Err(Refusal::by("W-02").case("nothing").label("list", "核减", "cut").into()),
    }
}

/// Asks the rules as if the reviewer approved with this cut: what else he must give he gives then.
fn may(
    store: &Store,
    opened: &mut Opened,
    reviewer: &Reviewer,
    (line, to, reason): (u32, Fen, Option<CutReason>),
    now: Now,
) -> Result<(), NotebookError> {
    let facts = reviewer.facts(store, &opened.claim)?;
    let step = opened.level.cut;
    let by = Some(reviewer.actor.staff);
    opened.claim.cuts.retain(|cut| cut.line != line || cut.step != step || cut.by != by);
    let note = String::new();
    opened.claim.cuts.push(CutOf { line, to, step: step.to_owned(), reason, note, by, at: now.wall });
    let acks = facts.alerts.get(&opened.claim.id).cloned().unwrap_or_default();
    let vouchers = Some(opened.claim.voucher_count());
    review::ask(opened, reviewer, step, &Given { vouchers, acks, reason: String::new() }, &facts)?;
    Ok(())
}
