//! What is asked back on a claim's way, and answered on the device: sent back, looked at by a delegate, a question of the
//! auditor's, a penalty appealed against; and the paper that headquarters prints.

use serde_json::Value;

use crate::company::text;
use crate::keys::check;
use crate::money::{Play, submit};
use crate::world::Device;

/// The font of the tests.
const FONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/papers/fonts/NotoSansCJKsc-GB2312.otf");

/// A claim of two lines.
const CLAIM: &str = "HZC-T012-2025-0001";

/// The supervisor sends the claim back once, with a cut, an alarm and the paper in his hand; it comes again.
fn sent_back(zhao: &Device, wang: &Device) {
    for (category, amount, date) in
        [("phone", "60.00", "2025-03-07"), ("other_service", "88.00", "2025-03-05")]
    {
        wang.make(["voucher", "add", "--category", category, "--amount", amount, "--date", date]);
    }
    assert_eq!(submit(wang), CLAIM);
    zhao.sync();
    let paper = zhao.ask(["review", "paper", CLAIM]);
    check("`review paper`", &paper, &[]);
    let cut = ["review", "cut", CLAIM, "--line", "1", "--to", "50.00", "--reason", "unreasonable"];
    check("`review cut`", &zhao.ask(cut), &[]);
    let alarm = zhao.ask(["review", "alarm", CLAIM, "--line", "2", "--note", "the shop closed years ago"]);
    check("`review alarm`", &alarm, &[]);
    let back =
        ["review", "return", CLAIM, "--line", "2", "--reason", "short_voucher", "--note", "and its receipt?"];
    check("`review return`, `review reopen`, and `review approve` of a trip summary", &zhao.ask(back), &[]);
    zhao.sync();
    wang.sync();
    let returned = wang.ask(["claim", "show", CLAIM]);
    assert_eq!((&returned["state"], &returned["returns"][0]["line"]), (&"returned".into(), &2.into()));
    wang.ask(["claim", "submit", CLAIM]);
    wang.sync();
}

/// An engineer stands in for his supervisor; what nobody asked him to decide he does not even see.
fn stood_in_for(play: &mut Play, liu: &Device) {
    let approve = ["review", "approve", CLAIM, "--vouchers", "2", "--ack", "manual", "--for", "S100"];
    liu.sync();
    liu.run(approve).ended(1);
    // The server's own clock stands at the first of March.
    let rows = "from,to,valid_from,valid_to,reason\nS100,T006,2025-03-01,2025-03-31,leave\n";
    let file = play.hq.file("delegation.csv", rows);
    play.office("2025-03-16T12:00:00+08:00", &["delegation", "import", file.to_str().unwrap()]);
    liu.sync();
    let waiting = liu.ask(["review", "list"]);
    let [one] = waiting.as_array().unwrap().as_slice() else { panic!("{waiting:#}") };
    assert!(one["number"] == CLAIM && one["for"].is_string(), "{waiting:#}");
    liu.run(["review", "approve", CLAIM, "--vouchers", "2", "--ack", "manual"]).ended(1);
    liu.ask(approve);
    assert_eq!(liu.sync()["new_quarantine"], 0);
    let shown = play.office("2025-03-16T12:00:00+08:00", &["claim", "show", CLAIM]);
    let said = &shown["approvals"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&shown["state"], &said["by"]["code"], &said["for"]["code"]),
        (&"sup_approved".into(), &"T006".into(), &"S100".into()),
        "{shown:#}"
    );
}

/// The mailing goes with a number explained that is not in it.
fn sent(play: &mut Play, zhao: &mut Device, wu: &Device) {
    wu.sync();
    wu.ask(["review", "approve", CLAIM, "--vouchers", "2", "--ack", "manual"]);
    wu.sync();
    zhao.now = Some("2025-03-17T10:00:00+08:00".to_owned());
    zhao.sync();
    let batch = text(&zhao.ask(["batch", "open", "2025-03-B"])["code"]);
    zhao.ask(["batch", "add", "--all"]);
    let explained = zhao.ask(["batch", "explain", "HZC-T012-2025-0002", "--why", "spoilt form"]);
    check("`batch explain`", &explained, &[]);
    zhao.ask(["batch", "seal", &batch]);
    zhao.ask(["batch", "dispatch", &batch, "--waybill", "SF1"]);
    zhao.sync();
    let received = ["batch", "receive", "HZ-202503-B", "--as", "A001", "--all"];
    let received = play.office("2025-03-20T10:00:00+08:00", &received);
    assert_eq!(received["state"], "received", "{received}");
}

#[test]
fn what_the_office_asks_is_answered_on_the_device_and_its_papers_are_printed() {
    let mut play = Play::found();
    let [mut liu, mut wang, mut zhao, mut wu] =
        ["T006", "T012", "S100", "G100"].map(|staff| play.device(staff));
    for device in [&mut liu, &mut wang, &mut zhao, &mut wu] {
        device.now = Some("2025-03-16T09:00:00+08:00".to_owned());
    }
    sent_back(&zhao, &wang);
    stood_in_for(&mut play, &liu);
    sent(&mut play, &mut zhao, &wu);

    // The auditor's question stops his clock until the claimant has answered.
    let now = "2025-03-21T10:00:00+08:00";
    let asked = play.office(now, &["audit", "ask", CLAIM, "Who was called?", "--as", "A001"]);
    assert_eq!(
        (&asked["state"], &asked["waits_for"]),
        (&"info_requested".into(), &"branch".into()),
        "{asked}"
    );
    wang.now = Some("2025-03-22T10:00:00+08:00".to_owned());
    wang.sync();
    check("`sheet set`", &wang.ask(["claim", "answer", CLAIM, "The customer's night desk"]), &[]);
    wang.sync();
    let shown = play.office(now, &["claim", "show", CLAIM]);
    let answer = &shown["questions"][1];
    assert_eq!(
        (&shown["state"], &answer["answer"], &answer["text"], &answer["by"]["code"]),
        (&"received".into(), &true.into(), &"The customer's night desk".into(), &"T012".into()),
        "{shown:#}"
    );

    let out = play.path("claim.pdf");
    let file = out.to_str().unwrap();
    let printed = play.office(now, &["print", CLAIM, "--out", file, "--font", FONT]);
    check("`sheet print`", &printed, &[]);
    let paper = std::fs::read(&out).unwrap();
    assert!(paper.starts_with(b"%PDF-1.7") && printed["bytes"] == paper.len(), "{printed}");
    let own = play.path("own.pdf");
    let own = wang.ask(["claim", "print", CLAIM, "--out", own.to_str().unwrap(), "--font", FONT]);
    check("`sheet print`", &own, &[]);

    appealed(&mut play, &wang);
}

/// A penalty that the manager confirmed is appealed against by whom it hits, and the manager lets him off.
fn appealed(play: &mut Play, wang: &Device) {
    let now = "2025-03-24T10:00:00+08:00";
    let propose =
        ["case", "propose", CLAIM, "--kind", "non_compliant", "--line", "2", "--evidence", "no receipt"];
    let case = text(&play.office(now, &[&propose[..], &["--as", "A001"]].concat())["code"]);
    play.office(now, &["case", "confirm", &case, "--as", "M001"]);
    wang.sync();
    let cases = wang.ask(["case", "list"]);
    let known: Vec<(&Value, &Value)> =
        cases.as_array().unwrap().iter().map(|case| (&case["code"], &case["state"])).collect();
    assert_eq!(known, [(&case.as_str().into(), &"confirmed".into())], "{cases:#}");
    check("`sheet set`", &wang.ask(["case", "appeal", &case, "--reason", "it was in the envelope"]), &[]);
    assert_eq!(wang.sync()["new_quarantine"], 0);
    assert_eq!(play.office(now, &["case", "show", &case])["state"], "appealed");
    let waived = play.office(now, &["case", "waive", &case, "--reason", "it was", "--as", "M001"]);
    assert_eq!(waived["state"], "waived", "{waived}");
    wang.sync();
    assert_eq!(wang.ask(["case", "show", &case])["state"], "waived");
}
