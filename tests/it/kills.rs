//! `kill -9` at any moment: what was acknowledged is there once, on the device and at headquarters.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::company::{Company, LI, WANG, ZHAO, text};
use crate::world::Device;

/// Kills of each kind of victim.
const KILLS: u32 = 50;

/// Moments from a seed that is printed, so that a failure can be played again.
struct Moments {
    seed: u64,
    /// About how long a command takes that nobody kills.
    whole: Duration,
}

impl Moments {
    /// Returns moments of a fresh seed, or of `FIELDBOOK_SEED`, in commands like this one.
    fn new(what: &str, command: impl FnOnce()) -> Self {
        let given = std::env::var("FIELDBOOK_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            u64::from_le_bytes(fieldbook::keys::random().expect("the system's random bytes"))
        });
        println!("{what}: FIELDBOOK_SEED={seed}");
        Self { seed, whole: duration(command) }
    }

    /// Returns a number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }

    /// Waits for a moment somewhere in a command, or just after it.
    ///
    /// The wait is what is tested here; nothing is waited for.
    fn wait(&mut self) {
        let micros = u64::try_from(self.whole.as_micros()).expect("a short command");
        thread::sleep(Duration::from_micros(self.below(micros + micros / 10)));
    }

    /// Kills a command and returns what it had said, and whether it had ended well by then.
    ///
    /// What was measured on a busy machine mends itself: some nine kills of ten shall come before the end.
    fn kill(&mut self, mut command: Child) -> (String, bool) {
        let mut said = String::new();
        command.kill().expect("the command is ours to end");
        let ended = command.wait().expect("the command has ended").success();
        let mut out = command.stdout.take().expect("a piped standard output");
        out.read_to_string(&mut said).expect("answers are UTF-8");
        self.whole = if ended { self.whole - self.whole / 8 } else { self.whole + self.whole / 64 };
        (said, ended)
    }
}

#[expect(clippy::disallowed_methods, reason = "measures a command, so that the kills spread over all of it")]
fn instant() -> Instant {
    Instant::now()
}

/// Returns how long the work takes when nobody kills it.
fn duration(work: impl FnOnce()) -> Duration {
    let start = instant();
    work();
    start.elapsed()
}

/// What one device was told to be saved.
#[derive(Default)]
struct Acknowledged {
    /// Sheets by their mark, with the id where it was told.
    sheets: BTreeMap<String, Option<Value>>,
    /// Notes by their text; whether it was acknowledged.
    notes: BTreeMap<String, bool>,
    /// Ids of sealed sheets, with their numbers.
    sealed: BTreeMap<String, String>,
    cut_short: u32,
}

impl Acknowledged {
    /// Kills one capture: a new sheet, a note on the last one, or its seal, in turn.
    fn capture(&mut self, device: &Device, round: u32, moments: &mut Moments) {
        let mark = format!("kill {round}");
        let last = self.sheets.values().flatten().last().map(text);
        match (round % 3, last) {
            (1, Some(id)) => {
                let child = device.start(["--json", "sheet", "add", &id, "note", &mark]);
                moments.wait();
                let said = self.end(child, moments);
                self.notes.insert(mark, said.is_some());
            }
            (2, Some(id)) => {
                let child = device.start(["--json", "sheet", "seal", &id, "--no-sign", "absent"]);
                moments.wait();
                if let Some(said) = self.end(child, moments) {
                    self.sealed.insert(id, text(&said["number"]));
                }
            }
            _ => {
                let problem = format!("problem={mark}");
                let mut args = vec!["--json", "sheet", "new", "repair", "--set", &problem];
                for pair in ["arrived=2026-11-20 09:00", "left=2026-11-20 10:00", "result=done"] {
                    args.extend(["--set", pair]);
                }
                let child = device.start(args);
                moments.wait();
                let said = self.end(child, moments);
                let id = said.map(|said| said["id"].clone());
                self.sheets.insert(mark, id);
            }
        }
    }

    fn end(&mut self, child: Child, moments: &mut Moments) -> Option<Value> {
        let (said, ended) = moments.kill(child);
        let answer: Option<Value> = serde_json::from_str(&said).ok();
        assert!(answer.is_some() || !ended, "it ended well and said {said:?}");
        self.cut_short += u32::from(answer.is_none());
        // What an earlier, killed command had saved unheard may be refused now: that acknowledges nothing.
        answer.filter(|answer| answer.get("error").is_none())
    }

    /// Asserts that the device holds all of it once, and nothing else than what a kill may have left whole.
    fn is_all_there(&self, device: &Device) {
        let listed = device.ask(["sheet", "list"]);
        let listed = listed.as_array().expect("a list");
        let mut found: BTreeMap<String, Value> = BTreeMap::new();
        for line in listed {
            let twice = found.insert(text(&line["title"]), line.clone());
            assert!(twice.is_none(), "twice: {line}");
        }
        for (mark, id) in &self.sheets {
            if let Some(id) = id {
                assert_eq!(found.get(mark).map(|line| &line["id"]), Some(id), "{mark}");
            }
        }
        assert!(found.keys().all(|mark| self.sheets.contains_key(mark)), "{found:?}");
        for (id, number) in &self.sealed {
            let line = listed.iter().find(|line| text(&line["id"]) == *id).expect("the sealed sheet");
            assert_eq!((text(&line["state"]), text(&line["number"])), ("sealed".into(), number.clone()));
        }
        let numbers: Vec<String> =
            listed.iter().map(|line| text(&line["number"])).filter(|n| !n.is_empty()).collect();
        assert_eq!(
            numbers.iter().collect::<BTreeSet<_>>().len(),
            numbers.len(),
            "a number twice: {numbers:?}"
        );
        assert!(numbers.iter().all(|number| !number.starts_with('T')), "numbers were suspended: {numbers:?}");
        let notes: Vec<String> = listed.iter().flat_map(|line| notes(device, &text(&line["id"]))).collect();
        for (note, acknowledged) in &self.notes {
            let times = notes.iter().filter(|text| *text == note).count();
            assert!(times <= 1 && times >= usize::from(*acknowledged), "{note}: {times} times");
        }
    }
}

fn notes(device: &Device, id: &str) -> Vec<String> {
    let shown = device.ask(["sheet", "show", id]);
    let rows = shown["lists"]["note"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| text(&row["text"])).collect()
}

/// Returns the epoch of an op id.
fn epoch_of(id: &Value) -> String {
    text(id).split('.').nth(1).expect("replica.epoch.seq").to_owned()
}

/// Asserts that nobody took a kill for a copy or a fork.
fn one_epoch_each(company: &Company, devices: &[&Device]) {
    let listed = company.hq.run(["--json", "device", "list"]).ended(0).json();
    for listed in listed.as_array().expect("a list") {
        assert_eq!(listed["copied"], false, "{listed}");
    }
    for device in devices {
        let report = device.sync();
        let none = Value::Array(Vec::new());
        assert_eq!((&report["forked"], &report["notices"]), (&none, &none), "{report}");
        let status = device.status();
        assert_eq!(status["numbers_suspended"], false, "{status}");
        let sheets = device.ask(["sheet", "list"]);
        let own = format!("{}.", status["replica"]);
        let ids = sheets.as_array().expect("a list").iter().map(|line| &line["id"]);
        let epochs: BTreeSet<String> = ids.filter(|id| text(id).starts_with(&own)).map(epoch_of).collect();
        assert!(epochs.len() <= 1, "{epochs:?}");
    }
}

#[test]
fn an_agent_killed_while_it_saves_keeps_all_that_it_acknowledged() {
    let company = Company::found();
    let device = company.device(LI);
    // The first one opens the epoch.
    let mut told = Acknowledged::default();
    let first = device.make(["sheet", "new", "repair", "--set", "problem=first"]);
    told.sheets.insert("first".to_owned(), Some(first.clone().into()));
    let mut moments = Moments::new("capture", || {
        device.ask(["sheet", "add", &first, "note", "how long it takes"]);
    });
    for round in 0..KILLS {
        told.capture(&device, round, &mut moments);
    }
    println!("capture: {} of {KILLS} were cut short, of {:?}", told.cut_short, moments.whole);
    assert!(told.cut_short > 0, "no kill hit anything");
    told.is_all_there(&device);
    device.sync();
    told.is_all_there(&device);
    let at_hq: Vec<String> = company.export("repair").iter().map(|row| text(&row["problem"])).collect();
    for (mark, id) in &told.sheets {
        let times = at_hq.iter().filter(|problem| *problem == mark).count();
        assert!(times <= 1 && times >= usize::from(id.is_some()), "{mark}: {times} times at headquarters");
    }
    company.is_level_with(&[&device]);
    one_epoch_each(&company, &[&device]);
}

#[test]
#[should_panic(expected = "never saved")]
fn the_check_misses_what_was_acknowledged_and_is_not_there() {
    let company = Company::found();
    let device = company.device(LI);
    let mut told = Acknowledged::default();
    told.sheets.insert("never saved".to_owned(), Some("7.7.7".into()));
    told.is_all_there(&device);
}

/// Imports that many new sheets in one command and returns their marks; all of them are acknowledged.
fn import(device: &Device, round: u32, sheets: u32) -> Vec<String> {
    let marks: Vec<String> = (0..sheets).map(|n| format!("{round}/{n}")).collect();
    let table = marks
        .iter()
        .fold("problem,work_done\n".to_owned(), |table, mark| table + mark + ",换密封圈，试运行正常\n");
    let file = device.file("sheets.csv", table.as_bytes());
    let done = device.ask(["import", &file, "--kind", "repair"]);
    assert_eq!(done["added"], sheets, "{done}");
    marks
}

/// Asserts that each mark stands once, at HQ and on the device.
fn each_once(company: &Company, device: &Device, marks: &[String]) {
    let count = |all: Vec<String>| {
        let mut counts = BTreeMap::new();
        for mark in all {
            *counts.entry(mark).or_insert(0) += 1;
        }
        counts
    };
    let expected: BTreeMap<String, i32> = marks.iter().map(|mark| (mark.clone(), 1)).collect();
    let at_hq = company.export("repair").iter().map(|row| text(&row["problem"])).collect();
    assert_eq!(count(at_hq), expected, "at headquarters");
    let listed = device.ask(["sheet", "list"]);
    let here = listed.as_array().expect("a list").iter().map(|line| text(&line["title"])).collect();
    assert_eq!(count(here), expected, "on the device");
}

#[test]
fn an_agent_killed_while_it_syncs_sends_everything_once() {
    let company = Company::found();
    let device = company.device(LI);
    let wang = company.device(WANG);
    wang.sync();
    let mut marks = import(&device, 0, 10);
    let mut moments = Moments::new("sync", || {
        device.sync();
    });
    let mut cut_short = 0;
    for round in 1..=KILLS {
        // Something goes both ways.
        marks.extend(import(&device, round, 10));
        if round % 10 == 0 {
            company.device(ZHAO);
        }
        let child = device.start(["--json", "sync"]);
        moments.wait();
        cut_short += u32::from(!moments.kill(child).1);
    }
    println!("sync: {cut_short} of {KILLS} were cut short, of {:?}", moments.whole);
    assert!(cut_short > 0, "no kill hit anything");
    let report = device.sync();
    assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    wang.sync();
    each_once(&company, &device, &marks);
    each_once(&company, &wang, &marks);
    company.is_level_with(&[&device, &wang]);
    one_epoch_each(&company, &[&device, &wang]);
}

#[test]
fn headquarters_killed_while_it_takes_in_loses_nothing_that_it_acknowledged() {
    let mut company = Company::found();
    let device = company.device(LI);
    let mut marks = import(&device, 0, 20);
    let mut moments = Moments::new("intake", || {
        device.sync();
    });
    let (mut acknowledged, mut cut_short) = (0, 0);
    for round in 1..=KILLS {
        marks.extend(import(&device, round, 20));
        let child = device.start(["--json", "sync"]);
        moments.wait();
        company.hq.kill();
        // What has an answer by now is all that this sync was promised.
        let (said, ended) = moments.kill(child);
        cut_short += u32::from(!ended);
        if ended {
            let report: Value = serde_json::from_str(&said).expect("a report");
            acknowledged += report["sent_ops"].as_u64().expect("a number");
        }
        company.hq.serve();
        assert!(company.doctor()["ops"].as_u64().expect("a number") >= acknowledged);
    }
    println!("intake: {cut_short} of {KILLS} were cut short, of {:?}", moments.whole);
    assert!(cut_short > 0, "no kill hit anything");
    let report = device.sync();
    assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    each_once(&company, &device, &marks);
    company.is_level_with(&[&device]);
    one_epoch_each(&company, &[&device]);
}

#[test]
fn an_enrolment_killed_at_any_moment_can_be_done_again() {
    let company = Company::found();
    let mut moments = Moments::new("enrol", || drop(company.device(LI)));
    for round in 0..KILLS / 2 {
        let code = company.hq.device_code(LI, &company.line.url());
        let device = Device::new();
        let child = device.start(["enrol", &code]);
        moments.wait();
        let (_, ended) = moments.kill(child);
        if device.run(["status"]).code != Some(0) {
            assert!(!ended, "round {round}: acknowledged and not there");
            device.run(["enrol", &code]).ended(0);
        }
        device.make(["sheet", "new", "repair"]);
        assert_eq!(device.sync()["level"], true);
    }
}
