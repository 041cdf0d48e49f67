//! Ops written again under new names: everything that they say of one another follows.
//!
//! Documents, picks, removed elements and links between records name ops; whoever writes ops again has to change these
//! names with them, or a voucher would belong to another claim.

use std::collections::BTreeMap;

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, OpId};
use records::schema::{Class, Group};
use records::value::payload::{decode_rows, decode_set, encode_rows, encode_set};
use records::value::{self, Target, Value};
use sync_protocol::op::Write;

/// What became of the ops that were written again: the old name and the new one.
pub type Names = BTreeMap<OpId, OpId>;

/// Returns the op's new name, or its own where it was not written again.
#[must_use]
pub fn op(id: OpId, names: &Names) -> OpId {
    names.get(&id).copied().unwrap_or(id)
}

/// Returns a write with the new names; what this build cannot read stays as it is.
#[must_use]
pub fn write(kind: u16, write: Write, names: &Names) -> Write {
    if names.is_empty() {
        return write;
    }
    let group = records::kinds::by_number(kind).and_then(|kind| kind.group(write.tag.number()));
    let bytes = match group.filter(|group| group.tag() == write.tag) {
        Some(_) if write.tag == DECISION_TAG => decision(&write.bytes, names),
        Some(group) => payload(group, &write.bytes, names),
        None => None,
    };
    Write { bytes: bytes.unwrap_or(write.bytes), ..write }
}

fn decision(bytes: &[u8], names: &Names) -> Option<Vec<u8>> {
    let mut decision: Decision = postcard::from_bytes(bytes).ok()?;
    let doc = |doc: DocId| DocId(op(doc.0, names));
    decision.on_behalf_of = decision.on_behalf_of.map(doc);
    decision.to = decision.to.map(doc);
    decision.picks = decision.picks.map(|picked| op(picked, names));
    postcard::to_allocvec(&decision).ok()
}

fn payload(group: &Group, bytes: &[u8], names: &Names) -> Option<Vec<u8>> {
    let renamed = |mut row: value::Row| {
        for value in row.iter_mut().flatten() {
            if let Value::Ref(Target::Doc(DocId(id))) = value {
                *id = op(*id, names);
            }
        }
        row
    };
    match group.class {
        Class::Once | Class::Last | Class::Contested => {
            let row = value::decode_exact(group.fields, bytes).ok()?;
            Some(value::encode(group.fields, &renamed(row)))
        }
        Class::Ledger => {
            let rows: Vec<_> = decode_rows(group.fields, bytes).ok()?.into_iter().map(renamed).collect();
            Some(encode_rows(group.fields, &rows))
        }
        Class::Set => {
            let mut change = decode_set(group.fields, bytes).ok()?;
            change.add = change.add.into_iter().map(renamed).collect();
            for (added_by, _) in &mut change.remove {
                *added_by = op(*added_by, names);
            }
            Some(encode_set(group.fields, &change))
        }
        Class::Decision => None,
    }
}

#[cfg(test)]
mod tests {
    use records::id::{Epoch, Replica};
    use records::kinds::{number, staff::Role};
    use records::schema::Kind;

    use super::*;

    fn id(seq: u64) -> OpId {
        OpId { replica: Replica(7), epoch: Epoch(1), seq }
    }

    fn names() -> Names {
        Names::from([(id(5), id(50))])
    }

    fn sheet() -> &'static Kind {
        records::kinds::by_number(number::REPAIR).unwrap()
    }

    #[test]
    fn a_link_to_a_record_follows_it_and_one_to_another_does_not() {
        let (group, at) = sheet().field("work_order").unwrap();
        for (linked, expected) in [(id(5), id(50)), (id(6), id(6))] {
            let mut row: value::Row = vec![None; group.fields.len()];
            row[at] = Some(Value::Ref(Target::Doc(DocId(linked))));
            let old = Write { tag: group.tag(), bytes: value::encode(group.fields, &row) };
            let new = write(number::REPAIR, old, &names());
            row[at] = Some(Value::Ref(Target::Doc(DocId(expected))));
            assert_eq!(new.bytes, value::encode(group.fields, &row));
        }
    }

    #[test]
    fn a_pick_and_a_removed_element_follow_what_they_name() {
        let picked = |id| Decision {
            step: 1,
            role: Role::ENGINEER,
            on_behalf_of: None,
            to: None,
            reason: String::new(),
            saw: None,
            picks: Some(id),
        };
        let bytes = |id| postcard::to_allocvec(&picked(id)).unwrap();
        let old = Write { tag: DECISION_TAG, bytes: bytes(id(5)) };
        assert_eq!(write(number::REPAIR, old, &names()).bytes, bytes(id(50)));
        let set = sheet().groups.iter().find(|group| group.class == Class::Set).unwrap();
        let removed = |id| {
            let change = records::schema::SetChange { add: Vec::new(), remove: vec![(id, 0)] };
            encode_set(set.fields, &change)
        };
        let old = Write { tag: set.tag(), bytes: removed(id(5)) };
        assert_eq!(write(number::REPAIR, old, &names()).bytes, removed(id(50)));
    }

    #[test]
    fn what_no_table_knows_stays_as_it_is() {
        let old = Write { tag: records::schema::Tag::new(3, Class::Last), bytes: vec![9, 9, 9] };
        assert_eq!(write(60_000, old.clone(), &names()), old);
    }
}
