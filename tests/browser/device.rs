//! The device's pages: no flow of anybody's, but every page in every width and language.

use serde_json::json;

use crate::audit::Face;
use crate::flow::{self, Flow};
use crate::page::{DESK, PHONE, Page, TABLET};
use crate::served::Served;
use crate::town::{ENGINEER, Town};

#[test]
fn every_page_of_a_device_stands_in_every_width_and_language() {
    let town = Town::found();
    let device = town.device(ENGINEER);
    let pages = Served::of(&device);
    let mut faults = Vec::new();
    for (width, lang) in [(PHONE, "zh-CN"), (PHONE, "en"), (TABLET, "zh-CN"), (DESK, "en")] {
        let mut flow = Flow::begin(pages.open(width, lang), Face::Device);
        assert_eq!(flow.page.manifest_faults(), json!([]));
        assert_eq!(flow.page.text_of("document.documentElement.lang"), lang);
        let wandered = flow::wander(&mut flow);
        println!("{width} px in {lang}: {}", wandered.seen.join(" "));
        faults.extend(wandered.faults);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The PIN of a device that is locked.
const PIN: &str = "k7-Perlach 9 Rosenheim";

#[test]
fn a_locked_device_shows_one_page_and_the_pin_leads_to_what_was_asked_for() {
    let town = Town::found();
    let device = town.device(ENGINEER);
    device.run_with(["pin", "set"], &format!("{PIN}\n")).ended(0);
    for (width, lang) in [(PHONE, "zh-CN"), (TABLET, "zh-TW"), (DESK, "en")] {
        // Locked at each start.
        device.run(["pin", "lock"]).ended(0);
        let pages = Served::of(&device);
        let mut flow = Flow::begin(pages.open(width, lang), Face::Device);
        flow.visit("/money");
        flow.type_into("[name=pin]", "not the PIN");
        flow.tap("button.first");
        flow.page.wait("document.querySelector('[name=pin]').value === ''");
        flow.type_into("[name=pin]", PIN);
        flow.tap("button.first");
        assert_eq!(flow.page.path(), "/money", "{}", flow.page.shown());
        assert!(!flow.page.shown().contains("fieldbook web"), "{}", flow.page.shown());
        flow.was_clean_but_shut();
    }
}

/// Any page without its photos, over the wire, with an empty cache.
const PAGE_BYTES_MAX: u64 = 150_000;

/// A first page, over the wire, with an empty cache.
const FIRST_PAGE_BYTES_MAX: u64 = 60_000;

#[test]
fn the_first_page_is_small_on_ten_thousand_records() {
    let town = Town::found();
    let device = town.device(ENGINEER);
    let row = |n: usize| {
        json!({ "id": format!("v{n}"), "tech": ENGINEER, "branch": "HZ", "cat": "长途交通费", "amt": 1_000 + n,
            "date": format!("2025-03-{:02}", 1 + n % 9), "vendor": "滴滴出行" })
    };
    let rows: String = (0..10_000).map(|n| format!("{}\n", row(n))).collect();
    let rows = device.file("vouchers.jsonl", rows.as_bytes());
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/workload-vouchers.toml");
    assert_eq!(device.ask(["import", &rows, "--map", mapping])["added"], 10_000);
    let pages = Served::of(&device);
    let mut page = pages.open(PHONE, "zh-CN");
    // The first of all opened the home.
    let first = took(&mut page, "/");
    assert!(first < FIRST_PAGE_BYTES_MAX, "{first} bytes");
    for path in PAGES {
        took(&mut page, path);
        took(&mut page, path);
    }
    let meal = ["voucher", "add", "--category", "meal", "--amount", "12.00", "--date", "2025-03-09"];
    device.ask(meal);
    took(&mut page, "/");
}

/// What a person opens most.
const PAGES: [&str; 6] = ["/money", "/vouchers", "/claims", "/sync", "/more", "/search?q=didi"];

/// Goes to a page, prints what it took, and returns its bytes.
fn took(page: &mut Page, path: &str) -> u64 {
    let origin = page.text_of("location.origin");
    page.go(&format!("{origin}{path}"));
    let took = page.eval("(({ requestStart, responseEnd }) => responseEnd - requestStart)(performance.getEntriesByType('navigation')[0])");
    let bytes = page.load.bytes;
    println!("{path} on 10,000 records: {bytes} bytes, {took} ms in this build");
    assert!(bytes < PAGE_BYTES_MAX, "{path}: {bytes} bytes");
    bytes
}
