//! Taking a claim's paper into the hand.

use records::kinds::claim::{CLAIM, PaperSeen, Papers};
use records::kinds::staff::Role;

use crate::clock::Now;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::review::{self, Reviewer};
use crate::notebook::set::Changed;
use crate::notebook::typed::Writes;
use crate::store::Store;

/// Notes that the claim's vouchers and sheets lie with the supervisor.
///
/// # Errors
/// W-65 for somebody who supervises nobody of that branch; what [`review::open`] refuses; [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-18.
pub fn paper(store: &mut Store, record: &str, note: &str, now: Now) -> Result<Changed, NotebookError> {
    let reviewer = Reviewer::of(store, None, now)?;
    let opened = review::open(store, record, &reviewer)?;
    let people = &reviewer.terms.people;
    let me = reviewer.actor.staff;
    let own = opened.claim.unit.is_some_and(|unit| {
        let branch = people.branch_of(unit).filter(|_| people.holds(me, Role::SUPERVISOR));
        people.supervises(me, unit) || branch.is_some() && people.branch_of_staff(me) == branch
    });
    if !own {
        return Err(Refusal::by("W-65").with("name", review::name(&opened.claim)).into());
    }
    let mut writes = Writes::default();
    writes.add(&Papers {
        seen: Some(PaperSeen::WITH_SUPERVISOR),
        by: Some(review::link(me)),
        at: Some(now.wall),
        note: review::text(note),
    });
    let ops = store.save(review::on(&opened.document, &CLAIM, writes), now)?;
    Ok(Changed { id: opened.claim.id, op: ops.first().copied() })
}
