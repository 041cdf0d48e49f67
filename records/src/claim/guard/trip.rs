//! Whether a person may take a step on a trip summary now.

use crate::claim::facts::Facts;
use crate::claim::guard::{Actor, Given, possible, refusal, roles_for};
use crate::id::DocId;
use crate::kinds::staff::Role;
use crate::kinds::trip::TripOf;
use crate::kinds::trip_machine::TRIP;
use crate::machine::Index;
use crate::policy::cycle::HalfMonth;
use crate::problems::Problem;
use crate::record::Record;

/// A trip summary, as far as its steps depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Which document.
    pub id: DocId,
    /// Whose it is.
    pub staff: DocId,
    /// His unit.
    pub unit: Option<DocId>,
    /// Of which half-month.
    pub half: Option<HalfMonth>,
    /// Where it is.
    pub state: Index,
}

impl Trip {
    /// Reads a trip summary; `None` where it does not say whose it is.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let of = record.get::<TripOf>()?;
        Some(Self {
            id: record.id,
            staff: of.staff.as_ref()?.doc()?,
            unit: of.unit.as_ref().and_then(crate::value::Ref::doc),
            half: of.half.and_then(|half| half.0.parse().ok()),
            state: record.state,
        })
    }
}

/// Says whether `actor` may take a step on a trip summary.
///
/// The supervisor signs it; the branch GM the supervisor's own, the manager a GM's and those of headquarters, the
/// vice-president the manager's. It is opened again only before a claim with it has gone off.
///
/// # Errors
/// The first rule that refuses.
///
/// Source: docs/RULES.md, Trip summaries.
pub fn guard(trip: &Trip, step: &str, actor: &Actor, given: &Given, facts: &Facts) -> Result<(), Problem> {
    let taken = possible(&TRIP, trip.state, step, &given.reason)?;
    let roles = roles_for(taken, actor, facts)?;
    if taken.own {
        let own = actor.staff == trip.staff && actor.on_behalf_of.is_none();
        return if own { Ok(()) } else { Err(refusal("C-12").fact("step", step)) };
    }
    let wrote = facts.authors.get(&trip.id);
    let own = |person: &DocId| *person == trip.staff || wrote.is_some_and(|wrote| wrote.contains(person));
    if actor.people().iter().any(own) {
        return Err(refusal("C-03").fact("step", step));
    }
    if !roles.iter().any(|role| signs(*role, trip, actor, facts)) {
        return Err(refusal("C-05").fact("step", step));
    }
    if step == "reopen" && facts.sent_trips.contains(&trip.id) {
        return Err(refusal("T-01"));
    }
    Ok(())
}

fn signs(role: Role, trip: &Trip, actor: &Actor, facts: &Facts) -> bool {
    let people = &facts.people;
    let Some(unit) = trip.unit else {
        return false;
    };
    let who = actor.principal();
    let branch = people.branch_of(unit).is_some();
    match role {
        Role::SUPERVISOR => people.supervises(who, unit),
        Role::BRANCH_GM => people.leads(who, unit) && people.supervises(trip.staff, unit),
        Role::CS_MANAGER => !branch || people.leads(trip.staff, unit),
        Role::SALES_VP => people.holds(trip.staff, Role::CS_MANAGER),
        _ => false,
    }
}
