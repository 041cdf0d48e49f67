//! A headquarters in one file: database, key, certificate, attachments; made while it serves, read back elsewhere.
//!
//! ```text
//! "FBHQ", version u8
//! for each file: length of its name u8, name, length u64 little endian, bytes
//! 0, SHA-256 of everything before
//! ```
//!
//! Source: docs/OPERATIONS.md, Backups.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

const MAGIC: &[u8; 5] = b"FBHQ\x01";
const HASH_BYTES: usize = 32;
/// Bytes moved in one go.
const STEP_BYTES: usize = 64 * 1024;

/// Why a backup could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no backup, or not of this version.
    #[error("{file} is no backup of a headquarters")]
    NotABackup {
        /// Which.
        file: PathBuf,
    },
    /// It is cut short or changed.
    #[error("{file} is damaged: what it holds is not what was written")]
    Damaged {
        /// Which.
        file: PathBuf,
    },
}

/// Returns what turns an error of the system into one about `file`.
pub(crate) fn on(file: &Path) -> impl FnOnce(std::io::Error) -> BackupError + use<> {
    let file = file.to_owned();
    move |source| BackupError::File { file, source }
}

/// Writes files into one, for the owner's eyes only, and returns its length once it is on the disk.
///
/// # Errors
/// [`BackupError::File`]; then `to` is as it was.
pub(crate) fn pack(to: &Path, files: &[(String, PathBuf)]) -> Result<u64, BackupError> {
    let part = to.with_extension("part");
    let packed = (|| {
        let mut out = Writing { file: BufWriter::new(create(&part)?), hash: Context::new(&SHA256), bytes: 0 };
        out.put(MAGIC).map_err(on(&part))?;
        for (name, from) in files {
            out.file(name, from, &part)?;
        }
        out.put(&[0]).map_err(on(&part))?;
        let hash = out.hash.clone().finish();
        out.put(hash.as_ref()).map_err(on(&part))?;
        out.file.flush().and_then(|()| out.file.get_ref().sync_all()).map_err(on(&part))?;
        std::fs::rename(&part, to).map_err(on(to))?;
        sync_folder(to.parent()).map_err(on(to))?;
        Ok(out.bytes)
    })();
    if packed.is_err() {
        // What is left of it is no backup; one that cannot be removed is written over by the next.
        let _ = std::fs::remove_file(&part);
    }
    packed
}

struct Writing {
    file: BufWriter<File>,
    hash: Context,
    bytes: u64,
}

impl Writing {
    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.file.write_all(bytes)
    }

    fn file(&mut self, name: &str, from: &Path, to: &Path) -> Result<(), BackupError> {
        let too_long = || std::io::Error::from(std::io::ErrorKind::InvalidFilename);
        let name_bytes = u8::try_from(name.len()).map_err(|_| on(from)(too_long()))?;
        let open = File::open(from).map_err(on(from))?;
        let length = open.metadata().map_err(on(from))?.len();
        let head = [&[name_bytes], name.as_bytes(), &length.to_le_bytes()].concat();
        self.put(&head).map_err(on(to))?;
        let mut open = open.take(length);
        let mut step = vec![0; STEP_BYTES];
        let mut left = length;
        while left > 0 {
            let read = open.read(&mut step).map_err(on(from))?;
            let bytes = step.get(..read).filter(|bytes| !bytes.is_empty());
            // Shorter than it was a moment ago: somebody is at it.
            let bytes = bytes.ok_or_else(|| on(from)(std::io::ErrorKind::UnexpectedEof.into()))?;
            self.put(bytes).map_err(on(to))?;
            left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

/// Reads a backup into a folder; `place` says where a file of that name goes, `None` for a name that it does not know.
///
/// The whole file is checked before anything is written.
///
/// # Errors
/// [`BackupError`].
pub(crate) fn unpack(from: &Path, place: &dyn Fn(&str) -> Option<PathBuf>) -> Result<(), BackupError> {
    let damaged = || BackupError::Damaged { file: from.to_owned() };
    check(from)?;
    let mut file = BufReader::new(File::open(from).map_err(on(from))?);
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).map_err(on(from))?;
    loop {
        let mut length = [0; 1];
        file.read_exact(&mut length).map_err(|_| damaged())?;
        let [length] = length;
        if length == 0 {
            return Ok(());
        }
        let mut name = vec![0; usize::from(length)];
        file.read_exact(&mut name).map_err(|_| damaged())?;
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes).map_err(|_| damaged())?;
        let bytes = u64::from_le_bytes(bytes);
        let to = String::from_utf8(name).ok().and_then(|name| place(&name)).ok_or_else(damaged)?;
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(on(folder))?;
        }
        let mut out = create(&to)?;
        let copied = std::io::copy(&mut (&mut file).take(bytes), &mut out).map_err(on(&to))?;
        if copied != bytes {
            return Err(damaged());
        }
        out.sync_all().and_then(|()| sync_folder(to.parent())).map_err(on(&to))?;
    }
}

/// Is it a backup, and whole?
fn check(from: &Path) -> Result<(), BackupError> {
    let not = || BackupError::NotABackup { file: from.to_owned() };
    let mut file = File::open(from).map_err(on(from))?;
    let length = file.metadata().map_err(on(from))?.len();
    let hashed = u64::try_from(HASH_BYTES).ok().and_then(|hash| length.checked_sub(hash)).ok_or_else(not)?;
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).map_err(|_| not())?;
    if magic != *MAGIC {
        return Err(not());
    }
    let mut hash = Context::new(&SHA256);
    hash.update(&magic);
    let mut left = hashed.saturating_sub(u64::try_from(MAGIC.len()).unwrap_or(0));
    let mut step = vec![0; STEP_BYTES];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(STEP_BYTES);
        let read = file.read(step.get_mut(..most).unwrap_or_default()).map_err(on(from))?;
        hash.update(step.get(..read).filter(|bytes| !bytes.is_empty()).ok_or_else(not)?);
        left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
    }
    let mut told = [0; HASH_BYTES];
    file.read_exact(&mut told).map_err(on(from))?;
    if hash.finish().as_ref() == told { Ok(()) } else { Err(BackupError::Damaged { file: from.to_owned() }) }
}

fn create(file: &Path) -> Result<File, BackupError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(on(file))
}

/// Makes names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: Option<&Path>) -> std::io::Result<()> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Windows has no handle for folders that can be synced; its journal keeps renames in order.
    if cfg!(windows) { Ok(()) } else { File::open(folder)?.sync_all() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_gives_back_what_went_in_and_tells_any_change() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a"), b"one").unwrap();
        std::fs::write(at("b"), vec![7; 200_000]).unwrap();
        let files = [("a".to_owned(), at("a")), ("files/b".to_owned(), at("b"))];
        let bytes = pack(&at("x"), &files).unwrap();
        assert_eq!(bytes, std::fs::metadata(at("x")).unwrap().len());
        let place = |name: &str| Some(at("out").join(name));
        unpack(&at("x"), &place).unwrap();
        assert_eq!(std::fs::read(at("out/a")).unwrap(), b"one");
        assert_eq!(std::fs::read(at("out/files/b")).unwrap(), vec![7; 200_000]);
        let whole = std::fs::read(at("x")).unwrap();
        for (wound, damage) in [(whole.len() / 2, true), (whole.len() - 1, true), (2, false)] {
            let mut changed = whole.clone();
            changed[wound] ^= 1;
            std::fs::write(at("y"), &changed).unwrap();
            let told = unpack(&at("y"), &place).unwrap_err();
            assert_eq!(matches!(told, BackupError::Damaged { .. }), damage, "{wound}");
        }
        for cut in [0, 4, 40, whole.len() - 1] {
            std::fs::write(at("y"), &whole[..cut]).unwrap();
            assert!(unpack(&at("y"), &place).is_err(), "{cut}");
        }
        assert!(unpack(&at("x"), &|_| None).is_err(), "a name that nobody knows");
    }
}
