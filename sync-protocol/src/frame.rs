//! The outermost shell of what is sent: so many bytes of that kind, whole and undamaged.
//!
//! ```text
//! 0  magic "FB"
//! 2  version, 1
//! 3  kind; the high bit means that a reader must understand it
//! 4  length of the payload, u32, little endian
//! 8  CRC-32C over bytes 0 to 7 and the payload, u32, little endian
//! 12 payload
//! ```
//!
//! Source: docs/PROTOCOL.md, Frame.

/// The first two bytes of every frame.
pub const MAGIC: [u8; 2] = *b"FB";
/// The version of this layout.
pub const VERSION: u8 = 1;
/// Bytes before the payload.
pub const HEADER_BYTES: usize = 12;

/// The kind of a frame that holds a run of messages.
pub const CONTROL: u8 = 1;
/// The kind of a frame that holds one segment.
pub const PUSH: u8 = 2;
/// Set in the kind of a frame, or the number of a message, that a reader must understand or refuse.
pub const MUST_UNDERSTAND: u8 = 0x80;

static CASTAGNOLI: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISCSI);

/// A frame whose length and checksum agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the payload is.
    pub kind: u8,
    /// The payload.
    pub payload: &'a [u8],
}

/// Why bytes are not a frame; nothing of it was used.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// They do not begin with [`MAGIC`].
    #[error("bytes {:02x}{:02x} where a frame should begin", found[0], found[1])]
    Magic {
        /// What stands there.
        found: [u8; 2],
    },
    /// The layout is of a newer version.
    #[error("frame version {found}; this build reads {VERSION}")]
    Version {
        /// The version named.
        found: u8,
    },
    /// The payload passes the limit.
    #[error("frame of {bytes} bytes; at most {limit} are taken")]
    TooLong {
        /// The length named.
        bytes: u32,
        /// What is taken.
        limit: usize,
    },
    /// The bytes were changed on their way.
    #[error("frame checksum {found:08x}, expected {expected:08x}")]
    Checksum {
        /// The checksum named.
        found: u32,
        /// The checksum of the bytes.
        expected: u32,
    },
}

/// Returns CRC-32C (Castagnoli) of the parts, one after the other.
#[must_use]
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut digest = CASTAGNOLI.digest();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

/// Appends a frame to `out`.
pub fn write(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    // A payload beyond 4 GiB cannot be: bodies end at 4 MiB.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let [m0, m1] = MAGIC;
    let [l0, l1, l2, l3] = length;
    let head = [m0, m1, VERSION, kind, l0, l1, l2, l3];
    out.extend_from_slice(&head);
    out.extend_from_slice(&crc32c(&[&head, payload]).to_le_bytes());
    out.extend_from_slice(payload);
}

/// Reads the frame at the front of `bytes` and returns it with its whole length; `None` where bytes are still missing.
///
/// A wrong magic, version or length is told as soon as it can be seen, before any payload is waited for.
///
/// # Errors
/// [`FrameError`].
///
/// ```
/// let mut bytes = Vec::new();
/// sync_protocol::frame::write(1, b"hello", &mut bytes);
/// let (frame, length) = sync_protocol::frame::read(&bytes, 64)?.unwrap_or_else(|| unreachable!());
/// assert_eq!((frame.payload, length), (&b"hello"[..], 17));
/// assert_eq!(sync_protocol::frame::read(&bytes[..16], 64)?, None);
/// # Ok::<(), sync_protocol::frame::FrameError>(())
/// ```
pub fn read(bytes: &[u8], limit: usize) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return begins_well(bytes).map(|()| None);
    };
    begins_well(head)?;
    let [_, _, _, kind, l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    let too_long = FrameError::TooLong { bytes: length, limit };
    let wanted = usize::try_from(length).ok().filter(|wanted| *wanted <= limit).ok_or(too_long)?;
    let Some(payload) = rest.get(..wanted) else {
        return Ok(None);
    };
    let found = u32::from_le_bytes([c0, c1, c2, c3]);
    let (checked, _) = head.split_at(8);
    let expected = crc32c(&[checked, payload]);
    if found != expected {
        return Err(FrameError::Checksum { found, expected });
    }
    Ok(Some((Frame { kind, payload }, HEADER_BYTES + wanted)))
}

fn begins_well(bytes: &[u8]) -> Result<(), FrameError> {
    match bytes {
        [m0, m1, ..] if [*m0, *m1] != MAGIC => Err(FrameError::Magic { found: [*m0, *m1] }),
        [_, _, version, ..] if *version != VERSION => Err(FrameError::Version { found: *version }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(CONTROL, payload, &mut out);
        out
    }

    #[test]
    fn a_gigabyte_is_refused_before_it_is_waited_for() {
        let mut bytes = frame(b"x");
        bytes[4..8].copy_from_slice(&(1_u32 << 30).to_le_bytes());
        assert_eq!(read(&bytes, 4096), Err(FrameError::TooLong { bytes: 1 << 30, limit: 4096 }));
    }

    #[test]
    fn another_magic_or_version_is_told_from_the_first_bytes() {
        assert_eq!(read(b"PK", 4096), Err(FrameError::Magic { found: *b"PK" }));
        assert_eq!(read(b"FB\x02", 4096), Err(FrameError::Version { found: 2 }));
        assert_eq!(read(b"F", 4096), Ok(None));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_never_passes(payload in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = frame(&payload);
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            let passed = matches!(read(&bytes, 4096), Ok(Some(_)));
            prop_assert!(!passed);
        }

        #[test]
        fn a_frame_cut_short_is_waited_for(payload in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>()) {
            let bytes = frame(&payload);
            prop_assert_eq!(read(&bytes[..at.index(bytes.len())], 4096), Ok(None));
            let whole = read(&bytes, 4096).unwrap().unwrap();
            prop_assert_eq!(whole, (Frame { kind: CONTROL, payload: &payload }, bytes.len()));
        }
    }
}
