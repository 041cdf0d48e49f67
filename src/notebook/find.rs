//! Which record a text means: an id, the beginning of a code, or a number.

use records::claim::traces::marks::Mark;
use records::id::DocId;
use records::kinds::{KINDS, number, takes};
use records::schema::Kind;
use records::value::{Target, Type, Value};
use sync_protocol::merge::Document;

use crate::notebook::refusal::{NotebookError, Refusal};
use crate::store::Store;

/// A typed reference is taken for the beginning of a code only from so many characters on: a customer may be called `ACE`.
const CODE_CHARS_MIN: usize = 6;

/// What a command may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Any record.
    Any,
    /// Of this kind, or for [`number::SHEET`] any of the three sheets.
    Kind(u16),
}

impl Wanted {
    fn takes(self, kind: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Kind(wanted) => takes(wanted, kind),
        }
    }
}

/// Returns the one document that a text means, and its kind.
///
/// # Errors
/// W-03 where there is none, W-04 where there are several, W-05 where it is of another kind.
pub fn document(
    store: &Store,
    text: &str,
    wanted: Wanted,
) -> Result<(Document, &'static Kind), NotebookError> {
    let id = one(store, text, wanted)?;
    let missing = || Refusal::by("W-03").with("text", text);
    let document = store.document(id)?.ok_or_else(missing)?;
    let kind = records::kinds::by_number(document.kind).ok_or_else(missing)?;
    Ok((document, kind))
}

fn one(store: &Store, text: &str, wanted: Wanted) -> Result<DocId, NotebookError> {
    let found = store.resolve(text)?;
    let mut fitting = Vec::new();
    for id in &found {
        if store.entry(*id)?.is_some_and(|entry| wanted.takes(entry.kind)) {
            fitting.push(*id);
        }
    }
    match fitting.as_slice() {
        [id] => Ok(*id),
        [] if found.is_empty() => Err(Refusal::by("W-03").with("text", text).into()),
        [] => Err(Refusal::by("W-05").with("text", text).into()),
        several => {
            let codes: Vec<String> = several.iter().map(DocId::code).collect();
            Err(Refusal::by("W-04").with("text", text).with("codes", codes.join(", ")).into())
        }
    }
}

/// Returns the machine that a scanned or typed text means: its number, its code, or what sticks on it.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn machine(store: &Store, text: &str) -> Result<Option<(Document, &'static Kind)>, NotebookError> {
    let mut id = linked(store, number::ASSET, text.trim())?;
    if id.is_none() {
        let stuck = store.marked(&Mark::Barcode(text.trim().to_owned()))?;
        id = if let [one] = stuck.as_slice() { Some(*one) } else { None };
    }
    let Some(id) = id else { return Ok(None) };
    Ok(Some(document(store, &id.to_string(), Wanted::Kind(number::ASSET))?))
}

/// Turns typed text into a link where it means one document of the kind that the field refers to.
///
/// # Errors
/// W-03 where an id is written out and the document is not here; W-05 where it is of another kind.
pub fn link(store: &Store, ty: Type, value: Value) -> Result<Value, NotebookError> {
    let (Type::Ref(reference), Value::Ref(target)) = (ty, &value) else {
        return Ok(value);
    };
    match target {
        Target::Doc(id) => match store.entry(*id)? {
            Some(entry) if takes(reference, entry.kind) => Ok(value),
            Some(_) => Err(Refusal::by("W-05").with("text", id.to_string()).into()),
            None => Err(Refusal::by("W-03").with("text", id.to_string()).into()),
        },
        Target::Text(text) => {
            let linked = linked(store, reference, text)?;
            Ok(linked.map_or(value, |id| Value::Ref(Target::Doc(id))))
        }
    }
}

/// Returns the one document of the kind which a typed reference means; `None` where there is none, or several.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn linked(store: &Store, reference: u16, text: &str) -> Result<Option<DocId>, NotebookError> {
    if [number::TICKET, number::PART].contains(&reference) {
        return Ok(None);
    }
    let mut found = match text.parse::<DocId>() {
        Ok(id) => vec![id],
        Err(_) => store.numbered(text)?,
    };
    if found.is_empty() && text.chars().count() >= CODE_CHARS_MIN {
        // Codes are looked for among the few documents that fit, not among all that were ever recorded.
        for kind in KINDS.iter().filter(|kind| takes(reference, kind.number)) {
            found.append(&mut store.coded(text, Some(kind.number))?);
        }
    }
    let mut fitting = Vec::new();
    for id in found {
        if store.entry(id)?.is_some_and(|entry| takes(reference, entry.kind)) {
            fitting.push(id);
        }
    }
    Ok(match fitting.as_slice() {
        [id] => Some(*id),
        _ => None,
    })
}
