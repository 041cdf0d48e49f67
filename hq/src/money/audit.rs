//! The auditor's desk: a verdict on each line, questions to the branch, and the way to the manager or to finance.

use records::claim::settle::{self, Settled, SettledLine};
use records::claim::system;
use records::claim::view::{Audited, Claim};
use records::id::DocId;
use records::kinds::alert::Finding;
use records::kinds::claim::{AuditLines, LineVerdict, Questions};
use records::kinds::voucher_machine::RejectReason;
use records::kinds::{claim_machine as at, number};
use records::money::Fen;
use records::policy::line::Verdict;
use records::time::{Day, Zone};
use records::value::Count;
use sync_protocol::op::Write;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::{Held, Known};
use crate::money::decide::{Taken, approval};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{ROWS_MAX, instant, link, put, text};

/// What an auditor says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling<'a> {
    /// Which line, from 1.
    pub line: u32,
    /// The verdict.
    pub verdict: LineVerdict,
    /// Less than the rules leave; `None`: what they leave.
    pub payable: Option<Fen>,
    /// Vouchers that are not taken, each with its reason.
    pub reject: &'a [(String, String)],
    /// Why.
    pub reason: &'a str,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuledLine {
    /// The claim.
    pub held: Held,
    /// What was paid of the line before.
    pub before: SettledLine,
    /// What is paid of it now.
    pub after: Audited,
    /// The vouchers that were rejected, by their codes.
    pub rejected: Vec<String>,
}

/// A claim whose audit is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The claim.
    pub held: Held,
    /// The lines that got the verdict of the rules.
    pub by_rules: Vec<u32>,
}

/// What became of a claim that was to go to finance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The claim.
    pub held: Held,
    /// The day on which finance takes it in, where it waits for that.
    pub opens: Option<Day>,
}

impl Desk {
    /// Gives a line its verdict; a rejected voucher counts no more, and the rules reckon again.
    ///
    /// # Errors
    /// C-01 where the claim is not under audit, H-20 for a line that it does not have, H-21 where more is to be paid than
    /// the rules leave, H-22 for a voucher that is not on the line, W-08 without the role.
    pub fn rule_line(
        &mut self,
        name: &str,
        ruling: &Ruling<'_>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<RuledLine, MoneyError> {
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let known = self.known(name, today)?;
        self.may_audit(&known, actor)?;
        let no = known.held.no();
        let line = known.held.claim.line(ruling.line);
        let vouchers: Vec<DocId> =
            line.into_iter().flat_map(|line| &line.vouchers).filter_map(|ticket| ticket.voucher).collect();
        let settled = settle::settle(&known.held.claim, &known.facts);
        let before = settled_line(&settled, ruling.line)
            .ok_or_else(|| Refusal::by("H-20").with("claim", &no).with("line", ruling.line))?
            .clone();
        let mut rejected = Vec::new();
        for (code, reason) in ruling.reject {
            let voucher = self.named_record(number::VOUCHER, code)?;
            if !vouchers.contains(&voucher.id) {
                let refusal = Refusal::by("H-22").with("voucher", code).with("line", ruling.line);
                return Err(refusal.with("claim", &no).into());
            }
            self.decide(voucher.id, actor, &Taken::step("reject", reason), Vec::new(), now_ms)?;
            rejected.push(voucher.id.code());
        }
        let known = self.known(name, today)?;
        let row = ruled(&known, ruling, actor, now_ms)?;
        let writes = vec![put(&[row])];
        self.write(
            vec![NewOp { kind: number::CLAIM, on: On::Document(known.held.record.id), writes }],
            now_ms,
        )?;
        let held = self.claim(name)?;
        let none = || Refusal::by("H-20").with("claim", &no).with("line", ruling.line);
        let after = held.claim.audit.get(&ruling.line).cloned().ok_or_else(none)?;
        Ok(RuledLine { held, before, after, rejected })
    }

    /// Gives lines the verdict of the rules: the auditor found nothing to add.
    ///
    /// # Errors
    /// C-01 where the claim is not under audit, H-20 for a line that it does not have, W-08 without the role.
    pub fn accept_lines(
        &mut self,
        name: &str,
        lines: &[u32],
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Held, MoneyError> {
        let mut known = self.known(name, instant(now_ms).day(Zone::SHANGHAI))?;
        self.may_audit(&known, actor)?;
        let (id, no) = (known.held.record.id, known.held.no());
        // What was said of them before does not count: the rules reckon anew.
        known.held.claim.audit.retain(|line, _| !lines.contains(line));
        let settled = settle::settle(&known.held.claim, &known.facts);
        let mut rows = Vec::new();
        for line in lines {
            let none = || Refusal::by("H-20").with("claim", &no).with("line", line);
            let found = settled_line(&settled, *line).ok_or_else(none)?;
            rows.push(by_rules(&known.held.claim, found, actor, now_ms));
        }
        for chunk in rows.chunks(ROWS_MAX) {
            let writes = vec![put(chunk)];
            self.write(vec![NewOp { kind: number::CLAIM, on: On::Document(id), writes }], now_ms)?;
        }
        self.claim(name)
    }

    /// Verdicts are for whoever could end the audit now.
    fn may_audit(&mut self, known: &Known, actor: &Actor) -> Result<(), MoneyError> {
        let mut complete = known.held.claim.clone();
        complete.audit = settle::settle(&known.held.claim, &known.facts)
            .lines
            .iter()
            .map(|line| (line.n, audited(line, LineVerdict::OK, actor, 0)))
            .collect();
        // He acknowledges the anomalies when he ends the audit: here he still looks at them.
        let open = known.facts.alerts.get(&complete.id);
        let acks: Vec<String> = open.into_iter().flatten().cloned().collect();
        self.may(&complete, actor, &Taken { acks: &acks, ..Taken::step("audit", "") }, &known.facts)
    }

    /// Ends the audit of a claim: lines without a verdict get that of the rules, their vouchers are verified.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses.
    pub fn end_audit(
        &mut self,
        name: &str,
        acks: &[String],
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Done, MoneyError> {
        let known = self.known(name, instant(now_ms).day(Zone::SHANGHAI))?;
        let (claim, facts) = (&known.held.claim, &known.facts);
        let settled = settle::settle(claim, facts);
        let open = settled.lines.iter().filter(|line| !claim.audit.contains_key(&line.n));
        let rows: Vec<AuditLines> = open.map(|line| by_rules(claim, line, actor, now_ms)).collect();
        let by_rules = rows.iter().filter_map(|row| Some(row.line?.0)).collect();
        let extra: Vec<Write> = if rows.is_empty() { Vec::new() } else { vec![put(&rows)] };
        let taken = Taken { acks, ..Taken::step("audit", "") };
        self.decide(known.held.record.id, actor, &taken, extra, now_ms)?;
        self.verify_vouchers(claim, actor, now_ms)?;
        self.begin_batch(claim.id, actor, now_ms)?;
        let held = self.claim(name)?;
        Ok(Done { held, by_rules })
    }

    /// A voucher that was not rejected was found good.
    fn verify_vouchers(&mut self, claim: &Claim, actor: &Actor, now_ms: u64) -> Result<(), MoneyError> {
        let placed = claim.lines.iter().flat_map(|line| &line.vouchers).filter_map(|ticket| ticket.voucher);
        for voucher in placed {
            let submitted = records::kinds::voucher_machine::SUBMITTED;
            if self.record(voucher)?.is_some_and(|voucher| voucher.state == submitted) {
                self.decide(voucher, actor, &Taken::step("verify", ""), Vec::new(), now_ms)?;
            }
        }
        Ok(())
    }

    /// Asks the branch, or writes down what it answered.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses.
    pub fn ask(
        &mut self,
        name: &str,
        step: &str,
        words: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        let row = Questions {
            text: text(words),
            answer: Some(step == "answer"),
            by: link(actor.staff),
            at: Some(instant(now_ms)),
        };
        self.decide(held.record.id, actor, &Taken::step(step, words), vec![put(&[row])], now_ms)?;
        self.claim(name)
    }

    /// Takes a step on a claim that needs nothing but its reason.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses.
    pub fn step_claim(
        &mut self,
        name: &str,
        taken: &Taken<'_>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        self.decide(held.record.id, actor, taken, Vec::new(), now_ms)?;
        self.claim(name)
    }

    /// Hands approved claims to finance; while finance is closed they are held.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses; then none is handed over.
    ///
    /// Source: docs/RULES.md P-22, P-24.
    pub fn hand_over(
        &mut self,
        names: &[String],
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Vec<Handed>, MoneyError> {
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let mut handed = Vec::new();
        for name in names {
            let known = self.known(name, today)?;
            let closure = records::policy::due::blackout(today, &known.facts.policy, &known.facts.calendar);
            let step = if closure.closed { "hold" } else { "hand_over" };
            let held = self.step_claim(name, &Taken::step(step, ""), actor, now_ms)?;
            self.forward_batch(held.record.id, actor, now_ms)?;
            handed.push(Handed { held, opens: closure.closed.then_some(closure.opens) });
        }
        Ok(handed)
    }

    /// Returns the numbers of the claims that can be handed over now.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn ready(&mut self, today: Day) -> Result<Vec<String>, MoneyError> {
        let mut ready = Vec::new();
        for held in self.claims(&[at::MGR_APPROVED, at::VP_APPROVED])? {
            let facts = self.facts(&held.claim, today)?;
            ready.extend((!system::needs_vp(&held.claim, &facts)).then(|| held.record.id.to_string()));
        }
        Ok(ready)
    }

    /// Raises an alarm about a claim, for the manager.
    ///
    /// # Errors
    /// H-01; W-08 without a role that reviews claims.
    ///
    /// Source: docs/RULES.md P-03, P-05.
    pub fn alarm(
        &mut self,
        name: &str,
        words: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<DocId, MoneyError> {
        use records::kinds::staff::Role;
        let held = self.claim(name)?;
        if actor.holds(&[Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER]).is_none() {
            let label = Refusal::by("W-08").with("roles", "auditor").label("step", "警报", "Alarm");
            return Err(label.with("code", held.no()).into());
        }
        if words.trim().is_empty() {
            return Err(Refusal::by("W-11").label("step", "警报", "Alarm").with("code", held.no()).into());
        }
        let finding = Finding {
            rule: text("manual"),
            claim: link(held.record.id),
            line: None,
            staff: link(held.claim.staff),
            evidence: text(words),
            by: link(actor.staff),
        };
        let new = DocId(self.next_op()?);
        let seen = approval(&held.record, actor, &Taken::step("alarm", words), [0; 16], now_ms);
        let writes = vec![put(&[finding]), put(&[seen])];
        self.write(vec![NewOp { kind: number::ALERT, on: On::Create, writes }], now_ms)?;
        Ok(new)
    }
}

/// Returns the settled line of that number.
#[must_use]
pub fn settled_line(settled: &Settled, n: u32) -> Option<&SettledLine> {
    settled.lines.iter().find(|line| line.n == n)
}

/// Returns the row that an auditor's word on a line becomes, at most what the rules leave with that verdict.
fn ruled(known: &Known, ruling: &Ruling<'_>, actor: &Actor, now_ms: u64) -> Result<AuditLines, MoneyError> {
    let mut claim = known.held.claim.clone();
    let no = known.held.no();
    let none = || Refusal::by("H-20").with("claim", &no).with("line", ruling.line);
    let claimed = claim.line(ruling.line).ok_or_else(none)?.claimed;
    let most = Audited {
        verdict: ruling.verdict,
        payable: claimed,
        self_paid: Fen(0),
        reason: String::new(),
        by: None,
        at: instant(now_ms),
    };
    claim.audit.insert(ruling.line, most);
    let settled = settle::settle(&claim, &known.facts);
    let paid = &settled_line(&settled, ruling.line).ok_or_else(none)?.paid;
    if let Some(wanted) = ruling.payable.filter(|wanted| *wanted > paid.payable) {
        let refusal = Refusal::by("H-21").with("claim", &no).with("line", ruling.line);
        return Err(refusal.with("wanted", wanted).with("most", paid.payable).into());
    }
    let payable = ruling.payable.unwrap_or(paid.payable);
    Ok(AuditLines {
        line: Some(Count(ruling.line)),
        verdict: Some(ruling.verdict),
        payable: Some(payable),
        self_paid: Some(paid.self_paid),
        reason: text(ruling.reason),
        by: link(actor.staff),
        at: Some(instant(now_ms)),
    })
}

/// Returns the row of a line on which the auditor had nothing to say.
fn by_rules(claim: &Claim, line: &SettledLine, actor: &Actor, now_ms: u64) -> AuditLines {
    let verdict = verdict_of(claim, line);
    let audited = audited(line, verdict, actor, now_ms);
    AuditLines {
        line: Some(Count(line.n)),
        verdict: Some(audited.verdict),
        payable: Some(audited.payable),
        self_paid: Some(audited.self_paid),
        reason: None,
        by: link(actor.staff),
        at: Some(audited.at),
    }
}

fn audited(line: &SettledLine, verdict: LineVerdict, actor: &Actor, now_ms: u64) -> Audited {
    Audited {
        verdict,
        payable: line.paid.payable,
        self_paid: line.paid.self_paid,
        reason: String::new(),
        by: Some(actor.staff),
        at: instant(now_ms),
    }
}

/// Returns the verdict on a line whose vouchers are rejected for a reason.
///
/// Source: docs/RULES.md P-26, P-29.
#[must_use]
pub const fn verdict_for(reason: RejectReason) -> LineVerdict {
    match reason {
        RejectReason::DUPLICATE => LineVerdict::DUPLICATE,
        RejectReason::FAKE => LineVerdict::FAKE_INVOICE,
        RejectReason::MISSING_PAPER => LineVerdict::SHORT_VOUCHER,
        RejectReason::NOT_BUSINESS => LineVerdict::NON_COMPLIANT,
        _ => LineVerdict::INVALID,
    }
}

/// Returns the verdict that the rules give a line: what takes most off it.
#[must_use]
pub fn verdict_of(claim: &Claim, line: &SettledLine) -> LineVerdict {
    let claimed = claim.line(line.n).map_or(Fen(0), |line| line.claimed);
    match line.verdict {
        Verdict::Expired => LineVerdict::EXPIRED,
        Verdict::LateBatch => LineVerdict::LATE_BATCH,
        Verdict::Void => LineVerdict::VOID,
        Verdict::Invalid => LineVerdict::INVALID,
        Verdict::FakeInvoice => LineVerdict::FAKE_INVOICE,
        Verdict::FalseClaim => LineVerdict::FALSE_CLAIM,
        Verdict::Duplicate => LineVerdict::DUPLICATE,
        Verdict::NonCompliant => LineVerdict::NON_COMPLIANT,
        Verdict::Adjusted => LineVerdict::ADJUSTED,
        Verdict::Ok | Verdict::ShortVoucher | Verdict::OverCap => {
            let cut = [claim.cut_to(line.n, "sup_cut"), claim.cut_to(line.n, "gm_cut")];
            let wanted = cut.into_iter().flatten().fold(claimed, Ord::min);
            match (line.paid.self_paid > Fen(0), line.paid.payable < wanted) {
                (true, _) => LineVerdict::OVER_CAP,
                (false, true) => LineVerdict::SHORT_VOUCHER,
                (false, false) => LineVerdict::OK,
            }
        }
    }
}
