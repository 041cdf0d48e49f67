//! Who works where, in which roles: read from the staff and units in HQ's own log.

use std::collections::BTreeMap;

use records::id::DocId;
use records::kinds::number;
use records::kinds::org::OrgKind;
use records::kinds::staff::{Role, Roles};
use records::schema::Typed;
use records::value::Value;
use sync_protocol::merge::Document;

use crate::reading;
use crate::store::{Store, StoreError};

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// His staff code.
    pub code: String,
    /// His name.
    pub name: String,
    /// Where he works.
    pub unit: Option<DocId>,
    /// What he may do.
    pub roles: Vec<Role>,
}

/// A unit of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Option<OrgKind>,
    /// Below what it stands.
    pub parent: Option<DocId>,
}

/// Everybody, and the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People {
    /// By document.
    pub staff: BTreeMap<DocId, Person>,
    /// By document.
    pub units: BTreeMap<DocId, Unit>,
}

/// The kinds that people are read from.
const KINDS: [u16; 2] = [number::ORG, number::STAFF];

/// Returns whether people are read from documents of that kind.
pub(crate) fn are_made_of(kind: u16) -> bool {
    KINDS.contains(&kind)
}

impl People {
    /// Reads them all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let mut people = Self::default();
        for kind in KINDS {
            store.each_of_few::<StoreError>(kind, |_, indexed| {
                people.learn(&indexed.document);
                Ok(())
            })?;
        }
        Ok(people)
    }

    /// Takes in a staff or unit document; others are not looked at.
    pub fn learn(&mut self, document: &Document) {
        match document.kind {
            number::STAFF => drop(self.staff.insert(document.id, person(document))),
            number::ORG => drop(self.units.insert(document.id, unit(document))),
            _ => {}
        }
    }

    /// Returns the unit whose branch a unit belongs to: the nearest branch at or above it, else the top of its tree.
    #[must_use]
    pub fn branch(&self, unit: DocId) -> DocId {
        let mut at = unit;
        // A tree that turned into a ring by two concurrent moves ends here too.
        for _ in 0..self.units.len() {
            match self.units.get(&at) {
                Some(Unit { kind: Some(OrgKind::BRANCH), .. }) | None => return at,
                Some(Unit { parent: Some(parent), .. }) if self.units.contains_key(parent) => at = *parent,
                Some(_) => return at,
            }
        }
        at
    }

    /// Returns the one with that staff code.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<(DocId, &Person)> {
        self.staff.iter().find(|(_, person)| person.code == code).map(|(id, person)| (*id, person))
    }

    /// Returns the name of the company: the top of the tree.
    #[must_use]
    pub fn company(&self) -> String {
        let top = |unit: &&Unit| unit.parent.is_none();
        self.units.values().find(top).map(|unit| unit.name.clone()).unwrap_or_default()
    }
}

fn person(document: &Document) -> Person {
    let role = |row: records::value::Row| match row.into_iter().next() {
        Some(Some(Value::Choice(index))) => Some(Role(index)),
        _ => None,
    };
    let mut roles: Vec<Role> = reading::rows(document, &Roles::GROUP).into_iter().filter_map(role).collect();
    roles.sort_unstable();
    Person {
        code: reading::text(document, "code"),
        name: reading::text(document, "name"),
        unit: reading::link(document, "unit"),
        roles,
    }
}

fn unit(document: &Document) -> Unit {
    Unit {
        code: reading::text(document, "code"),
        name: reading::text(document, "name"),
        kind: match reading::value(document, "kind") {
            Some(Value::Choice(index)) => Some(OrgKind(index)),
            _ => None,
        },
        parent: reading::link(document, "parent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(seq: u64) -> DocId {
        format!("0.1.{seq}").parse().unwrap()
    }

    fn tree(rows: &[(u64, OrgKind, Option<u64>)]) -> People {
        let unit = |(seq, kind, parent): &(u64, OrgKind, Option<u64>)| {
            let unit =
                Unit { code: String::new(), name: String::new(), kind: Some(*kind), parent: parent.map(id) };
            (id(*seq), unit)
        };
        People { staff: BTreeMap::new(), units: rows.iter().map(unit).collect() }
    }

    #[test]
    fn a_centre_belongs_to_the_nearest_branch_above_it() {
        let people = tree(&[
            (1, OrgKind::COMPANY, None),
            (2, OrgKind::BRANCH, Some(1)),
            (3, OrgKind::SERVICE_CENTER, Some(2)),
            (4, OrgKind::OFFICE, Some(1)),
        ]);
        assert_eq!(people.branch(id(3)), id(2));
        assert_eq!(people.branch(id(2)), id(2));
        assert_eq!(people.branch(id(4)), id(1), "no branch above: the top stands in");
        assert_eq!(people.branch(id(9)), id(9), "a unit that nobody knows is its own");
    }

    #[test]
    fn a_ring_of_units_has_an_end() {
        let people = tree(&[(1, OrgKind::OFFICE, Some(2)), (2, OrgKind::OFFICE, Some(1))]);
        assert!([id(1), id(2)].contains(&people.branch(id(1))));
    }
}
