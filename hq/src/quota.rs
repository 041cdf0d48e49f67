//! What each device left here today: one that leaves more than its share fills nobody else's disk.
//!
//! Only what is new counts, so nobody uses up another one's share by sending its log again.
//!
//! Source: docs/SECURITY.md, On the wire.

use records::id::Replica;
use sync_protocol::segment::Segment;

use crate::intake::desk::Desk;
use crate::porter::{HELD_BACK_BYTES_MAX, Porter};
use crate::store::StoreError;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// When a device of a branch leaves something, and who knows how much it may be.
#[derive(Debug)]
pub(crate) struct Left<'a> {
    pub(crate) branch: u32,
    pub(crate) porter: &'a Porter,
    pub(crate) now_ms: u64,
}

fn named(replica: Replica) -> String {
    format!("left {}", replica.0)
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Desk {
    /// Returns how many bytes a device left on the day of `now_ms`, UTC.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn left_today(&self, replica: Replica, now_ms: u64) -> Result<u64, StoreError> {
        let kept = self.store.setting(&named(replica))?;
        let kept: Option<(u64, u64)> = kept.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        Ok(kept.filter(|(day, _)| *day == now_ms / DAY_MS).map_or(0, |(_, bytes)| bytes))
    }

    /// Notes that a device leaves so many bytes more; `false` where that is more than it may today.
    pub(crate) fn leaves(
        &self,
        replica: Replica,
        bytes: usize,
        porter: &Porter,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let left = self.left_today(replica, now_ms)?.saturating_add(length(bytes));
        if porter.is_beyond(left) {
            return Ok(false);
        }
        let kept = postcard::to_allocvec(&(now_ms / DAY_MS, left)).unwrap_or_default();
        self.store.set(&named(replica), &kept)?;
        Ok(true)
    }

    /// The same of a segment; one that HQ holds already costs nothing.
    pub(crate) fn may_leave(&self, segment: &Segment, left: &Left<'_>) -> Result<bool, StoreError> {
        let held = self.store.line(left.branch, segment.line())?.map_or(0, |held| held.last);
        Ok(segment.last() <= held || self.leaves_segment(segment, left)?)
    }

    /// The same of a segment that is to wait for a person; of those no device may leave more than
    /// [`HELD_BACK_BYTES_MAX`] in all.
    pub(crate) fn may_wait(&self, segment: &Segment, left: &Left<'_>) -> Result<bool, StoreError> {
        if self.store.is_held_back(left.branch, segment)? {
            return Ok(true);
        }
        let waiting = self.store.held_back_bytes(segment.replica)?;
        let room = waiting.saturating_add(length(segment.body.len())) <= HELD_BACK_BYTES_MAX;
        Ok(room && self.leaves_segment(segment, left)?)
    }

    fn leaves_segment(&self, segment: &Segment, left: &Left<'_>) -> Result<bool, StoreError> {
        self.leaves(segment.replica, segment.body.len(), left.porter, left.now_ms)
    }
}
