//! Correcting a sealed sheet: a new sheet that begins with what the old one says.
//!
//! The old sheet stays as it is until the new one is sealed; the seal then closes it.

use records::kinds::{number, sheet};
use records::schema::{Class, Typed};
use records::value::{Target, Value, encode};
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::create::Created;
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::state::{self, Taken};
use crate::notebook::{add, registers, rows};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// What to correct.
#[derive(Debug, Clone)]
pub struct Amend {
    /// The sealed sheet.
    pub record: String,
    /// Why.
    pub reason: String,
    /// What the new sheet says otherwise.
    pub pairs: Vec<Pair>,
}

/// Makes the correcting sheet, a draft, and returns its id once it is saved.
///
/// Signature and number are not taken over: the customer signs what it says now.
///
/// # Errors
/// What [`state::decide`] refuses for the old sheet and [`registers::writes`] for the new one.
pub fn amend(store: &mut Store, request: &Amend, now: Now) -> Result<Created, NotebookError> {
    let (original, kind) = find::document(store, &request.record, Wanted::Kind(number::SHEET))?;
    // Whether it may be corrected is asked now, so that nobody fills in a sheet in vain.
    state::decide(
        store,
        kind,
        &original,
        &Taken { step: "amend", reason: &request.reason, ..Taken::default() },
    )?;
    let group = sheet::Amends::GROUP;
    let row =
        [Some(Value::Ref(Target::Doc(original.id))), Some(Value::Text(request.reason.trim().to_owned()))];
    let mut writes = vec![Write { tag: group.tag(), bytes: encode(group.fields, &row) }];
    let left = [sheet::CustomerSign::GROUP.number, sheet::SheetNo::GROUP.number, group.number];
    for group in kind.groups.iter().copied().filter(|group| group.frozen && !left.contains(&group.number)) {
        let rows: Vec<_> = rows::of(group, &original).into_iter().map(|row| row.values).collect();
        let Some(first) = rows.first() else { continue };
        writes.push(match group.class {
            Class::Ledger | Class::Set => add::write(group, None, rows),
            _ => Write { tag: group.tag(), bytes: encode(group.fields, first) },
        });
    }
    let zone = store.identity().enrolment.zone;
    for write in registers::writes(store, kind, None, &request.pairs, zone)? {
        writes.retain(|old| old.tag != write.tag);
        writes.push(write);
    }
    writes.sort_by_key(|write| write.tag);
    let op = NewOp { kind: kind.number, schema: kind.schema, on: On::Create, writes, local: None };
    let id = store.save(vec![op], now)?.first().copied().ok_or(StoreError::Unordered)?;
    Ok(Created { id: records::id::DocId(id), notices: Vec::new() })
}
