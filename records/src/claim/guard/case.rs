//! Whether a person may take a step on a disciplinary case, an exception request or an alert now.

use std::collections::BTreeSet;

use crate::claim::facts::Facts;
use crate::claim::guard::{Actor, Given, possible, refusal, roles_for};
use crate::id::DocId;
use crate::kinds::alert::Finding;
use crate::kinds::alert_machine::ALERT;
use crate::kinds::approval::Approvals;
use crate::kinds::case::About;
use crate::kinds::case_machine::{self, CASE};
use crate::kinds::exception::{Ask, ExceptionKind};
use crate::kinds::exception_machine::EXCEPTION;
use crate::kinds::staff::Role;
use crate::machine::Index;
use crate::policy::count::Count;
use crate::problems::Problem;
use crate::record::Record;
use crate::time::Day;
use crate::value::Ref;

/// A case, an exception or an alert, as far as its steps depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// Which document.
    pub id: DocId,
    /// Where it is.
    pub state: Index,
    /// Whom it is about, and who asked for it: they judge nothing of it.
    pub concerned: BTreeSet<DocId>,
    /// When it was confirmed, for a case.
    pub confirmed: Option<Day>,
}

/// Returns whom a record's references name.
fn people<const KIND: u16>(references: &[Option<&Ref<KIND>>]) -> BTreeSet<DocId> {
    references.iter().filter_map(|reference| reference.as_ref()?.doc()).collect()
}

/// Says whether `actor` may take a step on a disciplinary case.
///
/// The person concerned appeals within the policy's days of the confirmation, and nothing is carried out before they are
/// over or the appeal is heard. The vice-president decides where the manager is concerned.
///
/// # Errors
/// The first rule that refuses.
///
/// Source: docs/RULES.md, Penalties.
pub fn guard_case(
    case: &Record,
    step: &str,
    actor: &Actor,
    given: &Given,
    facts: &Facts,
) -> Result<(), Problem> {
    let about = case.get::<About>().unwrap_or_default();
    let confirmed = case.all::<Approvals>().into_iter().rev().find_map(|row| {
        row.step.filter(|step| step.0 == "confirm").and(row.at).map(|at| at.day(facts.policy.zone))
    });
    let matter = Matter {
        id: case.id,
        state: case.state,
        concerned: people(&[about.claimant.as_ref(), about.supervisor.as_ref()]),
        confirmed,
    };
    let taken = possible(&CASE, matter.state, step, &given.reason)?;
    let roles = roles_for(taken, actor, facts)?;
    let appeal_ends = matter.appeal_ends(facts);
    match step {
        "appeal" => {
            if !matter.concerned.contains(&actor.staff) {
                return Err(refusal("C-12").fact("step", step));
            }
            match appeal_ends.filter(|last| facts.today > *last) {
                Some(last) => Err(refusal("T-12").fact("last", last.to_string())),
                None => Ok(()),
            }
        }
        "execute" => {
            let waits = matter.state == case_machine::CONFIRMED;
            match appeal_ends.filter(|last| waits && facts.today <= *last) {
                Some(last) => Err(refusal("T-13").fact("last", last.to_string())),
                None => Ok(()),
            }
        }
        _ => {
            matter.apart(step, actor)?;
            matter.upward(step, &roles, facts)
        }
    }
}

/// Says whether `actor` may take a step on a request for an exception.
///
/// # Errors
/// The first rule that refuses.
///
/// Source: docs/RULES.md, Exceptions.
pub fn guard_exception(
    exception: &Record,
    step: &str,
    actor: &Actor,
    given: &Given,
    facts: &Facts,
) -> Result<(), Problem> {
    let ask = exception.get::<Ask>().unwrap_or_default();
    let matter = Matter {
        id: exception.id,
        state: exception.state,
        concerned: people(&[ask.asked_by.as_ref(), ask.caused_by.as_ref()]),
        confirmed: None,
    };
    let taken = possible(&EXCEPTION, matter.state, step, &given.reason)?;
    let roles = roles_for(taken, actor, facts)?;
    matter.apart(step, actor)?;
    matter.upward(step, &roles, facts)?;
    let raises = ask.kind_of == Some(ExceptionKind::CAP) && step == "approve";
    let whole = ask.category.is_some() && ask.amount.is_some_and(|amount| amount.0 > 0);
    if raises && !whole { Err(refusal("T-14")) } else { Ok(()) }
}

/// Says whether `actor` may answer an alert: a reviewer of the claimant's unit or of headquarters, not the claimant.
///
/// # Errors
/// The first rule that refuses.
///
/// Source: docs/RULES.md, Anomalies.
pub fn guard_alert(
    alert: &Record,
    step: &str,
    actor: &Actor,
    given: &Given,
    facts: &Facts,
) -> Result<(), Problem> {
    let finding = alert.get::<Finding>().unwrap_or_default();
    let matter = Matter {
        id: alert.id,
        state: alert.state,
        concerned: people(&[finding.staff.as_ref()]),
        confirmed: None,
    };
    let taken = possible(&ALERT, matter.state, step, &given.reason)?;
    let roles = roles_for(taken, actor, facts)?;
    matter.apart(step, actor)?;
    let unit =
        finding.staff.as_ref().and_then(Ref::doc).and_then(|staff| facts.people.staff.get(&staff)?.unit);
    let his = |role: &Role| match *role {
        Role::SUPERVISOR => unit.is_some_and(|unit| facts.people.supervises(actor.principal(), unit)),
        Role::BRANCH_GM => unit.is_some_and(|unit| facts.people.leads(actor.principal(), unit)),
        _ => true,
    };
    if roles.iter().any(his) { Ok(()) } else { Err(refusal("C-05").fact("step", step)) }
}

impl Matter {
    /// Returns the last day to appeal; `None` before the confirmation.
    fn appeal_ends(&self, facts: &Facts) -> Option<Day> {
        let days = facts.policy.fine.appeal_wd;
        Some(Count::new(&facts.calendar).working_days(self.confirmed?, days, |_| false))
    }

    fn apart(&self, step: &str, actor: &Actor) -> Result<(), Problem> {
        let own = actor.people().iter().any(|person| self.concerned.contains(person));
        if own { Err(refusal("C-03").fact("step", step)) } else { Ok(()) }
    }

    /// The vice-president decides only where the manager is concerned.
    fn upward(&self, step: &str, roles: &[Role], facts: &Facts) -> Result<(), Problem> {
        let manager = self.concerned.iter().any(|person| facts.people.holds(*person, Role::CS_MANAGER));
        let reaches = |role: &Role| *role != Role::SALES_VP || manager;
        if roles.iter().any(reaches) { Ok(()) } else { Err(refusal("C-08").fact("step", step)) }
    }
}
