//! `kill -9` a thousand times over: what was acknowledged is there once, on the device and at headquarters.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use fieldbook::clock::Clock;
use fieldbook::store::Store;
use fieldbook::sync::{self, Options};
use sync_protocol::enrolment::Enrolment;

use crate::company::{Company, LI, SUN, WANG, ZHAO, text};
use crate::dice::Dice;
use crate::tally::{Came, Tally, rounds, seed};
use crate::victim::{Victim, record};

/// Returns how often each record stands in a home, by its mark.
pub(crate) fn marks(store: &Store) -> BTreeMap<String, u32> {
    let mut marks = BTreeMap::new();
    store
        .each(None, &mut |document| {
            *marks.entry(fieldbook_hq::reading::text(&document, "problem")).or_insert(0) += 1;
            ControlFlow::Continue(())
        })
        .expect("a whole home");
    marks
}

/// What a device was told to be saved.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    /// Names what is not there once; a record whose word was cut off may be there or not.
    fn missing(&self, found: &BTreeMap<String, u32>) -> Vec<String> {
        let wrong = |mark: &&String| found.get(*mark) != Some(&1);
        let twice = found.iter().filter(|(mark, n)| !mark.is_empty() && **n > 1).map(|(mark, _)| mark);
        self.0.iter().filter(wrong).chain(twice).cloned().collect()
    }
}

/// Waits for a moment within `most`. The wait is what is tested here; nothing is waited for.
fn moment(dice: &mut Dice, most: Duration) {
    let micros = u64::try_from(most.as_micros()).expect("a short wait");
    std::thread::sleep(Duration::from_micros(dice.any() % micros));
}

fn now() -> fieldbook::clock::Now {
    Clock::system().now()
}

/// Makes a home in memory for the device of a code.
fn home(code: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = crate::memory::folder();
    let home = folder.path().join("home");
    let enrolment = Enrolment::from_code(code).expect("a code");
    let mut store = Store::create(&home, &enrolment, now()).expect("a new home");
    record(&mut store, "first");
    (folder, home)
}

/// Kills a victim once and takes what it had said.
fn round(deed: &str, home: &Path, n: u32, dice: &mut Dice, told: &mut Told) {
    let victim = Victim::start(deed, home, &format!("{deed} {n}"));
    moment(dice, Duration::from_millis(25));
    told.0.extend(victim.kill().into_iter().filter(|line| line != "rebuilt"));
}

#[test]
fn of_a_device_that_saves() {
    let company = Company::found();
    let (_folder, home) = home(&company.hq.device_code(LI, &company.line.url()));
    let (mut dice, mut told, mut tally) = (Dice::of(seed("kill capture")), Told::default(), Tally::default());
    for n in 0..rounds(400) {
        round("capture", &home, n, &mut dice, &mut told);
        tally.note(Came::Harmless);
        if n % 20 == 19 {
            let store = Store::open(&home, now()).expect("a home that opens");
            assert_eq!(told.missing(&marks(&store)), [""; 0], "round {n}");
        }
    }
    let store = Store::open(&home, now()).expect("a home that opens");
    assert_eq!(told.missing(&marks(&store)), [""; 0]);
    assert_eq!(store.doctor().expect("a doctor").faults, []);
    assert!(!store.numbers_suspended(), "a kill was taken for a copy");
    assert!(told.0.len() > 100, "{} records: no kill hit anything", told.0.len());
    tally.print("kill -9 of a device that saves");
}

#[test]
fn of_a_device_that_syncs() {
    let company = Company::found();
    let (_folder, home) = home(&company.hq.device_code(LI, &company.line.url()));
    let (mut dice, mut told, mut tally) = (Dice::of(seed("kill sync")), Told::default(), Tally::default());
    for n in 0..rounds(250) {
        round("sync", &home, n, &mut dice, &mut told);
        tally.note(Came::Harmless);
    }
    let mut store = Store::open(&home, now()).expect("a home that opens");
    sync::sync(&mut store, &Clock::system(), Options::default(), &mut |_| {}).expect("a sync");
    assert_eq!(told.missing(&marks(&store)), [""; 0]);
    assert_eq!(store.doctor().expect("a doctor").faults, []);
    assert_eq!(told.missing(&at_headquarters(&company)), [""; 0], "at headquarters");
    tally.print("kill -9 of a device that syncs");
}

#[test]
fn of_a_device_that_rebuilds() {
    let company = Company::found();
    let (_folder, home) = home(&company.hq.device_code(LI, &company.line.url()));
    let mut store = Store::open(&home, now()).expect("a home that opens");
    let told = Told((0..20).map(|n| format!("kept {n}")).collect());
    told.0.iter().for_each(|mark| record(&mut store, mark));
    drop(store);
    let (mut dice, mut tally) = (Dice::of(seed("kill rebuild")), Tally::default());
    for n in 0..rounds(200) {
        round("rebuild", &home, n, &mut dice, &mut Told::default());
        tally.note(Came::Harmless);
        let store = Store::open(&home, now()).expect("a home that opens");
        assert_eq!(told.missing(&marks(&store)), [""; 0], "round {n}");
        drop(store);
        // Each rebuild that got so far sets a database aside.
        let aside = home.join("quarantine");
        if aside.exists() {
            std::fs::remove_dir_all(aside).expect("a folder of the test");
        }
    }
    assert_eq!(Store::open(&home, now()).expect("a home that opens").doctor().expect("a doctor").faults, []);
    tally.print("kill -9 of a device that rebuilds");
}

fn at_headquarters(company: &Company) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for row in company.export("repair") {
        *found.entry(text(&row["problem"])).or_insert(0) += 1;
    }
    found
}

/// Several devices sync without a pause while headquarters is killed and served again.
#[test]
fn of_headquarters_under_load() {
    let mut company = Company::found();
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(AtomicU32::new(0));
    let devices: Vec<_> = [LI, ZHAO, SUN, WANG]
        .iter()
        .map(|staff| home(&company.hq.device_code(staff, &company.line.url())))
        .collect();
    let workers: Vec<_> = devices
        .iter()
        .enumerate()
        .map(|(at, (_, home))| {
            let (stop, acknowledged, home) = (Arc::clone(&stop), Arc::clone(&acknowledged), home.clone());
            std::thread::spawn(move || load(at, &home, &stop, &acknowledged))
        })
        .collect();
    let (mut dice, mut tally) = (Dice::of(seed("kill intake")), Tally::default());
    for _ in 0..rounds(150) {
        moment(&mut dice, Duration::from_millis(60));
        company.hq.kill();
        let known = acknowledged.load(Ordering::SeqCst);
        company.hq.serve();
        let held = company.doctor()["ops"].as_u64().expect("a number");
        assert!(remembers(held, known.into()), "{held} ops held, {known} acknowledged");
        tally.note(Came::Harmless);
    }
    stop.store(true, Ordering::SeqCst);
    let told = Told(workers.into_iter().flat_map(|worker| worker.join().expect("a device")).collect());
    for (_, home) in &devices {
        let mut store = Store::open(home, now()).expect("a home that opens");
        let report =
            sync::sync(&mut store, &Clock::system(), Options::default(), &mut |_| {}).expect("a sync");
        assert!(report.level && report.forked.is_empty(), "{report:?}");
        assert_eq!(store.doctor().expect("a doctor").faults, []);
    }
    assert!(told.0.len() > 20, "{} records: there was no load", told.0.len());
    assert_eq!(told.missing(&without_firsts(at_headquarters(&company))), [""; 0]);
    tally.print("kill -9 of headquarters under load");
}

/// Whether headquarters holds at least what it acknowledged.
pub(crate) fn remembers(held: u64, acknowledged: u64) -> bool {
    held >= acknowledged
}

/// Every device made one of that mark.
fn without_firsts(mut found: BTreeMap<String, u32>) -> BTreeMap<String, u32> {
    found.remove("first");
    found
}

/// Records and syncs until it is told to stop; returns the marks.
fn load(at: usize, home: &Path, stop: &AtomicBool, acknowledged: &AtomicU32) -> Vec<String> {
    let mut store = Store::open(home, now()).expect("a home that opens");
    let mut marks = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let mark = format!("device {at}, record {}", marks.len());
        record(&mut store, &mark);
        marks.push(mark);
        let options = Options { retries: 1, wait_ms: 1, ..Options::default() };
        if let Ok(report) = sync::sync(&mut store, &Clock::system(), options, &mut |_| {}) {
            let sent = u32::try_from(report.sent_ops).expect("a few ops");
            acknowledged.fetch_add(sent, Ordering::SeqCst);
        }
    }
    marks
}

/// A program that says saved before it has saved is caught.
#[test]
fn the_check_catches_one_that_speaks_too_soon() {
    let company = Company::found();
    let (_folder, home) = home(&company.hq.device_code(LI, &company.line.url()));
    let (mut dice, mut told) = (Dice::of(seed("boast")), Told::default());
    for n in 0..20 {
        round("boast", &home, n, &mut dice, &mut told);
    }
    let store = Store::open(&home, now()).expect("a home that opens");
    assert_ne!(told.missing(&marks(&store)), [""; 0], "nobody saw that it lied");
}
