//! A PostgreSQL of the tests' own: made in a temporary folder, heard on a Unix socket, gone when the tests end.
//!
//! It does not wait for its disk (`fsync = off`): what these tests try is transactions, not power cuts. Where it is
//! measured it does.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The user of Debian's package: as root the server does not run.
const USER: &str = "postgres";

/// A running server.
pub(crate) struct Cluster {
    folder: PathBuf,
    /// Whether it waits for its disk.
    durable: bool,
    databases: AtomicU32,
    /// Waits for the end of its input, which comes however this process ends, and clears up.
    _keeper: Child,
}

impl Cluster {
    /// The server that all tests of this program share, each with a database of its own.
    #[allow(dead_code, reason = "not every test program shares one")]
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Makes a server and starts it.
    pub(crate) fn start() -> Self {
        Self::make(false)
    }

    /// Makes a server that keeps its promises through a power cut, and starts it.
    #[allow(dead_code, reason = "only where it is measured")]
    pub(crate) fn durable() -> Self {
        Self::make(true)
    }

    /// Returns its first process.
    #[allow(dead_code, reason = "only where it is measured")]
    pub(crate) fn pid(&self) -> u32 {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        file.lines().next().and_then(|line| line.parse().ok()).expect("a number")
    }

    fn make(durable: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("fieldbook-pg-").tempdir().unwrap().keep();
        if is_root() {
            let user = std::fs::read_to_string("/etc/passwd").unwrap();
            let line = user.lines().find(|line| line.starts_with(USER)).expect("PostgreSQL's user");
            let numbers: Vec<u32> = line.split(':').filter_map(|field| field.parse().ok()).collect();
            chown(&folder, Some(numbers[0]), Some(numbers[1])).unwrap();
        }
        let made = run("initdb", &folder, &["--auth=trust", "--username=hq", "--no-sync", "--encoding=UTF8"]);
        assert!(made, "initdb failed");
        let script = "cat > /dev/null; \"$@\"; rm -rf \"$0\"";
        let mut stop = as_user("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--pgdata"]).arg(folder.join("data"));
        let keeper = Command::new("sh")
            // What ends the tests from outside, a key or a signal to all of them, leaves the keeper to his work.
            .process_group(0)
            .args(["-c", script])
            .arg(&folder)
            .arg(stop.get_program())
            .args(stop.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cluster = Self { folder, durable, databases: AtomicU32::new(0), _keeper: keeper };
        cluster.go();
        cluster
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn go(&self) {
        let disk = if self.durable { "" } else { " -c fsync=off -c full_page_writes=off" };
        let options =
            format!("-k {} -c listen_addresses= -c max_connections=200{disk}", self.folder.display());
        let log = self.folder.join("log");
        let log = log.to_string_lossy();
        assert!(run("pg_ctl", &self.folder, &["start", "--wait", "--log", &log, "--options", &options]));
    }

    /// Stops the server; connections are cut at once.
    #[allow(dead_code, reason = "not every test program stops its server")]
    pub(crate) fn stop(&self) {
        assert!(run("pg_ctl", &self.folder, &["stop", "--mode=fast", "--wait"]));
    }

    /// Makes an empty database and returns its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut client = postgres::Client::connect(&self.address("postgres"), postgres::NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        self.address(&name)
    }

    fn address(&self, name: &str) -> String {
        let host = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://hq@{host}/{name}")
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// One of PostgreSQL's programs, as somebody who is not root.
fn as_user(program: &str) -> Command {
    let path = found(program);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--init-groups"]).arg(path);
    command
}

fn run(program: &str, folder: &Path, args: &[&str]) -> bool {
    let mut command = as_user(program);
    command.current_dir(folder).args(args).arg("--pgdata").arg(folder.join("data"));
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.expect("setpriv and PostgreSQL").success()
}

/// Debian keeps the server's programs beside the path.
fn found(program: &str) -> PathBuf {
    let beside = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = beside.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let file = folders.into_iter().map(|folder| folder.join(program)).find(|file| file.exists());
    file.expect("PostgreSQL is installed: apt-get install postgresql")
}
