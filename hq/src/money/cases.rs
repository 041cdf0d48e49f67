//! Disciplinary cases: proposed, confirmed, appealed, and a list for payroll; nothing is taken off a claim for them.

use std::collections::BTreeSet;

use records::claim::segregation::{self, Level};
use records::id::DocId;
use records::kinds::alert::Finding;
use records::kinds::approval::Approvals;
use records::kinds::case::{About, CASE, CaseKind, FineState, Fines, Marks};
use records::kinds::case_machine as at;
use records::kinds::claim::{AuditLines, LineVerdict};
use records::kinds::number;
use records::kinds::staff::Role;
use records::money::Fen;
use records::policy::choices::{FinePer, FinedSupervisor, GradeMonth};
use records::policy::cycle::Month;
use records::policy::due;
use records::policy::penalty::{self, Offence};
use records::policy::terms::Policy;
use records::record::Record;
use records::time::{Day, Ts, Zone};
use records::value::{Count, Ref, Target};
use sync_protocol::op::Write;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::decide::{Taken, approval};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{instant, link, linked, put, text};

/// What somebody says was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal<'a> {
    /// What it is about.
    pub kind: CaseKind,
    /// On which claim.
    pub claim: &'a str,
    /// On which line; `None`: on the whole of it.
    pub line: Option<u32>,
    /// What shows it.
    pub evidence: &'a str,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The document.
    pub record: Record,
    /// What it is about.
    pub about: About,
    /// What each person owes: of one person the last row.
    pub fines: Vec<Fine>,
    /// The claimant's appraisal: month and grade.
    pub mark: Option<(String, String)>,
    /// When it was confirmed.
    pub confirmed: Option<Ts>,
    /// By whom.
    pub confirmed_by: Option<DocId>,
}

/// What somebody owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fine {
    /// Who.
    pub person: DocId,
    /// How much.
    pub amount: Fen,
    /// What became of it.
    pub state: FineState,
}

impl Case {
    pub(crate) fn of(record: Record) -> Self {
        let mut fines: Vec<Fine> = Vec::new();
        for row in record.all::<Fines>() {
            let (Some(person), Some(amount)) = (linked(row.person.as_ref()), row.amount) else { continue };
            fines.retain(|fine| fine.person != person);
            fines.push(Fine { person, amount, state: row.state.unwrap_or(FineState::PENDING) });
        }
        let mark = record.all::<Marks>().pop();
        let mut confirmed = record.all::<Approvals>().into_iter().rev();
        let last = confirmed.find(|row| row.step.as_ref().is_some_and(|step| step.0 == "confirm"));
        Self {
            about: record.get().unwrap_or_default(),
            fines,
            mark: mark.and_then(|mark| Some((mark.month?.0, mark.grade?.0))),
            confirmed: last.as_ref().and_then(|row| row.at),
            confirmed_by: last.as_ref().and_then(|row| linked(row.by.as_ref())),
            record,
        }
    }

    /// Returns whether it counts: confirmed, and neither dismissed nor waived.
    #[must_use]
    pub fn counts(&self) -> bool {
        [at::CONFIRMED, at::APPEALED, at::UPHELD, at::EXECUTED].contains(&self.record.state)
    }

    /// Returns the claim that it is about.
    #[must_use]
    pub fn claim(&self) -> Option<DocId> {
        linked(self.about.claim.as_ref())
    }
}

impl Desk {
    /// Proposes a case; nothing is charged before it is confirmed.
    ///
    /// # Errors
    /// W-08 for who neither reviews nor audits, W-11 without evidence, H-20 for a line that the claim does not have.
    ///
    /// Source: docs/RULES.md P-27, P-29.
    pub fn propose(
        &mut self,
        proposal: &Proposal<'_>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Case, MoneyError> {
        let held = self.claim(proposal.claim)?;
        let who = [Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];
        let step = Refusal::by("W-08").with("roles", "auditor").label("step", "提出处罚", "Propose a case");
        if actor.holds(&who).is_none() {
            return Err(step.with("code", held.no()).into());
        }
        if proposal.evidence.trim().is_empty() {
            let step = Refusal::by("W-11").label("step", "提出处罚", "Propose a case");
            return Err(step.with("code", held.no()).into());
        }
        if let Some(line) = proposal.line.filter(|line| held.claim.line(*line).is_none()) {
            return Err(Refusal::by("H-20").with("claim", held.no()).with("line", line).into());
        }
        let about = self.about(&held, proposal, instant(now_ms).day(Zone::SHANGHAI))?;
        let new = DocId(self.next_op()?);
        let record = Record::new(new, &CASE);
        let seen = approval(&record, actor, &Taken::step("propose", proposal.evidence), [0; 16], now_ms);
        let writes = vec![put(&[about]), put(&[seen])];
        self.write(vec![NewOp { kind: number::CASE, on: On::Create, writes }], now_ms)?;
        self.case(&new.to_string())
    }

    /// Answers an alert; a confirmed one about a claim opens a case, of the `chosen` kind or else of the one that its rule
    /// betrays. `Some(None)`: no case.
    ///
    /// # Errors
    /// H-01, H-02, and what [`Desk::decide`] and [`Desk::propose`] refuse.
    pub fn answer_alert(
        &mut self,
        name: &str,
        taken: &Taken<'_>,
        chosen: Option<Option<CaseKind>>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(Record, Option<Case>), MoneyError> {
        let record = self.named_record(number::ALERT, name)?;
        self.decide(record.id, actor, taken, Vec::new(), now_ms)?;
        let finding = record.get::<Finding>().unwrap_or_default();
        let rule = finding.rule.map(|rule| rule.0).unwrap_or_default();
        let kind = chosen.unwrap_or_else(|| by_rule(&rule)).filter(|_| taken.step == "confirm");
        let case = match linked(finding.claim.as_ref()).zip(kind) {
            None => None,
            Some((claim, kind)) => {
                let found = finding.evidence.map(|evidence| evidence.0).unwrap_or_default();
                let proposal = Proposal {
                    kind,
                    claim: &claim.to_string(),
                    line: finding.line.map(|line| line.0),
                    evidence: &format!("{rule}\n{found}\n{}", taken.reason),
                };
                Some(self.propose(&proposal, actor, now_ms)?)
            }
        };
        Ok((self.named_record(number::ALERT, &record.id.to_string())?, case))
    }

    /// Returns the case's persons: the claimant, and the supervisor of record.
    fn about(&mut self, held: &Held, proposal: &Proposal<'_>, today: Day) -> Result<About, MoneyError> {
        let terms = self.terms()?;
        let claim = &held.claim;
        let named = claim.submission.as_ref().map(|submission| submission.policy_version.as_str());
        let policy = terms.in_force.of_claim(named, claim.submitted_day(today));
        // Whoever approved; where nobody did, or the policy says so, who leads the centre.
        let approved = segregation::taken_by(claim, Level::Supervisor);
        let supervisor = approved
            .filter(|_| policy.fine.supervisor == FinedSupervisor::ApproverOfRecord)
            .or_else(|| terms.people.supervisor_of(claim.unit?))
            .map(|supervisor| Ref(Target::Doc(supervisor)));
        let branch = claim.unit.and_then(|unit| terms.people.branch_of(unit));
        Ok(About {
            kind_of: Some(proposal.kind),
            claim: link(claim.id),
            line: proposal.line.map(Count),
            claimant: link(claim.staff),
            supervisor,
            branch: branch.map(|branch| Ref(Target::Doc(branch))),
            days: None,
            evidence: text(proposal.evidence),
        })
    }

    /// Returns the case of that code or id.
    ///
    /// # Errors
    /// H-01, H-02.
    pub fn case(&mut self, name: &str) -> Result<Case, MoneyError> {
        Ok(Case::of(self.named_record(number::CASE, name)?))
    }

    /// Returns the cases in one of some states; no states: all of them.
    ///
    /// # Errors
    /// [`crate::store::StoreError`].
    pub fn cases(&mut self, states: &[u8]) -> Result<Vec<Case>, MoneyError> {
        Ok(self.records(number::CASE, states)?.into_iter().map(Case::of).collect())
    }

    /// Confirms a case: from now on it has its fines, its mark, and of a false claim the line pays nothing.
    ///
    /// # Errors
    /// H-30 where another case on the same claim counts already, and what [`Desk::decide`] refuses.
    ///
    /// Source: docs/RULES.md P-27, P-29.
    pub fn confirm_case(&mut self, name: &str, actor: &Actor, now_ms: u64) -> Result<Case, MoneyError> {
        let case = self.case(name)?;
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let policy = self.policy_of(&case, today)?;
        self.is_first(&case, &policy)?;
        let month = match policy.fine.grade_month {
            GradeMonth::Confirmed => Month::of(today),
            GradeMonth::Expense => self.month_of_expense(&case)?,
        };
        let extra = consequences(&case, (&policy, month), actor, now_ms);
        self.decide(case.record.id, actor, &Taken::step("confirm", ""), extra, now_ms)?;
        if case.about.kind_of == Some(CaseKind::FALSE_CLAIM) {
            self.pay_nothing(&case, actor, now_ms)?;
        }
        self.case(&case.record.id.to_string())
    }

    /// Returns the month of what a case is about: of its line, else of the claim's half-month.
    fn month_of_expense(&mut self, case: &Case) -> Result<Option<Month>, MoneyError> {
        let held = case.claim().map(|claim| self.held_claim(claim)).transpose()?.flatten();
        let Some(claim) = held.map(|held| held.claim) else {
            return Ok(None);
        };
        let line = case.about.line.and_then(|n| claim.line(n.0)).and_then(|line| line.date);
        Ok(line.or_else(|| claim.half.map(|half| half.first())).and_then(Month::of))
    }

    /// Returns the policy by which the case's claim is judged.
    fn policy_of(&mut self, case: &Case, today: Day) -> Result<Policy, MoneyError> {
        let held = case.claim().map(|claim| self.held_claim(claim)).transpose()?.flatten();
        let terms = self.terms()?;
        let submission = held.as_ref().and_then(|held| held.claim.submission.as_ref());
        let named = submission.map(|submission| submission.policy_version.as_str());
        let day = submission.map_or(today, |submission| submission.day);
        Ok(terms.in_force.of_claim(named, day).clone())
    }

    /// One claim in one audit is one time; of one line only one case counts.
    fn is_first(&mut self, case: &Case, policy: &Policy) -> Result<(), MoneyError> {
        let same = |other: &Case| {
            let line = other.about.line.is_some() && other.about.line == case.about.line;
            let kind = other.about.kind_of == case.about.kind_of && policy.fine.per == FinePer::Claim;
            other.record.id != case.record.id && other.claim() == case.claim() && (line || kind)
        };
        let others = self.cases(&[])?;
        match others.iter().find(|other| other.counts() && case.claim().is_some() && same(other)) {
            Some(other) => {
                let refusal = Refusal::by("H-30").with("case", case.record.id.code());
                Err(refusal.with("other", other.record.id.code()).into())
            }
            None => Ok(()),
        }
    }

    /// A false line pays nothing from now on, as long as no payment batch holds its claim.
    fn pay_nothing(&mut self, case: &Case, actor: &Actor, now_ms: u64) -> Result<(), MoneyError> {
        let Some(claim) = case.claim() else { return Ok(()) };
        let home = self.home(claim.0.replica)?.unwrap_or(0);
        let Some(held) = self.held_claim(claim)?.filter(|held| audit_counts(held.claim.state)) else {
            return Ok(());
        };
        if self.store.in_payment(home, claim)?.is_some() {
            return Ok(());
        }
        let lines = held.claim.lines.iter().filter(|line| case.about.line.is_none_or(|n| n.0 == line.n));
        let rows: Vec<AuditLines> = lines
            .map(|line| AuditLines {
                line: Some(Count(line.n)),
                verdict: Some(LineVerdict::FALSE_CLAIM),
                payable: Some(Fen(0)),
                self_paid: Some(Fen(0)),
                reason: text(&case.record.id.code()),
                by: link(actor.staff),
                at: Some(instant(now_ms)),
            })
            .collect();
        let writes = vec![put(&rows)];
        self.write(vec![NewOp { kind: number::CLAIM, on: On::Document(claim), writes }], now_ms)?;
        Ok(())
    }

    /// Takes a step that changes no amount: dismiss, appeal, uphold.
    ///
    /// # Errors
    /// H-31 for an appeal after its time, and what [`Desk::decide`] refuses.
    pub fn step_case(
        &mut self,
        name: &str,
        taken: &Taken<'_>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Case, MoneyError> {
        let case = self.case(name)?;
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let last = self.appeal_until(&case, today)?;
        if taken.step == "appeal"
            && let Some(last) = last.filter(|last| today > *last)
        {
            return Err(Refusal::by("H-31").with("case", case.record.id.code()).with("last", last).into());
        }
        self.decide(case.record.id, actor, taken, Vec::new(), now_ms)?;
        self.case(&case.record.id.to_string())
    }

    /// Returns the last day on which the persons of a confirmed case may appeal.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn appeal_until(&mut self, case: &Case, today: Day) -> Result<Option<Day>, MoneyError> {
        let policy = self.policy_of(case, today)?;
        let terms = self.terms()?;
        let confirmed = case.confirmed.map(|at| at.day(Zone::SHANGHAI));
        Ok(confirmed.and_then(|day| due::appeal(day, &policy, &terms.in_force.calendar).day))
    }

    /// Lets the persons off.
    ///
    /// # Errors
    /// H-35 where the policy leaves the manager no choice, and what [`Desk::decide`] refuses.
    pub fn waive(
        &mut self,
        name: &str,
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Case, MoneyError> {
        let case = self.case(name)?;
        let policy = self.policy_of(&case, instant(now_ms).day(Zone::SHANGHAI))?;
        if case.about.kind_of == Some(CaseKind::NON_COMPLIANT) && !policy.fine.form_discretionary {
            return Err(Refusal::by("H-35").with("case", case.record.id.code()).into());
        }
        self.settle_fines(name, ("waive", reason), FineState::WAIVED, actor, now_ms)
    }

    /// Says that payroll took the fines off; not before the time to appeal is over.
    ///
    /// # Errors
    /// H-32 before that, and what [`Desk::decide`] refuses.
    pub fn execute(&mut self, name: &str, actor: &Actor, now_ms: u64) -> Result<Case, MoneyError> {
        let case = self.case(name)?;
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let last = self.appeal_until(&case, today)?;
        if case.record.state == at::CONFIRMED
            && let Some(last) = last.filter(|last| today <= *last)
        {
            return Err(Refusal::by("H-32").with("case", case.record.id.code()).with("last", last).into());
        }
        self.settle_fines(name, ("execute", ""), FineState::DEDUCTED, actor, now_ms)
    }

    fn settle_fines(
        &mut self,
        name: &str,
        (step, reason): (&str, &str),
        state: FineState,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Case, MoneyError> {
        let case = self.case(name)?;
        let rows: Vec<Fines> = case.fines.iter().map(|fine| row(*fine, state, actor, now_ms)).collect();
        let extra = if rows.is_empty() { Vec::new() } else { vec![put(&rows)] };
        self.decide(case.record.id, actor, &Taken::step(step, reason), extra, now_ms)?;
        self.case(&case.record.id.to_string())
    }
}

/// Returns the kind of case that a rule's alert betrays; `None` where it betrays none.
fn by_rule(rule: &str) -> Option<CaseKind> {
    penalty::offence(rule).map(|offence| match offence {
        Offence::FalseClaim => CaseKind::FALSE_CLAIM,
        Offence::FormFault => CaseKind::NON_COMPLIANT,
    })
}

/// Until the money goes out, the audit's word on a line is what is paid.
fn audit_counts(state: u8) -> bool {
    use records::kinds::claim_machine as claim;
    let done = [claim::PAID, claim::CLOSED, claim::REJECTED, claim::VOID, claim::DRAFT, claim::RETURNED];
    !done.contains(&state)
}

fn row(fine: Fine, state: FineState, actor: &Actor, now_ms: u64) -> Fines {
    Fines {
        person: link(fine.person),
        amount: Some(fine.amount),
        state: Some(state),
        by: link(actor.staff),
        at: Some(instant(now_ms)),
    }
}

/// Returns the fines and the mark that a confirmation brings.
fn consequences(
    case: &Case,
    (policy, month): (&Policy, Option<Month>),
    actor: &Actor,
    now_ms: u64,
) -> Vec<Write> {
    let about = &case.about;
    let Some(claimant) = linked(about.claimant.as_ref()) else { return Vec::new() };
    let offence = match about.kind_of {
        Some(CaseKind::FALSE_CLAIM) => Offence::FalseClaim,
        Some(CaseKind::NON_COMPLIANT) => Offence::FormFault,
        _ => {
            let days = about.days.map_or(0, |days| days.0);
            let amount = penalty::late_fine(usize::try_from(days).unwrap_or(usize::MAX), &policy.fine);
            let fine = Fine { person: claimant, amount, state: FineState::PENDING };
            return vec![put(&[row(fine, FineState::PENDING, actor, now_ms)])];
        }
    };
    let supervisor = linked(about.supervisor.as_ref());
    let penalty = penalty::penalty(offence, 1, claimant, supervisor, &policy.fine);
    let fined =
        penalty.fines.into_iter().map(|(person, amount)| Fine { person, amount, state: FineState::PENDING });
    let rows: Vec<Fines> = fined.map(|fine| row(fine, FineState::PENDING, actor, now_ms)).collect();
    let mut writes = if rows.is_empty() { Vec::new() } else { vec![put(&rows)] };
    if let Some((grade, month)) = penalty.grade.zip(month) {
        let mark = Marks {
            staff: link(claimant),
            month: text(&month.to_string()),
            grade: text(&grade),
            by: link(actor.staff),
        };
        writes.push(put(&[mark]));
    }
    writes
}

/// Returns the persons of a case, each once.
#[must_use]
pub fn persons(about: &About) -> BTreeSet<DocId> {
    [linked(about.claimant.as_ref()), linked(about.supervisor.as_ref())].into_iter().flatten().collect()
}
