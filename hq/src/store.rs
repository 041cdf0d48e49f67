//! What headquarters keeps: its tables, its transactions, its small settings; nothing here judges.

pub mod address;
pub mod archived;
pub mod copies;
pub mod devices;
pub mod documents;
mod engine;
pub mod feeds;
pub mod files;
pub mod log;
pub mod logins;
pub mod marks;
pub mod payments;
mod postgres;
pub mod recovered;
pub mod restores;
mod sqlite;
mod tables;

use records::id::DocId;

use crate::store::address::Address;
use crate::store::engine::{Engine, values};
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;

/// One line of the audit trail of administration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Counts the lines.
    pub id: u64,
    /// When, milliseconds UTC.
    pub at_ms: u64,
    /// What was done.
    pub what: String,
    /// To whom or what, and by whom.
    pub about: String,
}

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the database refused: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said no, or could not be heard.
    #[error("the database refused: {}", postgres::told(.0))]
    Postgres(#[from] ::postgres::Error),
    /// PostgreSQL did not let this program in; nothing was begun.
    #[error("{}", postgres::told(.0))]
    NotLetIn(::postgres::Error),
    /// The tables could not be made.
    #[error("the tables could not be made: {0}")]
    Tables(#[from] refinery::Error),
    /// The address of a database server, its password or its certificates.
    #[error("{what} of the database server cannot be used")]
    Server {
        /// What is wrong.
        what: &'static str,
    },
    /// There are tables already where new ones were asked for.
    #[error("a headquarters keeps its records there already")]
    Made,
    /// Another program has the database open.
    #[error("another program has the database open")]
    InUse,
    /// A column holds another type than the one that this program writes.
    #[error("column {at} of a row is of another type")]
    Column {
        /// Which, from 0.
        at: usize,
    },
    /// There is no database in the folder.
    #[error("no headquarters was made here")]
    Absent,
    /// Made by another version.
    #[error("the tables are of version {found}; this program reads {}", tables::newest())]
    Version {
        /// What it says.
        found: u32,
    },
    /// A newer program wrote here: it knows records that this one does not.
    #[error("the records are of a newer version of this program")]
    Newer,
    /// A claim is in another payment batch that pays it.
    #[error("claim {claim} is in another payment batch")]
    InPayment {
        /// Which claim.
        claim: DocId,
    },
    /// A row holds what this program never wrote.
    #[error("{table} holds bytes that do not decode")]
    Damaged {
        /// Which table.
        table: &'static str,
    },
}

impl StoreError {
    /// Returns what SQLite said, also to whoever made the tables.
    fn sqlite(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Sqlite(error) => Some(error),
            Self::Tables(error) => std::error::Error::source(error)?.downcast_ref(),
            _ => None,
        }
    }

    /// Returns what PostgreSQL said, also to whoever made the tables or was not let in.
    fn postgres(&self) -> Option<&::postgres::Error> {
        match self {
            Self::Postgres(error) | Self::NotLetIn(error) => Some(error),
            Self::Tables(error) => std::error::Error::source(error)?.downcast_ref(),
            _ => None,
        }
    }

    /// Returns whether the disk is full: of the file, or of the server.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let file = self.sqlite().is_some_and(|error| {
            error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
                // The index of the log is mapped into memory, so it is made in its full length: there was no room for it.
                || error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
        });
        file || self.is_full_at_server()
    }

    /// Returns whether it is the database server's disk that is full.
    #[must_use]
    pub fn is_full_at_server(&self) -> bool {
        let code = self.postgres().and_then(::postgres::Error::code);
        code == Some(&::postgres::error::SqlState::DISK_FULL)
    }

    /// Returns whether another process holds the database.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        let file = self.sqlite().and_then(rusqlite::Error::sqlite_error_code);
        let server = self.postgres().and_then(::postgres::Error::code);
        matches!(file, Some(DatabaseBusy | DatabaseLocked))
            || server == Some(&::postgres::error::SqlState::LOCK_NOT_AVAILABLE)
            || matches!(self, Self::InUse)
    }

    /// Returns whether the database server could not be heard: whatever was not acknowledged may be asked again.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::NotLetIn(_)) || self.postgres().is_some_and(postgres::is_lost)
    }

    /// Returns what a database server said or its line did, and nothing before it.
    #[must_use]
    pub fn reason(&self) -> String {
        self.postgres().map_or_else(|| self.to_string(), postgres::told)
    }

    /// Returns whether a key was there already.
    fn is_taken(&self) -> bool {
        let file = self.sqlite().and_then(rusqlite::Error::sqlite_error_code);
        let server = self.postgres().and_then(::postgres::Error::code);
        file == Some(rusqlite::ErrorCode::ConstraintViolation)
            || server == Some(&::postgres::error::SqlState::UNIQUE_VIOLATION)
    }
}

/// The one database of a headquarters.
#[derive(Debug)]
pub struct Store {
    db: Engine,
}

impl Store {
    /// Makes the tables in a new file, or in a server's empty database.
    ///
    /// # Errors
    /// [`StoreError::Made`] where there are tables already, [`StoreError`].
    pub fn create(at: impl Into<Address>) -> Result<Self, StoreError> {
        let db = match at.into() {
            Address::File(file) => Engine::Sqlite(Sqlite::create(&file)?),
            Address::Server(server) => Engine::Postgres(Box::new(Postgres::create(&server)?)),
        };
        Ok(Self { db })
    }

    /// Opens what was made; tables of an earlier version are brought up to this one's.
    ///
    /// # Errors
    /// [`StoreError::Absent`], [`StoreError::Version`], [`StoreError`].
    pub fn open(at: impl Into<Address>) -> Result<Self, StoreError> {
        let db = match at.into() {
            Address::File(file) => Engine::Sqlite(Sqlite::open(&file)?),
            Address::Server(server) => Engine::Postgres(Box::new(Postgres::open(&server)?)),
        };
        Ok(Self { db })
    }

    /// Opens it to copy it: also where its disk is so full that SQLite cannot begin to read a file that others have open
    /// too. Then nobody else has it open until this is dropped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn open_to_copy(at: &Address) -> Result<Self, StoreError> {
        match (Self::open(at.clone()), at) {
            (Err(error), Address::File(file)) if error.is_full() => {
                Ok(Self { db: Engine::Sqlite(Sqlite::open_alone(file)?) })
            }
            (opened, _) => opened,
        }
    }

    /// Starts a transaction that may write; waits for another program's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(&self) -> Result<(), StoreError> {
        self.db.begin()
    }

    /// Makes everything since [`Store::begin`] durable.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it is kept, unless [`StoreError::is_lost`]: then nobody can say.
    pub fn commit(&self) -> Result<(), StoreError> {
        let done = self.db.commit();
        if done.is_err() {
            self.roll_back()?;
        }
        done
    }

    /// Forgets everything since [`Store::begin`]; nothing where the database did so by itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn roll_back(&self) -> Result<(), StoreError> {
        self.db.roll_back()
    }

    /// Marks a place inside a transaction that one job can be taken back to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mark(&self) -> Result<(), StoreError> {
        self.db.batch("SAVEPOINT job")
    }

    /// Keeps what was done since [`Store::mark`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(&self) -> Result<(), StoreError> {
        self.db.batch("RELEASE SAVEPOINT job")
    }

    /// Takes back what was done since [`Store::mark`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_back(&self) -> Result<(), StoreError> {
        self.db.batch("ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job")
    }

    /// Returns a number that changes when another connection committed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn version(&self) -> Result<u64, StoreError> {
        self.db.version()
    }

    /// Returns a setting's bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.one("SELECT value FROM settings WHERE key = ?1", values![key], |row| row.get(0))
    }

    /// Sets a setting's bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.db.run(sql, values![key, value])?;
        Ok(())
    }

    /// Returns a counter and raises it by `by`; within a transaction nobody else gets the same numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_up(&self, key: &str, by: u64) -> Result<u64, StoreError> {
        let now = self.number(key)?.unwrap_or(1);
        self.set(key, &now.saturating_add(by).to_le_bytes())?;
        Ok(now)
    }

    /// Returns a setting that is a number; `None` where it was never set.
    fn number(&self, key: &str) -> Result<Option<u64>, StoreError> {
        let Some(bytes) = self.setting(key)? else {
            return Ok(None);
        };
        let bytes = bytes.try_into().map_err(|_| StoreError::Damaged { table: "settings" })?;
        Ok(Some(u64::from_le_bytes(bytes)))
    }

    /// Writes a line of the audit trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit(&self, branch: u32, at_ms: u64, what: &str, about: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (id, branch, at_ms, what, about)
                   VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM audit), ?1, ?2, ?3, ?4)";
        self.db.run(sql, values![branch, at_ms, what, about])?;
        Ok(())
    }

    /// Returns the last `n` lines of the audit trail before line `before`, or of all; the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit_lines(&self, before: Option<u64>, n: usize) -> Result<Vec<AuditLine>, StoreError> {
        let sql =
            "SELECT id, at_ms, what, about FROM audit WHERE id < ?1 OR ?1 IS NULL ORDER BY id DESC LIMIT ?2";
        let n = u64::try_from(n).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
        self.db.all(sql, values![before, n], |row| {
            Ok(AuditLine { id: row.get(0)?, at_ms: row.get(1)?, what: row.get(2)?, about: row.get(3)? })
        })
    }

    /// Returns how many bytes the database takes at its server; `None` for a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn server_bytes(&self) -> Result<Option<u64>, StoreError> {
        match &self.db {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(_) => self.db.only("SELECT pg_database_size(current_database())", &[]).map(Some),
        }
    }

    /// Asks the database whether its files are whole, by its own cheap check.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_whole(&self) -> Result<bool, StoreError> {
        self.db.is_whole()
    }
}

/// Reads postcard that this program wrote.
fn read<T: serde::de::DeserializeOwned>(table: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|_| StoreError::Damaged { table })
}

/// Writes postcard; plain data into a growing vector has no way to fail.
fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_taken_back_leaves_the_others_in_the_same_commit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hq.sqlite");
        let store = Store::create(&file).unwrap();
        store.begin().unwrap();
        for (key, good) in [("a", true), ("b", false), ("c", true)] {
            store.mark().unwrap();
            store.set(key, b"1").unwrap();
            if good { store.keep().unwrap() } else { store.take_back().unwrap() }
        }
        store.commit().unwrap();
        let other = Store::open(&file).unwrap();
        let held = |key| other.setting(key).unwrap().is_some();
        assert_eq!([held("a"), held("b"), held("c")], [true, false, true]);
    }

    #[test]
    fn another_versions_tables_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hq.sqlite");
        assert!(matches!(Store::open(&file), Err(StoreError::Absent)));
        let store = Store::create(&file).unwrap();
        assert!(matches!(Store::create(&file), Err(StoreError::Made)));
        store.db.run("UPDATE refinery_schema_history SET version = 9 WHERE version = 2", &[]).unwrap();
        assert!(matches!(Store::open(&file), Err(StoreError::Version { found: 9 })));
    }
}
