//! Master data and jobs out of files: each row a document in HQ's own log, whole or refused.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use records::id::{DocId, OpId, Replica};
use records::kinds::number;
use records::schema::{Class, Kind, SetChange, Tag};
use records::table::refusal::{Reason, Refusal};
use records::table::rows::{Row, Rows, RowsError, Values, Wanted};
use records::time::{Ts, Zone};
use records::value::{self, Target, Type, Value, payload};
use sync_protocol::op::Write;

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::reading;
use crate::store::StoreError;

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// Rows of the file.
    pub read: u64,
    /// New documents.
    pub added: u64,
    /// Documents that say something else now.
    pub changed: u64,
    /// Rows that HQ held already.
    pub already: u64,
    /// Rows that were not taken.
    pub refused: Vec<Refusal>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// HQ's log.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents of a kind that references may mean, by their key.
type Names = BTreeMap<(u16, String), DocId>;

impl Desk {
    /// Imports a file's rows as documents of `kind`. A row whose key HQ knows changes that document, or nothing.
    ///
    /// # Errors
    /// [`ImportError`]; then nothing of the transaction may be kept.
    pub fn import(
        &mut self,
        file: impl Read,
        kind: &'static Kind,
        now_ms: u64,
    ) -> Result<Imported, ImportError> {
        let zone = Zone::SHANGHAI;
        let today = Ts(i64::try_from(now_ms).unwrap_or(i64::MAX)).day(zone);
        let mut rows = Rows::open(file, Wanted { mapping: None, kind: Some(kind), zone, today })?;
        let done = self.import_rows(rows.by_ref(), kind, now_ms)?;
        Ok(Imported { read: rows.read, ..done })
    }

    /// Imports rows that were read already, as [`Desk::import`] does.
    ///
    /// # Errors
    /// [`ImportError`]; then nothing of the transaction may be kept.
    pub fn import_rows(
        &mut self,
        rows: impl Iterator<Item = Result<Row, Refusal>>,
        kind: &'static Kind,
        now_ms: u64,
    ) -> Result<Imported, ImportError> {
        let mut done = Imported::default();
        let mut good: Vec<(Row, Option<DocId>)> = Vec::new();
        let mut names = Names::new();
        let next = self.next_op()?;
        let mut created = 0;
        let mut told = BTreeSet::new();
        for row in rows {
            done.read += 1;
            let sound = match row {
                Ok(row) => self.sound(row)?,
                Err(refusal) => Err(refusal),
            };
            let row = match sound {
                Ok(row) => row,
                Err(refusal) => {
                    done.refused.push(refusal);
                    continue;
                }
            };
            let known = match key_of(kind, &row) {
                // Nobody could name such a person or unit: not in a code for his device, not in another row.
                None if [number::ORG, number::STAFF].contains(&kind.number) => {
                    done.refused.push(Refusal {
                        line: row.line,
                        field: kind.key.unwrap_or_default().to_owned(),
                        value: String::new(),
                        reason: Reason::Missing,
                    });
                    continue;
                }
                Some(key) => self.named(kind.number, &key, &mut names)?,
                None => self.imported(&row.key)?,
            };
            // Of two rows with one key the first counts: the file says the same however often it is read.
            if known.is_some_and(|known| !told.insert(known)) {
                done.already += 1;
                continue;
            }
            if known.is_none() {
                let id = DocId(OpId { seq: next.seq + created, ..next });
                created += 1;
                told.insert(id);
                names.extend(key_of(kind, &row).map(|key| ((kind.number, key), id)));
                self.store.import_key(&row.key, id)?;
            }
            good.push((row, known));
        }
        let mut creations = Vec::new();
        let mut changes = Vec::new();
        for (mut row, known) in good {
            self.link(&mut row, &mut names)?;
            match known {
                None => {
                    let writes = row.groups.iter().filter_map(|(tag, rows)| all(kind, *tag, rows)).collect();
                    creations.push(NewOp { kind: kind.number, on: On::Create, writes });
                }
                Some(doc) => {
                    let writes = self.difference(kind, doc, &row)?;
                    if writes.is_empty() {
                        done.already += 1;
                    } else {
                        changes.push(NewOp { kind: kind.number, on: On::Document(doc), writes });
                    }
                }
            }
        }
        done.added = u64::try_from(creations.len()).unwrap_or(u64::MAX);
        done.changed = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        // Creations first: their names were promised above.
        self.write(creations, now_ms)?;
        self.write(changes, now_ms)?;
        Ok(done)
    }

    fn imported(&self, key: &[u8; 16]) -> Result<Option<DocId>, StoreError> {
        self.store.imported(key)
    }

    /// Returns the document of a kind with that key.
    fn named(&self, kind: u16, key: &str, names: &mut Names) -> Result<Option<DocId>, StoreError> {
        let name = (kind, key.to_owned());
        if let Some(id) = names.get(&name) {
            return Ok(Some(*id));
        }
        let found = self.store.numbered(kind, key)?;
        names.extend(found.map(|id| (name, id)));
        Ok(found)
    }

    /// Turns typed references into links, where HQ knows the document.
    fn link(&self, row: &mut Row, names: &mut Names) -> Result<(), StoreError> {
        for (tag, rows) in &mut row.groups {
            let Some(group) = row.kind.group(tag.number()) else {
                continue;
            };
            for values in rows {
                for (field, value) in group.fields.iter().zip(values.iter_mut()) {
                    let (Type::Ref(kind), Some(Value::Ref(Target::Text(text)))) = (field.ty, &*value) else {
                        continue;
                    };
                    if let Some(id) = self.named(kind, text, names)? {
                        *value = Some(Value::Ref(Target::Doc(id)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the writes that make a document say what the row says; groups that the row leaves out stay.
    fn difference(&mut self, kind: &'static Kind, doc: DocId, row: &Row) -> Result<Vec<Write>, StoreError> {
        let home = self.home(doc.0.replica)?.unwrap_or(Replica::HQ.0);
        let Some(document) = self.store.document(home, doc)? else {
            return Ok(Vec::new());
        };
        let mut writes = Vec::new();
        for (tag, rows) in &row.groups {
            let Some(group) = kind.group(tag.number()) else {
                continue;
            };
            let now = reading::rows(&document, group);
            match group.class {
                // The file knows only some columns; the others stay as they are.
                Class::Once | Class::Last | Class::Contested => {
                    let mut wanted = now.first().cloned().unwrap_or_default();
                    wanted.resize(group.fields.len(), None);
                    for (slot, new) in wanted.iter_mut().zip(rows.first().into_iter().flatten()) {
                        if new.is_some() {
                            slot.clone_from(new);
                        }
                    }
                    if now.first() != Some(&wanted) {
                        writes.push(Write { tag: *tag, bytes: value::encode(group.fields, &wanted) });
                    }
                }
                Class::Set => {
                    let add: Vec<Values> = rows.iter().filter(|row| !now.contains(row)).cloned().collect();
                    let entries = document.sets.get(tag).map(Vec::as_slice).unwrap_or_default();
                    let gone = entries
                        .iter()
                        .filter(|entry| entry.row(group).is_some_and(|row| !rows.contains(&row)));
                    let remove: Vec<_> = gone.map(|entry| (entry.op, entry.index)).collect();
                    if !(add.is_empty() && remove.is_empty()) {
                        let bytes = payload::encode_set(group.fields, &SetChange { add, remove });
                        writes.push(Write { tag: *tag, bytes });
                    }
                }
                Class::Ledger => {
                    let new: Vec<Values> = rows.iter().filter(|row| !now.contains(row)).cloned().collect();
                    if !new.is_empty() {
                        writes.push(Write { tag: *tag, bytes: payload::encode_rows(group.fields, &new) });
                    }
                }
                Class::Decision => {}
            }
        }
        Ok(writes)
    }
}

/// Returns the text of the field by which documents of the kind are known.
fn key_of(kind: &Kind, row: &Row) -> Option<String> {
    let (group, at) = kind.field(kind.key?)?;
    let (_, rows) = row.groups.iter().find(|(tag, _)| *tag == group.tag())?;
    match rows.first()?.get(at)? {
        Some(Value::Text(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// Returns the write that puts all of a row's values into a new document.
fn all(kind: &Kind, tag: Tag, rows: &[Values]) -> Option<Write> {
    let group = kind.group(tag.number())?;
    let bytes = match group.class {
        Class::Once | Class::Last | Class::Contested => value::encode(group.fields, rows.first()?),
        Class::Ledger => payload::encode_rows(group.fields, rows),
        Class::Set => {
            payload::encode_set(group.fields, &SetChange { add: rows.to_vec(), remove: Vec::new() })
        }
        Class::Decision => return None,
    };
    Some(Write { tag, bytes })
}
