//! What goes beside the log in a sync: each part says what it has to ask, and hears what HQ tells it.

use std::path::PathBuf;

use sync_protocol::asides::{Ask, Tell};
use sync_protocol::bundle::Relayed;

use crate::bundle::relay;
use crate::clock::Now;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::sync::{pins, tables};

/// Returns what is to be asked in the next request, about `bytes_max` bytes of it at most.
///
/// # Errors
/// [`StoreError`].
pub(super) fn asks(store: &Store, bytes_max: usize) -> Result<Vec<Ask>, StoreError> {
    let mut asks = relay::asks(store, bytes_max)?;
    asks.extend(tables::asks(store)?);
    asks.extend(pins::asks(store)?);
    Ok(asks)
}

/// Returns how much is left to be asked: a sync goes on as long as it grows less.
///
/// # Errors
/// [`StoreError`].
pub(super) fn waiting(store: &Store) -> Result<usize, StoreError> {
    relay::waiting(store)
}

/// Takes in what HQ said beside; what it said is on the disk when this returns. Returns a receipt that it completed
/// for somebody else's bundle.
///
/// # Errors
/// [`StoreError`].
pub(super) fn hear(store: &mut Store, tell: &Tell, now: Now) -> Result<Option<PathBuf>, StoreError> {
    match tell {
        Tell::Relayed(bytes) => match Relayed::from_bytes(bytes) {
            Some(told) => relay::hear(store, &told, now),
            None => Ok(None),
        },
        Tell::Renamed(enrolment) => store.hear_name(enrolment).map(|()| None),
        Tell::Vouched(vouched) => crate::sync::introduction::vouched(store, vouched).map(|()| None),
        Tell::Held(_) | Tell::Wanted(_) | Tell::Piece(_) | Tell::Differing(_) => Ok(None),
        Tell::Pins(pins) => pins::hear(store, pins).map(|()| None),
        Tell::Tables(_) | Tell::Newer { .. } => Ok(None),
    }
}
