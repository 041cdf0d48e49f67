//! The guides are true: every command in README and in docs/guide runs as it stands there, one page after the other.
//!
//! A word in capitals such as `SHEET` stands for the code that an earlier line of the page printed.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::port::free_address;
use crate::world::{agent_program, hq_program};

/// When the pages' days play.
const NOW: &str = "2026-11-20T18:00:00+08:00";

/// What a command's answer gives a name to.
const NAMED: [(&str, &str); 5] = [
    ("fieldbook sheet new", "SHEET"),
    ("fieldbook voucher add", "VOUCHER"),
    ("fieldbook claim draft", "CLAIM"),
    ("fieldbook job list", "JOB"),
    ("fieldbook-hq device code", "CODE"),
];

/// A folder in which a page's commands are typed, and what they have said so far.
struct Shell {
    folder: TempDir,
    path: PathBuf,
    names: BTreeMap<&'static str, String>,
    running: Vec<Child>,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("programs");
        std::fs::create_dir(&path).unwrap();
        let address = free_address();
        let init = format!(
            "case \" $* \" in *\" init \"*) set -- \"$@\" --address http://{address};; *\" serve \"*) set -- \"$@\" --listen {address};; esac"
        );
        program(&path, "fieldbook-hq", hq_program(), &init);
        program(
            &path,
            "fieldbook",
            agent_program(),
            "case \" $* \" in *\" web \"*) set -- \"$@\" --port 0;; esac",
        );
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
        std::os::unix::fs::symlink(samples, folder.path().join("samples")).unwrap();
        Self { folder, path, names: BTreeMap::new(), running: Vec::new() }
    }

    /// Types one line; it must end well. A line that serves goes on behind the others.
    fn line(&mut self, line: &str) {
        let mut line = line.to_owned();
        for (name, code) in &self.names {
            line = line.replace(name, code);
        }
        let mut shell = Command::new("sh");
        shell.arg("-ec").arg(&line).current_dir(self.folder.path());
        let others = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{others}", self.path.display()));
        for (name, value) in [
            ("FIELDBOOK_TEST_CLOCK", "1"),
            ("FIELDBOOK_LANG", "en"),
            ("FIELDBOOK_HOME", "device"),
            ("FIELDBOOK_HQ_DATA", "hq-data"),
            ("FIELDBOOK_PIN", "a guide has a PIN of its own"),
            ("NO_COLOR", "1"),
        ] {
            shell.env(name, value);
        }
        shell.env_remove("XDG_RUNTIME_DIR").stdin(Stdio::null());
        if line.ends_with(" serve") || line.ends_with("fieldbook web") {
            return self.start(shell);
        }
        let done = shell.output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{line}\n{said}{told}");
        for (start, name) in NAMED {
            if line.contains(start) {
                let code =
                    if name == "CODE" { said.trim().lines().last().map(str::to_owned) } else { code(&said) };
                self.names.insert(name, code.unwrap_or_else(|| panic!("{line}: no code in\n{said}")));
            }
        }
    }

    fn start(&mut self, mut shell: Command) {
        // The shell may stay in front of the program that it runs: both end together.
        shell.process_group(0);
        let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        self.running.push(child);
        assert!(first.starts_with("http://127.0.0.1:"), "{first}");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            let _ = child.wait();
        }
    }
}

/// Writes a program that runs the real one at the pages' time.
fn program(folder: &Path, name: &str, real: &Path, first: &str) {
    let path = folder.join(name);
    let text = format!("#!/bin/sh\n{first}\nexec '{}' --now {NOW} \"$@\"\n", real.display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the first code in an answer: eight characters of Crockford's alphabet, by themselves; all may be digits.
fn code(said: &str) -> Option<String> {
    let words = said.split(|c: char| !c.is_ascii_alphanumeric());
    let is_code = |word: &&str| {
        word.len() == 8
            && word.bytes().all(|b| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b)))
    };
    words.filter(is_code).map(str::to_owned).next()
}

/// Returns the lines of a page's `sh` blocks that are about the two programs.
fn commands(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && line.contains("fieldbook") && !line.starts_with('#') => {
                lines.push(line.to_owned())
            }
            _ => {}
        }
    }
    lines
}

fn check(page: &str, before: &[&str]) {
    let mut shell = Shell::new();
    for line in before {
        shell.line(line);
    }
    let lines = commands(page);
    assert!(lines.len() >= 5, "{page}: only {lines:?}");
    for line in lines {
        shell.line(&line);
    }
}

/// A company with the samples' people and machines, and somebody's device.
fn company(staff: &str) -> Vec<String> {
    let tables = [
        ("org", "org"),
        ("staff", "staff"),
        ("customer", "customers"),
        ("site", "sites"),
        ("asset", "assets"),
        ("job", "jobs"),
    ];
    let mut lines = vec!["fieldbook-hq init".to_owned()];
    lines.extend(tables.map(|(kind, file)| format!("fieldbook-hq {kind} import samples/{file}.csv")));
    lines.push("fieldbook-hq serve".to_owned());
    lines.push(format!("fieldbook-hq device code --staff {staff}"));
    lines
}

fn check_guide(page: &str, staff: &str) {
    let before = company(staff);
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    check(page, &before);
}

#[test]
fn readme_can_be_typed() {
    // What the text says between the blocks: headquarters serves, in another window.
    let mut shell = Shell::new();
    let mut serves = false;
    for line in commands("README.md") {
        if line == "fieldbook sync" && !serves {
            shell.line("fieldbook-hq --data hq-data serve");
            serves = true;
        }
        shell.line(&line);
    }
    assert!(serves);
}

#[test]
fn readme_in_chinese_can_be_typed_too() {
    let mut shell = Shell::new();
    for line in commands("README.zh-CN.md") {
        if line == "fieldbook sync" {
            shell.line("fieldbook-hq --data hq-data serve");
        }
        shell.line(&line);
    }
}

#[test]
fn the_engineers_guide_can_be_typed() {
    check_guide("docs/guide/engineer.en.md", "T101");
    check_guide("docs/guide/engineer.zh-CN.md", "T101");
}

#[test]
fn the_offices_guide_can_be_typed() {
    check("docs/guide/office.en.md", &[]);
    check("docs/guide/office.zh-CN.md", &[]);
}

#[test]
fn the_supervisors_guide_can_be_typed() {
    let engineer = [
        "enrol CODE",
        "sheet new repair --set customer=C001 --set problem=noise --set arrived='2026-11-20 09:00'",
        "sheet set SHEET left='2026-11-20 10:30' work_done=bearing result=done",
        "voucher add --category city_transport --amount 35.00 --date 2026-11-20 --sheet SHEET",
        "sheet seal SHEET --no-sign absent",
        "trip submit 2026-11-H2",
        "claim draft 2026-11-H2",
        "claim submit CLAIM --reason R6=signed",
        "sync",
    ];
    let mut before = company("T101");
    before.extend(engineer.map(|line| format!("FIELDBOOK_HOME=engineer fieldbook {line}")));
    before.push("fieldbook-hq device code --staff S100".to_owned());
    before.push("fieldbook enrol CODE".to_owned());
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    check("docs/guide/supervisor.en.md", &before);
    check("docs/guide/supervisor.zh-CN.md", &before);
}
