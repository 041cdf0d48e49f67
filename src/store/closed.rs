//! Examining a home whose database does not open: what is safe is told all the same.
//!
//! Source: docs/STORAGE.md, Trouble.

use std::collections::BTreeSet;
use std::path::Path;

use records::id::{Epoch, Replica};

use crate::blobs::Blobs;
use crate::clock::Now;
use crate::keys::Access;
use crate::store::doctor::{Fault, Findings, Safe};
use crate::store::error::{Part, StoreError};
use crate::store::files::Hash;
use crate::store::read::Counts;
use crate::store::rebuild::{Salvage, salvage};
use crate::store::run::Run;
use crate::store::{Store, doctor, journal};

impl Store {
    /// Examines a home that does not open, and changes nothing; `rebuild` makes it one that does.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the keys do not read; [`StoreError::InUse`], [`StoreError::NotEnrolled`].
    pub fn examine_closed(home: &Path, access: Access<'_>, now: Now) -> Result<Findings, StoreError> {
        let opened = Self::unopened(home, access, now)?;
        let old = salvage(home, &opened.keys)?;
        let contents = journal::read_all(&home.join("journal"), &opened.keys)?;
        let mut faults = vec![Fault::Unreadable(Part::Database)];
        doctor::examine_copies(home, &mut faults);
        for gap in &contents.gaps {
            faults.push(Fault::JournalGap { file: gap.at.file, offset: gap.at.offset, bytes: gap.bytes });
        }
        let blobs = Blobs::at(home, &opened.keys);
        let damaged = blobs.names().filter(|name| blobs.read_to(name, &mut std::io::sink()).is_err());
        faults.extend(damaged.filter_map(|name| Hash::try_from(name.0).ok()).map(Fault::BlobDamaged));
        let frames = contents.frames.iter().map(|(frame, _)| frame).filter(|frame| !frame.ops.is_empty());
        let journaled: BTreeSet<(Epoch, u64)> =
            frames.flat_map(|frame| (frame.first..=frame.last()).map(|seq| (frame.epoch, seq))).collect();
        let logged = old.own_ops(opened.identity.enrolment.replica);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let in_either = count(journaled.union(&logged).count());
        let safe = Safe { in_journal: count(journaled.len()), in_log: count(logged.len()), in_either };
        let counts =
            Counts { ops: old.ops().max(in_either), documents: old.documents(), ..Counts::default() };
        Ok(Findings { counts, digest: [0; 16], safe, faults, set_aside: Vec::new() })
    }
}

impl Salvage {
    fn own_ops(&self, replica: Replica) -> BTreeSet<(Epoch, u64)> {
        let own =
            self.runs.iter().filter(|(key, run)| key.line.0 == replica && matches!(run.run, Run::Own { .. }));
        own.flat_map(|(key, run)| run.rows.iter().map(|(seq, _)| (key.line.1, *seq))).collect()
    }

    fn ops(&self) -> u64 {
        self.runs.iter().map(|(_, run)| u64::try_from(run.rows.len()).unwrap_or(u64::MAX)).sum()
    }

    fn documents(&self) -> u64 {
        let whole = self.docs.values().flatten().filter(|entry| entry.whole);
        u64::try_from(whole.count()).unwrap_or(u64::MAX)
    }
}
