//! One save as the bytes of the journal, and how they are found again in a file that was torn or damaged.
//!
//! `magic 4 | len u32 | crc32c u32 | seq u64 | bytes | previous link 32`, little-endian; the checksum covers seq, bytes
//! and link. `bytes` is the sealed [`Frame`].
//!
//! Source: docs/STORAGE.md, Journal.

use records::id::Epoch;
use serde::{Deserialize, Serialize};
use sync_protocol::chain::{Link, Parent};

use crate::keys::{Domain, Keys, Place};
use crate::store::error::{Limited, StoreError};
use crate::store::journal::{Frame, Logged};

/// Sealed bytes of one frame at most: one save is one frame.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
const MAGIC: &[u8; 4] = b"\xF1FBj";
const HEAD_BYTES: usize = 20;
const LINK_BYTES: usize = 32;
const SCHEMA: u8 = 1;
const CRC: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISCSI);

/// The sealed part of a frame; what its head and tail say is not said again.
#[derive(Serialize, Deserialize)]
struct Inner {
    epoch: Epoch,
    parent: Option<Parent>,
    test_clock: bool,
    ops: Vec<Logged>,
    settings: Vec<(String, Vec<u8>)>,
}

/// Returns the bytes of a frame.
///
/// # Errors
/// [`StoreError::Limit`] beyond [`FRAME_BYTES_MAX`].
pub(in crate::store) fn write(keys: &Keys, frame: &Frame) -> Result<Vec<u8>, StoreError> {
    let inner = Inner {
        epoch: frame.epoch,
        parent: frame.parent,
        test_clock: frame.test_clock,
        ops: frame.ops.clone(),
        settings: frame.settings.clone(),
    };
    let plain = crate::store::pack::pack(&postcard::to_allocvec(&inner).unwrap_or_default());
    let sealed = keys.seal(place(frame.first, &frame.before), &plain)?;
    let len = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= FRAME_BYTES_MAX).ok_or(
        StoreError::Limit {
            what: Limited::SaveBytes,
            found: u64::try_from(sealed.len()).unwrap_or(u64::MAX),
            max: u64::try_from(FRAME_BYTES_MAX).unwrap_or(u64::MAX),
        },
    )?;
    let mut body = Vec::with_capacity(8 + sealed.len() + LINK_BYTES);
    body.extend_from_slice(&frame.first.to_le_bytes());
    body.extend_from_slice(&sealed);
    body.extend_from_slice(&frame.before.0);
    let mut out = Vec::with_capacity(HEAD_BYTES + body.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&CRC.checksum(&body).to_le_bytes());
    out.extend_from_slice(&body);
    Ok(out)
}

/// Reads the frame at the front of `bytes`: the frame and its size; `None` where there is none.
pub(in crate::store) fn read(keys: &Keys, bytes: &[u8]) -> Option<(Frame, usize)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok().filter(|len| *len <= FRAME_BYTES_MAX)?;
    let body = rest.get(..8 + len + LINK_BYTES)?;
    if CRC.checksum(body).to_le_bytes() != *crc {
        return None;
    }
    let (seq, rest) = body.split_first_chunk::<8>()?;
    let (sealed, link) = rest.split_at_checked(len)?;
    let (first, before) = (u64::from_le_bytes(*seq), Link(link.try_into().ok()?));
    let plain = keys.open_sealed(place(first, &before), sealed)?;
    let plain = crate::store::pack::unpack(&plain, FRAME_BYTES_MAX * 4)?;
    let inner: Inner = postcard::from_bytes(&plain).ok()?;
    let frame = Frame {
        epoch: inner.epoch,
        parent: inner.parent,
        first,
        before,
        test_clock: inner.test_clock,
        ops: inner.ops,
        settings: inner.settings,
    };
    Some((frame, HEAD_BYTES - 8 + body.len()))
}

/// Returns where the next frame may begin behind the first byte.
pub(in crate::store) fn next(bytes: &[u8]) -> Option<usize> {
    Some(1 + bytes.get(1..).unwrap_or_default().windows(MAGIC.len()).position(|window| window == MAGIC)?)
}

/// Whether bytes behind the last frame are the beginning of one that was never whole, or nothing.
///
/// A file may have grown before its bytes came: zeros at the end are none. Where they were a save, the witness says so.
pub(in crate::store) fn is_torn(tail: &[u8]) -> bool {
    let written = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let tail = tail.get(..written).unwrap_or_default();
    let Some(rest) = tail.strip_prefix(MAGIC) else {
        return MAGIC.starts_with(tail);
    };
    let len = rest.first_chunk::<4>().map(|len| u32::from_le_bytes(*len));
    let whole = len.and_then(|len| usize::try_from(len).ok()?.checked_add(HEAD_BYTES + LINK_BYTES));
    whole.is_none_or(|whole| whole <= FRAME_BYTES_MAX && whole > tail.len())
}

fn place(first: u64, before: &Link) -> Place<'_> {
    Place { domain: Domain::Journal, key: &before.0, seq: first, schema: SCHEMA }
}
