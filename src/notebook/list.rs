//! Lists: records of some kinds, newest first, in short.

use std::ops::ControlFlow;

use records::id::DocId;
use records::schema::Kind;
use records::time::Ts;
use records::value::Value;
use records::value::text::Lang;
use sync_protocol::merge::Document;

use crate::notebook::files::{self, Files};
use crate::notebook::refusal::NotebookError;
use crate::notebook::{rows, state};
use crate::store::Store;
use crate::store::entry::Entry;
use crate::store::error::StoreError;

/// Which records.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these kinds.
    pub kinds: Vec<&'static Kind>,
    /// In the state of this identifier.
    pub state: Option<String>,
    /// Made at or after.
    pub since: Option<Ts>,
    /// Made before.
    pub until: Option<Ts>,
    /// So many at most; of all kinds together.
    pub limit: Option<usize>,
}

/// One record in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: DocId,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its human number; empty before it has one.
    pub number: String,
    /// Its state.
    pub state: Option<&'static records::machine::State>,
    /// What lost steps left to be seen: `cancel_too_late`.
    pub flags: Vec<&'static records::machine::State>,
    /// One line that says which it is.
    pub title: String,
    /// Its amount, for a voucher; the sum of its lines, for a claim.
    pub amount: Option<i64>,
    /// When it was made.
    pub created: Ts,
    /// When it was last changed.
    pub updated: Ts,
    /// How its files stand.
    pub files: Files,
    /// Open conflicts.
    pub conflicts: usize,
    /// Whether HQ has not judged all of it yet.
    pub provisional: bool,
}

/// Returns the records that the filter lets pass.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn list(store: &Store, filter: &Filter, lang: Lang) -> Result<Vec<Line>, NotebookError> {
    let limit = filter.limit.unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for kind in &filter.kinds {
        let mut left = limit;
        store.each_entry(Some(kind.number), &mut |entry| {
            if left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            if passes(filter, kind, &entry) {
                found.push((entry.created, entry.id, *kind));
                left -= 1;
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    found.sort_by_key(|(created, id, _)| std::cmp::Reverse((*created, *id)));
    found.truncate(limit);
    let mut lines = Vec::with_capacity(found.len());
    for (_, id, kind) in found {
        if let Some(document) = store.document(id)? {
            lines.push(line(store, kind, &document, lang)?);
        }
    }
    Ok(lines)
}

/// Returns whether a document is in the state and of the time that the filter asks for; its kinds and limit are not asked.
#[must_use]
pub fn fits(filter: &Filter, kind: &Kind, document: &Document) -> bool {
    let made = created(document.created);
    let named = state::of(kind, document).map(|state| state.name);
    filter.state.as_deref().is_none_or(|state| named == Some(state))
        && filter.since.is_none_or(|since| made >= since)
        && filter.until.is_none_or(|until| made < until)
}

/// Whatever stands in the entry is asked before the document is read.
fn passes(filter: &Filter, kind: &Kind, entry: &Entry) -> bool {
    let made = created(entry.created);
    let states = kind.machine.map_or(&[][..], |machine| machine.states);
    let named = states.get(usize::from(entry.state)).map(|state| state.name);
    entry.whole
        && filter.state.as_deref().is_none_or(|state| named == Some(state))
        && filter.since.is_none_or(|since| made >= since)
        && filter.until.is_none_or(|until| made < until)
}

/// Returns a stamp's instant.
#[must_use]
pub fn created(stamp: sync_protocol::stamp::Stamp) -> Ts {
    Ts(i64::try_from(stamp.ms).unwrap_or(i64::MAX))
}

/// Returns a document in short.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn line(store: &Store, kind: &'static Kind, document: &Document, lang: Lang) -> Result<Line, StoreError> {
    Ok(Line {
        id: document.id,
        kind,
        number: number(kind, document),
        state: state::of(kind, document),
        flags: document.flags(),
        title: title(store, kind, document, lang)?,
        amount: amount(kind, document),
        created: created(document.created),
        updated: created(document.updated),
        files: files::of(store, kind, document)?,
        conflicts: document.conflicts().len(),
        provisional: document.provisional,
    })
}

/// Returns what a voucher says, and what the lines of a claim come to.
fn amount(kind: &'static Kind, document: &Document) -> Option<i64> {
    if kind.number == records::kinds::number::CLAIM {
        let claim = records::claim::view::Claim::of(&rows::record(kind, document));
        return claim.map(|claim| claim.claimed_total().0);
    }
    match rows::value(kind, document, "amount") {
        Some(Value::Int(fen)) => Some(fen),
        _ => None,
    }
}

/// Returns the human number, code or serial of a record; empty where it has none yet.
#[must_use]
pub fn number(kind: &Kind, document: &Document) -> String {
    match kind.key.and_then(|key| rows::value(kind, document, key)) {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    }
}

/// Characters of a title.
const TITLE_CHARS_MAX: usize = 60;

fn title(store: &Store, kind: &Kind, document: &Document, lang: Lang) -> Result<String, StoreError> {
    let zone = store.identity().enrolment.zone;
    for name in kind.title {
        let Some((group, at)) = kind.field(name) else {
            continue;
        };
        let (Some(field), Some(value)) = (group.fields.get(at), rows::value(kind, document, name)) else {
            continue;
        };
        let text = crate::notebook::show::named(store, field, &value, zone, lang)?;
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = line.chars().take(TITLE_CHARS_MAX).collect();
        return Ok(if cut.len() < line.len() { format!("{cut}…") } else { cut });
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use records::kinds::{install, repair};

    use super::*;
    use crate::notebook::create::{Create, create};
    use crate::store::testing::{NOW, enrolment};

    #[test]
    fn the_newest_comes_first_whatever_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        let made: Vec<DocId> = [&repair::REPAIR, &install::INSTALL, &repair::REPAIR]
            .map(|kind| Create { kind, job: None, pairs: Vec::new(), entries: Vec::new() })
            .iter()
            .map(|request| create(&mut store, request, NOW).unwrap().id)
            .collect();
        let newest = |limit| {
            let kinds = vec![&repair::REPAIR, &install::INSTALL];
            let filter = Filter { kinds, limit, ..Filter::default() };
            let lines = list(&store, &filter, Lang::En).unwrap();
            lines.iter().map(|line| line.id).collect::<Vec<_>>()
        };
        assert_eq!(newest(None), [made[2], made[1], made[0]]);
        assert_eq!(newest(Some(2)), [made[2], made[1]]);
    }
}
