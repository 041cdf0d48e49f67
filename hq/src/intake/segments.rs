//! Taking in segments: does it follow what HQ holds, is it the same history, and what does each op come to.

use std::collections::BTreeMap;

use records::id::{DocId, OpId, Replica};
use sync_protocol::chain::{Line, Link};
use sync_protocol::limits::STAMP_AHEAD_MS;
use sync_protocol::message::Notice;
use sync_protocol::op::Row;
use sync_protocol::reason;
use sync_protocol::ruling::{Ruling, Verdict};
use sync_protocol::segment::{Body, Segment, SegmentError};

use crate::intake::desk::Desk;
use crate::intake::stretch::Stretch;
use crate::intake::work::Work;
use crate::store::StoreError;
use crate::store::devices::Why;
use crate::store::log::{Came, Held, Kept};

/// The documents of one job.
pub type Works = BTreeMap<DocId, Work>;

/// A run of newly judged ops of one line.
#[derive(Debug)]
pub struct Run {
    /// The branch under which the line is kept.
    pub branch: u32,
    /// Whose log.
    pub line: Line,
    /// The first op's seq.
    pub first: u64,
    /// The document of each op, and what HQ says of it.
    pub ops: Vec<(DocId, Verdict)>,
    /// HQ's order of arrival of the first.
    pub order: u64,
    /// Received + 10 minutes.
    pub cap_ms: u64,
    /// 1 for a first judgement.
    pub version: u8,
    /// The segment's first seq, where the run is exactly a segment as received.
    pub whole: bool,
    /// Whether HQ said so before a restore: then it stays as it was said.
    pub stands: bool,
}

/// One job at work.
#[derive(Debug, Default)]
pub struct Job {
    /// The documents it touches.
    pub works: Works,
    /// What it judged, in order.
    pub runs: Vec<Run>,
    /// What the sender should know.
    pub notices: Vec<Notice>,
    /// The first op that a pushed segment builds on and that HQ lacks.
    pub missing: Option<OpId>,
    /// Rulings of ops that had come before: the answer may have been lost.
    pub repeated: Vec<Ruling>,
    /// How many of the runs are of earlier stretches: a run ends with its segment.
    pub(super) before: usize,
    /// HQ's clock when it came.
    pub(super) received_ms: u64,
    /// Whose devices they are, of those asked for.
    pub(super) creators: BTreeMap<Replica, Option<DocId>>,
    /// Whether any op may be waiting for another one; `None` before it was asked.
    pub(super) waits: Option<bool>,
}

/// What a job came to.
#[derive(Debug, Default)]
pub struct Taken {
    /// What the sender should know.
    pub notices: Vec<Notice>,
    /// The rulings that say more than "accepted".
    pub rulings: Vec<Ruling>,
    /// How many ops were new.
    pub new_ops: u64,
    /// The first op that a pushed segment builds on and that HQ lacks; the segment was not kept.
    pub missing: Option<OpId>,
}

impl Desk {
    /// As [`Desk::take_from`], where nobody can say how far the author's clock was off.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the job may be kept.
    pub fn take(&mut self, segments: Vec<Segment>, received_ms: u64) -> Result<Taken, StoreError> {
        self.take_from(segments, Came { received_ms, skew_ms: None })
    }

    /// Takes in segments whose signatures are good. One that cannot be used never blocks another.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the job may be kept.
    pub fn take_from(&mut self, segments: Vec<Segment>, came: Came) -> Result<Taken, StoreError> {
        let mut job = Job { received_ms: came.received_ms, ..Job::default() };
        for segment in segments {
            self.take_one(&mut job, segment, came)?;
        }
        self.judge_waiting(&mut job, came.received_ms)?;
        let new_ops = job.runs.iter().map(|run| u64::try_from(run.ops.len()).unwrap_or(0)).sum();
        let (notices, missing) = (std::mem::take(&mut job.notices), job.missing);
        let mut rulings = std::mem::take(&mut job.repeated);
        rulings.extend(self.spread(job)?);
        rulings.retain(|ruling| !ruling.exceptions.is_empty());
        Ok(Taken { notices, rulings, new_ops, missing })
    }

    fn take_one(&mut self, job: &mut Job, segment: Segment, came: Came) -> Result<(), StoreError> {
        let line = segment.line();
        let Some(branch) = self.home(line.0)? else {
            return Ok(());
        };
        let held = self.store.line(branch, line)?;
        let last = held.map_or(0, |held| held.last);
        if segment.first > last.saturating_add(1) {
            job.missing.get_or_insert(OpId { replica: line.0, epoch: line.1, seq: last.saturating_add(1) });
            return Ok(());
        }
        let before = match (segment.first, held) {
            (0 | 1, _) => Some(Link::ROOT),
            (first, Some(held)) if first - 1 == held.last => Some(held.link),
            (first, _) => self.link_at(branch, line, first - 1)?,
        };
        let Some(before) = before else {
            job.missing.get_or_insert(OpId { replica: line.0, epoch: line.1, seq: last.saturating_add(1) });
            return Ok(());
        };
        let (body, rows) = match segment.open(before) {
            Ok(opened) => opened,
            Err(error) => {
                if error == SegmentError::Newer {
                    self.store.hold_back(branch, &segment, Why::Newer, came)?;
                }
                job.notices.push(self.unusable(branch, line, segment.first, error)?);
                return Ok(());
            }
        };
        if held.is_none() && !self.parent_known(job, branch, line, body.parent.as_ref())? {
            return Ok(());
        }
        let uprooted = |held: &Held| segment.first == 1 && held.parent != body.parent;
        if held.as_ref().is_some_and(uprooted) {
            let link = Link::ROOT;
            job.notices.push(Notice::Fork { epoch: line.1, common: 0, link });
            return Ok(());
        }
        if let Some(held) = held
            && let Some(common) = self.differs(branch, &segment, &rows, &held)?
        {
            let link = self.link_at(branch, line, common)?.unwrap_or(Link::ROOT);
            job.notices.push(Notice::Fork { epoch: line.1, common, link });
            return Ok(());
        }
        if let Some(common) = self.contradicts(branch, &segment, &rows, last)? {
            let link = self.link_at(branch, line, common)?.unwrap_or(Link::ROOT);
            job.notices.push(Notice::Fork { epoch: line.1, common, link });
            return Ok(());
        }
        if segment.last() <= last {
            job.repeated.extend(self.store.rulings(branch, line, segment.first, segment.last())?);
            return Ok(());
        }
        self.keep(job, branch, Arriving { segment, body, rows, held }, came)
    }

    fn keep(&mut self, job: &mut Job, branch: u32, new: Arriving, came: Came) -> Result<(), StoreError> {
        let Arriving { segment, body, rows, held } = new;
        let line = segment.line();
        let first = held.map_or(0, |held| held.last).saturating_add(1);
        let count = segment.last().saturating_sub(first).saturating_add(1);
        let order = self.store.count_up("order", count)?;
        let now = Held {
            parent: held.map_or(body.parent, |held| held.parent),
            last: segment.last(),
            link: segment.link,
            count: held.map_or(0, |held| held.count).saturating_add(count),
        };
        self.store.line_put(branch, line, &now)?;
        self.trace(branch, line)?;
        let author = self.author(line.0)?;
        let Some(author) = author else { return Ok(()) };
        let rows = self.remember((line, segment.first), rows);
        let refused = (body.test_clock && !self.test_clock).then(|| Verdict::Quarantined {
            code: reason::TEST_CLOCK,
            text: String::new(),
            retryable: false,
        });
        let cap_ms = came.received_ms.saturating_add(STAMP_AHEAD_MS);
        let stretch = Stretch { branch, line, order, cap_ms, refused };
        let (starts, last, ends) =
            (segment.first, segment.last(), usize::try_from(segment.count).unwrap_or(0));
        let alone = self.store.islands(branch, line, (first, last))?;
        let skip = usize::try_from(first.saturating_sub(segment.first)).unwrap_or(0);
        let news = (first..).zip(rows.iter().skip(skip));
        let news = news.filter(|(seq, _)| alone.binary_search_by_key(seq, |(seq, _)| *seq).is_err());
        let n_runs = job.runs.len();
        self.store.segment_put(branch, &Kept { segment, arrival: order, came })?;
        self.judge_stretch(job, &stretch, &author, news)?;
        if let Some([run]) = job.runs.get_mut(n_runs..) {
            run.whole = run.first == starts && run.ops.len() == ends;
        }
        self.store.islands_joined(branch, line, (first, last))?;
        if line.0 != Replica::HQ {
            self.notice_copy(branch, line)?;
        }
        Ok(())
    }
}

/// A segment that follows what HQ holds.
struct Arriving {
    segment: Segment,
    body: Body,
    rows: Vec<Row>,
    held: Option<Held>,
}
