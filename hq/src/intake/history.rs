//! Is what arrives the history that HQ holds? Gaps, forks, rewinds and copies.

use records::id::{OpId, Replica};
use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::message::Notice;
use sync_protocol::op::Row;
use sync_protocol::reason;
use sync_protocol::segment::{Segment, SegmentError};

use crate::intake::desk::Desk;
use crate::intake::segments::Job;
use crate::store::StoreError;
use crate::store::log::Held;

/// How many segments are walked back to find the chain value between two; more means: ask for it again.
const WALK_MAX: usize = 64;

impl Desk {
    /// A segment that does not open: damaged by its author, newer than this program, or from another history.
    pub(super) fn unusable(
        &self,
        branch: u32,
        line: Line,
        first: u64,
        error: SegmentError,
    ) -> Result<Notice, StoreError> {
        Ok(match error {
            SegmentError::Chain if first > 1 => {
                let common = first.saturating_sub(2);
                let link = self.link_at(branch, line, common)?.unwrap_or(Link::ROOT);
                Notice::Fork { epoch: line.1, common, link }
            }
            SegmentError::Newer => Notice::Refused(reason::NEWER),
            SegmentError::Size | SegmentError::Signature | SegmentError::Malformed | SegmentError::Chain => {
                Notice::Refused(reason::MALFORMED)
            }
        })
    }

    /// Returns the last seq in common, where the segment tells ops that HQ holds otherwise.
    pub(super) fn differs(
        &mut self,
        branch: u32,
        segment: &Segment,
        rows: &[Row],
        held: &Held,
    ) -> Result<Option<u64>, StoreError> {
        let line = segment.line();
        let until = segment.last().min(held.last);
        if until < segment.first {
            return Ok(None);
        }
        if segment.last() == until && self.link_at(branch, line, until)? == Some(segment.link) {
            return Ok(None);
        }
        for (seq, row) in (segment.first..=until).zip(rows) {
            let own = self.row(OpId { replica: line.0, epoch: line.1, seq })?;
            if own.as_ref() != Some(row) {
                return Ok(Some(seq - 1));
            }
        }
        Ok(None)
    }

    /// Returns the last seq in common, where the segment tells ops otherwise that came alone after a restore.
    pub(super) fn contradicts(
        &self,
        branch: u32,
        segment: &Segment,
        rows: &[Row],
        last: u64,
    ) -> Result<Option<u64>, StoreError> {
        let alone = self.store.islands(branch, segment.line(), (last.saturating_add(1), segment.last()))?;
        let told =
            |seq: u64| usize::try_from(seq.checked_sub(segment.first)?).ok().and_then(|at| rows.get(at));
        let other = alone.iter().find(|(seq, row)| told(*seq).is_some_and(|told| told != row));
        Ok(other.map(|(seq, _)| (seq - 1).min(last)))
    }

    /// Is the epoch's parent held, and the same? A parent behind what HQ holds is told to the device.
    pub(super) fn parent_known(
        &mut self,
        job: &mut Job,
        branch: u32,
        line: Line,
        parent: Option<&Parent>,
    ) -> Result<bool, StoreError> {
        let Some(parent) = parent else {
            if line.0 != Replica::HQ {
                self.notice_rewind(job, branch, line, None)?;
            }
            return Ok(true);
        };
        let above = (line.0, parent.epoch);
        let held = self.store.line(branch, above)?;
        let last = held.map_or(0, |held| held.last);
        if parent.seq > last {
            job.missing.get_or_insert(OpId { replica: line.0, epoch: parent.epoch, seq: last + 1 });
            return Ok(false);
        }
        let link = if parent.seq == 0 { Some(Link::ROOT) } else { self.link_at(branch, above, parent.seq)? };
        if parent.seq > 0 && link != Some(parent.link) {
            // A guess: the device knows whether that is its own history too, else it offers the whole epoch.
            let common = parent.seq - 1;
            let link = self.link_at(branch, above, common)?.unwrap_or(Link::ROOT);
            job.notices.push(Notice::Fork { epoch: parent.epoch, common, link });
            return Ok(false);
        }
        if line.0 != Replica::HQ {
            self.notice_rewind(job, branch, line, Some(parent))?;
        }
        Ok(true)
    }

    /// Returns the chain value after op `seq`; `None` where it is not held, or only to be had by walking far.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn link_at(&self, branch: u32, line: Line, seq: u64) -> Result<Option<Link>, StoreError> {
        let mut walked = Vec::new();
        let mut at = seq;
        let mut link = loop {
            if at == 0 {
                let held = self.store.line(branch, line)?;
                break Parent::seed(held.and_then(|held| held.parent).as_ref());
            }
            let Some(kept) = self.store.segment_at(branch, line, at)? else {
                return Ok(None);
            };
            if kept.segment.last() == at {
                break kept.segment.link;
            }
            if walked.len() == WALK_MAX {
                return Ok(None);
            }
            at = kept.segment.first.saturating_sub(1);
            walked.push(kept.segment);
        };
        while let Some(segment) = walked.pop() {
            let Ok((_, rows)) = segment.open(link) else {
                return Err(StoreError::Damaged { table: "segments" });
            };
            let wanted = walked.last().map_or(seq, |next| next.first.saturating_sub(1));
            let take = usize::try_from(wanted.saturating_sub(segment.first).saturating_add(1)).unwrap_or(0);
            let seed = if segment.first == 1 { self.link_at_root(branch, line)? } else { link };
            link = rows.iter().take(take).fold(seed, |link, row| link.next(&row.to_bytes()));
        }
        Ok(Some(link))
    }

    pub(super) fn link_at_root(&self, branch: u32, line: Line) -> Result<Link, StoreError> {
        Ok(Parent::seed(self.store.line(branch, line)?.and_then(|held| held.parent).as_ref()))
    }
}
