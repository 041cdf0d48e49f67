//! What a device sees more or less of when its owner comes to oversee a branch, or oversees one no more.
//!
//! A document that changes hands is told as it happens, by the intake; a person whose role or branch changed is told
//! at the next contact of each of his devices.
//!
//! Source: docs/PROTOCOL.md, Scopes.

use std::collections::{BTreeMap, BTreeSet};

use records::id::DocId;
use sync_protocol::cursor::{Cursor, Feed};

use crate::feed::Reader;
use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::store::feeds::Entry;

/// Entries looked at in one go.
const ENTRIES: u32 = 1024;

impl Desk {
    /// Returns who reads, by the roles that he holds now; where they changed since his last contact, his feed is told
    /// first what he comes to see and what he sees no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reader(&mut self, device: &mut Device, cursor: &Cursor) -> Result<Reader, StoreError> {
        let oversees = self.oversees(device)?;
        if oversees != device.oversees {
            let sees = self.seen_by(device)?;
            if let Some(branch) = device.oversees {
                self.leave(device, branch, cursor, &sees)?;
            }
            if let Some(branch) = oversees {
                self.come_back(device, branch, cursor)?;
            }
            device.oversees = oversees;
        }
        Ok(Reader {
            replica: device.replica,
            home: device.branch,
            staff: device.staff,
            oversees,
            reads: None,
        })
    }

    /// Takes what only the branch's feed brought off a device that reads it no more.
    fn leave(
        &self,
        device: &Device,
        branch: u32,
        cursor: &Cursor,
        sees: &BTreeMap<DocId, [u8; 16]>,
    ) -> Result<(), StoreError> {
        let mut gone: BTreeSet<DocId> = self.store.in_scope(branch)?.into_iter().collect();
        gone.extend(self.unheard_evictions(branch, cursor)?);
        for doc in gone.into_iter().filter(|doc| !sees.contains_key(doc)) {
            self.store.feed_append(device.branch, Feed::Replica(device.replica.0), &Entry::Evict(doc))?;
        }
        Ok(())
    }

    /// What left the branch behind the point up to which the device had read its feed.
    fn unheard_evictions(&self, branch: u32, cursor: &Cursor) -> Result<Vec<DocId>, StoreError> {
        let mut at = self.position(branch, cursor, Feed::Branch(branch))?;
        let mut gone = Vec::new();
        loop {
            let entries = self.store.feed_after(branch, Feed::Branch(branch), at, ENTRIES)?;
            let Some((last, _)) = entries.last() else {
                return Ok(gone);
            };
            at = *last;
            gone.extend(entries.into_iter().filter_map(|(_, entry)| match entry {
                Entry::Evict(doc) => Some(doc),
                Entry::Segment { .. } | Entry::Ops { .. } | Entry::Ruling(_) => None,
            }));
        }
    }

    /// A feed that was never read brings everything by itself; of one read before, what was then taken off the device
    /// has to come once more.
    fn come_back(&mut self, device: &Device, branch: u32, cursor: &Cursor) -> Result<(), StoreError> {
        if self.position(branch, cursor, Feed::Branch(branch))? == 0 {
            return Ok(());
        }
        for doc in self.store.in_scope(branch)? {
            let ops = self.history(doc)?;
            self.feed_history(device.branch, Feed::Replica(device.replica.0), ops.iter())?;
        }
        Ok(())
    }
}
