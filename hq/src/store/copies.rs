//! A whole database, copied table by table into an empty one, of the same engine or of the other.

use crate::store::address::Server;
use crate::store::engine::Engine;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError, tables};

/// What a copy came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// Rows of all tables.
    pub rows: u64,
    /// Documents among them.
    pub documents: u64,
    /// SHA-256 over the documents' names and digests, by name: the same on both sides.
    pub digest: [u8; 32],
    /// The first table of which the copy is not what there was; then nothing was kept.
    pub differs: Option<&'static str>,
}

impl Store {
    /// Copies everything to a server whose database is empty, or holds exactly this already.
    ///
    /// Until this store is dropped nobody else opens its file.
    ///
    /// # Errors
    /// [`StoreError::Made`] where the server's database holds something else, [`StoreError::InUse`] where another program
    /// has the file open, [`StoreError`].
    pub(crate) fn move_to(&self, server: &Server) -> Result<Copied, StoreError> {
        if let Engine::Sqlite(engine) = &self.db {
            engine.alone()?;
        }
        let to = match Postgres::create(server) {
            Err(StoreError::Made) => Postgres::open(server)?,
            made => made?,
        };
        let to = Engine::Postgres(Box::new(to));
        if to.only::<u64>("SELECT COUNT(*) FROM settings", &[])? == 0 {
            return copy(&self.db, &to);
        }
        // A move that was cut off after its commit: all is there.
        match compare(&self.db, &to)? {
            copied if copied.differs.is_none() => Ok(copied),
            _ => Err(StoreError::Made),
        }
    }
}

/// Writes a whole copy of a database into a new file of SQLite's, as it is at one moment.
///
/// # Errors
/// [`StoreError`].
pub(super) fn into_file(from: &Engine, file: &std::path::Path) -> Result<(), StoreError> {
    let to = Engine::Sqlite(Sqlite::create_copy(file)?);
    from.begin_reading()?;
    let copied = copy(from, &to);
    from.roll_back()?;
    match copied?.differs {
        Some(table) => Err(StoreError::Damaged { table }),
        None => Ok(()),
    }
}

/// Copies every row in one transaction of the target, and keeps them where they are what there was.
///
/// The source stands still: the caller holds a transaction on it.
fn copy(from: &Engine, to: &Engine) -> Result<Copied, StoreError> {
    to.begin()?;
    let filled = tables::names().into_iter().try_for_each(|table| to.fill(table, from));
    let done = filled.and_then(|()| compare(from, to)).and_then(|copied| {
        let ended = if copied.differs.is_none() { to.commit() } else { to.roll_back() };
        ended.map(|()| copied)
    });
    if done.is_err() {
        // What went wrong first is what a person has to know.
        let _ = to.roll_back();
    }
    done
}

fn compare(one: &Engine, other: &Engine) -> Result<Copied, StoreError> {
    let mut copied = Copied::default();
    for table in tables::names() {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows: u64 = one.only(&sql, &[])?;
        copied.rows += rows;
        if rows != other.only::<u64>(&sql, &[])? {
            return Ok(Copied { differs: Some(table), ..copied });
        }
    }
    let (documents, digest) = digest(one)?;
    let differs = ((documents, digest) != self::digest(other)?).then_some("documents");
    Ok(Copied { documents, digest, differs, ..copied })
}

/// Returns how many documents there are, and what stands for all of them.
fn digest(engine: &Engine) -> Result<(u64, [u8; 32]), StoreError> {
    let (mut documents, mut digest) = (0, [0; 32]);
    let sql =
        "SELECT branch, replica, epoch, seq, digest FROM documents ORDER BY branch, replica, epoch, seq";
    engine.each(sql, &[], |row| {
        let mut name = Vec::new();
        for at in 0..4 {
            name.extend(row.get::<i64>(at)?.to_le_bytes());
        }
        digest = sync_protocol::chain::sha256(&[&digest, &name, &row.get::<[u8; 16]>(4)?]);
        documents += 1;
        Ok::<_, StoreError>(())
    })?;
    Ok((documents, digest))
}
