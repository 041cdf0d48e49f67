//! SQLite: one file, one writer at a time, nothing to install.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use crate::store::StoreError;
use crate::store::engine::{Engine, Row, Value};
use crate::store::tables;

/// How long a statement waits for another program's transaction.
const BUSY: std::time::Duration = std::time::Duration::from_secs(20);

/// A connection to a file.
#[derive(Debug)]
pub(super) struct Sqlite {
    db: Connection,
}

impl Sqlite {
    /// Makes the tables in a new file.
    ///
    /// # Errors
    /// [`StoreError`], also where the file has tables already.
    pub(super) fn create(file: &Path) -> Result<Self, StoreError> {
        let engine = Self { db: Connection::open(file)? };
        engine.prepare()?;
        engine.created()
    }

    /// Makes the tables in a new file that is filled at one go and thrown away where that fails: nothing lies beside it,
    /// and nobody waits for its disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn create_copy(file: &Path) -> Result<Self, StoreError> {
        let engine = Self { db: Connection::open(file)? };
        engine.batch(
            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;",
        )?;
        engine.created()
    }

    fn created(mut self) -> Result<Self, StoreError> {
        let seen = self.seen()?;
        tables::create(&mut self.db, seen, tables::SQLITE)?;
        Ok(self)
    }

    /// Opens a file, and brings its tables up to this program's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        if !file.exists() {
            return Err(StoreError::Absent);
        }
        let engine = Self { db: Connection::open(file)? };
        engine.prepare()?;
        engine.upgraded()
    }

    /// The same with the file for oneself: the index of its log, which programs share, is in memory and takes no room.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn open_alone(file: &Path) -> Result<Self, StoreError> {
        let engine = Self { db: Connection::open(file)? };
        engine.batch("PRAGMA locking_mode = EXCLUSIVE")?;
        engine.prepare()?;
        engine.upgraded()
    }

    fn upgraded(mut self) -> Result<Self, StoreError> {
        let seen = self.seen()?;
        tables::upgrade(&mut self.db, seen, tables::SQLITE)?;
        Ok(self)
    }

    /// Opens a file that nobody writes any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn open_copy(file: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)? })
    }

    /// Acknowledged is on the disk: the write-ahead log is flushed by every commit.
    fn prepare(&self) -> Result<(), StoreError> {
        self.db.busy_timeout(BUSY)?;
        self.db.set_prepared_statement_cache_capacity(128);
        // A plan is for a statement, not for its values: without this SQLite plans it anew each time that one changes.
        self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        self.db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000;",
        )?;
        Ok(())
    }

    /// The last step that the tables have seen; 0 for none.
    fn seen(&self) -> Result<u32, StoreError> {
        if !self.db.table_exists(None, tables::HISTORY)? {
            return Ok(0);
        }
        let sql = format!("SELECT COALESCE(MAX(version), 0) FROM {}", tables::HISTORY);
        Ok(self.db.query_row(&sql, [], |row| row.get(0))?)
    }

    /// See [`Engine::run`].
    pub(super) fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let changed = self.db.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// See [`Engine::run_each`].
    pub(super) fn run_each(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        let mut statement = self.db.prepare_cached(sql)?;
        for values in rows {
            statement.execute(params_from_iter(values))?;
        }
        Ok(())
    }

    /// See [`Engine::one`].
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query(params_from_iter(values))?;
        rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
    }

    /// See [`Engine::all`].
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query(params_from_iter(values))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(read(&Row::Sqlite(row))?);
        }
        Ok(out)
    }

    /// See [`Engine::each`].
    pub(super) fn each<E: From<StoreError>>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = self.db.prepare(sql).map_err(StoreError::from)?;
        let mut rows = query.query(params_from_iter(values)).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            each(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    /// See [`Engine::batch`].
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.db.execute_batch(sql)?)
    }

    /// See [`Engine::roll_back`]; SQLite may have done so by itself.
    pub(super) fn roll_back(&self) -> Result<(), StoreError> {
        if self.db.is_autocommit() { Ok(()) } else { self.batch("ROLLBACK") }
    }

    /// See [`Engine::is_whole`].
    pub(super) fn is_whole(&self) -> Result<bool, StoreError> {
        let said: String = self.db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok(said == "ok")
    }

    /// See [`Engine::fill`].
    pub(super) fn fill(&self, table: &str, from: &Engine) -> Result<(), StoreError> {
        let mut insert: Option<rusqlite::Statement<'_>> = None;
        from.each(&format!("SELECT * FROM {table}"), &[], |row| {
            let values = (0..row.len()).map(|at| row.value(at)).collect::<Result<Vec<_>, _>>()?;
            if insert.is_none() {
                let places: Vec<String> = (1..=row.len()).map(|at| format!("?{at}")).collect();
                insert =
                    Some(self.db.prepare(&format!("INSERT INTO {table} VALUES ({})", places.join(", ")))?);
            }
            if let Some(insert) = &mut insert {
                insert.execute(params_from_iter(&values))?;
            }
            Ok(())
        })
    }

    /// See [`Engine::settle`].
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// See [`Engine::copy_to`].
    pub(super) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        self.db.execute("VACUUM INTO ?1", [file.to_string_lossy()])?;
        Ok(())
    }

    /// Keeps every other program out of the file, and its log folded into it, until the transaction ends.
    ///
    /// # Errors
    /// [`StoreError`], busy where another program has the file open.
    pub(super) fn alone(&self) -> Result<(), StoreError> {
        self.db.busy_timeout(std::time::Duration::ZERO)?;
        // Leaving the write-ahead log needs the file for oneself; afterwards a reader is kept out as well.
        let mode: String = self.db.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
        if mode != "delete" {
            return Err(StoreError::InUse);
        }
        self.batch("BEGIN EXCLUSIVE")
    }

    /// Returns how SQLite would answer a query.
    #[cfg(test)]
    pub(super) fn plan(&self, sql: &str) -> String {
        let mut query = self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let none = vec![0_u32; query.parameter_count()];
        let rows = query.query_map(params_from_iter(none), |row| row.get::<_, String>(3)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    }
}

/// Returns column `at` of a row as it stands in its page.
///
/// # Errors
/// [`StoreError`] where there is none, and where it is a fraction.
pub(super) fn value<'a>(row: &'a rusqlite::Row<'_>, at: usize) -> Result<Value<'a>, StoreError> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(Value::Text).map_err(|_| StoreError::Column { at })
        }
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes)),
        ValueRef::Real(_) => Err(StoreError::Column { at }),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Value::Null => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
            Value::Int(number) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(*number))),
            Value::Beyond(number) => number.to_sql(),
            Value::Text(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Value::Blob(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        }
    }
}
