//! In which state a record is, and which steps lead on from it.

use records::decision::{DECISION_TAG, Decision};
use records::id::DocId;
use records::kinds::staff::Role;
use records::machine::{Machine, State, Step, StepError};
use records::schema::Kind;
use records::value::{Target, Value};
use sync_protocol::merge::{Document, Standing};
use sync_protocol::op::Write;

use crate::notebook::refusal::{NotebookError, Refusal, words};
use crate::store::Store;

/// Returns the state of a document; `None` where its kind has none, or a newer version named it.
#[must_use]
pub fn of(kind: &Kind, document: &Document) -> Option<&'static State> {
    kind.machine?.states.get(usize::from(document.state))
}

/// Returns whether a seal stands on the document; one that was sent back is open again.
#[must_use]
pub fn is_sealed(kind: &Kind, document: &Document) -> bool {
    if kind.machine.is_some_and(|machine| machine.opens(document.state)) {
        return false;
    }
    let seals = |step| kind.machine.and_then(|machine| machine.step_at(step)).is_some_and(|step| step.seals);
    let stands = |standing| matches!(standing, Standing::Stands | Standing::Stale | Standing::Contested);
    document.decisions.iter().any(|ruled| seals(ruled.step) && stands(ruled.standing))
}

/// Returns the refusal of a change to a sealed record (W-06).
#[must_use]
pub fn closed(document: &Document) -> Refusal {
    Refusal::by("W-06").with("code", document.id.code())
}

/// What a step needs beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken<'a> {
    /// The step's name.
    pub step: &'a str,
    /// The reason, where the step asks for one.
    pub reason: &'a str,
    /// The colleague, where the step names one.
    pub to: Option<DocId>,
    /// Of two rival decisions the one that stands.
    pub picks: Option<records::id::OpId>,
}

/// Returns the decision that takes a step now, as a write.
///
/// # Errors
/// W-07 where the state does not allow it, W-08 without the role, W-09 where it is somebody else's record,
/// W-10 where it is one's own, W-11 without a reason.
pub fn decide(
    store: &Store,
    kind: &'static Kind,
    document: &Document,
    taken: &Taken<'_>,
) -> Result<Write, NotebookError> {
    let (_, _, step) = step_of(kind, document, taken.step)?;
    let role = role(store, kind, document, step)?;
    Ok(decide_as(store, kind, document, taken, (role, None))?)
}

/// Returns the decision that takes a step now in that role, where a delegate acts for his principal, as a write. Whether
/// he may is asked before.
///
/// # Errors
/// W-07 where the state does not allow it, W-11 without a reason.
pub fn decide_as(
    store: &Store,
    kind: &'static Kind,
    document: &Document,
    taken: &Taken<'_>,
    (role, on_behalf_of): (Role, Option<DocId>),
) -> Result<Write, Refusal> {
    let (machine, index, step) = step_of(kind, document, taken.step)?;
    let decision = Decision {
        step: index,
        role,
        on_behalf_of,
        to: taken.to,
        reason: taken.reason.trim().to_owned(),
        saw: saw(store, document),
        picks: taken.picks,
    };
    machine.apply(document.state, &decision).map_err(|error| refused(machine, document, step, error))?;
    // Serialising plain data into a growing vector has no way to fail.
    Ok(Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap_or_default() })
}

fn step_of(
    kind: &Kind,
    document: &Document,
    name: &str,
) -> Result<(&'static Machine, records::machine::Index, &'static Step), Refusal> {
    let none = || Refusal::by("W-07").case("none").with("step", name).with("code", document.id.code());
    let machine = kind.machine.ok_or_else(none)?;
    let (index, step) = machine.step(name).ok_or_else(none)?;
    Ok((machine, index, step))
}

/// What the author saw of the content; left out where he alone wrote everything.
fn saw(store: &Store, document: &Document) -> Option<[u8; 16]> {
    let own = store.identity().enrolment.replica;
    let alone = document.ops.iter().all(|op| op.replica == own);
    (!alone).then(|| sync_protocol::merge::fingerprint::content_digest(&[document]))
}

fn role(store: &Store, kind: &Kind, document: &Document, step: &Step) -> Result<Role, NotebookError> {
    let mine = is_mine(store, kind, document)?;
    let roles = &store.identity().enrolment.roles;
    if let Some(role) = roles.iter().find(|role| step.is_for(**role, mine)) {
        return Ok(*role);
    }
    Err(not_for(step, roles, &document.id.code()).into())
}

/// Returns why a step is not for somebody with these roles (W-08, W-09, W-10).
#[must_use]
pub fn not_for(step: &Step, roles: &[Role], code: &str) -> Refusal {
    let rule = if !roles.iter().any(|role| step.who.contains(role)) {
        let who: Vec<&str> =
            step.who.iter().filter_map(|role| Some(Role::CHOICES.option(role.0)?.0)).collect();
        Refusal::by("W-08").with("roles", who.join(", "))
    } else if step.own {
        Refusal::by("W-09")
    } else {
        Refusal::by("W-10")
    };
    rule.label("step", step.zh, step.en).with("code", code)
}

/// Returns whether the record is one's own: one wrote it, it names one, or a colleague's decision does.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn is_mine(store: &Store, kind: &Kind, document: &Document) -> Result<bool, NotebookError> {
    let enrolment = &store.identity().enrolment;
    if document.id.0.replica == enrolment.replica || concerns_me(store, kind, document) {
        return Ok(true);
    }
    // The author may have written it on another of his devices.
    let people = crate::notebook::people::People::read(store)?;
    let author = people.staff(document.id.0.replica);
    Ok(author == Some(enrolment.staff) || is_named(store, document)?)
}

/// Returns whether the record names the person of this device among the staff whom its kind says it concerns.
#[must_use]
pub fn concerns_me(store: &Store, kind: &Kind, document: &Document) -> bool {
    let enrolment = &store.identity().enrolment;
    let me = |value: &Value| match value {
        Value::Ref(Target::Doc(id)) => *id == enrolment.staff,
        Value::Ref(Target::Text(text)) => *text == enrolment.staff_code,
        _ => false,
    };
    kind.concerns.iter().any(|(number, at)| {
        let Some(group) = kind.group(*number) else {
            return false;
        };
        crate::notebook::rows::of(group, document)
            .iter()
            .any(|row| row.values.get(*at).and_then(Option::as_ref).is_some_and(me))
    })
}

/// Returns whether a colleague's decision names the person of this device: a job was handed over to him.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn is_named(store: &Store, document: &Document) -> Result<bool, NotebookError> {
    let enrolment = &store.identity().enrolment;
    let decisions = store.ops(document.id)?;
    Ok(decisions
        .iter()
        .filter_map(|op| decision(op.row.write(DECISION_TAG)?))
        .any(|d| d.to == Some(enrolment.staff)))
}

/// Reads a decision's bytes; `None` for one of a newer version.
#[must_use]
pub fn decision(bytes: &[u8]) -> Option<Decision> {
    postcard::from_bytes(bytes).ok()
}

/// Returns the steps that the person of this device may take now, but for those that only settle a conflict.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn open_steps(
    store: &Store,
    kind: &'static Kind,
    document: &Document,
) -> Result<Vec<&'static Step>, NotebookError> {
    let Some(machine) = kind.machine else { return Ok(Vec::new()) };
    let mine = is_mine(store, kind, document)?;
    let roles = &store.identity().enrolment.roles;
    let open = machine.steps.iter().filter(|step| step.from.contains(&document.state) && !step.picks);
    Ok(open.filter(|step| roles.iter().any(|role| step.is_for(*role, mine))).collect())
}

fn refused(machine: &Machine, document: &Document, step: &Step, error: StepError) -> Refusal {
    let state = machine.states.get(usize::from(document.state));
    let (zh, en) = state.map_or(("", ""), |state| (state.zh, state.en));
    let refusal = |rule| Refusal::by(rule).label("step", step.zh, step.en).with("code", document.id.code());
    match error {
        StepError::Unknown { .. } | StepError::NotFromHere { .. } => refusal("W-07").label("state", zh, en),
        StepError::NeedsReason => refusal("W-11"),
        StepError::NotAReason { list } => refusal("W-11").case("list").with("allowed", words(list)),
        StepError::NeedsColleague => refusal("W-21"),
        StepError::NeedsPick => refusal("W-24"),
    }
}
