//! What came long ago leaves the table that every sync works on, a little at a time, while headquarters serves.
//!
//! Source: docs/STORAGE.md, Headquarters.

use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::archived::BEFORE_ALL;

/// Segments of one transaction: devices that sync meanwhile wait no longer for it than for each other.
const TOGETHER: u32 = 256;

/// What went into the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Archived {
    /// Segments.
    pub segments: u64,
    /// Their ops.
    pub ops: u64,
}

impl Desk {
    /// Archives what came before `before_ms`, branch after branch, each few hundred segments in a transaction of their
    /// own: where it is stopped, what went before has gone, and the next run goes on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn archive(&mut self, before_ms: u64) -> Result<Archived, StoreError> {
        let mut archived = Archived::default();
        for branch in self.store.branches_with_segments()? {
            let mut after = BEFORE_ALL;
            loop {
                let names = self.store.segments_before(branch, after, before_ms, TOGETHER)?;
                let Some(last) = names.last() else { break };
                after = *last;
                let ops = self.transact(|desk| {
                    let counts = names.iter().map(|name| desk.store.segment_archive(branch, *name));
                    counts.collect::<Result<Vec<u32>, StoreError>>()
                })?;
                let moved = ops.iter().filter(|count| **count > 0).count();
                archived.segments += u64::try_from(moved).unwrap_or(u64::MAX);
                archived.ops += ops.into_iter().map(u64::from).sum::<u64>();
            }
        }
        Ok(archived)
    }
}
