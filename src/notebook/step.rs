//! Taking a step of a record's state machine: void, discard, accept, arrive, finish.

use records::kinds::number;
use records::problems::before_place;
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::add::{self, Entry};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::state::{self, Taken};
use crate::notebook::{registers, rows};
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// Which step to take, and what is noted with it.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// The record.
    pub record: &'a str,
    /// Which kinds the command is about.
    pub wanted: Wanted,
    /// The step, and what it needs.
    pub taken: Taken<'a>,
    /// Fields that are written with it.
    pub pairs: Vec<Pair>,
    /// Entries that are added with it.
    pub entries: Vec<Entry>,
}

/// Takes a step and returns the op once it is saved.
///
/// # Errors
/// What [`state::decide`], [`registers::writes`] and [`add::writes`] refuse, W-14 for a voucher that is placed unfinished; [`NotebookError::Store`].
pub fn step(store: &mut Store, request: &Step<'_>, now: Now) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, request.record, request.wanted)?;
    if kind.number == number::VOUCHER && request.taken.step == "place" {
        let points = before_place(&rows::record(kind, &document));
        if !points.is_empty() {
            return Err(Refusal::unfinished(document.id.code(), points).into());
        }
    }
    let zone = store.identity().enrolment.zone;
    let mut writes: Vec<Write> = vec![state::decide(store, kind, &document, &request.taken)?];
    writes.extend(registers::writes(store, kind, Some(&document), &request.pairs, zone)?);
    writes.extend(add::writes(store, kind, Some(&document), &request.entries, now)?);
    writes.sort_by_key(|write| write.tag);
    let on = On::Document(document.id);
    let op = NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None };
    Ok(Changed { id: document.id, op: store.save(vec![op], now)?.first().copied() })
}
