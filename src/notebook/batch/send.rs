//! Sealing a batch and sending it off.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::facts::BatchFact;
use records::claim::gaps::{Gap, Number, list_faults};
use records::claim::guard::batch::Batch;
use records::claim::mailing::{Excuse, excuse};
use records::claim::numbers::ClaimNo;
use records::id::DocId;
use records::kinds::batch::{BatchClaims, Dispatch};
use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::{batch_machine, claim_machine};
use records::time::Day;
use records::value::Count;

use crate::clock::Now;
use crate::notebook::batch::{self, Envelope};
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::{self, Decided};
use crate::notebook::typed;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// How a batch goes off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The batch; `None`: the only one that is not gone.
    pub batch: Option<String>,
    /// The waybill's number.
    pub waybill: String,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Why it is late, where it is.
    pub late_reason: Option<String>,
    /// When it goes; `None`: today.
    pub day: Option<Day>,
}

/// What went off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The step.
    pub decided: Decided,
    /// How many claims are inside.
    pub claims: usize,
    /// When it was due.
    pub due: Option<Day>,
    /// When it went.
    pub day: Day,
    /// Whether that is late.
    pub late: bool,
    /// Claims that were not in the batch's hands any more: withdrawn, thrown away or frozen elsewhere.
    pub not_sent: Vec<String>,
    /// Requests for an exception that were written for claimants who had been in time.
    pub exceptions: Vec<(DocId, String)>,
}

/// Closes a batch: every claim in it approved, every number of each person in its place.
///
/// # Errors
/// W-62 with the rule that stands against it (P-25 with the numbers, B3, T-02 to T-04); [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-19, P-25.
pub fn seal(store: &mut Store, which: Option<&str>, now: Now) -> Result<Decided, NotebookError> {
    let envelope = batch::find(store, which, now)?;
    let facts = envelope.facts();
    let inside = envelope.beside(store)?;
    envelope.ask(&envelope.batch, "seal", &inside, &facts)?;
    let in_order = in_order(&envelope.batch);
    let rows = typed::standing::<BatchClaims>(&envelope.document);
    let ops = envelope.decide(
        store,
        "seal",
        |writes| {
            for (row, name) in rows {
                let place = row.claim.as_ref().and_then(records::value::Ref::doc);
                let at = place.and_then(|id| in_order.get(&id)).map(|at| Count(*at));
                if row.at != at {
                    writes.remove::<BatchClaims>([name]);
                    writes.add(&BatchClaims { at, ..row });
                }
            }
        },
        now,
    )?;
    let saved = store.save(ops, now)?;
    Ok(envelope.done("seal", saved.last().copied()))
}

/// Opens a sealed batch again, or one that headquarters refused.
///
/// # Errors
/// W-62 with the rule that stands against it; [`NotebookError::Store`].
pub fn unseal(store: &mut Store, which: Option<&str>, now: Now) -> Result<Decided, NotebookError> {
    let envelope = batch::find(store, which, now)?;
    envelope.ask(&envelope.batch, "unseal", &envelope.beside(store)?, &envelope.facts())?;
    let ops = envelope.decide(store, "unseal", |_| {}, now)?;
    let saved = store.save(ops, now)?;
    Ok(envelope.done("unseal", saved.last().copied()))
}

/// Notes that a sealed batch went off, with its claims. Where it is late, claimants who had submitted in time get a
/// request for an exception written for them that names the supervisor.
///
/// # Errors
/// W-62 with the rule that stands against it (T-05 without a waybill, P-28 without a reason for being late);
/// [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-28.
pub fn dispatch(store: &mut Store, request: &Send, now: Now) -> Result<Sent, NotebookError> {
    let envelope = batch::find(store, request.batch.as_deref(), now)?;
    let day = request.day.unwrap_or(envelope.reviewer.today);
    let late_reason = request.late_reason.clone().unwrap_or_default();
    let as_it_goes = Batch {
        dispatched: Some(day),
        waybill: request.waybill.clone(),
        late_reason: late_reason.clone(),
        ..envelope.batch.clone()
    };
    envelope.ask(&as_it_goes, "dispatch", &envelope.beside(store)?, &envelope.facts())?;
    let dispatch = Dispatch {
        carrier: review::text(request.carrier.as_deref().unwrap_or_default()),
        waybill: review::text(&request.waybill),
        dispatched_day: Some(day),
        late_reason: review::text(&late_reason),
    };
    let mut ops =
        envelope.decide(store, "dispatch", |writes| writes.single(typed::register(&dispatch)), now)?;
    let mut not_sent = Vec::new();
    let mut excused = Vec::new();
    let late = as_it_goes.is_late();
    for (document, claim) in envelope.inside(store)? {
        if claim.state != claim_machine::BATCHED {
            not_sent.push(review::name(&claim));
            continue;
        }
        ops.extend(envelope.with_claim(store, (&document, &claim), "dispatch", now)?);
        let fact = BatchFact {
            batch: envelope.document.id,
            branch: as_it_goes.branch,
            state: batch_machine::DISPATCHED,
            due: as_it_goes.due,
            dispatched: Some(day),
        };
        let facts = envelope.reviewer.facts(store, &claim)?;
        if let Some(excuse) = excuse(&claim, &fact, &facts) {
            excused.push((ops.len(), review::name(&claim)));
            ops.push(asks(&excuse, &late_reason));
        }
    }
    let claims = envelope.batch.claims.len().saturating_sub(not_sent.len());
    let saved = store.save(ops, now)?;
    let exceptions = excused.into_iter().filter_map(|(at, name)| Some((DocId(*saved.get(at)?), name)));
    Ok(Sent {
        exceptions: exceptions.collect(),
        decided: envelope.done("dispatch", saved.first().copied()),
        claims,
        due: as_it_goes.due,
        day,
        late,
        not_sent,
    })
}

fn asks(excuse: &Excuse, late_reason: &str) -> NewOp {
    let ask = Ask {
        kind_of: Some(ExceptionKind::LATE_BATCH),
        claim: Some(review::link(excuse.claim)),
        batch: Some(review::link(excuse.batch)),
        reason: review::text(late_reason),
        asked_by: Some(review::link(excuse.asked_by)),
        caused_by: excuse.caused_by.map(review::link),
        ..Ask::default()
    };
    let writes = vec![typed::register(&ask)];
    NewOp { kind: EXCEPTION.number, schema: EXCEPTION.schema, on: On::Create, writes, local: None }
}

impl Envelope {
    /// Returns what the rules must know of the company.
    fn facts(&self) -> records::claim::facts::Facts {
        let mut facts = self.reviewer.terms.facts(None, self.reviewer.today, self.reviewer.today);
        facts.exceptions = self.reviewer.beside.granted().to_vec();
        facts
    }

    fn done(&self, step: &str, op: Option<records::id::OpId>) -> Decided {
        review::decided((&records::kinds::batch::BATCH, self.document.id, self.batch.no.clone()), step, op)
    }
}

/// Returns the place of each claim in the order of the numbers, from 1.
fn in_order(batch: &Batch) -> BTreeMap<DocId, u32> {
    let mut claims = batch.claims.clone();
    claims.sort_by(|(a, one), (b, other)| (one, a).cmp(&(other, b)));
    (1..).zip(claims).map(|(at, (id, _))| (id, at)).collect()
}

/// Returns what is wrong with the numbers on the list, with whose they are: each person's go on without a hole from the
/// last one that was sent.
///
/// # Errors
/// [`StoreError::Damaged`].
///
/// Source: docs/RULES.md P-25.
pub fn faults(store: &Store, envelope: &Envelope) -> Result<Vec<(DocId, Gap)>, StoreError> {
    let reviewer = &envelope.reviewer;
    let pattern = reviewer.terms.in_force.policy(reviewer.today).number.pattern.clone();
    let read = |no: &str| {
        let no = ClaimNo::parse(no, &pattern)?;
        Some((no.staff, Number { year: no.year.unwrap_or_default(), seq: no.seq }))
    };
    let mut sent: BTreeMap<String, BTreeSet<Number>> = BTreeMap::new();
    for (document, other) in batch::all(store)? {
        let waits = [batch_machine::OPEN, batch_machine::SEALED, batch_machine::REFUSED];
        if waits.contains(&other.state) || document.id == envelope.document.id {
            continue;
        }
        let explained = other.explained.keys();
        let all = other.claims.iter().map(|(_, no)| no).chain(explained);
        for (staff, number) in all.filter_map(|no| read(no)) {
            sent.entry(staff).or_default().insert(number);
        }
    }
    let mut listed: BTreeMap<String, Vec<Number>> = BTreeMap::new();
    for (staff, number) in envelope.batch.claims.iter().filter_map(|(_, no)| read(no)) {
        listed.entry(staff).or_default().push(number);
    }
    let mut explained: BTreeMap<String, BTreeSet<Number>> = BTreeMap::new();
    for (staff, number) in envelope.batch.explained.keys().filter_map(|no| read(no)) {
        explained.entry(staff).or_default().insert(number);
    }
    let mut faults = Vec::new();
    for (staff, mut listed) in listed {
        listed.sort();
        let sent = sent.remove(&staff).unwrap_or_default();
        let explained = explained.remove(&staff).unwrap_or_default();
        let first = Number { year: listed.first().map_or(0, |number| number.year), seq: 1 };
        let next = sent.last().map_or(first, |last| Number { seq: last.seq.saturating_add(1), ..*last });
        let Some(person) = reviewer.terms.people.by_code(&staff) else {
            continue;
        };
        faults.extend(list_faults(&listed, next, &sent, &explained).into_iter().map(|gap| (person, gap)));
    }
    Ok(faults)
}
