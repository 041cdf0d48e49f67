//! Taking the rows of a file in: the good ones whole, each bad one named, none of them twice.

use std::collections::BTreeSet;
use std::io::Read;

use records::decision::{DECISION_TAG, Decision};
use records::id::DocId;
use records::kinds::{KINDS, takes};
use records::machine::Step;
use records::problems::Problem;
use records::schema::{Group, Kind, Writer};
use records::table::mapping::Mapping;
use records::table::refusal::{Reason, Refusal as Refused};
use records::table::rows::key_of;
use records::table::rows::{Row, Rows, RowsError, Wanted};
use records::value::{Target, Type, Value};
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::find;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// Rows that are saved as one: one sync of the disk for all of them, and the memory of so many.
const BATCH_ROWS: usize = 200;

/// Rows that wait for a parent later in the file, at most; further ones keep the parent as typed text.
const PUT_OFF_ROWS_MAX: usize = 20_000;

/// What to read a file as.
#[derive(Debug, Clone)]
pub struct Import {
    /// Only rows of this kind; needed where there is no mapping.
    pub kind: Option<&'static Kind>,
    /// What the columns mean; `None`: they are named as the fields.
    pub mapping: Option<Mapping>,
}

/// What a file came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Rows read.
    pub read: u64,
    /// Rows that are records now.
    pub added: u64,
    /// Rows that were records already.
    pub already: u64,
    /// Rows that the mapping leaves out.
    pub left_out: u64,
    /// Rows that equal an earlier one of the file; each counts as a record of its own.
    pub repeated: u64,
    /// Rows that were not taken, by line.
    pub refused: Vec<RefusedRow>,
}

/// A row that was not taken; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The field; empty where the whole row is meant.
    pub field: String,
    /// What stood there.
    pub value: String,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A rule of the table or of the record.
    Table(Problem),
    /// A rule of writing.
    Writing(Refusal),
}

/// Why no row of the file was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file or the mapping.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The home. Rows that were saved before stay saved.
    #[error(transparent)]
    Notebook(#[from] NotebookError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Notebook(error.into())
    }
}

/// Takes the rows of a file in.
///
/// Memory does not grow with the file, but with the rows that are refused or wait for a parent.
///
/// # Errors
/// [`ImportError`].
pub fn import(
    store: &mut Store,
    file: impl Read,
    request: Import,
    now: Now,
) -> Result<Imported, ImportError> {
    let zone = store.identity().enrolment.zone;
    let made = match (&request.mapping, request.kind) {
        (_, Some(kind)) => vec![kind],
        (Some(mapping), None) => mapping.kinds(),
        (None, None) => Vec::new(),
    };
    if let Some(mapping) = &request.mapping {
        by_headquarters(mapping, &made).map_err(NotebookError::from)?;
    }
    let wanted = Wanted { mapping: request.mapping, kind: request.kind, zone, today: now.wall.day(zone) };
    let mut rows = Rows::open(file, wanted)?;
    let mut importer = Importer::new(store, made, now);
    for row in rows.by_ref() {
        match row {
            Ok(row) => importer.take(row, true)?,
            Err(refused) => importer.refuse_row(&refused),
        }
    }
    importer.take_put_off()?;
    let mut done = importer.done;
    (done.read, done.left_out) = (rows.read, rows.left_out);
    done.refused.sort_by_key(|refused| refused.line);
    Ok(done)
}

/// One row as ops that are not saved yet.
struct Pending {
    line: u64,
    ops: Vec<NewOp>,
}

struct Importer<'s> {
    store: &'s mut Store,
    /// The kinds that the file makes: a reference to one of them may be to a later row.
    made: Vec<&'static Kind>,
    now: Now,
    batch: Vec<Pending>,
    keys: BTreeSet<[u8; 16]>,
    put_off: Vec<Row>,
    done: Imported,
}

impl<'s> Importer<'s> {
    fn new(store: &'s mut Store, made: Vec<&'static Kind>, now: Now) -> Self {
        Self {
            store,
            made,
            now,
            batch: Vec::new(),
            keys: BTreeSet::new(),
            put_off: Vec::new(),
            done: Imported::default(),
        }
    }

    fn take(&mut self, mut row: Row, may_wait: bool) -> Result<(), ImportError> {
        if self.keys.contains(&row.key) || self.store.imported(&row.key)?.is_some() {
            self.done.already += 1;
            return Ok(());
        }
        let missing = self.link(&mut row)?;
        if missing && may_wait && self.put_off.len() < PUT_OFF_ROWS_MAX {
            self.put_off.push(row);
            return Ok(());
        }
        match self.ops(&row) {
            Ok(ops) => {
                self.done.repeated += u64::from(row.ordinal > 0);
                self.keys.insert(row.key);
                self.batch.push(Pending { line: row.line, ops });
            }
            Err(refusal) => self.refuse(row.line, "", Why::Writing(refusal)),
        }
        if self.batch.len() >= BATCH_ROWS {
            self.save()?;
        }
        Ok(())
    }

    /// Takes the rows that waited, round by round: a chain of parents may stand in any order.
    fn take_put_off(&mut self) -> Result<(), ImportError> {
        self.save()?;
        loop {
            let waiting = std::mem::take(&mut self.put_off);
            let before = waiting.len();
            if before == 0 {
                return Ok(());
            }
            for row in waiting {
                self.take(row, true)?;
            }
            self.save()?;
            if self.put_off.len() == before {
                break;
            }
        }
        // Their parents are not in the file either: the text stays, as in a record that is typed.
        for row in std::mem::take(&mut self.put_off) {
            self.take(row, false)?;
        }
        self.save()
    }

    /// Links the references that name a document, and returns whether one that does not may name a later row.
    fn link(&self, row: &mut Row) -> Result<bool, ImportError> {
        let mut missing = false;
        for (tag, entries) in &mut row.groups {
            let Some(group) = row.kind.group(tag.number()) else {
                continue;
            };
            for values in entries {
                for (field, value) in group.fields.iter().zip(values) {
                    if let Type::Ref(reference) = field.ty
                        && let Some(value) = value
                    {
                        missing |= self.link_value(reference, value)?;
                    }
                }
            }
        }
        Ok(missing)
    }

    fn link_value(&self, reference: u16, value: &mut Value) -> Result<bool, ImportError> {
        let Value::Ref(target) = value else {
            return Ok(false);
        };
        let text = match target {
            Target::Text(text) => text.clone(),
            Target::Doc(id) => match self.store.entry(*id)? {
                Some(entry) if takes(reference, entry.kind) => return Ok(false),
                // An export from elsewhere names documents that never came here: the name stays, as text.
                _ => id.to_string(),
            },
        };
        let found = match find::linked(self.store, reference, &text)? {
            Some(id) => Some(id),
            None => self.imported_from(reference, &text)?,
        };
        *target = found.map_or(Target::Text(text), Target::Doc);
        let later = self.made.iter().any(|kind| takes(reference, kind.number));
        Ok(found.is_none() && later)
    }

    /// Returns the document that an import made of the row which the source calls by that name.
    fn imported_from(&self, reference: u16, name: &str) -> Result<Option<DocId>, ImportError> {
        for kind in KINDS.iter().filter(|kind| takes(reference, kind.number)) {
            if let Some(id) = self.store.imported(&key_of(kind, &[name]))? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn ops(&self, row: &Row) -> Result<Vec<NewOp>, Refusal> {
        let kind = row.kind;
        let mut writes = Vec::new();
        for (tag, bytes) in row.payloads() {
            if let Some(group) = kind.group(tag.number()) {
                may_write(group)?;
            }
            writes.push(Write { tag, bytes });
        }
        let mut decisions = self.decisions(row)?.into_iter();
        // The first step goes with the creation: one op a row where a sheet comes in sealed.
        writes.extend(decisions.next());
        writes.sort_by_key(|write| write.tag);
        let op = |on, writes, local| NewOp { kind: kind.number, schema: kind.schema, on, writes, local };
        let mut ops = vec![op(On::Create, writes, Some(row.key))];
        ops.extend(decisions.map(|write| op(On::CreatedBy(0), vec![write], None)));
        Ok(ops)
    }

    /// The steps that the mapping takes with the new record, in the roles of this device's person.
    fn decisions(&self, row: &Row) -> Result<Vec<Write>, Refusal> {
        let Some(machine) = row.kind.machine else {
            return Ok(Vec::new());
        };
        let mut state = 0;
        let mut writes = Vec::new();
        for index in &row.then {
            let Some(step) = machine.step_at(*index) else {
                continue;
            };
            let decision = Decision {
                step: *index,
                role: self.role(step)?,
                on_behalf_of: None,
                to: None,
                reason: String::new(),
                saw: None,
                picks: None,
            };
            state = machine.apply(state, &decision).map_err(|_| {
                Refusal::by("W-07").case("none").with("step", step.name).with("code", row.kind.name)
            })?;
            // Serialising plain data into a growing vector has no way to fail.
            let bytes = postcard::to_allocvec(&decision).unwrap_or_default();
            writes.push(Write { tag: DECISION_TAG, bytes });
        }
        Ok(writes)
    }

    fn role(&self, step: &Step) -> Result<records::kinds::staff::Role, Refusal> {
        let roles = &self.store.identity().enrolment.roles;
        let found = roles.iter().copied().find(|role| step.is_for(*role, true));
        found.ok_or_else(|| crate::notebook::state::not_for(step, roles, "-"))
    }

    /// Saves what is pending; where a row is over a limit, one by one, so that only that row stays out.
    fn save(&mut self) -> Result<(), ImportError> {
        let batch = std::mem::take(&mut self.batch);
        self.keys.clear();
        match self.store.save(joined(&batch), self.now) {
            Ok(_) => self.done.added += count(batch.len()),
            Err(StoreError::Limit { .. }) => {
                for row in batch {
                    self.save_one(row)?;
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn save_one(&mut self, row: Pending) -> Result<(), ImportError> {
        match self.store.save(row.ops, self.now) {
            Ok(_) => self.done.added += 1,
            Err(StoreError::Limit { what, found, max }) => {
                let refusal = Refusal::by("W-19")
                    .with("what", what.to_string())
                    .with("found", found.to_string())
                    .with("max", max.to_string());
                self.refuse(row.line, "", Why::Writing(refusal));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn refuse_row(&mut self, refused: &Refused) {
        let Refused { line, field, value, reason } = refused;
        let field = match reason {
            Reason::Record(problem) if field.is_empty() => problem.group,
            _ => field,
        };
        self.done.refused.push(RefusedRow {
            line: *line,
            field: field.to_owned(),
            value: value.clone(),
            why: Why::Table(refused.problem()),
        });
    }

    fn refuse(&mut self, line: u64, field: &str, why: Why) {
        let field = field.to_owned();
        self.done.refused.push(RefusedRow { line, field, value: String::new(), why });
    }
}

/// Joins the ops of rows; a row's later ops name its first one by its place in the whole.
fn joined(batch: &[Pending]) -> Vec<NewOp> {
    let mut ops: Vec<NewOp> = Vec::new();
    for row in batch {
        let first = ops.len();
        ops.extend(row.ops.iter().cloned().map(|mut op| {
            if let On::CreatedBy(at) = op.on {
                op.on = On::CreatedBy(first + at);
            }
            op
        }));
    }
    ops
}

/// Refuses a mapping that fills what only headquarters writes, before a row is read (W-12).
fn by_headquarters(mapping: &Mapping, made: &[&Kind]) -> Result<(), Refusal> {
    let cases = mapping.cases.iter().filter(|case| made.iter().any(|kind| kind.number == case.kind.number));
    for case in cases {
        case.fields.iter().try_for_each(|flat| may_write(flat.group))?;
        case.lists.iter().try_for_each(|list| may_write(list.group))?;
    }
    Ok(())
}

fn may_write(group: &Group) -> Result<(), Refusal> {
    if group.writer == Writer::Hq {
        return Err(Refusal::by("W-12").label("group", group.zh, group.en));
    }
    Ok(())
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
