//! Whether a person may take a step on a branch's batch now.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::facts::Facts;
use crate::claim::gaps::Gap;
use crate::claim::guard::{Actor, Given, possible, refusal, roles_for};
use crate::claim::view::Claim;
use crate::id::DocId;
use crate::kinds::batch::{BatchClaims, BatchNo, Dispatch, Explained, Received};
use crate::kinds::batch_machine::BATCH;
use crate::kinds::claim_machine as at;
use crate::kinds::exception::ExceptionKind;
use crate::kinds::staff::Role;
use crate::machine::Index;
use crate::policy::cycle::Cycle;
use crate::problems::Problem;
use crate::record::Record;
use crate::time::Day;
use crate::value::Ref;

/// A batch, read into plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Which document.
    pub id: DocId,
    /// Its number, like `HZ-202602-A`.
    pub no: String,
    /// Of which branch.
    pub branch: Option<DocId>,
    /// The regular mailing; `None` for a supplementary one.
    pub cycle: Option<Cycle>,
    /// Until when it has to go.
    pub due: Option<Day>,
    /// Where it is.
    pub state: Index,
    /// The claims inside, in their order, with their numbers.
    pub claims: Vec<(DocId, String)>,
    /// Numbers that are not inside, and why.
    pub explained: BTreeMap<String, String>,
    /// When it went.
    pub dispatched: Option<Day>,
    /// The waybill; empty where there is none.
    pub waybill: String,
    /// Why it is late; empty where nobody said.
    pub late_reason: String,
    /// What was found inside, by number; of one number the last counts.
    pub received: BTreeMap<String, bool>,
}

impl Batch {
    /// Reads a batch.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let no = record.get::<BatchNo>().unwrap_or_default();
        let dispatch = record.get::<Dispatch>().unwrap_or_default();
        let mut claims: Vec<BatchClaims> = record.all();
        claims.sort_by_key(|row| row.at);
        let claim = |row: BatchClaims| Some((row.claim?.doc()?, row.claim_no.unwrap_or_default().0));
        let explained = |row: Explained| Some((row.claim_no?.0, row.why.unwrap_or_default().0));
        let received = |row: Received| Some((row.claim_no?.0, row.ok.unwrap_or_default()));
        Self {
            id: record.id,
            no: no.batch_no.unwrap_or_default().0,
            branch: no.branch.as_ref().and_then(Ref::doc),
            cycle: no.cycle.and_then(|cycle| cycle.0.parse().ok()),
            due: no.due_day,
            state: record.state,
            claims: claims.into_iter().filter_map(claim).collect(),
            explained: record.all::<Explained>().into_iter().filter_map(explained).collect(),
            dispatched: dispatch.dispatched_day,
            waybill: dispatch.waybill.unwrap_or_default().0,
            late_reason: dispatch.late_reason.unwrap_or_default().0,
            received: record.all::<Received>().into_iter().filter_map(received).collect(),
        }
    }

    /// Returns whether it went after its day.
    ///
    /// Source: docs/RULES.md P-28.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.dispatched.zip(self.due).is_some_and(|(dispatched, due)| dispatched > due)
    }
}

/// What must be known beside a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside {
    /// The claims inside that are here.
    pub claims: BTreeMap<DocId, Claim>,
    /// What [`crate::claim::gaps::list_faults`] finds on its list, with whose numbers.
    pub faults: Vec<(DocId, Gap)>,
    /// Other batches of the branch for the same mailing that were not refused.
    pub same_cycle: BTreeSet<DocId>,
}

/// Says whether `actor` may take a step on a batch. `batch` is the batch as it will read.
///
/// # Errors
/// The first rule that refuses.
///
/// Source: docs/RULES.md, Batches.
pub fn guard(
    batch: &Batch,
    step: &str,
    actor: &Actor,
    given: &Given,
    inside: &Inside,
    facts: &Facts,
) -> Result<(), Problem> {
    let taken = possible(&BATCH, batch.state, step, &given.reason)?;
    let roles = roles_for(taken, actor, facts)?;
    let branch = |role: &Role| {
        let own = facts.people.branch_of_staff(actor.principal());
        *role != Role::SUPERVISOR || own.is_some() && own == batch.branch
    };
    if !roles.iter().any(branch) {
        return Err(refusal("C-05").fact("step", step));
    }
    match step {
        "seal" => seals(batch, inside, facts),
        "dispatch" => dispatches(batch, facts),
        "receive" => complete(batch),
        "forward" => forwards(batch, inside),
        _ => Ok(()),
    }
}

/// Sealed is what the GM approved, listed whole, in order and without holes; once for each mailing.
fn seals(batch: &Batch, inside: &Inside, facts: &Facts) -> Result<(), Problem> {
    if batch.claims.is_empty() {
        return Err(refusal("T-02"));
    }
    let ready = |id: &DocId| inside.claims.get(id).is_some_and(|claim| claim.state == at::BATCHED);
    if let Some((_, no)) = batch.claims.iter().find(|(id, _)| !ready(id)) {
        return Err(refusal("T-03").fact("claim", no));
    }
    if let Some((_, gap)) = inside.faults.first().filter(|_| facts.policy.wants_lists()) {
        let problem =
            refusal("P-25").fact("fault", gap.fault.name()).fact("year", gap.first.year.to_string());
        return Err(problem.fact("first", gap.first.seq.to_string()).fact("last", gap.last.seq.to_string()));
    }
    let regular = batch.cycle.is_some();
    if regular && inside.same_cycle.iter().any(|other| *other != batch.id) {
        return Err(refusal("P-13"));
    }
    let allowed = facts.granted(ExceptionKind::EXTRA_BATCH, |granted| granted.batch == Some(batch.id));
    if regular || allowed { Ok(()) } else { Err(refusal("T-04")) }
}

/// What goes off says when and how; and why, where it is late. Some policies let nothing go before its day.
fn dispatches(batch: &Batch, facts: &Facts) -> Result<(), Problem> {
    if batch.dispatched.is_none() || batch.waybill.trim().is_empty() {
        return Err(refusal("T-05"));
    }
    let early = batch.dispatched.zip(batch.due).filter(|(dispatched, due)| dispatched < due);
    if let Some((_, due)) = early.filter(|_| !facts.policy.cycle.early_ok) {
        return Err(refusal("P-14").fact("due", due.to_string()));
    }
    if batch.is_late() && batch.late_reason.trim().is_empty() {
        let due = batch.due.map_or_else(String::new, |due| due.to_string());
        return Err(refusal("P-28").fact("due", due));
    }
    Ok(())
}

/// It is received whole when every claim was found inside.
fn complete(batch: &Batch) -> Result<(), Problem> {
    match batch.claims.iter().find(|(_, no)| batch.received.get(no) != Some(&true)) {
        Some((_, no)) => Err(refusal("T-06").fact("claim", no)),
        None => Ok(()),
    }
}

/// It is forwarded when the audit is through with each of its claims.
fn forwards(batch: &Batch, inside: &Inside) -> Result<(), Problem> {
    let through = |id: &DocId| {
        let state = inside.claims.get(id).map(|claim| claim.state);
        state.is_some_and(|state| {
            matches!(
                state,
                at::HELD_BLACKOUT
                    | at::TO_FINANCE
                    | at::FIN_RECEIVED
                    | at::PAID
                    | at::CLOSED
                    | at::REJECTED
                    | at::VOID
            )
        })
    };
    match batch.claims.iter().find(|(id, _)| !through(id)) {
        Some((_, no)) => Err(refusal("T-07").fact("claim", no)),
        None => Ok(()),
    }
}
