//! What became of this person's decisions that met somebody else's: what stands instead, and what is to be done.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use records::decision::DECISION_TAG;
use records::id::{DocId, OpId, Replica};
use records::kinds::number;
use records::machine::{Index, Step};
use records::schema::Kind;
use records::time::Ts;
use sync_protocol::merge::{Document, Judged, Ruled, Standing};

use crate::clock::Now;
use crate::notebook::people::People;
use crate::notebook::review::differ::{self, Difference};
use crate::notebook::review::{LEVELS, name, read};
use crate::notebook::{list, state};
use crate::store::Store;
use crate::store::error::StoreError;

/// So long it is told what became of a decision.
const TOLD_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The content changed without its author knowing, and the same step waits for him again.
    Changed(Box<Difference>),
    /// Another decision stands instead.
    Overruled(Other),
    /// Others had been built on another decision before it came: it stays without effect.
    TooLate(Other),
}

/// The decision that stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Other {
    /// Who took it; empty where it is not known.
    pub by: String,
    /// The labels of its step.
    pub step: (&'static str, &'static str),
    /// Its reason.
    pub reason: String,
}

/// A decision of this person that does not stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The document.
    pub id: DocId,
    /// Its kind.
    pub kind: &'static Kind,
    /// What people call it.
    pub name: String,
    /// His op.
    pub op: OpId,
    /// His step.
    pub step: &'static Step,
    /// When he took it.
    pub at: Ts,
    /// Where the document is now.
    pub state: Option<&'static records::machine::State>,
    /// What became of the decision.
    pub fate: Fate,
}

/// Returns the decisions of this person's last days on claims, trip summaries and batches that do not stand, unless he
/// has decided there since.
///
/// # Errors
/// [`StoreError::Damaged`].
///
/// Source: docs/RULES.md, Offline disagreement.
pub fn told(store: &Store, now: Now) -> Result<Vec<Told>, StoreError> {
    let mine = own_replicas(store)?;
    let mut found = Vec::new();
    for kind in [number::CLAIM, number::TRIP, number::BATCH] {
        let mut touched = Vec::new();
        store.each_entry(Some(kind), &mut |entry| {
            let wrote = entry.ops.keys().any(|(replica, _)| mine.contains(replica));
            if entry.whole && wrote {
                touched.push(entry.id);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for id in touched {
            if let Some(document) = store.document(id)? {
                found.extend(of(store, &document, &mine, now)?);
            }
        }
    }
    found.sort_by_key(|told| (told.at, told.op));
    Ok(found)
}

/// Returns what became of this person's decision on one document; `None` where it stands, or he took none.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn on(store: &Store, id: DocId, now: Now) -> Result<Option<Told>, StoreError> {
    let mine = own_replicas(store)?;
    match store.document(id)? {
        Some(document) => of(store, &document, &mine, now),
        None => Ok(None),
    }
}

fn own_replicas(store: &Store) -> Result<BTreeSet<Replica>, StoreError> {
    let people = People::read(store)?;
    Ok(people.of(store.identity().enrolment.staff))
}

fn of(
    store: &Store,
    document: &Document,
    mine: &BTreeSet<Replica>,
    now: Now,
) -> Result<Option<Told>, StoreError> {
    let lost = last_lost(store, document, mine)?;
    let kind = records::kinds::by_number(document.kind);
    let Some((ruled, kind)) = lost.zip(kind) else {
        return Ok(None);
    };
    let Some((machine, step)) =
        kind.machine.and_then(|machine| Some((machine, machine.step_at(ruled.step)?)))
    else {
        return Ok(None);
    };
    let ops = store.ops(document.id)?;
    let at = ops.iter().find(|op| op.id == ruled.op).map_or(Ts(0), |op| list::created(op.row.stamp));
    if now.wall.0.saturating_sub(at.0) > TOLD_MS {
        return Ok(None);
    }
    let fate = match changed(store, document, step, ruled.op)? {
        Some(difference) => Fate::Changed(Box::new(difference)),
        None => {
            let other = instead(store, document, &ops, ruled.op)?;
            if ruled.standing == Standing::TooLate { Fate::TooLate(other) } else { Fate::Overruled(other) }
        }
    };
    let called = match read(document) {
        Some(claim) if kind.number == number::CLAIM => name(&claim),
        _ => Some(list::number(kind, document))
            .filter(|no| !no.is_empty())
            .unwrap_or_else(|| document.id.code()),
    };
    let state = machine.states.get(usize::from(document.state));
    Ok(Some(Told { id: document.id, kind, name: called, op: ruled.op, step, at, state, fate }))
}

/// Returns the last of his decisions that does not stand and that he did not see when he decided again: who did knows
/// what became of it. What he decided on another device of his, without having heard of it, is no such word.
fn last_lost<'d>(
    store: &Store,
    document: &'d Document,
    mine: &BTreeSet<Replica>,
) -> Result<Option<&'d Ruled>, StoreError> {
    let own = || document.decisions.iter().filter(|ruled| mine.contains(&ruled.op.replica));
    let lost = own().filter(|ruled| match ruled.standing {
        Standing::Superseded | Standing::TooLate | Standing::Stale | Standing::Void => true,
        Standing::Stands | Standing::Contested => false,
    });
    for ruled in lost.rev() {
        if !is_answered(store, document, own().filter(|other| other.op != ruled.op), ruled)? {
            return Ok(Some(ruled));
        }
    }
    Ok(None)
}

/// Returns whether he decided again having seen a decision of his, or took the same step elsewhere and that stands.
fn is_answered<'d>(
    store: &Store,
    document: &Document,
    others: impl Iterator<Item = &'d Ruled>,
    ruled: &Ruled,
) -> Result<bool, StoreError> {
    for other in others {
        let same = other.step == ruled.step && other.standing == Standing::Stands;
        let knew = || store.as_seen_by(document.id, other.op);
        if same || knew()?.is_some_and(|(_, unseen)| !unseen.contains(&ruled.op)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns what changed where an approval is asked for once more.
fn changed(
    store: &Store,
    document: &Document,
    step: &Step,
    op: OpId,
) -> Result<Option<Difference>, StoreError> {
    let approves = |from: Index| {
        document.kind == number::CLAIM
            && LEVELS
                .iter()
                .any(|level| level.from == from && [level.approve, level.cut].contains(&step.name))
    };
    if approves(document.state) { differ::since(store, document.id, op) } else { Ok(None) }
}

/// Returns the decision that stands and that he had not seen: the first of them.
fn instead(store: &Store, document: &Document, ops: &[Judged], op: OpId) -> Result<Other, StoreError> {
    let unseen = store.as_seen_by(document.id, op)?.map(|(_, unseen)| unseen).unwrap_or_default();
    let stands = document
        .decisions
        .iter()
        .find(|ruled| ruled.standing == Standing::Stands && unseen.contains(&ruled.op));
    let Some(stands) = stands else {
        return Ok(Other::default());
    };
    let machine = records::kinds::by_number(document.kind).and_then(|kind| kind.machine);
    let step = machine.and_then(|machine| machine.step_at(stands.step));
    let decision = ops.iter().find(|op| op.id == stands.op).and_then(|op| op.row.write(DECISION_TAG));
    Ok(Other {
        by: People::read(store)?.name(stands.op.replica),
        step: step.map_or(("", ""), |step| (step.zh, step.en)),
        reason: decision.and_then(state::decision).map(|decision| decision.reason).unwrap_or_default(),
    })
}
