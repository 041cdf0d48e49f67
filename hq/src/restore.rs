//! A backup of a running headquarters, and a headquarters made again from one.
//!
//! Source: docs/OPERATIONS.md, Backups.

use std::path::{Path, PathBuf};

use sync_protocol::cursor::Incarnation;

use crate::backup::{self, BackupError};
use crate::data::{Data, DataError};
use crate::keys;
use crate::store::sqlite::Store;

const DATABASE: &str = "hq.sqlite";
const KEY: &str = "hq.key";
const CERTIFICATE: [&str; 2] = ["tls-cert.pem", "tls-key.pem"];
/// The folder of attachments, each under the first two digits of its hash.
const FILES: &str = "files";

impl Data {
    /// Writes everything into one file while others go on working; returns its bytes.
    ///
    /// That a backup holds something is noted only when the file is whole on its disk.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn back_up(&self, to: &Path) -> Result<u64, DataError> {
        let store = Store::open(&self.database())?;
        let copy = to.with_extension("sqlite-part");
        let clear = || match std::fs::remove_file(&copy) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(backup::on(&copy)(error)),
            Ok(()) | Err(_) => Ok(()),
        };
        clear()?;
        let extent = store.copy_to(&copy)?;
        // Attachments after the database: whatever a row names was on the disk before the row.
        let packed = self.listed(&copy).and_then(|files| backup::pack(to, &files));
        clear()?;
        let bytes = packed?;
        store.begin()?;
        let noted = store.backed_up(&extent);
        if noted.is_ok() {
            store.commit()?
        } else {
            store.roll_back()?
        }
        noted?;
        Ok(bytes)
    }

    fn listed(&self, copy: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
        let mut files = vec![(DATABASE.to_owned(), copy.to_owned()), (KEY.to_owned(), self.key())];
        let certificate = CERTIFICATE.map(|name| (name.to_owned(), self.0.join(name)));
        files.extend(certificate.into_iter().filter(|(_, path)| path.exists()));
        for folder in names(&self.0.join(FILES))? {
            for file in names(&self.0.join(FILES).join(&folder))? {
                let name = format!("{FILES}/{folder}/{file}");
                files.extend(self.attachment(&name).map(|path| (name, path)));
            }
        }
        Ok(files)
    }

    /// Makes a headquarters again from a backup: the same keys, and a new history that remembers the old one.
    ///
    /// # Errors
    /// [`DataError::Exists`] where there is a headquarters already, [`DataError`]; the database comes last.
    pub fn restore(&self, from: &Path, now_ms: u64) -> Result<u64, DataError> {
        self.folder().map_err(|source| DataError::Folder { folder: self.0.clone(), source })?;
        if self.database().exists() {
            return Err(DataError::Exists);
        }
        let part = self.0.join("hq.sqlite-part");
        backup::unpack(from, &|name| match name {
            DATABASE => Some(part.clone()),
            KEY => Some(self.key()),
            name if CERTIFICATE.contains(&name) => Some(self.0.join(name)),
            name => self.attachment(name),
        })?;
        keys::read(&self.key())?;
        let ops = begin_again(&part, now_ms)?;
        std::fs::rename(&part, self.database())
            .and_then(|()| backup::sync_folder(Some(&self.0)))
            .map_err(backup::on(&part))?;
        Ok(ops)
    }

    /// Returns where an attachment of that name lies; `None` for a name that is none.
    fn attachment(&self, name: &str) -> Option<PathBuf> {
        let hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (folder, hash) = name.strip_prefix(FILES)?.strip_prefix('/')?.split_once('/')?;
        let named = folder.len() == 2 && hash.len() == 64 && hash.starts_with(folder) && hex(hash);
        named.then(|| self.0.join(FILES).join(folder).join(hash))
    }
}

fn begin_again(database: &Path, now_ms: u64) -> Result<u64, DataError> {
    let store = Store::open(database)?;
    let old = store.incarnation()?;
    let new = loop {
        let new = Incarnation(u32::from_le_bytes(keys::random()?));
        if new != old && new != Incarnation(0) && !store.descends_from(new)? {
            break new;
        }
    };
    store.begin()?;
    // Of files that were still coming, no byte is in the backup.
    let begun = store.begin_again(new, now_ms).and_then(|()| store.pieces_forget_all());
    if begun.is_ok() {
        store.commit()?
    } else {
        store.roll_back()?
    }
    begun?;
    store.settle()?;
    Ok(store.ops()?)
}

/// Returns the names in a folder, sorted; none where it is not there.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        // Beside the folders of attachments there may be files of others.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        read => read.map_err(backup::on(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(backup::on(folder))?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}
