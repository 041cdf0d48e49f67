//! What runs the store's statements: SQLite in a file, or a PostgreSQL server. Every statement is written once.
//!
//! The SQL is what both understand: parameters `?1`, whole numbers, text and bytes, `ON CONFLICT`, `RETURNING`.

use std::path::Path;

use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;

/// One value on its way into the database or out of it; yes and no are 1 and 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A whole number beyond what both engines hold: the statement fails.
    Beyond(u64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// Rows that a server is told at a time: an import may bring a hundred thousand.
pub(super) const TOGETHER: usize = 1024;

/// Lists a statement's values.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::engine::Value::from($value)),*]
    };
}
pub(super) use values;

macro_rules! from_small {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Value<'_> {
            fn from(number: $kind) -> Self {
                Self::Int(i64::from(number))
            }
        })*
    };
}
from_small!(bool, u8, u16, u32, i64);

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Beyond(number), Self::Int)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a column is read as.
pub(super) trait Column: Sized {
    /// Returns the value as one of this type; `None` where it is none.
    fn read(value: Value<'_>) -> Option<Self>;
}

macro_rules! column_numbers {
    ($($kind:ty),*) => {
        $(impl Column for $kind {
            fn read(value: Value<'_>) -> Option<Self> {
                if let Value::Int(number) = value { Self::try_from(number).ok() } else { None }
            }
        })*
    };
}
column_numbers!(u8, u16, u32, u64, i64);

impl Column for bool {
    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Int(number) = value { Some(number != 0) } else { None }
    }
}

impl Column for String {
    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl Column for Vec<u8> {
    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Blob(bytes) = value { Some(bytes.to_vec()) } else { None }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Blob(bytes) = value { bytes.try_into().ok() } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value<'_>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::read(value).map(Some) }
    }
}

/// One row of an answer.
pub(super) enum Row<'a> {
    /// Of SQLite: as it stands in its page.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL: as it came.
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// Returns the value of column `at`, from 0.
    ///
    /// # Errors
    /// [`StoreError::Column`] where it is of another type.
    pub(super) fn get<T: Column>(&self, at: usize) -> Result<T, StoreError> {
        T::read(self.value(at)?).ok_or(StoreError::Column { at })
    }

    /// Returns how many columns it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.as_ref().column_count(),
            Self::Postgres(row) => row.len(),
        }
    }

    /// Returns column `at`, from 0, without copying it.
    ///
    /// # Errors
    /// [`StoreError`] where there is none.
    pub(super) fn value(&self, at: usize) -> Result<Value<'_>, StoreError> {
        match self {
            Self::Sqlite(row) => crate::store::sqlite::value(row, at),
            Self::Postgres(row) => Ok(row.try_get(at)?),
        }
    }
}

/// One of the two.
#[derive(Debug)]
pub(super) enum Engine {
    /// A file on this machine.
    Sqlite(Sqlite),
    /// A server, here or elsewhere.
    Postgres(Box<Postgres>),
}

impl Engine {
    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.run(sql, values),
            Self::Postgres(engine) => engine.run(sql, values),
        }
    }

    /// Runs a statement `INSERT … VALUES (?1, …)` for each of `rows`; a server is told many of them at once, so that no
    /// two may have one key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn run_each(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.run_each(sql, rows),
            Self::Postgres(engine) => rows.chunks(TOGETHER).try_for_each(|rows| engine.run_each(sql, rows)),
        }
    }

    /// Returns the first row as `read` makes it; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.one(sql, values, read),
            Self::Postgres(engine) => engine.one(sql, values, read),
        }
    }

    /// Returns the one value of an answer that always has one row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn only<T: Column>(&self, sql: &str, values: &[Value<'_>]) -> Result<T, StoreError> {
        self.one(sql, values, |row| row.get(0))?.ok_or(StoreError::Column { at: 0 })
    }

    /// Returns every row as `read` makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.all(sql, values, read),
            Self::Postgres(engine) => engine.all(sql, values, read),
        }
    }

    /// Hands every row to `each`, never holding all of them; `each` may ask the same database.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError`].
    pub(super) fn each<E: From<StoreError>>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Sqlite(engine) => engine.each(sql, values, each),
            Self::Postgres(engine) => engine.each(sql, values, each),
        }
    }

    /// Runs statements that take no values.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.batch(sql),
            Self::Postgres(engine) => engine.batch(sql),
        }
    }

    /// Starts a transaction that may write; waits for another program's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.batch("BEGIN IMMEDIATE"),
            Self::Postgres(engine) => engine.begin(),
        }
    }

    /// Makes the transaction durable.
    ///
    /// # Errors
    /// [`StoreError`]; then the transaction is still to be rolled back.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.batch("COMMIT"),
            Self::Postgres(engine) => engine.commit(),
        }
    }

    /// Forgets the transaction; nothing where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn roll_back(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.roll_back(),
            Self::Postgres(engine) => engine.roll_back(),
        }
    }

    /// Returns a number that changes when another connection committed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn version(&self) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(_) => self.only("PRAGMA data_version", &[]),
            Self::Postgres(engine) => engine.version(),
        }
    }

    /// Returns whether the engine finds its files whole, by its own cheap check.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn is_whole(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.is_whole(),
            Self::Postgres(engine) => engine.is_whole(),
        }
    }

    /// Takes rows of a table over from another database, where this one has the same table and no rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn fill(&self, table: &str, from: &Self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.fill(table, from),
            Self::Postgres(engine) => engine.fill(table, from),
        }
    }

    /// Folds what lies beside the database's file into it; nothing where it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.settle(),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Starts a transaction that only reads, at one moment of the database; waits for nobody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn begin_reading(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.batch("BEGIN"),
            Self::Postgres(engine) => engine.begin_reading(),
        }
    }

    /// Writes a whole copy into a new file of SQLite's, while others go on reading and writing.
    ///
    /// # Errors
    /// [`StoreError`], also where the file holds something.
    pub(super) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(engine) => engine.copy_to(file),
            Self::Postgres(_) => crate::store::copies::into_file(self, file),
        }
    }
}
