//! Units, people, delegations and ceilings, read from their records.

use crate::claim::facts::CapRow;
use crate::claim::people::{Delegation, People, Person, Unit};
use crate::id::DocId;
use crate::kinds::cap::{CapAmount, CapFor};
use crate::kinds::delegation::{Delegated, DelegatedRoles};
use crate::kinds::{number, org, staff};
use crate::record::Record;
use crate::value::{Ref, Target};

impl People {
    /// Reads the tree, its people and their delegations; records of other kinds are passed over.
    ///
    /// A unit may name its leaders by their staff codes: units are often there before their people.
    #[must_use]
    pub fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut people = Self::default();
        let (mut units, mut delegations) = (Vec::new(), Vec::new());
        for record in records {
            match record.kind.number {
                number::STAFF => drop(people.staff.insert(record.id, person(record))),
                number::ORG => units.push(record),
                number::DELEGATION => delegations.push(record),
                _ => {}
            }
        }
        people.units = units.into_iter().map(|record| (record.id, people.unit(record))).collect();
        people.delegations = delegations.into_iter().filter_map(|record| people.delegation(record)).collect();
        people
    }

    /// Returns the person of a staff code.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<DocId> {
        self.staff.iter().find(|(_, person)| person.code == code.trim()).map(|(id, _)| *id)
    }

    fn named<const KIND: u16>(&self, reference: Option<Ref<KIND>>) -> Option<DocId> {
        match reference?.0 {
            Target::Doc(id) => Some(id),
            Target::Text(code) => self.by_code(&code),
        }
    }

    fn unit(&self, record: &Record) -> Unit {
        let place = record.get::<org::Unit>().unwrap_or_default();
        let lead = record.get::<org::Lead>().unwrap_or_default();
        Unit {
            code: record.get::<org::OrgCode>().and_then(|code| code.code).unwrap_or_default().0,
            kind: place.kind,
            parent: linked(place.parent),
            manager: self.named(lead.manager),
            supervisor: self.named(lead.supervisor),
            lump_sum: record.get::<org::Terms>().and_then(|terms| terms.lump_sum).unwrap_or_default(),
        }
    }

    fn delegation(&self, record: &Record) -> Option<Delegation> {
        let given = record.get::<Delegated>()?;
        Some(Delegation {
            from: self.named(given.from)?,
            to: self.named(given.to)?,
            roles: record.all::<DelegatedRoles>().into_iter().filter_map(|row| row.role).collect(),
            valid_from: given.valid_from?,
            valid_to: given.valid_to?,
        })
    }
}

impl CapRow {
    /// Reads a ceiling; `None` where it does not say for whom, what, how much and since when.
    #[must_use]
    pub fn of(record: &Record, people: &People) -> Option<Self> {
        let (whom, how_much) = (record.get::<CapFor>()?, record.get::<CapAmount>()?);
        let unit = match whom.unit?.0 {
            Target::Doc(id) => id,
            Target::Text(code) => *people.units.iter().find(|(_, unit)| unit.code == code.trim())?.0,
        };
        Some(Self {
            unit,
            category: whom.category?,
            grade: whom.grade.unwrap_or_default().0,
            staff: people.named(whom.staff),
            amount: how_much.amount?,
            valid_from: how_much.valid_from?,
            valid_to: how_much.valid_to,
        })
    }
}

fn person(record: &Record) -> Person {
    let post = record.get::<staff::Post>().unwrap_or_default();
    Person {
        code: record.get::<staff::Person>().and_then(|person| person.code).unwrap_or_default().0,
        unit: linked(post.unit),
        grade: post.grade.unwrap_or_default().0,
        roles: record.all::<staff::Roles>().into_iter().filter_map(|row| row.role).collect(),
    }
}

fn linked<const KIND: u16>(reference: Option<Ref<KIND>>) -> Option<DocId> {
    match reference?.0 {
        Target::Doc(id) => Some(id),
        Target::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::cap::CAP;
    use crate::kinds::delegation::DELEGATION;
    use crate::kinds::org::{Lead, ORG, OrgCode};
    use crate::kinds::staff::{Role, Roles, STAFF};
    use crate::kinds::voucher::Category;
    use crate::money::Fen;
    use crate::value::Text;

    fn id(seq: u64) -> DocId {
        format!("0.1.{seq}").parse().unwrap()
    }

    fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
        Some(Text(text.to_owned()))
    }

    fn typed<const KIND: u16>(code: &str) -> Option<Ref<KIND>> {
        Some(Ref(Target::Text(code.to_owned())))
    }

    #[test]
    fn leaders_delegates_and_ceilings_may_be_named_by_code() {
        let lead = Lead { manager: None, supervisor: typed("S101") };
        let unit = Record::new(id(1), &ORG).with(&[OrgCode { code: text("HZC") }]).with(&[lead]);
        let staff = |seq, code: &str| {
            let roles = Roles { role: Some(Role::SUPERVISOR) };
            Record::new(id(seq), &STAFF).with(&[staff::Person { code: text(code) }]).with(&[roles])
        };
        let given = Delegated {
            from: typed("S101"),
            to: Some(Ref(Target::Doc(id(3)))),
            valid_from: "2026-11-01".parse().ok(),
            valid_to: "2026-11-30".parse().ok(),
            reason: None,
            granted_by: None,
        };
        let delegation = Record::new(id(4), &DELEGATION).with(&[given]);
        let people = People::of([&unit, &staff(2, "S101"), &staff(3, "S102"), &delegation]);
        assert_eq!(people.supervisor_of(id(1)), Some(id(2)));
        let acting = people.delegated(id(2), id(3), "2026-11-15".parse().unwrap());
        assert!(acting.contains(&Role::SUPERVISOR));
        let whom = CapFor {
            unit: typed("HZC"),
            category: Some(Category::PHONE),
            staff: typed("S102"),
            ..CapFor::default()
        };
        let amount = CapAmount {
            amount: Some(Fen(5_000)),
            valid_from: "2026-01-01".parse().ok(),
            ..CapAmount::default()
        };
        let cap = CapRow::of(&Record::new(id(5), &CAP).with(&[whom]).with(&[amount]), &people).unwrap();
        assert_eq!((cap.unit, cap.staff, cap.amount), (id(1), Some(id(3)), Fen(5_000)));
    }
}
