//! Handing a job over to a colleague: the step on the job, and the colleague as a helper on its open sheets.
//!
//! So the sheets are his too: his devices are given them, and he may go on writing where they stand.

use records::decision::DECISION_TAG;
use records::id::{DocId, OpId};
use records::kinds::number;
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::add::{self, Entry};
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::state::{self, Taken};
use crate::notebook::visits;
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// A job that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The job.
    pub job: DocId,
    /// The op of the step; `None` where it was taken before.
    pub op: Option<OpId>,
    /// Its open sheets that are the colleague's too now.
    pub sheets: Vec<DocId>,
}

/// Hands a job over, in one save.
///
/// # Errors
/// W-21 where the colleague is oneself; what [`state::decide`] and [`add::writes`] refuse; [`NotebookError::Store`].
pub fn hand_over(store: &mut Store, job: &str, to: DocId, now: Now) -> Result<HandedOver, NotebookError> {
    let (job, kind) = find::document(store, job, Wanted::Kind(number::JOB))?;
    if to == store.identity().enrolment.staff {
        return Err(Refusal::by("W-21").case("self").with("code", job.id.code()).into());
    }
    let taken = Taken { step: "hand_over", to: Some(to), ..Taken::default() };
    let writes = vec![state::decide(store, kind, &job, &taken)?];
    let op = |document: &Document, kind: &records::schema::Kind, writes| {
        let on = On::Document(document.id);
        NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None }
    };
    let mut ops = vec![op(&job, kind, writes)];
    let mut sheets = Vec::new();
    for (sheet, kind) in open_sheets(store, job.id)? {
        let helper = Entry { list: "helper".to_owned(), words: vec![to.to_string()], files: Vec::new() };
        let writes = add::writes(store, kind, Some(&sheet), &[helper], now)?;
        ops.push(op(&sheet, kind, writes));
        sheets.push(sheet.id);
    }
    let saved = store.save(ops, now)?;
    Ok(HandedOver { job: job.id, op: saved.first().copied(), sheets })
}

/// Returns a job that this device handed over to that colleague and nobody took since: where its file could not be
/// written, the step stands and only the file is wanted again. `None` for any other job.
///
/// # Errors
/// [`NotebookError::Refused`] where there is no such job; [`NotebookError::Store`].
pub fn handed_over(store: &Store, job: &str, to: DocId) -> Result<Option<HandedOver>, NotebookError> {
    let (job, kind) = find::document(store, job, Wanted::Kind(number::JOB))?;
    let at = kind.machine.and_then(|machine| machine.states.get(usize::from(job.state)));
    if at.is_none_or(|at| at.name != "handed_over") {
        return Ok(None);
    }
    let ops = store.ops(job.id)?;
    let mut given = ops.iter().filter_map(|op| {
        let to = state::decision(op.row.write(DECISION_TAG)?)?.to?;
        Some((op.id.replica, to))
    });
    if given.next_back() != Some((store.identity().enrolment.replica, to)) {
        return Ok(None);
    }
    let sheets = open_sheets(store, job.id)?.into_iter().map(|(sheet, _)| sheet.id).collect();
    Ok(Some(HandedOver { job: job.id, op: None, sheets }))
}

/// Returns the sheets of a job that one may still write on.
fn open_sheets(
    store: &Store,
    job: DocId,
) -> Result<Vec<(Document, &'static records::schema::Kind)>, NotebookError> {
    let mut own = Vec::new();
    for (document, kind) in visits::of_job(store, job)? {
        let open = document.state == 0 && !state::is_sealed(kind, &document);
        if open && state::is_mine(store, kind, &document)? {
            own.push((document, kind));
        }
    }
    Ok(own)
}
