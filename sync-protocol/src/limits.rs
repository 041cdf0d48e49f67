//! The one list of limits, checked before anything is allocated.
//!
//! Source: docs/PROTOCOL.md, Limits.

/// Row bytes of one op.
pub const OP_BYTES_MAX: usize = 16 * 1024;
/// UTF-8 bytes of one string.
pub const STRING_BYTES_MAX: usize = 12 * 1024;
/// Entries of one list in one op.
pub const LIST_MAX: usize = 256;
/// The largest seq that an op may name: what a database's signed integers hold.
pub const SEQ_MAX: u64 = u64::MAX >> 1;
/// Groups of one document, unknown ones included.
pub const GROUPS_MAX: usize = 512;
/// Ops of one segment.
pub const SEGMENT_OPS_MAX: usize = 256;
/// Row bytes of one segment; a single larger op cannot exist.
pub const SEGMENT_ROW_BYTES_MAX: usize = 64 * 1024;
/// The coded body of one segment: its rows, two bytes of length for each, the parent, and room for a coding's tables.
pub const SEGMENT_BYTES_MAX: usize = SEGMENT_ROW_BYTES_MAX + 8 * 1024;
/// A frame of a request that holds messages: a chunk of a file with what stands around it, or a relayed request.
pub const CONTROL_BYTES_MAX: usize = 256 * 1024;
/// A request or an answer, inflated.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Ops of one request or answer.
pub const BODY_OPS_MAX: usize = 16_384;
/// What one parcel of a bundle holds: a whole request or answer, and what stands around it.
pub const PARCEL_BYTES_MAX: usize = BODY_BYTES_MAX + 64 * 1024;
/// A parcel that a colleague's device may carry on in its own request.
pub const RELAY_BYTES_MAX: usize = 192 * 1024;
/// One bundle file.
pub const BUNDLE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// How far a stamp may run ahead of HQ's clock before it is capped: 10 minutes.
pub const STAMP_AHEAD_MS: u64 = 10 * 60 * 1000;
/// A clock that is off by less is not talked about: 2 minutes.
pub const CLOCK_OFF_MS: u64 = 2 * 60 * 1000;
/// A piece of a file; only the last one is shorter.
pub const CHUNK_BYTES: usize = 128 * 1024;
/// Entries of one aside's list.
pub const LISTED_MAX: usize = 2_048;
/// TLS keys of HQ that a device knows at a time: the one in use, the next one, and room for a change of mind.
pub const PINS_MAX: usize = 4;
/// One attached file.
pub const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Returns the most that a body of `sent` bytes may inflate to: 50 times, at least 256 KiB, at most 4 MiB.
#[must_use]
pub fn inflate_max(sent: usize) -> usize {
    sent.saturating_mul(50).clamp(256 * 1024, BODY_BYTES_MAX)
}
