//! Handing a job over to a colleague: the step on the job, and the colleague as a helper on its open sheets.
//!
//! So the sheets are his too: his devices are given them, and he may go on writing where they stand.

use std::ops::ControlFlow;

use records::id::{DocId, OpId};
use records::kinds::number;
use records::value::{Target, Value};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::add::{self, Entry};
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows;
use crate::notebook::state::{self, Taken};
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// A job that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The job.
    pub job: DocId,
    /// The op of the step.
    pub op: Option<OpId>,
    /// Its open sheets that are the colleague's too now.
    pub sheets: Vec<DocId>,
}

/// Hands a job over, in one save.
///
/// # Errors
/// What [`state::decide`] and [`add::writes`] refuse; [`NotebookError::Store`].
pub fn hand_over(store: &mut Store, job: &str, to: DocId, now: Now) -> Result<HandedOver, NotebookError> {
    let (job, kind) = find::document(store, job, Wanted::Kind(number::JOB))?;
    let taken = Taken { step: "hand_over", to: Some(to), ..Taken::default() };
    let writes = vec![state::decide(store, kind, &job, &taken)?];
    let op = |document: &Document, kind: &records::schema::Kind, writes| {
        let on = On::Document(document.id);
        NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None }
    };
    let mut ops = vec![op(&job, kind, writes)];
    let mut sheets = Vec::new();
    for (sheet, kind) in open_sheets(store, job.id)? {
        let helper = Entry { list: "helper".to_owned(), words: vec![to.to_string()] };
        let writes = add::writes(store, kind, Some(&sheet), &[helper], now)?;
        ops.push(op(&sheet, kind, writes));
        sheets.push(sheet.id);
    }
    let saved = store.save(ops, now)?;
    Ok(HandedOver { job: job.id, op: saved.first().copied(), sheets })
}

/// Returns the sheets of a job that one may still write on.
fn open_sheets(
    store: &Store,
    job: DocId,
) -> Result<Vec<(Document, &'static records::schema::Kind)>, NotebookError> {
    let mut found = Vec::new();
    let sheets = records::kinds::KINDS
        .iter()
        .copied()
        .filter(|kind| records::kinds::takes(number::SHEET, kind.number));
    for kind in sheets {
        store.each(Some(kind.number), &mut |document| {
            let order = rows::value(kind, &document, "work_order");
            let open = document.state == 0 && !state::is_sealed(kind, &document);
            if open && order == Some(Value::Ref(Target::Doc(job))) {
                found.push((document, kind));
            }
            ControlFlow::Continue(())
        })?;
    }
    let mut own = Vec::new();
    for (document, kind) in found {
        if state::is_mine(store, kind, &document)? {
            own.push((document, kind));
        }
    }
    Ok(own)
}
