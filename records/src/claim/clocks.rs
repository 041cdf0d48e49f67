//! Until when each step of a claim must be done: counted from its decisions, never stored.

use std::collections::BTreeSet;

use crate::claim::facts::Facts;
use crate::claim::view::{Approval, Claim};
use crate::kinds::claim::PaperSeen;
use crate::kinds::claim_machine as at;
use crate::policy::calendar::Calendar;
use crate::policy::choices::SlaStart;
use crate::policy::count::{Count, Trace};
use crate::policy::due;
use crate::policy::penalty::{Audited, days_late};
use crate::time::Day;

/// Which clock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The supervisor's review.
    Supervisor,
    /// The branch GM's review.
    Gm,
    /// The audit.
    Audit,
    /// The branch's answer to a question.
    Answer,
    /// The manager's decision.
    Manager,
    /// The vice-president's decision.
    Vp,
    /// Finance opens again; its due day is the first on which it takes claims in.
    Opening,
    /// The payment.
    Finance,
}

/// A clock of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Which one.
    pub what: What,
    /// The day after which it counts.
    pub started: Day,
    /// Its last day, to 24:00; `None` where the policy sets none. While it stands still it is reckoned as if it went on
    /// today.
    pub due: Option<Day>,
    /// The day on which the step was taken; `None` while it is open.
    pub done: Option<Day>,
    /// Whether it stands still today.
    pub paused: bool,
    /// The days on which it stood still.
    pub off: BTreeSet<Day>,
    /// Every counted and skipped day.
    pub trace: Trace,
}

impl What {
    /// Returns the name that `--json` answers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::Gm => "gm",
            Self::Audit => "audit",
            Self::Answer => "answer",
            Self::Manager => "manager",
            Self::Vp => "vp",
            Self::Opening => "opening",
            Self::Finance => "finance",
        }
    }

    /// The steps that start it and those that stop it. Reading order is that of a claim's life.
    const fn steps(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Supervisor => (&[], &["sup_approve", "sup_cut", "sup_return", "sup_skip"]),
            Self::Gm => {
                (&["sup_approve", "sup_cut", "sup_skip"], &["gm_approve", "gm_cut", "gm_return", "gm_skip"])
            }
            Self::Audit => (&["receive", "mgr_back", "dismiss_reject"], &["audit", "propose_reject"]),
            Self::Answer => (&["ask"], &["answer"]),
            Self::Manager => (
                &["audit", "propose_reject", "vp_back", "fin_back"],
                &["mgr_approve", "mgr_back", "mgr_skip", "confirm_reject", "dismiss_reject"],
            ),
            Self::Vp => (&["vp_ask"], &["vp_approve", "vp_back", "vp_reject"]),
            Self::Opening => (&["hold"], &["release"]),
            Self::Finance => (&["accept"], &["pay", "fin_back"]),
        }
    }
}

/// Every clock, in the order of a claim's life.
const ALL: [What; 8] = [
    What::Supervisor,
    What::Gm,
    What::Audit,
    What::Answer,
    What::Manager,
    What::Vp,
    What::Opening,
    What::Finance,
];

/// Returns the clocks of a claim that have started, of each the last.
///
/// The day that starts a clock is not counted. A question stops the auditor's clock from the day after it to the day of
/// the answer, or of its own limit; a freeze stops every clock that is open.
///
/// Source: docs/RULES.md P-08, P-21 to P-24.
#[must_use]
pub fn clocks(claim: &Claim, facts: &Facts) -> Vec<Clock> {
    ALL.into_iter().filter_map(|what| clock(claim, what, facts)).collect()
}

/// Returns one clock; `None` where it has not started.
#[must_use]
pub fn clock(claim: &Claim, what: What, facts: &Facts) -> Option<Clock> {
    let (started, done) = span(claim, what, facts)?;
    let off = off_days(claim, what, started, facts);
    let mut count = Count::new(&facts.calendar);
    let sla = &facts.policy.sla;
    let limit = match what {
        What::Supervisor => sla.sup_wd,
        What::Gm => sla.gm_wd,
        What::Audit => sla.audit_wd,
        What::Answer => sla.info_request_wd,
        What::Manager => sla.manager_wd,
        What::Vp => facts.policy.vp.sla_wd,
        What::Finance => sla.finance_wd,
        What::Opening => {
            let closure = due::blackout(started, &facts.policy, &facts.calendar);
            let (due, trace) = (Some(closure.opens), closure.trace);
            return Some(Clock { what, started, due, done, paused: false, off, trace });
        }
    };
    count.start(started);
    let closed = |day: Day| {
        what == What::Finance && facts.policy.blackout.pauses_payment && facts.policy.blackout.holds(day)
    };
    let stands = |day: Day| off.contains(&day) || closed(day);
    let due = (limit > 0).then(|| count.unpaused_days(started, limit, stands));
    let paused = done.is_none() && stands_still(claim, what, facts);
    Some(Clock { what, started, due, done, paused, off, trace: count.into_trace() })
}

/// Returns when a clock started and when it was stopped.
fn span(claim: &Claim, what: What, facts: &Facts) -> Option<(Day, Option<Day>)> {
    let zone = facts.policy.zone;
    let (starts, ends) = what.steps();
    let is = |names: &[&str], approval: &Approval| names.contains(&approval.step.as_str());
    let (started, after) = if what == What::Supervisor {
        let submission = claim.submission.as_ref().filter(|_| claim.state != at::DRAFT)?;
        let first = claim.approvals.iter().position(|approval| approval.rev >= submission.rev);
        (submission.day, first.unwrap_or(claim.approvals.len()))
    } else {
        let last = claim.approvals.iter().rposition(|approval| is(starts, approval))?;
        let approval = claim.approvals.get(last)?;
        let paper =
            what == What::Audit && facts.policy.sla.start == SlaStart::Paper && approval.step == "receive";
        let seen = claim.papers.iter().find(|paper| paper.seen == PaperSeen::SCANNED).filter(|_| paper);
        (seen.map_or(approval.at, |paper| paper.at).day(zone), last + 1)
    };
    let rest = claim.approvals.get(after..).unwrap_or_default();
    let end = rest.iter().find(|approval| is(ends, approval));
    Some((started, end.map(|approval| approval.at.day(zone))))
}

/// Returns the days on which a clock stood still.
fn off_days(claim: &Claim, what: What, started: Day, facts: &Facts) -> BTreeSet<Day> {
    let mut off = pauses(claim, "freeze", "unfreeze", facts, |_| facts.today);
    if what == What::Audit && facts.policy.sla.pause_on_info_request {
        let limit = |asked| due::answer(asked, &facts.policy, &facts.calendar).day.unwrap_or(facts.today);
        off.extend(pauses(claim, "ask", "answer", facts, limit));
    }
    off.retain(|day| *day > started);
    off
}

/// Returns the days from the one after `from` to that of `to`: today where it is still open, `limit` at most.
fn pauses(claim: &Claim, from: &str, to: &str, facts: &Facts, limit: impl Fn(Day) -> Day) -> BTreeSet<Day> {
    let zone = facts.policy.zone;
    let mut days = BTreeSet::new();
    for (place, approval) in claim.approvals.iter().enumerate().filter(|(_, approval)| approval.step == from)
    {
        let rest = claim.approvals.get(place..).unwrap_or_default();
        let end = rest.iter().find(|approval| approval.step == to).map(|approval| approval.at.day(zone));
        let start = approval.at.day(zone);
        let end = end.unwrap_or(facts.today).min(limit(start).max(start)).min(facts.today.max(start));
        days.extend((start.0.saturating_add(1)..=end.0).map(Day));
    }
    days
}

fn stands_still(claim: &Claim, what: What, facts: &Facts) -> bool {
    let asked = what == What::Audit
        && claim.state == at::INFO_REQUESTED
        && facts.policy.sla.pause_on_info_request
        && clock(claim, What::Answer, facts)
            .and_then(|answer| answer.due)
            .is_none_or(|due| facts.today <= due);
    claim.state == at::FROZEN || asked
}

impl Clock {
    /// Returns whether its day is past and the step was not taken by then.
    #[must_use]
    pub fn is_late(&self, today: Day) -> bool {
        self.due.is_some_and(|due| self.done.unwrap_or(today) > due)
    }

    /// Returns the working days by which it is or was late; `excused` ones and those on which it stood still not counted.
    ///
    /// An auditor's are joined over the claims of a branch: a day on which two were late counts once.
    ///
    /// Source: docs/RULES.md P-30.
    #[must_use]
    pub fn late_days(&self, today: Day, excused: &BTreeSet<Day>, calendar: &Calendar) -> BTreeSet<Day> {
        let Some(due) = self.due else {
            return BTreeSet::new();
        };
        let excused = excused.union(&self.off).copied().collect();
        days_late(&[Audited { due, done: self.done.unwrap_or(today) }], &excused, calendar)
    }
}
