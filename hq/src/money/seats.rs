//! As whom somebody sits at the office: himself and those who delegated to him; what he may read, and which steps are his.

use std::collections::BTreeSet;

use records::claim::facts::Facts;
use records::claim::segregation::{self, Level};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim_machine::CLAIM;
use records::kinds::staff::Role;
use records::time::Day;

use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::store::StoreError;

/// Who reads the claims of all branches.
const ALL_CLAIMS: [Role; 5] = [Role::AUDITOR, Role::CS_MANAGER, Role::SALES_VP, Role::FINANCE, Role::VIEWER];

/// Who reads the claims of his branch.
const BRANCH_CLAIMS: [Role; 2] = [Role::SUPERVISOR, Role::BRANCH_GM];

/// One seat: a person, for himself or for a principal whose code it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who acts, in which roles.
    pub actor: Actor,
    /// The principal's staff code; `None` for himself.
    pub principal: Option<String>,
}

impl Desk {
    /// Returns as whom somebody may act on a day: as himself first, then for each who delegated to him.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn seats(&mut self, staff: DocId, today: Day) -> Result<Vec<Seat>, StoreError> {
        let people = self.people()?;
        let Some(person) = people.staff.get(&staff) else { return Ok(Vec::new()) };
        let terms = self.terms()?;
        let own = Actor { staff, code: person.code.clone(), roles: person.roles.clone(), on_behalf_of: None };
        let mut seats = vec![Seat { actor: own.clone(), principal: None }];
        let principals: BTreeSet<DocId> = terms
            .people
            .delegations
            .iter()
            .filter(|given| given.to == staff)
            .map(|given| given.from)
            .collect();
        for principal in principals {
            let roles: Vec<Role> = terms.people.delegated(principal, staff, today).into_iter().collect();
            let code = people.staff.get(&principal).map(|person| person.code.clone());
            if !roles.is_empty() && code.is_some() {
                let actor = Actor { roles, on_behalf_of: Some(principal), ..own.clone() };
                seats.push(Seat { actor, principal: code });
            }
        }
        Ok(seats)
    }

    /// Returns the roles of others in which somebody decides for them on a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delegated(&mut self, staff: DocId, today: Day) -> Result<Vec<Role>, StoreError> {
        let seats = self.seats(staff, today)?;
        let roles =
            seats.into_iter().filter(|seat| seat.principal.is_some()).flat_map(|seat| seat.actor.roles);
        Ok(roles.collect())
    }

    /// Returns whether somebody may read a claim: his own, his branch's as one who leads there, any at headquarters.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reads(&mut self, seats: &[Seat], claim: &Claim) -> Result<bool, StoreError> {
        let terms = self.terms()?;
        let branch = claim.unit.and_then(|unit| terms.people.branch_of(unit));
        Ok(seats.iter().any(|Seat { actor, .. }| {
            let principal = actor.on_behalf_of.unwrap_or(actor.staff);
            let leads = actor.holds(&BRANCH_CLAIMS).is_some()
                && branch.is_some()
                && terms.people.branch_of_staff(principal) == branch;
            principal == claim.staff || leads || actor.holds(&ALL_CLAIMS).is_some()
        }))
    }
}

impl Seat {
    /// Returns whether a step on a claim is his to take now: by its state, his role and unit, and because he has no part
    /// in it yet. What he has still to say with it, the step itself asks.
    ///
    /// Source: docs/RULES.md C-01 to C-05, C-08.
    #[must_use]
    pub fn may(&self, step: &str, claim: &Claim, facts: &Facts) -> bool {
        let Some((_, taken)) = CLAIM.step(step) else { return false };
        let people: Vec<DocId> = self.actor.people().collect();
        let principal = self.actor.on_behalf_of.unwrap_or(self.actor.staff);
        let fits = |role: &Role| {
            taken.who.contains(role)
                && segregation::reaches(step, *role, claim, facts)
                && segregation::is_his_unit(step, *role, principal, claim, facts)
        };
        let own = taken.apart && segregation::is_own(claim, &people, facts);
        let before = Level::of(step).and_then(|level| segregation::other_level(claim, &people, level));
        taken.from.contains(&claim.state) && self.actor.roles.iter().any(fits) && !own && before.is_none()
    }
}

/// Returns the first of some seats from which a step on a claim may be taken.
#[must_use]
pub fn seat_for<'s>(seats: &'s [Seat], step: &str, claim: &Claim, facts: &Facts) -> Option<&'s Seat> {
    seats.iter().find(|seat| seat.may(step, claim, facts))
}
