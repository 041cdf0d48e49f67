//! What the device says first: who it is, what it has read, and its own ops that HQ did not sign for.

use std::collections::BTreeMap;

use records::id::{Epoch, OpId};
use sync_protocol::chain::{Link, Parent};
use sync_protocol::limits::{SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use sync_protocol::message::{Clocks, Head, Hello, VERSIONS};
use sync_protocol::op::Row;
use sync_protocol::segment::{self, Segment};
use sync_protocol::sign::Signer;
use sync_protocol::tables::Tables;

use crate::clock::Now;
use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::{Part, StoreError};
use crate::store::read::Unheld;
use crate::store::run::{Run, RunKey};

impl Store {
    /// Returns the first words of a request.
    ///
    /// The digest is there only where it can be compared: nothing to send, and nothing was left to pull.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn hello(&self, now: Now) -> Result<Hello, StoreError> {
        let mut heads = Vec::new();
        for unheld in self.unheld()? {
            let line = (self.replica(), unheld.epoch);
            let link = self.link_at(unheld.epoch, unheld.last)?.ok_or_else(|| self.damaged(Part::Log))?;
            heads.push(Head {
                epoch: unheld.epoch,
                parent: self.line(line)?.parent,
                seq: unheld.last,
                link: first_8(link),
            });
        }
        let digest = if heads.is_empty() && self.state.level && self.offer()?.is_none() {
            Some(self.digest()?)
        } else {
            None
        };
        Ok(Hello {
            versions: VERSIONS,
            schemas: Tables::own().hash(),
            replica: self.replica(),
            lease: self.state.lease,
            heads,
            cursor: self.state.cursor.clone(),
            digest,
            clocks: Clocks {
                wall_ms: u64::try_from(now.wall.0).unwrap_or(0),
                monotonic_ms: now.monotonic_ms,
                boot: now.boot,
            },
            answer_bytes_max: 0,
        })
    }

    /// Returns own ops that HQ did not sign for, oldest first, signed; about `bytes_max` bytes and `ops_max` ops of them.
    ///
    /// At least one segment comes where there is something to send; it has half as many ops until it keeps to the
    /// bytes, or has only one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Key`].
    pub fn unsent(&self, bytes_max: usize, ops_max: usize) -> Result<Vec<Segment>, StoreError> {
        self.unsent_behind(&BTreeMap::new(), bytes_max, ops_max)
    }

    /// As [`Self::unsent`], but only what stands behind the op given for its epoch.
    ///
    /// # Errors
    /// As [`Self::unsent`].
    pub fn unsent_behind(
        &self,
        said: &BTreeMap<Epoch, u64>,
        bytes_max: usize,
        ops_max: usize,
    ) -> Result<Vec<Segment>, StoreError> {
        let (signer, reader) = (self.signer()?, self.tables_of_hq()?);
        let mut out: Vec<Segment> = Vec::new();
        for Unheld { epoch, held, last } in self.unheld()? {
            let mut next = held.max(said.get(&epoch).copied().unwrap_or(0)) + 1;
            while next <= last {
                let bytes: usize = out.iter().map(|segment| segment.body.len()).sum();
                let ops: usize = out.iter().map(|segment| usize::try_from(segment.count).unwrap_or(0)).sum();
                if !out.is_empty()
                    && (bytes + SEGMENT_ROW_BYTES_MAX > bytes_max || ops + SEGMENT_OPS_MAX > ops_max)
                {
                    return Ok(out);
                }
                let mut batch = self.batch(epoch, next, last)?;
                // Only a full segment, but for the end: the rest of the batch begins the next one.
                let fits = segment::fitting(&batch.rows).map_err(|_| self.damaged(Part::Log))?;
                batch.rows.truncate(fits);
                let mut segment = self.segment((epoch, next), &batch, &signer, &reader)?;
                while segment.body.len() > bytes_max && batch.rows.len() > 1 {
                    batch.rows.truncate(batch.rows.len() / 2);
                    segment = self.segment((epoch, next), &batch, &signer, &reader)?;
                }
                next = segment.last() + 1;
                out.push(segment);
            }
        }
        Ok(out)
    }

    /// Returns rows that begin at an op as one segment.
    fn segment(
        &self,
        (epoch, first): (Epoch, u64),
        batch: &Batch,
        signer: &Signer,
        reader: &Tables,
    ) -> Result<Segment, StoreError> {
        let run = segment::Run {
            line: (self.replica(), epoch),
            first,
            before: batch.before,
            parent: batch.parent,
            test_clock: batch.test_clock,
            rows: &batch.rows,
        };
        let cut = segment::cut_for(signer, &run, reader).map_err(|_| self.damaged(Part::Log))?;
        cut.into_iter().next().ok_or_else(|| self.damaged(Part::Log))
    }

    /// Returns the chain value at an op of the own log; `None` where the op is not here.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn link_at(&self, epoch: Epoch, seq: u64) -> Result<Option<Link>, StoreError> {
        if let Some(own) = self.state.own.filter(|own| own.epoch == epoch && own.seq == seq) {
            return Ok(Some(own.link));
        }
        let Some(run) = self.run_of(OpId { replica: self.replica(), epoch, seq })? else {
            return Ok(None);
        };
        let Run::Own { before, ops, .. } = &run.run else {
            return self.link_given_back(epoch, seq);
        };
        let up_to = run.rows.iter().take_while(|(at, _)| *at <= seq).count();
        Ok(Some(ops.iter().take(up_to).fold(*before, |link, op| link.next(&op.row))))
    }

    /// Returns the chain value at an op of an own epoch that came back from HQ; `None` where one before it is not here.
    fn link_given_back(&self, epoch: Epoch, seq: u64) -> Result<Option<Link>, StoreError> {
        let info = self.line((self.replica(), epoch))?;
        let own = self.state.own.filter(|own| own.epoch == epoch).map(|own| (own.seq, own.link));
        let root = (0, Parent::seed(info.parent.as_ref()));
        // The nearest before it: the epoch may have gone on since.
        let known = [own, info.end].into_iter().flatten().filter(|(at, _)| *at <= seq);
        let (mut at, mut link) = known.max_by_key(|(at, _)| *at).unwrap_or(root);
        while at < seq {
            at += 1;
            let run = self.run_of(OpId { replica: self.replica(), epoch, seq: at })?;
            let Some(row) = run.as_ref().and_then(|run| run.row(at)) else {
                return Ok(None);
            };
            link = link.next(&row.to_bytes());
        }
        Ok(Some(link).filter(|_| at == seq))
    }

    /// Returns whether HQ gave back ops of the epoch that is written to, behind its end here: their names are taken.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(in crate::store) fn is_behind_itself(&self) -> Result<bool, StoreError> {
        let Some(own) = self.state.own else { return Ok(false) };
        let line = (self.replica(), own.epoch);
        let from = RunKey { line, last: own.seq.saturating_add(1), first: 0 };
        let mut behind = false;
        self.keys_from(Tree::Log, &from.to_bytes(), &mut |bytes| {
            behind = RunKey::from_bytes(bytes).is_some_and(|key| key.line == line);
            Ok(false)
        })?;
        Ok(behind)
    }

    /// Returns ops from `first` on, as many as one segment may take, all written under one kind of clock.
    fn batch(&self, epoch: Epoch, first: u64, last: u64) -> Result<Batch, StoreError> {
        let parent = self.line((self.replica(), epoch))?.parent;
        let before = match first.checked_sub(1) {
            None | Some(0) => parent.map_or(Link::ROOT, |parent| parent.link),
            Some(previous) => self.link_at(epoch, previous)?.ok_or_else(|| self.damaged(Part::Log))?,
        };
        let mut batch = Batch { before, parent, test_clock: false, rows: Vec::new() };
        let mut next = first;
        while next <= last && batch.rows.len() < SEGMENT_OPS_MAX {
            let id = OpId { replica: self.replica(), epoch, seq: next };
            let run = self.run_of(id)?.ok_or_else(|| self.damaged(Part::Log))?;
            let Run::Own { test_clock, .. } = &run.run else {
                return Err(self.damaged(Part::Log));
            };
            if batch.rows.is_empty() {
                batch.test_clock = *test_clock;
            } else if batch.test_clock != *test_clock {
                break;
            }
            let room = SEGMENT_OPS_MAX - batch.rows.len();
            let rows = run.rows.iter().filter(|(seq, _)| *seq >= next).take(room);
            let taken = batch.rows.len();
            batch.rows.extend(rows.map(|(_, row)| row.clone()));
            next += u64::try_from(batch.rows.len() - taken).unwrap_or(u64::MAX);
        }
        Ok(batch)
    }
}

/// Rows for one segment.
struct Batch {
    before: Link,
    parent: Option<Parent>,
    test_clock: bool,
    rows: Vec<Row>,
}

/// Returns the 8 bytes of a chain value that travel.
#[must_use]
pub fn first_8(link: Link) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(link.0.split_at(8).0);
    out
}
