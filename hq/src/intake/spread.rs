//! What a job leaves behind: rulings, folded documents, and an entry in the feed of everybody whom they reach.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, OpId, Replica};
use records::schema::Reach;
use sync_protocol::chain::Line;
use sync_protocol::cursor::Feed;
use sync_protocol::ruling::{Ruling, Verdict};

use crate::intake::desk::Desk;
use crate::intake::segments::{Job, Run};
use crate::intake::work::{NOWHERE, Work};
use crate::reading;
use crate::store::StoreError;
use crate::store::documents::Card;
use crate::store::feeds::Entry;

/// Ops of one feed entry.
const ENTRY_OPS_MAX: usize = 256;

/// A feed with the branch of its key.
pub(super) type Place = (u32, Feed);

/// The places of one person's devices, looked up once a job.
pub(super) type Devices = BTreeMap<DocId, Vec<Place>>;

impl Desk {
    /// Folds, keeps and spreads what a job judged; returns its rulings.
    pub(super) fn spread(&mut self, mut job: Job) -> Result<Vec<Ruling>, StoreError> {
        let lines = self.lines();
        for work in job.works.values_mut() {
            work.fold(lines);
        }
        tell_merged(&mut job);
        let mut devices = Devices::new();
        let mut places: BTreeMap<DocId, BTreeSet<Place>> = BTreeMap::new();
        let touched = job.works.iter_mut().filter(|(_, work)| !work.added.is_empty());
        let mut touched: Vec<(DocId, &mut Work)> = touched.map(|(doc, work)| (*doc, work)).collect();
        for (_, work) in &mut touched {
            self.rescope(work)?;
            if let Some(document) = &work.document {
                self.tray.put(document, job.received_ms);
                self.learn(document)?;
            }
        }
        let card = |(_, work): &mut (DocId, &mut Work)| {
            let before = work.before.clone().unwrap_or_default();
            work.card(Some(before))
        };
        let cards: Vec<Card> = touched.iter_mut().filter_map(card).collect();
        self.index(&cards)?;
        for (doc, work) in touched {
            let now = self.places(work.scope, &work.people, &mut devices)?;
            self.cross(doc, work, &now, &mut devices)?;
            places.insert(doc, now);
        }
        let mut rulings = Vec::new();
        for run in &job.runs {
            rulings.push(self.enter(run, &places)?);
        }
        Ok(rulings)
    }

    /// A document of HQ's goes where its people work; what is kept from the one it is about, to his branch.
    pub(crate) fn rescope(&mut self, work: &mut Work) -> Result<(), StoreError> {
        if work.is_company() {
            work.scope = 0;
        } else if work.reach() == Some(Reach::Headquarters) {
            work.scope = NOWHERE;
        } else if work.scope == NOWHERE || work.creator.is_none() {
            let concerned = work.document.as_ref().map(reading::concerned).unwrap_or_default();
            let about = work.document.as_ref().and_then(|document| reading::link(document, "staff"));
            for person in concerned.into_iter().chain(about) {
                if let Some(branch) = self.branch_of(person)? {
                    work.scope = branch;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Puts folded documents into the index, and enters what each is found by.
    pub(crate) fn index(&mut self, cards: &[Card]) -> Result<(), StoreError> {
        self.index_money(cards)?;
        self.store.documents_put(cards)?;
        cards.iter().try_for_each(|card| self.notice_twin(&card.indexed))
    }

    pub(super) fn places(
        &self,
        scope: u32,
        people: &[DocId],
        devices: &mut Devices,
    ) -> Result<BTreeSet<Place>, StoreError> {
        if scope == 0 {
            return Ok([(0, Feed::Company)].into());
        }
        let mut places = BTreeSet::new();
        if scope != NOWHERE {
            places.insert((scope, Feed::Branch(scope)));
        }
        for person in people {
            if !devices.contains_key(person) {
                let own = self.store.devices(Some(*person))?;
                let part = own.iter().filter(|device| device.standing.takes_part());
                let found = part.map(|device| (device.branch, Feed::Replica(device.replica.0))).collect();
                devices.insert(*person, found);
            }
            places.extend(devices.get(person).into_iter().flatten());
        }
        Ok(places)
    }

    /// Whoever comes to see a document gets its whole history first; whoever sees it no more is told to drop it.
    pub(super) fn cross(
        &mut self,
        doc: DocId,
        work: &Work,
        now: &BTreeSet<Place>,
        devices: &mut Devices,
    ) -> Result<(), StoreError> {
        let Some(before) = &work.before else { return Ok(()) };
        let was = self.places(before.scope, &before.people, devices)?;
        for (branch, feed) in now.difference(&was) {
            self.feed_history(*branch, *feed, work.ops.iter().filter(|op| !work.added.contains(&op.id)))?;
        }
        for (branch, feed) in was.difference(now) {
            self.store.feed_append(*branch, *feed, &Entry::Evict(doc))?;
        }
        Ok(())
    }

    /// Appends ops that HQ held before, in order of arrival; a replica's own are left out of its feed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_history<'a>(
        &mut self,
        branch: u32,
        feed: Feed,
        ops: impl Iterator<Item = &'a sync_protocol::merge::Judged>,
    ) -> Result<(), StoreError> {
        self.feed_ops(branch, feed, ops.filter(|op| feed != Feed::Replica(op.id.replica.0)))
    }

    /// Appends ops that HQ held before, in order of arrival.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_ops<'a>(
        &mut self,
        branch: u32,
        feed: Feed,
        ops: impl Iterator<Item = &'a sync_protocol::merge::Judged>,
    ) -> Result<(), StoreError> {
        let mut ops: Vec<(u64, OpId)> = ops
            .map(|op| (op.judgement.as_ref().map_or(u64::MAX, |judgement| judgement.order), op.id))
            .collect();
        ops.sort_unstable();
        let mut open: Option<(Line, Vec<u64>)> = None;
        for (_, id) in ops {
            let line = (id.replica, id.epoch);
            match &mut open {
                Some((at, seqs))
                    if *at == line
                        && seqs.len() < ENTRY_OPS_MAX
                        && seqs.last().is_some_and(|last| *last < id.seq) =>
                {
                    seqs.push(id.seq);
                }
                _ => {
                    if let Some((line, seqs)) = open.replace((line, vec![id.seq])) {
                        self.store.feed_append(branch, feed, &Entry::Ops { line, seqs })?;
                    }
                }
            }
        }
        if let Some((line, seqs)) = open {
            self.store.feed_append(branch, feed, &Entry::Ops { line, seqs })?;
        }
        Ok(())
    }

    /// Keeps a run's ruling and enters its ops where they are read.
    fn enter(&mut self, run: &Run, places: &BTreeMap<DocId, BTreeSet<Place>>) -> Result<Ruling, StoreError> {
        let ruling = run.ruling();
        self.store.ruling_put(run.branch, &ruling)?;
        let mut seqs: BTreeMap<Place, Vec<u64>> = BTreeMap::new();
        for (seq, (doc, verdict)) in (run.first..).zip(&run.ops) {
            if matches!(verdict, Verdict::Deferred { .. }) {
                continue;
            }
            for place in places.get(doc).into_iter().flatten() {
                seqs.entry(*place).or_default().push(seq);
            }
        }
        let (replica, line) = (run.line.0, run.line);
        let own = (run.branch, Feed::Replica(replica.0));
        // A device holds what it wrote, but for the other one where there are two of it.
        seqs.remove(&own);
        let copied = self.store.device(replica)?.is_some_and(|device| device.copied);
        let second_key = self.store.epoch_key(replica, line.1)?.is_some();
        if copied || second_key {
            let all = (run.first..).zip(&run.ops);
            let heard = all.filter(|(_, (_, verdict))| !matches!(verdict, Verdict::Deferred { .. }));
            seqs.insert(own, heard.map(|(seq, _)| seq).collect());
        }
        seqs.retain(|_, seqs| !seqs.is_empty());
        for ((branch, feed), seqs) in seqs {
            // Devices know the replica's own key only; of another one HQ vouches.
            let whole = run.whole && seqs.len() == run.ops.len() && !second_key;
            let entry =
                if whole { Entry::Segment { line, first: run.first } } else { Entry::Ops { line, seqs } };
            self.store.feed_append(branch, feed, &entry)?;
        }
        if replica != Replica::HQ {
            self.store.feed_append(run.branch, Feed::Replica(replica.0), &Entry::Ruling(ruling.clone()))?;
        }
        Ok(ruling)
    }

    /// Puts ops that a device lost into its own feed.
    pub(super) fn give_back(
        &mut self,
        branch: u32,
        line: Line,
        first: u64,
        last: u64,
    ) -> Result<(), StoreError> {
        let seqs: Vec<u64> = (first..=last).collect();
        for seqs in seqs.chunks(ENTRY_OPS_MAX) {
            let entry = Entry::Ops { line, seqs: seqs.to_vec() };
            self.store.feed_append(branch, Feed::Replica(line.0.0), &entry)?;
        }
        Ok(())
    }
}

impl Run {
    /// Returns what HQ says of the run: accepted, but for the exceptions.
    fn ruling(&self) -> Ruling {
        let exceptions = (0_u32..)
            .zip(&self.ops)
            .filter(|(_, (_, verdict))| *verdict != Verdict::Accepted)
            .map(|(at, (_, verdict))| (at, verdict.clone()))
            .collect();
        Ruling {
            replica: self.line.0,
            epoch: self.line.1,
            first: self.first,
            count: u32::try_from(self.ops.len()).unwrap_or(u32::MAX),
            order: self.order,
            cap_ms: self.cap_ms,
            version: self.version,
            exceptions,
        }
    }
}

/// Says `Merged` of the accepted ops that left something open.
fn tell_merged(job: &mut Job) {
    for run in job.runs.iter_mut().filter(|run| !run.stands) {
        for (seq, (doc, verdict)) in (run.first..).zip(&mut run.ops) {
            let id = OpId { replica: run.line.0, epoch: run.line.1, seq };
            let open = || job.works.get(doc).and_then(|work| work.merged(id));
            if *verdict == Verdict::Accepted
                && let Some(merged) = open()
            {
                *verdict = merged;
            }
        }
    }
}
