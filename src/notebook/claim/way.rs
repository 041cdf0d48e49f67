//! The whole way of a claim: who decided what, what was cut and why, and when it will be paid at the latest.

use std::collections::BTreeMap;

use records::claim::clocks::{self, Clock, What};
use records::claim::facts::Facts;
use records::claim::view::{Approval, Claim};
use records::id::{DocId, OpId};
use records::kinds::approval::Approvals;
use records::kinds::claim::CutReason;
use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::{claim_machine as at, number, org};
use records::machine::{State, Step};
use records::money::Fen;
use records::policy::{due, what_if};
use records::time::{Day, Ts};
use records::value::Value;
use records::value::text::Lang;
use sync_protocol::merge::{Document, Standing};

use crate::clock::Now;
use crate::notebook::claim::check::{Checked, judged};
use crate::notebook::claim::{CLAIMS, facts, open};
use crate::notebook::refusal::NotebookError;
use crate::notebook::show::{self, Shown};
use crate::notebook::{rows, state, typed};
use crate::store::Store;
use crate::store::error::StoreError;

/// Days in the mail where the branch names none.
const TRANSIT_DAYS: u8 = 3;

/// The whole way of a claim.
#[derive(Debug, Clone)]
pub struct Way {
    /// The record as it stands.
    pub shown: Shown,
    /// What the rules say of it.
    pub checked: Checked,
    /// Every decision with its person, in order.
    pub steps: Vec<Stepped>,
    /// What reviewers cut.
    pub cuts: Vec<Told>,
    /// What reviewers sent back.
    pub returns: Vec<Told>,
    /// Its clocks that have started.
    pub clocks: Vec<Clock>,
    /// Requests for exceptions that name it, and where each is.
    pub exceptions: Vec<Asked>,
    /// The last day on which it is paid when everybody takes the whole of his time; `None` where it is not paid.
    pub paid_by: Option<Day>,
    /// When it was paid.
    pub paid_on: Option<Day>,
}

/// A request for an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub id: DocId,
    /// From what.
    pub kind: Option<ExceptionKind>,
    /// Where it is.
    pub state: Option<&'static State>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// The op.
    pub op: OpId,
    /// The step; `None` for one of a newer version.
    pub step: Option<&'static Step>,
    /// Who took it.
    pub by: String,
    /// For whom, where he was a delegate.
    pub on_behalf_of: Option<String>,
    /// When.
    pub at: Ts,
    /// What he said.
    pub reason: String,
    /// What became of it.
    pub standing: Standing,
}

/// What a reviewer said of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which line.
    pub line: u32,
    /// In which step.
    pub step: String,
    /// What was claimed there.
    pub claimed: Fen,
    /// What is left, for a cut.
    pub to: Option<Fen>,
    /// Why.
    pub reason: Option<CutReason>,
    /// Why, in words.
    pub note: String,
}

/// Returns the way of a claim.
///
/// # Errors
/// What [`open`] refuses.
pub fn way(store: &Store, record: &str, lang: Lang, now: Now) -> Result<Way, NotebookError> {
    let (document, claim) = open(store, record)?;
    let shown = show::show(store, &document.id.to_string(), CLAIMS, lang)?;
    let facts = facts::of(store, &[&claim], now)?;
    let clocks = clocks::clocks(&claim, &facts);
    let checked = judged(claim, &facts);
    let claim = &checked.claim;
    let steps = steps(store, &document, &shown)?;
    let paid_on = paid_on(claim, &facts);
    let transit = transit(store)?;
    let paid_by = if paid_on.is_some() { None } else { paid_by(&checked, &clocks, transit, &facts) };
    let claimed = |n: u32| claim.line(n).map_or(Fen(0), |line| line.claimed);
    let cuts = claim.cuts.iter().map(|cut| Told {
        line: cut.line,
        step: cut.step.clone(),
        claimed: claimed(cut.line),
        to: Some(cut.to),
        reason: cut.reason,
        note: cut.note.clone(),
    });
    let returns = claim.line_returns.iter().map(|back| Told {
        line: back.line,
        step: back.step.clone(),
        claimed: claimed(back.line),
        to: None,
        reason: back.reason,
        note: back.note.clone(),
    });
    let (cuts, returns) = (cuts.collect(), returns.collect());
    let exceptions = exceptions(store, claim.id)?;
    Ok(Way { shown, steps, cuts, returns, clocks, exceptions, paid_by, paid_on, checked })
}

/// The decisions, each with the person whom its own row names: at headquarters one log writes for many.
fn steps(store: &Store, document: &Document, shown: &Shown) -> Result<Vec<Stepped>, StoreError> {
    let approvals: BTreeMap<OpId, Approval> = typed::standing::<Approvals>(document)
        .into_iter()
        .map(|(row, (op, _))| (op, Approval::of(row)))
        .collect();
    let mut steps = Vec::new();
    for decided in &shown.decisions {
        let approval = approvals.get(&decided.op);
        let by = match approval.and_then(|approval| approval.by) {
            Some(staff) => show::name(store, staff)?,
            None => decided.by.clone(),
        };
        let principal = approval.and_then(|approval| approval.on_behalf_of);
        steps.push(Stepped {
            op: decided.op,
            step: decided.step,
            by,
            on_behalf_of: principal.map(|staff| show::name(store, staff)).transpose()?,
            at: approval.map_or(decided.at, |approval| approval.at),
            reason: decided.reason.clone(),
            standing: decided.standing,
        });
    }
    Ok(steps)
}

/// Returns the requests for exceptions that name a claim.
fn exceptions(store: &Store, claim: DocId) -> Result<Vec<Asked>, StoreError> {
    let mut found = Vec::new();
    store.each(Some(number::EXCEPTION), &mut |document| {
        let ask = rows::record(&EXCEPTION, &document).get::<Ask>().unwrap_or_default();
        if ask.claim.as_ref().and_then(records::value::Ref::doc) == Some(claim) {
            let state = state::of(&EXCEPTION, &document);
            found.push(Asked { id: document.id, kind: ask.kind_of, state });
        }
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Returns the days that the branch's mail takes.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn transit(store: &Store) -> Result<u8, StoreError> {
    let unit = store.document(store.identity().enrolment.unit)?;
    let days = unit.and_then(|unit| rows::value(&org::ORG, &unit, "transit_days"));
    Ok(match days {
        Some(Value::Int(days)) => u8::try_from(days).unwrap_or(TRANSIT_DAYS),
        _ => TRANSIT_DAYS,
    })
}

/// Returns the day of the payment.
#[must_use]
pub fn paid_on(claim: &Claim, facts: &Facts) -> Option<Day> {
    let paid = matches!(claim.state, at::PAID | at::CLOSED);
    let step = claim.approvals.iter().rev().find(|approval| approval.step == "pay");
    step.filter(|_| paid).map(|approval| approval.at.day(facts.policy.zone))
}

/// Returns the last day on which a claim is paid when everybody from now on takes the whole of his time.
///
/// Source: docs/RULES.md P-21 to P-24.
#[must_use]
pub fn paid_by(checked: &Checked, clocks: &[Clock], transit: u8, facts: &Facts) -> Option<Day> {
    let gone = [at::REJECTED, at::VOID, at::FROZEN, at::PAID, at::CLOSED];
    if gone.contains(&checked.claim.state) {
        return None;
    }
    let (policy, calendar) = (&facts.policy, &facts.calendar);
    let clock = |what| clocks.iter().find(|clock| clock.what == what);
    if let Some(finance) = clock(What::Finance).filter(|_| checked.claim.state == at::FIN_RECEIVED) {
        return finance.due;
    }
    // A step that is late is done today at the earliest.
    let end = |clock: &Clock| clock.done.unwrap_or_else(|| clock.due.unwrap_or(facts.today).max(facts.today));
    let Some(audit) = clock(What::Audit) else {
        let sent = checked.goes_with.as_ref()?.due.max(facts.today);
        return Some(what_if::course(sent, transit, policy, calendar).paid);
    };
    let audited = end(audit);
    let after = |clock: Option<&Clock>, day: Option<Day>, before: Day| {
        clock
            .filter(|clock| clock.started >= before || clock.done.is_some())
            .map_or(day.unwrap_or(before), end)
    };
    let mut approved = after(clock(What::Manager), due::manager(audited, policy, calendar).day, audited);
    if checked.vp {
        approved = after(clock(What::Vp), due::vp(approved, policy, calendar).day, approved);
    }
    let payment = due::finance(approved.max(facts.today), policy, calendar);
    Some(payment.due.unwrap_or(payment.accepted))
}
