//! The supervisor's and the branch GM's side: what waits for them, and what they decide of it, offline too.
//!
//! Reading order: this file says who reviews at which level and what he knows; then [`waiting`] and [`view`], then one
//! file a decision: [`approve`], [`send_back`], [`cut`], [`summary`], [`alarm`], [`paper`]; [`differ`] and [`told`] say what became
//! of a decision that met another one.

pub mod alarm;
pub mod approve;
pub mod clean;
pub mod cut;
pub mod differ;
pub mod facts;
pub mod paper;
pub mod send_back;
pub mod summary;
#[cfg(test)]
pub(crate) mod tests;
pub mod told;
pub mod view;
pub mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;

use records::claim::guard::{Actor, Given, guard};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::claim::CLAIM;
use records::kinds::staff::Role;
use records::kinds::{claim_machine, number};
use records::machine::Index;
use records::problems::Problem;
use records::schema::Kind;
use records::time::Day;
use records::value::{Count, Digest, Ref, Target, Text};
use sync_protocol::merge::Document;
use sync_protocol::merge::fingerprint::content_digest;

use crate::clock::Now;
use crate::notebook::claim::facts::Beside;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review::facts::Anomaly;
use crate::notebook::rows;
use crate::notebook::state::{self, Taken};
use crate::notebook::terms::Terms;
use crate::notebook::typed::Writes;
use crate::store::Store;

/// Somebody who reviews, and what holds in his company.
#[derive(Debug, Clone)]
pub struct Reviewer {
    /// Who acts, and for whom.
    pub actor: Actor,
    /// Policy, people, ceilings.
    pub terms: Terms,
    /// The anomalies that nobody answered yet, by claim.
    pub anomalies: BTreeMap<DocId, Vec<Anomaly>>,
    /// What stands beside every claim.
    pub beside: Arc<Beside>,
    /// The day.
    pub today: Day,
}

/// One level of the review of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// In which state a claim waits for it.
    pub from: Index,
    /// Who decides.
    pub role: Role,
    /// The step that finds everything in order.
    pub approve: &'static str,
    /// The step that finds it in order with cuts.
    pub cut: &'static str,
    /// The step that sends it back.
    pub send_back: &'static str,
}

/// The levels of a branch, the first before the second.
pub const LEVELS: [Level; 2] = [
    Level {
        from: claim_machine::SUBMITTED,
        role: Role::SUPERVISOR,
        approve: "sup_approve",
        cut: "sup_cut",
        send_back: "sup_return",
    },
    Level {
        from: claim_machine::SUP_APPROVED,
        role: Role::BRANCH_GM,
        approve: "gm_approve",
        cut: "gm_cut",
        send_back: "gm_return",
    },
];

/// A claim as a reviewer opens it.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The document.
    pub document: Document,
    /// The claim.
    pub claim: Claim,
    /// At which level it is decided.
    pub level: Level,
}

impl Reviewer {
    /// Returns the person of this device, acting for `principal` where one is named by code or id.
    ///
    /// # Errors
    /// W-60 for a principal who is not known here; [`NotebookError::Store`].
    pub fn of(store: &Store, principal: Option<&str>, now: Now) -> Result<Self, NotebookError> {
        let terms = Terms::read(store)?;
        let enrolment = &store.identity().enrolment;
        let known = terms.people.staff.get(&enrolment.staff).map(|person| person.roles.clone());
        let roles = known.filter(|roles| !roles.is_empty());
        let roles = roles.unwrap_or_else(|| enrolment.roles.iter().copied().collect());
        let mut actor = Actor::new(enrolment.staff, roles);
        if let Some(text) = principal {
            let found = find::linked(store, number::STAFF, text)?;
            actor = actor.on_behalf_of(found.ok_or_else(|| Refusal::by("W-60").with("staff", text))?);
        }
        let anomalies = facts::anomalies(store)?;
        let beside = Arc::new(Beside::read(store)?);
        Ok(Self { actor, terms, anomalies, beside, today: now.wall.day(enrolment.zone) })
    }

    /// Returns the same person acting for a principal, or for himself.
    #[must_use]
    pub fn acting_for(&self, principal: Option<DocId>) -> Self {
        Self { actor: Actor { on_behalf_of: principal, ..self.actor.clone() }, ..self.clone() }
    }

    /// Returns for whom he may act today: nobody named, so himself, first.
    #[must_use]
    pub fn principals(&self) -> Vec<Option<DocId>> {
        let delegated = self.terms.people.delegations.iter();
        let mine = delegated.filter(|given| given.to == self.actor.staff && given.holds_on(self.today));
        std::iter::once(None).chain(mine.map(|given| Some(given.from))).collect()
    }

    /// Returns the level at which he decides on a claim in that state; where it is another's turn, the level at which
    /// he would, so that the rules say why he does not.
    #[must_use]
    pub fn level(&self, state: Index) -> Level {
        let [supervisor, gm] = LEVELS;
        if state == supervisor.from {
            return supervisor;
        }
        let leads = self.terms.people.holds(self.actor.principal(), Role::BRANCH_GM);
        if state == gm.from || leads { gm } else { supervisor }
    }
}

/// Opens a claim for a reviewer.
///
/// # Errors
/// What [`find::document`] refuses; W-61 where its first part is not here yet.
pub fn open(store: &Store, text: &str, reviewer: &Reviewer) -> Result<Opened, NotebookError> {
    let (document, _) = find::document(store, text, Wanted::Kind(number::CLAIM))?;
    let claim = read(&document).ok_or_else(|| Refusal::by("W-61").with("code", document.id.code()))?;
    let level = reviewer.level(document.state);
    Ok(Opened { document, claim, level })
}

/// Reads a claim's document.
#[must_use]
pub fn read(document: &Document) -> Option<Claim> {
    Claim::of(&rows::record(&CLAIM, document))
}

/// Returns the name that people know a claim by: its number, else its code.
#[must_use]
pub fn name(claim: &Claim) -> String {
    claim.no.clone().unwrap_or_else(|| claim.id.code())
}

/// Returns the refusal of a step with the rule that stands against it.
#[must_use]
pub fn refused(kind: &'static Kind, name: String, step: &str, points: Vec<Problem>) -> Refusal {
    let step = kind.machine.and_then(|machine| machine.step(step)).map(|(_, step)| (step.zh, step.en));
    let (zh, en) = step.unwrap_or_default();
    Refusal { points, ..Refusal::by("W-62").label("step", zh, en).with("name", name) }
}

/// Asks the rules whether a step may be taken.
pub(super) fn ask(
    opened: &Opened,
    reviewer: &Reviewer,
    step: &str,
    given: &Given,
    facts: &records::claim::facts::Facts,
) -> Result<(), Refusal> {
    let asked = guard(&opened.claim, step, &reviewer.actor, given, facts);
    asked.map_err(|problem| refused(&CLAIM, name(&opened.claim), step, vec![problem]))
}

/// Writes a decision and the row that says who took it, for whom, when and on what.
pub(super) fn decision(
    store: &Store,
    (kind, document): (&'static Kind, &Document),
    reviewer: &Reviewer,
    (role, taken): (Role, &Taken<'_>),
    mut row: Approvals,
    now: Now,
) -> Result<Writes, Refusal> {
    let actor = &reviewer.actor;
    let mut writes = Writes::default();
    writes.single(state::decide_as(store, kind, document, taken, (role, actor.on_behalf_of))?);
    row.step = text(taken.step);
    row.by = Some(link(actor.staff));
    row.on_behalf_of = actor.on_behalf_of.map(link);
    row.content = Some(Digest(content_digest(&[document]).to_vec()));
    row.at = Some(now.wall);
    writes.add(&row);
    Ok(writes)
}

/// Returns a text field, `None` for the empty text; what does not fit is cut off.
pub(super) fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    let kept: String = text.trim().chars().take(MAX.into()).collect();
    (!kept.is_empty()).then_some(Text(kept))
}

/// Returns a reference to a document.
pub(super) fn link<const KIND: u16>(id: DocId) -> Ref<KIND> {
    Ref(Target::Doc(id))
}

/// Returns the revision that is being decided on.
pub(super) fn rev(claim: &Claim) -> Option<Count> {
    claim.submission.as_ref().map(|submission| Count(submission.rev))
}

/// Returns the writes as ops on a document.
pub(super) fn on(
    document: &Document,
    kind: &'static Kind,
    writes: Writes,
) -> Vec<crate::store::write::NewOp> {
    writes.into_ops(kind, crate::store::write::On::Document(document.id))
}

/// A step that a person took: what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The document.
    pub id: DocId,
    /// What people call it.
    pub name: String,
    /// The step.
    pub step: &'static str,
    /// Its labels.
    pub label: (&'static str, &'static str),
    /// The state it led to.
    pub state: &'static str,
    /// The op.
    pub op: Option<records::id::OpId>,
}

/// Says what a step of a kind's machine led to.
pub(super) fn decided(
    (kind, id, name): (&'static Kind, DocId, String),
    step: &str,
    op: Option<records::id::OpId>,
) -> Decided {
    let found = kind.machine.and_then(|machine| Some((machine, machine.step(step)?.1)));
    let state = found.and_then(|(machine, step)| machine.states.get(usize::from(step.to)));
    let step = found.map(|(_, step)| step);
    Decided {
        id,
        name,
        step: step.map_or("", |step| step.name),
        label: step.map_or(("", ""), |step| (step.zh, step.en)),
        state: state.map_or("", |state| state.name),
        op,
    }
}
