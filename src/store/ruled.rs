//! What HQ said of ops: rulings by line and place, the last few at hand.

use std::cell::RefCell;
use std::collections::VecDeque;

use records::id::OpId;
use sync_protocol::ruling::{Judgement, Ruling};
use sync_protocol::stamp::Stamp;

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::{Part, StoreError};
use crate::store::run::RunKey;

/// A ruling covers at most so many ops, so a scan for one ends there.
const RULING_OPS_MAX: u64 = 256;
const RECENT_MAX: usize = 16;

/// The rulings looked up last.
#[derive(Debug, Default)]
pub struct Ruled(RefCell<VecDeque<Ruling>>);

impl Ruled {
    /// Forgets all where something new was ruled.
    pub fn forget(&self, news: &[Ruling]) {
        if !news.is_empty() {
            self.0.borrow_mut().clear();
        }
    }
}

/// Returns the key of a ruling: as a run's, then the version.
#[must_use]
pub fn ruling_key(ruling: &Ruling) -> Vec<u8> {
    let last = ruling.first.saturating_add(u64::from(ruling.count)).saturating_sub(1);
    let mut key = RunKey { line: (ruling.replica, ruling.epoch), last, first: ruling.first }.to_bytes();
    key.push(ruling.version);
    key
}

impl Store {
    /// Returns what HQ said of an op with that stamp; `None`: nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn judgement(
        &self,
        id: OpId,
        stamp: Stamp,
    ) -> Result<Option<Judgement>, StoreError> {
        let info = self.line((id.replica, id.epoch))?;
        if !info.is_ruled(id.seq) {
            return Ok(None);
        }
        let is_of = |ruling: &&Ruling| (ruling.replica, ruling.epoch) == (id.replica, id.epoch);
        if !info.revised {
            let recent = self.ruled.0.borrow();
            let known = recent.iter().filter(is_of).find_map(|ruling| ruling.of(id.seq, stamp));
            if known.is_some() {
                return Ok(known);
            }
        }
        let Some(ruling) = self.ruling_of(id)? else {
            return Ok(None);
        };
        let judgement = ruling.of(id.seq, stamp);
        let mut recent = self.ruled.0.borrow_mut();
        if recent.len() >= RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(ruling);
        Ok(judgement)
    }

    /// Returns the ruling of the highest version that covers an op.
    fn ruling_of(&self, id: OpId) -> Result<Option<Ruling>, StoreError> {
        let line = (id.replica, id.epoch);
        let from = RunKey { line, last: id.seq, first: 0 }.to_bytes();
        let mut best: Option<(u8, Vec<u8>)> = None;
        self.keys_from(Tree::Rulings, &from, &mut |bytes| {
            let Some((version, key)) = bytes.split_last() else {
                return Ok(false);
            };
            let key = RunKey::from_bytes(key).filter(|key| key.line == line);
            let Some(key) = key.filter(|key| key.last < id.seq.saturating_add(RULING_OPS_MAX)) else {
                return Ok(false);
            };
            if key.first <= id.seq && best.as_ref().is_none_or(|best| best.0 < *version) {
                best = Some((*version, bytes.to_vec()));
            }
            Ok(true)
        })?;
        let Some((_, key)) = best else { return Ok(None) };
        let bytes = self.get(Tree::Rulings, &key)?;
        let ruling = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        ruling.map(Some).ok_or_else(|| self.damaged(Part::Rulings))
    }
}
