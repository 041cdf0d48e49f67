//! Changing fields of a record.

use records::id::{DocId, OpId};
use records::kinds::number;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::{claim, registers, rows, voucher};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// What to change.
#[derive(Debug, Clone)]
pub struct Set {
    /// The record: an id, the beginning of a code, or a number.
    pub record: String,
    /// Which kinds the command is about.
    pub wanted: Wanted,
    /// The fields and their values; an empty value takes one away.
    pub pairs: Vec<Pair>,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The record.
    pub id: DocId,
    /// The op; `None` where everything stood there already.
    pub op: Option<OpId>,
}

/// Changes fields and returns the op once it is saved.
///
/// # Errors
/// What [`find::document`] and [`registers::writes`] refuse, W-14 where a voucher would lack something;
/// [`NotebookError::Store`].
pub fn set(store: &mut Store, request: &Set, now: Now) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, &request.record, request.wanted)?;
    let zone = store.identity().enrolment.zone;
    if kind.number == number::VOUCHER {
        voucher::check_text(&request.pairs)?;
    }
    let writes = registers::writes(store, kind, Some(&document), &request.pairs, zone)?;
    if writes.is_empty() {
        return Ok(Changed { id: document.id, op: None });
    }
    if kind.number == number::VOUCHER {
        claim::paper::editable(&document)?;
        let mut record = rows::record(kind, &document);
        let fits = writes.iter().try_for_each(|write| record.write(write.tag, &write.bytes));
        fits.map_err(|_| StoreError::Unordered)?;
        voucher::check(&record, &document.id.code())?;
    }
    let on = On::Document(document.id);
    let op = NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None };
    Ok(Changed { id: document.id, op: store.save(vec![op], now)?.first().copied() })
}
