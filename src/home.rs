//! The folder a device keeps everything in: whole files written so that a power cut leaves the old or the new one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;

/// What creating a home needs: the database's first files, the reserve, keys and the first journal file.
pub const CREATE_BYTES_MIN: u64 = 6 * 1024 * 1024;
/// Below this much free space no new document is taken, and nothing at all once the reserve is given up.
pub const SAVE_BYTES_MIN: u64 = 8 * 1024 * 1024;
/// Below this much free space no new attachment is taken.
pub const BLOB_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// What opening a home and syncing it take at most: a save that would leave less is given the reserve, or refused.
pub const SYNC_BYTES_MIN: u64 = 1024 * 1024;
/// What opening a home takes at most, where nothing is synced.
pub const OPEN_BYTES_MIN: u64 = 256 * 1024;
/// Size of the reserve, given up once when the disk is full.
pub const RESERVE_BYTES: u64 = 2 * 1024 * 1024;

/// What is kept in two copies: folder and name.
pub const TWINS: [(&str, &str); 4] = [("id", "key"), ("id", "identity"), ("id", "made"), ("", "head")];

const TWIN_MAGIC: &[u8; 4] = b"FBT1";
const TWIN_BYTES_MAX: u64 = 64 * 1024;
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// Writes a whole file that only its owner may read: temp, fsync, rename, fsync of the folder.
///
/// # Errors
/// [`StoreError::Io`] and [`StoreError::NoSpace`]; the old file is then still whole.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temp = path.with_extension("new");
    let written = (|| {
        let mut file = private().write(true).create(true).truncate(true).open(&temp)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temp, path)?;
        sync_folder(path.parent().unwrap_or(path))
    })();
    if written.is_err() {
        drop(std::fs::remove_file(&temp));
    }
    written.map_err(|source| StoreError::io("writing a file", path, source))
}

/// Returns options for a file that is for its owner's eyes only.
#[must_use]
pub fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes zeros over a file and removes it; one that is not there is gone already. Flash and file systems that write
/// elsewhere may keep the old bytes all the same.
///
/// # Errors
/// [`StoreError::Io`].
pub fn destroy(path: &Path) -> Result<(), StoreError> {
    let done = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.and_then(|file| zero(&file)).and_then(|()| std::fs::remove_file(path)),
    };
    done.map_err(|source| StoreError::io("destroying", path, source))
}

fn zero(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    file.rewind()?;
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_data()
}

/// Makes names in a folder survive a power cut.
///
/// # Errors
/// What the system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows has no handle for folders that can be synced; its journal keeps renames in order.
    if cfg!(windows) { Ok(()) } else { File::open(folder)?.sync_all() }
}

/// Writes `bytes` twice, as `<name>.a` and `<name>.b`, each with a checksum and a rising generation.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
///
/// Source: docs/STORAGE.md, The home.
pub fn write_twin(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let generation = copies(folder, name).iter().flatten().map(|copy| copy.0).max().unwrap_or(0);
    let mut out = Vec::with_capacity(bytes.len() + 16);
    out.extend_from_slice(TWIN_MAGIC);
    out.extend_from_slice(&generation.wrapping_add(1).to_le_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(&CRC.checksum(&out).to_le_bytes());
    for path in twin_paths(folder, name) {
        write_whole(&path, &out)?;
    }
    Ok(())
}

/// Returns the newest readable copy; `None` where neither exists.
///
/// # Errors
/// [`StoreError::Damaged`] where copies exist and none is readable.
pub fn read_twin(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let newest = copies(folder, name).into_iter().flatten().max_by_key(|copy| copy.0);
    if let Some((_, bytes)) = newest {
        return Ok(Some(bytes));
    }
    if twin_paths(folder, name).iter().any(|path| path.exists()) {
        return Err(StoreError::damaged(crate::store::error::Part::Keys, folder));
    }
    Ok(None)
}

/// As [`write_twin`], and writes zeros over what the copies held before.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn replace_twin(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    // An open file keeps no name taken there; elsewhere the old bytes stay until something else needs their place.
    let before: Vec<File> = match cfg!(unix) {
        true => {
            let open = |path| OpenOptions::new().write(true).open(path).ok();
            twin_paths(folder, name).into_iter().filter_map(open).collect()
        }
        false => Vec::new(),
    };
    write_twin(folder, name, bytes)?;
    // The new copies stand: what cannot be written over any more is no reason to say otherwise.
    before.iter().for_each(|file| drop(zero(file)));
    Ok(())
}

/// Brings the older copy up to the newer one, where both are whole and a kill came between them.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn level_twin(folder: &Path, name: &str) -> Result<(), StoreError> {
    match copies(folder, name) {
        [Some((a, _)), Some((b, bytes))] if b > a => replace_twin(folder, name, &bytes),
        [Some((a, bytes)), Some((b, _))] if a > b => replace_twin(folder, name, &bytes),
        _ => Ok(()),
    }
}

/// Removes both copies; those that are not there are gone already.
///
/// # Errors
/// [`StoreError::Io`].
pub fn remove_twin(folder: &Path, name: &str) -> Result<(), StoreError> {
    twin_paths(folder, name).iter().try_for_each(|path| match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("removing", path, error)),
        _ => Ok(()),
    })
}

/// Returns how many of the two copies are whole.
#[must_use]
pub fn whole_copies(folder: &Path, name: &str) -> usize {
    copies(folder, name).iter().flatten().count()
}

fn twin_paths(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(format!("{name}.a")), folder.join(format!("{name}.b"))]
}

fn copies(folder: &Path, name: &str) -> [Option<(u32, Vec<u8>)>; 2] {
    twin_paths(folder, name).map(|path| read_copy(&path))
}

fn read_copy(path: &Path) -> Option<(u32, Vec<u8>)> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(TWIN_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let (body, crc) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    if CRC.checksum(body).to_le_bytes() != crc {
        return None;
    }
    let (generation, rest) = body.strip_prefix(TWIN_MAGIC)?.split_at_checked(4)?;
    Some((u32::from_le_bytes(generation.try_into().ok()?), rest.to_vec()))
}

/// The home's lock: one process writes. It ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    was_held: bool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever ends otherwise leaves his name here; nothing but caution depends on it.
        drop(self.file.set_len(0));
    }
}

impl Lock {
    /// Takes the lock, waiting up to five seconds.
    ///
    /// # Errors
    /// [`StoreError::InUse`] names the process that holds it.
    pub fn take(home: &Path, boot: u32) -> Result<Self, StoreError> {
        let path = home.join("lock");
        let failed = |source| StoreError::io("locking", &path, source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        for _ in 0..100 {
            if try_lock(&file).map_err(failed)? {
                let was_held = file.metadata().is_ok_and(|meta| meta.len() > 0);
                // Only for the message to others; the lock itself does not depend on what is written.
                let _ = file.set_len(0).and_then(|()| write!(file, "{} {boot}", std::process::id()));
                return Ok(Self { file, was_held });
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let mut text = String::new();
        let _ = file.rewind().and_then(|()| file.take(64).read_to_string(&mut text));
        let pid = text.split(' ').next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
        Err(StoreError::InUse { pid })
    }
}

impl Lock {
    /// Returns whether the last process that held it did not end in order.
    #[must_use]
    pub fn was_held(&self) -> bool {
        self.was_held
    }
}

/// Returns whether the lock is ours now. Rust's own `try_lock` does not know Android, whose `flock` is Linux's.
#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(unix))]
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the bytes an ordinary user may still write on the disk that holds `path`; `None` where the platform does not say.
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(feature = "simulated")]
    if let Some(free) = crate::simulated::free_bytes() {
        return Some(free);
    }
    #[cfg(unix)]
    {
        let existing = path.ancestors().find(|path| path.exists())?;
        let stat = rustix::fs::statvfs(existing).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Refuses where fewer than `needed` bytes are free.
///
/// # Errors
/// [`StoreError::NoSpace`].
pub fn require_space(path: &Path, needed: u64) -> Result<(), StoreError> {
    match free_bytes(path) {
        Some(free) if free < needed => Err(StoreError::NoSpace { needed, free }),
        _ => Ok(()),
    }
}

/// Returns what ties a home to this machine and this folder: a copy elsewhere has another one.
#[must_use]
pub fn fingerprint(home: &Path) -> [u8; 16] {
    let machine = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok().map(String::into_bytes))
        .unwrap_or_default();
    let hash = sync_protocol::chain::sha256(&[b"fieldbook home\n", &machine, &folder_identity(home)]);
    let mut out = [0; 16];
    out.copy_from_slice(hash.split_at(16).0);
    out
}

#[cfg(unix)]
fn folder_identity(home: &Path) -> Vec<u8> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(home);
    meta.map(|meta| [meta.dev().to_le_bytes(), meta.ino().to_le_bytes()].concat()).unwrap_or_default()
}

#[cfg(not(unix))]
fn folder_identity(home: &Path) -> Vec<u8> {
    std::fs::canonicalize(home)
        .map(|path| path.to_string_lossy().into_owned().into_bytes())
        .unwrap_or_default()
}

/// Returns the file of this home in the folder that a boot empties; `None` where the machine has no such folder.
#[must_use]
pub fn token_path(home: &Path) -> Option<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_dir())?;
    let path = std::fs::canonicalize(home).ok()?;
    let [a, b, c, d, ..] = sync_protocol::chain::sha256(&[path.to_string_lossy().as_bytes()]);
    let folder = runtime.join("fieldbook");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join(format!("{:08x}", u32::from_be_bytes([a, b, c, d]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_a_kill_left_behind_is_brought_up_and_what_it_held_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        write_twin(dir, "key", b"one").unwrap();
        let old = std::fs::read(dir.join("key.b")).unwrap();
        write_twin(dir, "key", b"two").unwrap();
        std::fs::write(dir.join("key.b"), old).unwrap();
        level_twin(dir, "key").unwrap();
        let kept = std::fs::read(dir.join("key.b")).unwrap();
        assert_eq!(kept, std::fs::read(dir.join("key.a")).unwrap());
        assert_eq!(read_twin(dir, "key").unwrap().unwrap(), b"two");
        remove_twin(dir, "key").unwrap();
        remove_twin(dir, "key").unwrap();
        assert_eq!(read_twin(dir, "key").unwrap(), None);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_replaced_or_destroyed_holds_zeros_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        write_twin(dir, "key", b"the data key").unwrap();
        let mode = std::fs::metadata(dir.join("key.a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        let mut before = File::open(dir.join("key.a")).unwrap();
        replace_twin(dir, "key", b"the wrapped key").unwrap();
        let mut bytes = Vec::new();
        before.read_to_end(&mut bytes).unwrap();
        assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0), "{bytes:?}");
        let mut gone = File::open(dir.join("key.b")).unwrap();
        destroy(&dir.join("key.b")).unwrap();
        destroy(&dir.join("key.b")).unwrap();
        bytes.clear();
        gone.read_to_end(&mut bytes).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 0) && !dir.join("key.b").exists(), "{bytes:?}");
    }

    #[test]
    fn one_damaged_copy_costs_nothing_and_two_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert_eq!(read_twin(dir, "key").unwrap(), None);
        write_twin(dir, "key", b"one").unwrap();
        write_twin(dir, "key", b"two").unwrap();
        std::fs::write(dir.join("key.a"), b"FBT1 nonsense").unwrap();
        assert_eq!(read_twin(dir, "key").unwrap().unwrap(), b"two");
        assert_eq!(whole_copies(dir, "key"), 1);
        std::fs::write(dir.join("key.b"), b"").unwrap();
        assert!(matches!(read_twin(dir, "key"), Err(StoreError::Damaged { .. })));
    }
}
