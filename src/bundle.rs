//! Sync by file: work written for HQ, receipts that come back, what is carried for others.
//!
//! Reading order: [`work`], [`receipt`], [`relay`], [`hand_over`].
//!
//! Source: docs/PROTOCOL.md, Bundles.

pub mod files;
pub mod hand_over;
pub mod receipt;
pub mod relay;
pub mod work;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sync_protocol::bundle::{BundleError, BundleId, Header, Part, Reader};
use sync_protocol::conversation::ReadError;
use sync_protocol::cursor::Incarnation;
use sync_protocol::parcel::ParcelError;

use crate::store::Store;
use crate::store::error::StoreError;

/// Bytes read at a time.
const STEP_BYTES: usize = 64 * 1024;
const WRITING: &str = "writing";
/// The setting with the bundles that were written here.
const WRITTEN: &str = "bundle.written";
/// So many of them are remembered; of an older one a receipt still brings HQ's word.
const WRITTEN_MAX: usize = 100;

/// Why a bundle was not written or read; nothing of it was used.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// The file could not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no bundle, or not whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A parcel in it does not open.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    /// An answer in it does not read, or is not signed by HQ.
    #[error(transparent)]
    Answer(#[from] ReadError),
    /// It is for another device.
    #[error("the bundle is for somebody else")]
    NotForHim,
    /// It was written too long ago.
    #[error("the bundle is too old to be read")]
    TooOld,
    /// Its author is no device that HQ has told of, or its key is not that device's.
    #[error("the bundle is not signed by a device that is known")]
    Stranger,
    /// The colleague has no device that HQ has told of.
    #[error("no device of the colleague is known")]
    NoDevice,
    /// The home.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A bundle that was written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    id: BundleId,
    /// HQ's history as it was known then.
    under: Incarnation,
}

fn remembered(store: &Store) -> Result<Vec<Remembered>, StoreError> {
    let bytes = store.setting(WRITTEN)?;
    // Lost without harm: a receipt then brings HQ's word and leaves the feeds to the next sync.
    Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default())
}

fn remember(store: &mut Store, header: &Header) -> Result<(), StoreError> {
    let mut all = remembered(store)?;
    all.push(Remembered { id: header.id, under: header.incarnation });
    all.drain(..all.len().saturating_sub(WRITTEN_MAX));
    store.put_setting(WRITTEN, postcard::to_allocvec(&all).unwrap_or_default())
}

/// Reads the header of a bundle, and nothing else of it.
///
/// # Errors
/// [`BundleFault::File`], [`BundleFault::Bundle`].
pub fn header(path: &Path) -> Result<Header, BundleFault> {
    let mut file = Pieces::open(path)?;
    let mut reader = Reader::default();
    while let Some(bytes) = file.next()? {
        if let Some(Part::Header(header)) = reader.push(&bytes)?.into_iter().next() {
            return Ok(header);
        }
    }
    Err(BundleError::CutShort.into())
}

/// Reads a bundle to its end, gives out its parts, and checks that it is whole and signed.
///
/// # Errors
/// [`BundleFault::File`], [`BundleFault::Bundle`], and what `each` answers.
fn walk(path: &Path, each: &mut dyn FnMut(Part) -> Result<(), BundleFault>) -> Result<(), BundleFault> {
    let mut file = Pieces::open(path)?;
    let mut reader = Reader::default();
    while let Some(bytes) = file.next()? {
        reader.push(&bytes)?.into_iter().try_for_each(&mut *each)?;
    }
    Ok(reader.finish()?)
}

/// A file, read piece by piece.
struct Pieces<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Pieces<'a> {
    fn open(path: &'a Path) -> Result<Self, BundleFault> {
        let file = File::open(path).map_err(|source| fault(path, source))?;
        Ok(Self { path, file })
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, BundleFault> {
        let mut bytes = vec![0; STEP_BYTES];
        let read = self.file.read(&mut bytes).map_err(|source| fault(self.path, source))?;
        bytes.truncate(read);
        Ok((read > 0).then_some(bytes))
    }
}

/// A file that takes its name only once it is whole and on the disk.
struct NewFile<'a> {
    path: &'a Path,
    temp: PathBuf,
    file: File,
    bytes: u64,
}

impl<'a> NewFile<'a> {
    fn create(path: &'a Path) -> Result<Self, StoreError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let temp = path.with_file_name(name);
        let file = File::create(&temp).map_err(|source| StoreError::io(WRITING, path, source))?;
        Ok(Self { path, temp, file, bytes: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.file.write_all(bytes).map_err(|source| self.given_up(source))
    }

    fn finish(self) -> Result<u64, StoreError> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.temp, self.path))
            .and_then(|()| crate::home::sync_folder(folder.unwrap_or(Path::new("."))))
            .map_err(|source| self.given_up(source))?;
        Ok(self.bytes)
    }

    fn given_up(&self, source: io::Error) -> StoreError {
        // What is left of it has no use; where even that fails, the first error is the one to tell.
        let _ = std::fs::remove_file(&self.temp);
        StoreError::io(WRITING, self.path, source)
    }
}

fn fault(path: &Path, source: io::Error) -> BundleFault {
    BundleFault::File { path: path.to_path_buf(), source }
}
