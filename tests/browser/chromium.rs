//! A Chromium of one test with one page, spoken to over two pipes; it ends when the test does.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The programs that are looked for, in this order.
const PROGRAMS: [&str; 5] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// How long an answer may take on a busy machine; none takes a second on an idle one. Longer than the page itself waits.
const PATIENCE: Duration = Duration::from_secs(180);

/// Chromium reads commands from its descriptor 3 and answers on 4, and ends when these close.
const PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

const FLAGS: [&str; 12] = [
    "--remote-debugging-pipe",
    "--headless",
    // Its own sandbox needs rights that a container seldom has; it opens nothing but our pages.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "about:blank",
];

/// Something that the browser told without being asked.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// The browser and the connection to its one page.
pub(crate) struct Chromium {
    process: Child,
    commands: Option<ChildStdin>,
    heard: Receiver<Value>,
    events: VecDeque<Event>,
    session: Option<String>,
    last_id: u64,
    profile: TempDir,
}

impl Chromium {
    /// Starts a browser that knows nothing of any other and opens an empty page; its own words are in `lang`.
    #[track_caller]
    pub(crate) fn start(lang: &str) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("sh");
        command.args(["-c", PIPES]).arg(program()).args(FLAGS);
        // Its own words, such as those on a button for a file.
        command.arg(format!("--lang={lang}")).env("LANGUAGE", lang.replace('-', "_"));
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        // What it says on standard error is about buses and drivers that a test machine does not have.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("a shell");
        let commands = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a piped standard output"));
        let (say, heard) = channel();
        std::thread::spawn(move || {
            let read = |message: Result<Vec<u8>, _>| serde_json::from_slice(&message.ok()?).ok();
            answers.split(0).map_while(read).try_for_each(|message| say.send(message))
        });
        let mut browser =
            Self { process, commands, heard, events: VecDeque::new(), session: None, last_id: 0, profile };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let targets = self.ask("Target.getTargets", &json!({}));
        let pages = targets["targetInfos"].as_array().expect("a list of targets");
        let page = pages.iter().find(|target| target["type"] == "page").expect("the empty page");
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = self.ask("Target.attachToTarget", &attach);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log", "DOM"] {
            self.ask(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Returns the answer to one command; a refused one ends the test.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        match self.try_ask(method, params) {
            Ok(result) => result,
            Err(why) => panic!("{method}: {why}"),
        }
    }

    /// Returns the answer to one command.
    ///
    /// # Errors
    /// The browser's own words, when it refuses: mostly that the page has gone on meanwhile.
    #[track_caller]
    pub(crate) fn try_ask(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let id = self.tell(method, params);
        loop {
            let mut message = self.next_message(method);
            if message["id"] == id {
                let refused = message["error"]["message"].as_str().map(str::to_owned);
                return refused.map_or_else(|| Ok(message["result"].take()), Err);
            }
            self.keep(message);
        }
    }

    /// Sends a command and returns its number.
    #[track_caller]
    fn tell(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        let commands = self.commands.as_mut().expect("closed at the end only");
        commands.write_all(&bytes).unwrap_or_else(|error| panic!("{method}: Chromium has ended: {error}"));
        self.last_id
    }

    /// Returns the next event, which may have come long ago.
    #[track_caller]
    pub(crate) fn next_event(&mut self, awaited: &str) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let message = self.next_message(awaited);
            self.keep(message);
        }
    }

    /// Returns the next of the events that have come so far.
    pub(crate) fn past_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn keep(&mut self, mut message: Value) {
        let params = message["params"].take();
        if let Some(method) = message["method"].as_str() {
            if method == "Page.javascriptDialogOpening" {
                // Nothing else is answered while it stands there; whoever counts steps counts the tap.
                self.tell("Page.handleJavaScriptDialog", &json!({ "accept": true }));
            }
            self.events.push_back(Event { method: method.to_owned(), params });
        }
    }

    #[track_caller]
    fn next_message(&self, awaited: &str) -> Value {
        match self.heard.recv_timeout(PATIENCE) {
            Ok(message) => message,
            Err(error) => panic!("Chromium said nothing while {awaited} was awaited: {error}"),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.commands = None;
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Returns the browser of this machine; without one the tests cannot say anything.
#[track_caller]
fn program() -> PathBuf {
    let folders: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    let places = PROGRAMS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = places.into_iter().find(|place| place.is_file());
    found.unwrap_or_else(|| {
        panic!("no Chromium on the path; `cargo xtask test` installs it, or apt-get install chromium-headless-shell")
    })
}
