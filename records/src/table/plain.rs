//! The mapping of a file that has none: columns are named as the fields are, or as people call them.

use crate::schema::{Class, Field, Group, Kind};
use crate::table::mapping::{Case, Flat, List, Mapping};
use crate::table::pick::{From, Pick};

/// What divides the entries of a list in one cell, as in the roles of a person.
const SPLIT: &str = ";";

/// The column in which exports write a record's id.
const ID: &str = "id";

/// Returns the mapping of a file whose columns are the kind's own: by identifier, or by label in either language.
///
/// Columns that are no field are left alone; an export has some of these. `csv`: exports quote cells against formulas.
#[must_use]
pub fn mapping(kind: &'static Kind, columns: &[String], csv: bool) -> Mapping {
    let mut case = Case {
        kind,
        when: Vec::new(),
        skip: Vec::new(),
        key: Vec::new(),
        empty: Vec::new(),
        fields: Vec::new(),
        lists: Vec::new(),
        then: Vec::new(),
    };
    for group in kind.groups.iter().copied() {
        match group.class {
            Class::Once | Class::Last | Class::Contested => {
                for (index, field) in group.fields.iter().enumerate() {
                    if let Some(column) = named(columns, field.name, (field.zh, field.en)) {
                        case.fields.push(Flat { group, index, pick: pick(column.clone(), csv) });
                    }
                }
            }
            Class::Ledger | Class::Set => {
                if let Some(column) = list_named(kind, columns, group) {
                    case.lists.push(List {
                        group,
                        each: Some(column.clone()),
                        split: (group.fields.len() == 1).then(|| SPLIT.to_owned()),
                        fields: entries(group.fields),
                    });
                }
            }
            Class::Decision => {}
        }
    }
    let id = columns.iter().find(|column| *column == ID);
    let own = || kind.key.and_then(|key| named(columns, key, (key, key)));
    case.key = id.or_else(own).cloned().into_iter().collect();
    Mapping { encoding: None, delimiter: None, zone: None, cases: vec![case] }
}

fn pick(column: String, csv: bool) -> Pick {
    Pick { plain: true, quoted: csv, ..Pick::new(From::Columns(vec![column])) }
}

/// An entry is an object with the fields' names; of a list with one field it may be the value itself.
fn entries(fields: &[Field]) -> Vec<(usize, Pick)> {
    let own = |field: &Field| match fields.len() {
        1 => From::First(vec![field.name.to_owned(), ".".to_owned()]),
        _ => From::Columns(vec![field.name.to_owned()]),
    };
    fields.iter().map(|field| Pick { plain: true, ..Pick::new(own(field)) }).enumerate().collect()
}

/// Returns the name of a list's column: a kind may have a field of the same name.
#[must_use]
pub fn list_column(group: &Group) -> String {
    format!("{}[]", group.name)
}

fn list_named<'c>(kind: &Kind, columns: &'c [String], group: &Group) -> Option<&'c String> {
    let exported = list_column(group);
    columns.iter().find(|column| **column == exported).or_else(|| match kind.field(group.name) {
        Some(_) => None,
        None => named(columns, group.name, (group.zh, group.en)),
    })
}

fn named<'c>(columns: &'c [String], name: &str, (zh, en): (&str, &str)) -> Option<&'c String> {
    let label = |column: &&String| *column == zh || *column == en;
    let exact = columns.iter().find(|column| *column == name);
    exact.or_else(|| columns.iter().find(label))
}
