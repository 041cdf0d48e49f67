//! A body: frames, deflated where that is shorter, and a signature behind them.
//!
//! ```text
//! form       u8: 0 the frames as they are, 1 deflated
//! frames
//! signature  64 bytes
//! ```
//!
//! Source: docs/PROTOCOL.md, Bodies.

use flate2::{Decompress, FlushDecompress, Status};

use crate::deflate::{LEVEL, deflate};
use crate::limits::inflate_max;
use crate::sign::Signature;

/// Bytes of the signature at the end.
pub(crate) const SIGNATURE_BYTES: usize = 64;
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;
/// What one step of inflating may add before the limit is looked at again.
const STEP_BYTES: usize = 16 * 1024;

/// Why a body was refused.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    /// Not a form of this version.
    #[error("body of form {0}; this build reads 0 and 1")]
    Form(u8),
    /// It ends too early.
    #[error("the body is cut short")]
    CutShort,
    /// It does not inflate, or goes on behind its end.
    #[error("the body does not inflate")]
    Damaged,
    /// It passes the limit.
    #[error("the body holds more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Returns form and frames; deflated if that is shorter and a reader would take it.
pub(crate) fn pack(frames: &[u8]) -> Vec<u8> {
    let Some(deflated) = deflate(frames, LEVEL, vec![DEFLATED]) else {
        return [&[PLAIN], frames].concat();
    };
    let taken = frames.len() <= inflate_max(deflated.len() + SIGNATURE_BYTES);
    if taken && deflated.len() <= frames.len() { deflated } else { [&[PLAIN], frames].concat() }
}

/// Reads a body as it arrives.
pub(crate) struct Unpack {
    limit: usize,
    form: Option<u8>,
    /// The last 64 bytes so far: they may be the signature.
    held: Vec<u8>,
    taken: usize,
    given: usize,
    inflate: Decompress,
    ended: bool,
    hash: ring::digest::Context,
}

impl std::fmt::Debug for Unpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unpack({} bytes taken, {} given)", self.taken, self.given)
    }
}

impl Unpack {
    /// Returns a reader of a body that may hold `limit` bytes of frames.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            form: None,
            held: Vec::new(),
            taken: 0,
            given: 0,
            inflate: Decompress::new(false),
            ended: false,
            hash: ring::digest::Context::new(&ring::digest::SHA256),
        }
    }

    /// Takes bytes as they arrive and appends the frames' bytes that they complete to `out`.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        self.taken = self.taken.saturating_add(bytes.len());
        if self.taken > self.limit.saturating_add(SIGNATURE_BYTES + 1) {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        self.held.extend_from_slice(bytes);
        let ready = self.held.len().saturating_sub(SIGNATURE_BYTES);
        let held = self.held.split_off(ready);
        let ready = std::mem::replace(&mut self.held, held);
        self.hash.update(&ready);
        let (form, frames) = match (self.form, ready.as_slice()) {
            (Some(form), frames) => (form, frames),
            (None, [form, frames @ ..]) => (*form, frames),
            (None, []) => return Ok(()),
        };
        self.form = Some(form);
        match form {
            PLAIN => self.give(frames, out),
            DEFLATED => self.inflate(frames, out),
            other => Err(BodyError::Form(other)),
        }
    }

    /// Ends the body and returns SHA-256 of everything before the signature, and the signature.
    pub(crate) fn finish(self) -> Result<([u8; 32], Signature), BodyError> {
        let signature = <[u8; SIGNATURE_BYTES]>::try_from(self.held).map_err(|_| BodyError::CutShort)?;
        if self.form.is_none() || (self.form == Some(DEFLATED) && !self.ended) {
            return Err(BodyError::CutShort);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(self.hash.finish().as_ref());
        Ok((hash, Signature(signature)))
    }

    fn give(&mut self, frames: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        self.given = self.given.saturating_add(frames.len());
        if self.given > self.limit {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        out.extend_from_slice(frames);
        Ok(())
    }

    fn inflate(&mut self, mut deflated: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let mut step = vec![0; STEP_BYTES];
        while !self.ended {
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(deflated, &mut step, FlushDecompress::None)
                .map_err(|_| BodyError::Damaged)?;
            let used = usize::try_from(self.inflate.total_in() - before_in).unwrap_or(usize::MAX);
            let made = usize::try_from(self.inflate.total_out() - before_out).unwrap_or(usize::MAX);
            deflated = deflated.get(used..).ok_or(BodyError::Damaged)?;
            self.give(step.get(..made).ok_or(BodyError::Damaged)?, out)?;
            self.ended = status == Status::StreamEnd;
            if used == 0 && made == 0 {
                break;
            }
        }
        // A body has one deflate stream; what follows it is the signature only.
        if self.ended && !deflated.is_empty() { Err(BodyError::Damaged) } else { Ok(()) }
    }
}
