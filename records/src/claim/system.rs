//! Steps that nobody takes: headquarters writes them as soon as the rules call for them.

use crate::claim::facts::Facts;
use crate::claim::segregation::{Level, taken_by};
use crate::claim::view::Claim;
use crate::kinds::claim_machine as at;
use crate::kinds::org::OrgKind;
use crate::kinds::staff::Role;
use crate::policy::due;

/// Days from the payment to the end.
///
/// Source: docs/RULES.md C-17.
pub const CLOSE_DAYS: i32 = 30;

/// A step of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemStep {
    /// Its name in the machine.
    pub step: &'static str,
    /// The rule that calls for it.
    pub rule: &'static str,
    /// Why, in a few words that stand in the history.
    pub reason: &'static str,
}

const fn system(step: &'static str, rule: &'static str, reason: &'static str) -> SystemStep {
    SystemStep { step, rule, reason }
}

/// Returns the step that is due without anybody's doing; `None` where a person is next.
///
/// The facts must be whole: only headquarters asks.
///
/// Source: docs/RULES.md P-07, P-08, P-24, C-17.
#[must_use]
pub fn next(claim: &Claim, facts: &Facts) -> Option<SystemStep> {
    let review = &facts.policy.review;
    let found = match claim.state {
        at::SUBMITTED if passes_supervisor(claim, facts) => {
            system("sup_skip", "P-07", "the claimant stands at or above this step")
        }
        at::SUP_APPROVED if !review.gm => system("gm_skip", "P-04", "the policy has no such step"),
        at::SUP_APPROVED if passes_gm(claim, facts) => {
            system("gm_skip", "P-07", "the claimant stands at or above this step")
        }
        at::AUDITED if !review.manager => system("mgr_skip", "P-06", "the policy has no such step"),
        at::MGR_APPROVED if needs_vp(claim, facts) => {
            system("vp_ask", "P-08", "the claim is above the limit")
        }
        at::HELD_BLACKOUT if is_open(facts) => system("release", "P-24", "finance takes claims in again"),
        at::PAID if paid_long_ago(claim, facts) => system("close", "C-17", "thirty days after the payment"),
        _ => return None,
    };
    Some(found)
}

/// Returns whether the vice-president must still decide: not where he took the manager's step himself.
///
/// Source: docs/RULES.md P-08.
#[must_use]
pub fn needs_vp(claim: &Claim, facts: &Facts) -> bool {
    let audited = claim.audit.values().fold(0_i64, |sum, line| sum.saturating_add(line.payable.0));
    let asked = facts.policy.vp.is_asked(claim.claimed_total(), crate::money::Fen(audited));
    let manager = taken_by(claim, Level::Manager);
    let by_vp = manager.is_some_and(|by| {
        facts.people.holds(by, Role::SALES_VP) && !facts.people.holds(by, Role::CS_MANAGER)
    });
    asked && claim.state == at::MGR_APPROVED && !by_vp
}

/// Returns whether finance takes claims in today: a working day outside the blackout.
///
/// Source: docs/RULES.md P-24.
#[must_use]
pub fn is_open(facts: &Facts) -> bool {
    due::blackout(facts.today, &facts.policy, &facts.calendar).opens == facts.today
}

/// Returns whether the claimant is his unit's supervisor, or stands above the step.
fn passes_supervisor(claim: &Claim, facts: &Facts) -> bool {
    let Some(unit) = claim.unit.filter(|_| facts.policy.skip_up) else {
        return false;
    };
    facts.people.supervises(claim.staff, unit) || stands_above_branch(claim, facts)
}

/// Returns whether the claimant leads his branch, or stands above the step.
fn passes_gm(claim: &Claim, facts: &Facts) -> bool {
    let Some(unit) = claim.unit.filter(|_| facts.policy.skip_up) else {
        return false;
    };
    facts.people.leads(claim.staff, unit) || stands_above_branch(claim, facts)
}

/// Returns whether the claimant works in a branch as its GM or at headquarters, where nobody supervises a centre.
fn stands_above_branch(claim: &Claim, facts: &Facts) -> bool {
    let people = &facts.people;
    let above = [Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];
    let kind = claim.unit.and_then(|unit| people.units.get(&unit)?.kind);
    let office = matches!(kind, Some(OrgKind::GROUP | OrgKind::COMPANY));
    office || above.into_iter().any(|role| people.holds(claim.staff, role))
}

fn paid_long_ago(claim: &Claim, facts: &Facts) -> bool {
    let paid = claim.approvals.iter().rev().find(|approval| approval.step == "pay");
    paid.is_some_and(|paid| facts.today >= paid.at.day(facts.policy.zone).plus(CLOSE_DAYS))
}
