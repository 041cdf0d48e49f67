//! Branches of the own log that were written again under new names: their saves as they were, set aside in `quarantine/`.
//!
//! Written and synced before anything is taken out of the log, so that a kill at any step loses nothing.
//!
//! Source: docs/STORAGE.md, Forks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use records::id::{Epoch, OpId, Replica};

use crate::keys::{Domain, Keys, Place};
use crate::store::error::{Part, StoreError};
use crate::store::journal::Frame;
use crate::store::write::ids;

const FOLDER: &str = "quarantine";
const PREFIX: &str = "fork-";
const SCHEMA: u8 = 1;

/// A branch that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The file.
    pub path: PathBuf,
    /// Its saves, oldest first.
    pub frames: Vec<Frame>,
}

impl Aside {
    /// Returns the names that its ops had.
    pub fn ops(&self, replica: Replica) -> impl Iterator<Item = OpId> + use<'_> {
        self.frames.iter().flat_map(move |frame| ids(replica, frame))
    }
}

/// Writes the saves of a branch into a file of their own, and returns its name once it is on the disk.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn write(
    home: &Path,
    keys: &Keys,
    epoch: Epoch,
    common: u64,
    frames: &[Frame],
) -> Result<String, StoreError> {
    let name = format!("{PREFIX}{}-{common}", epoch.0);
    let sealed = keys.seal(place(&name), &postcard::to_allocvec(frames).unwrap_or_default())?;
    crate::home::write_whole(&home.join(FOLDER).join(&name), &sealed)?;
    Ok(name)
}

/// Reads one branch back.
///
/// # Errors
/// [`StoreError::Damaged`] where it does not read, [`StoreError::Io`].
pub fn read(home: &Path, keys: &Keys, name: &str) -> Result<Aside, StoreError> {
    let path = home.join(FOLDER).join(name);
    let sealed = std::fs::read(&path).map_err(|source| StoreError::io("reading", &path, source))?;
    let frames = keys.open_sealed(place(name), &sealed).and_then(|plain| postcard::from_bytes(&plain).ok());
    let frames = frames.ok_or_else(|| StoreError::damaged(Part::Journal, &path))?;
    Ok(Aside { path, frames })
}

/// Reads every branch that was set aside and still reads, by name.
///
/// # Errors
/// [`StoreError::Io`].
pub fn all(home: &Path, keys: &Keys) -> Result<Vec<Aside>, StoreError> {
    Ok(names(home)?.iter().filter_map(|name| read(home, keys, name).ok()).collect())
}

/// Returns the files that do not read, by name; `listed` are looked for too, whether they are there or not.
///
/// # Errors
/// [`StoreError::Io`].
pub fn unreadable(home: &Path, keys: &Keys, listed: Vec<String>) -> Result<Vec<PathBuf>, StoreError> {
    let mut names = names(home)?;
    names.extend(listed);
    let damaged = names.iter().filter(|name| read(home, keys, name).is_err());
    Ok(damaged.map(|name| home.join(FOLDER).join(name)).collect())
}

fn names(home: &Path) -> Result<BTreeSet<String>, StoreError> {
    let folder = home.join(FOLDER);
    let failed = |source| StoreError::io("listing", &folder, source);
    let mut names = BTreeSet::new();
    match std::fs::read_dir(&folder) {
        Ok(entries) => {
            for entry in entries {
                names.extend(entry.map_err(failed)?.file_name().into_string());
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed(source)),
    }
    names.retain(|name| name.starts_with(PREFIX) && !name.ends_with(".new"));
    Ok(names)
}

fn place(name: &str) -> Place<'_> {
    Place { domain: Domain::Journal, key: name.as_bytes(), seq: 0, schema: SCHEMA }
}
