//! The folder of a headquarters: its database, its key, its certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::enrol::Reach;
use crate::files::Files;
use crate::intake::desk::Desk;
use crate::keys::{self, KeysError};
use crate::store::address::{Address, Server};
use crate::store::{Store, StoreError};
use crate::tls::{self, TlsError};

/// Why a headquarters could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is one already.
    #[error("a headquarters was made here already")]
    Exists,
    /// There is a key and no database: it was begun and cut off, or what belongs to the key is gone.
    #[error("{file} is there, and no database")]
    Half {
        /// The key.
        file: PathBuf,
    },
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
    /// What was copied is not what there was.
    #[error("the copy of {table} is not what there was")]
    Differs {
        /// Which table.
        table: &'static str,
    },
    /// The records are at a server already.
    #[error("the records are at a server already")]
    Moved,
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

    /// The file with the address of the server that keeps the records, where they are not in this folder.
    pub(crate) fn server_file(&self) -> PathBuf {
        self.0.join("database")
    }

    /// Returns the address that [`Data::init`] or [`Data::move_to_server`] noted; `None` where SQLite keeps the records.
    #[must_use]
    pub fn server(&self) -> Option<String> {
        std::fs::read_to_string(self.server_file()).ok().map(|url| url.trim().to_owned())
    }

    /// Returns where the records are.
    pub(crate) fn place(&self) -> Result<Address, StoreError> {
        match self.server() {
            None => Ok(Address::File(self.database())),
            Some(url) => Ok(Address::Server(Box::new(Server::read(&url, environment)?))),
        }
    }

    /// Writes where the records will be, for the owner's eyes only, and returns the file that nobody reads yet.
    pub(crate) fn prepare_server(&self, url: &str) -> Result<PathBuf, DataError> {
        use std::io::Write;

        let part = self.0.join("database-part");
        let mut out = crate::backup::create(&part)?;
        let written = writeln!(out, "{url}").and_then(|()| out.sync_all());
        if written.is_err() {
            crate::backup::clear(&part);
        }
        written.map_err(crate::backup::on(&part))?;
        Ok(part)
    }

    /// Notes that the records are from now on where [`Data::prepare_server`] wrote.
    pub(crate) fn note_server(&self, part: &Path) -> Result<(), DataError> {
        let file = self.server_file();
        let noted = std::fs::rename(part, &file).and_then(|()| crate::backup::sync_folder(Some(&self.0)));
        Ok(noted.map_err(crate::backup::on(&file))?)
    }

    /// Whether there is a database, or what one left beside it: its last work, which would be read into another one.
    pub(crate) fn is_made(&self) -> bool {
        self.database().exists() || self.0.join("hq.sqlite-wal").exists() || self.server_file().exists()
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
        self.make(address, None)
    }

    /// The same with the records in the empty database of a PostgreSQL server, whose address the folder remembers.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn init_at_server(&self, address: &str, url: &str) -> Result<(), DataError> {
        self.make(address, Some(url))
    }

    fn make(&self, address: &str, server: Option<&str>) -> Result<(), DataError> {
        let host = tls::host(address).ok_or(DataError::Address)?;
        self.folder().map_err(|source| DataError::Folder { folder: self.0.clone(), source })?;
        if self.is_made() {
            return Err(DataError::Exists);
        }
        let place = match server {
            None => Address::File(self.database()),
            Some(url) => Address::Server(Box::new(Server::read(url, environment)?)),
        };
        if self.key().exists() {
            return Err(DataError::Half { file: self.key() });
        }
        let (cert, tls_key) = self.tls();
        let mut made = vec![self.key(), cert, tls_key, self.database(), self.0.join("hq.sqlite-wal")];
        made.retain(|file| !file.exists());
        let noted = server.map(|url| self.prepare_server(url)).transpose()?;
        made.extend(noted.clone());
        let filled = self.fill(address, host, place);
        if filled.is_err() {
            // So that it can be tried again; what stays is told by the next try.
            made.iter().for_each(|file| drop(std::fs::remove_file(file)));
        }
        filled?;
        noted.map_or(Ok(()), |part| self.note_server(&part))
    }

    /// Makes the keys and the tables.
    fn fill(&self, address: &str, host: &str, place: Address) -> Result<(), DataError> {
        keys::create(&self.key())?;
        let pin = if address.starts_with("https://") {
            let (cert, key) = self.tls();
            Some(tls::create(&cert, &key, host)?)
        } else {
            None
        };
        // The database comes last: where it is, all is there.
        let store = Store::create(place)?;
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
        let store = Store::open(self.place()?)?;
        let signer = keys::read(&self.key())?;
        let incarnation = store.incarnation()?;
        let mut desk = Desk::new(store, self.files(), Arc::new(signer), incarnation, test_clock);
        if desk.is_upgraded()? {
            desk.transact(Desk::read_again)?;
        }
        Ok(desk)
    }
}

/// Returns what PostgreSQL's own programs would be told of the environment.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
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
