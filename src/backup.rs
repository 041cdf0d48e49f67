//! A home in one file, as it lies: what is sealed there is sealed in the backup too, and needs no PIN.
//!
//! A home made again from a backup opens a new epoch at its first save, as a copy does.
//!
//! Source: docs/STORAGE.md, Backups.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use sync_protocol::archive::{Flaw, OF_A_HOME, Reader, Writer, check};

use crate::clock::Now;
use crate::home::{Lock, require_space, sync_folder};
use crate::store::epoch::{Head, read_head, write_head};
use crate::store::error::StoreError;

/// The folder of keys: it comes last, for with it a home is whole.
const KEYS: &str = "id";
const KEYS_PART: &str = "id.part";
/// What belongs to this machine, or is made again by itself.
const LEFT_OUT: [&str; 2] = ["lock", "reserve.bin"];
/// Folders below one another, at most.
const DEPTH_MAX: usize = 4;

/// Why a backup could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The home, or the file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is no backup of a home.
    #[error("it is no backup of a home")]
    NotABackup,
    /// It is cut short or changed; nothing was written.
    #[error("the backup is damaged")]
    Damaged,
}

fn on(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| StoreError::io("backing up or restoring", &path, source).into()
}

/// Writes a home into one file; returns its bytes once it is on the disk.
///
/// # Errors
/// [`BackupError::Store`]: [`StoreError::InUse`], [`StoreError::NotEnrolled`], [`StoreError::NoSpace`].
pub fn back_up(home: &Path, to: &Path, now: Now) -> Result<u64, BackupError> {
    if !home.join(KEYS).is_dir() {
        return Err(StoreError::NotEnrolled { home: home.to_owned() }.into());
    }
    let lock = Lock::take(home, now.boot)?;
    let mut files = Vec::new();
    list(home, "", DEPTH_MAX, &mut files)?;
    files.sort_by_key(|name| (name.starts_with(KEYS), name.clone()));
    let part = to.with_extension("part");
    let written = write(home, &files, &part).and_then(|bytes| {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::rename(&part, to).and_then(|()| sync_folder(folder)).map_err(on(to))?;
        Ok(bytes)
    });
    if written.is_err() {
        // What is left of it is no backup; one that cannot be removed is written over by the next.
        let _ = std::fs::remove_file(&part);
    }
    drop(lock);
    written
}

fn write(home: &Path, files: &[String], part: &Path) -> Result<u64, BackupError> {
    let mut writer = Writer::new(BufWriter::new(create(part)?), OF_A_HOME).map_err(on(part))?;
    for name in files {
        let path = home.join(name);
        let open = File::open(&path).map_err(on(&path))?;
        let length = open.metadata().map_err(on(&path))?.len();
        writer.file(name, length, open).map_err(on(&path))?;
    }
    let (mut out, bytes) = writer.finish().map_err(on(part))?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(on(part))?;
    Ok(bytes)
}

/// Lists the files below a folder of the home, by their names from the home on.
fn list(home: &Path, below: &str, depth: usize, files: &mut Vec<String>) -> Result<(), BackupError> {
    let folder = home.join(below);
    for entry in std::fs::read_dir(&folder).map_err(on(&folder))? {
        let entry = entry.map_err(on(&folder))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if LEFT_OUT.contains(&name.as_str()) || !is_plain(&name) {
            continue;
        }
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(on(&entry.path()))?;
        if kind.is_dir() && depth > 0 {
            list(home, &name, depth - 1, files)?;
        } else if kind.is_file() {
            files.push(name);
        }
    }
    Ok(())
}

/// A name that a home gives: letters, digits and marks that mean nothing to any file system.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
}

/// Makes a home again from a backup; the file is checked whole before anything is written.
///
/// # Errors
/// [`BackupError`]; [`StoreError::AlreadyEnrolled`] where there is a home already.
pub fn restore(home: &Path, from: &Path) -> Result<(), BackupError> {
    if home.join(KEYS).exists() {
        return Err(StoreError::AlreadyEnrolled { home: home.to_owned() }.into());
    }
    let open = || File::open(from).map_err(on(from));
    let length = open()?.metadata().map_err(on(from))?.len();
    match check(BufReader::new(open()?), length, OF_A_HOME).map_err(on(from))? {
        Some(Flaw::OtherKind) => return Err(BackupError::NotABackup),
        Some(Flaw::Damaged) => return Err(BackupError::Damaged),
        None => {}
    }
    std::fs::create_dir_all(home).map_err(on(home))?;
    require_space(home, length.saturating_add(crate::home::CREATE_BYTES_MIN))?;
    let mut reader = Reader::new(BufReader::new(open()?)).map_err(on(from))?;
    while let Some((name, length)) = reader.next_file().map_err(on(from))? {
        let to = place(home, &name).ok_or(BackupError::Damaged)?;
        let folder = to.parent().unwrap_or(home);
        std::fs::create_dir_all(folder).map_err(on(folder))?;
        let mut out = create(&to)?;
        reader.copy(length, &mut out).map_err(on(&to))?;
        out.sync_all().and_then(|()| sync_folder(folder)).map_err(on(&to))?;
    }
    // Whatever machine and folder this is: what it writes is another branch than what was written after the backup.
    if let Some(head) = read_head(home)? {
        write_head(home, &Head { fingerprint: [0; 16], ..head })?;
    }
    let part = home.join(KEYS_PART);
    std::fs::rename(&part, home.join(KEYS)).and_then(|()| sync_folder(home)).map_err(on(&part))
}

/// Returns where a file of the backup goes; `None` for a name that no home gives.
fn place(home: &Path, name: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() > DEPTH_MAX + 1 || !parts.iter().all(|part| is_plain(part)) {
        return None;
    }
    match parts.as_slice() {
        [KEYS, rest @ ..] if !rest.is_empty() => Some(home.join(KEYS_PART).join(rest.join("/"))),
        _ => Some(home.join(name)),
    }
}

fn create(file: &Path) -> Result<File, BackupError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(on(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::testing::{NOW, create as creation, home};

    #[test]
    fn a_home_made_again_holds_everything_and_writes_under_a_new_epoch() {
        let (dir, mut store) = home();
        let first = store.save(vec![creation(b"x")], NOW).unwrap()[0];
        drop(store);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        let bytes = back_up(dir.path(), &file, NOW).unwrap();
        assert_eq!(bytes, std::fs::metadata(&file).unwrap().len());
        let again = folder.path().join("home");
        restore(&again, &file).unwrap();
        assert!(matches!(
            restore(&again, &file),
            Err(BackupError::Store(StoreError::AlreadyEnrolled { .. }))
        ));
        let mut store = Store::open(&again, NOW).unwrap();
        assert_eq!(store.doctor().unwrap().faults, []);
        assert_eq!(store.counts().unwrap().ops, 1);
        let second = store.save(vec![creation(b"y")], NOW).unwrap()[0];
        assert_ne!(second.epoch, first.epoch);
        assert!(store.numbers_suspended());
    }

    #[test]
    fn a_damaged_backup_or_one_with_names_that_lead_elsewhere_makes_no_home() {
        let (dir, mut store) = home();
        store.save(vec![creation(b"x")], NOW).unwrap();
        drop(store);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        back_up(dir.path(), &file, NOW).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let again = folder.path().join("home");
        assert!(matches!(restore(&again, &file), Err(BackupError::Damaged)));
        std::fs::write(&file, b"something else, long enough to be looked at").unwrap();
        assert!(matches!(restore(&again, &file), Err(BackupError::NotABackup)));
        assert!(!again.exists());
        for name in ["../x", "/etc/x", "a//b", "a/../b", ".x", "a\\b", "", "1/2/3/4/5/6"] {
            assert_eq!(place(&again, name), None, "{name}");
        }
        assert_eq!(place(&again, "id/key.a"), Some(again.join("id.part/key.a")));
    }
}
