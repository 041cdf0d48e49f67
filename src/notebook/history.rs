//! Who changed what from what to what, losers included.

use std::collections::BTreeMap;

use records::decision::DECISION_TAG;
use records::id::OpId;
use records::schema::{Class, Group, Kind, Tag};
use records::time::Ts;
use records::value::payload::{decode_set, rows_at};
use records::value::{Row, Value};
use sync_protocol::merge::Document;
use sync_protocol::op::Write;

use crate::notebook::find::{self, Wanted};
use crate::notebook::people::People;
use crate::notebook::refusal::NotebookError;
use crate::notebook::{list, state};
use crate::store::Store;

/// One change by one op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The op.
    pub op: OpId,
    /// Who saved it.
    pub by: String,
    /// When, by his device's clock.
    pub at: Ts,
    /// What it did.
    pub what: What,
    /// What became of it.
    pub standing: Outcome,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A field got another value.
    Field {
        /// The group.
        group: &'static Group,
        /// The field's place in it.
        at: usize,
        /// The value before, as its author's line of the history had it.
        from: Option<Value>,
        /// The new value.
        to: Option<Value>,
    },
    /// An entry was added to a list.
    Added {
        /// The list.
        group: &'static Group,
        /// The entry.
        row: Row,
    },
    /// So many entries were taken out of a list.
    Removed {
        /// The list.
        group: &'static Group,
        /// How many.
        n: usize,
    },
    /// A step was taken.
    Step {
        /// The step; `None` for one of a newer version.
        step: Option<&'static records::machine::Step>,
        /// The reason in words.
        reason: String,
    },
    /// Something that needs a newer version.
    Newer(Tag),
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stands.
    Current,
    /// Somebody who had seen it wrote something else.
    Replaced,
    /// A concurrent one was taken instead.
    Lost,
    /// A person has to settle it.
    Conflict,
    /// It came beside the seal or after it.
    Late,
    /// HQ did not take it.
    Refused,
}

/// Returns the changes of a record, in the order in which they count.
///
/// # Errors
/// What [`find::document`] refuses; [`NotebookError::Store`].
pub fn history(store: &Store, text: &str, wanted: Wanted) -> Result<Vec<Change>, NotebookError> {
    let (document, kind) = find::document(store, text, wanted)?;
    let people = People::read(store)?;
    let mut rows: BTreeMap<Tag, Row> = BTreeMap::new();
    let mut changes = Vec::new();
    for op in store.ops(document.id)? {
        for write in &op.row.writes {
            let standing = outcome(&document, op.id, write.tag);
            let mut push = |what| {
                changes.push(Change {
                    op: op.id,
                    by: people.name(op.id.replica),
                    at: list::created(op.row.stamp),
                    what,
                    standing,
                });
            };
            for what in told(kind, (op.row.schema, write), &mut rows) {
                push(what);
            }
        }
    }
    Ok(changes)
}

fn told(kind: &'static Kind, (schema, write): (u8, &Write), rows: &mut BTreeMap<Tag, Row>) -> Vec<What> {
    let (tag, bytes) = (write.tag, write.bytes.as_slice());
    if tag == DECISION_TAG {
        let decision = state::decision(bytes);
        let step = decision.as_ref().and_then(|d| kind.machine?.step_at(d.step));
        return vec![What::Step { step, reason: decision.map(|d| d.reason).unwrap_or_default() }];
    }
    let list = matches!(tag.class(), Some(Class::Ledger | Class::Set));
    // Rows of a newer schema may be longer than this build knows, and then split into wrong ones.
    let known = |group: &&Group| group.tag() == tag && !(list && schema > kind.schema);
    let group = kind.group(tag.number()).filter(known);
    let read = group.and_then(|group| Some((group, rows_at(group, schema, bytes).ok()?)));
    let Some((group, added)) = read else {
        return vec![What::Newer(tag)];
    };
    match group.class {
        Class::Ledger => added.into_iter().map(|row| What::Added { group, row }).collect(),
        Class::Set => {
            let n = decode_set(group.fields_at(schema), bytes)
                .map(|change| change.remove.len())
                .unwrap_or_default();
            let removed = (n > 0).then_some(What::Removed { group, n });
            added.into_iter().map(|row| What::Added { group, row }).chain(removed).collect()
        }
        _ => {
            let new = added.into_iter().next().unwrap_or_default();
            let old = rows.insert(tag, new.clone()).unwrap_or_else(|| vec![None; new.len()]);
            let changed = old.into_iter().zip(new).enumerate().filter(|(_, (from, to))| from != to);
            changed.map(|(at, (from, to))| What::Field { group, at, from, to }).collect()
        }
    }
}

fn outcome(document: &Document, op: OpId, tag: Tag) -> Outcome {
    if document.refused.contains(&op) {
        return Outcome::Refused;
    }
    if document.late.iter().any(|(late, written)| *late == tag && written.op == op) {
        return Outcome::Late;
    }
    let Some(register) = document.registers.get(&tag) else {
        return Outcome::Current;
    };
    if register.value.op == op {
        return Outcome::Current;
    }
    match register.others.iter().any(|other| other.op == op) {
        true if tag.class() == Some(Class::Contested) => Outcome::Conflict,
        true => Outcome::Lost,
        false => Outcome::Replaced,
    }
}
