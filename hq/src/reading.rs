//! Values of a folded document, by the names of the schema table.

use records::files::Named;
use records::id::DocId;
use records::kinds;
use records::record::Record;
use records::schema::{Group, Tag};
use records::value::{Row, Target, Value};
use sync_protocol::merge::Document;

/// Returns the current value of a single field; `None` where it is empty, unknown or of a newer version.
#[must_use]
pub fn value(document: &Document, name: &str) -> Option<Value> {
    let (group, at) = kinds::by_number(document.kind)?.field(name)?;
    register(document, group)?.into_iter().nth(at)?
}

/// Returns a text field; empty where there is none.
#[must_use]
pub fn text(document: &Document, name: &str) -> String {
    match value(document, name) {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    }
}

/// Returns the document that a reference points at; `None` for typed text.
#[must_use]
pub fn link(document: &Document, name: &str) -> Option<DocId> {
    linked(&value(document, name)?)
}

/// Returns the rows that a group holds now: one of a register, the entries of a list.
#[must_use]
pub fn rows(document: &Document, group: &Group) -> Vec<Row> {
    let listed = |tag: Tag| document.sets.get(&tag).or_else(|| document.ledgers.get(&tag));
    match listed(group.tag()) {
        Some(entries) => entries.iter().filter_map(|entry| entry.row(group)).collect(),
        None => register(document, group).into_iter().collect(),
    }
}

/// Returns the document as the rules look at it; `None` for a kind of a newer version, whose values are passed over too.
#[must_use]
pub fn record(document: &Document) -> Option<Record> {
    let kind = kinds::by_number(document.kind)?;
    Some(document.record(kind))
}

/// Returns the files that the document names.
#[must_use]
pub fn files(document: &Document) -> Vec<Named> {
    let groups = kinds::by_number(document.kind).map_or(&[][..], |kind| kind.groups);
    let named =
        groups.iter().flat_map(|group| rows(document, group).into_iter().map(move |row| (*group, row)));
    let rows: Vec<(&Group, Row)> = named.collect();
    records::files::named(rows.iter().map(|(group, row)| (*group, row)))
}

/// Returns the staff that the document concerns: those its kind's fields name, sorted.
#[must_use]
pub fn concerned(document: &Document) -> Vec<DocId> {
    let Some(kind) = kinds::by_number(document.kind) else {
        return Vec::new();
    };
    let named = kind.concerns.iter().filter_map(|(number, at)| Some((kind.group(*number)?, *at)));
    let mut people: Vec<DocId> = named
        .flat_map(|(group, at)| {
            rows(document, group).into_iter().filter_map(move |row| row.into_iter().nth(at))
        })
        .filter_map(|value| linked(&value?))
        .collect();
    people.sort_unstable();
    people.dedup();
    people
}

fn linked(value: &Value) -> Option<DocId> {
    match value {
        Value::Ref(Target::Doc(id)) => Some(*id),
        _ => None,
    }
}

fn register(document: &Document, group: &Group) -> Option<Row> {
    document.registers.get(&group.tag())?.value.row(group)
}
