//! What goes beside the log in a sync: each part says what it has to ask, and hears what HQ tells it.

use sync_protocol::asides::{Ask, Tell};

use crate::store::Store;
use crate::store::error::StoreError;

/// Returns what is to be asked in the next request, about `_bytes_max` bytes of it at most.
///
/// # Errors
/// [`StoreError`].
pub(super) fn asks(_store: &Store, _bytes_max: usize) -> Result<Vec<Ask>, StoreError> {
    Ok(Vec::new())
}

/// Takes in what HQ said beside; what it said is on the disk when this returns.
///
/// # Errors
/// [`StoreError`].
pub(super) fn hear(_store: &mut Store, tell: &Tell) -> Result<(), StoreError> {
    match tell {
        Tell::Held(_)
        | Tell::Wanted(_)
        | Tell::Piece(_)
        | Tell::Differing(_)
        | Tell::Relayed(_)
        | Tell::Newer { .. } => Ok(()),
    }
}
