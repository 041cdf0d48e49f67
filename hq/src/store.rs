//! What headquarters keeps: its tables, its transactions, its small settings; nothing here judges.

pub mod devices;
pub mod documents;
pub mod feeds;
pub mod files;
pub mod log;
pub mod logins;
pub mod marks;
pub mod payments;
pub mod recovered;
pub mod restores;

use std::path::Path;

use records::id::DocId;
use rusqlite::{Connection, OptionalExtension};

/// The version of the tables; a database of another one is not opened.
const TABLES: u32 = 3;

/// Every key begins with a branch (0: the company), so that branches can be spread over databases later.
///
/// An op has no row: it lives in its segment. `documents` and `feeds` are views of the segments and rulings, and so are
/// `marks` (by what a claim is found: the company's, as its vouchers are unique in it) and `in_payment`.
const SCHEMA: &str = "
CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE replicas (
  replica INTEGER PRIMARY KEY, branch INTEGER NOT NULL, staff BLOB, document BLOB, name TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL, key BLOB, secret BLOB, issued_ms INTEGER NOT NULL, scanned_ms INTEGER, seen_ms INTEGER,
  lease BLOB NOT NULL, lease_before BLOB NOT NULL, lease_used INTEGER NOT NULL DEFAULT 0,
  copied INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL DEFAULT 0, skew_ms INTEGER NOT NULL DEFAULT 0,
  sheet_from INTEGER NOT NULL, sheet_to INTEGER NOT NULL, oversees INTEGER);
CREATE INDEX replicas_staff ON replicas (staff);
CREATE TABLE more_keys (
  replica INTEGER NOT NULL, key BLOB NOT NULL, confirmed INTEGER NOT NULL, PRIMARY KEY (replica, key)) WITHOUT ROWID;
CREATE TABLE epoch_keys (
  replica INTEGER NOT NULL, epoch INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (replica, epoch)) WITHOUT ROWID;
CREATE TABLE held_back (
  id INTEGER PRIMARY KEY, branch INTEGER NOT NULL, replica INTEGER NOT NULL, reason INTEGER NOT NULL,
  received_ms INTEGER NOT NULL, skew_ms INTEGER, hash BLOB NOT NULL, segment BLOB NOT NULL, UNIQUE (branch, replica, hash));
CREATE TABLE branches (number INTEGER PRIMARY KEY, unit BLOB NOT NULL UNIQUE);

CREATE TABLE lines (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL,
  parent_epoch INTEGER, parent_seq INTEGER, parent_link BLOB, last INTEGER NOT NULL, link BLOB NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY (branch, replica, epoch)) WITHOUT ROWID;
CREATE TABLE segments (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  count INTEGER NOT NULL, arrival INTEGER NOT NULL, received_ms INTEGER NOT NULL, skew_ms INTEGER,
  link BLOB NOT NULL, signature BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, first, arrival)) WITHOUT ROWID;
CREATE TABLE clocks (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, skew_ms INTEGER NOT NULL, PRIMARY KEY (branch, replica, epoch, first)) WITHOUT ROWID;
CREATE TABLE rulings (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (branch, replica, epoch, first, version)) WITHOUT ROWID;
CREATE TABLE waiting (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  doc_replica INTEGER NOT NULL, doc_epoch INTEGER NOT NULL, doc_seq INTEGER NOT NULL,
  behind_replica INTEGER NOT NULL, behind_epoch INTEGER NOT NULL, behind_seq INTEGER NOT NULL,
  lacks_replica INTEGER NOT NULL, lacks_epoch INTEGER NOT NULL, lacks_seq INTEGER NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE INDEX waiting_behind ON waiting (behind_replica, behind_epoch, behind_seq);
CREATE INDEX waiting_doc ON waiting (doc_replica, doc_epoch, doc_seq, replica, epoch, seq);

CREATE TABLE documents (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  kind INTEGER NOT NULL, code TEXT NOT NULL, number TEXT, state INTEGER NOT NULL, scope INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL, digest BLOB NOT NULL, people BLOB NOT NULL, ops BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE INDEX documents_scope ON documents (scope, kind);
CREATE INDEX documents_code ON documents (code);
CREATE INDEX documents_number ON documents (kind, number) WHERE number IS NOT NULL;
CREATE TABLE concerns (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, staff BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq, staff)) WITHOUT ROWID;
CREATE INDEX concerns_staff ON concerns (staff);

CREATE TABLE marks (
  mark BLOB NOT NULL, branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (mark, branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE INDEX marks_document ON marks (branch, replica, epoch, seq);
CREATE TABLE in_payment (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, payment BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;

CREATE TABLE feeds (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, last INTEGER NOT NULL, backed_up INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (branch, replica)) WITHOUT ROWID;
CREATE TABLE islands (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  parent_epoch INTEGER, parent_seq INTEGER, parent_link BLOB, row BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE TABLE strangers (
  replica INTEGER NOT NULL, hash BLOB NOT NULL, extract BLOB NOT NULL, PRIMARY KEY (replica, hash)) WITHOUT ROWID;
CREATE TABLE proven (
  replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  version INTEGER NOT NULL, first_order INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (replica, epoch, first, count, version, first_order)) WITHOUT ROWID;
CREATE TABLE ancestors (incarnation INTEGER PRIMARY KEY, first_order INTEGER NOT NULL);
CREATE TABLE ends (
  incarnation INTEGER NOT NULL, branch INTEGER NOT NULL, replica INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (incarnation, branch, replica)) WITHOUT ROWID;
CREATE TABLE feed (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, position INTEGER NOT NULL, entry BLOB NOT NULL,
  PRIMARY KEY (branch, replica, position)) WITHOUT ROWID;

CREATE TABLE import_keys (
  branch INTEGER NOT NULL, key BLOB NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (branch, key)) WITHOUT ROWID;

CREATE TABLE file_pieces (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, hash BLOB NOT NULL, total INTEGER NOT NULL, held BLOB NOT NULL,
  touched_ms INTEGER NOT NULL, PRIMARY KEY (branch, replica, hash)) WITHOUT ROWID;
CREATE TABLE file_asks (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (branch, replica, hash)) WITHOUT ROWID;

CREATE TABLE logins (
  staff BLOB PRIMARY KEY, hash TEXT NOT NULL, changed_ms INTEGER NOT NULL, failed INTEGER NOT NULL,
  free_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE visitors (
  id BLOB PRIMARY KEY, staff BLOB NOT NULL, token TEXT NOT NULL, made_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY, branch INTEGER NOT NULL, at_ms INTEGER NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL);
";

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
    /// There is no database in the folder.
    #[error("no headquarters was made here")]
    Absent,
    /// Made by another version.
    #[error("the tables are of version {found}; this program reads {TABLES}")]
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
    /// Returns whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.code() == Some(rusqlite::ErrorCode::DiskFull)
    }

    /// Returns whether another process holds the database.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.code(), Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
    }

    fn code(&self) -> Option<rusqlite::ErrorCode> {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            Self::Absent
            | Self::Version { .. }
            | Self::Newer
            | Self::InPayment { .. }
            | Self::Damaged { .. } => None,
        }
    }
}

/// The one database of a headquarters.
#[derive(Debug)]
pub struct Store {
    db: Connection,
}

impl Store {
    /// Makes the tables in a new file.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`], also where the file has tables already.
    pub fn create(file: &Path) -> Result<Self, StoreError> {
        let store = Self { db: Connection::open(file)? };
        store.prepare()?;
        store
            .db
            .execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {TABLES}; COMMIT;"))?;
        Ok(store)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        if !file.exists() {
            return Err(StoreError::Absent);
        }
        let store = Self { db: Connection::open(file)? };
        store.prepare()?;
        let found: u32 = store.db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found == TABLES { Ok(store) } else { Err(StoreError::Version { found }) }
    }

    /// Acknowledged is on the disk: the write-ahead log is flushed by every commit.
    fn prepare(&self) -> Result<(), StoreError> {
        self.db.busy_timeout(std::time::Duration::from_secs(20))?;
        self.db.set_prepared_statement_cache_capacity(64);
        // A plan is for a statement, not for its values: without this SQLite plans it anew each time that one changes.
        self.db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        self.db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;",
        )?;
        Ok(())
    }

    /// Starts a transaction that may write; waits for another program's.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn begin(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Makes everything since [`Store::begin`] durable.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; then nothing of it is kept.
    pub fn commit(&self) -> Result<(), StoreError> {
        let done = self.db.execute_batch("COMMIT");
        if done.is_err() {
            self.roll_back()?;
        }
        Ok(done?)
    }

    /// Forgets everything since [`Store::begin`]; nothing where SQLite did so by itself.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn roll_back(&self) -> Result<(), StoreError> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }

    /// Marks a place inside a transaction that one job can be taken back to.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn mark(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("SAVEPOINT job")?)
    }

    /// Keeps what was done since [`Store::mark`].
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn keep(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("RELEASE job")?)
    }

    /// Takes back what was done since [`Store::mark`].
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn take_back(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("ROLLBACK TO job; RELEASE job")?)
    }

    /// Returns a number that changes when another connection committed.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn version(&self) -> Result<u64, StoreError> {
        Ok(self.db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Returns a setting's bytes.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT value FROM settings WHERE key = ?1")?;
        Ok(query.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Sets a setting's bytes.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)")?
            .execute(rusqlite::params![key, value])?;
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
    /// [`StoreError::Sqlite`].
    pub fn audit(&self, branch: u32, at_ms: u64, what: &str, about: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT INTO audit (branch, at_ms, what, about) VALUES (?1, ?2, ?3, ?4)")?
            .execute(rusqlite::params![branch, at_ms, what, about])?;
        Ok(())
    }

    /// Returns the last `n` lines of the audit trail before line `before`, or of all; the latest first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn audit_lines(&self, before: Option<u64>, n: usize) -> Result<Vec<AuditLine>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, at_ms, what, about FROM audit WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = query.query_map(rusqlite::params![before, n], |row| {
            Ok(AuditLine { id: row.get(0)?, at_ms: row.get(1)?, what: row.get(2)?, about: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Asks SQLite whether its file is whole.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn is_whole(&self) -> Result<bool, StoreError> {
        let said: String = self.db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok(said == "ok")
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
        drop(Store::create(&file).unwrap());
        assert!(Store::create(&file).is_err());
        Connection::open(&file).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
        assert!(matches!(Store::open(&file), Err(StoreError::Version { found: 9 })));
    }
}
