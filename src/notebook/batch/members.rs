//! Who of the branch claims with a mailing, and how far each one is: the check list of whoever seals the envelope.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::id::DocId;
use records::kinds::staff::Role;
use records::kinds::{claim_machine as at, number};
use records::machine::State;
use records::policy::cycle::Cycle;

use crate::notebook::batch::Envelope;
use crate::notebook::refusal::NotebookError;
use crate::notebook::{review, show};
use crate::store::Store;

/// Roles whose people spend on the way.
const CLAIM: [Role; 2] = [Role::ENGINEER, Role::SUPERVISOR];

/// A person of the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub staff: DocId,
    /// His name.
    pub name: String,
    /// His claims for the mailing, each with its number and its state; empty where he submitted none.
    pub claims: Vec<(DocId, String, &'static State)>,
}

impl Member {
    /// Returns whether nothing of his is on the way: he submitted none, or each was sent back.
    #[must_use]
    pub fn lacks(&self) -> bool {
        self.claims.iter().all(|(.., state)| state.name == "returned")
    }
}

/// Returns the people of a batch's branch who may claim, those who lack a claim first; none for a supplementary batch.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn members(store: &Store, envelope: &Envelope) -> Result<Vec<Member>, NotebookError> {
    let Some(cycle) = envelope.batch.cycle else { return Ok(Vec::new()) };
    let mut claims = submitted(store, cycle)?;
    let people = &envelope.reviewer.terms.people;
    let own = |staff: DocId| people.branch_of_staff(staff) == envelope.batch.branch;
    let mut members = Vec::new();
    for (staff, person) in people.staff.iter().filter(|(staff, _)| own(**staff)) {
        if CLAIM.iter().any(|role| person.roles.contains(role)) {
            let name = show::name(store, *staff)?;
            members.push(Member { staff: *staff, name, claims: claims.remove(staff).unwrap_or_default() });
        }
    }
    members.sort_by(|one, other| (!one.lacks(), &one.name).cmp(&(!other.lacks(), &other.name)));
    Ok(members)
}

/// Claims by person, each with its number and its state.
type Submitted = BTreeMap<DocId, Vec<(DocId, String, &'static State)>>;

fn submitted(store: &Store, cycle: Cycle) -> Result<Submitted, NotebookError> {
    let cycle = cycle.to_string();
    let mut claims = Submitted::new();
    store.each(Some(number::CLAIM), &mut |document| {
        let claim = review::read(&document).filter(|claim| claim.state != at::VOID);
        let meant = |claim: &records::claim::view::Claim| {
            claim.submission.as_ref().is_some_and(|submission| submission.cycle == cycle)
        };
        if let Some(claim) = claim.filter(meant)
            && let Some(state) = at::CLAIM.states.get(usize::from(claim.state))
        {
            claims.entry(claim.staff).or_default().push((claim.id, review::name(&claim), state));
        }
        ControlFlow::Continue(())
    })?;
    Ok(claims)
}
