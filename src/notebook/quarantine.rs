//! What HQ did not take: kept, with its reason, and written again once the cause is gone.

use records::id::{DocId, OpId};
use records::time::Ts;
use sync_protocol::ruling::Verdict;

use crate::clock::Now;
use crate::notebook::list;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// One op that HQ did not take.
#[derive(Debug, Clone)]
pub struct Held {
    /// The op.
    pub op: OpId,
    /// Its document.
    pub id: Option<DocId>,
    /// Its kind's identifier; empty for one of a newer version.
    pub kind: &'static str,
    /// When it was saved.
    pub at: Option<Ts>,
    /// The groups it writes.
    pub groups: Vec<&'static str>,
    /// The stable number of HQ's reason; `None` where this build cannot read the op.
    pub code: Option<u16>,
    /// HQ's reason.
    pub text: String,
    /// Whether writing it again can help.
    pub retryable: bool,
}

/// Returns what is in quarantine, in order.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn quarantine(store: &Store) -> Result<Vec<Held>, NotebookError> {
    let held = store.quarantine()?.into_iter().map(|quarantined| {
        let row = quarantined.op.as_ref().map(|op| &op.row);
        let kind = row.and_then(|row| records::kinds::by_number(row.kind));
        let group = |tag: records::schema::Tag| Some(kind?.group(tag.number())?.name);
        let (code, text, retryable) = match quarantined.op.as_ref().and_then(|op| op.judgement.as_ref()) {
            Some(judgement) => reason(&judgement.verdict),
            None => (None, String::new(), false),
        };
        Held {
            op: quarantined.id,
            id: row.map(|row| row.document(quarantined.id)),
            kind: kind.map_or("", |kind| kind.name),
            at: row.map(|row| list::created(row.stamp)),
            groups: row
                .iter()
                .flat_map(|row| row.writes.iter().filter_map(|write| group(write.tag)))
                .collect(),
            code,
            text,
            retryable,
        }
    });
    Ok(held.collect())
}

fn reason(verdict: &Verdict) -> (Option<u16>, String, bool) {
    match verdict {
        Verdict::Quarantined { code, text, retryable } => (Some(*code), text.clone(), *retryable),
        _ => (None, String::new(), false),
    }
}

/// Writes a refused op again, as a new one, and returns it once it is saved. A refused creation makes a new record.
///
/// # Errors
/// W-26 where the op is not in quarantine, W-27 where this build cannot read it.
pub fn resubmit(store: &mut Store, op: OpId, now: Now) -> Result<Changed, NotebookError> {
    let all = store.quarantine()?;
    let missing = || Refusal::by("W-26").with("op", op.to_string());
    let held = all.into_iter().find(|held| held.id == op).ok_or_else(missing)?;
    let row = held.op.ok_or_else(|| Refusal::by("W-27").with("op", op.to_string()))?.row;
    let id = row.document(op);
    let on = if row.doc.is_none() { On::Create } else { On::Document(id) };
    let new = NewOp { kind: row.kind, schema: row.schema, on, writes: row.writes, local: None };
    let written = store.save(vec![new], now)?.first().copied();
    let id = if row.doc.is_none() { written.map_or(id, DocId) } else { id };
    Ok(Changed { id, op: written })
}
