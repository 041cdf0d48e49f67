//! A home in one file, as it lies: what is sealed there is sealed in the backup too, and needs no PIN.
//!
//! A home made again from a backup opens a new epoch at its first save, as a copy does.
//!
//! Source: docs/STORAGE.md, Backups.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use sync_protocol::archive::{Flaw, OF_A_HOME, Reader, Writer, check};

use crate::clock::Now;
use crate::home::{Lock, private, require_space, sync_folder, write_whole};
use crate::store::epoch::{Head, read_head, write_head};
use crate::store::error::StoreError;

/// The folder of keys: it comes last, for with it a home is whole.
const KEYS: &str = "id";
/// Where a restore collects everything before any of it takes its place: a name that no backup holds.
const PART: &str = ".restore";
/// In it: what of it moves into the home, written before the first move.
const MOVING: &str = ".moving";
/// What belongs to this machine, or is made again by itself.
const LEFT_OUT: [&str; 5] = ["lock", "reserve.bin", "ticket", "words", "words.new"];
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
/// [`BackupError::Store`]: [`StoreError::InUse`], [`StoreError::NotEnrolled`], [`StoreError::Io`] of `to` where it does not fit.
pub fn back_up(home: &Path, to: &Path, now: Now) -> Result<u64, BackupError> {
    if !home.join(KEYS).is_dir() {
        return Err(StoreError::NotEnrolled { home: home.to_owned() }.into());
    }
    let lock = Lock::take(home, now.boot)?;
    let mut files = Vec::new();
    list(home, "", DEPTH_MAX, &mut files)?;
    files.sort_by_key(|name| (name.starts_with(KEYS), name.clone()));
    let (part, open) = beside(to)?;
    let written = write(home, &files, &part, open).and_then(|bytes| {
        // What is not whole on its disk is no backup.
        if flaw(&part)?.is_some() {
            return Err(BackupError::Damaged);
        }
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::rename(&part, to).and_then(|()| sync_folder(folder)).map_err(on(to))?;
        Ok(bytes)
    });
    if written.is_err() {
        // What is left of it is no backup.
        let _ = std::fs::remove_file(&part);
    }
    drop(lock);
    written.map_err(|error| match error {
        // Whatever was read for it: it is written here only.
        BackupError::Store(StoreError::NoSpace { .. }) => no_room(to),
        other => other,
    })
}

/// Returns what says that the disk of `file` has no room for it: how much it lacks is not known.
fn no_room(file: &Path) -> BackupError {
    let source = std::io::ErrorKind::StorageFull.into();
    BackupError::Store(StoreError::Io { doing: "backing up", path: file.to_owned(), source })
}

/// Makes a file beside `to` that nobody else writes at the same time, and that only its owner may read.
fn beside(to: &Path) -> Result<(PathBuf, File), BackupError> {
    let mut n = 0_u64;
    loop {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{n}.part", std::process::id()));
        let part = to.with_file_name(name);
        match private().write(true).create_new(true).open(&part) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            opened => return Ok((part, opened.map_err(on(to))?)),
        }
    }
}

/// Returns what is wrong with a backup's bytes; `None` where they are what was written.
fn flaw(file: &Path) -> Result<Option<Flaw>, BackupError> {
    let open = File::open(file).map_err(on(file))?;
    let length = open.metadata().map_err(on(file))?.len();
    check(BufReader::new(open), length, OF_A_HOME).map_err(on(file))
}

fn write(home: &Path, files: &[String], part: &Path, out: File) -> Result<u64, BackupError> {
    let mut writer = Writer::new(BufWriter::new(out), OF_A_HOME).map_err(on(part))?;
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
/// Everything is collected in a folder inside the home first, so that one that was killed is cleared away by the next.
///
/// # Errors
/// [`BackupError`]; [`StoreError::AlreadyEnrolled`] where a home, or a part of one, is there already.
pub fn restore(home: &Path, from: &Path, now: Now) -> Result<(), BackupError> {
    let exists = || BackupError::from(StoreError::AlreadyEnrolled { home: home.to_owned() });
    if home.join(KEYS).exists() {
        return Err(exists());
    }
    match flaw(from)? {
        Some(Flaw::OtherKind) => return Err(BackupError::NotABackup),
        Some(Flaw::Damaged) => return Err(BackupError::Damaged),
        None => {}
    }
    std::fs::create_dir_all(home).map_err(on(home))?;
    let lock = Lock::take(home, now.boot)?;
    // Asked again under the lock: of two at once the second finds a home.
    if home.join(KEYS).exists() {
        return Err(exists());
    }
    clear_killed(home)?;
    let part = home.join(PART);
    let restored = collect(&part, from).and_then(|names| {
        if names.iter().any(|name| home.join(name).exists()) {
            return Err(exists());
        }
        take_places(home, &names)
    });
    // Nothing stands in it any more, or nothing that counts; one that cannot be removed is no part of the home.
    let _ = std::fs::remove_dir_all(&part);
    drop(lock);
    restored
}

/// Writes what a backup holds into a folder; returns the names that it has there at the top, but for the keys'.
fn collect(part: &Path, from: &Path) -> Result<BTreeSet<String>, BackupError> {
    let open = File::open(from).map_err(on(from))?;
    let length = open.metadata().map_err(on(from))?.len();
    std::fs::create_dir_all(part).map_err(on(part))?;
    require_space(part, length.saturating_add(crate::home::CREATE_BYTES_MIN))?;
    let mut names = BTreeSet::new();
    let mut reader = Reader::new(BufReader::new(open)).map_err(on(from))?;
    while let Some((name, length)) = reader.next_file().map_err(on(from))? {
        let to = place(part, &name).ok_or(BackupError::Damaged)?;
        let folder = to.parent().unwrap_or(part);
        std::fs::create_dir_all(folder).map_err(on(folder))?;
        let mut out = private().write(true).create(true).truncate(true).open(&to).map_err(on(&to))?;
        reader.copy(length, &mut out).map_err(on(&to))?;
        out.sync_all().and_then(|()| sync_folder(folder)).map_err(on(&to))?;
        names.extend(name.split('/').next().filter(|top| *top != KEYS).map(str::to_owned));
    }
    // Whatever machine and folder this is: what it writes is another branch than what was written after the backup.
    // Where neither copy reads, the home is a copy anyway.
    if let Ok(Some(head)) = read_head(part) {
        write_head(part, &Head { fingerprint: [0; 16], ..head })?;
    }
    Ok(names)
}

/// Gives everything its place in the home, the keys last.
fn take_places(home: &Path, names: &BTreeSet<String>) -> Result<(), BackupError> {
    let part = home.join(PART);
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    write_whole(&part.join(MOVING), list.join("\n").as_bytes())?;
    sync_folder(home).map_err(on(home))?;
    for name in list {
        std::fs::rename(part.join(name), home.join(name)).map_err(on(&home.join(name)))?;
    }
    sync_folder(home).map_err(on(home))?;
    let keys = home.join(KEYS);
    std::fs::rename(part.join(KEYS), &keys).and_then(|()| sync_folder(home)).map_err(on(&keys))
}

/// Removes what a killed restore left, and nothing else; to be called under the lock, where there are no keys.
fn clear_killed(home: &Path) -> Result<(), BackupError> {
    let part = home.join(PART);
    if !part.exists() {
        return Ok(());
    }
    let moved = std::fs::read_to_string(part.join(MOVING)).unwrap_or_default();
    for name in moved.lines().filter(|name| is_plain(name)) {
        let path = home.join(name);
        if path.exists() {
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(on(&path))?;
        }
    }
    std::fs::remove_dir_all(&part).map_err(on(&part))
}

/// Returns where a file of the backup goes below `part`; `None` for a name that no home gives.
fn place(part: &Path, name: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = name.split('/').collect();
    let plain = parts.len() <= DEPTH_MAX + 1 && parts.iter().all(|part| is_plain(part));
    (plain && name != KEYS).then(|| part.join(name))
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
        restore(&again, &file, NOW).unwrap();
        assert!(matches!(
            restore(&again, &file, NOW),
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
        assert!(matches!(restore(&again, &file, NOW), Err(BackupError::Damaged)));
        std::fs::write(&file, b"something else, long enough to be looked at").unwrap();
        assert!(matches!(restore(&again, &file, NOW), Err(BackupError::NotABackup)));
        assert!(!again.exists());
        for name in ["../x", "/etc/x", "a//b", "a/../b", ".x", "a\\b", "", "1/2/3/4/5/6"] {
            assert_eq!(place(&again, name), None, "{name}");
        }
        assert_eq!(place(&again, "id/key.a"), Some(again.join("id/key.a")));
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_restore_killed_at_any_step_leaves_nothing_to_the_next_one() {
        let (dir, mut store) = home();
        store.save(vec![creation(b"x")], NOW).unwrap();
        drop(store);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        back_up(dir.path(), &file, NOW).unwrap();
        let whole = folder.path().join("whole");
        restore(&whole, &file, NOW).unwrap();
        let expected = names(&whole);
        for moved in [None, Some(0), Some(2), Some(usize::MAX)] {
            let again = folder.path().join(format!("{moved:?}"));
            let part = again.join(PART);
            let found = collect(&part, &file).unwrap();
            // Something that this backup does not hold, as of another backup.
            std::fs::write(part.join("relic"), b"old").unwrap();
            let mut all = found.clone();
            all.insert("relic".to_owned());
            if let Some(moved) = moved {
                let list: Vec<&str> = all.iter().map(String::as_str).collect();
                std::fs::write(part.join(MOVING), list.join("\n")).unwrap();
                for name in list.iter().rev().take(moved) {
                    std::fs::rename(part.join(name), again.join(name)).unwrap();
                }
            }
            restore(&again, &file, NOW).unwrap();
            assert_eq!(names(&again), expected, "{moved:?}");
            assert_eq!(Store::open(&again, NOW).unwrap().doctor().unwrap().faults, []);
        }
    }

    #[test]
    fn a_restore_beside_parts_of_a_home_leaves_them_as_they_are() {
        let (dir, store) = home();
        drop(store);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        back_up(dir.path(), &file, NOW).unwrap();
        let again = folder.path().join("home");
        std::fs::create_dir_all(again.join("journal")).unwrap();
        std::fs::write(again.join("journal/00000001.log"), b"mine").unwrap();
        assert!(matches!(
            restore(&again, &file, NOW),
            Err(BackupError::Store(StoreError::AlreadyEnrolled { .. }))
        ));
        assert_eq!(names(&again), ["journal", "lock"]);
        assert_eq!(std::fs::read(again.join("journal/00000001.log")).unwrap(), b"mine");
    }

    #[test]
    fn two_backups_into_one_file_at_once_do_not_write_into_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("backup.fbb");
        let (first, _one) = beside(&to).unwrap();
        let (second, _two) = beside(&to).unwrap();
        assert_ne!(first, second);
        assert!(first.starts_with(folder.path()) && second.starts_with(folder.path()));
    }
}
