//! A home as a whole: enrolled, filled, listed, rebuilt.

use sync_protocol::enrolment::Enrolment;

use crate::cli::testing::{Device, enrolment};

#[test]
fn a_home_is_enrolled_once_and_only_with_a_whole_fresh_code() {
    let device = Device::empty();
    assert_eq!(device.run(&["status"]).exit, 1);
    let code = enrolment(7).to_code();
    let cut = device.run(&["enrol", &code[..code.len() - 8]]);
    assert_eq!(cut.exit, 1);
    assert!(cut.err.contains("cut short"), "{}", cut.err);
    let old = Enrolment { expires_ms: 1, ..enrolment(7) };
    assert!(device.run(&["enrol", &old.to_code()]).err.contains("[W-17]"));
    assert!(!device.dir.path().join("home").exists());
    let file = device.dir.path().join("code.txt");
    std::fs::write(&file, format!("{code}\n")).unwrap();
    let answer = device.json(&["enrol", "--file", file.to_str().unwrap()]);
    assert_eq!(answer["staff"]["name"], "李工");
    assert!(device.run(&["enrol", &code]).err.contains("[W-16]"));
}

#[test]
fn an_import_takes_the_good_rows_once_and_names_the_bad_ones() {
    let device = Device::new();
    let file = device.dir.path().join("sheets.csv");
    let rows =
        "product,arrived,charge\nPump,2026-11-20 08:00,12.50\nFan,31/02,3\nFan,2026-11-20 08:00,1.234\n";
    std::fs::write(&file, rows).unwrap();
    let import = ["import", file.to_str().unwrap(), "--kind", "repair"];
    let answer = device.json(&import);
    assert_eq!((&answer["read"], &answer["added"], &answer["already"]), (&3.into(), &1.into(), &0.into()));
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.iter().map(|bad| &bad["line"]).collect::<Vec<_>>(), [3, 4]);
    assert_eq!((&refused[0]["field"], &refused[1]["value"]), (&"arrived".into(), &"1.234".into()));
    assert_eq!(device.run(&import).exit, 1);
    assert_eq!(device.json(&import)["already"], 1);
    assert_eq!(device.json(&["search", "ＰＵＭＰ"]).as_array().unwrap().len(), 1);
    assert_eq!(device.json(&["search", "pump", "--kind", "voucher"]).as_array().unwrap().len(), 0);
    let csv = device.done(&["export", "--kind", "repair"]);
    assert!(csv.lines().count() == 2 && csv.contains("12.50"), "{csv}");
    let out = device.dir.path().join("out.xlsx");
    device.done(&["export", "--kind", "repair", "--format", "xlsx", "--out", out.to_str().unwrap()]);
    assert!(std::fs::metadata(&out).unwrap().len() > 1000);
}

#[test]
fn without_conflicts_and_refusals_the_lists_are_empty() {
    let device = Device::new();
    device.ready();
    let words = ["conflict", "list"];
    assert_eq!(device.json(&words), serde_json::json!([]));
    assert_eq!(device.json(&["quarantine", "list"]), serde_json::json!([]));
    assert_eq!(device.run(&["conflict", "settle", "ZZ", "--take", "x"]).exit, 2);
    assert_eq!(device.run(&["quarantine", "resubmit", "7.1.1"]).exit, 1);
    assert_eq!(device.json(&["status"])["unsent_ops"], 1);
}

#[test]
fn a_rebuilt_home_shows_what_it_showed() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "seal", &code, "--no-sign", "absent"]);
    let before = device.json(&["sheet", "show", &code]);
    let well = device.run(&["doctor"]);
    assert_eq!(well.exit, 0, "{}{}", well.out, well.err);
    assert_eq!(device.json(&["rebuild"])["documents"], 1);
    assert_eq!(device.json(&["sheet", "show", &code]), before);
    assert_eq!(device.json(&["doctor"])["views_ok"], true);
    let next = device.ready();
    let sealed = device.json(&["sheet", "seal", &next, "--no-sign", "absent"]);
    assert_eq!(sealed["number"], "RHZ01-T006-2611-002", "a number is never given twice");
}

#[test]
fn an_export_and_a_search_take_the_records_of_a_state_and_a_time() {
    let device = Device::new();
    let sealed = device.ready();
    device.done(&["sheet", "seal", &sealed, "--no-sign", "absent"]);
    device.ready();
    let lines = |words: &[&str]| {
        let all = ["export", "--kind", "repair", "--format", "jsonl"];
        device.done(&[&all, words].concat()).lines().count()
    };
    assert_eq!(lines(&[]), 2);
    assert_eq!(lines(&["--state", "sealed"]), 1);
    assert_eq!(lines(&["--since", "2026-11-22", "--limit", "1"]), 1);
    assert_eq!(lines(&["--until", "2026-11-21"]), 0);
    let found = |words: &[&str]| {
        let found = device.json(&[&["search", "pump"], words].concat());
        found.as_array().unwrap().len()
    };
    assert_eq!((found(&[]), found(&["--state", "draft"])), (2, 1));
    assert_eq!(found(&["--until", "2026-11-21"]), 0);
    let wrong = device.run(&["export", "--kind", "repair", "--state", "open"]);
    assert_eq!(wrong.exit, 2, "{}", wrong.err);
}
