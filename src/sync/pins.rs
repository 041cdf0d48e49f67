//! HQ's TLS keys: told by HQ, kept on the disk, and only then told back that they are known.
//!
//! Source: docs/SECURITY.md, HQ's keys.

use sync_protocol::asides::{Ask, Pins, Tell};
use sync_protocol::conversation::{Answer, Request};
use sync_protocol::limits::PINS_MAX;

use crate::store::Store;
use crate::store::error::StoreError;

/// The setting that stands while HQ has not heard which keys are known here.
const OWED: &str = "sync.pins";

/// Returns which keys are known here, while HQ goes on telling them.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(super) fn asks(store: &Store) -> Result<Option<Ask>, StoreError> {
    let owed = store.setting(OWED)?.is_some_and(|value| value == [1]);
    Ok(owed.then(|| Ask::Pins(store.identity().pins.version)))
}

/// Keeps the keys where their version is higher than the one that is known: a lower one is an old answer's.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`]; then the keys known before stay.
pub(super) fn hear(store: &mut Store, told: &Pins) -> Result<(), StoreError> {
    let sound = (1..=PINS_MAX).contains(&told.pins.len());
    if sound && told.version > store.identity().pins.version {
        let mut identity = store.identity().clone();
        identity.pins = told.clone();
        store.set_identity(identity)?;
    }
    Ok(())
}

/// Notes whether HQ has heard which keys are known; returns whether it is to be told with a request of its own.
///
/// # Errors
/// [`StoreError`].
pub(super) fn settle(store: &mut Store, request: &Request, answer: &Answer) -> Result<bool, StoreError> {
    let told = answer.tells.iter().any(|tell| matches!(tell, Tell::Pins(_)));
    let owed = store.setting(OWED)?.is_some_and(|value| value == [1]);
    if told != owed {
        store.put_setting(OWED, vec![u8::from(told)])?;
    }
    // Said and told again all the same: once a sync is enough.
    let said = request.asks.iter().any(|ask| matches!(ask, Ask::Pins(_)));
    Ok(told && !said)
}
