//! Many files in one, with a checksum over all: what `backup` of both programs writes.
//!
//! ```text
//! magic, 5 bytes
//! for each file: length of its name u8, name, length u64 little endian, bytes
//! 0, SHA-256 of everything before
//! ```
//!
//! Source: docs/STORAGE.md, Backups.

use std::io::{Error, ErrorKind, Read, Result, Write};

use ring::digest::{Context, SHA256};

/// The first bytes of a backup of headquarters.
pub const OF_HQ: [u8; 5] = *b"FBHQ\x01";
/// The first bytes of a backup of a device's home.
pub const OF_A_HOME: [u8; 5] = *b"FBHM\x01";

const HASH_BYTES: usize = 32;
/// Bytes moved in one go.
const STEP_BYTES: usize = 64 * 1024;

/// Writes an archive.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    hash: Hash,
    bytes: u64,
}

struct Hash(Context);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

impl<W: Write> Writer<W> {
    /// Begins an archive with its magic.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(out: W, magic: [u8; 5]) -> Result<Self> {
        let mut writer = Self { out, hash: Hash(Context::new(&SHA256)), bytes: 0 };
        writer.put(&magic)?;
        Ok(writer)
    }

    /// Writes a file of that name and length; more of it than that is not read.
    ///
    /// # Errors
    /// What either side says; [`ErrorKind::UnexpectedEof`] where the file is shorter, [`ErrorKind::InvalidFilename`]
    /// for a name of none or more than 255 bytes.
    pub fn file(&mut self, name: &str, length: u64, from: impl Read) -> Result<()> {
        let named = u8::try_from(name.len()).ok().filter(|length| *length > 0);
        let named = named.ok_or_else(|| Error::from(ErrorKind::InvalidFilename))?;
        self.put(&[&[named], name.as_bytes(), &length.to_le_bytes()].concat())?;
        each_step(from, length, &mut |bytes| self.put(bytes))
    }

    /// Ends the archive with its checksum; returns what it was written to, and its length.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish(mut self) -> Result<(W, u64)> {
        self.put(&[0])?;
        let hash = self.hash.0.clone().finish();
        self.put(hash.as_ref())?;
        Ok((self.out, self.bytes))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.0.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.out.write_all(bytes)
    }
}

/// Why a file is not the archive that was written.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum Flaw {
    /// It begins otherwise.
    #[error("it is no backup of this kind")]
    OtherKind,
    /// Its checksum is another one, or it is cut short.
    #[error("it is damaged")]
    Damaged,
}

/// Checks a whole archive of `length` bytes against its checksum; nothing of it may be used before.
///
/// # Errors
/// What `from` says. The flaw is the value: `None` where it is whole.
pub fn check(mut from: impl Read, length: u64, magic: [u8; 5]) -> Result<Option<Flaw>> {
    let mut begins = [0; 5];
    let tail = u64::try_from(begins.len() + 1 + HASH_BYTES).unwrap_or(u64::MAX);
    if length < tail || from.read_exact(&mut begins).is_err() || begins != magic {
        return Ok(Some(Flaw::OtherKind));
    }
    let mut hash = Context::new(&SHA256);
    hash.update(&begins);
    let hashed = length - tail + 1;
    let step = each_step(&mut from, hashed, &mut |bytes| {
        hash.update(bytes);
        Ok(())
    });
    match step {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Some(Flaw::Damaged)),
        other => other?,
    }
    let mut told = [0; HASH_BYTES];
    let whole = from.read_exact(&mut told).is_ok() && hash.finish().as_ref() == told;
    Ok((!whole).then_some(Flaw::Damaged))
}

/// Reads an archive that was checked, file by file.
#[derive(Debug)]
pub struct Reader<R>(R);

impl<R: Read> Reader<R> {
    /// Begins behind the magic.
    ///
    /// # Errors
    /// What `from` says.
    pub fn new(mut from: R) -> Result<Self> {
        from.read_exact(&mut [0; 5])?;
        Ok(Self(from))
    }

    /// Returns the next file's name and length; its bytes have to be taken by [`Reader::copy`]. `None` at the end.
    ///
    /// # Errors
    /// What the file says; [`ErrorKind::InvalidData`] for a name that is no text.
    pub fn next_file(&mut self) -> Result<Option<(String, u64)>> {
        let mut length = [0; 1];
        self.0.read_exact(&mut length)?;
        let [length] = length;
        if length == 0 {
            return Ok(None);
        }
        let mut name = vec![0; usize::from(length)];
        self.0.read_exact(&mut name)?;
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes)?;
        let name = String::from_utf8(name).map_err(|_| Error::from(ErrorKind::InvalidData))?;
        Ok(Some((name, u64::from_le_bytes(bytes))))
    }

    /// Copies the bytes of the file that [`Reader::next_file`] named.
    ///
    /// # Errors
    /// What either side says.
    pub fn copy(&mut self, length: u64, to: &mut impl Write) -> Result<()> {
        each_step(&mut self.0, length, &mut |bytes| to.write_all(bytes))
    }
}

fn each_step(mut from: impl Read, length: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut step = vec![0; STEP_BYTES];
    let mut left = length;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(STEP_BYTES);
        let read = from.read(step.get_mut(..most).unwrap_or_default())?;
        let bytes = step.get(..read).filter(|bytes| !bytes.is_empty());
        each(bytes.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?)?;
        left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), OF_HQ).unwrap();
        writer.file("a", 3, &b"one"[..]).unwrap();
        writer.file("files/b", 200_000, vec![7; 200_000].as_slice()).unwrap();
        let (bytes, length) = writer.finish().unwrap();
        assert_eq!(u64::try_from(bytes.len()).unwrap(), length);
        bytes
    }

    fn flaw(bytes: &[u8]) -> Option<Flaw> {
        check(bytes, u64::try_from(bytes.len()).unwrap(), OF_HQ).unwrap()
    }

    #[test]
    fn an_archive_gives_back_what_went_in() {
        let bytes = sample();
        assert_eq!(flaw(&bytes), None);
        let mut reader = Reader::new(bytes.as_slice()).unwrap();
        let mut files = Vec::new();
        while let Some((name, length)) = reader.next_file().unwrap() {
            let mut out = Vec::new();
            reader.copy(length, &mut out).unwrap();
            files.push((name, out));
        }
        assert_eq!(files, [("a".to_owned(), b"one".to_vec()), ("files/b".to_owned(), vec![7; 200_000])]);
    }

    #[test]
    fn any_change_or_cut_is_told() {
        let whole = sample();
        for at in [5, 6, 9, 100, whole.len() - 33, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(flaw(&changed), Some(Flaw::Damaged), "{at}");
        }
        for cut in [38, 100, whole.len() - 1] {
            assert_eq!(flaw(&whole[..cut]), Some(Flaw::Damaged), "{cut}");
        }
        assert_eq!(flaw(&whole[..37]), Some(Flaw::OtherKind));
        assert_eq!(flaw(b"FBHM\x01"), Some(Flaw::OtherKind));
        let mut writer = Writer::new(Vec::new(), OF_HQ).unwrap();
        assert!(writer.file("short", 4, &b"one"[..]).is_err());
        assert!(writer.file("", 0, &b""[..]).is_err());
    }
}
