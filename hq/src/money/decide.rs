//! The one way in which somebody of the office takes a step: the decision, who took it, and what belongs to it, in one op.

use records::claim::facts::Facts;
use records::claim::view::Claim;
use records::claim::{guard, segregation};
use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, OpId};
use records::kinds::approval::Approvals;
use records::kinds::claim::Submission;
use records::kinds::number;
use records::kinds::staff::Role;
use records::machine::{Machine, Step, StepError};
use records::record::Record;
use records::time::Zone;
use records::value::{Choices, Count, Digest, Ref, Target, Value};
use sync_protocol::merge::Document;
use sync_protocol::merge::fingerprint::content_digest;
use sync_protocol::op::Write;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{instant, link, put, text};
use crate::reading;

/// A step and what is said with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken<'a> {
    /// The step's name.
    pub step: &'a str,
    /// The reason, where the step asks for one.
    pub reason: &'a str,
    /// How many vouchers he counted.
    pub vouchers: Option<u32>,
    /// The rules of the anomalies that he acknowledges.
    pub acks: &'a [String],
    /// What else he says.
    pub note: &'a str,
}

impl<'a> Taken<'a> {
    /// Returns a step with nothing but its reason.
    #[must_use]
    pub const fn step(step: &'a str, reason: &'a str) -> Self {
        Self { step, reason, vouchers: None, acks: &[], note: "" }
    }
}

impl Desk {
    /// Takes a step on a document and writes it into HQ's log, with `extra` in the same op.
    ///
    /// # Errors
    /// W-07 where the state does not allow it, W-08 without the role, W-09 and W-10 where it is somebody else's or his
    /// own, W-11 without its reason; of a claim whatever [`records::claim::guard`] has against it.
    pub fn decide(
        &mut self,
        doc: DocId,
        actor: &Actor,
        taken: &Taken<'_>,
        extra: Vec<Write>,
        now_ms: u64,
    ) -> Result<OpId, MoneyError> {
        let document = self.document(doc)?.ok_or_else(|| Refusal::by("H-01").with("text", doc))?;
        let record = reading::record(&document).ok_or_else(|| Refusal::by("H-01").with("text", doc))?;
        let (machine, index, step) = step_of(&record, taken.step)?;
        let role = match self.guarded(&record, actor, taken, &extra, now_ms)? {
            Some(role) => role,
            None => role_of(&record, step, actor, self.is_own(&document, actor)?)?,
        };
        let saw = content_digest(&[&document]);
        let decision = Decision {
            step: index,
            role,
            on_behalf_of: actor.on_behalf_of,
            to: None,
            reason: taken.reason.trim().to_owned(),
            saw: Some(saw),
            picks: None,
        };
        machine.apply(document.state, &decision).map_err(|error| refused(machine, &record, step, error))?;
        let mut writes = extra;
        // Serialising plain data into a growing vector has no way to fail.
        let bytes = postcard::to_allocvec(&decision).unwrap_or_default();
        writes.push(Write { tag: DECISION_TAG, bytes });
        writes.push(put(&[approval(&record, actor, taken, saw, now_ms)]));
        let op = NewOp { kind: record.kind.number, on: On::Document(doc), writes };
        let written = self.write(vec![op], now_ms)?;
        written.first().copied().ok_or_else(|| Refusal::by("H-01").with("text", doc).into())
    }

    /// Asks the rules of claims, of the claim as it will read; returns the role that counts, `None` for other kinds.
    fn guarded(
        &mut self,
        record: &Record,
        actor: &Actor,
        taken: &Taken<'_>,
        extra: &[Write],
        now_ms: u64,
    ) -> Result<Option<Role>, MoneyError> {
        if record.kind.number != number::CLAIM {
            return Ok(None);
        }
        let mut after = record.clone();
        for write in extra {
            // What does not read back is refused by intake, with its own words.
            let _ = after.write(write.tag, &write.bytes);
        }
        let claim = Claim::of(&after).ok_or_else(|| Refusal::by("H-01").with("text", title(record)))?;
        let facts = self.facts(&claim, instant(now_ms).day(Zone::SHANGHAI))?;
        self.may(&claim, actor, taken, &facts)?;
        let (_, _, step) = step_of(record, taken.step)?;
        let counts = |role: &&Role| {
            step.who.contains(role) && segregation::reaches(taken.step, **role, &claim, &facts)
        };
        Ok(actor.roles.iter().find(counts).copied())
    }

    /// Says whether the rules let somebody take a step on a claim.
    ///
    /// # Errors
    /// The first rule that refuses.
    pub fn may(
        &self,
        claim: &Claim,
        actor: &Actor,
        taken: &Taken<'_>,
        facts: &Facts,
    ) -> Result<(), MoneyError> {
        let who = guard::Actor {
            staff: actor.staff,
            roles: actor.roles.iter().copied().collect(),
            on_behalf_of: actor.on_behalf_of,
        };
        let given = guard::Given {
            vouchers: taken.vouchers,
            acks: taken.acks.iter().cloned().collect(),
            reason: taken.reason.to_owned(),
        };
        guard::guard(claim, taken.step, &who, &given, facts)
            .map_err(|problem| MoneyError::Ruled(Box::new(problem)))
    }

    /// Returns whether the actor or his principal is one of the document's own people.
    fn is_own(&mut self, document: &Document, actor: &Actor) -> Result<bool, MoneyError> {
        let home = self.home(document.id.0.replica)?.unwrap_or(0);
        let people = self.store.known(home, document.id)?.map(|known| known.people).unwrap_or_default();
        Ok(actor.people().any(|person| people.contains(&person)))
    }
}

/// Returns the row that says who took a step, for whom, and on what content.
#[must_use]
pub fn approval(record: &Record, actor: &Actor, taken: &Taken<'_>, saw: [u8; 16], now_ms: u64) -> Approvals {
    let said = if taken.note.is_empty() { taken.reason } else { taken.note };
    Approvals {
        step: text(taken.step),
        by: link(actor.staff),
        on_behalf_of: actor.on_behalf_of.map(|principal| Ref(Target::Doc(principal))),
        rev: record.get::<Submission>().and_then(|submission| submission.rev),
        content: Some(Digest(saw.to_vec())),
        vouchers: taken.vouchers.map(Count),
        acks: text(&taken.acks.join(" ")),
        note: text(said),
        at: Some(instant(now_ms)),
    }
}

/// Returns the step of that name of the record's machine.
fn step_of(record: &Record, name: &str) -> Result<(&'static Machine, u8, &'static Step), Refusal> {
    let none = || Refusal::by("W-07").case("none").with("step", name).with("code", title(record));
    let machine = record.kind.machine.ok_or_else(none)?;
    let (index, step) = machine.step(name).ok_or_else(none)?;
    Ok((machine, index, step))
}

/// Returns the role in which the actor takes a step; `own`: the record is his own or his principal's.
fn role_of(record: &Record, step: &Step, actor: &Actor, own: bool) -> Result<Role, Refusal> {
    if let Some(role) = actor.roles.iter().find(|role| step.is_for(**role, own)) {
        return Ok(*role);
    }
    let refusal = if actor.holds(step.who).is_none() {
        let who: Vec<&str> =
            step.who.iter().filter_map(|role| Some(Role::CHOICES.option(role.0)?.0)).collect();
        Refusal::by("W-08").with("roles", who.join(", "))
    } else if step.own {
        Refusal::by("W-09")
    } else {
        Refusal::by("W-10")
    };
    Err(refusal.label("step", step.zh, step.en).with("code", title(record)))
}

/// Returns what people call a record: its number, else its code.
#[must_use]
pub fn title(record: &Record) -> String {
    match record.kind.key.and_then(|key| record.value(key)) {
        Some(Value::Text(text)) if !text.is_empty() => text.clone(),
        _ => record.id.code(),
    }
}

fn refused(machine: &Machine, record: &Record, step: &Step, error: StepError) -> Refusal {
    let state = machine.states.get(usize::from(record.state));
    let (zh, en) = state.map_or(("", ""), |state| (state.zh, state.en));
    let refusal = |rule| Refusal::by(rule).label("step", step.zh, step.en).with("code", title(record));
    match error {
        StepError::Unknown { .. } | StepError::NotFromHere { .. } => refusal("W-07").label("state", zh, en),
        StepError::NeedsReason => refusal("W-11"),
        StepError::NotAReason { list } => refusal("W-11").case("list").with("allowed", words(list)),
        StepError::NeedsColleague => refusal("W-21"),
        StepError::NeedsPick => refusal("W-24"),
    }
}

fn words(list: &Choices) -> String {
    list.options.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}
