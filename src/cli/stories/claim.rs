//! From captured vouchers to a submitted claim, and back.

use serde_json::Value;

use crate::cli::testing::{Device, enrolment};
use sync_protocol::enrolment::Enrolment;

/// An engineer's device that holds his lease on claim numbers.
fn engineer() -> Device {
    Device::enrolled(&Enrolment { claim_lease: Some((1, 1)), ..enrolment(7) })
}

impl Device {
    /// Captures a voucher and returns its code.
    fn voucher(&self, category: &str, amount: &str, date: &str) -> String {
        let made = self.json(&["voucher", "add", "--category", category, "--amount", amount, "--date", date]);
        made["code"].as_str().unwrap().to_owned()
    }
}

#[test]
fn one_voucher_becomes_a_line_a_claim_and_a_number() {
    let device = engineer();
    let voucher = device.voucher("phone", "35.00", "2026-11-10");
    let drafted = device.json(&["claim", "draft", "2026-11-H1"]);
    assert_eq!((&drafted["vouchers"], &drafted["claimed"]), (&1.into(), &"35.00".into()), "{drafted:#}");
    let code = drafted["code"].as_str().unwrap();
    assert_eq!(device.json(&["voucher", "show", &voucher])["state"], "placed");

    let checked = device.json(&["claim", "check", code]);
    assert_eq!((&checked["ready"], &checked["payable"]), (&true.into(), &"35.00".into()), "{checked:#}");
    assert_eq!(checked["submit_by"], "2026-12-10");
    assert_eq!(checked["goes_with"]["batch"], "2026-12-A");

    let submitted = device.json(&["claim", "submit", code]);
    assert_eq!(submitted["number"], "HZ01-T006-2026-0001", "{submitted:#}");
    assert_eq!(device.json(&["voucher", "show", &voucher])["state"], "submitted");
    let again = device.json(&["claim", "draft", "2026-11-H1"]);
    assert_eq!(again["error"]["rule"], "W-47");
}

/// The device of an engineer on another day.
struct Then<'d>(&'d Device, &'static str);

impl Then<'_> {
    fn json(&self, words: &[&str]) -> Value {
        let ran = self.0.run_at(self.1, &[words, &["--json"]].concat(), "");
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{words:?}: {error}: {}", ran.err))
    }

    fn done(&self, words: &[&str]) -> String {
        let ran = self.0.run_at(self.1, words, "");
        assert_eq!(ran.exit, 0, "{words:?}: {}", ran.err);
        ran.out
    }

    fn refused(&self, words: &[&str], rule: &str) {
        let ran = self.0.run_at(self.1, words, "");
        assert!(
            ran.exit == 1 && ran.err.contains(rule) && ran.err.contains("\nhint: "),
            "{words:?}: {}",
            ran.err
        );
    }
}

/// Takes over the sheets and vouchers of the sample's half-month.
fn imported(then: &Then<'_>) {
    let root = env!("CARGO_MANIFEST_DIR");
    for name in ["sheets", "vouchers"] {
        let file = format!("{root}/samples/expenses/{name}.jsonl");
        let map = format!("{root}/mappings/workload-{name}.toml");
        let answer = then.json(&["import", &file, "--map", &map]);
        assert!(answer["added"].as_u64().unwrap() > 20, "{answer:#}");
    }
}

fn rules(checked: &Value) -> Vec<String> {
    let findings = checked["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

/// Returns a reason for each finding that needs one.
fn reasons(then: &Then<'_>, code: &str) -> Vec<String> {
    let checked = then.json(&["claim", "check", code]);
    let findings = checked["findings"].as_array().unwrap().iter();
    let waiting = findings.filter(|finding| finding["weight"] == "reason");
    waiting
        .map(|finding| {
            let line = finding["line"].as_u64().map_or_else(String::new, |line| format!(":{line}"));
            format!("{}{line}=as told by phone", finding["rule"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn a_half_month_of_real_receipts_goes_from_the_import_to_a_second_submission() {
    let device = engineer();
    let then = Then(&device, "2025-03-20T09:00:00+08:00");
    imported(&then);

    let drafted = then.json(&["claim", "draft", "2025-03-H1"]);
    assert_eq!((&drafted["vouchers"], &drafted["claimed"]), (&3.into(), &"118.20".into()), "{drafted:#}");
    let left: Vec<&str> =
        drafted["left_out"].as_array().unwrap().iter().map(|left| left["rule"].as_str().unwrap()).collect();
    assert_eq!(left, ["V-03", "B9", "V-03"], "two without a category and a refund");
    let code = drafted["code"].as_str().unwrap();

    // The person changes a line; what comes later leaves it as it is.
    then.done(&["claim", "set", code, "--line", "1", "claimed=4.00", "detail=one night"]);
    for left in drafted["left_out"].as_array().unwrap().iter().filter(|left| left["rule"] == "V-03") {
        then.done(&["voucher", "set", left["code"].as_str().unwrap(), "category=other_service"]);
    }
    let grown = then.json(&["claim", "draft", "2025-03-H1"]);
    assert_eq!((&grown["created"], &grown["vouchers"]), (&false.into(), &2.into()), "{grown:#}");
    let checked = then.json(&["claim", "check", code]);
    assert_eq!((&checked["claimed"], &checked["lines"][0]["claimed"]), (&"548.60".into(), &"4.00".into()));
    assert!(rules(&checked).contains(&"B3".to_owned()), "{checked:#}");
    then.refused(&["claim", "submit", code], "B3");
    assert_eq!(then.json(&["claim", "show", code])["state"], "draft", "nothing half-done");

    // The trip summary is there by itself; one night is corrected and stays.
    let trip = then.json(&["trip", "show", "2025-03-H1"]);
    let days: Vec<&str> =
        trip["days"].as_array().unwrap().iter().map(|day| day["date"].as_str().unwrap()).collect();
    assert_eq!(days, ["2025-03-10", "2025-03-12", "2025-03-14"]);
    then.done(&["trip", "set", "2025-03-H1", "2025-03-12", "nights=1"]);
    then.done(&["trip", "submit", "2025-03-H1"]);
    let trip = then.json(&["trip", "show", "2025-03-H1"]);
    assert_eq!((&trip["state"], &trip["days"][1]["fields"]["nights"]), (&"submitted".into(), &1.into()));
    then.refused(&["trip", "set", "2025-03-H1", "2025-03-12", "nights=2"], "W-44");

    let reasons = reasons(&then, code);
    assert!(reasons.contains(&"R6=as told by phone".to_owned()), "not signed yet: {reasons:?}");
    then.refused(&["claim", "submit", code], "R6");
    let flags: Vec<&str> = reasons.iter().flat_map(|reason| ["--reason", reason]).collect();
    let submitted = then.json(&[&["claim", "submit", code][..], &flags].concat());
    assert_eq!(submitted["number"], "HZ01-T006-2025-0001", "{submitted:#}");
    assert_eq!(submitted["goes_with"]["batch"], "2025-04-A");

    // What reviewers look at stays as it is, until it is taken back.
    then.refused(&["claim", "set", code, "--line", "1", "claimed=9"], "W-42");
    let voucher = checked["lines"][1]["vouchers"][0].as_str().unwrap().to_owned();
    let shown = then.json(&["claim", "show", code]);
    then.refused(&["voucher", "set", &voucher, "amount=9"], "W-59");
    assert_eq!(shown["paid_by"], "2025-04-22", "{:#}", shown["clocks"]);
    then.done(&["claim", "withdraw", code]);
    assert_eq!(then.json(&["voucher", "show", &voucher])["state"], "placed");
    then.done(&["claim", "remove", code, "--voucher", &voucher]);
    assert_eq!(then.json(&["voucher", "show", &voucher])["state"], "captured");
    let again = then.json(&["claim", "draft", "2025-03-H1"]);
    assert_eq!(again["vouchers"], 0, "what a person took out does not come back by itself");
    let second = then.json(&["claim", "submit", code]);
    assert_eq!((&second["number"], &second["rev"]), (&"HZ01-T006-2025-0001".into(), &2.into()), "{second:#}");

    // Thrown away, its number stays; the next claim has the next one.
    then.done(&["claim", "void", code, "--reason", "typing error"]);
    assert_eq!(then.json(&["claim", "show", code])["state"], "void");
    let drafted = then.json(&["claim", "draft", "2025-03-H1"]);
    assert_eq!(drafted["created"], true, "{drafted:#}");
    let other = drafted["code"].as_str().unwrap();
    let reasons = self::reasons(&then, other);
    let flags: Vec<&str> = reasons.iter().flat_map(|reason| ["--reason", reason]).collect();
    let next = then.json(&[&["claim", "submit", other][..], &flags].concat());
    assert_eq!(next["number"], "HZ01-T006-2025-0002", "{next:#}");
}

#[test]
fn a_new_year_begins_with_the_first_number_and_another_device_gives_none() {
    let device = engineer();
    let submit = |then: &Then<'_>, half: &str, date: &str| {
        then.done(&["voucher", "add", "--category", "phone", "--amount", "3", "--date", date]);
        let drafted = then.json(&["claim", "draft", half]);
        then.json(&["claim", "submit", drafted["code"].as_str().unwrap()])["number"].clone()
    };
    let then = Then(&device, "2026-12-30T09:00:00+08:00");
    assert_eq!(submit(&then, "2026-12-H2", "2026-12-20"), "HZ01-T006-2026-0001");
    let then = Then(&device, "2027-01-02T09:00:00+08:00");
    assert_eq!(submit(&then, "2026-12-H2", "2026-12-21"), "HZ01-T006-2027-0001");
    assert_eq!(submit(&then, "2027-01-H1", "2027-01-01"), "HZ01-T006-2027-0002");

    let second = Device::new();
    second.voucher("phone", "3", "2026-11-10");
    let drafted = second.json(&["claim", "draft", "2026-11-H1"]);
    let answer = second.json(&["claim", "submit", drafted["code"].as_str().unwrap()]);
    assert_eq!(answer["error"]["rule"], "W-52");
    assert_eq!(second.json(&["claim", "list"])[0]["state"], "draft");
}

#[test]
fn an_old_receipt_is_told_before_it_is_too_late_and_excused_only_by_an_exception() {
    let device = engineer();
    let voucher = device.voucher("phone", "35.00", "2026-10-23");
    let money = &device.json(&["status"])["money"];
    let expiring = &money["expiring"][0];
    assert_eq!(
        (&expiring["last_day"], &expiring["days_left"]),
        (&"2026-11-23".into(), &1.into()),
        "{money:#}"
    );
    assert_eq!((&expiring["level"], &expiring["last_with"]["batch"]), (&1.into(), &"2026-12-A".into()));
    assert!(device.done(&["status"]).contains("1 day left"));

    let then = Then(&device, "2026-11-24T09:00:00+08:00");
    then.refused(&["claim", "draft", "2026-10-H2"], "W-47");
    // What stands against each voucher that stayed out is said with its code.
    then.refused(&["claim", "draft", "2026-10-H2"], ": too old: it could be submitted until 2026-11-23");
    assert_eq!(then.json(&["status"])["money"]["expired"], 1);
    let asked =
        then.json(&["claim", "exception", &voucher, "--kind", "late_line", "--reason", "in hospital"]);
    assert!(asked["id"].is_string(), "{asked:#}");
    then.refused(&["claim", "exception", &voucher, "--kind", "cap", "--reason", "x"], "W-58");
}

#[test]
fn a_wrong_value_ends_with_how_it_is_written() {
    let device = engineer();
    device.voucher("phone", "35.00", "2026-11-10");
    let drafted = device.json(&["claim", "draft", "2026-11-H1"]);
    let code = drafted["code"].as_str().unwrap();
    let check = |words: &[&str], exit: u8, said: &str| {
        let ran = device.run(words);
        assert_eq!(ran.exit, exit, "{words:?}: {}", ran.err);
        assert!(ran.err.contains(said) && ran.err.contains("\nhint: "), "{words:?}: {}", ran.err);
    };
    check(&["claim", "set", code, "claimed=12.345"], 1, "12.345");
    check(&["claim", "set", code, "date=31/02"], 1, "31/02");
    check(&["claim", "set", code, "service_month=2026-13"], 1, "2026-13");
    check(&["claim", "set", code, "line=2"], 1, "W-01");
    check(&["claim", "set", code, "--line", "9", "note=x"], 1, "W-48");
    check(&["claim", "draft", "2026-11-H3"], 2, "2026-11-H3");
    check(&["trip", "set", "2026-11-H1", "31/02", "nights=1"], 2, "31/02");
    check(&["trip", "set", "2026-11-H1", "2026-11-20", "nights=1"], 1, "W-43");
    check(&["claim", "submit", code, "--reason", "B3=please"], 1, "W-51");
    check(&["claim", "add", code, "cut", "line=1"], 1, "W-01");
    assert_eq!(device.json(&["claim", "check", code])["claimed"], "35.00");
}
