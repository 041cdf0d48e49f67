//! Taking elements out of a record's sets: a tag, a helper, an asset, an answer.
//!
//! Only what stands here is taken out: an element that somebody else adds meanwhile stays.

use records::schema::{Class, Field, Group, SetChange};
use records::value::Value;
use records::value::payload::encode_set;
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::{add, pair, registers, rows};
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// What to take out.
#[derive(Debug, Clone)]
pub struct Remove {
    /// The record.
    pub record: String,
    /// Which kinds the command is about.
    pub wanted: Wanted,
    /// The list's name.
    pub list: String,
    /// What the elements say: `name=value`, or values alone in the order of the list's fields.
    pub words: Vec<String>,
}

/// Takes out every element that says all of it, and returns the op once it is saved.
///
/// # Errors
/// W-01 no such list or field, W-02 bad value, W-06 closed record, W-30 a list that only grows, W-31 no such element;
/// [`NotebookError::Store`].
pub fn remove(store: &mut Store, request: &Remove, now: Now) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, &request.record, request.wanted)?;
    let group = add::list(kind, &request.list)?;
    if group.class != Class::Set {
        return Err(Refusal::by("W-30").label("list", group.zh, group.en).into());
    }
    registers::may_write(kind, group, Some(&document))?;
    let said = said(store, group, &request.words)?;
    let standing = rows::of(group, &document).into_iter();
    let named = standing
        .filter(|row| said.iter().all(|(at, value)| row.values.get(*at) == Some(&Some(value.clone()))));
    let remove: Vec<_> = named.map(|row| (row.op, row.index)).collect();
    if remove.is_empty() {
        return Err(Refusal::by("W-31")
            .label("list", group.zh, group.en)
            .with("value", request.words.join(" "))
            .with("code", document.id.code())
            .into());
    }
    let change = SetChange { add: Vec::new(), remove };
    let op = NewOp {
        kind: kind.number,
        schema: kind.schema,
        on: On::Document(document.id),
        writes: vec![Write { tag: group.tag(), bytes: encode_set(group.fields, &change) }],
        local: None,
    };
    Ok(Changed { id: document.id, op: store.save(vec![op], now)?.first().copied() })
}

/// Returns the values that an element must hold, each with its field's place.
fn said(store: &Store, group: &Group, words: &[String]) -> Result<Vec<(usize, Value)>, NotebookError> {
    let zone = store.identity().enrolment.zone;
    let mut said = Vec::new();
    for pair in add::pairs(group, words)? {
        let named = |(_, field): &(usize, &Field)| field.name == pair.name;
        let Some((at, field)) = group.fields.iter().enumerate().find(named) else {
            continue;
        };
        if let Some(value) = pair::value(field, &pair.value, zone)? {
            said.push((at, find::link(store, field.ty, value)?));
        }
    }
    if said.is_empty() {
        return Err(Refusal::by("W-02").case("nothing").label("list", group.zh, group.en).into());
    }
    Ok(said)
}
