//! Writes to Once, Last and Contested groups, from `name=value` pairs.
//!
//! A group is written whole: what a pair does not name keeps the value that stands there.

use std::collections::BTreeMap;

use records::schema::{Class, Group, Kind, Writer};
use records::time::Zone;
use records::value::{Row, encode};
use sync_protocol::merge::Document;
use sync_protocol::op::Write;

use crate::notebook::find;
use crate::notebook::pair::{Pair, value};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::state;
use crate::store::Store;

/// Returns the writes that the pairs come to, by rising tag; groups that would not change are left out.
///
/// `document` is `None` for a record that is only now being made.
///
/// # Errors
/// W-01 unknown field, W-02 bad value, W-06 closed record, W-12 only HQ writes it, W-22 written once already, W-27 a newer
/// version wrote it.
pub fn writes(
    store: &Store,
    kind: &'static Kind,
    document: Option<&Document>,
    pairs: &[Pair],
    zone: Zone,
) -> Result<Vec<Write>, NotebookError> {
    let mut rows: BTreeMap<u16, (&'static Group, Row)> = BTreeMap::new();
    for pair in pairs {
        let (group, at) = kind.field(&pair.name).ok_or_else(|| unknown(kind, &pair.name))?;
        may_write(kind, group, document)?;
        let field = group.fields.get(at).ok_or_else(|| unknown(kind, &pair.name))?;
        let value = match value(field, &pair.value, zone)? {
            Some(value) => Some(find::link(store, field.ty, value)?),
            None => None,
        };
        let (_, row) = rows.entry(group.tag().0).or_insert_with(|| (group, standing(group, document)));
        if let Some(place) = row.get_mut(at) {
            *place = value;
        }
    }
    let mut writes = Vec::new();
    for (group, row) in rows.into_values() {
        writes.extend(changed(group, document, &row)?);
    }
    Ok(writes)
}

/// Refuses what nobody here may write, or not any more.
///
/// # Errors
/// W-06, W-12.
pub fn may_write(kind: &Kind, group: &Group, document: Option<&Document>) -> Result<(), Refusal> {
    if group.writer == Writer::Hq {
        return Err(Refusal::by("W-12").label("group", group.zh, group.en));
    }
    match document {
        Some(document) if group.frozen && state::is_sealed(kind, document) => Err(state::closed(document)),
        _ => Ok(()),
    }
}

/// Returns the refusal of a name that the kind does not have.
#[must_use]
pub fn unknown(kind: &Kind, name: &str) -> Refusal {
    let fields = kind.groups.iter().filter(|group| is_register(group)).flat_map(|group| group.fields);
    let names: Vec<&str> = fields.map(|field| field.name).collect();
    let near = names.iter().filter(|known| near(known, name)).copied().collect::<Vec<_>>().join(", ");
    let case = if near.is_empty() { "" } else { "similar" };
    Refusal::by("W-01").case(case).with("field", name).with("kind", kind.name).with("similar", near)
}

/// Returns the row that stands in a group; all empty where none does.
#[must_use]
pub fn standing(group: &Group, document: Option<&Document>) -> Row {
    let register = document.and_then(|document| document.registers.get(&group.tag()));
    let row = register.and_then(|register| register.value.row(group));
    row.unwrap_or_else(|| vec![None; group.fields.len()])
}

fn changed(group: &Group, document: Option<&Document>, row: &Row) -> Result<Option<Write>, Refusal> {
    let written = document.and_then(|document| document.registers.get(&group.tag()));
    if *row == standing(group, document) {
        return Ok(None);
    }
    if written.is_some() && group.class == Class::Once {
        return Err(Refusal::by("W-22").label("group", group.zh, group.en));
    }
    // What a newer version wrote behind the known fields would be lost.
    if written.is_some_and(|register| !register.value.is_read(group)) {
        return Err(Refusal::by("W-27").case("group").label("group", group.zh, group.en));
    }
    Ok(Some(Write { tag: group.tag(), bytes: encode(group.fields, row) }))
}

fn is_register(group: &Group) -> bool {
    matches!(group.class, Class::Once | Class::Last | Class::Contested)
}

/// Two names are near where one holds the other, or where a slip of one letter, or of two that changed places, is between.
fn near(known: &str, typed: &str) -> bool {
    if typed.len() < 3 {
        return false;
    }
    let alike = |(a, b): &(char, char)| a == b;
    let ahead = known.chars().zip(typed.chars()).take_while(alike).count();
    let behind = known.chars().rev().zip(typed.chars().rev()).take_while(alike).count();
    let longer = known.chars().count().max(typed.chars().count());
    let slip = if longer < 5 { 1 } else { 2 };
    known.contains(typed) || typed.contains(known) || ahead + behind + slip >= longer
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_slip_of_the_fingers_is_near_and_another_word_is_not() {
        for typed in ["reslt", "resutl", "resultt", "rezult", "result_code"] {
            assert!(near("result", typed), "{typed}");
        }
        for typed in ["arrived", "re", "brand", "fault"] {
            assert!(!near("result", typed), "{typed}");
        }
    }
}
