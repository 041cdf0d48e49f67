//! What comes in the post: envelopes with holes, paper that is missing.

use crate::cli::stories::{NO, courier};
use crate::cli::testing::Office;

#[test]
fn an_envelope_with_a_hole_in_its_numbers_is_refused_and_one_explained_is_taken() {
    let office = Office::new();
    let [first, third] = [NO[0], NO[2]].map(|no| (office.claim("E01", no, &courier(1_000)), no));
    office.batch("HZ-202603-A", &[first, third]);
    let refused = office.done("batch receive HZ-202603-A --as A01");
    assert_eq!(
        (&refused["state"], &refused["faults"][0]["fault"]),
        (&"refused".into(), &"numbering_fault".into())
    );
    assert_eq!(refused["faults"][0]["numbers"], NO[1]);
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "in_transit");
    let empty = Office::new();
    empty.batch("HZ-202603-B", &[]);
    assert_eq!(empty.done("batch receive HZ-202603-B --as A01")["faults"][0]["fault"], "no_list");
}

#[test]
fn paper_that_is_missing_is_found_or_given_up_and_the_gaps_tell() {
    let office = Office::new();
    let claims = NO.map(|no| (office.claim("E01", no, &courier(1_000)), no));
    office.batch("HZ-202603-B", &claims);
    let opened = office.done(&format!("batch receive HZ-202603-B --missing {},{} --as A01", NO[1], NO[2]));
    assert_eq!(
        (&opened["state"], &opened["received"]),
        (&"part_received".into(), &serde_json::json!([NO[0]]))
    );
    let gaps = office.done("gaps --staff E01");
    let lost = serde_json::json!({"staff": {"code": "E01", "name": "Wang"}, "fault": "lost_in_transit",
        "first": NO[1], "last": NO[2], "n": 2});
    assert_eq!(gaps, serde_json::json!([lost]));
    let file = office.file("gaps.csv");
    office.done(&format!("gaps --out {file}"));
    let csv = std::fs::read_to_string(&file).unwrap();
    assert_eq!(csv.matches("Lost in transit").count(), 2, "a row for each number: {csv}");
    assert!(csv.contains(NO[2]), "{csv}");
    let lists = office.file("lists.csv");
    office.done(&format!("batch manifest HZ-202603-B --out {lists}"));
    let csv = std::fs::read_to_string(&lists).unwrap();
    assert!(csv.contains(NO[0]) && csv.contains("30.00"), "the lines and their sum: {csv}");
    assert_eq!(office.done(&format!("batch found {} --as A01", NO[1]))["state"], "received");
    assert_eq!(office.done("batch show HZ-202603-B")["state"], "part_received");
    assert_eq!(
        office.all(&["batch", "lose", NO[2], "--reason", "the parcel burned", "--as", "A01"])["state"],
        "void"
    );
    assert_eq!(office.done("batch show HZ-202603-B")["state"], "received");
    assert_eq!(office.done("gaps"), serde_json::json!([]));
}
