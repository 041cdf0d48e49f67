//! What follows by itself, and what one record never does to another: the office's day where something goes wrong.

use records::kinds::voucher::Category;

use crate::cli::testing::{Entry, Office};

const ONE: &str = "HZC-E01-2026-0001";
const OTHER: &str = "HZC-E02-2026-0001";

fn courier(fen: i64) -> [Entry; 1] {
    [(Category::COURIER, "2026-02-25", fen, fen)]
}

fn state(office: &Office, claim: &str) -> String {
    office.done(&format!("claim show {claim}"))["state"].as_str().unwrap().to_owned()
}

/// Two claims with finance, each with an account.
fn two_with_finance() -> Office {
    let office = Office::new();
    for (staff, no, account) in [("E01", ONE, "6222020200112233445"), ("E02", OTHER, "6222020200112233446")] {
        office.with_finance(staff, no, 1_000);
        office.account(staff, account);
    }
    office
}

fn paid(office: &Office, payment: &str) -> serde_json::Value {
    office.done(&format!("pay approve {payment} --as F02"));
    let file = office.file("bank.csv");
    office.done(&format!("pay export {payment} --out {file} --as F01"))
}

#[test]
fn a_claim_frozen_after_its_file_went_out_stops_no_other_and_is_marked_once_it_is_unfrozen() {
    let office = two_with_finance();
    office.done("pay batch --as F01");
    paid(&office, "PAY-202603-001");
    office.all(&["approve", "freeze", ONE, "--reason", "an alarm", "--as", "M01"]);
    let confirmed = office.done("pay confirm PAY-202603-001 --as F01");
    assert_eq!((&confirmed["state"], &confirmed["later"]), (&"confirmed".into(), &serde_json::json!([ONE])));
    assert_eq!([state(&office, ONE), state(&office, OTHER)], ["frozen", "paid"]);
    assert_eq!(office.refused("pay batch --as F01"), "H-11", "nobody pays it again");
    office.all(&["approve", "unfreeze", ONE, "--reason", "all was well", "--as", "M01"]);
    assert_eq!(state(&office, ONE), "paid");
}

#[test]
fn a_claim_frozen_before_its_file_is_written_is_left_out_of_it_and_waits_for_another_batch() {
    let office = two_with_finance();
    office.done("pay batch --as F01");
    office.all(&["approve", "freeze", ONE, "--reason", "an alarm", "--as", "M01"]);
    let exported = paid(&office, "PAY-202603-001");
    assert_eq!((&exported["n_payments"], &exported["left_out"]), (&1.into(), &serde_json::json!([ONE])));
    assert_eq!(office.done("pay confirm PAY-202603-001 --as F01")["state"], "part_failed");
    office.all(&["approve", "unfreeze", ONE, "--reason", "all was well", "--as", "M01"]);
    assert_eq!(state(&office, ONE), "fin_received", "the bank paid nothing of it");
    assert_eq!(office.done("pay batch --as F01")["claims"][0]["claim_no"], ONE);
}

#[test]
fn a_batch_is_closed_with_the_last_of_its_claims() {
    let office = two_with_finance();
    office.done("pay batch --as F01");
    paid(&office, "PAY-202603-001");
    let batch = |no: &str| office.done(&format!("batch show B-{no}"))["state"].clone();
    assert_eq!(batch(ONE), "forwarded");
    office.done("pay confirm PAY-202603-001 --as F01");
    assert_eq!([batch(ONE), batch(OTHER)], ["closed", "closed"]);
    assert_eq!(office.desk().rebuild(false).unwrap().differed, 0);
}

#[test]
fn an_audit_that_was_late_proposes_its_case_once_and_a_dismissed_one_stays_so() {
    let mut office = Office::new();
    for (staff, no) in [("E01", ONE), ("E02", OTHER)] {
        let claim = office.claim(staff, no, &courier(1_000));
        office.batch(&format!("B-{no}"), &[(claim, no)]);
        office.done(&format!("batch receive B-{no} --as A01"));
    }
    // Received on Friday the 20th, due on the 25th.
    office.now = "2026-03-27T10:00:00+08:00";
    assert_eq!(office.done("case list"), serde_json::json!([]), "not while it is open");
    office.done(&format!("audit done {ONE} --as A01"));
    let cases = office.done("case list");
    let case = &cases[0];
    assert_eq!(
        (&case["kind"], &case["days"], &case["claimant"]["code"]),
        (&"audit_late".into(), &2.into(), &"A01".into())
    );
    office.done(&format!("audit done {OTHER} --as A01"));
    assert_eq!(office.done("case list").as_array().unwrap().len(), 1, "a day of a branch counts once");
    let code = case["code"].as_str().unwrap();
    office.all(&["case", "dismiss", code, "--reason", "he was ill", "--as", "M01"]);
    office.done("tick");
    assert_eq!(office.done("case list").as_array().unwrap().len(), 1);
}

#[test]
fn whoever_confirms_an_alert_may_say_what_it_is_and_a_colleagues_haste_is_no_case_of_the_claimants() {
    let office = Office::new();
    let claim = office.claim("E01", ONE, &courier(900));
    office.batch("HZ-202603-B", &[(claim, ONE)]);
    let confirmed = |kind: &[&str]| {
        let alarm = office.all(&["audit", "alarm", ONE, "the seller moved away", "--as", "A01"]);
        let code = alarm["code"].as_str().unwrap().to_owned();
        let words = ["alert", "confirm", &code, "--reason", "asked him", "--as", "M01"];
        let case = office.all(&[&words[..], kind].concat())["case"].clone();
        let kind = case.as_str().map(|case| office.done(&format!("case show {case}"))["kind"].clone());
        kind.map(|kind| kind.as_str().unwrap().to_owned())
    };
    assert_eq!(confirmed(&[]), Some("non_compliant".into()));
    assert_eq!(confirmed(&["--kind", "false_claim"]), Some("false_claim".into()));
    assert_eq!(confirmed(&["--kind", "none"]), None);
}

#[test]
fn the_policy_says_which_month_is_marked_which_supervisor_is_fined_and_whether_form_faults_are_waived() {
    let office = Office::new();
    let policy = office.file("policy.toml");
    let text = "version = \"2026/1\"\n[fine]\ngrade_month = \"expense\"\nsupervisor = \"of_unit\"\nform_discretionary = false\n";
    std::fs::write(&policy, text).unwrap();
    office.done(&format!("policy load {policy} --valid-from 2026-01-01"));
    let claim = office.claim("E01", ONE, &courier(900));
    office.batch("HZ-202603-B", &[(claim, ONE)]);
    let propose = |kind: &str, line: &[&str]| {
        let words = ["case", "propose", ONE, "--kind", kind, "--evidence", "no such trip", "--as", "A01"];
        let case = office.all(&[&words[..], line].concat())["code"].as_str().unwrap().to_owned();
        office.done(&format!("case confirm {case} --as M01"))
    };
    let case = propose("false_claim", &["--line", "1"]);
    assert_eq!(case["mark"], serde_json::json!({"month": "2026-02", "grade": "C"}));
    assert_eq!(case["supervisor"]["code"], "S01");
    let fault = propose("non_compliant", &[])["code"].as_str().unwrap().to_owned();
    assert_eq!(office.rule(&["case", "waive", &fault, "--reason", "first time", "--as", "M01"]), "H-35");
}

#[test]
fn finance_leaves_its_own_claim_to_a_colleague_and_takes_the_others_in() {
    let office = Office::new();
    let own = "CO-F01-2026-0001";
    for (staff, no) in [("F01", own), ("E01", ONE)] {
        let claim = office.claim(staff, no, &courier(1_000));
        office.batch(&format!("B-{no}"), &[(claim, no)]);
        office.done(&format!("batch receive B-{no} --as A01"));
        office.done(&format!("audit done {no} --as A01"));
        office.done(&format!("approve {no} --as M01"));
        office.done(&format!("audit hand-over {no} --as A01"));
    }
    let accepted = office.done("pay accept --all --as F01");
    assert_eq!(accepted.as_array().unwrap().len(), 1, "{accepted}");
    assert_eq!(accepted[0]["claim_no"], ONE);
    assert_eq!(office.refused("pay accept --all --as F01"), "C-03");
    assert_eq!(office.done("pay accept --all --as F02")[0]["claim_no"], own);
}

#[test]
fn what_the_rules_found_is_read_in_the_readers_own_language() {
    let office = Office::new();
    office.claim_after("E01", ONE, &[(Category::LODGING, "2026-03-05", 30_000, 30_000)], 0);
    office.done("tick");
    let alerts = office.done("alert list");
    let alerts = alerts.as_array().unwrap();
    assert!(!alerts.is_empty(), "a night without work");
    for alert in alerts {
        let evidence = alert["evidence"].as_str().unwrap();
        assert!(evidence.is_ascii() && !evidence.is_empty(), "{evidence}");
    }
}
