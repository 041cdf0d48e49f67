//! What waits for a reviewer: claims and trip summaries, those submitted earlier first.

use std::ops::ControlFlow;

use records::claim::guard::{Given, guard, trip};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim::PaperSeen;
use records::kinds::trip::TRIP;
use records::kinds::{number, trip_machine};
use records::machine::Index;
use records::money::Fen;
use records::policy::dispatch;
use records::schema::Kind;
use records::time::{Day, Ts};

use crate::clock::Now;
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::told::{self, Fate};
use crate::notebook::review::{LEVELS, Reviewer, approve, read};
use crate::notebook::{list, rows, show};
use crate::store::Store;
use crate::store::error::StoreError;

/// One record that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: DocId,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its number; empty for a trip summary.
    pub number: String,
    /// Which step would let it pass.
    pub step: &'static str,
    /// Whose it is.
    pub staff: String,
    /// The code of his unit.
    pub unit: String,
    /// Its half-month.
    pub half: String,
    /// What is claimed; `None` for a trip summary.
    pub claimed: Option<Fen>,
    /// How many vouchers it has.
    pub vouchers: u32,
    /// Which submission it is.
    pub rev: u32,
    /// When it was submitted.
    pub since: Ts,
    /// When the mailing goes with which it is due; `None` where it names none.
    pub due: Option<Day>,
    /// The rules of the anomalies that must be looked at.
    pub anomalies: Vec<String>,
    /// Whether its paper is in the supervisor's hand.
    pub paper: bool,
    /// For whom the reviewer would act; `None`: for himself.
    pub principal: Option<DocId>,
    /// Whether he decided on an earlier submission of it and is asked again.
    pub again: bool,
}

/// Returns what waits for the person of this device.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn waiting(store: &Store, now: Now) -> Result<Vec<Waiting>, NotebookError> {
    let reviewer = Reviewer::of(store, None, now)?;
    let mut found = Vec::new();
    let again: Vec<DocId> = told::told(store, now)?
        .into_iter()
        .filter(|told| matches!(told.fate, Fate::Changed(_)))
        .map(|told| told.id)
        .collect();
    for id in in_state(store, number::CLAIM, &LEVELS.map(|level| level.from))? {
        let claim = store.document(id)?.and_then(|document| read(&document));
        if let Some(claim) = claim {
            found.extend(claim_for(store, &reviewer, &claim, again.contains(&id))?);
        }
    }
    for id in in_state(store, number::TRIP, &[trip_machine::SUBMITTED])? {
        found.extend(trip_for(store, &reviewer, id)?);
    }
    found.sort_by_key(|waiting| (waiting.since, waiting.id));
    Ok(found)
}

fn in_state(store: &Store, kind: u16, states: &[Index]) -> Result<Vec<DocId>, StoreError> {
    let mut found = Vec::new();
    store.each_entry(Some(kind), &mut |entry| {
        if entry.whole && states.contains(&entry.state) {
            found.push(entry.id);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn claim_for(
    store: &Store,
    reviewer: &Reviewer,
    claim: &Claim,
    again: bool,
) -> Result<Option<Waiting>, NotebookError> {
    let facts = reviewer.facts(store, claim)?;
    // What a person still has to give does not make it another one's turn.
    let acks = facts.alerts.get(&claim.id).cloned().unwrap_or_default();
    let given = Given { vouchers: Some(claim.voucher_count()), acks, reason: String::new() };
    for principal in reviewer.principals() {
        let acting = reviewer.acting_for(principal);
        let level = acting.level(claim.state);
        let cuts = approve::own_cuts(claim, level, &acting);
        let step = if cuts.is_empty() { level.approve } else { level.cut };
        if guard(claim, step, &acting.actor, &given, &facts).is_err() {
            continue;
        }
        let submission = claim.submission.as_ref();
        let cycle = submission.and_then(|submission| submission.cycle.parse().ok());
        let due = cycle.and_then(|cycle| dispatch::dispatch(cycle, &facts.policy, &facts.calendar));
        let paper = claim.papers.last().is_some_and(|paper| paper.seen == PaperSeen::WITH_SUPERVISOR);
        let mut anomalies: Vec<String> = facts.alerts.get(&claim.id).into_iter().flatten().cloned().collect();
        anomalies.sort();
        return Ok(Some(Waiting {
            id: claim.id,
            kind: &records::kinds::claim::CLAIM,
            number: claim.no.clone().unwrap_or_default(),
            step,
            staff: show::name(store, claim.staff)?,
            unit: claim.unit.map(|unit| reviewer.terms.unit_code(unit).to_owned()).unwrap_or_default(),
            half: claim.half.map(|half| half.to_string()).unwrap_or_default(),
            claimed: Some(claim.claimed_total()),
            vouchers: claim.voucher_count(),
            rev: submission.map_or(0, |submission| submission.rev),
            since: submission.map_or(Ts(0), |submission| submission.at),
            due: due.map(|dispatch| dispatch.due),
            anomalies,
            paper,
            principal,
            again,
        }));
    }
    Ok(None)
}

fn trip_for(store: &Store, reviewer: &Reviewer, id: DocId) -> Result<Option<Waiting>, NotebookError> {
    let Some(document) = store.document(id)? else {
        return Ok(None);
    };
    let Some(summary) = trip::Trip::of(&rows::record(&TRIP, &document)) else {
        return Ok(None);
    };
    let facts = reviewer.terms.facts(None, reviewer.today, reviewer.today);
    for principal in reviewer.principals() {
        let acting = reviewer.acting_for(principal);
        if trip::guard(&summary, "approve", &acting.actor, &Given::default(), &facts).is_err() {
            continue;
        }
        return Ok(Some(Waiting {
            id,
            kind: &TRIP,
            number: String::new(),
            step: "approve",
            staff: show::name(store, summary.staff)?,
            unit: summary.unit.map(|unit| reviewer.terms.unit_code(unit).to_owned()).unwrap_or_default(),
            half: summary.half.map(|half| half.to_string()).unwrap_or_default(),
            claimed: None,
            vouchers: 0,
            rev: 0,
            since: list::created(document.updated),
            due: None,
            anomalies: Vec::new(),
            paper: false,
            principal,
            again: false,
        }));
    }
    Ok(None)
}
