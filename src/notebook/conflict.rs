//! Open conflicts: what the merge did not choose, and settling it.

use std::ops::ControlFlow;

use records::id::{DocId, OpId, Replica};
use records::schema::{Class, Group, Kind, Tag};
use records::time::Ts;
use records::value::Row;
use records::value::payload::row_at;
use sync_protocol::chain::sha256;
use sync_protocol::merge::conflict::Conflict;
use sync_protocol::merge::{Document, Written};
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::list;
use crate::notebook::people::People;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::state::{self, Taken};
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// One open conflict.
#[derive(Debug, Clone)]
pub struct Open {
    /// The record.
    pub id: DocId,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its human number.
    pub number: String,
    /// The group; the decisions' for two seals.
    pub group: &'static Group,
    /// Names exactly this set of values: a settlement that saw another set is refused.
    pub hash: String,
    /// Whether the merge took one value and the others are only to be seen; writing any of them again dismisses them.
    pub soft: bool,
    /// The values; the first is the one that stands meanwhile.
    pub values: Vec<Candidate>,
}

/// One value of a conflict.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The op that wrote it.
    pub op: OpId,
    /// Who.
    pub by: String,
    /// On which device.
    pub device: Replica,
    /// When, by his device's clock.
    pub at: Ts,
    /// What it wrote, group by group; of a seal the number and the signature.
    pub rows: Vec<(&'static Group, Row)>,
}

/// Which value a person takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Take {
    /// The one that this op wrote.
    Op(OpId),
    /// The one of this place, from 1, in the conflict of this hash.
    Place(usize, String),
}

/// Which conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// Those of one record, the soft ones too.
    Record(&'a str),
    /// Those that a person must settle.
    Hard,
    /// Those where a value was taken and another is to be seen; every record is looked at.
    Soft,
}

/// Returns the open conflicts.
///
/// # Errors
/// What [`find::document`] refuses; [`NotebookError::Store`].
pub fn open(store: &Store, which: Of<'_>) -> Result<Vec<Open>, NotebookError> {
    let people = People::read(store)?;
    let mut documents = Vec::new();
    match which {
        Of::Record(text) => documents.push(find::document(store, text, Wanted::Any)?.0),
        Of::Hard => store.each_conflict(&mut |document| documents.push(document))?,
        Of::Soft => store.each(None, &mut |document| {
            if document.soft_conflicts().next().is_some() {
                documents.push(document);
            }
            ControlFlow::Continue(())
        })?,
    }
    let mut all = Vec::new();
    for document in &documents {
        all.extend(of(store, document, &people)?);
    }
    all.retain(|open| match which {
        Of::Record(_) => true,
        Of::Hard => !open.soft,
        Of::Soft => open.soft,
    });
    Ok(all)
}

fn of(store: &Store, document: &Document, people: &People) -> Result<Vec<Open>, NotebookError> {
    let Some(kind) = records::kinds::by_number(document.kind) else {
        return Ok(Vec::new());
    };
    let ops = store.ops(document.id)?;
    let mut all = Vec::new();
    for (soft, tag, written) in clashes(document) {
        let Some(group) = kind.group(tag.number()) else {
            continue;
        };
        let candidate = |(op, written): &(OpId, Option<&Written>)| {
            let known = ops.iter().find(|known| known.id == *op);
            let seal = group.class == Class::Decision;
            Candidate {
                op: *op,
                by: people.name(op.replica),
                device: op.replica,
                at: known.map_or(Ts(0), |known| list::created(known.row.stamp)),
                rows: match known.filter(|_| seal) {
                    Some(known) => known
                        .row
                        .writes
                        .iter()
                        .filter_map(|write| row(kind, known.row.schema, write))
                        .collect(),
                    None => written
                        .and_then(|written| written.row(group))
                        .map(|row| (group, row))
                        .into_iter()
                        .collect(),
                },
            }
        };
        all.push(Open {
            id: document.id,
            kind,
            number: list::number(kind, document),
            group,
            hash: hash(document.id, tag, &written),
            soft,
            values: written.iter().map(candidate).collect(),
        });
    }
    Ok(all)
}

/// Ops and what each wrote; of a seal nothing.
type Values<'a> = Vec<(OpId, Option<&'a Written>)>;

/// Returns the hard conflicts, then the soft ones, each with its group and values.
fn clashes(document: &Document) -> Vec<(bool, Tag, Values<'_>)> {
    let hard = document.conflicts().into_iter().map(|conflict| (false, conflict));
    let soft = document.soft_conflicts().map(|(tag, register)| (true, Conflict::Values(tag, register)));
    let mut all = Vec::new();
    for (soft, conflict) in hard.chain(soft) {
        let (tag, values) = written(&conflict);
        all.push((soft, tag, values));
    }
    all
}

fn row(kind: &Kind, schema: u8, write: &Write) -> Option<(&'static Group, Row)> {
    let group = kind.group(write.tag.number()).filter(|group| group.class != Class::Decision)?;
    Some((group, row_at(group, schema, &write.bytes).ok()?.0))
}

fn written<'a>(conflict: &Conflict<'a>) -> (Tag, Values<'a>) {
    match conflict {
        Conflict::Values(tag, register) => {
            let all = std::iter::once(&register.value).chain(&register.others);
            (*tag, all.map(|written| (written.op, Some(written))).collect())
        }
        Conflict::Seals(ops) => (records::decision::DECISION_TAG, ops.iter().map(|op| (*op, None)).collect()),
    }
}

fn hash(id: DocId, tag: Tag, written: &Values<'_>) -> String {
    let ops: String = written.iter().map(|(op, _)| format!("{op}\n")).collect();
    let [a, b, c, d, ..] = sha256(&[id.to_string().as_bytes(), &tag.0.to_le_bytes(), ops.as_bytes()]);
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}

/// Settles a conflict: the value is written again by somebody who has seen all of them.
///
/// # Errors
/// W-23 where there is no such conflict any more, W-25 where it does not have that value;
/// for two seals what [`state::decide`] refuses.
pub fn settle(store: &mut Store, record: &str, take: &Take, now: Now) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, record, Wanted::Any)?;
    let code = document.id.code();
    let all: Vec<(Tag, Values<'_>)> =
        clashes(&document).into_iter().map(|(_, tag, values)| (tag, values)).collect();
    let none = || Refusal::by("W-23").with("code", code.as_str());
    let wrong = || Refusal::by("W-25").with("code", code.as_str());
    let (tag, op, taken) = match take {
        Take::Op(taken) => {
            if all.is_empty() {
                return Err(none().into());
            }
            let values = all.iter().flat_map(|(tag, values)| values.iter().map(move |value| (*tag, value)));
            let mut values = values.filter(|(_, (op, _))| op == taken);
            values.next().map(|(tag, (op, written))| (tag, *op, *written)).ok_or_else(wrong)?
        }
        Take::Place(place, of) => {
            let named = all.iter().find(|(tag, values)| hash(document.id, *tag, values) == *of);
            let (tag, values) = named.ok_or_else(none)?;
            let value = place.checked_sub(1).and_then(|at| values.get(at)).ok_or_else(wrong)?;
            (*tag, value.0, value.1)
        }
    };
    let write = if tag.class() == Some(Class::Decision) {
        state::decide(store, kind, &document, &Taken { step: "pick", picks: Some(op), ..Taken::default() })?
    } else {
        Write { tag, bytes: taken.map(|written| written.bytes.clone()).unwrap_or_default() }
    };
    let on = On::Document(document.id);
    // The bytes are taken over as they are, and so is what they are written in.
    let schema = taken.map_or(kind.schema, |written| written.schema);
    let op = NewOp { kind: kind.number, schema, on, writes: vec![write], local: None };
    Ok(Changed { id: document.id, op: store.save(vec![op], now)?.first().copied() })
}
