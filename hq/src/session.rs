//! One conversation with one device: what it pushes is kept as it arrives, the last of it with the answer, which tells
//! and gives it what is new.
//!
//! Source: docs/PROTOCOL.md, Messages.

mod answer;
mod pushed;

use std::collections::BTreeMap;
use std::sync::Arc;

use records::id::{Epoch, Replica};
use sync_protocol::asides::{Ask, Chunk, FileHave, Tell};
use sync_protocol::conversation::{Answer, Event, ReadError, Reader, RequestHash, write_answer};
use sync_protocol::cursor::Cursor;
use sync_protocol::limits::BODY_BYTES_MAX;
use sync_protocol::message::{Clocks, Enrol, Hello, Notice, VERSIONS};
use sync_protocol::reason;
use sync_protocol::ruling::{Ruling, Verdict};
use sync_protocol::segment::Segment;
use sync_protocol::sign::{PublicKey, Signer};

use crate::clock::Clock;
use crate::enrol::{Bound, EnrolError};
use crate::files::Files;
use crate::pieces::{self, Kept};
use crate::porter::{Later, Porter};
use crate::session::pushed::{CameTo, Pushed};
use crate::store::StoreError;
use crate::store::devices::{Device, Why};
use crate::store::log::Came;
use crate::writer::{NotKept, Writer};

/// Bytes of answers to what is carried for others, in one answer: with more of them no more is taken.
const RELAYED_BYTES_MAX: usize = BODY_BYTES_MAX / 2;

/// Why a request gets no signed answer.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It cannot be read, or is not signed by the device.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No device has that name, or it showed no proof.
    #[error("no device of this name")]
    Unknown,
    /// Its parts stand in an order that no device sends.
    #[error("the request begins with a hello")]
    Order,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer could not keep it.
    #[error(transparent)]
    NotKept(#[from] NotKept),
    /// HQ's own log.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The device comes too often.
    #[error(transparent)]
    Later(#[from] Later),
}

/// What all conversations share.
#[derive(Debug, Clone)]
pub struct Office {
    /// Where changes are made.
    pub writer: Writer,
    /// HQ's key.
    pub signer: Arc<Signer>,
    /// The time.
    pub clock: Clock,
    /// Attachments on the disk.
    pub files: Files,
    /// How often devices may come, and how much each may leave.
    pub porter: Arc<Porter>,
}

/// One conversation.
#[derive(Debug)]
pub struct Session {
    office: Office,
    reader: Option<Reader>,
    hello: Option<Hello>,
    /// The device's wall clock less HQ's when it began to speak.
    skew_ms: Option<i64>,
    device: Option<Device>,
    keys: Vec<(PublicKey, bool)>,
    enrolled: bool,
    /// The last op pushed of each epoch.
    pushed: BTreeMap<Epoch, u64>,
    /// What the last bytes completed: it is taken in with the answer.
    last: Option<Pushed>,
    notices: Vec<Notice>,
    rulings: Vec<Ruling>,
    new_ops: u64,
    /// To be heard once the request is proven.
    asks: Vec<Ask>,
    tells: Vec<Tell>,
    /// The request came by file: it may be old, and its clocks and lease say nothing of now.
    carried: bool,
}

/// A request that was taken in, and what there is to say to it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The request.
    pub request: RequestHash,
    /// The key that signed it.
    pub key: PublicKey,
    /// Who asked.
    pub replica: Replica,
    /// What he had read.
    pub cursor: Cursor,
    /// How many bytes the answer may have; 0: as many as the limit allows.
    pub answer_bytes_max: u32,
    /// How many ops were new.
    pub new_ops: u64,
    /// What HQ says.
    pub answer: Answer,
}

impl Session {
    /// Begins; `limit` is what the body may inflate to.
    #[must_use]
    pub fn new(office: Office, limit: usize) -> Self {
        Self {
            office,
            reader: Some(Reader::new(limit)),
            hello: None,
            skew_ms: None,
            device: None,
            keys: Vec::new(),
            enrolled: false,
            pushed: BTreeMap::new(),
            last: None,
            notices: Vec::new(),
            rulings: Vec::new(),
            new_ops: 0,
            asks: Vec::new(),
            tells: Vec::new(),
            carried: false,
        }
    }

    /// Begins one whose request came by file, or was carried by another device.
    #[must_use]
    pub fn carried(office: Office, limit: usize) -> Self {
        Self { carried: true, ..Self::new(office, limit) }
    }

    /// Returns who speaks; `None` before he has said so.
    #[must_use]
    pub fn replica(&self) -> Option<Replica> {
        self.hello.as_ref().map(|hello| hello.replica)
    }

    /// Returns whether a segment with the device's signature came.
    #[must_use]
    pub fn has_pushed(&self) -> bool {
        !self.pushed.is_empty()
    }

    /// Takes bytes as they arrive; what they complete is on the disk when this returns. Blocks.
    ///
    /// # Errors
    /// [`SessionError`]; what was complete before stays kept.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        match self.read(bytes)? {
            Some(pushed) => self.take(pushed),
            None => Ok(()),
        }
    }

    /// Takes the last bytes; the segments that they complete come onto the disk together with what is answered. Blocks.
    ///
    /// # Errors
    /// [`SessionError`]; what was complete before stays kept.
    pub fn push_last(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.keep()?;
        self.last = self.read(bytes)?;
        Ok(())
    }

    /// Brings onto the disk now what would have come there with the answer. Blocks.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn keep(&mut self) -> Result<(), SessionError> {
        self.last.take().map_or(Ok(()), |pushed| self.take(pushed))
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Option<Pushed>, SessionError> {
        let events = self.reader.as_mut().ok_or(SessionError::Order)?.push(bytes)?;
        let mut segments = Vec::new();
        for event in events {
            match event {
                Event::Hello(hello) => self.greet(hello)?,
                Event::Enrol(enrol) => self.enrol(enrol)?,
                Event::Push(segment) => segments.push(segment),
                Event::Ask(_) if !self.is_spoken() => {}
                Event::Ask(Ask::Relay(sealed)) => self.relay(&sealed)?,
                Event::Ask(Ask::Chunk(chunk)) => self.piece(&chunk)?,
                Event::Ask(ask) if ask.proves_itself() => self.hear(vec![ask])?,
                Event::Ask(ask) => self.asks.push(ask),
                Event::Unknown { .. } => {}
            }
        }
        if segments.is_empty() { Ok(None) } else { self.sort(segments).map(Some) }
    }

    /// Whether both ends speak one version of the protocol; a segment of another one is kept as it came.
    fn is_spoken(&self) -> bool {
        let overlap = |(lowest, highest)| lowest <= VERSIONS.1 && VERSIONS.0 <= highest;
        self.hello.as_ref().is_some_and(|hello| overlap(hello.versions))
    }

    fn greet(&mut self, hello: Hello) -> Result<(), SessionError> {
        let replica = hello.replica;
        if !self.carried {
            self.office.porter.device(replica, self.office.clock.now_ms())?;
        }
        let (device, more, restored) = self.office.writer.run(move |desk| {
            let device = desk.store.device(replica)?;
            let restored = desk.store.restored_from()?.is_some();
            Ok::<_, StoreError>((device, desk.store.more_keys(replica)?, restored))
        })??;
        // One that enrolled after the backup is known again once HQ's own ops say who it is: it shows them here.
        if device.is_none() && !restored {
            return Err(SessionError::Unknown);
        }
        let bound = device.as_ref().and_then(|device| device.key);
        self.keys.extend(bound.map(|key| (key, true)));
        self.keys.extend(more);
        self.device = device;
        // What was carried was written some other day: its clocks say nothing of now.
        self.skew_ms = (!self.carried).then(|| skew(hello.clocks, self.office.clock.now_ms()));
        self.hello = Some(hello);
        Ok(())
    }

    fn enrol(&mut self, enrol: Enrol) -> Result<(), SessionError> {
        let replica = self.hello.as_ref().ok_or(SessionError::Order)?.replica;
        let now = self.office.clock.now_ms();
        let key = enrol.key;
        let bound = self.office.writer.run(move |desk| desk.bind(replica, &enrol, now))??;
        match bound {
            Bound::Refused => Err(SessionError::Unknown),
            Bound::Yes => {
                self.keys = vec![(key, true)];
                self.enrolled = true;
                Ok(())
            }
            Bound::Unconfirmed => {
                let known = self.keys.iter().any(|(known, _)| *known == key);
                self.keys.extend((!known).then_some((key, false)));
                Ok(())
            }
        }
    }

    /// Takes in what is carried for another device; what is carried carries nothing itself. What there is no room for in
    /// the answer is left where it is, and comes again.
    fn relay(&mut self, sealed: &[u8]) -> Result<(), SessionError> {
        let told: usize = self.tells.iter().map(Tell::length).sum();
        if !self.carried && told < RELAYED_BYTES_MAX {
            let told = crate::bundles::relayed(&self.office, sealed)?;
            self.tells.push(Tell::Relayed(told.to_bytes()));
        }
        Ok(())
    }

    /// Keeps a piece of a file; what is then still missing of the file is told at the end.
    fn piece(&mut self, chunk: &Chunk) -> Result<(), SessionError> {
        // A restored HQ may hear only in this request who it is: its pieces come again.
        let Some(device) = &self.device else { return Ok(()) };
        let signed = self.keys.iter().any(|(key, confirmed)| *confirmed && chunk.verify(key));
        if !device.standing.takes_part() || !signed {
            self.refuse(reason::SIGNATURE);
            return Ok(());
        }
        if pieces::take(&self.office, device, chunk)? == Kept::Beyond {
            self.refuse(reason::QUOTA);
        }
        self.asks.push(Ask::Have(vec![FileHave { hash: chunk.hash, total: chunk.total }]));
        Ok(())
    }

    /// Says once that something is not taken, and why.
    fn refuse(&mut self, why: u16) {
        if why == reason::QUOTA {
            self.office.porter.meter.turned_away("quota");
        }
        let notice = Notice::Refused(why);
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Hears what proves itself: it is kept even where the rest of the request never comes.
    fn hear(&mut self, asks: Vec<Ask>) -> Result<(), SessionError> {
        let device = self.device.clone();
        let now = self.office.clock.now_ms();
        let tells = self.office.writer.run(move |desk| match device {
            Some(device) => desk.hear(&device, asks, now),
            None => desk.hear_stranger(asks, now),
        })??;
        self.tells.extend(tells);
        Ok(())
    }

    /// Sorts segments by who signed them.
    fn sort(&mut self, segments: Vec<Segment>) -> Result<Pushed, SessionError> {
        let replica = self.hello.as_ref().ok_or(SessionError::Order)?.replica;
        let part = self.device.as_ref().is_none_or(|device| device.standing.takes_part());
        let (own, carried): (Vec<_>, Vec<_>) =
            segments.into_iter().partition(|segment| segment.replica == replica);
        let heard = part && self.is_spoken();
        let now_ms = self.office.clock.now_ms();
        let mut pushed = Pushed {
            own: Vec::new(),
            aside: Vec::new(),
            carried: if heard { carried } else { Vec::new() },
            came: Came { received_ms: now_ms, skew_ms: self.skew_ms },
            branch: self.device.as_ref().map_or(0, |device| device.branch),
            first_key: self.device.as_ref().and_then(|device| device.key),
            several: self.keys.len() > 1,
        };
        for segment in own {
            let signed = |(key, _): &&(PublicKey, bool)| segment.verify(key).is_ok();
            match self.keys.iter().find(signed) {
                Some((key, true)) if heard => {
                    let last = self.pushed.entry(segment.epoch).or_default();
                    *last = segment.last().max(*last);
                    pushed.own.push((segment, *key));
                }
                Some((_, true)) if part => pushed.aside.push((segment, Why::Newer)),
                Some((_, true)) => pushed.aside.push((segment, Why::Revoked)),
                Some((_, false)) => pushed.aside.push((segment, Why::Unconfirmed)),
                None => self.notices.push(Notice::Refused(reason::SIGNATURE)),
            }
        }
        Ok(pushed)
    }

    fn take(&mut self, pushed: Pushed) -> Result<(), SessionError> {
        let porter = Arc::clone(&self.office.porter);
        let came = self.office.writer.run(move |desk| pushed.take(desk, &porter))??;
        self.note(came);
        Ok(())
    }

    /// Notes what became of segments, for the answer.
    fn note(&mut self, came: CameTo) {
        self.notices.extend(came.refused.then_some(Notice::Refused(reason::SIGNATURE)));
        if came.beyond {
            self.refuse(reason::QUOTA);
        }
        self.notices.extend(came.taken.notices);
        self.rulings.extend(came.taken.rulings);
        self.new_ops += came.taken.new_ops;
    }

    /// Ends: checks the request's signature and returns the answer's bytes. Blocks.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn finish(self) -> Result<Vec<u8>, SessionError> {
        Ok(self.finish_counted()?.0)
    }

    /// The same, with how many ops were new and how many of those were refused and kept.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn finish_counted(self) -> Result<(Vec<u8>, u64, u64), SessionError> {
        let signer = Arc::clone(&self.office.signer);
        let answered = self.answered()?;
        let exceptions = answered.answer.ack.rulings.iter().flat_map(|ruling| &ruling.exceptions);
        let refused =
            exceptions.filter(|(_, verdict)| matches!(verdict, Verdict::Quarantined { .. })).count();
        let refused = u64::try_from(refused).unwrap_or(u64::MAX).min(answered.new_ops);
        Ok((write_answer(&answered.answer, answered.request, &signer), answered.new_ops, refused))
    }

    /// Ends: checks the request's signature and returns what there is to say. Blocks.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn answered(mut self) -> Result<Answered, SessionError> {
        let reader = self.reader.take().ok_or(SessionError::Order)?;
        if self.keys.is_empty() {
            // A restored HQ may learn only from what came with the request who asks.
            self.keep()?;
            if let Some(hello) = self.hello.take() {
                self.greet(hello)?;
            }
        }
        let keys: Vec<PublicKey> = self.keys.iter().map(|(key, _)| *key).collect();
        let ended = reader.finish_by(&keys);
        // Segments prove themselves: they are kept whatever the request around them is.
        if ended.is_err() {
            self.keep()?;
        }
        let (request, key) = ended?;
        if let Some(hello) = self.hello.as_ref().filter(|_| !self.carried) {
            self.office.porter.proven(hello.replica, self.office.clock.now_ms());
        }
        let confirmed = self.keys.iter().any(|(known, confirmed)| *known == key && *confirmed);
        let hello = self.hello.as_ref().ok_or(SessionError::Order)?;
        let (replica, cursor) = (hello.replica, hello.cursor.clone());
        let answer_bytes_max = hello.answer_bytes_max;
        let (office, pushed) = (self.office.clone(), self.last.clone());
        let done = office.writer.run(move |desk| {
            if let Some(pushed) = self.last.take() {
                let came = pushed.take(desk, &self.office.porter)?;
                self.note(came);
            }
            let new_ops = self.new_ops;
            Ok::<_, StoreError>((self.answer(desk, key, request, confirmed)?, new_ops))
        })?;
        if let (Err(_), Some(pushed)) = (&done, pushed) {
            // An answer that cannot be made takes nobody's work with it.
            office.writer.run(move |desk| pushed.take(desk, &office.porter))??;
        }
        let (answer, new_ops) = done?;
        Ok(Answered { request, key, replica, cursor, answer_bytes_max, new_ops, answer })
    }
}

fn skew(clocks: Clocks, now: u64) -> i64 {
    let wall = i64::try_from(clocks.wall_ms).unwrap_or(i64::MAX);
    wall.saturating_sub(i64::try_from(now).unwrap_or(i64::MAX))
}
