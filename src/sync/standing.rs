//! A device that takes no part, revoked or not yet confirmed: HQ keeps what it sends for a person to look at.
//!
//! Each op is sent there once. Should the device take part again, everything that HQ did not sign for goes once more.

use std::collections::BTreeMap;

use records::id::Epoch;
use serde::{Deserialize, Serialize};
use sync_protocol::conversation::{Answer, Request};
use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::message::Notice;
use sync_protocol::reason;

use crate::store::Store;
use crate::store::error::StoreError;

/// The setting that stands while the device takes no part.
const STANDING: &str = "sync.standing";

/// Why a device takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Apart {
    /// It was revoked, suspended or reported lost.
    Revoked,
    /// Its key is not the one that HQ bound to its name.
    Unconfirmed,
}

/// What HQ keeps for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    why: Apart,
    incarnation: Incarnation,
    /// Per epoch: sent up to here.
    sent: BTreeMap<Epoch, u64>,
}

/// Returns why the device takes no part; `None` where it does, as far as is known.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn apart(store: &Store) -> Result<Option<Apart>, StoreError> {
    Ok(kept(store)?.map(|kept| kept.why))
}

/// Returns up to where each epoch lies with HQ already though it is not taken in.
pub(super) fn sent(store: &Store) -> Result<BTreeMap<Epoch, u64>, StoreError> {
    Ok(kept(store)?.map(|kept| kept.sent).unwrap_or_default())
}

/// Notes what an answer says of it; returns whether there may be more to send now.
pub(super) fn note(store: &mut Store, request: &Request, answer: &Answer) -> Result<bool, StoreError> {
    let before = kept(store)?;
    let why = answer.notices.iter().find_map(|notice| match notice {
        Notice::Revoked => Some(Apart::Revoked),
        Notice::Unconfirmed => Some(Apart::Unconfirmed),
        _ => None,
    });
    let incarnation = answer.ack.incarnation;
    let after = why.map(|why| {
        // Under the history of HQ that the request knew, where the device took part until now.
        let cursor = Some(&request.hello.cursor).filter(|cursor| **cursor != Cursor::default());
        let under = before.as_ref().map(|before| before.incarnation);
        let under = under.or(cursor.map(|cursor| cursor.incarnation));
        let restored = under.is_some_and(|under| under != incarnation);
        let known = before.as_ref().filter(|_| !restored).map(|before| before.sent.clone());
        let mut sent = known.unwrap_or_default();
        // What this request sent to a restored HQ began behind what the lost one had, and what HQ had no key or no room
        // for it did not keep: all of it goes once more.
        let refused = |code| answer.notices.contains(&Notice::Refused(code));
        let kept = !restored && !refused(reason::SIGNATURE) && !refused(reason::QUOTA);
        for segment in request.segments.iter().filter(|_| kept) {
            let end = sent.entry(segment.epoch).or_default();
            *end = segment.last().max(*end);
        }
        Kept { why, incarnation, sent }
    });
    if after == before {
        return Ok(false);
    }
    if why == Some(Apart::Revoked) && before.as_ref().is_none_or(|before| before.why != Apart::Revoked) {
        // Whoever holds a lost device gives its PIN once more. What HQ has not got stays, for the owner may be the one.
        crate::keys::ticket::destroy(store.home())?;
    }
    store.put_setting(STANDING, postcard::to_allocvec(&after).unwrap_or_default())?;
    match after {
        Some(kept) => Ok(!store.unsent_behind(&kept.sent, 0, 0)?.is_empty()),
        None => Ok(true),
    }
}

fn kept(store: &Store) -> Result<Option<Kept>, StoreError> {
    let bytes = store.setting(STANDING)?;
    // One of another version is as none: what HQ has already, it knows by its bytes.
    Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).flatten())
}
