//! A headquarters in one file: database, key, certificate, attachments; made while it serves, read back elsewhere.
//!
//! Source: docs/OPERATIONS.md, Backups.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use sync_protocol::archive::{Flaw, OF_HQ, Reader, Writer, check};

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

/// Returns what says that the disk of `file` has no room for it.
pub(crate) fn no_room(file: &Path) -> BackupError {
    on(file)(std::io::ErrorKind::StorageFull.into())
}

/// Writes files into one, for the owner's eyes only, and returns its length once it is on the disk.
///
/// # Errors
/// [`BackupError`]; then `to` is as it was.
pub(crate) fn pack(to: &Path, files: &[(String, PathBuf)]) -> Result<u64, BackupError> {
    let (part, open) = beside(to)?;
    let packed = write(&part, open, files).and_then(|bytes| {
        // What is not whole on its disk is no backup.
        if flaw(&part)?.is_some() {
            return Err(BackupError::Damaged { file: part.clone() });
        }
        std::fs::rename(&part, to).and_then(|()| sync_folder(to.parent())).map_err(on(to))?;
        Ok(bytes)
    });
    if packed.is_err() {
        // What is left of it is no backup.
        let _ = std::fs::remove_file(&part);
    }
    packed.map_err(|error| match error {
        // Whatever was read for it: it is written here only.
        BackupError::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => no_room(to),
        other => other,
    })
}

/// What SQLite may put beside a file of its own.
const ENDS: [&str; 4] = ["-wal", "-shm", "-journal", ""];

/// Removes a file that is no longer wanted, with what SQLite put beside it. What cannot be removed goes another time.
pub(crate) fn clear(file: &Path) {
    for end in ENDS {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(end);
        let _ = std::fs::remove_file(file.with_file_name(name));
    }
}

/// Removes what backups into `to` left beside it whose processes are gone, killed or without power.
///
/// The caller is the only one of this process who writes one.
pub(crate) fn clear_left(to: &Path) {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(of) = to.file_name().and_then(|name| name.to_str()) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(|name| maker(name, of)).is_some_and(is_gone) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Returns the process that made a file beside `of`; `None` where [`beside`] gives no such name.
fn maker(name: &str, of: &str) -> Option<u32> {
    let (process, rest) = name.strip_prefix(of)?.strip_prefix('.')?.split_once('-')?;
    let (n, end) = rest.split_once(".part")?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let ours = number(process) && number(n) && ENDS.contains(&end);
    process.parse().ok().filter(|_| ours)
}

/// Returns whether no process of that number runs but this one; `false` where the system does not tell.
fn is_gone(process: u32) -> bool {
    let line = |process: &str| std::fs::read_to_string(format!("/proc/{process}/stat")).ok();
    // One that ended and that nobody waits for keeps its number.
    let ended = |line: String| line.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z'));
    process == std::process::id() || (line("self").is_some() && line(&process.to_string()).is_none_or(ended))
}

/// Makes a file beside `to` that nobody else writes at the same time.
///
/// # Errors
/// [`BackupError::File`], of `to`.
pub(crate) fn beside(to: &Path) -> Result<(PathBuf, File), BackupError> {
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
    check(BufReader::new(open), length, OF_HQ).map_err(on(file))
}

fn write(part: &Path, out: File, files: &[(String, PathBuf)]) -> Result<u64, BackupError> {
    let mut writer = Writer::new(BufWriter::new(out), OF_HQ).map_err(on(part))?;
    for (name, path) in files {
        let open = File::open(path).map_err(on(path))?;
        let length = open.metadata().map_err(on(path))?.len();
        writer.file(name, length, open).map_err(on(path))?;
    }
    let (mut out, bytes) = writer.finish().map_err(on(part))?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(on(part))?;
    Ok(bytes)
}

/// Reads a backup into a folder; `place` says where a file of that name goes, `None` for a name that it does not know.
///
/// The whole file is checked before anything is written.
///
/// # Errors
/// [`BackupError`].
pub(crate) fn unpack(from: &Path, place: &dyn Fn(&str) -> Option<PathBuf>) -> Result<(), BackupError> {
    let damaged = || BackupError::Damaged { file: from.to_owned() };
    match flaw(from)? {
        Some(Flaw::OtherKind) => return Err(BackupError::NotABackup { file: from.to_owned() }),
        Some(Flaw::Damaged) => return Err(damaged()),
        None => {}
    }
    let open = File::open(from).map_err(on(from))?;
    let mut reader = Reader::new(BufReader::new(open)).map_err(on(from))?;
    while let Some((name, length)) = reader.next_file().map_err(on(from))? {
        let to = place(&name).ok_or_else(damaged)?;
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(on(folder))?;
        }
        let mut out = create(&to)?;
        reader.copy(length, &mut out).map_err(on(&to))?;
        out.sync_all().and_then(|()| sync_folder(to.parent())).map_err(on(&to))?;
    }
    Ok(())
}

/// Makes a file, or empties it, for the owner's eyes only.
///
/// # Errors
/// [`BackupError::File`].
pub(crate) fn create(file: &Path) -> Result<File, BackupError> {
    private().write(true).create(true).truncate(true).open(file).map_err(on(file))
}

/// Options for a file that is for its owner's eyes only.
fn private() -> std::fs::OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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
    fn nothing_of_a_damaged_backup_or_of_another_kind_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a"), b"one").unwrap();
        pack(&at("x"), &[("a".to_owned(), at("a"))]).unwrap();
        let place = |name: &str| Some(at("out").join(name));
        let mut bytes = std::fs::read(at("x")).unwrap();
        bytes[8] ^= 1;
        std::fs::write(at("y"), &bytes).unwrap();
        assert!(matches!(unpack(&at("y"), &place), Err(BackupError::Damaged { .. })));
        assert!(matches!(unpack(&at("a"), &place), Err(BackupError::NotABackup { .. })));
        assert!(unpack(&at("x"), &|_| None).is_err(), "a name that nobody knows");
        assert!(!at("out").exists());
        unpack(&at("x"), &place).unwrap();
        assert_eq!(std::fs::read(at("out/a")).unwrap(), b"one");
    }

    #[test]
    fn backups_into_one_file_at_once_are_each_whole_and_leave_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: String| folder.path().join(name);
        let to = at("backup.fbb".to_owned());
        std::thread::scope(|scope| {
            for n in 0..4_u8 {
                let from = at(format!("{n}"));
                std::fs::write(&from, vec![n; 300_000]).unwrap();
                let to = &to;
                scope.spawn(move || {
                    for _ in 0..5 {
                        pack(to, &[("a".to_owned(), from.clone())]).unwrap();
                        assert_eq!(flaw(to).unwrap(), None);
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
