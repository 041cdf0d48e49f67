//! Who wrote what: the people behind the replicas.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use records::id::{DocId, Replica};
use records::kinds::{device, number, staff};
use records::value::{Target, Value};

use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// The owners of the devices that are known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    staff: BTreeMap<Replica, DocId>,
    names: BTreeMap<Replica, String>,
}

impl People {
    /// Reads the devices that HQ has told of, and this one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let mut people = Self::default();
        store.each(Some(number::DEVICE), &mut |document| {
            let value = |name| rows::value(&device::DEVICE, &document, name);
            let replica = match value("replica") {
                Some(Value::Int(replica)) => u32::try_from(replica).ok().map(Replica),
                _ => None,
            };
            if let (Some(replica), Some(Value::Ref(Target::Doc(owner)))) = (replica, value("owner")) {
                people.staff.insert(replica, owner);
            }
            ControlFlow::Continue(())
        })?;
        for (replica, owner) in &people.staff {
            people.names.extend(name(store, *owner)?.map(|name| (*replica, name)));
        }
        let own = &store.identity().enrolment;
        people.staff.insert(own.replica, own.staff);
        people.names.insert(own.replica, own.staff_name.clone());
        Ok(people)
    }

    /// Returns whose device it is; `None` where nobody told.
    #[must_use]
    pub fn staff(&self, replica: Replica) -> Option<DocId> {
        self.staff.get(&replica).copied()
    }

    /// Returns the devices of somebody.
    #[must_use]
    pub fn of(&self, staff: DocId) -> BTreeSet<Replica> {
        let own = self.staff.iter().filter(|(_, owner)| **owner == staff);
        own.map(|(replica, _)| *replica).collect()
    }

    /// Returns the owner's name; the device's number where nobody told, and `HQ` for headquarters.
    #[must_use]
    pub fn name(&self, replica: Replica) -> String {
        if replica == Replica::HQ {
            return "HQ".to_owned();
        }
        self.names.get(&replica).cloned().unwrap_or_else(|| format!("#{}", replica.0))
    }
}

/// Returns the other people who are known here, by name: id, code, name.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn colleagues(store: &Store) -> Result<Vec<(DocId, String, String)>, StoreError> {
    let me = store.identity().enrolment.staff;
    let mut found = Vec::new();
    store.each(Some(number::STAFF), &mut |document| {
        let text = |name| match rows::value(&staff::STAFF, &document, name) {
            Some(Value::Text(text)) => text,
            _ => String::new(),
        };
        if document.id != me {
            found.push((document.id, text("code"), text("name")));
        }
        ControlFlow::Continue(())
    })?;
    found.sort_by(|a, b| (&a.2, &a.1).cmp(&(&b.2, &b.1)));
    Ok(found)
}

fn name(store: &Store, id: DocId) -> Result<Option<String>, StoreError> {
    let document = store.document(id)?;
    Ok(document.and_then(|document| match rows::value(&staff::STAFF, &document, "name") {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    }))
}
