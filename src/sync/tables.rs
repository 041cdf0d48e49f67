//! Two versions in one conversation: what HQ reads, as it said last, so that the log is sent in a form that it reads.
//!
//! Source: docs/PROTOCOL.md, Evolution.

use sync_protocol::asides::{Ask, Tell};
use sync_protocol::tables::Tables;

use crate::store::Store;
use crate::store::error::StoreError;

/// Returns what this build reads, where HQ reads otherwise.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(super) fn asks(store: &Store) -> Result<Option<Ask>, StoreError> {
    let own = Tables::own();
    Ok((store.tables_of_hq()? != own).then_some(Ask::Tables(own)))
}

/// Notes what HQ reads: what it told, else what this build does. Returns whether that is news.
///
/// # Errors
/// Those of saving a setting.
pub(super) fn hear(store: &mut Store, tells: &[Tell]) -> Result<bool, StoreError> {
    let told = tells.iter().find_map(|tell| match tell {
        Tell::Tables(tables) => Some(tables.clone()),
        _ => None,
    });
    store.put_tables_of_hq(&told.unwrap_or_else(Tables::own))
}
