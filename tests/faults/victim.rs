//! A process that works until it is killed, and says what it did line by line: this very test, started again.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use fieldbook::clock::{Clock, Now};
use fieldbook::notebook::create::{self, Create};
use fieldbook::notebook::pair::Pair;
use fieldbook::notebook::refusal::NotebookError;
use fieldbook::store::Store;
use fieldbook::sync::{self, Options};
use records::kinds::repair;

/// What the process is to do, and with which home.
const DEED: &str = "FIELDBOOK_VICTIM";
const HOME: &str = "FIELDBOOK_VICTIM_HOME";
/// Before each mark that it writes.
const MARK: &str = "FIELDBOOK_VICTIM_MARK";

/// A running victim.
pub(crate) struct Victim {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Victim {
    /// Starts one and returns once it has its home open.
    pub(crate) fn start(deed: &str, home: &Path, mark: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command.args(["--exact", "victim::says_what_it_did_once_it_is_done", "--nocapture"]);
        command.env(DEED, deed).env(HOME, home).env(MARK, mark).env_remove("XDG_RUNTIME_DIR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("this test starts again");
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut victim = Self { process, said };
        while victim.line().expect("it opens its home") != "ready" {}
        victim
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let bytes = self.said.read_line(&mut line).expect("a pipe");
        (bytes > 0 && line.ends_with('\n')).then(|| line.trim_end().to_owned())
    }

    /// Kills it and returns the whole lines that it had said.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.process.kill().expect("it is ours to end");
        self.process.wait().expect("it has ended");
        std::iter::from_fn(|| self.line()).collect()
    }
}

/// Makes one record with that mark.
pub(crate) fn record(store: &mut Store, mark: &str) {
    record_at(store, mark, Clock::system().now());
}

/// The same by another clock.
pub(crate) fn record_at(store: &mut Store, mark: &str, now: Now) {
    try_record(store, mark, now).expect("a record");
}

/// The same, where it may be refused.
///
/// # Errors
/// Those of saving.
pub(crate) fn try_record(store: &mut Store, mark: &str, now: Now) -> Result<(), NotebookError> {
    let pairs = [format!("problem={mark}"), "work_done=换密封圈".to_owned()];
    let pairs = pairs.iter().filter_map(|pair| Pair::parse(pair)).collect();
    let request = Create { kind: &repair::REPAIR, job: None, pairs, entries: Vec::new() };
    create::create(store, &request, now).map(|_| ())
}

/// Does a deed again and again, at most `times`, and says each one when it is done.
fn work(deed: &str, home: &Path, mark: &str, times: u32, out: &mut dyn Write) {
    let mut say = |line: &str| writeln!(out, "{line}").and_then(|()| out.flush()).expect("a pipe");
    let open = || Store::open(home, Clock::system().now()).expect("a home that opens");
    match deed {
        "rebuild" => {
            say("ready");
            for _ in 0..times {
                Store::rebuild(home, Clock::system().now()).expect("a rebuild");
                say("rebuilt");
            }
        }
        _ => {
            let mut store = open();
            say("ready");
            for n in 0..times {
                let mark = format!("{mark}.{n}");
                if deed == "boast" {
                    say(&mark);
                }
                record(&mut store, &mark);
                if deed == "sync" {
                    let options = Options { retries: 0, wait_ms: 0, ..Options::default() };
                    // A line that breaks is no reason to stop.
                    let _ = sync::sync(&mut store, &Clock::system(), options, &mut |_| {});
                }
                if deed != "boast" {
                    say(&mark);
                }
            }
        }
    }
}

#[test]
fn says_what_it_did_once_it_is_done() {
    if let (Ok(deed), Some(home)) = (std::env::var(DEED), std::env::var_os(HOME)) {
        let mark = std::env::var(MARK).unwrap_or_default();
        return work(&deed, Path::new(&home), &mark, u32::MAX, &mut std::io::stdout());
    }
    let scene = crate::scene::Scene::set(3, 2);
    scene.whole.lay(&scene.home());
    let mut said = Vec::new();
    work("capture", &scene.home(), "v", 3, &mut said);
    work("rebuild", &scene.home(), "v", 1, &mut said);
    assert_eq!(String::from_utf8_lossy(&said), "ready\nv.0\nv.1\nv.2\nready\nrebuilt\n");
    let store = scene.open().expect("a home that opens");
    let marks = crate::kills::marks(&store);
    assert!(["v.0", "v.1", "v.2"].iter().all(|mark| marks.contains_key(*mark)), "{marks:?}");
}
