//! Real programs in temporary folders: one HQ, as many devices as a test asks for.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::port::free_address;

/// What one command answered.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code; none when a signal ended the program.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Returns itself when the command ended with `code`, and shows both streams when not.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Returns the one document that `--json` promises on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error} in:\n{}\nstderr:\n{}", self.stdout, self.stderr),
        }
    }
}

/// One device: a home folder of its own and the agent that works on it.
pub(crate) struct Device {
    home: TempDir,
    /// What its person hands to commands.
    files: TempDir,
    /// The clock of the next commands, RFC 3339; none is the machine's own.
    pub(crate) now: Option<String>,
    /// Whether the next commands are those of one version later.
    pub(crate) tomorrow: bool,
}

impl Device {
    /// Returns a device that nobody has enrolled.
    pub(crate) fn new() -> Self {
        Self { home: folder(), files: folder(), now: None, tomorrow: false }
    }

    /// Returns a device enrolled with `code`; HQ need not be running.
    #[track_caller]
    pub(crate) fn enrol(code: &str) -> Self {
        Self::enrol_at(None, code)
    }

    /// The same under a test clock, which its later commands keep until another is set.
    #[track_caller]
    pub(crate) fn enrol_at(now: Option<&str>, code: &str) -> Self {
        let device = Self { now: now.map(str::to_owned), ..Self::new() };
        device.run(["enrol", code]).ended(0);
        device
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file outside the home and returns its path.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.files.path().join(name);
        std::fs::write(&path, content).expect("a file for a command");
        path.to_str().expect("a path of the tests").to_owned()
    }

    /// Runs one command to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        finish(self.command(args), "")
    }

    /// Runs one command as outside a test: without the leave to set the clock.
    pub(crate) fn run_in_earnest<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        let mut command = self.command(args);
        command.env_remove("FIELDBOOK_TEST_CLOCK");
        finish(command, "")
    }

    /// Runs one command with `input` on its standard input.
    pub(crate) fn run_with<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, input: &str) -> Output {
        finish(self.command(args), input)
    }

    /// Runs one command with more in its environment and `input` on its standard input.
    pub(crate) fn run_in<A: AsRef<OsStr>>(
        &self,
        env: &[(&str, &str)],
        args: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Output {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        finish(command, input)
    }

    /// Runs one command, and also returns what the system shows of it and of what it started.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_watched<A: AsRef<OsStr>>(
        &self,
        env: &[(&str, &str)],
        args: impl IntoIterator<Item = A>,
        input: &str,
    ) -> (Output, crate::watched::Shown) {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        let mut process = begin(command, input);
        let shown = crate::watched::until_it_ends(&mut process);
        (end(process), shown)
    }

    /// Starts one command and leaves it running; `Child::kill` is `kill -9`.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Child {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("the agent starts")
    }

    /// Returns a command that was not started yet.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = match self.tomorrow {
            false => program(Path::new(env!("CARGO_BIN_EXE_fieldbook"))),
            true => program(&crate::tomorrow::program("fieldbook-tomorrow")),
        };
        command.arg("--home").arg(self.home.path());
        set_clock(&mut command, self.now.as_deref());
        command.args(args);
        command
    }
}

/// Headquarters: a data folder and, once served, a process on a loopback port.
pub(crate) struct Hq {
    data: TempDir,
    serving: Option<Serving>,
    /// `http`, or `https` where HQ has a certificate.
    scheme: &'static str,
    /// The port of the first `serve`; later ones take it again, as devices know it.
    address: Option<SocketAddr>,
    /// The clock of the next commands, RFC 3339; none is the machine's own.
    pub(crate) now: Option<String>,
    /// Whether the next commands are those of one version later.
    pub(crate) tomorrow: bool,
}

struct Serving {
    process: Child,
    /// Kept open: a closed pipe would end the server at its next line.
    _stdout: BufReader<ChildStdout>,
}

impl Hq {
    /// Returns a new HQ with its keys, default policy and calendar.
    #[track_caller]
    pub(crate) fn init() -> Self {
        Self::init_at(None)
    }

    /// The same under a test clock, which its later commands keep until another is set.
    #[track_caller]
    pub(crate) fn init_at(now: Option<&str>) -> Self {
        let now = now.map(str::to_owned);
        let hq = Self { data: folder(), serving: None, scheme: "http", address: None, now, tomorrow: false };
        hq.run(["init"]).ended(0);
        hq
    }

    /// Returns a new HQ that has a certificate and is reached by HTTPS.
    #[track_caller]
    pub(crate) fn init_with_tls() -> Self {
        let hq = Self {
            data: folder(),
            serving: None,
            scheme: "https",
            address: None,
            now: None,
            tomorrow: false,
        };
        hq.run(["init", "--address", "https://127.0.0.1:7400"]).ended(0);
        hq
    }

    /// Starts `serve`, again after a [`kill`](Self::kill) on the same port, and returns its address.
    #[track_caller]
    pub(crate) fn serve(&mut self) -> SocketAddr {
        self.serve_with(&[])
    }

    /// The same with more arguments of `serve`.
    #[track_caller]
    pub(crate) fn serve_with(&mut self, more: &[&str]) -> SocketAddr {
        let listen = self.address.get_or_insert_with(free_address).to_string();
        let log = File::create(self.log()).expect("a log beside the data");
        let mut command = self.command(["serve", "--listen", &listen]);
        command.args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().expect("HQ starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("a piped standard output"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the first line of HQ");
        self.serving = Some(Serving { process, _stdout: stdout });
        let address =
            line.trim().split_once("://").and_then(|(scheme, rest)| (scheme == self.scheme).then_some(rest));
        let address = address.and_then(|rest| rest.parse().ok());
        let Some(address) = address else {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            panic!("the first line is HQ's bare URL, not {line:?}\n{log}");
        };
        self.address = Some(address);
        address
    }

    /// Returns where the last `serve` listens, for a caller that speaks to HQ past any proxy.
    #[track_caller]
    pub(crate) fn listens_at(&self) -> SocketAddr {
        self.address.expect("HQ was served once")
    }

    /// Returns the URL of the last `serve`.
    #[track_caller]
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address.expect("HQ was served once"))
    }

    /// Ends the server with `kill -9`; the data stays as that moment left it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            serving.process.kill().expect("HQ is ours to end");
            serving.process.wait().expect("HQ has ended");
        }
    }

    /// Ends the server in another way, and waits for its end.
    pub(crate) fn terminate(&mut self, how: impl FnOnce(&Child)) {
        if let Some(mut serving) = self.serving.take() {
            how(&serving.process);
            serving.process.wait().expect("HQ has ended");
        }
    }

    /// Loses everything that HQ had on its disk; it must not be serving.
    #[track_caller]
    pub(crate) fn lose(&self) {
        std::fs::remove_dir_all(self.data.path().join("hq")).expect("a folder of ours");
    }

    /// Runs one command to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        finish(self.command(args), "")
    }

    /// Runs one command with `input` on its standard input.
    pub(crate) fn run_with<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, input: &str) -> Output {
        finish(self.command(args), input)
    }

    /// As [`Device::run_watched`].
    #[cfg(target_os = "linux")]
    pub(crate) fn run_watched<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        input: &str,
    ) -> (Output, crate::watched::Shown) {
        let mut process = begin(self.command(args), input);
        let shown = crate::watched::until_it_ends(&mut process);
        (end(process), shown)
    }

    /// Returns the folder of the files that it holds.
    pub(crate) fn files(&self) -> PathBuf {
        self.data.path().join("hq").join("files")
    }

    /// Returns a fresh enrolment code for `staff`; `address` is HQ's own URL or a line to it.
    #[track_caller]
    pub(crate) fn device_code(&self, staff: &str, address: &str) -> String {
        let answer = self.run(["device", "code", "--staff", staff, "--address", address]).ended(0);
        answer.stdout.trim().to_owned()
    }

    /// Writes the input of an import beside the data and returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.data.path().join(name);
        std::fs::write(&path, content).expect("a file for an import");
        path
    }

    /// Returns the folder of its data.
    pub(crate) fn folder(&self) -> PathBuf {
        self.data.path().join("hq")
    }

    /// Returns what the server has told on standard error.
    pub(crate) fn told(&self) -> String {
        std::fs::read_to_string(self.log()).expect("a log beside the data")
    }

    fn log(&self) -> PathBuf {
        self.data.path().join("serve.log")
    }

    fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = match self.tomorrow {
            false => program(hq_program()),
            true => program(&crate::tomorrow::program("fieldbook-hq-tomorrow")),
        };
        command.arg("--data").arg(self.folder());
        set_clock(&mut command, self.now.as_deref());
        command.args(args);
        command
    }
}

impl Drop for Hq {
    fn drop(&mut self) {
        self.kill();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Returns a command that sees nothing of the tester's own settings.
fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FIELDBOOK_"))
    {
        command.env_remove(name);
    }
    // Whether a machine has a folder that a boot empties must not decide how a test ends.
    command
        .env_remove("XDG_RUNTIME_DIR")
        .env("FIELDBOOK_LANG", "en")
        .env("FIELDBOOK_TEST_CLOCK", "1")
        .env("NO_COLOR", "1");
    command
}

fn set_clock(command: &mut Command, now: Option<&str>) {
    if let Some(now) = now {
        command.args(["--now", now]);
    }
}

fn finish(command: Command, input: &str) -> Output {
    end(begin(command, input))
}

fn begin(mut command: Command, input: &str) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the program starts");
    let mut stdin = process.stdin.take().expect("a piped standard input");
    // A program that reads no input may already have ended.
    drop(stdin.write_all(input.as_bytes()));
    process
}

fn end(process: Child) -> Output {
    let output = process.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("answers are UTF-8");
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Returns the agent's program.
pub(crate) fn agent_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_fieldbook"))
}

/// Returns HQ's program, built once for this run beside the agent's.
///
/// Cargo builds the programs of the package under test only, and an old one would test yesterday's HQ.
pub(crate) fn hq_program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let agent = Path::new(env!("CARGO_BIN_EXE_fieldbook"));
        let profile_folder = agent.parent().expect("a program lies in a folder");
        let mut cargo = cargo(profile_folder);
        // Both packages and this very test, so that each dependency has the features it is built with already.
        cargo.args(["-p", "fieldbook", "-p", "fieldbook-hq", "--bins", "--test", env!("CARGO_CRATE_NAME")]);
        assert!(cargo.status().expect("cargo runs").success(), "fieldbook-hq does not build");
        profile_folder.join(format!("fieldbook-hq{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Returns a `cargo build` of what this test was built with: into the folder where that lies, in its profile.
pub(crate) fn cargo(profile_folder: &Path) -> Command {
    let profile = match profile_folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--profile", profile]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo told this test about its package would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    cargo
}
