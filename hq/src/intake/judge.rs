//! The verdict on one op: is it readable, may its author write it, is the step possible.
//!
//! Source: docs/PROTOCOL.md, Verdicts and Reasons.

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, OpId};
use records::kinds::staff::Role;
use records::kinds::{self, number};
use records::machine::{Machine, Step, StepError};
use records::schema::{Class, Group, Kind, Writer};
use records::value::payload;
use sync_protocol::merge::past::History;
use sync_protocol::merge::{Document, Judged, Lines, Standing, fold};
use sync_protocol::op::{Row, Write};
use sync_protocol::reason;
use sync_protocol::ruling::Verdict;

use crate::intake::work::people;

/// The high bit of a kind: a reader must understand it.
const MUST_UNDERSTAND: u16 = 1 << 15;

/// The kinds that cost money, vouchers aside: of those the rules of claims are asked too.
pub(super) const MONEY: [u16; 7] = [
    number::CLAIM,
    number::TRIP,
    number::BATCH,
    number::PAYMENT,
    number::CASE,
    number::EXCEPTION,
    number::ALERT,
];

/// Who wrote an op, as HQ knows him when it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The device's owner; `None` for HQ itself.
    pub staff: Option<DocId>,
    /// His roles.
    pub roles: Vec<Role>,
    /// In whose place he may act, in which role; on which days is asked with the step.
    pub acts_for: Vec<(DocId, Role)>,
    /// Where those work for whom he may act, by branch.
    pub stands_in: Vec<(DocId, u32)>,
    /// His branch.
    pub branch: u32,
    /// Whether HQ itself wrote it.
    pub hq: bool,
}

/// An op and all that its verdict depends on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Its name.
    pub id: OpId,
    /// What it says.
    pub row: &'a Row,
    /// Who says it.
    pub author: &'a Author,
    /// The document before it; `None` where this op creates it.
    pub document: Option<&'a Document>,
    /// The document's ops before it.
    pub ops: &'a [Judged],
    /// Where their lines hang.
    pub lines: &'a Lines,
    /// The document's own people.
    pub people: &'a [DocId],
    /// The document's branch; 0: the company's.
    pub scope: u32,
}

/// A refusal with its stable code; `what` names a field, a group, a step.
fn refused(code: u16, what: &str) -> Verdict {
    Verdict::Quarantined { code, text: what.to_owned(), retryable: code == reason::NEWER }
}

/// Returns the verdict on an op whose past HQ holds.
#[must_use]
pub fn judge(case: &Case<'_>) -> Verdict {
    check(case).err().unwrap_or(Verdict::Accepted)
}

fn check(case: &Case<'_>) -> Result<(), Verdict> {
    let creation = case.ops.iter().find(|op| op.row.doc.is_none());
    if let Some(judgement) = creation.and_then(|op| op.judgement.as_ref())
        && !judgement.verdict.stands()
    {
        return Err(judgement.verdict.clone());
    }
    if case.document.is_some_and(|document| document.kind != case.row.kind) {
        return Err(refused(reason::OTHER_KIND, ""));
    }
    if case.author.staff.is_none() && !case.author.hq {
        return Err(refused(reason::NO_AUTHOR, ""));
    }
    let Some(kind) = kinds::by_number(case.row.kind) else {
        // Kept and passed on by a build that cannot read it, unless it says that this is not enough.
        let must = case.row.kind & MUST_UNDERSTAND != 0;
        return if must { Err(refused(reason::NEWER, "kind")) } else { Ok(()) };
    };
    reach(case, kind)?;
    for write in &case.row.writes {
        group(case, kind, write)?;
    }
    Ok(())
}

/// May this author write on this document at all?
fn reach(case: &Case<'_>, kind: &Kind) -> Result<(), Verdict> {
    let author = case.author;
    if author.hq {
        return Ok(());
    }
    if case.document.is_none() {
        // Whoever may say what it is called may create it: staff, units, templates and devices are HQ's.
        let named = kind.title.iter().filter_map(|field| kind.field(field));
        let creates = named.into_iter().any(|(group, _)| group.writer == Writer::Scope);
        return if creates { Ok(()) } else { Err(refused(reason::ONLY_HQ, kind.name)) };
    }
    let branch = case.scope == author.branch && author.roles.iter().any(|role| works_in_branch(case, *role));
    if branch || case.scope == 0 || own(case) || stands_in(case) {
        Ok(())
    } else {
        Err(refused(reason::SCOPE, kind.name))
    }
}

/// Whoever does more in his branch than field work sees the branch, and may write there; on what costs money only who
/// reviews it, beside the step that is his.
///
/// Source: docs/RULES.md, Claims at headquarters.
fn works_in_branch(case: &Case<'_>, role: Role) -> bool {
    let reviews = [Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER, Role::SALES_VP];
    let money = case.row.kind == number::VOUCHER || MONEY.contains(&case.row.kind);
    if money && case.row.write(DECISION_TAG).is_none() {
        return reviews.contains(&role);
    }
    ![Role::ENGINEER, Role::VIEWER].contains(&role)
}

/// Does he decide in the place of somebody who works in the document's branch? Roles and days are asked with the step.
fn stands_in(case: &Case<'_>) -> bool {
    let bytes = case.row.write(DECISION_TAG);
    let decision = bytes.and_then(|bytes| postcard::from_bytes::<Decision>(bytes).ok());
    let principal = decision.and_then(|decision| decision.on_behalf_of);
    principal.is_some_and(|principal| case.author.stands_in.contains(&(principal, case.scope)))
}

/// Is the document one of the author's, now or as he last saw it? Who worked on while the office gave it to another
/// one did nothing wrong.
fn own(case: &Case<'_>) -> bool {
    let Some(staff) = case.author.staff else {
        return false;
    };
    case.people.contains(&staff) || people_then(case).is_some_and(|people| people.contains(&staff))
}

/// Returns the document's people as the author last saw it.
fn people_then(case: &Case<'_>) -> Option<Vec<DocId>> {
    let all = with(case);
    let history = History::of(&all, case.lines).ok()?;
    let past = past(case, &history)?;
    let then = fold(&past, case.lines).ok()?;
    Some(people(&then, &past, None))
}

/// Returns the document's ops that an op's author had seen, and what they made; a new document has none.
#[must_use]
pub fn seen_by_author(case: &Case<'_>) -> (Vec<Judged>, Option<Document>) {
    let all = with(case);
    let past =
        History::of(&all, case.lines).ok().and_then(|history| past(case, &history)).unwrap_or_default();
    let document = fold(&past, case.lines).ok();
    (past, document)
}

/// Returns what the author had seen of the document.
fn past(case: &Case<'_>, history: &History<'_>) -> Option<Vec<Judged>> {
    let this = history.find(case.id)?;
    let seen = |id: OpId| history.find(id).is_some_and(|op| history.covers(this, op));
    Some(case.ops.iter().filter(|op| seen(op.id)).cloned().collect())
}

fn group(case: &Case<'_>, kind: &Kind, write: &Write) -> Result<(), Verdict> {
    let Some(group) = kind.group(write.tag.number()) else {
        // Nobody says who may take a step of a newer version's machine; anything else is kept and passed on.
        let decides = write.tag.class() == Some(Class::Decision);
        return if decides { Err(refused(reason::NEWER, "step")) } else { Ok(()) };
    };
    if group.tag() != write.tag {
        return Err(refused(reason::MALFORMED, group.name));
    }
    if group.writer == Writer::Hq && !case.author.hq {
        return Err(refused(reason::ONLY_HQ, group.name));
    }
    // A newer schema may hold values that this build cannot read. It opens no way around a seal or a role.
    let newer = case.row.schema > kind.schema;
    if write.tag == DECISION_TAG {
        let unreadable = if newer { reason::NEWER } else { reason::MALFORMED };
        let decision: Decision =
            postcard::from_bytes(&write.bytes).map_err(|_| refused(unreadable, group.name))?;
        let machine = kind.machine.ok_or_else(|| refused(reason::STEP, ""))?;
        return decide(case, machine, &decision);
    }
    if !newer {
        values(group, case.row.schema, write)?;
    }
    if group.frozen && sealed(case, kind) { Err(refused(reason::FROZEN, group.name)) } else { Ok(()) }
}

/// Are the bytes those of the table, and every value within its type's range?
fn values(group: &Group, schema: u8, write: &Write) -> Result<(), Verdict> {
    if group.class == Class::Decision {
        return Err(refused(reason::MALFORMED, group.name));
    }
    let rows = payload::rows_at(group, schema, &write.bytes);
    let rows = rows.map_err(|_| refused(reason::MALFORMED, group.name))?;
    for row in &rows {
        for (field, value) in group.fields.iter().zip(row) {
            let sound = value.as_ref().is_none_or(|value| value.check(field.ty).is_ok());
            if !sound {
                return Err(refused(reason::RANGE, field.name));
            }
        }
    }
    Ok(())
}

/// Is a seal that stands in this op's past?
fn sealed(case: &Case<'_>, kind: &Kind) -> bool {
    let Some((document, machine)) = case.document.zip(kind.machine) else {
        return false;
    };
    let seals = |step| machine.step_at(step).is_some_and(|step| step.seals);
    let standing = |standing| matches!(standing, Standing::Stands | Standing::Stale | Standing::Contested);
    let mut found =
        document.decisions.iter().filter(|ruled| seals(ruled.step) && standing(ruled.standing)).peekable();
    if found.peek().is_none() {
        return false;
    }
    let all = with(case);
    let Ok(history) = History::of(&all, case.lines) else {
        return false;
    };
    let Some(this) = history.find(case.id) else {
        return false;
    };
    let covered = found.any(|seal| history.find(seal.op).is_some_and(|seal| history.covers(this, seal)));
    // A claim that was sent back is open again, until it is submitted once more.
    let open_again = || {
        let then = past(case, &history).and_then(|past| fold(&past, case.lines).ok());
        then.is_some_and(|then| machine.opens(then.state))
    };
    covered && !open_again()
}

/// The document's ops and this one.
fn with(case: &Case<'_>) -> Vec<Judged> {
    let mut all = case.ops.to_vec();
    all.push(Judged { id: case.id, row: case.row.clone(), judgement: None });
    all
}

fn decide(case: &Case<'_>, machine: &Machine, decision: &Decision) -> Result<(), Verdict> {
    let Some(step) = machine.step_at(decision.step) else {
        return Err(refused(reason::NEWER, "step"));
    };
    entitled(case, step, decision)?;
    let now = case.document.map_or(0, |document| document.state);
    match machine.apply(now, decision) {
        Ok(_) => open_conflict(case, step),
        Err(StepError::NotFromHere { .. }) => from_the_past(case, machine, step, decision),
        Err(StepError::Unknown { .. }) => Err(refused(reason::NEWER, step.name)),
        Err(
            StepError::NeedsReason
            | StepError::NotAReason { .. }
            | StepError::NeedsColleague
            | StepError::NeedsPick,
        ) => Err(refused(reason::INCOMPLETE, step.name)),
    }
}

fn entitled(case: &Case<'_>, step: &Step, decision: &Decision) -> Result<(), Verdict> {
    let author = case.author;
    if author.hq {
        return Ok(());
    }
    if step.who.is_empty() {
        return Err(refused(reason::ONLY_HQ, step.name));
    }
    let held = match decision.on_behalf_of {
        Some(principal) => author.acts_for.contains(&(principal, decision.role)),
        None => author.roles.contains(&decision.role),
    };
    let own = case.document.is_none() || own(case);
    if held && step.is_for(decision.role, own) { Ok(()) } else { Err(refused(reason::ROLE, step.name)) }
}

/// The document has moved on: was the step possible from what its author saw, and is it still in time?
fn from_the_past(
    case: &Case<'_>,
    machine: &Machine,
    step: &Step,
    decision: &Decision,
) -> Result<(), Verdict> {
    let impossible = || refused(reason::STEP, step.name);
    let all = with(case);
    let history = History::of(&all, case.lines).map_err(|_| impossible())?;
    let past = past(case, &history).ok_or_else(impossible)?;
    let seen = |id: OpId| past.iter().any(|op| op.id == id);
    let then = fold(&past, case.lines).map_or(0, |document| document.state);
    if machine.apply(then, decision).is_err() {
        return Err(impossible());
    }
    let decisions = case.document.map_or(&[][..], |document| &document.decisions);
    let unseen: Vec<usize> = decisions
        .iter()
        .filter(|ruled| ruled.standing == Standing::Stands && !seen(ruled.op))
        .filter_map(|ruled| history.find(ruled.op))
        .collect();
    let built_on =
        unseen.iter().any(|later| unseen.iter().any(|on| later != on && history.covers(*later, *on)));
    if built_on { Err(Verdict::TooLate) } else { Ok(()) }
}

/// Nobody closes or judges content over a conflict that he saw.
fn open_conflict(case: &Case<'_>, step: &Step) -> Result<(), Verdict> {
    let Some(document) = case.document.filter(|_| step.seals || step.apart) else {
        return Ok(());
    };
    let open = document
        .registers
        .iter()
        .filter(|(tag, register)| tag.class() == Some(Class::Contested) && !register.others.is_empty());
    let mut written: Vec<Vec<OpId>> = Vec::new();
    for (_, register) in open {
        written.push(register.others.iter().chain([&register.value]).map(|value| value.op).collect());
    }
    if written.is_empty() {
        return Ok(());
    }
    let all = with(case);
    let Ok(history) = History::of(&all, case.lines) else {
        return Ok(());
    };
    let Some(this) = history.find(case.id) else {
        return Ok(());
    };
    let seen = |id: &OpId| history.find(*id).is_some_and(|op| history.covers(this, op));
    let settled_for_him = written.iter().all(|ops| !ops.iter().all(seen));
    if settled_for_him { Ok(()) } else { Err(refused(reason::CONFLICT, step.name)) }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
