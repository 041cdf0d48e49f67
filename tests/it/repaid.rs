//! HQ comes back from a backup that is older than a payment: nothing is paid twice, and nothing is told twice.

use serde_json::Value;

use crate::company::text;
use crate::money::{Play, submit};
use crate::world::Device;

const CLAIM: &str = "HZC-S100-2025-0001";

impl Play {
    /// Loses HQ with all its data, and serves one made again from a backup.
    #[track_caller]
    fn lose_and_restore(&mut self, backup: &str) {
        self.hq.kill();
        self.hq.lose();
        self.hq.run(["restore", backup]).ended(0);
        self.hq.serve();
    }

    #[track_caller]
    fn state(&mut self, now: &str) -> Value {
        self.office(now, &["claim", "show", CLAIM])["state"].clone()
    }

    /// Takes a batch from its approval to the bank's answer; returns how many payments its file held.
    #[track_caller]
    fn pays(&mut self, now: &str, no: &str) -> Value {
        let file = self.path(&format!("{no}.csv"));
        self.office(now, &["pay", "approve", no, "--as", "F002"]);
        let out = file.to_str().unwrap();
        let exported = self.office(now, &["pay", "export", no, "--as", "F001", "--out", out]);
        self.office(now, &["pay", "confirm", no, "--as", "F001"]);
        exported["n_payments"].clone()
    }
}

/// A supervisor's own claim of three round sums, through every hand to finance; the GM's review brings the alert of
/// the round sums onto his device.
fn with_finance(play: &mut Play, zhao: &mut Device, wu: &mut Device) {
    for amount in ["50.00", "100.00", "150.00"] {
        let what =
            ["voucher", "add", "--category", "other_service", "--amount", amount, "--date", "2025-03-05"];
        zhao.make(what);
    }
    assert_eq!(submit(zhao), CLAIM);
    play.office("2025-03-16T12:00:00+08:00", &["tick"]);
    wu.sync();
    wu.ask(["review", "approve", CLAIM, "--vouchers", "3", "--ack", "A6"]);
    for device in [&*wu, zhao] {
        device.sync();
    }
    zhao.now = Some("2025-03-17T10:00:00+08:00".to_owned());
    let batch = text(&zhao.ask(["batch", "open", "2025-03-B"])["code"]);
    zhao.ask(["batch", "add", "--all"]);
    zhao.ask(["batch", "seal", &batch]);
    zhao.ask(["batch", "dispatch", &batch, "--waybill", "SF1"]);
    zhao.sync();
    play.office("2025-03-20T10:00:00+08:00", &["batch", "receive", "HZ-202503-B", "--as", "A001", "--all"]);
    let now = "2025-03-24T10:00:00+08:00";
    play.office(now, &["audit", "done", CLAIM, "--ack", "A6", "--as", "A001"]);
    play.office(now, &["approve", CLAIM, "--ack", "A6", "--as", "M001"]);
    play.office(now, &["audit", "hand-over", "--ready", "--as", "A001"]);
    play.office(now, &["pay", "accept", "--all", "--as", "F001"]);
}

#[test]
fn a_restored_headquarters_pays_nothing_before_a_person_compared_and_devices_bring_the_payment_back() {
    let mut play = Play::found();
    let [mut zhao, mut wu] = ["S100", "G100"].map(|staff| play.device(staff));
    for device in [&mut zhao, &mut wu] {
        device.now = Some("2025-03-16T09:00:00+08:00".to_owned());
    }
    with_finance(&mut play, &mut zhao, &mut wu);
    let now = "2025-03-25T10:00:00+08:00";
    let backup = play.path("backup").to_str().unwrap().to_owned();
    play.office(now, &["backup", &backup]);
    let resume = ["pay", "resume", "--as", "F001", "--reason", "statement of 25 March"];

    // The file went to the bank, and nobody but headquarters knew.
    assert_eq!(play.office(now, &["pay", "batch", "--as", "F001"])["payment_no"], "PAY-202503-001");
    assert_eq!(play.pays(now, "PAY-202503-001"), 1);
    play.lose_and_restore(&backup);
    zhao.sync();
    assert_eq!(play.state(now), "fin_received", "no device had heard of the payment");
    play.refused(now, &["pay", "batch", "--as", "F001"], "H-16");
    let entered = play.office(now, &[&resume[..], &["--paid", CLAIM]].concat());
    assert_eq!(entered["batch"]["payment_no"], "PAY-202503-101", "{entered}");
    play.refused(now, &["pay", "batch", "--as", "F001"], "H-11");
    assert_eq!(play.pays(now, "PAY-202503-101"), 0, "no line of it goes to the bank again");
    assert_eq!(play.state(now), "paid");

    // The same again, and this time the claimant's device had heard of it.
    zhao.now = Some(now.to_owned());
    zhao.sync();
    assert_eq!(zhao.ask(["claim", "show", CLAIM])["state"], "paid");
    play.lose_and_restore(&backup);
    assert_eq!(play.state(now), "fin_received");
    zhao.sync();
    assert_eq!(play.state(now), "paid", "headquarters' own step came back");
    play.refused(now, &["pay", "batch", "--as", "F001"], "H-16");
    let known = play.office(now, &[&resume[..], &["--paid", CLAIM]].concat());
    assert_eq!((&known["batch"], &known["known"][0]), (&Value::Null, &CLAIM.into()));
    play.refused(now, &["pay", "batch", "--as", "F001"], "H-11");
}

#[test]
fn what_a_restored_headquarters_finds_again_is_open_once() {
    let mut play = Play::found();
    let [mut zhao, mut wu] = ["S100", "G100"].map(|staff| play.device(staff));
    let backup = play.path("backup").to_str().unwrap().to_owned();
    let now = "2025-03-16T12:00:00+08:00";
    play.office(now, &["backup", &backup]);
    for device in [&mut zhao, &mut wu] {
        device.now = Some("2025-03-16T09:00:00+08:00".to_owned());
    }
    for amount in ["50.00", "100.00", "150.00"] {
        let what =
            ["voucher", "add", "--category", "other_service", "--amount", amount, "--date", "2025-03-05"];
        zhao.make(what);
    }
    submit(&zhao);
    play.office(now, &["tick"]);
    wu.sync();
    let open = |play: &mut Play| {
        let alerts = play.office(now, &["alert", "list", "--state", "open"]);
        alerts.as_array().unwrap().iter().map(|alert| alert["code"].clone()).collect::<Vec<_>>()
    };
    let first = open(&mut play);
    assert_eq!(first.len(), 1, "the round sums");
    play.lose_and_restore(&backup);
    zhao.sync();
    play.office(now, &["tick"]);
    assert_eq!(open(&mut play).len(), 1, "found again");
    wu.sync();
    play.office(now, &["tick"]);
    // Whoever syncs first may hold the first one already; then it was never opened a second time.
    assert!(play.office(now, &["alert", "list"]).as_array().unwrap().len() <= 2);
    assert_eq!(open(&mut play), first, "the first one stands, the younger one is answered with it");
}
