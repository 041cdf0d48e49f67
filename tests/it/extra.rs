//! A batch beside the regular two: asked for with its reason, and sealed once the manager has said yes.

use crate::company::text;
use crate::keys::check;
use crate::money::{Play, submit};

#[test]
fn a_supplementary_batch_is_sealed_once_its_exception_is_approved() {
    let mut play = Play::found();
    let [mut zhao, mut wu] = ["S100", "G100"].map(|staff| play.device(staff));
    for device in [&mut zhao, &mut wu] {
        device.now = Some("2025-03-16T09:00:00+08:00".to_owned());
    }
    zhao.make(["voucher", "add", "--category", "phone", "--amount", "60.00", "--date", "2025-03-07"]);
    let claim = submit(&zhao);
    play.office("2025-03-16T12:00:00+08:00", &["tick"]);
    wu.sync();
    check("`review list`", &wu.ask(["review", "list"]), &["[].anomalies"]);
    let none = ["flags", "lines[].sheets", "findings", "anomalies", "lines[].vouchers"];
    check("`review show`", &wu.ask(["review", "show", &claim]), &none);
    let approved = wu.ask(["review", "approve", &claim, "--vouchers", "1"]);
    check("`review approve`", &approved, &["cuts", "next"]);
    wu.sync();
    zhao.sync();
    let told = zhao.run(["batch", "open", "2025-03-S"]).ended(1);
    assert!(told.stderr.contains("W-72"), "{}", told.stderr);
    let opened = zhao.ask(["batch", "open", "2025-03-S", "--reason", "the courier was on strike"]);
    assert_eq!(opened["number"], "HZ-202503-S1", "{opened}");
    let batch = text(&opened["code"]);
    check("`batch open`", &opened, &[]);
    check("`batch add`, `batch remove`", &zhao.ask(["batch", "add", "--all"]), &["left"]);
    check("`batch list`", &zhao.ask(["batch", "list"]), &[]);
    check("`batch show`", &zhao.ask(["batch", "show", &batch]), &["claims[].flags"]);
    let file = play.path("lists.csv");
    let listed = zhao.ask(["batch", "manifest", &batch, "--out", file.to_str().unwrap()]);
    check("`batch manifest`", &listed, &[]);
    let csv = std::fs::read_to_string(&file).unwrap();
    assert!(csv.contains(&claim) && csv.contains("60.00") && csv.contains("S100"), "{csv}");
    let book = play.path("lists.xlsx");
    zhao.run(["batch", "manifest", &batch, "--out", book.to_str().unwrap()]).ended(0);
    assert!(std::fs::read(&book).unwrap().starts_with(b"PK"));
    let told = zhao.run(["batch", "seal", &batch]).ended(1);
    assert!(told.stderr.contains("T-04"), "{}", told.stderr);
    zhao.sync();
    let now = "2025-03-17T09:00:00+08:00";
    let asked = play.office(now, &["exception", "list", "--state", "open"]);
    assert_eq!(
        (&asked[0]["kind"], &asked[0]["code"]),
        (&"extra_batch".into(), &opened["exception"]),
        "{asked}"
    );
    play.office(now, &["exception", "approve", &text(&opened["exception"]), "--as", "M001"]);
    zhao.sync();
    check("`batch seal`, `batch unseal`", &zhao.ask(["batch", "seal", &batch]), &[]);
    let sent = zhao.ask(["batch", "dispatch", &batch, "--waybill", "SF9"]);
    check("`batch dispatch`", &sent, &[]);
    zhao.sync();
    let received = play.office(now, &["batch", "receive", "HZ-202503-S1", "--as", "A001", "--all"]);
    assert_eq!(received["state"], "received", "{received}");
}
