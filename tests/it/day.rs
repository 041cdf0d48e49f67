//! A day on site: everything is recorded with headquarters out of reach, then sent in one request.

use serde_json::Value;

use crate::company::{Company, LI, WANG, text};
use crate::world::Device;

/// A sheet of each kind, as far as its seal needs it.
const SHEETS: [(&str, &[&str]); 3] = [
    ("install", &["customer=C002", "model=QF-12", "serial=JL-FZ-1", "result=done"]),
    ("repair", &["customer=C001", "problem=排气压力不足", "work_done=换密封圈", "result=done"]),
    ("inspection", &["customer=C001", "result=partly", "next_action=下月复查"]),
];

/// Records a finished sheet of that kind and returns its id and its number.
fn finish_sheet(device: &Device, kind: &str, fields: &[&str], picture: &str) -> (String, String) {
    let mut args = vec!["sheet", "new", kind];
    let visit = ["arrived=2026-11-20 09:00", "left=2026-11-20 10:30"];
    for pair in visit.iter().chain(fields) {
        args.extend(["--set", pair]);
    }
    let id = device.make(args);
    device.ask(["sheet", "add", &id, "photo", picture]);
    device.ask(["sheet", "add", &id, "note", "门卫登记"]);
    device.ask(["sheet", "add", &id, "part", "密封圈", "2"]);
    let sealed = device.ask(["sheet", "seal", &id, "--signed-by", "马建华", "--signature", picture]);
    assert_eq!(sealed["state"], "sealed");
    (id, text(&sealed["number"]))
}

#[test]
fn a_day_recorded_with_hq_down_arrives_whole_and_everybody_holds_the_same() {
    let mut company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    company.hq.kill();

    let li = Device::enrol(&code);
    let picture = li.file("signature.png", b"\x89PNG\r\n\x1a\n a signature");
    let sheets: Vec<(String, String)> =
        SHEETS.iter().map(|(kind, fields)| finish_sheet(&li, kind, fields, &picture)).collect();
    let (repair, _) = &sheets[1];
    let voucher = li.make([
        "voucher",
        "add",
        "--category",
        "city_transport",
        "--amount",
        "35.00",
        "--date",
        "2026-11-20",
        "--sheet",
        repair,
    ]);

    let before = li.status();
    assert_eq!(before["unsent_ops"], before["ops"], "{before}");
    assert!(before["oldest_unsent"].is_string() && before["last_sync"].is_null(), "{before}");
    assert_eq!(before["files"]["here_only"], 1, "{before}");
    li.run(["sync"]).ended(3);
    assert_eq!(li.status()["unsent_ops"], before["unsent_ops"]);

    company.hq.serve();
    let report = li.sync();
    // The records, and then the one signature that they name.
    assert_eq!(report["requests"], 2, "{report}");
    assert_eq!(report["sent_ops"], before["unsent_ops"], "{report}");
    assert_eq!(report["verdicts"]["accepted"], before["unsent_ops"], "{report}");
    assert_eq!(report["level"], true, "{report}");
    let after = li.status();
    assert_eq!(after["unsent_ops"], 0, "{after}");
    assert!(after["oldest_unsent"].is_null() && after["last_sync"].is_string(), "{after}");
    assert_eq!(after["files"]["here_only"], 0, "{after}");

    let wang = company.device(WANG);
    let report = wang.sync();
    assert_eq!((&report["requests"], &report["level"]), (&1.into(), &true.into()), "{report}");
    // The supervisor's new device is news for everybody.
    assert_eq!(li.sync()["level"], true);
    company.is_level_with(&[&li, &wang]);
    for (id, _) in &sheets {
        let [mut seen, mut hers] = [&li, &wang].map(|device| device.ask(["sheet", "show", id]));
        // Which of its files lie on the device, and which it knows to be at HQ, is each device's own matter.
        for sheet in [&mut seen, &mut hers] {
            sheet.as_object_mut().expect("a sheet").remove("files");
        }
        assert_eq!(seen, hers);
    }
    assert_eq!(li.ask(["voucher", "show", &voucher]), wang.ask(["voucher", "show", &voucher]));

    for ((kind, _), (id, number)) in SHEETS.iter().zip(&sheets) {
        let rows = company.export(kind);
        let [row] = rows.as_slice() else { panic!("one {kind}, not {rows:?}") };
        let [got_id, got_number, state] = ["id", "sheet_no", "state"].map(|key| text(&row[key]));
        assert_eq!((&got_id, &got_number, state.as_str()), (id, number, "sealed"));
    }
    let vouchers = company.export("voucher");
    assert_eq!(vouchers.len(), 1);
    assert_eq!(text(&vouchers[0]["id"]), voucher);
}

#[test]
fn jobs_reach_the_one_they_are_given_to_and_what_he_does_with_them_goes_back() {
    let company = Company::found();
    let (li, sun, wang) = (company.device(LI), company.device("T201"), company.device(WANG));
    for device in [&li, &sun, &wang] {
        device.sync();
    }
    let jobs = li.ask(["job", "list"]);
    let [job] = jobs.as_array().map(Vec::as_slice).unwrap_or_default() else {
        panic!("one job of his own, not {jobs}")
    };
    let id = text(&job["id"]);
    li.ask(["job", "accept", &id]);
    let sheet = li.make(["sheet", "new", "repair", "--job", &id]);
    let shown = li.ask(["sheet", "show", &sheet]);
    assert!(shown["fields"]["work_order"].to_string().contains(&id), "{shown}");
    li.sync();
    wang.sync();
    sun.sync();
    assert_eq!(wang.ask(["job", "show", &id])["state"], "accepted");
    let others = sun.ask(["job", "list"]);
    let ids: Vec<&Value> = others.as_array().expect("a list").iter().map(|job| &job["id"]).collect();
    assert_eq!(ids.len(), 1, "{others}");
    assert!(!ids.contains(&&Value::from(id)), "{others}");
    company.is_level_with(&[&li, &sun, &wang]);
}

#[test]
fn forty_records_without_photos_are_one_request_and_nothing_to_say_is_one_too() {
    let company = Company::found();
    let li = company.device(LI);
    li.sync();
    for day in 1..=40 {
        let amount = format!("{day}.00");
        let add = ["voucher", "add", "--category", "city_transport", "--date", "2026-11-20", "--amount"];
        li.make(add.into_iter().chain([amount.as_str()]));
    }
    let report = li.sync();
    let found = (&report["requests"], &report["sent_ops"], &report["level"]);
    assert_eq!(found, (&1.into(), &40.into(), &true.into()), "{report}");
    assert_eq!(li.sync()["requests"], 1);
    company.is_level_with(&[&li]);
}
