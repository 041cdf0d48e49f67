//! What holds at headquarters on a day: policy, calendar, ceilings, and who may act.

use std::sync::Arc;

use records::claim::facts::CapRow;
use records::claim::people::People;
use records::id::DocId;
use records::kinds::calendar::{CalendarDays, Year};
use records::kinds::number;
use records::kinds::policy::PolicyText;
use records::kinds::staff::Role;
use records::policy::in_force::InForce;
use records::record::Record;

use crate::intake::desk::Desk;
use crate::reading;
use crate::store::{Store, StoreError};

/// The kinds that these terms are made of: where one of them changes, they are read again.
const KINDS: [u16; 6] =
    [number::ORG, number::STAFF, number::POLICY, number::CALENDAR, number::CAP, number::DELEGATION];

/// The company's own data that rules read, as HQ holds it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Policy and calendar.
    pub in_force: InForce,
    /// Units, people and delegations.
    pub people: Arc<People>,
    /// Monthly ceilings.
    pub caps: Vec<CapRow>,
}

/// Returns whether documents of a kind are part of the terms.
#[must_use]
pub fn are_made_of(kind: u16) -> bool {
    KINDS.contains(&kind)
}

impl Terms {
    /// Reads them from the index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let mut tree = all(store, number::ORG)?;
        tree.extend(all(store, number::STAFF)?);
        tree.extend(all(store, number::DELEGATION)?);
        let people = People::of(&tree);
        let caps = all(store, number::CAP)?.iter().filter_map(|record| CapRow::of(record, &people)).collect();
        // Of one day the version that was loaded last counts.
        let policies = all(store, number::POLICY)?;
        let policies = policies.iter().filter_map(Record::get::<PolicyText>);
        let years = all(store, number::CALENDAR)?;
        let years =
            years.iter().filter_map(|record| Some((record.get::<Year>()?, record.all::<CalendarDays>())));
        Ok(Self { in_force: InForce::of(policies, years), people: Arc::new(people), caps })
    }

    /// Returns in whose place somebody acts, and in which of the principal's roles; on which days is not asked.
    #[must_use]
    pub fn acts_for(&self, delegate: DocId) -> Vec<(DocId, Role)> {
        let mut found = Vec::new();
        for given in self.people.delegations.iter().filter(|given| given.to == delegate) {
            let held = self.people.staff.get(&given.from).map(|person| &person.roles);
            let named = |role: &&Role| given.roles.is_empty() || given.roles.contains(role);
            found.extend(held.into_iter().flatten().filter(named).map(|role| (given.from, *role)));
        }
        found
    }
}

impl Desk {
    /// Returns what holds now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn terms(&mut self) -> Result<Arc<Terms>, StoreError> {
        if let Some(terms) = &self.terms {
            return Ok(Arc::clone(terms));
        }
        let terms = Arc::new(Terms::read(&self.store)?);
        self.terms = Some(Arc::clone(&terms));
        Ok(terms)
    }
}

/// Returns the records of a kind, those created earlier first.
fn all(store: &Store, kind: u16) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    store.each_of_few::<StoreError>(kind, |_, indexed| {
        records.extend(reading::record(&indexed.document).map(|record| (indexed.document.created, record)));
        Ok(())
    })?;
    records.sort_by_key(|(created, record)| (*created, record.id));
    Ok(records.into_iter().map(|(_, record)| record).collect())
}
