//! The branch's envelope of claims: opened for a mailing, filled, sealed, dispatched; each time the claims inside go with it.
//!
//! Reading order: this file opens one and finds it again; [`fill`] puts claims in and takes them out, [`send`] seals and
//! dispatches it, [`view`] says what is in it, [`members`] who is not,
//! [`lists`] is its paper.

pub mod fill;
pub mod lists;
pub mod members;
pub mod send;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use records::claim::facts::Facts;
use records::claim::guard::batch::{Batch, Inside, guard};
use records::claim::guard::{Given, guard as guard_claim};
use records::claim::mailing::{batch_no, extra_batch_no};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::batch::{BATCH, BatchNo};
use records::kinds::claim::CLAIM;
use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::staff::Role;
use records::kinds::{batch_machine, number};
use records::policy::cycle::{Cycle, Month};
use records::policy::dispatch;
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review::{self, Reviewer};
use crate::notebook::rows;
use crate::notebook::state::Taken;
use crate::notebook::typed::{self, Writes};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// A batch as its supervisor works on it.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The document.
    pub document: Document,
    /// The batch.
    pub batch: Batch,
    /// Who works on it.
    pub reviewer: Reviewer,
}

/// Returns a batch by its number, code or id; without one the only batch that is open or sealed here.
///
/// # Errors
/// What [`find::document`] refuses; W-66 where none is named and there is none, or several.
pub fn find(store: &Store, text: Option<&str>, now: Now) -> Result<Envelope, NotebookError> {
    let reviewer = Reviewer::of(store, None, now)?;
    let document = match text {
        Some(text) => find::document(store, text, Wanted::Kind(number::BATCH))?.0,
        None => {
            let mut open = all(store)?;
            open.retain(|(_, batch)| [batch_machine::OPEN, batch_machine::SEALED].contains(&batch.state));
            let numbers: Vec<String> = open.iter().map(|(_, batch)| batch.no.clone()).collect();
            match open.pop() {
                Some((document, _)) if open.is_empty() => document,
                _ => return Err(Refusal::by("W-66").with("batches", numbers.join(", ")).into()),
            }
        }
    };
    let batch = read(&document);
    Ok(Envelope { document, batch, reviewer })
}

/// Returns the batch that this person should work on: the one that is open or sealed, else the next mailing's number
/// and day where it is at most so many days away and has none; `None` for whoever supervises no branch.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn coming(store: &Store, days: i32, now: Now) -> Result<Option<Coming>, NotebookError> {
    let enrolment = &store.identity().enrolment;
    if !enrolment.roles.contains(&Role::SUPERVISOR) {
        return Ok(None);
    }
    let others: Vec<(Document, Batch)> = all(store)?;
    let at_hand = |batch: &Batch| [batch_machine::OPEN, batch_machine::SEALED].contains(&batch.state);
    if let Some((document, batch)) = others.iter().find(|(_, batch)| at_hand(batch)) {
        return Ok(Some(Coming { id: Some(document.id), no: batch.no.clone(), due: batch.due }));
    }
    let reviewer = Reviewer::of(store, None, now)?;
    let branch = reviewer.terms.people.branch_of_staff(reviewer.actor.staff);
    let Some(code) = branch.map(|branch| reviewer.terms.unit_code(branch).to_owned()) else {
        return Ok(None);
    };
    let others: Vec<Batch> = others.into_iter().map(|(_, batch)| batch).collect();
    let Ok((no, _, due)) = named(&reviewer, &code, None, &others) else { return Ok(None) };
    let near = due.is_some_and(|due| due.0.saturating_sub(reviewer.today.0) <= days);
    let gone = others.iter().any(|other| other.no == no && other.state != batch_machine::REFUSED);
    Ok((near && !gone).then_some(Coming { id: None, no, due }))
}

/// The batch that a supervisor should work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// Which document; `None` before it is opened.
    pub id: Option<DocId>,
    /// Its number.
    pub no: String,
    /// Until when it has to go; `None` for a supplementary one.
    pub due: Option<records::time::Day>,
}

/// Returns every batch that is here, those opened earlier first.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn all(store: &Store) -> Result<Vec<(Document, Batch)>, StoreError> {
    let mut found = Vec::new();
    store.each(Some(number::BATCH), &mut |document| {
        let batch = read(&document);
        found.push((document, batch));
        ControlFlow::Continue(())
    })?;
    found.sort_by_key(|(document, _)| (document.created, document.id));
    Ok(found)
}

/// Reads a batch.
#[must_use]
pub fn read(document: &Document) -> Batch {
    Batch::of(&rows::record(&BATCH, document))
}

/// A batch that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Which document.
    pub id: DocId,
    /// The batch.
    pub batch: Batch,
    /// The request for the exception that a supplementary batch needs before it is sealed.
    pub exception: Option<DocId>,
}

/// Opens a batch for a mailing of this person's branch: `2026-02-A`, or `2026-02-S` for a supplementary one, with which
/// the exception is asked for that it needs; without a name the next regular mailing.
///
/// # Errors
/// W-67 for somebody who supervises no branch, W-68 for a name that is no mailing, W-69 where the branch has that batch,
/// W-72 for a supplementary one without a reason.
///
/// Source: docs/RULES.md P-13, Batches.
pub fn open(
    store: &mut Store,
    cycle: Option<&str>,
    reason: Option<&str>,
    now: Now,
) -> Result<Opened, NotebookError> {
    let reviewer = Reviewer::of(store, None, now)?;
    let people = &reviewer.terms.people;
    let me = reviewer.actor.staff;
    let branch = people.branch_of_staff(me).filter(|_| people.holds(me, Role::SUPERVISOR));
    let branch = branch.ok_or_else(|| Refusal::by("W-67"))?;
    let code = reviewer.terms.unit_code(branch).to_owned();
    let others: Vec<Batch> = all(store)?.into_iter().map(|(_, batch)| batch).collect();
    let (no, cycle, due) = named(&reviewer, &code, cycle, &others)?;
    let taken = others.iter().any(|other| other.no == no && other.state != batch_machine::REFUSED);
    if taken {
        return Err(Refusal::by("W-69").with("batch", no).into());
    }
    let extra = due.is_none();
    let reason = reason.unwrap_or_default().trim();
    if extra && reason.is_empty() {
        return Err(Refusal::by("W-72").with("batch", no).into());
    }
    let mut writes = Writes::default();
    writes.single(typed::register(&BatchNo {
        batch_no: review::text(&no),
        branch: Some(review::link(branch)),
        cycle: review::text(&cycle),
        due_day: due,
    }));
    let batch = writes.into_ops(&BATCH, On::Create);
    let at = batch.len();
    // A batch without the request that it needs could never be sealed: both are saved, or neither is.
    let ops = store.save_linked(
        |first| {
            let ask = extra.then(|| ask(DocId(first), me, reason));
            batch.into_iter().chain(ask.into_iter().flatten()).collect()
        },
        now,
    )?;
    let id = DocId(ops.first().copied().ok_or(StoreError::Unordered)?);
    let exception = ops.get(at).copied().map(DocId);
    let document = store.document(id)?.ok_or(StoreError::NoDocument(id))?;
    Ok(Opened { id, batch: read(&document), exception })
}

/// Returns the ops that ask for a batch beside the regular two (T-04).
fn ask(batch: DocId, by: DocId, reason: &str) -> Vec<NewOp> {
    let row = Ask {
        kind_of: Some(ExceptionKind::EXTRA_BATCH),
        batch: Some(review::link(batch)),
        reason: review::text(reason),
        asked_by: Some(review::link(by)),
        ..Ask::default()
    };
    let mut writes = Writes::default();
    writes.single(typed::register(&row));
    writes.into_ops(&EXCEPTION, On::Create)
}

/// What a batch is called, for which mailing it is, and when it is due.
type Named = (String, String, Option<records::time::Day>);

fn named(
    reviewer: &Reviewer,
    branch: &str,
    cycle: Option<&str>,
    others: &[Batch],
) -> Result<Named, NotebookError> {
    let (policy, calendar) =
        (reviewer.terms.in_force.policy(reviewer.today), &reviewer.terms.in_force.calendar);
    let unknown =
        || Refusal::by("W-68").with("cycle", cycle.unwrap_or_default()).with("branch", branch.to_owned());
    if let Some(month) = cycle.and_then(|cycle| cycle.strip_suffix("-S")) {
        let month: Month = month.parse().map_err(|_| unknown())?;
        let free = |n: &u32| !others.iter().any(|other| other.no == extra_batch_no(branch, month, *n));
        let n = (1..=99).find(free).ok_or_else(unknown)?;
        return Ok((extra_batch_no(branch, month, n), format!("{month}-S{n}"), None));
    }
    let mailing = match cycle {
        Some(text) => {
            let cycle: Cycle = text.parse().map_err(|_| unknown())?;
            dispatch::dispatch(cycle, policy, calendar)
        }
        None => dispatch::first_from(reviewer.today, policy, calendar),
    };
    let mailing = mailing.ok_or_else(unknown)?;
    Ok((batch_no(branch, mailing.cycle), mailing.cycle.to_string(), Some(mailing.due)))
}

impl Envelope {
    /// Returns the claims inside that are here, in the batch's order.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn inside(&self, store: &Store) -> Result<Vec<(Document, Claim)>, StoreError> {
        let mut inside = Vec::new();
        for (id, _) in &self.batch.claims {
            let document = store.document(*id)?;
            inside.extend(document.and_then(|document| {
                let claim = review::read(&document)?;
                Some((document, claim))
            }));
        }
        Ok(inside)
    }

    /// Refuses what the rules of batches have against a step; `batch` is the batch as it will read.
    pub(super) fn ask(
        &self,
        batch: &Batch,
        step: &str,
        inside: &Inside,
        facts: &Facts,
    ) -> Result<(), Refusal> {
        guard(batch, step, &self.reviewer.actor, &Given::default(), inside, facts)
            .map_err(|problem| review::refused(&BATCH, batch.no.clone(), step, vec![problem]))
    }

    /// Returns the ops that take a step with the batch, with `writes` beside it.
    pub(super) fn decide(
        &self,
        store: &Store,
        step: &str,
        writes: impl FnOnce(&mut Writes),
        now: Now,
    ) -> Result<Vec<NewOp>, Refusal> {
        let taken = Taken { step, ..Taken::default() };
        let of = (&BATCH, &self.document);
        let mut all = review::decision(
            store,
            of,
            &self.reviewer,
            (Role::SUPERVISOR, &taken),
            Approvals::default(),
            now,
        )?;
        writes(&mut all);
        Ok(review::on(&self.document, &BATCH, all))
    }

    /// Returns the ops that take a step with a claim inside.
    pub(super) fn with_claim(
        &self,
        store: &Store,
        (document, claim): (&Document, &Claim),
        step: &str,
        now: Now,
    ) -> Result<Vec<NewOp>, NotebookError> {
        let facts = self.reviewer.facts(store, claim)?;
        let asked = guard_claim(claim, step, &self.reviewer.actor, &Given::default(), &facts);
        asked.map_err(|problem| review::refused(&CLAIM, review::name(claim), step, vec![problem]))?;
        let taken = Taken { step, ..Taken::default() };
        let row = Approvals { rev: review::rev(claim), ..Approvals::default() };
        let of = (&CLAIM, document);
        let writes = review::decision(store, of, &self.reviewer, (Role::SUPERVISOR, &taken), row, now)?;
        Ok(review::on(document, &CLAIM, writes))
    }

    /// Returns what must be known beside the batch.
    pub(super) fn beside(&self, store: &Store) -> Result<Inside, StoreError> {
        let claims: BTreeMap<DocId, Claim> =
            self.inside(store)?.into_iter().map(|(_, claim)| (claim.id, claim)).collect();
        let mut same_cycle = BTreeSet::new();
        for (document, other) in all(store)? {
            let same =
                other.cycle.is_some() && (other.cycle, other.branch) == (self.batch.cycle, self.batch.branch);
            if same && other.state != batch_machine::REFUSED && document.id != self.document.id {
                same_cycle.insert(document.id);
            }
        }
        Ok(Inside { claims, faults: send::faults(store, self)?, same_cycle })
    }
}
