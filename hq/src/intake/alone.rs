//! Ops that come without those before them, and HQ's word of before a restore: parts of any log may be missing then.

use records::id::{OpId, Replica};
use sync_protocol::chain::{Line, Parent};
use sync_protocol::limits::STAMP_AHEAD_MS;
use sync_protocol::op::Row;
use sync_protocol::ruling::Verdict;

use crate::intake::desk::Desk;
use crate::intake::ops::Op;
use crate::intake::segments::Job;
use crate::intake::stretch::Stretch;
use crate::store::StoreError;

/// HQ's word of before a restore on one op that it holds.
#[derive(Debug)]
pub struct Again {
    /// The op.
    pub id: OpId,
    /// What it says.
    pub row: Row,
    /// Order, cap in milliseconds, version.
    pub at: (u64, u64, u8),
    /// The verdict.
    pub verdict: Verdict,
}

/// Ops of one line, some of which may be missing between.
#[derive(Debug)]
pub struct Alone {
    /// Whose log.
    pub line: Line,
    /// Where it hangs, where that is known.
    pub parent: Option<Parent>,
    /// The ops by seq, rising.
    pub rows: Vec<(u64, Row)>,
}

impl Desk {
    /// Takes in ops that stand alone: after a restore parts of their line may be missing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the job may be kept.
    pub fn alone(&mut self, alone: Alone, received_ms: u64) -> Result<(), StoreError> {
        let Alone { line, parent, rows } = alone;
        let (Some(branch), Some(author)) = (self.home(line.0)?, self.author(line.0)?) else {
            return Ok(());
        };
        let mut news = Vec::new();
        for (seq, row) in rows {
            let id = OpId { replica: line.0, epoch: line.1, seq };
            if self.row(id)?.is_none() {
                self.store.island_put(branch, id, parent.as_ref(), &row)?;
                news.push((seq, row));
            }
        }
        let order = self.store.count_up("order", u64::try_from(news.len()).unwrap_or(0))?;
        self.trace(branch, line)?;
        if line.0 == Replica::HQ
            && let Some((_, row)) = news.last()
        {
            self.stamped(row.stamp)?;
        }
        let cap_ms = received_ms.saturating_add(STAMP_AHEAD_MS);
        let stretch = Stretch { branch, line, order, cap_ms, refused: None };
        let mut job = Job::default();
        self.judge_stretch(&mut job, &stretch, &author, news.iter().map(|(seq, row)| (*seq, row)))?;
        self.judge_waiting(&mut job, received_ms)?;
        self.spread(job).map(drop)
    }

    /// Lets HQ's word of before a restore count again for ops that it judged anew meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the job may be kept.
    pub fn rule_again(&mut self, again: Vec<Again>) -> Result<(), StoreError> {
        let mut job = Job::default();
        for Again { id, row, at, verdict } in again {
            let (Some(branch), Some(author)) = (self.home(id.replica)?, self.author(id.replica)?) else {
                continue;
            };
            let line = (id.replica, id.epoch);
            self.trace(branch, line)?;
            let op = Op { id, doc: row.document(id), row: &row };
            let stretch = Stretch { branch, line, order: at.0, cap_ms: at.1, refused: None };
            let verdict = self.judge_one(&mut job, &author, op, Some(verdict), at)?;
            job.rule(&stretch, id.seq, (op.doc, verdict), at, true);
        }
        self.spread(job).map(drop)
    }
}
