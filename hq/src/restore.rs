//! A backup of a running headquarters, and a headquarters made again from one.
//!
//! Source: docs/OPERATIONS.md, Backups.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use sync_protocol::cursor::Incarnation;

use crate::backup::{self, BackupError};
use crate::data::{Data, DataError};
use crate::keys;
use crate::store::address::Server;
use crate::store::copies::Copied;
use crate::store::{Store, StoreError};

const DATABASE: &str = "hq.sqlite";
const KEY: &str = "hq.key";
const CERTIFICATE: [&str; 4] = ["tls-cert.pem", "tls-key.pem", "tls-next-cert.pem", "tls-next-key.pem"];
/// The folder of attachments, each under the first two digits of its hash.
const FILES: &str = "files";

/// A backup that is whole on its disk.
#[derive(Debug)]
pub struct BackedUp {
    /// Of its file.
    pub bytes: u64,
    /// Why headquarters does not remember it, where it does not: devices keep what a backup that is forgotten holds.
    pub unnoted: Option<StoreError>,
}

impl Data {
    /// Writes everything into one file while others go on working.
    ///
    /// That a backup holds something is noted only when the file is whole on its disk.
    ///
    /// # Errors
    /// [`DataError`]; then `to` is as it was.
    pub fn back_up(&self, to: &Path) -> Result<BackedUp, DataError> {
        self.back_up_noting(to, |_, _| Ok(()))
    }

    /// The same; `note` notes more of it and is told its bytes. All is noted or nothing.
    ///
    /// # Errors
    /// [`DataError`]; then `to` is as it was, unless it could not be noted for a reason that no time mends.
    pub fn back_up_noting(
        &self,
        to: &Path,
        note: impl FnOnce(&Store, u64) -> Result<(), StoreError>,
    ) -> Result<BackedUp, DataError> {
        let store = Store::open_to_copy(&self.place()?)?;
        // One after the other: what a later one noted must not be written over by an earlier one.
        let _alone = self.alone()?;
        backup::clear_left(to);
        let (copy, open) = backup::beside(to)?;
        drop(open);
        let copied =
            store.copy_to(&copy).map_err(|error| match error.is_full() && !error.is_full_at_server() {
                true => backup::no_room(to).into(),
                false => DataError::from(error),
            });
        // Attachments after the database: whatever a row names was on the disk before the row.
        let packed = copied.and_then(|extent| Ok((extent, backup::pack(to, &self.listed(&copy)?)?)));
        backup::clear(&copy);
        let (extent, bytes) = packed?;
        let noted = store.begin().and_then(|()| {
            let noted = store.backed_up(&extent).and_then(|()| note(&store, bytes));
            if noted.is_ok() { store.commit() } else { store.roll_back().and(noted) }
        });
        match noted {
            Ok(()) => Ok(BackedUp { bytes, unnoted: None }),
            // The file is there and whole, on a full disk above all, when it may be the last one.
            Err(error) if error.is_full() || error.is_busy() || error.is_lost() => {
                Ok(BackedUp { bytes, unnoted: Some(error) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Moves the records of this folder to a PostgreSQL server; the old file stays beside, under another name.
    ///
    /// Nobody else may have the headquarters open. A move that was cut off is begun again.
    ///
    /// # Errors
    /// [`DataError::Moved`], [`DataError::Differs`], [`StoreError::Made`] where the
    /// server's database holds another headquarters, [`DataError`]; then this folder is as it was.
    pub fn move_to_server(&self, url: &str) -> Result<Copied, DataError> {
        let _alone = self.alone()?;
        if self.server_file().exists() {
            return Err(DataError::Moved);
        }
        let server = Server::read(url, crate::data::environment)?;
        let from = Store::open(&self.database())?;
        // First, so that a full disk is told before anything is at the server.
        let noted = self.prepare_server(url)?;
        let copied = from.move_to(&server).map_err(DataError::from).and_then(|copied| match copied.differs {
            Some(table) => Err(DataError::Differs { table }),
            None => Ok(copied),
        });
        if copied.is_err() {
            backup::clear(&noted);
        }
        let copied = copied?;
        // From here on every command asks the server; the file is not read any more, wherever this ends.
        self.note_server(&noted)?;
        drop(from);
        let aside = self.0.join("hq.sqlite-moved");
        std::fs::rename(self.database(), &aside).map_err(backup::on(&aside))?;
        backup::sync_folder(Some(&self.0)).map_err(backup::on(&aside))?;
        Ok(copied)
    }

    /// Waits until nobody else backs this folder up or restores into it, and keeps it so while the file is open.
    fn alone(&self) -> Result<std::fs::File, BackupError> {
        let path = self.0.join("backup.lock");
        let open = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(backup::on(&path))?;
        file.lock().map_err(backup::on(&path))?;
        Ok(file)
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
    /// [`DataError::Exists`] where there is a headquarters already, [`DataError`]; then nothing that came with it stays.
    pub fn restore(&self, from: &Path, now_ms: u64) -> Result<u64, DataError> {
        self.folder().map_err(|source| DataError::Folder { folder: self.0.clone(), source })?;
        let _alone = self.alone()?;
        if self.is_made() {
            return Err(DataError::Exists);
        }
        let part = self.0.join("hq.sqlite-part");
        // What a restore that was cut off left beside its copy would be read into this one.
        for left in ["hq.sqlite-part-wal", "hq.sqlite-part-shm"].map(|name| self.0.join(name)) {
            if left.exists() {
                std::fs::remove_file(&left).map_err(backup::on(&left))?;
            }
        }
        let came = RefCell::new(Vec::new());
        let place = |name: &str| {
            let to = match name {
                DATABASE => part.clone(),
                KEY => self.key(),
                name if CERTIFICATE.contains(&name) => self.0.join(name),
                name => self.attachment(name)?,
            };
            if !to.exists() {
                came.borrow_mut().push(to.clone());
            }
            Some(to)
        };
        let restored = backup::unpack(from, &place).map_err(DataError::from).and_then(|()| {
            keys::read(&self.key())?;
            let ops = begin_again(&part, now_ms)?;
            // The database comes last: where it is, all is there.
            std::fs::rename(&part, self.database()).map_err(backup::on(&part))?;
            Ok(ops)
        });
        if restored.is_err() {
            // On a full disk above all, where it would stand in the way of whoever makes room.
            backup::clear(&part);
            came.take().iter().for_each(|file| drop(std::fs::remove_file(file)));
        }
        let ops = restored?;
        backup::sync_folder(Some(&self.0)).map_err(backup::on(&self.0))?;
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
    let begun = store
        .begin_again(new, now_ms)
        .and_then(|()| store.pieces_forget_all())
        .and_then(|()| store.audit(0, now_ms, "restored", &format!("of history {}", old.0)));
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_300_000_000;

    fn made(folder: &Path) -> Data {
        let data = Data::at(folder);
        data.init("http://127.0.0.1:7400").unwrap();
        data
    }

    #[test]
    fn what_another_database_left_is_never_read_into_a_restored_one() {
        let folder = tempfile::tempdir().unwrap();
        let lost = made(&folder.path().join("lost"));
        let file = folder.path().join("backup");
        lost.back_up(&file).unwrap();
        let writing = Store::open(&lost.database()).unwrap();
        writing.set("later", b"1").unwrap();
        let new = Data::at(&folder.path().join("new"));
        new.folder().unwrap();
        let log = lost.0.join("hq.sqlite-wal");
        std::fs::copy(&log, new.0.join("hq.sqlite-part-wal")).unwrap();
        std::fs::copy(&log, new.0.join("hq.sqlite-wal")).unwrap();
        assert!(matches!(new.restore(&file, NOW_MS), Err(DataError::Exists)), "it may hold work");
        std::fs::remove_file(new.0.join("hq.sqlite-wal")).unwrap();
        new.restore(&file, NOW_MS).unwrap();
        let restored = Store::open(&new.database()).unwrap();
        assert_eq!(restored.setting("later").unwrap(), None);
        assert!(restored.is_whole().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_copy_that_a_backup_is_made_from() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let data = made(folder.path());
        let (copy, _) = backup::beside(&folder.path().join("backup")).unwrap();
        Store::open(&data.database()).unwrap().copy_to(&copy).unwrap();
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
