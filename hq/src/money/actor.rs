//! Who acts: a person of the office, for himself or by a delegation, with the roles that count.

use records::id::DocId;
use records::kinds::staff;
use records::kinds::staff::Role;
use records::time::Day;

use crate::intake::desk::Desk;
use crate::money::refusal::{MoneyError, Refusal};
use crate::store::StoreError;

/// Somebody who takes steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// His staff record.
    pub staff: DocId,
    /// His staff code.
    pub code: String,
    /// The roles that count: his own, or those delegated to him.
    pub roles: Vec<Role>,
    /// The principal, where he acts for somebody.
    pub on_behalf_of: Option<DocId>,
}

impl Actor {
    /// Returns him and his principal: nobody judges his own work, nor has it judged in his name.
    pub fn people(&self) -> impl Iterator<Item = DocId> {
        [Some(self.staff), self.on_behalf_of].into_iter().flatten()
    }

    /// Returns the first of `roles` that he holds.
    #[must_use]
    pub fn holds(&self, roles: &[Role]) -> Option<Role> {
        roles.iter().copied().find(|role| self.roles.contains(role))
    }
}

impl Desk {
    /// Returns who acts on `today` under a staff code; `principal` is the code of the one for whom he does.
    ///
    /// # Errors
    /// H-03 for a code that nobody has, H-04 for somebody who does not work here on that day, H-05 without a
    /// delegation that holds on that day.
    ///
    /// Source: docs/RULES.md, The office.
    pub fn actor(&mut self, code: &str, principal: Option<&str>, today: Day) -> Result<Actor, MoneyError> {
        let staff = self.employed(code, today)?;
        let Some(for_code) = principal else {
            let people = self.people()?;
            let roles = people.staff.get(&staff).map(|person| person.roles.clone()).unwrap_or_default();
            return Ok(Actor { staff, code: code.to_owned(), roles, on_behalf_of: None });
        };
        let principal = self.employed(for_code, today)?;
        let delegated = self.terms()?.people.delegated(principal, staff, today);
        let roles: Vec<Role> = delegated.into_iter().collect();
        if roles.is_empty() {
            let none = Refusal::by("H-05").with("staff", code).with("principal", for_code).with("day", today);
            return Err(none.into());
        }
        Ok(Actor { staff, code: code.to_owned(), roles, on_behalf_of: Some(principal) })
    }

    /// Returns the person with that code, who works here on that day.
    fn employed(&mut self, code: &str, today: Day) -> Result<DocId, MoneyError> {
        let people = self.people()?;
        let Some((id, _)) = people.by_code(code) else {
            return Err(Refusal::by("H-03").with("staff", code).into());
        };
        let active = self.record(id)?.and_then(|record| record.get::<staff::Active>()).unwrap_or_default();
        let begun = active.active_from.is_none_or(|from| from <= today);
        let gone = active.active_to.is_some_and(|to| to < today);
        if begun && !gone {
            Ok(id)
        } else {
            Err(Refusal::by("H-04").with("staff", code).with("day", today).into())
        }
    }

    /// Returns a person's staff code; empty where nobody knows him.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn staff_code(&mut self, staff: DocId) -> Result<String, StoreError> {
        let people = self.people()?;
        Ok(people.staff.get(&staff).map(|person| person.code.clone()).unwrap_or_default())
    }
}
