//! After an upgrade of the program: what an earlier one kept and could not read is read again.
//!
//! The database names the tables that its documents were folded with. Where this program has others, every document is
//! folded anew and goes where it is read now, what was refused for want of a newer version is judged again, and
//! segments that only a newer version opens are taken in.
//!
//! Source: docs/PROTOCOL.md, Evolution.

use records::id::OpId;
use sync_protocol::message::VERSIONS;
use sync_protocol::reason;
use sync_protocol::ruling::Verdict;
use sync_protocol::tables::Tables;

use crate::intake::desk::Desk;
use crate::intake::segments::Job;
use crate::intake::spread::Devices;
use crate::store::StoreError;

/// The setting with the tables and protocol versions of the program that folded the documents.
const TABLES: &str = "tables";

type Mark = (Tables, (u8, u8));

impl Desk {
    /// Returns whether an earlier program folded the documents.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a newer one did.
    pub fn is_upgraded(&self) -> Result<bool, StoreError> {
        let Some(bytes) = self.store.setting(TABLES)? else {
            return Ok(true);
        };
        let damaged = |_| StoreError::Damaged { table: "settings" };
        let (tables, versions): Mark = postcard::from_bytes(&bytes).map_err(damaged)?;
        let own = Tables::own();
        if own.covers(&tables) { Ok((tables, versions) != (own, VERSIONS)) } else { Err(StoreError::Newer) }
    }

    /// Reads again what an earlier program could not.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn read_again(&mut self) -> Result<(), StoreError> {
        let refused = self.fold_again()?;
        self.judge_newer(refused)?;
        self.take_newer()?;
        let mark: Mark = (Tables::own(), VERSIONS);
        self.store.set(TABLES, &postcard::to_allocvec(&mark).unwrap_or_default())
    }

    /// Folds every document anew; returns the ops that were refused for want of a newer version, in HQ's order.
    fn fold_again(&mut self) -> Result<Vec<OpId>, StoreError> {
        let mut refused = Vec::new();
        let mut devices = Devices::new();
        for (doc, ops) in self.all_ops()? {
            let mut work = self.folded(doc, ops)?;
            let newer = work.ops.iter().filter_map(|op| Some((op.id, op.judgement.as_ref()?)));
            let newer = newer.filter(|(_, judgement)| wants_newer(&judgement.verdict));
            refused.extend(newer.map(|(id, judgement)| (judgement.order, id)));
            let Some(card) = work.card(None) else {
                continue;
            };
            work.before = self.store.known(work.home, doc)?;
            self.learn(&card.indexed.document)?;
            self.index(&[card])?;
            let now = self.places(work.scope, &work.people, &mut devices)?;
            self.cross(doc, &work, &now, &mut devices)?;
        }
        refused.sort_unstable();
        Ok(refused.into_iter().map(|(_, id)| id).collect())
    }

    /// Judges ops again that waited for a newer version; their time stays the one they came with.
    fn judge_newer(&mut self, refused: Vec<OpId>) -> Result<(), StoreError> {
        let mut job = Job::default();
        for id in refused {
            let branch = self.home(id.replica)?.unwrap_or(0);
            let kept = self.store.segment_at(branch, (id.replica, id.epoch), id.seq)?;
            if let Some(kept) = kept {
                self.judge_again(&mut job, branch, id, kept.came.received_ms)?;
            }
        }
        self.spread(job).map(|_| ())
    }

    /// Takes in what was coded by a newer version when it came; of a device that takes no part any more it waits on.
    fn take_newer(&mut self) -> Result<(), StoreError> {
        let mut after = 0;
        while let Some((id, segment, came)) = self.store.newer_held_back(after)? {
            after = id;
            let device = self.store.device(segment.replica)?;
            let part = device.is_some_and(|device| device.standing.takes_part());
            if !part || !self.is_in_own_epoch(&segment)? {
                continue;
            }
            let (line, last) = (segment.line(), segment.last());
            self.take_from(vec![segment], came)?;
            let branch = self.home(line.0)?.unwrap_or(0);
            if self.store.line(branch, line)?.is_some_and(|held| held.last >= last) {
                self.store.held_back_taken(id)?;
            }
        }
        Ok(())
    }
}

fn wants_newer(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Quarantined { code: reason::NEWER, .. })
}
