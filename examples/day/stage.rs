//! The stage: folders for everybody, the programs as processes of their own, and what they are typed and answer.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::port::free_address;
use crate::text;

/// What the installations write on their disks during the play.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    samples: PathBuf,
    lang: String,
    /// Headquarters' clock where it is not the machine's.
    pub(crate) clock: Option<&'static str>,
    pub(crate) serving: Option<Child>,
    /// Where headquarters listens, once it was started.
    pub(crate) listen: Option<SocketAddr>,
    /// A device's pages, and their first address.
    pages: Option<(Child, String)>,
}

/// Who plays: a home folder, and a clock where it is not the machine's.
#[derive(Clone, Copy)]
pub(crate) struct Player {
    pub(crate) home: &'static str,
    pub(crate) clock: Option<&'static str>,
}

impl Stage {
    pub(crate) fn open(lang: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            samples: Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"),
            lang: lang.to_owned(),
            clock: None,
            serving: None,
            listen: None,
            pages: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn sample(&self, name: &str) -> String {
        self.samples.join(name).display().to_string()
    }

    pub(crate) fn mapping(&self, name: &str) -> String {
        let folder = self.samples.with_file_name("mappings");
        folder.join(name).display().to_string()
    }

    /// Prints a device's command and its answer.
    pub(crate) fn device(&self, player: Player, args: &[&str]) {
        self.typed(&format!("[{}] fieldbook", player.home), args);
        let output = self.program("fieldbook", &self.device_args(player, args)).output().unwrap();
        self.show(&output);
    }

    /// Prints a device's command under its PIN, and its answer; returns it where it is JSON.
    pub(crate) fn device_with_pin(&self, player: Player, pin: &str, args: &[&str]) -> Value {
        self.typed(&format!("[{}] FIELDBOOK_PIN=… fieldbook", player.home), args);
        let mut program = self.program("fieldbook", &self.device_args(player, args));
        let output = program.env("FIELDBOOK_PIN", pin).output().unwrap();
        self.show(&output);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Prints a device's command with `--json` and returns its answer.
    pub(crate) fn device_json(&self, player: Player, args: &[&str]) -> Value {
        let args = [&["--json"], args].concat();
        self.typed(&format!("[{}] fieldbook", player.home), &args);
        self.json("fieldbook", &self.device_args(player, &args))
    }

    /// Types a new sheet and returns its code.
    pub(crate) fn new_sheet(&self, player: Player, kind: &str, set: &[&str]) -> String {
        let mut args = vec!["sheet", "new", kind];
        args.extend(set.iter().flat_map(|pair| ["--set", pair]));
        text(&self.device_json(player, &args), "code")
    }

    pub(crate) fn hq(&self, args: &[&str]) {
        self.typed("[hq] fieldbook-hq", args);
        let output = self.program("fieldbook-hq", &self.hq_args(args)).output().unwrap();
        self.show(&output);
    }

    pub(crate) fn hq_json(&self, args: &[&str]) -> Value {
        let args = [&["--json"], args].concat();
        self.typed("[hq] fieldbook-hq", &args);
        self.json("fieldbook-hq", &self.hq_args(&args))
    }

    fn json(&self, program: &str, args: &[String]) -> Value {
        let output = self.program(program, args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let answer: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{stderr}"));
        let line = answer.to_string();
        println!("   {}", line.chars().take(200).collect::<String>());
        answer
    }

    /// Starts headquarters on a free port, later on the same one, and returns its address.
    pub(crate) fn serve(&mut self) -> String {
        let kept = self.listen.get_or_insert_with(free_address).to_string();
        self.typed("[hq] fieldbook-hq", &["serve"]);
        let args = self.hq_args(&["serve", "--listen", &kept]);
        let mut child = self.program("fieldbook-hq", &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        child.stdout = Some(stdout.into_inner());
        self.serving = Some(child);
        line.trim().to_owned()
    }

    /// Opens a device's pages on a free port and returns their first address.
    pub(crate) fn web(&mut self, player: Player) -> String {
        self.typed(&format!("[{}] fieldbook", player.home), &["web"]);
        let args = self.device_args(player, &["web", "--port", "0"]);
        let mut child = self.program("fieldbook", &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.pages = Some((child, line.trim().to_owned()));
        println!("   {}", line.trim());
        line.trim().to_owned()
    }

    /// Gives somebody a login of the console, the password on standard input.
    pub(crate) fn login(&self, staff: &str, password: &str) {
        self.typed("[hq] fieldbook-hq", &["user", "add", "--staff", staff]);
        let mut program = self.program("fieldbook-hq", &self.hq_args(&["user", "add", "--staff", staff]));
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        self.show(&child.wait_with_output().unwrap());
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn close(mut self, stay: bool) {
        if stay {
            let folder = self.folder.path().display().to_string();
            println!("\nHeadquarters goes on serving; homes and data lie in {folder}. Enter ends it.");
            if let Some((_, address)) = &self.pages {
                println!("Open in a browser: {address} and the console (A001, `a password of the play`).");
            }
            std::io::stdout().flush().unwrap();
            std::io::stdin().lock().read_line(&mut String::new()).unwrap();
        }
        self.stop();
        if let Some((mut child, _)) = self.pages.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn device_args(&self, player: Player, args: &[&str]) -> Vec<String> {
        let mut all = vec!["--home".to_owned(), self.path(player.home)];
        if let Some(clock) = player.clock {
            all.extend(["--now".to_owned(), clock.to_owned()]);
        }
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        all
    }

    fn hq_args(&self, args: &[&str]) -> Vec<String> {
        let mut all = vec!["--data".to_owned(), self.path("hq")];
        if let Some(clock) = self.clock {
            all.extend(["--now".to_owned(), clock.to_owned()]);
        }
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        all
    }

    pub(crate) fn program(&self, name: &str, args: &[String]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(name).args(args).env("FIELDBOOK_LANG", &self.lang).env("FIELDBOOK_TEST_CLOCK", "1");
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn typed(&self, program: &str, args: &[&str]) {
        let root = self.folder.path().display().to_string();
        let repo = format!("{}/", env!("CARGO_MANIFEST_DIR"));
        let quote = |arg: &&str| {
            let arg = arg.replace(&repo, "").replace(&format!("{root}/"), "");
            if arg.contains(' ') { format!("'{arg}'") } else { arg }
        };
        println!("\n$ {program} {}", args.iter().map(quote).collect::<Vec<_>>().join(" "));
    }

    fn show(&self, output: &std::process::Output) {
        let both = [output.stdout.as_slice(), &output.stderr].concat();
        let both = String::from_utf8_lossy(&both);
        let lines: Vec<&str> = both.lines().collect();
        for line in lines.iter().take(18) {
            println!("   {}", line.chars().take(200).collect::<String>());
        }
        if lines.len() > 18 {
            println!("   … {} more lines", lines.len() - 18);
        }
        if let Some(code) = output.status.code().filter(|code| *code != 0) {
            println!("   (exit {code})");
        }
    }
}
