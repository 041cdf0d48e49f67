//! The rules of money, asked again of what devices send: who may take a step, in whose name, under which number.
//!
//! What an op and its document show by themselves, and who may act, is refused here and can be mended where it was
//! written. What only other documents show (a voucher claimed elsewhere, a trip opened again) is taken in and told as
//! an alert: paper is on its way, and nobody's work may be lost over what he could not know.
//!
//! Source: docs/RULES.md, Claims at headquarters.

use records::claim::checks;
use records::claim::facts::Facts;
use records::claim::guard::batch::{Batch, Inside};
use records::claim::guard::trip::Trip;
use records::claim::guard::{self, Given};
use records::claim::view::{Approval, Claim};
use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Replica};
use records::kinds::approval::Approvals;
use records::kinds::claim::ClaimNo;
use records::kinds::{self, number};
use records::machine::Step;
use records::policy::choices::Needed;
use records::problems::Problem;
use records::record::Record;
use records::schema::{Kind, Typed, Writer};
use records::time::{Day, Zone};
use records::value::{Target, Value, payload};
use sync_protocol::merge::Judged;
use sync_protocol::op::Row;
use sync_protocol::reason;
use sync_protocol::ruling::Verdict;

use crate::intake::desk::Desk;
use crate::intake::judge::{self, Author, Case};
use crate::intake::ops::Op;
use crate::intake::segments::Job;
use crate::money::rows::instant;
use crate::reading;
use crate::store::StoreError;

/// Steps that a claimant takes for himself: the device's signature says who.
const WITHOUT_APPROVAL: [&str; 2] = ["submit", "withdraw"];

/// What a submission is refused for: what the claim shows without any other document.
const AT_SUBMISSION: [&str; 9] = ["P-02", "B1", "B2", "B7", "B8", "B9", "B12", "B13", "B14"];

/// What other documents than the batch show.
const HELD_BY_CLAIMS: [&str; 4] = ["T-03", "T-04", "P-13", "P-25"];

/// A document as the author of an op saw it, and the op.
#[derive(Debug)]
pub(super) struct Asked {
    kind: &'static Kind,
    /// As he saw it.
    before: Record,
    /// With what he wrote; its state is still the one before.
    after: Record,
    /// Its ops that he had seen.
    past: Vec<Judged>,
    decision: Option<(&'static Step, Decision)>,
    /// The rows that say who took the step.
    approvals: Vec<Approvals>,
}

impl Asked {
    /// Returns what is to be asked of an accepted op; `None` where it has nothing to do with money.
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        if case.author.hq || !judge::MONEY.contains(&case.row.kind) {
            return None;
        }
        let kind = kinds::by_number(case.row.kind)?;
        let (past, document) = judge::seen_by_author(case);
        let blank = || Record::new(case.row.document(case.id), kind);
        let before = document.as_ref().and_then(reading::record).unwrap_or_else(blank);
        let mut after = before.clone();
        for write in &case.row.writes {
            // The judge has read it already; a newer version's fields behind its row are not asked.
            let _ = after.write(write.tag, &write.bytes);
        }
        Some(Self {
            kind,
            decision: decision(kind, case.row),
            approvals: rows::<Approvals>(case.row),
            before,
            after,
            past,
        })
    }
}

fn decision(kind: &Kind, row: &Row) -> Option<(&'static Step, Decision)> {
    let decision: Decision = postcard::from_bytes(row.write(DECISION_TAG)?).ok()?;
    Some((kind.machine?.step_at(decision.step)?, decision))
}

/// Returns the rows that an op writes to a group.
fn rows<G: Typed>(row: &Row) -> Vec<G> {
    let group = &G::GROUP;
    let bytes = row.write(group.tag());
    let rows = bytes.and_then(|bytes| payload::rows_at(group, row.schema, bytes).ok()).unwrap_or_default();
    let typed =
        |row: &records::value::Row| postcard::from_bytes(&records::value::encode(group.fields, row)).ok();
    rows.iter().filter_map(typed).collect()
}

fn broken(rule: &'static str) -> Problem {
    Problem { rule, group: "decision", field: "", facts: Vec::new() }
}

impl Desk {
    /// Asks the rules of money about an op that is well made otherwise.
    pub(super) fn guard(
        &mut self,
        job: &Job,
        author: &Author,
        op: Op<'_>,
        asked: &Asked,
    ) -> Result<Verdict, StoreError> {
        Ok(match self.broken_rule(job, author, op, asked)? {
            Some(problem) => Verdict::Quarantined {
                code: reason::GUARD,
                text: reason::guard_text(&problem),
                // Who may act is the office's data, which may change.
                retryable: ["C-02", "C-05", "C-06", "C-31", "P-02"].contains(&problem.rule),
            },
            None => Verdict::Accepted,
        })
    }

    fn broken_rule(
        &mut self,
        job: &Job,
        author: &Author,
        op: Op<'_>,
        asked: &Asked,
    ) -> Result<Option<Problem>, StoreError> {
        let Some(owner) = author.staff else {
            return Ok(None);
        };
        if let Some(problem) = signed(asked, op.row, owner) {
            return Ok(Some(problem));
        }
        let at = self.recorded(op.id, op.row.stamp)?.map_or(op.row.stamp.ms, |recorded| recorded.at_ms);
        let today = instant(at).day(Zone::SHANGHAI);
        if asked.kind.number != number::CLAIM {
            return self.beside_claims(author, owner, asked, today);
        }
        let Some(claim) = Claim::of(&asked.after) else {
            return Ok(Some(broken("C-34")));
        };
        if let Some(problem) = content(asked, op.row, &claim, owner) {
            return Ok(Some(problem));
        }
        if let Some(problem) = self.numbered(job, op, asked, &claim, today)? {
            return Ok(Some(problem));
        }
        let Some((step, decision)) = &asked.decision else {
            return Ok(None);
        };
        let mut facts = self.plain_facts(&claim, today)?;
        // Whether a trip was opened again is told at headquarters, not held against who had seen it approved.
        facts.policy.attach.trip_summary = Needed::Optional;
        facts.authors.insert(claim.id, self.authors(asked.kind, &asked.past)?);
        if step.name == "submit" {
            return Ok(submits(&claim, owner, decision, &facts));
        }
        let (actor, given) = (actor(author, owner, decision), given(asked, decision));
        Ok(guard::guard(&claim, step.name, &actor, &given, &facts).err())
    }

    /// Steps on trip summaries, batches, cases, exceptions and alerts.
    fn beside_claims(
        &mut self,
        author: &Author,
        owner: DocId,
        asked: &Asked,
        today: Day,
    ) -> Result<Option<Problem>, StoreError> {
        let Some((step, decision)) = &asked.decision else {
            return Ok(None);
        };
        let terms = self.terms()?;
        let policy = terms.in_force.policy(today).clone();
        let mut facts = Facts::new(today, policy, std::sync::Arc::clone(&terms.in_force.calendar));
        facts.people = std::sync::Arc::clone(&terms.people);
        facts.authors.insert(asked.after.id, self.authors(asked.kind, &asked.past)?);
        let (actor, given) = (actor(author, owner, decision), given(asked, decision));
        let record = &asked.after;
        let said = match asked.kind.number {
            number::TRIP => match Trip::of(record) {
                Some(trip) => guard::trip::guard(&trip, step.name, &actor, &given, &facts),
                None => Err(broken("C-34")),
            },
            number::BATCH => batch(&Batch::of(record), step.name, (&actor, &given), &facts),
            number::CASE => guard::case::guard_case(record, step.name, &actor, &given, &facts),
            number::EXCEPTION => guard::case::guard_exception(record, step.name, &actor, &given, &facts),
            number::ALERT => guard::case::guard_alert(record, step.name, &actor, &given, &facts),
            _ => Ok(()),
        };
        Ok(said.err())
    }

    /// A claim gets its number with its first submission, from the lease of the device that submits it.
    fn numbered(
        &mut self,
        job: &Job,
        op: Op<'_>,
        asked: &Asked,
        claim: &Claim,
        today: Day,
    ) -> Result<Option<Problem>, StoreError> {
        let submits = asked.decision.as_ref().is_some_and(|(step, _)| step.name == "submit");
        let known = asked.before.get::<ClaimNo>().and_then(|row| row.claim_no);
        let written = rows::<ClaimNo>(op.row).into_iter().next().and_then(|row| row.claim_no);
        let wrong = || Some(broken("C-31"));
        let no = match (known, written, submits) {
            (None, None, false) | (Some(_), None, _) => return Ok(None),
            (Some(known), Some(written), true) if known == written => return Ok(None),
            (None, Some(written), true) => written.0,
            (_, _, _) => return Ok(wrong()),
        };
        let day = claim.submitted_day(today);
        let owner = self.leased(claim.staff, &no, day)?;
        if owner != Some(op.id.replica) {
            return Ok(wrong().map(|problem| with(problem, "number", &no)));
        }
        let other = self.numbers_claim(job, op.doc, &no)?;
        Ok(other.map(|other| with(with(broken("C-32"), "number", &no), "other", &other.code())))
    }

    /// Returns the device that may give a person's claim that number; `None` where it is none of his numbers.
    fn leased(&mut self, staff: DocId, no: &str, day: Day) -> Result<Option<Replica>, StoreError> {
        let terms = self.terms()?;
        let Some(person) = terms.people.staff.get(&staff) else {
            return Ok(None);
        };
        let number = &terms.in_force.policy(day).number;
        let parsed = records::claim::numbers::ClaimNo::parse(no, &number.pattern);
        let year = day.ymd().map(|(year, ..)| year);
        let his = parsed
            .filter(|parsed| parsed.staff == person.code && (parsed.year.is_none() || parsed.year == year));
        let Some((his, lease)) = his.zip(self.lease(&person.code)?) else {
            return Ok(None);
        };
        let year = his.year.or(year).unwrap_or_default();
        Ok(records::claim::lease::holder(&lease.turns, year, his.seq, number.reset).map(|turn| turn.replica))
    }

    /// Returns another claim with that number, of those that HQ holds or takes in now.
    fn numbers_claim(&self, job: &Job, doc: DocId, no: &str) -> Result<Option<DocId>, StoreError> {
        if let Some(other) = self.store.numbered(number::CLAIM, no)?.filter(|other| *other != doc) {
            return Ok(Some(other));
        }
        let stands = |op: &&Judged| op.judgement.as_ref().is_some_and(|judgement| judgement.verdict.stands());
        let numbers = |op: &Judged| {
            let number = rows::<ClaimNo>(&op.row).into_iter().next().and_then(|row| row.claim_no);
            op.row.kind == number::CLAIM && number.is_some_and(|number| number.0 == no)
        };
        let mut others = job
            .works
            .iter()
            .filter(|(other, work)| **other != doc && work.ops.iter().filter(stands).any(numbers));
        Ok(others.next().map(|(other, _)| *other))
    }
}

fn with(mut problem: Problem, name: &'static str, value: &str) -> Problem {
    problem.facts.push((name, value.to_owned()));
    problem
}

fn actor(author: &Author, owner: DocId, decision: &Decision) -> guard::Actor {
    let roles = author.roles.iter().copied().collect();
    guard::Actor { staff: owner, roles, on_behalf_of: decision.on_behalf_of }
}

/// A batch is its branch's. What lies in a sealed envelope is told by the claims: it may be in the post already.
fn batch(
    batch: &Batch,
    step: &str,
    (actor, given): (&guard::Actor, &Given),
    facts: &Facts,
) -> Result<(), Problem> {
    let said = guard::batch::guard(batch, step, actor, given, &Inside::default(), facts);
    said.or_else(|problem| if HELD_BY_CLAIMS.contains(&problem.rule) { Ok(()) } else { Err(problem) })
}

/// Does every row that names its author name the device's owner, and the decision say who took it?
fn signed(asked: &Asked, row: &Row, owner: DocId) -> Option<Problem> {
    let own = Value::Ref(Target::Doc(owner));
    for write in &row.writes {
        let group = asked.kind.group(write.tag.number()).filter(|group| group.writer == Writer::Scope);
        let Some((group, by)) =
            group.and_then(|group| Some((group, group.fields.iter().position(|field| field.name == "by")?)))
        else {
            continue;
        };
        let rows = payload::rows_at(group, row.schema, &write.bytes).unwrap_or_default();
        if rows.iter().any(|row| row.get(by) != Some(&Some(own.clone()))) {
            return Some(with(broken("C-35"), "group", group.name));
        }
    }
    let Some((step, decision)) = &asked.decision else {
        // Who proposes something signs it with its creation.
        let proposes = row.doc.is_none() && asked.kind.number != number::CLAIM;
        return (!asked.approvals.is_empty() && !proposes).then(|| broken("C-30"));
    };
    let exempt = step.own && WITHOUT_APPROVAL.contains(&step.name);
    let [approval] = asked.approvals.as_slice() else {
        let missing = asked.approvals.is_empty() && exempt;
        return (!missing).then(|| with(broken("C-30"), "step", step.name));
    };
    let read = Approval::of(approval.clone());
    let bound = match (&decision.saw, read.content.as_slice()) {
        (Some(saw), content) => content.is_empty() || content == saw,
        // Who judges another's work says what he saw of it.
        (None, _) => !step.apart,
    };
    let truly = read.step == step.name && read.on_behalf_of == decision.on_behalf_of && bound;
    (!truly).then(|| with(broken("C-30"), "step", step.name))
}

/// A claim says what its claimant says; its totals are those of its lines.
fn content(asked: &Asked, row: &Row, claim: &Claim, owner: DocId) -> Option<Problem> {
    let content =
        |tag: records::schema::Tag| asked.kind.group(tag.number()).is_some_and(|group| group.content);
    if !row.writes.iter().any(|write| content(write.tag)) {
        return None;
    }
    if claim.staff != owner {
        return Some(broken("C-34"));
    }
    let submission = rows::<records::kinds::claim::Submission>(row).into_iter().next()?;
    let sum = submission.claimed_total == Some(claim.claimed_total());
    let count = submission.voucher_total_count.map(|n| n.0) == Some(claim.voucher_count());
    (!(sum && count)).then(|| broken("C-33"))
}

/// A submission is the claimant's own, and whole as far as the claim itself shows.
fn submits(claim: &Claim, owner: DocId, decision: &Decision, facts: &Facts) -> Option<Problem> {
    if claim.staff != owner || decision.on_behalf_of.is_some() {
        return Some(with(broken("C-12"), "step", "submit"));
    }
    if claim.no.is_none() || claim.submission.is_none() {
        return Some(broken("C-31"));
    }
    checks::check(claim, facts).into_iter().find(|problem| AT_SUBMISSION.contains(&problem.rule))
}

fn given(asked: &Asked, decision: &Decision) -> Given {
    let approval = asked.approvals.first().cloned().map(Approval::of);
    Given {
        vouchers: approval.as_ref().and_then(|approval| approval.vouchers),
        acks: approval.map(|approval| approval.acks.into_iter().collect()).unwrap_or_default(),
        reason: decision.reason.clone(),
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
