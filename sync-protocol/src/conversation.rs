//! One request and one answer: how messages become a body, and a body messages.
//!
//! A request begins with his first words behind their length: Hello, Enrol where it is the first, and one short segment;
//! then follow a Control frame for each aside and a Push frame for each further segment.
//! An answer is one run of messages: PushAck, Notices, Certificate, asides, Page, Moved, and Rulings last.
//!
//! Source: docs/PROTOCOL.md, Bodies.

use records::id::Replica;
use serde::{Deserialize, Serialize};

use crate::asides::{Ask, Tell};
use crate::body::{self, BodyError, SIGNATURE_BYTES, Unpack};
use crate::canonical;
use crate::chain::sha256;
use crate::cursor::Cursor;
use crate::envelope::{self, Message, MessageError, Moved, Notices, Page, Push, Raw, Rulings};
use crate::frame::{self, Frame, FrameError};
use crate::limits::{BODY_BYTES_MAX, BODY_OPS_MAX, CONTROL_BYTES_MAX, SEGMENT_BYTES_MAX, inflate_max};
use crate::message::{Certificate, Enrol, Hello, Item, Notice, PageEnd, PushAck};
use crate::proof::{self, AnswerProof};
use crate::ruling::Ruling;
use crate::segment::Segment;
use crate::sign::{PublicKey, Signature, Signer};

/// A segment up to this long rides with the first words: a frame of its own costs 14 bytes more.
const RIDING_BYTES_MAX: usize = 1024;
/// The length of the first words takes at most so many bytes: [`CONTROL_BYTES_MAX`] has 19 bits.
const LENGTH_BYTES_MAX: usize = 3;
/// A whole segment: its body and what stands around it.
const PUSH_BYTES_MAX: usize = SEGMENT_BYTES_MAX + 256;

/// What a device asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who speaks, and what he has read.
    pub hello: Hello,
    /// His key, in his first request.
    pub enrol: Option<Enrol>,
    /// What he says beside his log.
    pub asks: Vec<Ask>,
    /// What he wrote.
    pub segments: Vec<Segment>,
}

/// What HQ answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What HQ holds of the asker's log.
    pub ack: PushAck,
    /// What a person or the program should know.
    pub notices: Vec<Notice>,
    /// The asker's certificate, where it is new.
    pub certificate: Option<Certificate>,
    /// What HQ says beside.
    pub tells: Vec<Tell>,
    /// What the feeds bring.
    pub items: Vec<Item>,
    /// HQ's word on those ops and on the asker's.
    pub rulings: Vec<Ruling>,
    /// How far the feeds are read now.
    pub end: PageEnd,
}

/// SHA-256 of a request's body before its signature: what an answer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHash(pub [u8; 32]);

/// Something complete that a request brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Always the first. Nothing in it is proven before [`Reader::finish`].
    Hello(Hello),
    /// At most one. Not proven before [`Reader::finish`].
    Enrol(Enrol),
    /// Something beside the log; proven before [`Reader::finish`] only where [`Ask::proves_itself`].
    Ask(Ask),
    /// A segment, which carries its own proof.
    Push(Segment),
    /// A frame of a newer version, to be stepped over.
    Unknown {
        /// The kind of the frame.
        kind: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// Why a body was refused.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// The body around the frames.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It holds more ops than one body may.
    #[error("the body holds more than {BODY_OPS_MAX} ops")]
    TooManyOps,
    /// A frame in it.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A message in it.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Hello is not the first message, or a message stands twice.
    #[error("message {number:#04x} is missing, doubled or out of order")]
    Order {
        /// The message.
        number: u8,
    },
    /// The signature is not of the key expected.
    #[error("the signature is not of the key expected")]
    Signature,
}

impl RequestHash {
    /// Returns the hash of a request's whole body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let (signed, _) = body.split_at(body.len().saturating_sub(SIGNATURE_BYTES));
        Self(sha256(&[signed]))
    }
}

/// Returns the signature at the end of a body; `None` where it is too short for one.
#[must_use]
pub fn signature_of(body: &[u8]) -> Option<Signature> {
    body.last_chunk().copied().map(Signature)
}

/// Returns the body of a request.
#[must_use]
pub fn write_request(request: &Request, signer: &Signer) -> Vec<u8> {
    let mut control = Vec::new();
    envelope::write(&request.hello, &mut control);
    if let Some(enrol) = &request.enrol {
        envelope::write(enrol, &mut control);
    }
    let mut segments = request.segments.as_slice();
    // What is carried for others comes before what was built on it.
    if let [first, rest @ ..] = segments
        && first.body.len() <= RIDING_BYTES_MAX
        && first.replica == request.hello.replica
        && !request.asks.iter().any(|ask| matches!(ask, Ask::Relay(_)))
    {
        envelope::write(&Push::from(first), &mut control);
        segments = rest;
    }
    let mut frames = Vec::new();
    canonical::push_len(control.len(), &mut frames);
    frames.append(&mut control);
    for ask in &request.asks {
        let mut control = Vec::new();
        ask.write(&mut control);
        frame::write(frame::CONTROL, &control, &mut frames);
    }
    for segment in segments {
        frame::write(frame::PUSH, &canonical::to_bytes(segment), &mut frames);
    }
    let body = body::pack(&frames);
    let signature = signer.sign("request", &[&sha256(&[&body])]);
    [body.as_slice(), &signature.0].concat()
}

/// Reads a request as it arrives, so that HQ can keep every complete segment of one that is cut.
#[derive(Debug)]
pub struct Reader {
    unpack: Unpack,
    frames: Vec<u8>,
    /// The first words are read; frames follow.
    begun: bool,
    greeted: Option<Replica>,
    enrolled: bool,
    ops: usize,
}

impl Reader {
    /// Returns a reader of a request that may hold `limit` bytes; with a Content-Length, `inflate_max` of it.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let unpack = Unpack::new(limit.min(BODY_BYTES_MAX));
        Self { unpack, frames: Vec::new(), begun: false, greeted: None, enrolled: false, ops: 0 }
    }

    /// Takes bytes as they arrive and returns what they complete.
    ///
    /// # Errors
    /// [`ReadError`]; the events of earlier calls stay good, a reader that failed must not be used again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ReadError> {
        let mut frames = std::mem::take(&mut self.frames);
        self.unpack.push(bytes, &mut frames)?;
        let mut events = Vec::new();
        let mut rest = frames.as_slice();
        if !self.begun
            && let Some(words) = first_words(&mut rest)?
        {
            self.begun = true;
            self.messages(words, &mut events)?;
        }
        while self.begun
            && let Some((frame, length)) = frame::read(rest, CONTROL_BYTES_MAX)?
        {
            self.take(&frame, &mut events)?;
            rest = rest.get(length..).unwrap_or_default();
        }
        self.frames = rest.to_vec();
        Ok(events)
    }

    /// Ends the request: checks that it is whole and signed by `key`, and returns its name for the answer.
    ///
    /// # Errors
    /// [`ReadError::Body`] where it is cut short, [`ReadError::Signature`], [`ReadError::Order`] without a Hello.
    pub fn finish(self, key: &PublicKey) -> Result<RequestHash, ReadError> {
        self.finish_by(&[*key]).map(|(hash, _)| hash)
    }

    /// As [`Self::finish`], for a sender that may hold any of `keys`; also returns the one that signed.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_by(self, keys: &[PublicKey]) -> Result<(RequestHash, PublicKey), ReadError> {
        let (hash, signature) = self.unpack.finish()?;
        if !self.frames.is_empty() {
            return Err(BodyError::CutShort.into());
        }
        if self.greeted.is_none() {
            return Err(ReadError::Order { number: Hello::NUMBER });
        }
        let signed = |key: &&PublicKey| key.verifies("request", &[&hash], &signature);
        let key = keys.iter().find(signed).ok_or(ReadError::Signature)?;
        Ok((RequestHash(hash), *key))
    }

    fn take(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        match frame.kind {
            frame::CONTROL => self.messages(frame.payload, events)?,
            frame::PUSH => {
                let number = Push::NUMBER;
                if frame.payload.len() > PUSH_BYTES_MAX {
                    return Err(MessageError::Malformed { number }.into());
                }
                let segment =
                    canonical::from_bytes(frame.payload).ok_or(MessageError::Malformed { number })?;
                events.push(self.segment(segment)?);
            }
            kind if kind & frame::MUST_UNDERSTAND == 0 && self.greeted.is_some() => {
                events.push(Event::Unknown { kind, bytes: frame.payload.to_vec() });
            }
            number => return Err(MessageError::Newer { number }.into()),
        }
        Ok(())
    }

    fn messages(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), ReadError> {
        for raw in envelope::split(bytes)? {
            let event = self.message(&raw)?;
            events.push(event);
        }
        Ok(())
    }

    fn message(&mut self, raw: &Raw<'_>) -> Result<Event, ReadError> {
        let number = raw.number;
        if raw.is::<Hello>() == self.greeted.is_some() || (raw.is::<Enrol>() && self.enrolled) {
            return Err(ReadError::Order { number });
        }
        if raw.is::<Hello>() {
            let hello: Hello = raw.read()?;
            self.greeted = Some(hello.replica);
            return Ok(Event::Hello(hello));
        }
        if raw.is::<Enrol>() {
            self.enrolled = true;
            return Ok(Event::Enrol(raw.read()?));
        }
        let Some(replica) = self.greeted else {
            return Err(ReadError::Order { number });
        };
        if raw.is::<Push>() {
            return self.segment(raw.read::<Push>()?.by(replica));
        }
        Ok(Event::Ask(Ask::of_message(raw)?))
    }

    fn segment(&mut self, segment: Segment) -> Result<Event, ReadError> {
        if self.greeted.is_none() {
            return Err(ReadError::Order { number: Push::NUMBER });
        }
        self.ops = self.ops.saturating_add(usize::try_from(segment.count).unwrap_or(usize::MAX));
        if self.ops > BODY_OPS_MAX {
            return Err(ReadError::TooManyOps);
        }
        Ok(Event::Push(segment))
    }
}

/// Takes the first words of a request off the front of `rest`; `None` where bytes are still missing.
fn first_words<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, ReadError> {
    let mut left = *rest;
    let Some(length) = canonical::take_len(&mut left) else {
        let cut = rest.iter().take(LENGTH_BYTES_MAX).all(|byte| byte & 0x80 != 0);
        return if cut && rest.len() < LENGTH_BYTES_MAX {
            Ok(None)
        } else {
            Err(MessageError::CutShort.into())
        };
    };
    if length > CONTROL_BYTES_MAX {
        let bytes = u32::try_from(length).unwrap_or(u32::MAX);
        return Err(FrameError::TooLong { bytes, limit: CONTROL_BYTES_MAX }.into());
    }
    let Some((words, left)) = left.split_at_checked(length) else {
        return Ok(None);
    };
    *rest = left;
    Ok(Some(words))
}

/// Returns the body of an answer.
///
/// Its one signature keeps rulings and extracts provable without the rest, see [`crate::proof`].
#[must_use]
pub fn write_answer(answer: &Answer, request: RequestHash, signer: &Signer) -> Vec<u8> {
    let mut control = Vec::new();
    envelope::write(&answer.ack, &mut control);
    if !answer.notices.is_empty() {
        envelope::write_as::<Notices>(&answer.notices, &mut control);
    }
    if let Some(certificate) = &answer.certificate {
        envelope::write(certificate, &mut control);
    }
    for tell in &answer.tells {
        tell.write(&mut control);
    }
    if !answer.items.is_empty() {
        envelope::write_as::<Page>(&answer.items, &mut control);
    }
    let moved = Moved { positions: answer.end.next.positions.clone(), more: answer.end.more };
    if moved != Moved::default() {
        envelope::write(&moved, &mut control);
    }
    let rest = sha256(&[&control]);
    let mut rulings = Vec::new();
    if !answer.rulings.is_empty() {
        rulings = canonical::to_bytes(&answer.rulings);
        envelope::write_as::<Rulings>(&answer.rulings, &mut control);
    }
    let body = body::pack(&control);
    let leaves = answer.items.iter().filter_map(leaf_of).collect();
    let proof = AnswerProof::sign(signer, rulings, leaves, (request.0, rest));
    [body.as_slice(), &proof.signature.0].concat()
}

/// Reads the answer to `request`; HQ's signature is checked before anything in it is decoded.
///
/// # Errors
/// [`ReadError`]; [`ReadError::Signature`] where it is not `key`'s, or answers another request.
pub fn read_answer(
    body: &[u8],
    request: RequestHash,
    key: &PublicKey,
) -> Result<(Answer, AnswerProof), ReadError> {
    let mut unpack = Unpack::new(inflate_max(body.len()));
    let mut messages = Vec::new();
    unpack.push(body, &mut messages)?;
    let (_, signature) = unpack.finish()?;
    let raws = envelope::split(&messages)?;
    let rulings = raws.last().filter(|raw| raw.is::<Rulings>());
    let behind = rulings.map_or(0, |raw| envelope::written_len(raw.bytes.len()));
    let (rest, _) = messages.split_at(messages.len().saturating_sub(behind));
    let page = raws.iter().find(|raw| raw.is::<Page>()).map_or(&[][..], |raw| raw.bytes);
    let leaves = proof::leaves(page).ok_or(MessageError::Malformed { number: Page::NUMBER })?;
    let proof = AnswerProof {
        rulings: rulings.map_or_else(Vec::new, |raw| raw.bytes.to_vec()),
        leaves,
        context: proof::join(&[&request.0, &sha256(&[rest])]),
        signature,
    };
    if !proof.genuine(key) {
        return Err(ReadError::Signature);
    }
    Ok((read_messages(&raws)?, proof))
}

fn read_messages(raws: &[Raw<'_>]) -> Result<Answer, ReadError> {
    let ack: PushAck = only(raws)?.ok_or(ReadError::Order { number: PushAck::NUMBER })?;
    let moved: Moved = only(raws)?.unwrap_or_default();
    let known = |raw: &&Raw<'_>| {
        raw.is::<PushAck>()
            || raw.is::<Notices>()
            || raw.is::<Certificate>()
            || raw.is::<Page>()
            || raw.is::<Moved>()
            || raw.is::<Rulings>()
    };
    let tells = raws.iter().filter(|raw| !known(raw)).map(Tell::of_message).collect::<Result<_, _>>()?;
    let Page(items) = only(raws)?.unwrap_or_default();
    if items.iter().map(ops_of).sum::<u64>() > u64::try_from(BODY_OPS_MAX).unwrap_or(u64::MAX) {
        return Err(ReadError::TooManyOps);
    }
    let next = Cursor { incarnation: ack.incarnation, positions: moved.positions };
    Ok(Answer {
        ack,
        notices: only::<Notices>(raws)?.unwrap_or_default().0,
        certificate: only(raws)?,
        tells,
        items,
        rulings: only::<Rulings>(raws)?.unwrap_or_default().0,
        end: PageEnd { next, more: moved.more },
    })
}

fn leaf_of(item: &Item) -> Option<[u8; 32]> {
    match item {
        Item::Extract(extract) => Some(proof::leaf(extract)),
        Item::Segment(_) | Item::Evict(_) | Item::Newer { .. } => None,
    }
}

fn ops_of(item: &Item) -> u64 {
    match item {
        Item::Segment(segment) => u64::from(segment.count),
        Item::Extract(extract) => u64::try_from(extract.seqs.len()).unwrap_or(u64::MAX >> 32),
        Item::Evict(_) | Item::Newer { .. } => 0,
    }
}

/// Returns the one message of that type; `None` without one.
fn only<M: Message>(raws: &[Raw<'_>]) -> Result<Option<M>, ReadError> {
    let mut found = raws.iter().filter(|raw| raw.is::<M>());
    let first = found.next().map(Raw::read).transpose()?;
    if found.next().is_some() {
        return Err(ReadError::Order { number: M::NUMBER });
    }
    Ok(first)
}
