//! One sync: what HQ lacks goes up, what the feeds bring comes down, until both sides are level.
//!
//! Each round is one request and its answer; what an answer brought is on the disk before the next one.
//! A round whose answer was lost is said again: HQ knows each op by its name, so nothing doubles.
//!
//! Source: docs/PROTOCOL.md, Bodies and Messages.

mod asides;
pub mod entropy;
mod files;
pub mod introduction;
mod pins;
pub mod report;
pub mod standing;
mod tables;
#[cfg(test)]
mod tests;

use std::time::Duration;

use sync_protocol::conversation::{self, Answer, ReadError, Request, RequestHash};
use sync_protocol::limits::BODY_OPS_MAX;
use sync_protocol::message::{Compared, Hello, Notice};
use sync_protocol::reason;
use sync_protocol::segment::Segment;

use crate::clock::Clock;
use crate::store::Store;
use crate::store::again::Offer;
use crate::store::apply::Applied;
use crate::store::error::StoreError;
use crate::sync::entropy::Entropy;
use crate::sync::files::Exchange;
use crate::sync::report::{LastSync, Progress, SyncReport};
use crate::transport::{Fault, Transport, TransportError};

/// Bytes of segments in one request: large enough for few round trips, small enough for a small device.
const PUSH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What a round without anything to say takes, both ways; with less left of a limit none is begun.
const ROUND_BYTES: u64 = 512;
/// A push longer than this whose answer did not come is not sent again before HQ said what it kept of it.
const ASK_FIRST_BYTES: usize = 64 * 1024;
/// So often in one sync a fork is healed and the next round begun for it.
const HEALS_MAX: u32 = 8;
/// Bytes of what one request offers to a restored HQ.
const OFFER_BYTES_MAX: usize = 1024 * 1024;
/// So long a sync waits for an HQ that asks to come again; where it asks for longer the sync ends.
const LATER_S_MAX: u32 = 60;
/// The setting that stands while such a push has no answer.
const UNANSWERED: &str = "sync.unanswered";

/// How a sync is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Stop after about this many bytes of bodies, both ways; `None`: no limit.
    pub bytes_max: Option<u64>,
    /// How often a round is said again after the line broke.
    pub retries: u32,
    /// The wait before the first repetition; each further one doubles it, and chance adds up to as much again.
    pub wait_ms: u64,
    /// Compares digests with HQ in any case, also what is known to differ.
    pub compare: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { bytes_max: None, retries: 3, wait_ms: 500, compare: false }
    }
}

/// Why a sync stopped. What was acknowledged before stays acknowledged, and the next sync goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// HQ did not answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Something answered, and its answer is not signed by HQ.
    #[error("the answer is not signed by HQ's key")]
    WrongKey,
    /// What answered does not speak the protocol.
    #[error("the answer is not one of HQ's: {0}")]
    Answer(ReadError),
    /// The home did not give or take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lends the home for one job at a time: a sync holds it before and after a request, never while it waits for the answer.
pub trait Lends {
    /// Does one job with the home.
    ///
    /// # Errors
    /// [`StoreError`] where the home cannot be had, and what the job says.
    fn lend<T, E: From<StoreError>>(&mut self, job: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E>;
}

impl Lends for Store {
    fn lend<T, E: From<StoreError>>(&mut self, job: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        job(self)
    }
}

/// Syncs the home with its HQ.
///
/// `progress` is called after each round. What is saved between a request and its answer goes with the next one.
///
/// # Errors
/// [`SyncError`].
pub fn sync(
    home: &mut impl Lends,
    clock: &Clock,
    options: Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<SyncReport, SyncError> {
    let transport = home.lend(|store| {
        let identity = store.identity();
        Transport::new(&identity.enrolment.address, &identity.pins()).map_err(SyncError::from)
    })?;
    sync_by(transport, home, clock, options, progress)
}

/// Syncs the home with its HQ by a way that is there already.
///
/// # Errors
/// [`SyncError`].
pub fn sync_by(
    transport: Transport<'_>,
    home: &mut impl Lends,
    clock: &Clock,
    options: Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<SyncReport, SyncError> {
    let started_ms = clock.now().monotonic_ms;
    let mut session = home.lend(|store| Session::begin(store, transport, clock, options))?;
    loop {
        let next = session.round(home)?;
        progress(session.progress());
        if next == Next::Stop {
            break;
        }
    }
    home.lend(|store| session.finish(store, started_ms))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Round,
    Stop,
}

/// Whether HQ is told who this device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Introduction {
    No,
    Next,
    /// The request that says it is under way.
    Said,
    /// HQ answered it.
    Heard,
}

struct Session<'a> {
    clock: &'a Clock,
    transport: Transport<'a>,
    options: Options,
    /// Own ops that HQ lacked when the sync began, and lacks now.
    before: u64,
    unsent: u64,
    /// HQ has to say what it holds before anything is pushed again.
    ask_first: bool,
    /// Rounds lost one after the other.
    lost: u32,
    /// Rounds whose answer named a fork.
    heals: u32,
    entropy: Entropy,
    /// How far a restored HQ was offered what it may have lost, once it has answered.
    offered: Option<Offer>,
    /// HQ did not know this device: it is told who that is, once.
    introduces: Introduction,
    /// Own ops that came back from HQ.
    given_back: u64,
    /// HQ said before that two homes write under this name.
    was_copied: bool,
    files: Exchange,
    report: SyncReport,
}

/// A request that is ready to go.
struct Asked {
    request: Request,
    body: Vec<u8>,
    /// Long enough that a lost answer is asked about first.
    large: bool,
    /// Own ops that HQ lacked when it was written.
    unsent: u64,
}

impl<'a> Session<'a> {
    fn begin(
        store: &mut Store,
        transport: Transport<'a>,
        clock: &'a Clock,
        options: Options,
    ) -> Result<Self, SyncError> {
        let unsent = store.counts()?.unsent_ops;
        let mut session = Self {
            ask_first: store.setting(UNANSWERED)?.is_some_and(|value| value == [1]),
            clock,
            transport,
            options,
            before: unsent,
            unsent,
            lost: 0,
            heals: 0,
            entropy: Entropy::new(options.compare),
            offered: None,
            introduces: Introduction::No,
            given_back: 0,
            was_copied: store.copied(),
            files: Exchange::new(),
            report: SyncReport::default(),
        };
        // A receipt that does not fit on the disk waits; the records must not wait for it.
        let owed = crate::bundle::relay::finish(store, clock.now()).unwrap_or_default();
        session.report.receipts.extend(owed.iter().map(|path| path.display().to_string()));
        Ok(session)
    }

    /// Asks once, takes in the answer, and says whether to go on.
    fn round(&mut self, home: &mut impl Lends) -> Result<Next, SyncError> {
        let asked = home.lend(|store| self.prepare(store))?;
        let answered = self.transport.post(&asked.body);
        (self.report.bytes_up, self.report.bytes_down) = self.transport.moved();
        let next = match answered {
            Ok(answer) => home.lend(|store| self.hear(store, asked, &answer))?,
            Err(error) => {
                let wait_ms = home.lend(|store| self.repeat(store, error, asked.large))?;
                std::thread::sleep(Duration::from_millis(wait_ms));
                Next::Round
            }
        };
        self.unsent = home.lend(|store| Ok::<_, StoreError>(store.counts()?.unsent_ops))?;
        self.report.sent_ops = self.before.saturating_sub(self.unsent);
        Ok(next)
    }

    fn prepare(&mut self, store: &mut Store) -> Result<Asked, SyncError> {
        let request = self.request(store)?;
        let body = conversation::write_request(&request, &store.signer()?);
        let large = body.len() > ASK_FIRST_BYTES && !request.segments.is_empty();
        if large {
            store.put_setting(UNANSWERED, vec![1])?;
        }
        self.report.requests += 1;
        Ok(Asked { request, body, large, unsent: store.counts()?.unsent_ops })
    }

    fn hear(&mut self, store: &mut Store, asked: Asked, answer: &[u8]) -> Result<Next, SyncError> {
        let Asked { request, body, large, unsent } = asked;
        self.lost = 0;
        if self.introduces == Introduction::Said {
            self.introduces = Introduction::Heard;
        }
        let key = store.identity().enrolment.hq_key;
        let (mut answer, proof) =
            conversation::read_answer(answer, RequestHash::of(&body), &key).map_err(|error| {
                if error == ReadError::Signature { SyncError::WrongKey } else { SyncError::Answer(error) }
            })?;
        if *store.cursor() != request.hello.cursor {
            // Somebody else synced this home meanwhile: what was asked for is here already.
            self.offered = None;
            return Ok(Next::Round);
        }
        if store.counts()?.unsent_ops != unsent {
            // Something was written meanwhile: what is compared is not what stands here now.
            self.entropy.rest();
        }
        let unsent = store.counts()?.unsent_ops;
        let applied = store.apply(&answer, &proof, self.clock.now())?;
        let beside = asides::waiting(store)?;
        for tell in &answer.tells {
            let receipt = asides::hear(store, tell, self.clock.now())?;
            self.report.receipts.extend(receipt.map(|path| path.display().to_string()));
        }
        let left_beside = asides::waiting(store)?;
        if let Some(offer) = self.offered.take().filter(|_| !applied.restored) {
            store.set_offer(Some(&offer))?;
        }
        let knows = pins::settle(store, &request, &answer)?;
        let reads_otherwise = tables::hear(store, &answer.tells)?;
        if reads_otherwise {
            // What it could not read it gets again, as it reads it.
            answer.notices.retain(|notice| *notice != Notice::Refused(reason::NEWER));
        }
        self.entropy.hear(store, &request.hello, &answer, self.clock.now().wall)?;
        store.doubt_files(answer.ack.incarnation.0)?;
        let files = self.files.hear(store, &answer.tells, self.clock.now())?;
        if large || self.ask_first {
            store.put_setting(UNANSWERED, vec![0])?;
        }
        let asked = std::mem::take(&mut self.ask_first) | standing::note(store, &request, &answer)?;
        let healed = !applied.healed.is_empty();
        if applied.restored {
            // What this request pushed was taken; of all else HQ says first what it holds.
            ask_first(store)?;
            self.ask_first = true;
        }
        self.note(store, &answer, applied)?;
        let left = store.counts()?.unsent_ops;
        let offer = store.offer()?;
        let offers = offer.as_ref().is_some_and(|offer| !offer.is_done());
        self.report.level = left == 0 && !answer.end.more && !offers;
        if self.report.level && offer.is_some() {
            store.set_offer(None)?;
        }
        self.heals += u32::from(healed);
        let healed = healed && self.heals <= HEALS_MAX;
        let fewer = left_beside < beside;
        let moved = asked
            || healed
            || offers
            || fewer
            || reads_otherwise
            || left < unsent
            || moves(&request.hello, &answer);
        let done = if self.report.level { !self.entropy.goes_on(self.budget()) } else { !moved };
        let files_go_on = self.report.level && self.files.goes_on(store, files)?;
        let relays_go_on = fewer && left_beside > 0;
        // What HQ has no room for today is not sent again and again.
        let beyond = self.report.notices.contains(&Notice::Refused(reason::QUOTA));
        let spent = self.budget().is_some_and(|left| left < ROUND_BYTES);
        let stop = beyond || (done && !files_go_on && !relays_go_on && !knows) || spent;
        Ok(if stop { Next::Stop } else { Next::Round })
    }

    fn request(&mut self, store: &mut Store) -> Result<Request, SyncError> {
        let budget = self.budget().and_then(|bytes| usize::try_from(bytes).ok());
        let most = budget.unwrap_or(PUSH_BYTES_MAX).min(PUSH_BYTES_MAX);
        let offered = store.offer_next(most.min(OFFER_BYTES_MAX))?;
        // HQ takes its own words first: it would else judge anew what it ruled on before.
        let holds_back = offered.as_ref().is_some_and(|offered| !offered.next.words_are_said());
        let mut segments = if self.ask_first || holds_back {
            Vec::new()
        } else {
            let ops_max = if offered.is_some() { BODY_OPS_MAX / 2 } else { BODY_OPS_MAX };
            store.unsent_behind(&standing::sent(store)?, most, ops_max)?
        };
        let mut hello = store.hello(self.clock.now())?;
        hello.heads.retain(|head| !segments.iter().any(|segment| ends(segment, head)));
        if let Some(budget) = self.budget() {
            hello.answer_bytes_max = u32::try_from(budget.max(1)).unwrap_or(u32::MAX);
        }
        let sent: usize = segments.iter().map(|segment| segment.body.len()).sum();
        let mut asks = self.entropy.asks(store)?;
        asks.extend(store.clock_ask(self.clock.now())?);
        asks.extend(asides::asks(store, PUSH_BYTES_MAX.saturating_sub(sent))?);
        // Records first: a file is of no use to whoever has not heard what it belongs to.
        let records_sent = segments.is_empty() && !self.ask_first && store.counts()?.unsent_ops == 0;
        let records_sent = records_sent && offered.is_none();
        asks.extend(self.files.asks(store, records_sent.then_some(most))?);
        if let Some(offered) = offered {
            asks.extend(offered.asks);
            segments.extend(offered.segments);
            self.offered = Some(offered.next);
        }
        if self.introduces == Introduction::Next {
            self.introduces = Introduction::Said;
            let (proven, signed) = store.introduction()?;
            asks.extend(proven);
            asks.extend(introduction::proof_of_oneself(store)?);
            segments.splice(..0, signed);
        }
        Ok(Request { hello, enrol: introduction::first_contact(store)?, asks, segments })
    }

    /// Returns for how many milliseconds to wait before the round is said again after a broken line, or gives up.
    fn repeat(&mut self, store: &mut Store, error: TransportError, large: bool) -> Result<u64, SyncError> {
        self.offered = None;
        let unknown = matches!(error, TransportError::Status(401 | 403));
        if unknown && self.introduces == Introduction::No && introduction::certificate(store)?.is_some() {
            self.introduces = Introduction::Next;
            return Ok(0);
        }
        let again = match error {
            TransportError::Unreachable(Fault::Broken | Fault::TimedOut) => true,
            TransportError::Later { seconds } => seconds <= LATER_S_MAX,
            TransportError::Status(status) => (500..600).contains(&status) || status == 408 || status == 429,
            _ => false,
        };
        if !again || self.lost >= self.options.retries {
            return Err(error.into());
        }
        self.ask_first |= large;
        if self.introduces == Introduction::Said {
            // HQ did not hear it, and would not know the device any better.
            self.introduces = Introduction::Next;
        }
        let by_volume = self.files.lost();
        // A line that breaks under pieces carries the next ones at once; one that is down needs time.
        let wait_ms =
            if by_volume { self.options.wait_ms / 10 } else { self.options.wait_ms << self.lost.min(6) };
        self.lost += 1;
        // Devices that lost the same HQ must not all come back in the same moment.
        let [chance]: [u8; 1] = crate::keys::random()?;
        let wait_ms = match error {
            TransportError::Later { seconds } => wait_ms.max(u64::from(seconds) * 1000),
            _ => wait_ms,
        };
        Ok(wait_ms + wait_ms * u64::from(chance) / 255)
    }

    fn note(&mut self, store: &mut Store, answer: &Answer, applied: Applied) -> Result<(), SyncError> {
        let report = &mut self.report;
        report.received_ops += applied.received_ops;
        report.new_quarantine += applied.new_quarantine;
        report.evicted += applied.evicted;
        for (name, count) in applied.verdicts {
            *report.verdicts.entry(name.to_owned()).or_default() += count;
        }
        report.digest_equal = match applied.digest {
            Compared::Not => report.digest_equal,
            Compared::Equal => Some(true),
            Compared::Differs(_) => Some(false),
        };
        for epoch in applied.forked {
            if !report.forked.contains(&epoch) {
                report.forked.push(epoch);
            }
        }
        self.given_back += applied.given_back;
        for notice in &answer.notices {
            // Once: after that `status` says it.
            let told = *notice == Notice::Copied && self.was_copied;
            if !told && !report.notices.contains(notice) {
                report.notices.push(notice.clone());
            }
        }
        match &answer.certificate {
            Some(certificate) => Ok(introduction::certified(store, certificate)?),
            None => Ok(()),
        }
    }

    /// Bytes that may still move; `None` without a limit.
    fn budget(&self) -> Option<u64> {
        let moved = self.report.bytes_up.saturating_add(self.report.bytes_down);
        self.options.bytes_max.map(|max| max.saturating_sub(moved))
    }

    fn progress(&self) -> Progress {
        Progress {
            sent_ops: self.report.sent_ops,
            unsent_ops: self.unsent,
            received_ops: self.report.received_ops,
            requests: self.report.requests,
            bytes_up: self.report.bytes_up,
            bytes_down: self.report.bytes_down,
        }
    }

    fn finish(self, store: &mut Store, started_ms: u64) -> Result<SyncReport, SyncError> {
        let now = self.clock.now();
        let left = store.file_counts()?;
        let mut report = self.report;
        report.reread = self.entropy.reread();
        (report.files_sent, report.files_left) = (self.files.sent, left.waiting);
        report.files_received = self.files.received;
        if self.given_back == 0 {
            // Put back, but not behind what was at HQ: nothing was missing.
            report.notices.retain(|notice| !matches!(notice, Notice::Rewound { .. }));
        }
        report.took_ms = now.monotonic_ms.saturating_sub(started_ms);
        let last = LastSync { at: now.wall, report };
        crate::notebook::files::reclaim(store, now)?;
        report::keep(store, &last)?;
        Ok(last.report)
    }
}

/// Lets HQ say what it holds before anything is pushed again.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn ask_first(store: &mut Store) -> Result<(), StoreError> {
    store.put_setting(UNANSWERED, vec![1])
}

/// Whether the segment is the end of the epoch that the head names, so that the head says nothing more.
fn ends(segment: &Segment, head: &sync_protocol::message::Head) -> bool {
    (segment.epoch, segment.last()) == (head.epoch, head.seq)
}

/// Whether the answer moves the cursor.
fn moves(hello: &Hello, answer: &Answer) -> bool {
    let next = &answer.end.next;
    let moved = |(feed, position): &(_, u64)| hello.cursor.position(*feed) != *position;
    next.incarnation != hello.cursor.incarnation || next.positions.iter().any(moved)
}
