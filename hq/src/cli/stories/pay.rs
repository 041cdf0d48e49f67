//! Payment: once, and after a restore only what the bank does not know.

use crate::cli::stories::{NO, courier};
use crate::cli::testing::Office;

#[test]
fn a_claim_is_in_one_payment_batch_and_a_failed_payment_may_be_tried_again() {
    let office = Office::new();
    let claims = [("E01", NO[0]), ("E02", "HZC-E02-2026-0001")];
    let ids = claims.map(|(staff, no)| office.with_finance(staff, no, 1_000));
    office.account("E01", "6222020200112233445");
    office.done("pay batch --as F01");
    assert_eq!(office.refused("pay batch --as F01"), "H-11");
    // By force: another batch of one of them is refused by the database, and nothing of it is kept.
    let mut desk = office.desk();
    let now = office.now_ms();
    let forced = desk.transact(|desk| {
        let row = records::kinds::payment::PaymentClaims {
            claim: crate::money::rows::link(ids[0]),
            claim_no: crate::money::rows::text(NO[0]),
            staff: crate::money::rows::link(desk.people().unwrap().by_code("E01").unwrap().0),
            amount: Some(records::money::Fen(1_000)),
        };
        let writes = vec![crate::money::rows::put(&[row])];
        let op = crate::author::NewOp {
            kind: records::kinds::number::PAYMENT,
            on: crate::author::On::Create,
            writes,
        };
        desk.write(vec![op], now)
    });
    assert!(format!("{forced:?}").contains("InPayment"), "{forced:?}");
    assert_eq!(office.done("pay list").as_array().unwrap().len(), 1);
    office.done("pay approve PAY-202603-001 --as M01");
    let file = office.file("bank.xlsx");
    let exported = office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"));
    assert_eq!(
        (&exported["n_payments"], &exported["missing_accounts"][0]["code"]),
        (&1.into(), &"E02".into())
    );
    let hash = sync_protocol::chain::sha256(&[&std::fs::read(&file).unwrap()]);
    assert_eq!(exported["sha256"], records::hex::of(&hash));
    // Written again it is the same file; with another account it is not.
    assert_eq!(
        office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"))["sha256"],
        exported["sha256"]
    );
    assert_eq!(office.refused("pay confirm PAY-202603-001 --failed HZC-E02-2026-0001=x --as F01"), "H-13");
    let confirmed = office.done(&format!("pay confirm PAY-202603-001 --failed {}=closed --as F01", NO[0]));
    assert_eq!((&confirmed["state"], &confirmed["paid"]), (&"part_failed".into(), &serde_json::json!([])));
    let again = office.done("pay batch --as F02");
    assert_eq!((&again["payment_no"], &again["n_claims"]), (&"PAY-202603-002".into(), &2.into()));
    office.all(&["pay", "cancel", "PAY-202603-002", "--reason", "wrong day", "--as", "F02"]);
    assert_eq!(office.done("pay batch --as F02")["payment_no"], "PAY-202603-003");
    let whole = office.desk().rebuild(false).unwrap();
    assert_eq!(whole.differed, 0);
}

#[test]
fn finance_sends_a_claim_back_only_while_no_batch_pays_it_and_a_batch_goes_on_with_its_claims() {
    let office = Office::new();
    office.with_finance("E01", NO[0], 1_000);
    let batch = format!("batch show B-{}", NO[0]);
    assert_eq!(office.done(&batch)["state"], "forwarded");
    office.done("pay batch --as F01");
    let back = ["pay", "back", NO[0], "--reason", "wrong name", "--as", "F01"];
    assert_eq!(office.rule(&back), "H-10");
    office.done("pay cancel PAY-202603-001 --reason x --as F01");
    assert_eq!(office.all(&back)["state"], "audited");
}

/// A restored headquarters forgot what it had sent to the bank: before anything is sent again, a person compares.
#[test]
fn a_headquarters_that_was_restored_pays_nothing_until_somebody_compared_with_the_bank() {
    let mut office = Office::new();
    let other = "HZC-E02-2026-0001";
    office.with_finance("E01", NO[0], 1_000);
    office.with_finance("E02", other, 500);
    office.account("E01", "6222020200112233445");
    office.account("E02", "6222020200112233446");
    assert_eq!(office.rule(&["pay", "resume", "--reason", "x", "--as", "F01"]), "H-18");
    let backup = office.file("backup");
    office.done(&format!("backup {backup}"));
    let file = office.file("bank.csv");
    office.done("pay batch --as F01");
    office.done("pay approve PAY-202603-001 --as F02");
    office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"));
    let before = office.done(&format!("pay confirm PAY-202603-001 --failed {other}=closed --as F01"));
    assert_eq!(before["paid"][0], NO[0]);

    office.lose();
    office.now = "2026-03-21T10:00:00+08:00";
    office.done(&format!("restore {backup}"));
    assert_eq!(
        office.done(&format!("claim show {}", NO[0]))["state"],
        "fin_received",
        "it would be paid again"
    );
    assert_eq!(office.refused("pay batch --as F01"), "H-16");
    let resume = |paid: &str, staff: &str| {
        let words = ["pay", "resume", "--paid", paid, "--reason", "statement of 21 March", "--as", staff];
        office.ask(&words)
    };
    assert_eq!(resume(NO[0], "A01").unwrap_err().rule, "W-08");
    office.claim("E01", NO[1], &courier(700));
    assert_eq!(resume(NO[1], "F01").unwrap_err().rule, "H-17", "it is not with finance");
    assert_eq!(office.refused("pay batch --as F01"), "H-16", "and nothing went on");
    let entered = resume(NO[0], "F01").unwrap().json["batch"].clone();
    assert_eq!((&entered["payment_no"], &entered["n_claims"]), (&"PAY-202603-101".into(), &1.into()));
    // What was not paid goes its way; what was paid is in no other batch, and in no file.
    let next = office.done("pay batch --as F01");
    assert_eq!(
        (&next["payment_no"], &next["claims"][0]["claim_no"]),
        (&"PAY-202603-102".into(), &other.into())
    );
    assert_eq!(office.refused("pay approve PAY-202603-101 --as F01"), "H-12");
    office.done("pay approve PAY-202603-101 --as F02");
    let exported = office.done(&format!("pay export PAY-202603-101 --out {file} --as F01"));
    assert_eq!((&exported["n_payments"], &exported["total_fen"]), (&0.into(), &0.into()));
    assert!(!std::fs::read_to_string(&file).unwrap().contains("6222020200112233445"));
    assert_eq!(office.done("pay confirm PAY-202603-101 --as F01")["state"], "confirmed");
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "paid");
    assert_eq!(office.desk().rebuild(false).unwrap().differed, 0);
}
