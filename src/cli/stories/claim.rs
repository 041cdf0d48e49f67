//! From captured vouchers to a submitted claim, and back.

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
