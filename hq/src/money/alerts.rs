//! Alerts that rules raise: what betrays a wrong claim, and what was taken in though a rule speaks against it.
//!
//! One alert for each rule and claim, whatever comes later; the claimant does not read it.
//!
//! Source: docs/RULES.md, Anomalies, Claims at headquarters.

use std::collections::{BTreeMap, BTreeSet};

use records::both::both;
use records::claim::checks;
use records::claim::view::Claim;
use records::decision::{DECISION_TAG, Decision};
use records::id::DocId;
use records::kinds::alert::Finding;
use records::kinds::claim_machine::{self as at, CLAIM};
use records::kinds::{alert_machine, number};
use records::problems::Problem;
use records::record::Record;
use records::time::Zone;
use records::value::Count;
use records::value::text::Lang;
use sync_protocol::merge::{Document, Judged};
use sync_protocol::ruling::Verdict;

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::money::rows::{instant, link, linked, put, text};
use crate::store::StoreError;
use crate::store::marks::Mark;

/// Rules of a submission that need other documents: HQ tells them, it refuses nothing over them.
const TOLD: [&str; 3] = ["B3", "B5", "B6"];

/// A decision that came after something was built on another one.
const TOO_LATE: &str = "C-37";

/// What a rule found on a claim: the line, where it is one, and the evidence of each finding.
#[derive(Debug, Default)]
struct Found {
    lines: BTreeSet<Option<u32>>,
    evidence: Vec<String>,
}

impl Desk {
    /// Raises what the rules find on a claim and have not told yet; returns how many alerts that are.
    pub(crate) fn look(&mut self, id: DocId, now_ms: u64) -> Result<u64, AuthorError> {
        let Some(record) = self.record(id)? else {
            return Ok(0);
        };
        let Some(claim) = Claim::of(&record) else {
            return Ok(0);
        };
        let mut found: BTreeMap<&'static str, Found> = BTreeMap::new();
        if is_looked_at(claim.state) {
            self.content(&record, &claim, now_ms, &mut found)?;
        }
        // Also of a claim that was paid: somebody wanted it otherwise.
        self.too_late(id, &mut found)?;
        for rule in self.raised(id)? {
            found.remove(rule.as_str());
        }
        let ops: Vec<NewOp> = found.iter().map(|(rule, found)| found.alert(rule, &claim)).collect();
        let raised = u64::try_from(ops.len()).unwrap_or(u64::MAX);
        self.write(ops, now_ms)?;
        Ok(raised)
    }

    /// What speaks against what is claimed.
    fn content(
        &mut self,
        record: &Record,
        claim: &Claim,
        now_ms: u64,
        found: &mut BTreeMap<&'static str, Found>,
    ) -> Result<(), AuthorError> {
        let facts = self.facts(claim, instant(now_ms).day(Zone::SHANGHAI))?;
        for trace in self.traces(record, claim, &facts)? {
            found.entry(trace.rule).or_default().add(trace.line, &trace.problem());
        }
        let told = checks::check(claim, &facts).into_iter().filter(|problem| TOLD.contains(&problem.rule));
        for problem in told {
            found.entry(problem.rule).or_default().add(checks::line_of(&problem), &problem);
        }
        Ok(())
    }

    /// Returns the rules that have an alert on a claim already.
    fn raised(&mut self, claim: DocId) -> Result<BTreeSet<String>, StoreError> {
        let mut rules = BTreeSet::new();
        for id in self.store.marked(&Mark::Claim(claim), number::ALERT)? {
            let finding = self.record(id)?.and_then(|alert| alert.get::<Finding>());
            rules.extend(finding.and_then(|finding| finding.rule).map(|rule| rule.0));
        }
        Ok(rules)
    }

    /// A restored headquarters may find again what it had told before: once the older alert came back from a device,
    /// the younger one is answered with its code.
    pub(crate) fn told_twice(&mut self, alert: &Document, now_ms: u64) -> Result<(), AuthorError> {
        if alert.state != alert_machine::OPEN {
            return Ok(());
        }
        let Some(about) = self.by_rule(alert.id)? else { return Ok(()) };
        let Some(claim) = linked(about.claim.as_ref()) else { return Ok(()) };
        for id in self.store.marked(&Mark::Claim(claim), number::ALERT)? {
            let Some(other) = self.document(id)?.filter(|other| other.id != alert.id) else { continue };
            let same = self.by_rule(id)?.is_some_and(|other| other.rule == about.rule);
            let older = (other.created, other.id) < (alert.created, alert.id);
            let answered =
                other.state != alert_machine::OPEN && !self.is_answered_with(id, &alert.id.code())?;
            if same && (older || answered) {
                let code = other.id.code();
                let reason = both(&format!("C-38 与 {code} 相同"), &format!("C-38 the same as {code}"));
                return self.step(alert, (&alert_machine::ALERT, "explain"), &reason, None, now_ms);
            }
        }
        Ok(())
    }

    /// Returns whether an alert was answered with the code of another one, and so by nobody.
    fn is_answered_with(&mut self, alert: DocId, code: &str) -> Result<bool, StoreError> {
        let with = |op: &Judged| decision(op).is_some_and(|decision| decision.reason.contains(code));
        Ok(self.history(alert)?.iter().any(with))
    }

    /// Returns what an alert says that a rule raised; `None` of one that a person did.
    fn by_rule(&mut self, alert: DocId) -> Result<Option<Finding>, StoreError> {
        let finding = self.record(alert)?.and_then(|alert| alert.get::<Finding>());
        Ok(finding.filter(|finding| finding.by.is_none() && finding.rule.is_some()))
    }

    /// Decisions that HQ could not follow any more.
    fn too_late(
        &mut self,
        claim: DocId,
        found: &mut BTreeMap<&'static str, Found>,
    ) -> Result<(), StoreError> {
        for op in self.history(claim)? {
            if op.judgement.as_ref().is_none_or(|judgement| judgement.verdict != Verdict::TooLate) {
                continue;
            }
            let step = decision(&op).and_then(|decision| CLAIM.step_at(decision.step));
            let staff = self.store.device(op.id.replica)?.and_then(|device| device.staff);
            let by = staff.map(|staff| self.staff_code(staff)).transpose()?.unwrap_or_default();
            let facts = vec![("step", step.map_or("?", |step| step.name).to_owned()), ("by", by)];
            let problem = Problem { rule: TOO_LATE, group: "decision", field: "", facts };
            found.entry(TOO_LATE).or_default().add(None, &problem);
        }
        Ok(())
    }
}

fn decision(op: &Judged) -> Option<Decision> {
    postcard::from_bytes(op.row.write(DECISION_TAG)?).ok()
}

/// From the submission to the payment.
fn is_looked_at(state: u8) -> bool {
    let over = [at::DRAFT, at::RETURNED, at::PAID, at::CLOSED, at::REJECTED, at::VOID];
    !over.contains(&state)
}

impl Found {
    fn add(&mut self, line: Option<u32>, problem: &Problem) {
        self.lines.insert(line);
        self.evidence.push(both(&problem.text(Lang::Zh), &problem.text(Lang::En)));
    }

    /// The alert that tells it; it names the line where it is about one.
    fn alert(&self, rule: &str, claim: &Claim) -> NewOp {
        let line = self.lines.first().copied().flatten().filter(|_| self.lines.len() == 1);
        let finding = Finding {
            rule: text(rule),
            claim: link(claim.id),
            line: line.map(Count),
            staff: link(claim.staff),
            evidence: text(&self.evidence.join("\n")),
            by: None,
        };
        NewOp { kind: number::ALERT, on: On::Create, writes: vec![put(&[finding])] }
    }
}

#[cfg(test)]
mod tests;
