//! Audits that were late: a day of a branch is charged once, whoever proposes the case.
//!
//! Source: docs/RULES.md P-30.

use std::collections::BTreeSet;

use records::claim::clocks::{self, Clock, What};
use records::claim::segregation::{self, Level};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::batch::BatchNo;
use records::kinds::case::{About, CASE, CaseKind};
use records::kinds::case_machine as at;
use records::kinds::exception::{Ask, ExceptionKind};
use records::kinds::staff::Role;
use records::kinds::{exception_machine, number};
use records::policy::cycle::Month;
use records::record::Record;
use records::time::{Day, Zone};
use records::value::Count;

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::cases::Case;
use crate::money::decide::{Taken, approval};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{instant, link, linked, put, text};
use crate::store::StoreError;

impl Desk {
    /// Proposes a case about an auditor who was late with a branch's claims; a day counts once however many were late.
    ///
    /// # Errors
    /// H-03 for an auditor or H-33 for a branch that nobody knows, H-34 where nothing new is late.
    ///
    /// Source: docs/RULES.md P-30.
    pub fn propose_late(
        &mut self,
        branch: &str,
        auditor: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Case, MoneyError> {
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let people = self.people()?;
        let unit = people.units.iter().find(|(_, unit)| unit.code == branch).map(|(id, _)| *id);
        let unit = unit.ok_or_else(|| Refusal::by("H-33").with("branch", branch))?;
        let staff = people.by_code(auditor).map(|(id, _)| id);
        let staff = staff.ok_or_else(|| Refusal::by("H-03").with("staff", auditor))?;
        if actor.holds(&[Role::AUDITOR, Role::CS_MANAGER]).is_none() {
            let step = Refusal::by("W-08").with("roles", "auditor, cs_manager");
            return Err(step.label("step", "提出处罚", "Propose a case").with("code", branch).into());
        }
        let days = self.late_days(unit, today)?;
        let charged = self.charged_days(unit, &[at::DISMISSED, at::WAIVED])?;
        let new: BTreeSet<Day> = days.difference(&charged).copied().collect();
        let Some(about) = late(staff, unit, &new) else {
            return Err(Refusal::by("H-34").with("branch", branch).into());
        };
        let record = Record::new(DocId(self.next_op()?), &CASE);
        let seen = approval(&record, actor, &Taken::step("propose", ""), [0; 16], now_ms);
        let writes = vec![put(&[about]), put(&[seen])];
        self.write(vec![NewOp { kind: number::CASE, on: On::Create, writes }], now_ms)?;
        self.case(&record.id.to_string())
    }

    /// Proposes a case by itself once an audit that was late is done; a day that was proposed before, and be it
    /// dismissed, is not proposed again. The manager who audits in an auditor's place is not fined.
    ///
    /// # Errors
    /// [`AuthorError`].
    pub(crate) fn propose_by_itself(&mut self, claim: &Claim, now_ms: u64) -> Result<bool, AuthorError> {
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let Some(auditor) = segregation::taken_by(claim, Level::Audit) else { return Ok(false) };
        let people = &self.terms()?.people;
        let branch = claim.unit.and_then(|unit| people.branch_of(unit));
        let Some(branch) = branch.filter(|_| people.holds(auditor, Role::AUDITOR)) else { return Ok(false) };
        let Some(clock) = self.audit_clock(claim, today)?.filter(is_over) else {
            return Ok(false);
        };
        let excused = self.temporary_work(branch)?;
        let calendar = self.terms()?.in_force.calendar.clone();
        let days = clock.late_days(today, &excused, &calendar);
        let before = self.charged_days(branch, &[])?;
        let Some(about) = late(auditor, branch, &days.difference(&before).copied().collect()) else {
            return Ok(false);
        };
        let seen = Approvals { step: text("propose"), at: Some(instant(now_ms)), ..Approvals::default() };
        let writes = vec![put(&[about]), put(&[seen])];
        self.write(vec![NewOp { kind: number::CASE, on: On::Create, writes }], now_ms)?;
        Ok(true)
    }

    fn audit_clock(&mut self, claim: &Claim, today: Day) -> Result<Option<Clock>, StoreError> {
        let facts = self.plain_facts(claim, today)?;
        Ok(clocks::clock(claim, What::Audit, &facts))
    }

    /// Returns the working days on which the audit of some claim of a branch was late.
    fn late_days(&mut self, branch: DocId, today: Day) -> Result<BTreeSet<Day>, StoreError> {
        let mut days = BTreeSet::new();
        let excused = self.temporary_work(branch)?;
        let calendar = self.terms()?.in_force.calendar.clone();
        self.each_claim(&[], |desk, held| {
            let terms = desk.terms()?;
            if held.claim.unit.and_then(|unit| terms.people.branch_of(unit)) == Some(branch)
                && let Some(clock) = desk.audit_clock(&held.claim, today)?
            {
                days.extend(clock.late_days(today, &excused, &calendar));
            }
            Ok::<bool, StoreError>(true)
        })?;
        Ok(days)
    }

    /// Returns the days that approved exceptions for temporary work name for a branch: a whole month, or the day of the batch.
    fn temporary_work(&mut self, branch: DocId) -> Result<BTreeSet<Day>, StoreError> {
        let mut days = BTreeSet::new();
        for record in self.records(number::EXCEPTION, &[exception_machine::APPROVED])? {
            let ask = record.get::<Ask>().unwrap_or_default();
            let batch = linked(ask.batch.as_ref()).map(|id| self.record(id)).transpose()?.flatten();
            let of = batch.and_then(|batch| linked(batch.get::<BatchNo>()?.branch.as_ref()));
            let mine = ask.kind_of == Some(ExceptionKind::TEMPORARY_WORK) && of.is_none_or(|of| of == branch);
            let month = ask.month.and_then(|month| month.0.parse::<Month>().ok()).filter(|_| mine);
            days.extend(month.into_iter().flat_map(|month| (month.day(1).0..=month.last().0).map(Day)));
        }
        Ok(days)
    }

    /// Returns the days that an earlier case on a branch counts already, but for those of cases in `forgotten` states.
    fn charged_days(&mut self, branch: DocId, forgotten: &[u8]) -> Result<BTreeSet<Day>, StoreError> {
        let cases = self.records(number::CASE, &[])?.into_iter().map(Case::of);
        let of_branch = cases.filter(|case| {
            case.about.kind_of == Some(CaseKind::AUDIT_LATE)
                && linked(case.about.branch.as_ref()) == Some(branch)
                && !forgotten.contains(&case.record.state)
        });
        let words: Vec<String> =
            of_branch.filter_map(|case| case.about.evidence.map(|evidence| evidence.0)).collect();
        Ok(words
            .iter()
            .flat_map(|words| words.split_whitespace())
            .filter_map(|word| word.parse().ok())
            .collect())
    }
}

/// Returns what a case says of days on which a branch's audits were late; `None` without any.
fn late(auditor: DocId, branch: DocId, days: &BTreeSet<Day>) -> Option<About> {
    let (first, last) = (days.first()?, days.last()?);
    let listed: Vec<String> = days.iter().map(ToString::to_string).collect();
    Some(About {
        kind_of: Some(CaseKind::AUDIT_LATE),
        claimant: link(auditor),
        branch: link(branch),
        days: Some(Count(u32::try_from(days.len()).unwrap_or(u32::MAX))),
        evidence: text(&format!("{first} – {last}: {}", listed.join(" "))),
        ..About::default()
    })
}

/// Whether the audit was done, and too late.
fn is_over(clock: &Clock) -> bool {
    clock.done.zip(clock.due).is_some_and(|(done, due)| done > due)
}
