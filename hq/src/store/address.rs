//! Where a headquarters keeps its records: a file of SQLite, or a PostgreSQL server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::config::{Host, SslMode};

use crate::store::StoreError;

/// How long a server may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server's machine may be silent before it counts as gone.
const SILENT: Duration = Duration::from_secs(30);

/// A file, or a server's database.
#[derive(Debug, Clone)]
pub enum Address {
    /// A file of SQLite on this machine.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Server(Box<Server>),
}

impl From<&Path> for Address {
    fn from(file: &Path) -> Self {
        Self::File(file.to_owned())
    }
}

impl From<&PathBuf> for Address {
    fn from(file: &PathBuf) -> Self {
        Self::File(file.clone())
    }
}

/// A database of a PostgreSQL server, and how to come in.
#[derive(Debug, Clone)]
pub struct Server {
    pub(super) config: postgres::Config,
    /// The certificates that the server's must descend from; then nothing goes to it in the clear.
    pub(super) roots: Option<PathBuf>,
}

impl Server {
    /// Reads `postgres://user@host:port/database`, with the password from where PostgreSQL's own programs look for it.
    ///
    /// `environment` answers `PGPASSWORD`, `PGPASSFILE` (which nobody else may read) and `PGSSLROOTCERT`.
    ///
    /// # Errors
    /// [`StoreError::Server`].
    pub fn read(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, StoreError> {
        let wrong = |what| StoreError::Server { what };
        let mut config: postgres::Config = url.parse().map_err(|_| wrong("the address"))?;
        config.connect_timeout(CONNECT).tcp_user_timeout(SILENT).keepalives_idle(SILENT);
        config.application_name("fieldbook-hq");
        if config.get_password().is_none() {
            if let Some(password) = environment("PGPASSWORD") {
                config.password(password);
            } else if let Some(file) = environment("PGPASSFILE") {
                let text = private(Path::new(&file)).ok_or_else(|| wrong("PGPASSFILE"))?;
                if let Some(password) = text.lines().find_map(|line| password(line, &config)) {
                    config.password(password);
                }
            }
        }
        let roots = environment("PGSSLROOTCERT").map(PathBuf::from);
        if roots.is_some() {
            config.ssl_mode(SslMode::Require);
        }
        Ok(Self { config, roots })
    }

    /// Returns whether an address carries a password, which has no place among a program's arguments.
    #[must_use]
    pub fn has_password(url: &str) -> bool {
        url.parse::<postgres::Config>().is_ok_and(|config| config.get_password().is_some())
    }
}

/// Reads a file that nobody else may read.
fn private(file: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if std::fs::metadata(file).ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
    }
    std::fs::read_to_string(file).ok()
}

/// Returns the password of a line `host:port:database:user:password` that is about this server; `*` is any.
fn password(line: &str, config: &postgres::Config) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == ':' && fields.len() < 5 {
            fields.push(String::new());
        } else if let Some(last) = fields.last_mut() {
            last.extend(if char == '\\' { chars.next() } else { Some(char) });
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    let is = |field: &str, value: &str| field == "*" || field == value;
    let name = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".to_owned(),
    };
    let port_named = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user_named = config.get_user().unwrap_or_default();
    let known = is(&host, &name)
        && is(&port, &port_named)
        && is(&database, config.get_dbname().unwrap_or(user_named))
        && is(&user, user_named);
    known.then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_password_file_is_taken_where_it_is_about_this_server() {
        let config: postgres::Config = "postgres://hq@db:5433/field".parse().unwrap();
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(password(line, &config).as_deref(), expected, "{line}");
        };
        check("db:5433:field:hq:s3:cret", Some("s3:cret"));
        check(r"*:*:*:hq:a\:b\\c", Some(r"a:b\c"));
        check("db:5432:field:hq:no", None);
        check("other:*:*:*:no", None);
        check("# a remark", None);
        check("", None);
    }

    #[test]
    fn a_password_in_the_address_is_seen() {
        assert!(Server::has_password("postgres://hq:secret@db/field"));
        assert!(!Server::has_password("postgres://hq@db/field"));
        assert!(Server::read("http://db", |_| None).is_err());
    }
}
