//! One record, whole: values, lists, decisions, and what is open on it.

use records::id::{DocId, OpId};
use records::kinds::staff::Role;
use records::schema::{Class, Field, Group, Kind};
use records::time::{Ts, Zone};
use records::value::text::Lang;
use records::value::{Target, Type, Value};
use sync_protocol::merge::{Document, Standing};

use crate::notebook::find::{self, Wanted};
use crate::notebook::list::{self, Line};
use crate::notebook::people::People;
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// One record.
#[derive(Debug, Clone)]
pub struct Shown {
    /// In short.
    pub line: Line,
    /// Who made it.
    pub author: String,
    /// The values of the Once, Last and Contested groups that have some.
    pub registers: Vec<(&'static Group, rows::Standing)>,
    /// The entries of the lists that have some.
    pub lists: Vec<(&'static Group, Vec<rows::Standing>)>,
    /// The decisions, in order.
    pub decisions: Vec<Decided>,
    /// Names of the documents that it refers to.
    pub names: std::collections::BTreeMap<DocId, String>,
    /// Groups with an open conflict.
    pub open: Vec<&'static str>,
    /// Groups written after the seal, or beside it.
    pub late: Vec<&'static str>,
    /// Ops that HQ refused.
    pub refused: Vec<OpId>,
    /// Other documents that had this one's name: two homes gave it, or one that was put back to an earlier state.
    pub written_twice: Vec<DocId>,
    /// Whether a part needs a newer version of the program.
    pub newer: bool,
    /// The digest that both ends compare.
    pub digest: [u8; 16],
}

/// One decision.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The op.
    pub op: OpId,
    /// The step's identifier and labels; `None` for one of a newer version.
    pub step: Option<&'static records::machine::Step>,
    /// Who decided.
    pub by: String,
    /// In which role.
    pub role: Option<Role>,
    /// When.
    pub at: Ts,
    /// The reason in words.
    pub reason: String,
    /// What became of it.
    pub standing: Standing,
}

/// Returns a record.
///
/// # Errors
/// What [`find::document`] refuses; [`NotebookError::Store`].
pub fn show(store: &Store, text: &str, wanted: Wanted, lang: Lang) -> Result<Shown, NotebookError> {
    let (document, kind) = find::document(store, text, wanted)?;
    let people = People::read(store)?;
    let group_of = |tag: records::schema::Tag| kind.group(tag.number()).map(|group| group.name);
    let mut shown = Shown {
        line: list::line(store, kind, &document, lang)?,
        author: people.name(document.id.0.replica),
        registers: Vec::new(),
        lists: Vec::new(),
        decisions: decisions(store, kind, &document, &people)?,
        names: std::collections::BTreeMap::new(),
        open: rows::record(kind, &document).open.iter().filter_map(|tag| group_of(*tag)).collect(),
        late: document.late.iter().filter_map(|(tag, _)| group_of(*tag)).collect(),
        refused: document.refused.clone(),
        written_twice: store.written_twice(document.id)?,
        newer: document.newer,
        digest: document.digest(),
    };
    for group in kind.groups.iter().copied() {
        let standing = rows::of(group, &document);
        for target in standing.iter().flat_map(|row| row.values.iter().flatten()) {
            if let Value::Ref(Target::Doc(id)) = target {
                shown.names.insert(*id, name(store, *id)?);
            }
        }
        match group.class {
            Class::Once | Class::Last | Class::Contested => {
                shown.registers.extend(standing.into_iter().map(|row| (group, row)));
            }
            Class::Ledger | Class::Set if !standing.is_empty() => shown.lists.push((group, standing)),
            Class::Ledger | Class::Set | Class::Decision => {}
        }
    }
    Ok(shown)
}

fn decisions(
    store: &Store,
    kind: &Kind,
    document: &Document,
    people: &People,
) -> Result<Vec<Decided>, StoreError> {
    let ops = store.ops(document.id)?;
    let mut decided = Vec::new();
    for ruled in &document.decisions {
        let op = ops.iter().find(|op| op.id == ruled.op);
        let decision = op
            .and_then(|op| op.row.write(records::decision::DECISION_TAG))
            .and_then(crate::notebook::state::decision);
        decided.push(Decided {
            op: ruled.op,
            step: kind.machine.and_then(|machine| machine.step_at(ruled.step)),
            by: people.name(ruled.op.replica),
            role: decision.as_ref().map(|decision| decision.role),
            at: op.map_or(Ts(0), |op| list::created(op.row.stamp)),
            reason: decision.map(|decision| decision.reason).unwrap_or_default(),
            standing: ruled.standing,
        });
    }
    Ok(decided)
}

/// Returns a value for a person; a linked document by its name.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn named(
    store: &Store,
    field: &Field,
    value: &Value,
    zone: Zone,
    lang: Lang,
) -> Result<String, StoreError> {
    match value {
        Value::Ref(Target::Doc(id)) => name(store, *id),
        _ => Ok(value.label(field, zone, lang)),
    }
}

/// Returns a value as a form shows it: typed back, it means the same.
///
/// A linked document is its number where that leads to it, else its id.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn typed(store: &Store, field: &Field, value: &Value, zone: Zone) -> Result<String, NotebookError> {
    let (Type::Ref(reference), Value::Ref(Target::Doc(id))) = (field.ty, value) else {
        return Ok(value.text(field.ty, zone));
    };
    let document = store.document(*id)?;
    let number = document.and_then(|document| {
        let kind = records::kinds::by_number(document.kind)?;
        Some(list::number(kind, &document)).filter(|number| !number.is_empty())
    });
    match number {
        Some(number) if find::linked(store, reference, &number)? == Some(*id) => Ok(number),
        _ => Ok(id.to_string()),
    }
}

/// Returns how a document is called: its name field, else its number, else its code.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn name(store: &Store, id: DocId) -> Result<String, StoreError> {
    let Some(document) = store.document(id)? else {
        return Ok(id.code());
    };
    let Some(kind) = records::kinds::by_number(document.kind) else {
        return Ok(id.code());
    };
    let text = |field: &str| match rows::value(kind, &document, field) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    let own = ["name", "title"].into_iter().find_map(text);
    Ok(own
        .or_else(|| Some(list::number(kind, &document)).filter(|n| !n.is_empty()))
        .unwrap_or_else(|| id.code()))
}
