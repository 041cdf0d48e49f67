//! What is paid of a claim, line by line: provisional before the audit, final with its verdicts.

use crate::claim::ceiling::{account, cap_row, ceiling};
use crate::claim::facts::{Account, Facts, Order, Spent};
use crate::claim::view::{Audited, Claim, Line, Ticket};
use crate::duplicate::is_strong;
use crate::kinds::claim::LineVerdict;
use crate::kinds::exception::ExceptionKind;
use crate::kinds::voucher_machine;
use crate::money::Fen;
use crate::policy::age;
use crate::policy::cap::CapAccount;
use crate::policy::choices::{AgeAction, AgeTo, LateBatch};
use crate::policy::line::{Line as Reckoned, Paid, Step, Ticket as Counted, Verdict, What, payable};

/// What is paid of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Each line.
    pub lines: Vec<SettledLine>,
    /// What was claimed.
    pub claimed: Fen,
    /// What is paid.
    pub payable: Fen,
    /// What the claimant bears himself: above a ceiling.
    pub self_paid: Fen,
    /// What is not paid for another reason. With the two before it adds up to what was claimed.
    pub taken_off: Fen,
}

/// What is paid of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledLine {
    /// Its number.
    pub n: u32,
    /// The auditor's verdict, or the one that the rules give before him.
    pub verdict: Verdict,
    /// What is paid and every step of the reckoning.
    pub paid: Paid,
    /// The ceiling that it counts under; `None` where there is none.
    pub account: Option<Account>,
}

/// Returns what is paid of each line.
///
/// Lines take from a ceiling in the order of their claims' submission, then number, then line; what was audited already
/// counts before everything that was not. A line of the audit is paid what its verdict leaves, and never more than the
/// auditor wrote.
///
/// Source: docs/RULES.md P-12, P-17, P-26, P-28.
#[must_use]
pub fn settle(claim: &Claim, facts: &Facts) -> Settled {
    let mut settled = Settled::default();
    // What the claim's earlier lines took.
    let mut own: Vec<(Account, Fen)> = Vec::new();
    for line in &claim.lines {
        let account = account(claim, line, facts);
        let ceiling =
            account.and_then(|account| ceiling(claim, &account, &own, || order(claim, line.n), facts));
        let verdict = verdict(claim, line, facts);
        let paid = limited(reckon(claim, line, ceiling, verdict, facts), line, claim.audit.get(&line.n));
        let account = account.filter(|_| ceiling.is_some());
        own.extend(account.map(|account| (account, paid.payable)));
        settled.add(SettledLine { n: line.n, verdict, paid, account }, line.claimed);
    }
    settled
}

/// Returns what the lines of a settled claim take from ceilings, for the facts of the claims after it.
#[must_use]
pub fn spends(claim: &Claim, settled: &Settled) -> Vec<(Account, Spent)> {
    let spend = |line: &SettledLine| {
        let audited = claim.audit.contains_key(&line.n);
        let order = order(claim, line.n);
        let spent = Spent { claim: claim.id, unit: claim.unit, paid: line.paid.payable, audited, order };
        Some((line.account?, spent))
    };
    settled.lines.iter().filter_map(spend).collect()
}

/// Returns the place of a line in the order of ceilings.
#[must_use]
pub fn order(claim: &Claim, line: u32) -> Order {
    let submitted = claim.submission.as_ref().map_or(crate::time::Ts(i64::MAX), |submission| submission.at);
    Order { submitted, claim_no: claim.no.clone().unwrap_or_default(), line }
}

/// Returns the accounts in which a claim that is rejected or thrown away after its audit leaves room, and how much:
/// lines that were audited later are not reckoned again, the auditor is told.
///
/// Source: docs/RULES.md C-20.
#[must_use]
pub fn room_freed(claim: &Claim, facts: &Facts) -> Vec<(Account, Fen)> {
    let mut freed = Vec::new();
    for (account, rows) in &facts.spent {
        let own = rows.iter().filter(|spent| spent.claim == claim.id && spent.audited);
        let sum = own.fold(0_i64, |sum, spent| sum.saturating_add(spent.paid.0));
        let waited = rows.iter().any(|spent| spent.claim != claim.id && spent.audited);
        if sum > 0 && waited {
            freed.push((*account, Fen(sum)));
        }
    }
    freed
}

/// Returns the verdict of a line: the auditor's, or what the rules say before him.
///
/// Source: docs/RULES.md P-17, P-28.
#[must_use]
pub fn verdict(claim: &Claim, line: &Line, facts: &Facts) -> Verdict {
    if facts.withdrawn.contains(&claim.id) {
        return Verdict::Void;
    }
    if let Some(audited) = claim.audit.get(&line.n) {
        return verdict_of(audited.verdict);
    }
    if is_late_batch(claim, facts) {
        return Verdict::LateBatch;
    }
    let blocks = facts.policy.age.action == AgeAction::BlockLine;
    if blocks && is_expired(claim, line, facts) { Verdict::Expired } else { Verdict::Ok }
}

/// Returns whether a line is too old and no exception was granted for it.
///
/// Source: docs/RULES.md P-17, B5.
#[must_use]
pub fn is_expired(claim: &Claim, line: &Line, facts: &Facts) -> bool {
    let Some(date) = line.date.filter(|_| !line.is_adjustment()) else {
        return false;
    };
    let on = match facts.policy.age.to {
        AgeTo::ClaimSubmitted => claim.submitted_day(facts.today),
        AgeTo::BatchDispatched => {
            facts.batch.get(&claim.id).and_then(|batch| batch.dispatched).unwrap_or(facts.today)
        }
    };
    age::is_expired(date, on, &facts.policy, &facts.calendar) && !excused(claim, line, facts)
}

/// Returns whether the claim's batch was sent after its day, which the policy does not pay, and nobody excused it.
///
/// Source: docs/RULES.md P-28.
#[must_use]
pub fn is_late_batch(claim: &Claim, facts: &Facts) -> bool {
    let refuses = facts.policy.late_batch == LateBatch::RejectUnlessException;
    let Some(batch) = facts.batch.get(&claim.id).filter(|_| refuses) else {
        return false;
    };
    let late = batch.dispatched.zip(batch.due).is_some_and(|(dispatched, due)| dispatched > due);
    late && !facts.granted(ExceptionKind::LATE_BATCH, |granted| {
        granted.batch == Some(batch.batch) && granted.claim.is_none_or(|id| id == claim.id)
            || granted.claim == Some(claim.id)
    })
}

fn excused(claim: &Claim, line: &Line, facts: &Facts) -> bool {
    facts.granted(ExceptionKind::LATE_LINE, |granted| {
        let named = granted.claim == Some(claim.id) && granted.line.is_none_or(|n| n == line.n);
        let voucher = granted.voucher.is_some();
        named || voucher && line.vouchers.iter().any(|ticket| ticket.voucher == granted.voucher)
    })
}

/// Returns whether a voucher was claimed before: the use that arrived first keeps it.
///
/// Source: docs/RULES.md B6.
#[must_use]
pub fn is_taken(claim: &Claim, line: &Line, ticket: &Ticket, facts: &Facts) -> bool {
    if ticket.key.is_empty() || line.is_adjustment() {
        return false;
    }
    let twice_here = claim.lines.iter().any(|other| {
        let same = other.vouchers.iter().filter(|at| at.key == ticket.key && at.voucher != ticket.voucher);
        same.map(|at| (other.n, at.voucher)).any(|at| at < (line.n, ticket.voucher))
    });
    let uses = facts.taken.get(&ticket.key).map(Vec::as_slice).unwrap_or_default();
    let own = uses.iter().filter(|at| at.claim == claim.id).filter_map(|at| at.arrival).min();
    let before = |arrival: Option<u64>| match (arrival, own) {
        (_, None) => true,
        (Some(other), Some(own)) => other < own,
        (None, Some(_)) => false,
    };
    twice_here || uses.iter().any(|at| at.claim != claim.id && before(at.arrival))
}

/// Returns whether a line of a category needs vouchers at all.
///
/// Source: docs/RULES.md B2.
#[must_use]
pub fn needs_vouchers(claim: &Claim, line: &Line, facts: &Facts) -> bool {
    let capped =
        || account(claim, line, facts).is_some_and(|account| cap_row(claim, &account, facts).is_some());
    !line.is_adjustment() && (facts.policy.caps.receipts || !capped())
}

fn reckon(claim: &Claim, line: &Line, cap: Option<CapAccount>, verdict: Verdict, facts: &Facts) -> Paid {
    if line.is_adjustment() && line.claimed < Fen(0) {
        return adjusted(line, verdict);
    }
    let count =
        |ticket: &Ticket| Counted { amount: ticket.amount, counts: counts(claim, line, ticket, facts) };
    let vouchers: Vec<Counted> = line.vouchers.iter().map(count).collect();
    let reckoned = Reckoned {
        claimed: line.claimed,
        sup_cut: claim.cut_to(line.n, "sup_cut"),
        gm_cut: claim.cut_to(line.n, "gm_cut"),
        vouchers: &vouchers,
        needs_vouchers: needs_vouchers(claim, line, facts),
        verdict,
        cap,
    };
    payable(&reckoned, &facts.policy).unwrap_or_else(|_| nothing(line))
}

/// Returns whether a voucher supports its line: neither rejected, nor thrown away, nor claimed before.
fn counts(claim: &Claim, line: &Line, ticket: &Ticket, facts: &Facts) -> bool {
    let known = ticket.voucher.and_then(|id| facts.vouchers.get(&id));
    let bad = known
        .is_some_and(|fact| matches!(fact.state, voucher_machine::REJECTED | voucher_machine::DISCARDED));
    let elsewhere = || is_strong(&ticket.key) && is_taken(claim, line, ticket, facts);
    !bad && !elsewhere()
}

/// What comes of a line that takes money back: its verdict alone decides, vouchers and ceilings do not.
fn adjusted(line: &Line, verdict: Verdict) -> Paid {
    let payable = if verdict.pays() { line.claimed } else { Fen(0) };
    let step = |what, amount| Step { what, amount, rule: "" };
    Paid {
        payable,
        self_paid: Fen(0),
        taken_off: Fen(line.claimed.0.saturating_sub(payable.0)),
        support: Fen(0),
        steps: vec![step(What::Claimed, line.claimed), step(What::Payable, payable)],
    }
}

/// What comes of a line whose amounts cannot be reckoned with (B9): nothing.
fn nothing(line: &Line) -> Paid {
    let step = |what, amount| Step { what, amount, rule: "B9" };
    let steps = vec![
        step(What::Claimed, line.claimed),
        step(What::Refused, line.claimed),
        step(What::Payable, Fen(0)),
    ];
    Paid { payable: Fen(0), self_paid: Fen(0), taken_off: line.claimed, support: Fen(0), steps }
}

/// Returns what the auditor left: he may pay less than the rules leave, never more.
fn limited(mut paid: Paid, line: &Line, audited: Option<&Audited>) -> Paid {
    let Some(audited) = audited.filter(|audited| line.claimed > Fen(0) && audited.payable < paid.payable)
    else {
        return paid;
    };
    let left = audited.payable.max(Fen(0));
    paid.taken_off = Fen(line.claimed.0.saturating_sub(left.0).saturating_sub(paid.self_paid.0));
    paid.payable = left;
    paid.steps.push(Step { what: What::Payable, amount: left, rule: "P-05" });
    paid
}

/// Returns the policy's word for a verdict of the audit; one of a newer version pays nothing.
#[must_use]
pub fn verdict_of(verdict: LineVerdict) -> Verdict {
    match verdict {
        LineVerdict::OK => Verdict::Ok,
        LineVerdict::SHORT_VOUCHER => Verdict::ShortVoucher,
        LineVerdict::OVER_CAP => Verdict::OverCap,
        LineVerdict::EXPIRED => Verdict::Expired,
        LineVerdict::LATE_BATCH => Verdict::LateBatch,
        LineVerdict::INVALID => Verdict::Invalid,
        LineVerdict::FAKE_INVOICE => Verdict::FakeInvoice,
        LineVerdict::FALSE_CLAIM => Verdict::FalseClaim,
        LineVerdict::DUPLICATE => Verdict::Duplicate,
        LineVerdict::NON_COMPLIANT => Verdict::NonCompliant,
        LineVerdict::ADJUSTED => Verdict::Adjusted,
        _ => Verdict::Void,
    }
}

impl Settled {
    fn add(&mut self, line: SettledLine, claimed: Fen) {
        let more = |sum: &mut Fen, amount: Fen| sum.0 = sum.0.saturating_add(amount.0);
        more(&mut self.claimed, claimed);
        more(&mut self.payable, line.paid.payable);
        more(&mut self.self_paid, line.paid.self_paid);
        more(&mut self.taken_off, line.paid.taken_off);
        self.lines.push(line);
    }

    /// Returns the line of that number.
    #[must_use]
    pub fn line(&self, n: u32) -> Option<&SettledLine> {
        self.lines.iter().find(|line| line.n == n)
    }
}
