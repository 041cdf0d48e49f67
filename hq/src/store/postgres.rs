//! PostgreSQL: one server for several headquarters' processes, which write one after the other.
//!
//! A transaction that may write first takes a lock of the whole database: positions of feeds, the order of arrival and
//! the counters rely on nobody else writing beside it, as SQLite does for its file.
//!
//! Source: docs/STORAGE.md, Headquarters.

mod types;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::Arc;

use postgres::binary_copy::BinaryCopyInWriter;
use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, NoTls, SimpleQueryMessage, Statement};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::address::Server;
use crate::store::engine::{Engine, Row, Value};
use crate::store::{StoreError, tables};

/// What every connection is told.
///
/// Acknowledged is on the disk, whatever the server's own setting. Whoever waits for the lock gives up as with SQLite.
/// A process that stands still in a transaction loses it, so that the others go on.
const SESSION: &str =
    "SET synchronous_commit = on; SET lock_timeout = '20s'; SET client_min_messages = warning;
    SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed';";
/// A transaction that may write. The lock comes before the first statement that reads: each later one sees what was
/// committed before the lock was had. The number is any that no other program takes.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7245130964410987); SELECT n FROM commits;";
/// Rows that are fetched at a time where all of a table are looked at.
const AT_A_TIME: u32 = 256;

/// A connection to a server's database, made anew where it was lost.
pub(super) struct Postgres {
    server: Server,
    live: RefCell<Live>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Postgres")
    }
}

struct Live {
    client: Client,
    /// Whether the connection ended; the next transaction begins with a new one.
    lost: bool,
    doing: Doing,
    statements: BTreeMap<String, Statement>,
    /// Commits of everybody, as the transaction began, and of this connection.
    commits: u64,
    own: u64,
    walks: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    Reading,
    Writing { wrote: bool },
}

impl Postgres {
    /// Makes the tables in an empty database.
    ///
    /// # Errors
    /// [`StoreError::Made`] where there are some, [`StoreError`].
    pub(super) fn create(server: &Server) -> Result<Self, StoreError> {
        let engine = Self::connect(server)?;
        let mut live = engine.live.borrow_mut();
        let seen = live.seen()?;
        tables::create(&mut live.client, seen, tables::POSTGRES)?;
        drop(live);
        Ok(engine)
    }

    /// Opens a database, and brings its tables up to this program's.
    ///
    /// # Errors
    /// [`StoreError::Absent`] where there are none, [`StoreError`].
    pub(super) fn open(server: &Server) -> Result<Self, StoreError> {
        let engine = Self::connect(server)?;
        let mut live = engine.live.borrow_mut();
        let seen = live.seen()?;
        if seen == 0 {
            return Err(StoreError::Absent);
        }
        tables::upgrade(&mut live.client, seen, tables::POSTGRES)?;
        drop(live);
        Ok(engine)
    }

    fn connect(server: &Server) -> Result<Self, StoreError> {
        Ok(Self { server: server.clone(), live: RefCell::new(Live::connect(server)?) })
    }

    /// See [`Engine::begin`]; a connection that was lost meanwhile is made anew: nothing was begun on it.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.again_where_lost(Live::begin)
    }

    /// See [`Engine::begin_reading`].
    pub(super) fn begin_reading(&self) -> Result<(), StoreError> {
        self.again_where_lost(|live| {
            live.simply("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
            live.doing = Doing::Reading;
            Ok(())
        })
    }

    /// Does something outside a transaction, once more with a new connection where the old one turns out to be lost.
    fn again_where_lost<T>(
        &self,
        mut work: impl FnMut(&mut Live) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut live = self.live.borrow_mut();
        if live.doing != Doing::Nothing {
            return Err(StoreError::InUse);
        }
        if !live.lost {
            match work(&mut live) {
                Err(_) if live.lost => {}
                done => return done,
            }
        }
        let own = live.own;
        *live = Live { own, ..Live::connect(&self.server)? };
        work(&mut live)
    }

    /// See [`Engine::commit`]. Where the answer is lost nobody can say what was kept: it is an error, and whoever asked
    /// asks again.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let live = &mut *self.live.borrow_mut();
        match live.doing {
            Doing::Nothing => return Err(StoreError::InUse),
            // A transaction that failed would end here without a word; the update would tell, and so does the lost work.
            Doing::Writing { wrote: true } => {
                live.simply("UPDATE commits SET n = n + 1; COMMIT")?;
                live.own = live.own.wrapping_add(1);
            }
            Doing::Writing { wrote: false } | Doing::Reading => live.simply("COMMIT")?,
        }
        live.doing = Doing::Nothing;
        Ok(())
    }

    /// See [`Engine::roll_back`]; a server that is gone has done so by itself.
    pub(super) fn roll_back(&self) -> Result<(), StoreError> {
        let live = &mut *self.live.borrow_mut();
        if live.doing == Doing::Nothing {
            return Ok(());
        }
        live.doing = Doing::Nothing;
        if live.lost {
            return Ok(());
        }
        let done = live.simply("ROLLBACK");
        // A connection that cannot even do that is not used again.
        live.lost = done.is_err();
        if live.client.is_closed() { Ok(()) } else { done }
    }

    /// See [`Engine::version`].
    pub(super) fn version(&self) -> Result<u64, StoreError> {
        let live = self.live.borrow();
        let (inside, own, commits) = (live.doing != Doing::Nothing, live.own, live.commits);
        drop(live);
        if inside {
            return Ok(commits.wrapping_sub(own));
        }
        let now: Option<u64> = self.one("SELECT n FROM commits", &[], |row| row.get(0))?;
        Ok(now.unwrap_or_default().wrapping_sub(own))
    }

    /// See [`Engine::is_whole`]: pages that did not match their checksums, where the server keeps them.
    pub(super) fn is_whole(&self) -> Result<bool, StoreError> {
        let sql =
            "SELECT COALESCE(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()";
        Ok(self.one(sql, &[], |row| row.get::<u64>(0))? == Some(0))
    }

    /// See [`Engine::run`].
    pub(super) fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let (types, values) = (types_of(values), parameters(values));
        self.ask(sql, &types, &values, |client, statement, values| client.execute(statement, values))
    }

    /// See [`Engine::run_each`]: the columns travel as arrays, which the server takes apart.
    pub(super) fn run_each(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<(), StoreError> {
        let Some(first) = rows.first() else { return Ok(()) };
        if self.live.borrow().doing == Doing::Nothing {
            return self.in_one(|| self.run_each(sql, rows));
        }
        let one = self.live.borrow_mut().statement(sql, &types_of(first))?;
        let arrays: Vec<Type> = one.params().iter().map(types::array).collect();
        let column = |at| rows.iter().filter_map(|row| row.get(at)).collect();
        let columns: Vec<Vec<&Value<'_>>> = (0..arrays.len()).map(column).collect();
        let columns: Vec<_> = columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        self.ask(&all_rows(sql, &arrays), &arrays, &columns, |client, statement, values| {
            client.execute(statement, values).map(drop)
        })
    }

    /// See [`Engine::one`].
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let rows = self.rows(sql, values)?;
        rows.first().map(|row| read(&Row::Postgres(row))).transpose()
    }

    /// See [`Engine::all`].
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, values)?.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    /// See [`Engine::each`].
    pub(super) fn each<E: From<StoreError>>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let alone = self.live.borrow().doing == Doing::Nothing;
        if alone {
            self.begin_reading()?;
        }
        let walked = self.walk(sql, values, &mut each);
        if alone {
            self.roll_back()?;
        }
        walked
    }

    fn walk<E: From<StoreError>>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let name = {
            let mut live = self.live.borrow_mut();
            live.walks += 1;
            format!("walk_{}", live.walks)
        };
        let live = || self.live.borrow_mut();
        live().declare(&name, sql, values)?;
        loop {
            let rows = live().fetch(&name)?;
            if rows.is_empty() {
                return Ok(live().simply(&format!("CLOSE {name}"))?);
            }
            for row in &rows {
                each(&Row::Postgres(row))?;
            }
        }
    }

    /// See [`Engine::batch`].
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.live.borrow_mut().simply(sql)
    }

    /// See [`Engine::fill`].
    pub(super) fn fill(&self, table: &str, from: &Engine) -> Result<(), StoreError> {
        let live = &mut *self.live.borrow_mut();
        live.wrote();
        let columns = live.client.prepare(&format!("SELECT * FROM {table}"))?;
        let types: Vec<Type> = columns.columns().iter().map(|column| column.type_().clone()).collect();
        let copy = live.client.copy_in(&format!("COPY {table} FROM STDIN BINARY"))?;
        let mut writer = BinaryCopyInWriter::new(copy, &types);
        from.each(&format!("SELECT * FROM {table}"), &[], |row| {
            if row.len() != types.len() {
                return Err(StoreError::Column { at: row.len() });
            }
            let values = (0..row.len()).map(|at| row.value(at)).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, StoreError>(writer.write(&parameters(&values))?)
        })?;
        writer.finish()?;
        Ok(())
    }

    fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<postgres::Row>, StoreError> {
        let (types, values) = (types_of(values), parameters(values));
        self.ask(sql, &types, &values, |client, statement, values| client.query(statement, values))
    }

    /// Runs one statement; one that writes outside a transaction has its own.
    fn ask<T>(
        &self,
        sql: &str,
        types: &[Type],
        values: &[&(dyn ToSql + Sync)],
        mut work: impl FnMut(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        let writes = !sql.starts_with("SELECT");
        let doing = self.live.borrow().doing;
        if doing != Doing::Nothing {
            let mut live = self.live.borrow_mut();
            if writes {
                live.wrote();
            }
            return live.ask(sql, types, values, &mut work);
        }
        if !writes {
            return self.again_where_lost(|live| live.ask(sql, types, values, &mut work));
        }
        self.in_one(|| self.ask(sql, types, values, work))
    }

    /// Does something in a transaction of its own.
    fn in_one<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.begin()?;
        let done = work().and_then(|done| self.commit().map(|()| done));
        if done.is_err() {
            self.roll_back()?;
        }
        done
    }
}

impl Live {
    fn connect(server: &Server) -> Result<Self, StoreError> {
        let connected = match &server.roots {
            None => server.config.connect(NoTls),
            Some(roots) => server.config.connect(tls(roots)?),
        };
        let mut client = connected.map_err(|error| match is_lost(&error) {
            true => StoreError::Postgres(error),
            false => StoreError::NotLetIn(error),
        })?;
        client.batch_execute(SESSION)?;
        let statements = BTreeMap::new();
        Ok(Self { client, lost: false, doing: Doing::Nothing, statements, commits: 0, own: 0, walks: 0 })
    }

    /// The last step that the tables have seen; 0 for none.
    fn seen(&mut self) -> Result<u32, StoreError> {
        let there = self.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&tables::HISTORY])?;
        if !there.try_get::<_, bool>(0)? {
            return Ok(0);
        }
        let sql = format!("SELECT COALESCE(MAX(version), 0)::BIGINT FROM {}", tables::HISTORY);
        let seen: i64 = self.client.query_one(&sql, &[])?.try_get(0)?;
        Ok(u32::try_from(seen).unwrap_or(u32::MAX))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        let said = self.client.simple_query(BEGIN);
        let said = self.heard(said);
        if said.is_err() && !self.lost {
            // The lock was not had in time: the transaction is ended for the next one.
            self.simply("ROLLBACK")?;
        }
        let number = said?.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.try_get("n").ok().flatten().and_then(|n| n.parse().ok()),
            _ => None,
        });
        self.commits = number.ok_or(StoreError::Damaged { table: "commits" })?;
        self.doing = Doing::Writing { wrote: false };
        Ok(())
    }

    fn wrote(&mut self) {
        if let Doing::Writing { wrote } = &mut self.doing {
            *wrote = true;
        }
    }

    fn simply(&mut self, sql: &str) -> Result<(), StoreError> {
        let said = self.client.batch_execute(sql);
        self.heard(said)
    }

    /// Notes whether the connection was lost.
    fn heard<T>(&mut self, said: Result<T, postgres::Error>) -> Result<T, StoreError> {
        if let Err(error) = &said {
            self.lost |= is_lost(error) || self.client.is_closed();
        }
        Ok(said?)
    }

    fn ask<T>(
        &mut self,
        sql: &str,
        types: &[Type],
        values: &[&(dyn ToSql + Sync)],
        work: &mut impl FnMut(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        let statement = self.statement(sql, types)?;
        let said = work(&mut self.client, &statement, values);
        self.heard(said)
    }

    /// Returns a statement as the server prepared it, once a connection.
    fn statement(&mut self, sql: &str, types: &[Type]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let prepared = self.client.prepare_typed(&sql.replace('?', "$"), types);
        let statement = self.heard(prepared)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn declare(&mut self, name: &str, sql: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        let sql = format!("DECLARE {name} NO SCROLL CURSOR FOR {}", sql.replace('?', "$"));
        let prepared = self.client.prepare_typed(&sql, &types_of(values));
        let statement = self.heard(prepared)?;
        let said = self.client.execute(&statement, &parameters(values));
        self.heard(said).map(drop)
    }

    fn fetch(&mut self, name: &str) -> Result<Vec<postgres::Row>, StoreError> {
        let said = self.client.query(&format!("FETCH {AT_A_TIME} FROM {name}"), &[]);
        self.heard(said)
    }
}

fn parameters<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}

fn types_of(values: &[Value<'_>]) -> Vec<Type> {
    values.iter().map(types::of).collect()
}

/// Returns the statement that inserts all rows of some columns, out of the one that inserts a row.
fn all_rows(sql: &str, columns: &[Type]) -> String {
    let numbered = (1..).zip(columns);
    let (places, arrays): (Vec<_>, Vec<_>) =
        numbered.map(|(at, kind)| (format!("?{at}"), format!("?{at}::{}", kind.name()))).unzip();
    let (one, all) = (places.join(", "), arrays.join(", "));
    sql.replacen(&format!("VALUES ({one})"), &format!("SELECT * FROM unnest({all})"), 1)
}

/// Returns how a server is spoken to whose certificate descends from those in `roots`.
fn tls(roots: &std::path::Path) -> Result<MakeRustlsConnect, StoreError> {
    let wrong = || StoreError::Server { what: "PGSSLROOTCERT" };
    let mut store = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots).map_err(|_| wrong())? {
        store.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Returns whether an error is about the connection, not about the statement.
pub(super) fn is_lost(error: &postgres::Error) -> bool {
    const GONE: [&SqlState; 5] = [
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
        &SqlState::TOO_MANY_CONNECTIONS,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    let by_system = || error.source().is_some_and(|source| source.is::<std::io::Error>());
    error.is_closed() || error.code().is_some_and(|code| GONE.contains(&code)) || by_system()
}

/// Returns what the server said, without the values that it was about.
pub(super) fn told(error: &postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    }
}
