//! The office's day by commands: what is received is audited, approved, handed over, accepted, and paid once.

mod audit;
mod cases;
mod envelopes;
mod logins;
mod pay;
mod trail;

use records::kinds::voucher::Category;

use crate::cli::testing::Office;

/// Three claims of one person, one of a colleague.
const NO: [&str; 3] = ["HZC-E01-2026-0001", "HZC-E01-2026-0002", "HZC-E01-2026-0003"];

fn courier(fen: i64) -> [(Category, &'static str, i64, i64); 1] {
    [(Category::COURIER, "2026-03-05", fen, fen)]
}

#[test]
fn a_received_claim_is_audited_approved_handed_over_accepted_and_paid() {
    let mut office = Office::new();
    let claim = office.claim("E01", "HZC-E01-2026-0001", &[(Category::COURIER, "2026-03-05", 10_000, 9_000)]);
    office.batch("HZ-202603-B", &[(claim, "HZC-E01-2026-0001")]);
    let opened = office.done("batch receive HZ-202603-B --all --as A01");
    assert_eq!((&opened["state"], &opened["received"][0]), (&"received".into(), &"HZC-E01-2026-0001".into()));
    let line = office.done("audit line HZC-E01-2026-0001 --line 1 --verdict short_voucher --as A01");
    assert_eq!(line["payable_fen"], 9_000);
    assert_eq!(office.done("audit done HZC-E01-2026-0001 --as A01")["state"], "audited");
    assert_eq!(office.refused("approve HZC-E01-2026-0001 --as A01"), "C-02");
    office.done("approve HZC-E01-2026-0001 --as M01");
    assert_eq!(office.done("audit hand-over --ready --as A01")[0]["state"], "to_finance");
    assert_eq!(office.done("pay accept --all --as F01")[0]["state"], "fin_received");
    office.account("E01", "6222020200112233445");
    let batch = office.done("pay batch --as F01");
    assert_eq!((&batch["payment_no"], &batch["total_fen"]), (&"PAY-202603-001".into(), &9_000.into()));
    assert_eq!(office.refused("pay approve PAY-202603-001 --as F01"), "H-12");
    office.done("pay approve PAY-202603-001 --as F02");
    let file = office.file("bank.csv");
    let exported = office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"));
    assert_eq!((&exported["n_payments"], &exported["missing_accounts"]), (&1.into(), &serde_json::json!([])));
    let written = std::fs::read_to_string(file).unwrap();
    assert!(written.contains("'=E01,") && written.contains("6222020200112233445"), "{written}");
    office.now = "2026-03-23T10:00:00+08:00";
    let confirmed = office.done("pay confirm PAY-202603-001 --as F01");
    assert_eq!(confirmed["state"], "confirmed");
    assert_eq!(office.done("claim show HZC-E01-2026-0001")["state"], "paid");
    assert_eq!(office.refused("pay batch --as F01"), "H-11");
}
