//! A PostgreSQL of the tests' own: made in a temporary folder, heard on a Unix socket, gone when the tests end.
//!
//! It does not wait for its disk (`fsync = off`): what these tests try is transactions, not power cuts. Where it is
//! measured it does.

#[path = "../../../tests/it/port.rs"]
#[allow(dead_code, reason = "not every test program encrypts")]
mod port;

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
    /// What it is started with.
    options: String,
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
        Self::make("-c listen_addresses= -c fsync=off -c full_page_writes=off", |_| {})
    }

    /// Makes a server that is heard at a port of this machine, by whoever encrypts, and starts it; returns its port and
    /// the file with its certificate.
    #[allow(dead_code, reason = "not every test program encrypts")]
    pub(crate) fn encrypted() -> (Self, u16, PathBuf) {
        let port = port::free_address().port();
        let tls = "-c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key";
        let options = format!("-c listen_addresses=localhost -p {port} -c fsync=off {tls}");
        let cluster = Self::make(&options, |data| {
            let (cert, key) = (data.join("server.pem"), data.join("server.key"));
            fieldbook_hq::tls::create(&cert, &key, "localhost").unwrap();
            let owner = std::fs::metadata(data).unwrap();
            [cert, key].iter().for_each(|file| chown(file, Some(owner.uid()), Some(owner.gid())).unwrap());
            std::fs::write(data.join("pg_hba.conf"), "hostssl all all localhost trust\n").unwrap();
        });
        let cert = cluster.folder.join("data/server.pem");
        (cluster, port, cert)
    }

    /// Makes a server that keeps its promises through a power cut, and starts it.
    #[allow(dead_code, reason = "only where it is measured")]
    pub(crate) fn durable() -> Self {
        Self::make("-c listen_addresses=", |_| {})
    }

    /// Returns its first process.
    #[allow(dead_code, reason = "only where it is measured or killed")]
    pub(crate) fn pid(&self) -> u32 {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        file.lines().next().and_then(|line| line.parse().ok()).expect("a number")
    }

    fn make(options: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::Builder::new().prefix("fieldbook-pg-").tempdir().unwrap().keep();
        if is_root() {
            let user = std::fs::read_to_string("/etc/passwd").unwrap();
            let line = user.lines().find(|line| line.starts_with(USER)).expect("PostgreSQL's user");
            let numbers: Vec<u32> = line.split(':').filter_map(|field| field.parse().ok()).collect();
            chown(&folder, Some(numbers[0]), Some(numbers[1])).unwrap();
        }
        let made = run(
            "initdb",
            &folder,
            &["--auth=trust", "--username=hq", "--no-sync", "--encoding=UTF8", "--locale=C"],
        );
        assert!(made, "initdb failed");
        prepare(&folder.join("data"));
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
        let options = format!("-k {} -c max_connections=200 {options}", folder.display());
        let cluster = Self { folder, options, databases: AtomicU32::new(0), _keeper: keeper };
        cluster.go();
        cluster
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn go(&self) {
        let log = self.folder.join("log");
        let log = log.to_string_lossy();
        let began =
            run("pg_ctl", &self.folder, &["start", "--wait", "--log", &log, "--options", &self.options]);
        assert!(began, "{}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// Stops the server; connections are cut at once.
    #[allow(dead_code, reason = "not every test program stops its server")]
    pub(crate) fn stop(&self) {
        assert!(run("pg_ctl", &self.folder, &["stop", "--mode=fast", "--wait"]));
    }

    /// Stops the server as a crash does: it says nothing to its clients, writes nothing back, and goes through its log
    /// when it starts again.
    #[allow(dead_code, reason = "not every test program stops its server")]
    pub(crate) fn abort(&self) {
        assert!(run("pg_ctl", &self.folder, &["stop", "--mode=immediate", "--wait"]));
    }

    /// Kills the server's processes where they stand, and waits until they are gone.
    #[allow(dead_code, reason = "not every test program stops its server")]
    pub(crate) fn kill(&self) {
        let first = self.pid();
        // Standing still it makes no more of them, and restarts none.
        signal(first, "-STOP");
        while line_of(first).is_some_and(|line| !line.starts_with('T')) {
            std::thread::yield_now();
        }
        let all: Vec<u32> = processes_of(first).into_iter().chain([first]).collect();
        for process in &all {
            signal(*process, "-KILL");
        }
        while all.iter().any(|process| is_alive(*process)) {
            std::thread::yield_now();
        }
        // Where nobody waits for orphans, the next server would take what is left of this one for a server that runs.
        for lock in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
            std::fs::remove_file(self.folder.join(lock)).unwrap();
        }
    }

    /// Has what is asked of a database written into the server's log, by whoever opens it from now on.
    #[allow(dead_code, reason = "only where statements are counted")]
    pub(crate) fn note_statements(database: &str) {
        let sql = "DO $$ BEGIN
                   EXECUTE format('ALTER DATABASE %I SET log_statement = %L', current_database(), 'all');
                   END $$";
        postgres::Client::connect(database, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
    }

    /// Returns how many statements with values were noted.
    #[allow(dead_code, reason = "only where statements are counted")]
    pub(crate) fn noted(&self) -> usize {
        let log = std::fs::read(self.folder.join("log")).unwrap();
        String::from_utf8_lossy(&log).lines().filter(|line| line.contains("LOG:  execute ")).count()
    }

    /// Makes an empty database and returns its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut client = postgres::Client::connect(&self.address("postgres"), postgres::NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        self.address(&name)
    }

    /// Returns where a folder of tables may be that this server's user can read.
    #[allow(dead_code, reason = "only where a disk is full")]
    pub(crate) fn tables(&self) -> PathBuf {
        self.folder.join("tables")
    }

    /// Makes an empty database in [`Cluster::tables`] and returns its address; the server's own log stays where it is.
    #[allow(dead_code, reason = "only where a disk is full")]
    pub(crate) fn database_in_tables(&self) -> String {
        let owner = std::fs::metadata(&self.folder).unwrap();
        chown(self.tables(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let mut client = postgres::Client::connect(&self.address("postgres"), postgres::NoTls).unwrap();
        let tables = self.tables();
        client.batch_execute(&format!("CREATE TABLESPACE apart LOCATION '{}'", tables.display())).unwrap();
        client.batch_execute("CREATE DATABASE apart TABLESPACE apart").unwrap();
        // The first connection writes a file of the server's own; without room for it nobody is let in.
        drop(postgres::Client::connect(&self.address("apart"), postgres::NoTls).unwrap());
        self.address("apart")
    }

    fn address(&self, name: &str) -> String {
        let host = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://hq@{host}/{name}")
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn signal(process: u32, name: &str) {
    // One that ended meanwhile hears nothing.
    let _ = Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status();
}

/// What a process's line in `/proc` says behind its name: its state, its parent, and so on; `None` where it is gone.
fn line_of(process: u32) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    line.rsplit_once(") ").map(|(_, rest)| rest.to_owned())
}

fn is_alive(process: u32) -> bool {
    line_of(process).is_some_and(|line| !line.starts_with('Z'))
}

fn processes_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = parent.to_string();
    all.filter(|process| line_of(*process).is_some_and(|line| line.split(' ').nth(1) == Some(&parent)))
        .collect()
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
    // How long it waits, in seconds, for a server that starts or ends: on a busy machine a minute is soon over.
    command.env("PGCTLTIMEOUT", "600");
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
