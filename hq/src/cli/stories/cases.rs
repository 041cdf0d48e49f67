//! Penalties: a false claim, an appeal.

use crate::cli::stories::{NO, courier};
use crate::cli::testing::Office;

#[test]
fn a_false_claim_fines_two_people_marks_one_and_pays_nothing_of_its_line() {
    let mut office = Office::new();
    let claim = office.claim("E01", NO[0], &[courier(5_000)[0], courier(700)[0]]);
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    let words = [
        "case",
        "propose",
        NO[0],
        "--kind",
        "false_claim",
        "--line",
        "1",
        "--evidence",
        "no such trip",
        "--as",
    ];
    let case = office.all(&[&words[..], &["A01"]].concat());
    let code = case["code"].as_str().unwrap().to_owned();
    assert_eq!((&case["state"], &case["fines"]), (&"proposed".into(), &serde_json::json!([])));
    assert_eq!(office.refused(&format!("case confirm {code} --as A01")), "W-08");
    let case = office.done(&format!("case confirm {code} --as M01"));
    let fined: Vec<_> = case["fines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fine| (&fine["person"]["code"], &fine["amount"]))
        .collect();
    assert_eq!(
        format!("{fined:?}"),
        r#"[(String("E01"), String("50.00")), (String("S01"), String("50.00"))]"#
    );
    assert_eq!(case["mark"], serde_json::json!({"month": "2026-03", "grade": "C"}));
    let done = office.done(&format!("audit done {} --as A01", NO[0]));
    assert_eq!(done["payable_total_fen"], 700, "the other line stands");
    let again = office.all(&[&words[..], &["A02"]].concat());
    assert_eq!(office.refused(&format!("case confirm {} --as M01", again["code"].as_str().unwrap())), "H-30");
    assert_eq!(case["appeal_until"], "2026-03-27");
    assert_eq!(office.refused(&format!("case execute {code} --as F01")), "H-32");
    office.now = "2026-03-30T10:00:00+08:00";
    assert_eq!(office.rule(&["case", "appeal", &code, "--reason", "I was there", "--as", "E01"]), "H-31");
    assert_eq!(office.done(&format!("case execute {code} --as F01"))["fines"][1]["state"], "deducted");
    let file = office.file("fines.csv");
    assert_eq!(office.done(&format!("case export --out {file}"))["fines"], 2);
    assert!(std::fs::read_to_string(file).unwrap().contains("E01,Wang,2026-03,False claim"), "the list");
}

#[test]
fn an_appeal_in_time_is_heard_and_a_supervisor_is_fined_once_for_his_own_claim() {
    let office = Office::new();
    let claim = office.claim("S02", "NJC-S02-2026-0001", &courier(900));
    office.batch("NJ-202603-B", &[(claim, "NJC-S02-2026-0001")]);
    let words = [
        "case",
        "propose",
        "NJC-S02-2026-0001",
        "--kind",
        "non_compliant",
        "--evidence",
        "loose",
        "--as",
        "A01",
    ];
    let code = office.all(&words)["code"].as_str().unwrap().to_owned();
    let case = office.done(&format!("case confirm {code} --as M01"));
    assert_eq!(
        (case["fines"].as_array().unwrap().len(), &case["fines"][0]["amount_fen"]),
        (1, &2_000.into())
    );
    assert_eq!(
        office.all(&["case", "appeal", &code, "--reason", "pasted well", "--as", "S02"])["state"],
        "appealed"
    );
    assert_eq!(office.refused(&format!("case execute {code} --as F01")), "W-07");
    let waived = office.all(&["case", "waive", &code, "--reason", "first time", "--as", "M01"]);
    assert_eq!((&waived["state"], &waived["fines"][0]["state"]), (&"waived".into(), &"waived".into()));
}
