//! What holds in the company, as this device knows it: policy, calendar, units, people, delegations, ceilings.

use std::sync::Arc;

use records::claim::facts::{CapRow, Facts};
use records::claim::people::People;
use records::id::DocId;
use records::kinds::calendar::{CalendarDays, Year};
use records::kinds::number;
use records::kinds::policy::PolicyText;
use records::policy::in_force::InForce;
use records::record::Record;
use records::time::Day;

use crate::clock::Now;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// What holds in the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Policy and calendar.
    pub in_force: InForce,
    /// Units, people and delegations.
    pub people: Arc<People>,
    /// Monthly ceilings.
    pub caps: Vec<CapRow>,
}

impl Terms {
    /// Reads them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let mut tree = all(store, number::ORG)?;
        tree.extend(all(store, number::STAFF)?);
        tree.extend(all(store, number::DELEGATION)?);
        let mut people = People::of(&tree);
        // Before the first sync the enrolment code is all that is known of oneself.
        let enrolment = &store.identity().enrolment;
        let me = people.staff.entry(enrolment.staff).or_default();
        if me.code.is_empty() {
            me.code.clone_from(&enrolment.staff_code);
            me.unit = Some(enrolment.unit);
            me.roles = enrolment.roles.iter().copied().collect();
        }
        let caps = all(store, number::CAP)?.iter().filter_map(|record| CapRow::of(record, &people)).collect();
        Ok(Self { in_force: in_force(store)?, people: Arc::new(people), caps })
    }

    /// Returns facts that know these terms: of a submitted claim by the policy that it names.
    #[must_use]
    pub fn facts(&self, named: Option<&str>, submitted: Day, today: Day) -> Facts {
        let policy = self.in_force.of_claim(named, submitted).clone();
        let mut facts = Facts::new(today, policy, Arc::clone(&self.in_force.calendar));
        facts.people = Arc::clone(&self.people);
        facts.caps.clone_from(&self.caps);
        facts
    }

    /// Returns the name of a unit's code; empty where it is not known.
    #[must_use]
    pub fn unit_code(&self, unit: DocId) -> &str {
        self.people.units.get(&unit).map_or("", |unit| unit.code.as_str())
    }
}

/// Reads policy and calendar.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn in_force(store: &Store) -> Result<InForce, StoreError> {
    let policies = all(store, number::POLICY)?;
    let policies = policies.iter().filter_map(Record::get::<PolicyText>);
    let years = all(store, number::CALENDAR)?;
    let years = years.iter().filter_map(|record| Some((record.get::<Year>()?, record.all::<CalendarDays>())));
    Ok(InForce::of(policies, years))
}

/// Returns for how many minutes the policy lets a PIN hold once it was given.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn unlock_minutes(store: &Store, now: Now) -> Result<u16, StoreError> {
    Ok(in_force(store)?.policy(now.wall.day(store.zone())).unlock_minutes)
}

/// Returns the records of a kind, those created earlier first.
fn all(store: &Store, kind: u16) -> Result<Vec<Record>, StoreError> {
    let mut found = Vec::new();
    store.each(Some(kind), &mut |document| {
        if let Some(kind) = records::kinds::by_number(document.kind) {
            found.push((document.created, rows::record(kind, &document)));
        }
        std::ops::ControlFlow::Continue(())
    })?;
    found.sort_by_key(|(created, record)| (*created, record.id));
    Ok(found.into_iter().map(|(_, record)| record).collect())
}
