//! Who may judge a claim: not who wrote it or is paid by it, and nobody at two levels.

use crate::claim::facts::Facts;
use crate::claim::view::Claim;
use crate::id::DocId;
use crate::kinds::org::OrgKind;
use crate::kinds::staff::Role;

/// A level of approval; a person decides at one of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The supervisor's first review.
    Supervisor,
    /// The branch GM's second review.
    Gm,
    /// The auditor's.
    Audit,
    /// The manager's.
    Manager,
    /// The vice-president's.
    Vp,
    /// Finance's.
    Finance,
}

impl Level {
    /// Returns the level at which a step of the claim is taken; `None` for steps that approve nothing.
    #[must_use]
    pub fn of(step: &str) -> Option<Self> {
        Some(match step {
            "sup_approve" | "sup_cut" | "sup_return" => Self::Supervisor,
            "gm_approve" | "gm_cut" | "gm_return" => Self::Gm,
            "audit" | "propose_reject" => Self::Audit,
            "mgr_approve" | "mgr_back" | "confirm_reject" | "dismiss_reject" => Self::Manager,
            "vp_approve" | "vp_back" | "vp_reject" => Self::Vp,
            "accept" | "fin_back" | "pay" => Self::Finance,
            _ => return None,
        })
    }
}

/// Returns who decided last at a level; `None` where nobody did.
#[must_use]
pub fn taken_by(claim: &Claim, level: Level) -> Option<DocId> {
    claim.approvals.iter().rev().find(|approval| Level::of(&approval.step) == Some(level))?.by
}

/// Returns the step at another level that one of these people took on this claim already, himself or through a delegate.
#[must_use]
pub fn other_level<'c>(claim: &'c Claim, people: &[DocId], level: Level) -> Option<&'c str> {
    let involved = |id: Option<DocId>| id.is_some_and(|id| people.contains(&id));
    let others = claim.approvals.iter().filter(|approval| {
        Level::of(&approval.step).is_some_and(|taken| taken != level)
            && (involved(approval.by) || involved(approval.on_behalf_of))
    });
    others.map(|approval| approval.step.as_str()).next()
}

/// Returns whether one of these people is paid by the claim or wrote it.
#[must_use]
pub fn is_own(claim: &Claim, people: &[DocId], facts: &Facts) -> bool {
    let wrote = facts.authors.get(&claim.id);
    people.iter().any(|id| *id == claim.staff || wrote.is_some_and(|authors| authors.contains(id)))
}

/// Returns whether a role may take a step for this claimant, where the step goes upward only with a reason: the
/// manager audits an auditor's claim, the vice-president decides for a manager who claims or has audited.
///
/// Source: docs/RULES.md C-08.
#[must_use]
pub fn reaches(step: &str, role: Role, claim: &Claim, facts: &Facts) -> bool {
    let people = &facts.people;
    match (Level::of(step), role) {
        (Some(Level::Audit), Role::CS_MANAGER) => people.holds(claim.staff, Role::AUDITOR),
        (Some(Level::Manager), Role::SALES_VP) => {
            let audited = taken_by(claim, Level::Audit);
            people.holds(claim.staff, Role::CS_MANAGER)
                || audited.is_some_and(|by| people.holds(by, Role::CS_MANAGER))
        }
        _ => true,
    }
}

/// Returns whether somebody in `role` has to do with the claim's unit: a supervisor with his own unit, for the batch
/// and for answers with his branch, a GM with his branch; the roles of headquarters with all.
///
/// Source: docs/RULES.md C-05.
#[must_use]
pub fn is_his_unit(step: &str, role: Role, staff: DocId, claim: &Claim, facts: &Facts) -> bool {
    let people = &facts.people;
    let in_branch = |unit| {
        let branch = people.branch_of(unit);
        branch.is_some() && people.branch_of_staff(staff) == branch
    };
    let Some(unit) = claim.unit else {
        return step != "void" && !matches!(role, Role::ENGINEER | Role::SUPERVISOR | Role::BRANCH_GM);
    };
    match role {
        // What a claimant may do to his own claim, a colleague may not.
        Role::ENGINEER => false,
        Role::BRANCH_GM | Role::AUDITOR | Role::CS_MANAGER if step == "void" => false,
        Role::SUPERVISOR if matches!(step, "batch" | "unbatch" | "dispatch" | "answer") => in_branch(unit),
        Role::SUPERVISOR => people.supervises(staff, unit),
        Role::BRANCH_GM => people.leads(staff, unit),
        _ => true,
    }
}

/// Returns whether nobody but headquarters has to do with the claim: its claimant works in no branch.
#[must_use]
pub fn is_of_headquarters(claim: &Claim, facts: &Facts) -> bool {
    let kind = claim.unit.and_then(|unit| facts.people.units.get(&unit)?.kind);
    matches!(kind, Some(OrgKind::GROUP | OrgKind::COMPANY))
}
