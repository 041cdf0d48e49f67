//! Taking in segments: does it follow what HQ holds, is it the same history, and what does each op come to.

use std::collections::BTreeMap;

use records::id::{DocId, OpId, Replica};
use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::limits::STAMP_AHEAD_MS;
use sync_protocol::merge::Judged;
use sync_protocol::message::Notice;
use sync_protocol::op::Row;
use sync_protocol::reason;
use sync_protocol::ruling::{Judgement, Ruling, Verdict};
use sync_protocol::segment::{Body, Segment, SegmentError};

use crate::intake::desk::Desk;
use crate::intake::judge::{Author, Case, judge};
use crate::intake::work::Work;
use crate::store::sqlite::StoreError;
use crate::store::sqlite::log::{Held, Kept};

/// How many segments are walked back to find the chain value between two; more means: ask for it again.
const WALK_MAX: usize = 64;

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
    /// Whose devices they are, of those asked for.
    creators: BTreeMap<Replica, Option<DocId>>,
    /// Whether any op may be waiting for another one; `None` before it was asked.
    waits: Option<bool>,
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
    /// Takes in segments whose signatures are good. One that cannot be used never blocks another.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the job may be kept.
    pub fn take(&mut self, segments: Vec<Segment>, received_ms: u64) -> Result<Taken, StoreError> {
        let mut job = Job::default();
        for segment in segments {
            self.take_one(&mut job, segment, received_ms)?;
        }
        self.judge_waiting(&mut job, received_ms)?;
        let new_ops = job
            .runs
            .iter()
            .map(|run| u64::try_from(run.ops.len()).unwrap_or(0))
            .sum();
        let (notices, missing) = (std::mem::take(&mut job.notices), job.missing);
        let mut rulings = std::mem::take(&mut job.repeated);
        rulings.extend(self.spread(job)?);
        rulings.retain(|ruling| !ruling.exceptions.is_empty());
        Ok(Taken {
            notices,
            rulings,
            new_ops,
            missing,
        })
    }

    fn take_one(&mut self, job: &mut Job, segment: Segment, received_ms: u64) -> Result<(), StoreError> {
        let line = segment.line();
        let Some(branch) = self.home(line.0)? else {
            return Ok(());
        };
        let held = self.store.line(branch, line)?;
        let last = held.map_or(0, |held| held.last);
        if segment.first > last.saturating_add(1) {
            job.missing.get_or_insert(OpId {
                replica: line.0,
                epoch: line.1,
                seq: last.saturating_add(1),
            });
            return Ok(());
        }
        let before = match segment.first {
            0 | 1 => Some(Link::ROOT),
            first => self.link_at(branch, line, first - 1)?,
        };
        let Some(before) = before else {
            job.missing.get_or_insert(OpId {
                replica: line.0,
                epoch: line.1,
                seq: last.saturating_add(1),
            });
            return Ok(());
        };
        let (body, rows) = match segment.open(before) {
            Ok(opened) => opened,
            Err(error) => {
                job.notices
                    .push(self.unusable(branch, line, segment.first, error)?);
                return Ok(());
            }
        };
        if held.is_none() && !self.parent_known(job, branch, line, body.parent.as_ref())? {
            return Ok(());
        }
        if let Some(held) = held
            && let Some(common) = self.differs(branch, &segment, before, &rows, &held)?
        {
            let link = self.link_at(branch, line, common)?.unwrap_or(Link::ROOT);
            job.notices.push(Notice::Fork {
                epoch: line.1,
                common,
                link,
            });
            return Ok(());
        }
        if segment.last() <= last {
            job.repeated
                .extend(self.store.rulings(branch, line, segment.first, segment.last())?);
            return Ok(());
        }
        self.keep(
            job,
            branch,
            Arriving {
                segment,
                body,
                rows,
                held,
            },
            received_ms,
        )
    }

    /// A segment that does not open: damaged by its author, newer than this program, or from another history.
    fn unusable(
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
                Notice::Fork {
                    epoch: line.1,
                    common,
                    link,
                }
            }
            SegmentError::Newer => Notice::Refused(reason::NEWER),
            SegmentError::Size | SegmentError::Signature | SegmentError::Malformed | SegmentError::Chain => {
                Notice::Refused(reason::MALFORMED)
            }
        })
    }

    /// Returns the last seq in common, where the segment tells ops that HQ holds otherwise.
    fn differs(
        &mut self,
        branch: u32,
        segment: &Segment,
        before: Link,
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
        let mut link = before;
        for (seq, row) in (segment.first..=until).zip(rows) {
            let next = link.next(&row.to_bytes());
            let own = self.row(OpId {
                replica: line.0,
                epoch: line.1,
                seq,
            })?;
            if own.as_ref() != Some(row) {
                return Ok(Some(seq - 1));
            }
            link = next;
        }
        Ok(None)
    }

    /// Is the epoch's parent held, and the same? A parent behind what HQ holds is told to the device.
    fn parent_known(
        &mut self,
        job: &mut Job,
        branch: u32,
        line: Line,
        parent: Option<&Parent>,
    ) -> Result<bool, StoreError> {
        let Some(parent) = parent else { return Ok(true) };
        let above = (line.0, parent.epoch);
        let held = self.store.line(branch, above)?;
        let last = held.map_or(0, |held| held.last);
        if parent.seq > last {
            job.missing.get_or_insert(OpId {
                replica: line.0,
                epoch: parent.epoch,
                seq: last + 1,
            });
            return Ok(false);
        }
        let link = if parent.seq == 0 {
            Some(Link::ROOT)
        } else {
            self.link_at(branch, above, parent.seq)?
        };
        if parent.seq > 0 && link != Some(parent.link) {
            let common = 0;
            job.notices.push(Notice::Fork {
                epoch: parent.epoch,
                common,
                link: Link::ROOT,
            });
            return Ok(false);
        }
        if parent.seq < last && line.0 != Replica::HQ {
            job.notices.push(Notice::Rewound {
                epoch: parent.epoch,
                seq: parent.seq,
            });
            self.give_back(branch, above, parent.seq + 1, last)?;
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
            let seed = if segment.first == 1 {
                self.link_at_root(branch, line)?
            } else {
                link
            };
            link = rows
                .iter()
                .take(take)
                .fold(seed, |link, row| link.next(&row.to_bytes()));
        }
        Ok(Some(link))
    }

    fn link_at_root(&self, branch: u32, line: Line) -> Result<Link, StoreError> {
        Ok(Parent::seed(
            self.store
                .line(branch, line)?
                .and_then(|held| held.parent)
                .as_ref(),
        ))
    }

    fn keep(
        &mut self,
        job: &mut Job,
        branch: u32,
        new: Arriving,
        received_ms: u64,
    ) -> Result<(), StoreError> {
        let Arriving {
            segment,
            body,
            rows,
            held,
        } = new;
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
        if held.is_some() && line.0 != Replica::HQ {
            self.notice_copy(job, branch, line)?;
        }
        self.store.line_put(branch, line, &now)?;
        self.trace(branch, line)?;
        let author = self.author(line.0)?;
        let Some(author) = author else { return Ok(()) };
        let mut run = Run {
            branch,
            line,
            first,
            ops: Vec::with_capacity(rows.len()),
            order,
            cap_ms: received_ms.saturating_add(STAMP_AHEAD_MS),
            version: 1,
            whole: first == segment.first,
        };
        let rows = self.remember((line, segment.first), rows);
        let skip = usize::try_from(first.saturating_sub(segment.first)).unwrap_or(0);
        for (seq, row) in (first..).zip(rows.iter().skip(skip)) {
            let id = OpId {
                replica: line.0,
                epoch: line.1,
                seq,
            };
            let doc = row.document(id);
            let refused = (body.test_clock && !self.test_clock).then(|| Verdict::Quarantined {
                code: reason::TEST_CLOCK,
                text: String::new(),
                retryable: false,
            });
            let at = order.saturating_add(seq - first);
            let verdict = self.judge_one(job, &author, Op { id, doc, row }, refused, (at, run.cap_ms, 1))?;
            run.ops.push((doc, verdict));
        }
        self.store.segment_put(
            branch,
            &Kept {
                segment,
                arrival: order,
                received_ms,
            },
        )?;
        job.runs.push(run);
        Ok(())
    }

    /// Judges one op and puts it into its document; `given` is a verdict that stands already.
    fn judge_one(
        &mut self,
        job: &mut Job,
        author: &Author,
        op: Op<'_>,
        given: Option<Verdict>,
        (order, cap_ms, version): (u64, u64, u8),
    ) -> Result<Verdict, StoreError> {
        let missing = if author.hq {
            None
        } else {
            self.missing(job, op.id, op.doc, op.row)?
        };
        let verdict = match (given, missing) {
            (Some(verdict), _) => verdict,
            (None, Some(missing)) => {
                let branch = self.home(op.id.replica)?.unwrap_or(0);
                self.store.wait(branch, op.id, missing)?;
                job.waits = Some(true);
                return Ok(Verdict::Deferred { missing });
            }
            (None, None) => {
                self.load(job, op.doc, op.row.doc.is_none() && version == 1)?;
                let lines = self.lines();
                let work = job.works.entry(op.doc).or_default();
                work.fold(lines);
                let creation = op.row.doc.is_none();
                if !creation && work.ops.is_empty() {
                    let code = reason::NO_DOCUMENT;
                    Verdict::Quarantined {
                        code,
                        text: String::new(),
                        retryable: false,
                    }
                } else {
                    judge(&Case {
                        id: op.id,
                        row: op.row,
                        author,
                        document: work.document.as_ref(),
                        ops: &work.ops,
                        lines,
                        people: &work.people,
                        scope: work.scope,
                    })
                }
            }
        };
        self.load(job, op.doc, op.row.doc.is_none() && version == 1)?;
        let scope = self.first_scope(author, op.id)?;
        let work = job.works.entry(op.doc).or_default();
        if work.ops.is_empty() {
            work.scope = scope;
        }
        if op.row.doc.is_none() || !work.ops.is_empty() {
            let judgement = Judgement {
                order,
                effective: op.row.stamp.effective(cap_ms),
                verdict: verdict.clone(),
                version,
            };
            work.ops.retain(|known| known.id != op.id);
            work.ops.push(Judged {
                id: op.id,
                row: op.row.clone(),
                judgement: Some(judgement),
            });
            work.added.push(op.id);
            work.stale = true;
        }
        Ok(verdict)
    }

    /// Returns the first op that this one builds on and that HQ lacks, or holds back for the same reason.
    fn missing(
        &mut self,
        job: &mut Job,
        id: OpId,
        doc: DocId,
        row: &Row,
    ) -> Result<Option<OpId>, StoreError> {
        let own = row.doc.is_some().then_some(doc.0);
        for op in row.seen.iter().copied().chain(own) {
            let line = (op.replica, op.epoch);
            if line == (id.replica, id.epoch) {
                continue;
            }
            let Some(branch) = self.home(op.replica)? else {
                return Ok(Some(op));
            };
            let last = self.store.line(branch, line)?.map_or(0, |held| held.last);
            if last < op.seq {
                return Ok(Some(op));
            }
            self.trace(branch, line)?;
        }
        if job.waits.is_none() {
            job.waits = Some(self.store.anything_waits()?);
        }
        if row.doc.is_none() || job.waits == Some(false) {
            return Ok(None);
        }
        for (waiting, for_op) in self.store.waiting_ops()? {
            let before = |op: &OpId| {
                (op.replica, op.epoch) == (waiting.replica, waiting.epoch) && waiting.seq <= op.seq
            };
            let own_past = waiting.replica == id.replica && waiting.epoch == id.epoch && waiting.seq < id.seq;
            let concerned = own_past || row.seen.iter().any(before);
            let same = concerned && self.row(waiting)?.is_some_and(|row| row.document(waiting) == doc);
            if same && !judged_here(job, waiting) {
                return Ok(Some(for_op));
            }
        }
        Ok(None)
    }

    /// Judges the ops that waited for something that is there now.
    fn judge_waiting(&mut self, job: &mut Job, received_ms: u64) -> Result<(), StoreError> {
        let ends: BTreeMap<Line, u64> = job
            .runs
            .iter()
            .map(|run| {
                (
                    run.line,
                    run.first
                        .saturating_add(u64::try_from(run.ops.len()).unwrap_or(0))
                        - 1,
                )
            })
            .collect();
        for (line, last) in ends {
            for (branch, id) in self.store.waiting_for(line, last)? {
                self.store.wait_no_more(branch, id)?;
                let (Some(row), Some(author)) = (self.row(id)?, self.author(id.replica)?) else {
                    continue;
                };
                let doc = row.document(id);
                let known = self.store.judgement(branch, id, row.stamp)?;
                let version = known
                    .as_ref()
                    .map_or(1, |judgement| judgement.version.saturating_add(1));
                let order = self.store.count_up("order", 1)?;
                let cap_ms = received_ms.saturating_add(STAMP_AHEAD_MS);
                self.trace(branch, (id.replica, id.epoch))?;
                let verdict = self.judge_one(
                    job,
                    &author,
                    Op { id, doc, row: &row },
                    None,
                    (order, cap_ms, version),
                )?;
                if !matches!(verdict, Verdict::Deferred { .. }) {
                    let line = (id.replica, id.epoch);
                    let ops = vec![(doc, verdict)];
                    job.runs.push(Run {
                        branch,
                        line,
                        first: id.seq,
                        ops,
                        order,
                        cap_ms,
                        version,
                        whole: false,
                    });
                }
            }
        }
        Ok(())
    }

    /// A line that is not an ancestor of a younger one grows on: two installations write under one name.
    fn notice_copy(&mut self, job: &mut Job, branch: u32, line: Line) -> Result<(), StoreError> {
        let mut ancestors = vec![line];
        let lines = self.store.lines(branch, line.0)?;
        let parent = |epoch| {
            lines
                .iter()
                .find(|(own, _)| *own == epoch)
                .and_then(|(_, held)| held.parent)
        };
        let mut at = line.1;
        while let Some(above) = parent(at).filter(|above| ancestors.len() <= lines.len() && above.epoch != at)
        {
            ancestors.push((line.0, above.epoch));
            at = above.epoch;
        }
        if lines
            .iter()
            .all(|(epoch, _)| ancestors.contains(&(line.0, *epoch)))
        {
            return Ok(());
        }
        if let Some(mut device) = self.store.device(line.0)?
            && !device.copied
        {
            device.copied = true;
            self.store.device_put(&device)?;
            job.notices.push(Notice::Copied);
        }
        Ok(())
    }

    /// Loads a document and its ops, once a job; a document that is being created has none.
    fn load(&mut self, job: &mut Job, doc: DocId, created: bool) -> Result<(), StoreError> {
        if job.works.contains_key(&doc) {
            return Ok(());
        }
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let creator = match job.creators.get(&doc.0.replica) {
            Some(creator) => *creator,
            None => self.store.device(doc.0.replica)?.and_then(|device| device.staff),
        };
        job.creators.insert(doc.0.replica, creator);
        let mut work = Work {
            home,
            creator,
            ..Work::default()
        };
        let known = if created {
            None
        } else {
            self.store.known(home, doc)?
        };
        if let Some(known) = known {
            for id in &known.ops {
                let op = self
                    .judged(*id)?
                    .ok_or(StoreError::Damaged { table: "documents" })?;
                let branch = self.home(id.replica)?.unwrap_or(0);
                self.trace(branch, (id.replica, id.epoch))?;
                work.ops.push(op);
            }
            work.scope = known.scope;
            work.people.clone_from(&known.people);
            work.before = Some(known);
            work.stale = true;
        }
        job.works.insert(doc, work);
        Ok(())
    }

    fn first_scope(&mut self, author: &Author, id: OpId) -> Result<u32, StoreError> {
        if author.hq {
            return Ok(crate::intake::work::NOWHERE);
        }
        Ok(self.home(id.replica)?.unwrap_or(author.branch))
    }
}

/// A segment that follows what HQ holds.
struct Arriving {
    segment: Segment,
    body: Body,
    rows: Vec<Row>,
    held: Option<Held>,
}

/// One op with its name and document.
#[derive(Clone, Copy)]
struct Op<'a> {
    id: OpId,
    doc: DocId,
    row: &'a Row,
}

fn judged_here(job: &Job, id: OpId) -> bool {
    job.works.values().any(|work| work.added.contains(&id))
}
