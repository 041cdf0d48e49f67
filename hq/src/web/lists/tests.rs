//! Lists, records and search, asked as a browser asks.

use records::kinds::voucher::Category;

use crate::cli::testing::Office;
use crate::web::testing::Browser;

const LINE: [(Category, &str, i64, i64); 1] = [(Category::COURIER, "2026-03-05", 2_000, 2_000)];

fn office() -> Office {
    let office = Office::new();
    office.import("customer", "code,name\nK1,杭州第一医院\nK2,<script>alert(1)</script>\nK3,=cmd|calc\n");
    office
}

#[test]
fn a_list_is_filtered_by_its_address_and_taken_along_with_the_same_filters() {
    let office = office();
    let auditor = Browser::of(&office, "A01");
    let list = auditor.get("/lists/customer");
    assert!(list.contains("杭州第一医院") && list.contains("&lt;script&gt;alert(1)"), "{list}");
    assert!(!list.contains("<script>alert"));
    let few = auditor.get("/lists/customer?q=dyyy");
    assert!(few.contains("杭州第一医院") && !few.contains("cmd|calc"));
    let csv = auditor.get("/lists/customer/csv?q=dyyy");
    assert!(csv.starts_with('\u{feff}') && csv.contains("杭州第一医院") && csv.lines().count() == 2, "{csv}");
    assert!(auditor.get("/lists/customer/csv").contains("'=cmd|calc"), "no spreadsheet calculates a name");
    assert_eq!(auditor.get("/lists/customer?since=2026-03-21").matches("/records/").count(), 0);
    assert_eq!(auditor.status("/lists/customer?since=soon"), 404);
}

#[test]
fn a_state_that_is_none_is_refused_and_more_rows_stand_behind_a_link() {
    let office = office();
    let rows: String = (0..60).map(|n| format!("M{n:02},Customer {n:02}\n")).collect();
    office.import("customer", &format!("code,name\n{rows}"));
    let auditor = Browser::of(&office, "A01");
    let first = auditor.get("/lists/customer");
    assert_eq!(first.matches("<td><a href=\"/records/").count(), 50);
    assert!(first.contains("id=\"more\""));
    let rest = auditor.get("/lists/customer?from=50");
    assert_eq!(rest.matches("<td><a href=\"/records/").count(), 13);
    assert!(!rest.contains("id=\"more\""));
    assert_eq!(auditor.status("/lists/claim?state=flying"), 404);
}

#[test]
fn money_is_read_by_those_who_may() {
    let office = office();
    let claim = office.claim("E01", "C1-E01-2026-0001", &LINE);
    office.account("E01", "6222");
    let record = format!("/records/{claim}");
    let lists = |code: &str| Browser::of(&office, code).get("/lists/claim").contains("C1-E01-2026-0001");
    for (code, reads) in
        [("A01", true), ("F01", true), ("S01", true), ("E01", true), ("S02", false), ("E02", false)]
    {
        assert_eq!(lists(code), reads, "{code}");
        assert_eq!(Browser::of(&office, code).status(&record), if reads { 200 } else { 404 }, "{code}");
        let found = Browser::of(&office, code).get("/search?q=E01-2026").contains(&record);
        assert_eq!(found, reads, "{code} searches");
    }
    for (code, status) in [("F01", 200), ("A01", 403), ("S01", 403), ("E01", 403)] {
        let browser = Browser::of(&office, code);
        assert_eq!(browser.status("/lists/account"), status, "{code}");
        assert_eq!(browser.status("/lists/account/csv"), status, "{code}");
    }
}

#[test]
fn search_finds_numbers_codes_and_initials() {
    let office = office();
    let auditor = Browser::of(&office, "A01");
    for typed in ["hzdyyy", "%E7%AC%AC%E4%B8%80", "K1"] {
        assert!(auditor.get(&format!("/search?q={typed}")).contains("杭州第一医院"), "{typed}");
    }
    assert!(auditor.get("/search?q=nowhere").contains("Nothing found"));
}

#[test]
fn a_record_shows_its_values_its_decisions_and_who_wrote_what() {
    let office = office();
    let claim = office.claim("E01", "C1-E01-2026-0001", &LINE);
    let page = Browser::of(&office, "A01").get(&format!("/records/{claim}"));
    for said in ["C1-E01-2026-0001", "Wang", "20.00", "Submit", "Stands", "History"] {
        assert!(page.to_lowercase().contains(&said.to_lowercase()), "{said}: {page}");
    }
    assert_eq!(Browser::of(&office, "A01").status("/records/nonsense"), 404);
}
