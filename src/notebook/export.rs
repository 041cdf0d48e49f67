//! Records of one kind as a table.

use std::io::Write;
use std::ops::ControlFlow;

use records::schema::{Kind, Tag};
use records::table::export::{Export, ExportError, Form, Line, Words};
use records::table::rows::Values;

use crate::notebook::list::Filter;
use crate::notebook::people::People;
use crate::notebook::{list, rows};
use crate::store::Store;
use crate::store::error::StoreError;

/// Why a table was not written whole.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The home.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Writes the records of a kind that the filter lets pass, as many as it says, and returns how many there were.
///
/// # Errors
/// [`TableError`].
pub fn export<W: Write>(
    store: &Store,
    kind: &'static Kind,
    filter: &Filter,
    form: Form,
    words: Words,
    out: W,
) -> Result<(u64, W), TableError> {
    let people = People::read(store)?;
    let zone = store.identity().enrolment.zone;
    let mut table = Export::begin(out, kind, form, words, zone)?;
    let (mut n, mut failed) = (0, None);
    let limit = filter.limit.and_then(|limit| u64::try_from(limit).ok());
    store.each(Some(kind.number), &mut |document| {
        if limit.is_some_and(|limit| n >= limit) {
            return ControlFlow::Break(());
        }
        if !list::fits(filter, kind, &document) {
            return ControlFlow::Continue(());
        }
        let groups: Vec<(Tag, Vec<Values>)> = kind
            .groups
            .iter()
            .map(|group| {
                (group.tag(), rows::of(group, &document).into_iter().map(|row| row.values).collect())
            })
            .collect();
        let written = table.line(&Line {
            id: &document.id.to_string(),
            code: &document.id.code(),
            state: kind.machine.map(|_| document.state),
            author: &people.name(document.id.0.replica),
            created: list::created(document.created),
            groups: &groups,
        });
        match written {
            Ok(()) => {
                n += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok((n, table.end()?)),
    }
}
