//! The folder of a headquarters: its database, its key, its certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::enrol::Reach;
use crate::files::Files;
use crate::intake::desk::Desk;
use crate::keys::{self, KeysError};
use crate::store::{Store, StoreError};
use crate::tls::{self, TlsError};

/// Why a headquarters could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is one already.
    #[error("a headquarters was made here already")]
    Exists,
    /// The address in the codes must be one that devices can call.
    #[error("an address begins with http:// or https:// and names a host")]
    Address,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] crate::backup::BackupError),
    /// The folder.
    #[error("{folder}: {source}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data(pub(crate) PathBuf);

impl Data {
    /// Names the folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Returns the certificate's file and its key's.
    #[must_use]
    pub fn tls(&self) -> (PathBuf, PathBuf) {
        (self.0.join("tls-cert.pem"), self.0.join("tls-key.pem"))
    }

    /// Returns the next certificate's file and its key's.
    #[must_use]
    pub fn tls_next(&self) -> (PathBuf, PathBuf) {
        (self.0.join("tls-next-cert.pem"), self.0.join("tls-next-key.pem"))
    }

    /// Customers' data, keys and one-time secrets: nobody else on the machine looks in.
    pub(crate) fn folder(&self) -> std::io::Result<()> {
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&self.0)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("hq.sqlite")
    }

    /// Whether there is a database, or what one left beside it: its last work, which would be read into another one.
    pub(crate) fn is_made(&self) -> bool {
        self.database().exists() || self.0.join("hq.sqlite-wal").exists()
    }

    /// Returns how many bytes the database takes on the disk, its log included.
    pub(crate) fn database_bytes(&self) -> u64 {
        let length = |path: PathBuf| std::fs::metadata(path).map_or(0, |meta| meta.len());
        length(self.database()).saturating_add(length(self.0.join("hq.sqlite-wal")))
    }

    /// Returns the attachments' place.
    #[must_use]
    pub fn files(&self) -> Files {
        Files::at(&self.0.join("files"))
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("hq.key")
    }

    /// Makes a headquarters: database, key, history, and a certificate where `address` is `https`.
    ///
    /// # Errors
    /// [`DataError`]; what was begun is left for a person to look at.
    pub fn init(&self, address: &str) -> Result<(), DataError> {
        let host = tls::host(address).ok_or(DataError::Address)?;
        self.folder().map_err(|source| DataError::Folder { folder: self.0.clone(), source })?;
        if self.is_made() {
            return Err(DataError::Exists);
        }
        keys::create(&self.key())?;
        let pin = if address.starts_with("https://") {
            let (cert, key) = self.tls();
            Some(tls::create(&cert, &key, host)?)
        } else {
            None
        };
        // The database comes last: where it is, all is there.
        let store = Store::create(&self.database())?;
        store.begin()?;
        store.set("incarnation", &keys::random::<4>()?)?;
        store.set("address", address.as_bytes())?;
        if let Some(pin) = pin {
            store.set(crate::rotation::IN_USE, &pin)?;
        }
        Ok(store.commit()?)
    }

    /// Opens it; after an upgrade of the program, what the earlier one could not read is read first.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn open(&self, test_clock: bool) -> Result<Desk, DataError> {
        let store = Store::open(&self.database())?;
        let signer = keys::read(&self.key())?;
        let incarnation = store.incarnation()?;
        let mut desk = Desk::new(store, self.files(), Arc::new(signer), incarnation, test_clock);
        if desk.is_upgraded()? {
            desk.transact(Desk::read_again)?;
        }
        Ok(desk)
    }
}

/// Returns what stands in enrolment codes.
///
/// # Errors
/// [`StoreError`].
pub fn reach(store: &Store, address: Option<&str>) -> Result<Reach, StoreError> {
    let kept = store.setting("address")?.unwrap_or_default();
    let address = address.map_or_else(|| String::from_utf8_lossy(&kept).into_owned(), str::to_owned);
    let pin = store.setting(crate::rotation::IN_USE)?.and_then(|pin| pin.try_into().ok());
    Ok(Reach { tls_pin: pin.filter(|_| address.starts_with("https://")), address })
}
