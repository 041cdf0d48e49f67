//! Jobs and sheets as a person taps through them.

use crate::cli::testing::Device;
use crate::clock::Now;
use crate::notebook::add::Entry;
use crate::notebook::create::{Create, create};
use crate::notebook::pair::Pair;
use crate::store::Store;
use crate::store::testing::NOW;
use crate::web::testing::Browser;
use records::schema::Kind;

/// A picture of one pixel: the shortest that browsers send.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\x0aIDATx\x9cc\xf8\x0f\0\x01\x01\x01\0\x1b\xb6\xee\x56\0\0\0\0IEND\xaeB`\x82";

/// Makes a record on the device and returns its id.
fn made(device: &Device, kind: &'static Kind, pairs: &[(&str, &str)], entries: &[(&str, &[&str])]) -> String {
    let mut store = Store::open(&device.dir.path().join("home"), NOW).unwrap();
    let pairs = pairs.iter().map(|(name, value)| Pair::new(*name, *value)).collect();
    let entry = |(list, words): &(&str, &[&str])| Entry {
        list: (*list).to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        files: Vec::new(),
    };
    let request = Create { kind, job: None, pairs, entries: entries.iter().map(entry).collect() };
    create(&mut store, &request, Now { ..NOW }).unwrap().id.to_string()
}

fn sheet_of(place: &str) -> String {
    place.strip_prefix("/sheets/").unwrap().split(['?', '/', '#']).next().unwrap().to_owned()
}

#[test]
fn from_an_assigned_job_to_the_seal_by_taps() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let pairs = [
        ("instructions", "pump drips"),
        ("customer", "示例<script>医院"),
        ("type", "repair"),
        ("assignee", "T006"),
    ];
    let job = made(&device, &records::kinds::job::JOB, &pairs, &[]);
    let first = browser.get("/");
    assert!(first.contains(&format!("href=\"/jobs/{job}\"")), "{first}");
    assert!(first.contains("示例&lt;script&gt;医院") && !first.contains("<script>医"));
    assert!(browser.get(&format!("/jobs/{job}")).contains("id=\"arrived\""));
    let opened = browser.send(&format!("/jobs/{job}/arrived"), &[]);
    let sheet = sheet_of(&opened);
    let page = browser.get(&opened);
    assert!(page.contains("示例&lt;script&gt;医院") && page.contains("id=\"finish-done\""), "{page}");
    // The checklist: one tap, and the page comes back at the next item.
    let next =
        browser.send(&format!("/sheets/{sheet}/answer"), &[("answer", "yes made_safe"), ("back", "sheet")]);
    assert_eq!(next, format!("/sheets/{sheet}#item-2"));
    browser.send_with(
        &format!("/sheets/{sheet}/photos"),
        &[("kind", "before")],
        &[("photo", "a.png", PNG), ("photo", "b.png", PNG)],
    );
    browser.send(&format!("/sheets/{sheet}/add/part"), &[("set.part", "seal kit"), ("set.qty", "2")]);
    browser.send(
        &format!("/sheets/{sheet}/set"),
        &[("topic", "work"), ("was.work_done", ""), ("set.work_done", "new seal")],
    );
    let refused = browser
        .refused(&format!("/sheets/{sheet}/finish"), &[("result", "done"), ("left", "2026-11-22T09:30")]);
    assert!(refused.contains("S-07"), "{refused}");
    let form = [
        ("result", "done"),
        ("left", "2026-11-22T09:30"),
        ("signer", "王主任"),
        ("rating", "5"),
        ("no_sign", ""),
    ];
    browser.send_with(&format!("/sheets/{sheet}/finish"), &form, &[("signature", "signature.png", PNG)]);
    let sealed = browser.get(&format!("/sheets/{sheet}"));
    assert!(
        sealed.contains("id=\"number\"") && sealed.contains("seal kit") && sealed.contains("new seal"),
        "{sealed}"
    );
    let history = browser.get(&format!("/sheets/{sheet}/history"));
    assert!(history.contains("new seal") && history.contains("李工"), "{history}");
}

#[test]
fn an_unplanned_job_is_two_taps_after_the_scan() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let pairs = [("serial", "SN-7"), ("model", "CR-5"), ("site", "库房")];
    made(&device, &records::kinds::asset::ASSET, &pairs, &[("barcode", &["690123"])]);
    let found = browser.get("/sheets/new?asset=690123");
    assert!(
        found.contains("CR-5") && found.contains("库房") && found.contains("id=\"begin-repair\""),
        "{found}"
    );
    let opened = browser.send("/sheets/new", &[("asset", "690123"), ("kind", "repair")]);
    assert!(browser.get(&opened).contains("CR-5"));
    assert!(browser.get("/sheets/new?asset=%3Cb%3E").contains("&lt;b&gt;"));
}

#[test]
fn a_round_goes_from_item_to_item_a_fault_adds_two_taps_and_one_seals() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let opened = browser.send("/sheets/new", &[("asset", ""), ("kind", "inspection")]);
    let sheet = sheet_of(&opened);
    let round = format!("/sheets/{sheet}/round");
    assert!(browser.get(&round).contains("value=\"ok appearance\""));
    let tap = |answer: &str| {
        browser.send(&format!("/sheets/{sheet}/answer"), &[("answer", answer), ("back", "round")])
    };
    assert_eq!(tap("ok appearance"), format!("{round}#item-2"));
    let fault = tap("fault leaks");
    assert_eq!(fault, format!("/sheets/{sheet}/fault?item=leaks"));
    let photos = format!("/sheets/{sheet}/photos");
    let again =
        browser.send_with(&photos, &[("item", "leaks"), ("back", "fault")], &[("photo", "a.png", PNG)]);
    assert_eq!(again, fault);
    let on = browser
        .send(&format!("/sheets/{sheet}/fault"), &[("item", "leaks"), ("note", "drips"), ("do", "ticket")]);
    assert_eq!(on, format!("{round}#item-3"));
    for item in ["temperature", "earthing", "fasteners"] {
        tap(&format!("ok {item}"));
    }
    assert_eq!(tap("yes cleaned"), format!("{round}#end"));
    let sealed = browser.send(
        &format!("/sheets/{sheet}/finish"),
        &[("result", "done"), ("left", "2026-11-22T09:30"), ("no_sign", "unmanned_site")],
    );
    assert_eq!(sealed, format!("/sheets/{sheet}?done=sealed"));
    let page = browser.get(&sealed);
    assert!(page.contains("drips") && page.contains("id=\"number\""), "{page}");
}

#[test]
fn what_was_typed_stays_where_it_is_refused_and_nothing_else_changes() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let code = device.ready();
    let page = browser.refused(
        &format!("/sheets/{code}/set"),
        &[
            ("topic", "machine"),
            ("was.age", ""),
            ("set.age", "old <b>"),
            ("was.brand", ""),
            ("set.brand", "Ab"),
        ],
    );
    assert!(
        page.contains("W-02") && page.contains("value=\"old &lt;b&gt;\"") && page.contains("value=\"Ab\""),
        "{page}"
    );
    assert!(!browser.get(&format!("/sheets/{code}")).contains("value=\"Ab\""));
}

#[test]
fn a_sealed_sheet_is_corrected_with_a_reason_and_a_draft_is_thrown_away() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let code = device.ready();
    device.done(&["sheet", "seal", &code, "--no-sign", "absent"]);
    let asked = browser.refused(&format!("/sheets/{code}/amend"), &[("reason", "")]);
    assert!(asked.contains("W-11"), "{asked}");
    let draft = sheet_of(&browser.send(&format!("/sheets/{code}/amend"), &[("reason", "wrong part")]));
    assert!(browser.get(&format!("/sheets/{draft}")).contains("id=\"void\""));
    browser.send(&format!("/sheets/{draft}/void"), &[("reason", "")]);
    let list = browser.get("/sheets?state=void");
    assert!(list.contains(&draft) && !list.contains(&format!("{code}/")), "{list}");
}

#[test]
fn whoever_leaves_in_the_minute_he_came_leaves_after_he_came() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let code = device.ready();
    device.done(&["sheet", "set", &code, "arrived=2026-11-22T09:30:40+08:00"]);
    let fields = [("result", "done"), ("left", "2026-11-22T09:30"), ("no_sign", "absent")];
    let sealed = browser.send(&format!("/sheets/{code}/finish"), &fields);
    assert_eq!(sealed, format!("/sheets/{code}?done=sealed"));
}

#[test]
fn a_signature_that_was_drawn_is_not_asked_for_again() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let code = device.ready();
    let at = format!("/sheets/{code}/finish");
    let nobody = [("result", "done"), ("left", "2026-11-22T09:30"), ("signer", ""), ("no_sign", "")];
    let refused = browser.refused_with(&at, &nobody, &[("signature", "signature.png", PNG)]);
    let kept =
        refused.split("name=\"kept\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let shown = browser.answer(&pages::visit::Visit::to(&format!("/kept/{kept}/0")));
    assert_eq!(shown.status, 200);
    let somebody = [("kept", kept), ("result", "done"), ("left", "2026-11-22T09:30"), ("signer", "王主任")];
    assert_eq!(browser.send(&at, &somebody), format!("/sheets/{code}?done=sealed"));
    assert!(device.done(&["sheet", "show", &code]).contains("王主任"));
}

#[test]
fn a_record_that_is_not_here_is_not_found() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let code = device.ready();
    // No code has an O or a U; the beginning of one finds its record.
    for address in [
        "/sheets/7.1.999",
        "/vouchers/NOSUCH",
        "/claims/NOSUCH",
        "/review/NOSUCH",
        "/batches/NOSUCH",
        "/history/NOSUCH",
    ] {
        assert_eq!(browser.answer(&pages::visit::Visit::to(address)).status, 404, "{address}");
    }
    let other_kind = browser.answer(&pages::visit::Visit::to(&format!("/vouchers/{code}")));
    assert_eq!(other_kind.status, 404);
}

#[test]
fn the_list_shows_fifty_and_leads_on() {
    let device = Device::new();
    let browser = Browser::of(&device);
    for n in 0..52 {
        let product = format!("P{n}");
        made(&device, &records::kinds::repair::REPAIR, &[("product", &product)], &[]);
    }
    let rows = |page: &str| page.matches("class=\"row\"").count();
    let first = browser.get("/sheets?kind=repair");
    assert!(rows(&first) == 50 && first.contains("?kind=repair&amp;from=50"), "{first}");
    assert_eq!(rows(&browser.get("/sheets?kind=repair&from=50")), 2);
    assert!(first.len() < 60_000 && browser.get("/").len() < 60_000, "{}", first.len());
}

#[test]
fn search_leads_to_the_page_of_each_kind() {
    let device = Device::new();
    let browser = Browser::of(&device);
    let sheet = made(&device, &records::kinds::repair::REPAIR, &[("problem", "水泵漏水")], &[]);
    let asset = made(&device, &records::kinds::asset::ASSET, &[("serial", "SN-9"), ("model", "水泵 9")], &[]);
    let found = browser.get("/search?q=%E6%B0%B4%E6%B3%B5");
    assert!(
        found.contains(&format!("/sheets/{sheet}")) && found.contains(&format!("/records/{asset}")),
        "{found}"
    );
    assert!(browser.get(&format!("/records/{asset}")).contains("SN-9"));
    assert!(browser.get("/search?q=%3Cscript%3E").contains("&lt;script&gt;"));
}
