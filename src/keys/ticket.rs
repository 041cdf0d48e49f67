//! An unlock that lasts: the data key under a key that lies in the folder that a boot empties.
//!
//! ```text
//! home  id/ticket   "FBK1" · boot u32 · from and to, wall clock i64, ms · from and to, the boot's clock u64, ms · data key and tag 48
//! boot  its name    the home's random name 8 · ticket key 32
//! ```
//!
//! Each unlock draws a ticket key, so the nonce may be zero. What stands before the sealed key, the home's random name,
//! this machine and this folder are its associated data: a home copied elsewhere takes no unlock along.
//!
//! Source: docs/STORAGE.md, The PIN.

use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::clock::Now;
use crate::keys::random;
use crate::keys::secret::DataKey;
use crate::store::error::StoreError;

const MAGIC: &[u8; 4] = b"FBK1";
const FILE: &str = "ticket";
const HEAD_BYTES: usize = 4 + 4 + 4 * 8;
const BYTES: usize = HEAD_BYTES + 32 + 16;

/// From when to when an unlock holds, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    boot: u32,
    wall: (i64, i64),
    monotonic: (u64, u64),
}

impl Span {
    fn of(now: Now, minutes: u16) -> Self {
        let ms = u64::from(minutes) * 60_000;
        let wall_to = now.wall.0.saturating_add(i64::from(minutes) * 60_000);
        let monotonic = (now.monotonic_ms, now.monotonic_ms.saturating_add(ms));
        Self { boot: now.boot, wall: (now.wall.0, wall_to), monotonic }
    }

    /// A clock that was set, forwards past the end or back before the beginning, ends the unlock.
    fn holds(self, now: Now) -> bool {
        now.boot != 0
            && now.boot == self.boot
            && (self.wall.0..self.wall.1).contains(&now.wall.0)
            && (self.monotonic.0..self.monotonic.1).contains(&now.monotonic_ms)
    }

    fn head(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.boot.to_le_bytes());
        out.extend_from_slice(&self.wall.0.to_le_bytes());
        out.extend_from_slice(&self.wall.1.to_le_bytes());
        out.extend_from_slice(&self.monotonic.0.to_le_bytes());
        out.extend_from_slice(&self.monotonic.1.to_le_bytes());
        out
    }

    fn read(rest: &[u8]) -> Option<Self> {
        let (boot, rest) = rest.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
        let (a, rest) = rest.split_first_chunk::<8>()?;
        let (b, rest) = rest.split_first_chunk::<8>()?;
        let (c, rest) = rest.split_first_chunk::<8>()?;
        let d = rest.first_chunk::<8>()?;
        let wall = (i64::from_le_bytes(*a), i64::from_le_bytes(*b));
        let monotonic = (u64::from_le_bytes(*c), u64::from_le_bytes(*d));
        Some(Self { boot: u32::from_le_bytes(*boot), wall, monotonic })
    }
}

/// Leaves an unlock behind that holds for so many minutes; returns until when by the wall clock, `None` where the machine has
/// no folder that a boot empties, or does not name its boots: then each command asks.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`], [`StoreError::Key`].
pub fn leave(
    home: &Path,
    name: [u8; 8],
    key: &DataKey,
    minutes: u16,
    now: Now,
) -> Result<Option<i64>, StoreError> {
    let Some(path) = half_path(home).filter(|_| now.boot != 0) else {
        return Ok(None);
    };
    destroy(home)?;
    let span = Span::of(now, minutes);
    let ticket = Zeroizing::new(random::<32>()?);
    let mut half = Zeroizing::new(name.to_vec());
    half.reserve_exact(32);
    half.extend_from_slice(&ticket[..]);
    let out = sealed(span, key, &ticket, name, home)?;
    crate::home::write_whole(&path, &half)?;
    crate::home::write_whole(&file(home), &out)?;
    Ok(Some(span.wall.1))
}

/// Returns the data key of an unlock that still holds; one that does not is destroyed.
#[must_use]
pub fn read(home: &Path, name: [u8; 8], now: Now) -> Option<DataKey> {
    let bytes = bounded(&file(home), BYTES)?;
    let opened = half(home).and_then(|half| open(home, name, &bytes, &half, now));
    if opened.is_none() {
        // Where it cannot be removed it stays as useless as it is.
        let _ = destroy(home);
    }
    opened.map(|(key, _)| key)
}

/// Returns until when by the wall clock an unlock holds; `None` where there is none.
#[must_use]
pub fn holds_until(home: &Path, name: [u8; 8], now: Now) -> Option<i64> {
    let bytes = bounded(&file(home), BYTES)?;
    open(home, name, &bytes, &half(home)?, now).map(|(_, span)| span.wall.1)
}

/// Destroys both halves: each is written over, then removed.
///
/// # Errors
/// [`StoreError::Io`].
pub fn destroy(home: &Path) -> Result<(), StoreError> {
    for path in half_path(home).into_iter().chain([file(home)]) {
        crate::home::destroy(&path)?;
    }
    Ok(())
}

fn sealed(
    span: Span,
    key: &DataKey,
    ticket: &[u8; 32],
    name: [u8; 8],
    home: &Path,
) -> Result<Vec<u8>, StoreError> {
    let mut out = span.head();
    let mut body = Zeroizing::new(*key.bytes());
    let associated = Aad::from(associated(&out, name, home));
    let tag = sealer(ticket)?.seal_in_place_separate_tag(nonce(), associated, &mut body[..]);
    out.extend_from_slice(&body[..]);
    out.extend_from_slice(tag.map_err(|_| StoreError::Key)?.as_ref());
    Ok(out)
}

fn open(home: &Path, name: [u8; 8], bytes: &[u8], half: &[u8], now: Now) -> Option<(DataKey, Span)> {
    let (head, sealed) = bytes.split_at_checked(HEAD_BYTES)?;
    let span = Span::read(head).filter(|span| span.holds(now))?;
    let ticket = half.strip_prefix(&name)?.try_into().ok()?;
    let mut body: Zeroizing<[u8; 48]> = Zeroizing::new(sealed.try_into().ok()?);
    let associated = Aad::from(associated(head, name, home));
    let key = sealer(ticket).ok()?.open_in_place(nonce(), associated, &mut body[..]).ok()?;
    Some((DataKey::of(key)?, span))
}

/// Returns what lies in the folder that a boot empties.
fn half(home: &Path) -> Option<Zeroizing<Vec<u8>>> {
    bounded(&half_path(home)?, 8 + 32).map(Zeroizing::new)
}

fn sealer(ticket: &[u8; 32]) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&CHACHA20_POLY1305, ticket).map(LessSafeKey::new).map_err(|_| StoreError::Key)
}

fn associated(head: &[u8], name: [u8; 8], home: &Path) -> Vec<u8> {
    [head, &name, &crate::home::fingerprint(home)].concat()
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn file(home: &Path) -> PathBuf {
    home.join("id").join(FILE)
}

fn half_path(home: &Path) -> Option<PathBuf> {
    Some(crate::home::token_path(home)?.with_extension(FILE))
}

/// Reads a file of exactly that many bytes.
fn bounded(path: &Path, bytes: usize) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut out = Vec::with_capacity(bytes + 1);
    let limit = u64::try_from(bytes).ok()? + 1;
    std::fs::File::open(path).ok()?.take(limit).read_to_end(&mut out).ok()?;
    (out.len() == bytes).then_some(out)
}

#[cfg(test)]
mod tests {
    use records::time::Ts;

    use super::*;
    use crate::store::testing::NOW;

    fn later(minutes: i64) -> Now {
        let monotonic_ms = u64::try_from(minutes.max(0)).unwrap() * 60_000;
        Now { wall: Ts(NOW.wall.0 + minutes * 60_000), monotonic_ms, boot: 7, ..NOW }
    }

    #[test]
    fn an_unlock_ends_with_its_time_with_the_boot_and_with_a_clock_that_is_set() {
        let span = Span::of(later(0), 60);
        assert!(span.holds(later(0)) && span.holds(later(59)));
        assert!(!span.holds(later(60)));
        assert!(!span.holds(Now { boot: 8, ..later(1) }));
        assert!(!span.holds(Now { wall: Ts(NOW.wall.0 - 1), ..later(1) }));
        assert!(!span.holds(Now { wall: later(61).wall, ..later(1) }));
        assert!(!span.holds(Now { monotonic_ms: later(61).monotonic_ms, ..later(1) }));
        assert!(!Span::of(Now { boot: 0, ..later(0) }, 60).holds(Now { boot: 0, ..later(1) }));
        assert_eq!(Span::read(&span.head()), Some(span));
        assert_eq!(span.head().len(), HEAD_BYTES);
    }

    #[test]
    fn a_ticket_opens_in_its_home_with_its_other_half_and_no_byte_of_it_may_be_another() {
        let (home, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (key, name, now) = (DataKey::of(&[7; 32]).unwrap(), *b"homename", later(1));
        let bytes = sealed(Span::of(later(0), 60), &key, &[9; 32], name, home.path()).unwrap();
        let half = [&name[..], &[9; 32]].concat();
        let opened =
            |bytes: &[u8], half: &[u8]| open(home.path(), name, bytes, half, now).map(|(key, _)| key);
        assert_eq!(opened(&bytes, &half), Some(key));
        assert!(open(copy.path(), name, &bytes, &half, now).is_none(), "a copy takes the unlock along");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&changed, &half), None, "byte {at}");
            assert_eq!(opened(&bytes[..at], &half), None, "cut at {at}");
        }
        for at in 0..half.len() {
            let mut changed = half.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&bytes, &changed), None, "byte {at} of the other half");
        }
    }

    #[test]
    fn a_machine_without_a_folder_that_a_boot_empties_keeps_no_unlock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("id")).unwrap();
        let key = DataKey::of(&[7; 32]).unwrap();
        let unnamed = Now { boot: 0, ..later(0) };
        assert_eq!(leave(folder.path(), *b"homename", &key, 60, unnamed).unwrap(), None);
        assert_eq!(read(folder.path(), *b"homename", unnamed), None);
    }
}
