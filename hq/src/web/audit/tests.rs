//! An envelope is scanned, a claim is audited with as many key strokes as it has groups of lines.

use pages::visit::part;
use records::kinds::voucher::Category;

use crate::cli::testing::Office;
use crate::web::testing::Browser;

const NO: [&str; 2] = ["HZC-E01-2026-0001", "HZC-E01-2026-0002"];

#[test]
fn an_envelope_takes_one_scan_and_one_more_for_each_cover() {
    let office = Office::new();
    let entry = |fen| [(Category::COURIER, "2026-03-05", fen, fen)];
    let claims = [office.claim("E01", NO[0], &entry(1_000)), office.claim("E01", NO[1], &entry(2_000))];
    office.batch("HZ-202603-B", &[(claims[0], NO[0]), (claims[1], NO[1])]);
    let auditor = Browser::of(&office, "A01");
    assert!(auditor.refused("/audit/receive", &[("scan", "HZ-209999-B")]).contains("H-01"));
    let envelope = auditor.send("/audit/receive", &[("scan", "HZ-202603-B")]);
    let at = auditor.send(&format!("{envelope}/scan"), &[("scan", NO[0])]);
    let page = auditor.get(&at);
    assert!(page.contains("is expected") && page.contains("1 of 2"), "{page}");
    let at = auditor.send(&format!("{envelope}/scan"), &[("found", NO[0]), ("scan", "X-1")]);
    assert!(auditor.get(&at).contains("is not on the list"));
    assert_eq!(
        office.done(&format!("claim show {}", NO[0]))["state"],
        "in_transit",
        "a look changes nothing"
    );
    let last =
        pages::visit::Visit::to(&format!("{envelope}/scan")).sending(&[("found", NO[0]), ("scan", NO[1])]);
    assert_eq!(auditor.answer(&last).status, 200);
    assert_eq!(office.done(&format!("claim show {}", NO[1]))["state"], "received");
}

#[test]
fn a_cover_that_came_late_is_received_with_its_scan() {
    let office = Office::new();
    let claim = office.claim("E01", NO[0], &[(Category::COURIER, "2026-03-05", 1_000, 1_000)]);
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    let auditor = Browser::of(&office, "A01");
    let envelope = auditor.send("/audit/receive", &[("scan", "HZ-202603-B")]);
    auditor.answer(&pages::visit::Visit::to(&format!("{envelope}/end")).sending(&[]));
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "missing_paper");
    auditor.send(&format!("{envelope}/scan"), &[("scan", NO[0])]);
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "received");
}

#[test]
fn a_claim_is_audited_by_groups_and_an_exception_takes_an_amount_and_a_reason() {
    let office = Office::new();
    let entries = [
        (Category::COURIER, "2026-03-05", 1_000, 1_000),
        (Category::COURIER, "2026-03-06", 1_100, 1_100),
        (Category::TOOLS, "2026-03-06", 5_000, 5_000),
    ];
    let claim = office.claim("E01", NO[0], &entries);
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --all --as A01");
    let auditor = Browser::of(&office, "A01");
    assert!(auditor.get("/audit").contains(NO[0]) && auditor.get("/audit").contains("2026-03-25"));
    let at = format!("/audit/{}", part(&claim.to_string()));
    let page = auditor.get(&at);
    assert!(page.contains("data-key=\" \"") && page.contains("data-key=\"2\""), "{page}");
    let groups =
        office.desk().story(NO[0], &office_seats(&office), "2026-03-20".parse().unwrap()).unwrap().groups();
    assert!(groups.iter().any(|group| group == &[1, 2]) && groups.contains(&vec![3]), "{groups:?}");
    let next = auditor.send(&format!("{at}/ok"), &[("line", "1"), ("line", "2"), ("at", "0")]);
    assert!(next.ends_with("?at=1"), "{next}");
    let why = [("reason", "not_business"), ("note", "half of it is private")];
    let cut = [("line", "3"), ("at", "1"), ("payable", "60.00"), why[0], why[1]];
    assert!(auditor.refused(&format!("{at}/cut"), &cut).contains("H-21"));
    let next = auditor.send(&format!("{at}/cut"), &[cut[0], cut[1], ("payable", "40"), why[0], why[1]]);
    assert!(next.ends_with("?at=end"), "{next}");
    assert!(auditor.get(&next).contains("Not business: half of it is private"));
    let open = office.done(&format!("claim show {}", NO[0]));
    let acks: Vec<(String, String)> = open["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| ("ack".to_owned(), alert["rule"].as_str().unwrap().to_owned()))
        .collect();
    let acks: Vec<(&str, &str)> = acks.iter().map(|(name, rule)| (name.as_str(), rule.as_str())).collect();
    auditor.send(&format!("{at}/done"), &acks);
    let shown = office.done(&format!("claim show {}", NO[0]));
    assert_eq!((&shown["state"], &shown["payable_total_fen"]), (&"audited".into(), &6_100.into()));
}

fn office_seats(office: &Office) -> Vec<crate::money::seats::Seat> {
    let mut desk = office.desk();
    let staff = desk.people().unwrap().by_code("A01").unwrap().0;
    desk.seats(staff, "2026-03-20".parse().unwrap()).unwrap()
}

#[test]
fn a_page_and_a_picture_of_a_claim_are_for_those_who_read_it() {
    let office = Office::new();
    let claim = office.claim("E01", NO[0], &[(Category::COURIER, "2026-03-05", 1_000, 1_000)]);
    let at = format!("/claims/{}", part(&claim.to_string()));
    for reads in ["E01", "S01", "G01", "A01", "M01", "V01", "F01"] {
        assert!(Browser::of(&office, reads).get(&at).contains(NO[0]), "{reads}");
    }
    for stranger in ["E02", "S02", "G02"] {
        assert_eq!(Browser::of(&office, stranger).status(&at), 404, "{stranger}: as if it were not there");
    }
    let nothing = format!("{at}/files/{}", "ab".repeat(32));
    assert_eq!(Browser::of(&office, "A01").status(&nothing), 404);
    assert_eq!(Browser::of(&office, "E01").status("/audit"), 403);
}
