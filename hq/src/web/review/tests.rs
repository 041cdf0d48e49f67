//! A supervisor counts and approves, a GM approves what is clean at once.

use std::collections::BTreeSet;

use pages::visit::part;
use records::kinds::voucher::Category;

use crate::cli::testing::Office;
use crate::web::testing::Browser;

const NO: [&str; 2] = ["HZC-E01-2026-0001", "HZC-E02-2026-0001"];

/// A claim with nothing to say against it needs no work sheet: a phone bill is one.
fn submitted(office: &Office, steps: usize) -> [records::id::DocId; 2] {
    let entry = [(Category::COURIER, "2026-03-05", 5_000, 5_000)];
    [("E01", NO[0]), ("E02", NO[1])].map(|(staff, no)| office.claim_after(staff, no, &entry, steps))
}

#[test]
fn a_supervisor_counts_the_vouchers_and_the_next_claim_opens_itself() {
    let office = Office::new();
    let [first, second] = submitted(&office, 0);
    let supervisor = Browser::of(&office, "S01");
    let list = supervisor.get("/review");
    assert!(list.contains(NO[0]) && list.contains(NO[1]));
    assert!(!Browser::of(&office, "S02").get("/review").contains(NO[0]), "another branch");
    let at = format!("/review/{}", part(&first.to_string()));
    assert!(supervisor.get(&at).contains("review-count"));
    assert!(supervisor.refused(&format!("{at}/approve"), &[("vouchers", "2")]).contains("P-03"));
    let next = supervisor.send(&format!("{at}/approve"), &[("vouchers", "1")]);
    let at = format!("/review/{}", part(&second.to_string()));
    assert!(next.starts_with(&at), "{next}");
    let cut = [("vouchers", "1"), ("cut.1", "40"), ("why.1", "unreasonable"), ("note.1", "by bus")];
    supervisor.send(&format!("{at}/approve"), &cut);
    assert_eq!(office.done(&format!("claim show {}", NO[1]))["lines"][0]["sup_cut_fen"], 4_000);
}

#[test]
fn a_gm_sees_the_mailing_beside_those_before_and_approves_what_is_clean() {
    let office = Office::new();
    submitted(&office, 1);
    let gm = Browser::of(&office, "G01");
    let page = gm.get("/review");
    assert!(page.contains("2026-03-B") && page.contains("100.00"), "{page}");
    let claims: Vec<String> = NO.iter().map(|no| (*no).to_owned()).collect();
    let fields: Vec<(&str, &str)> = claims.iter().map(|no| ("claim", no.as_str())).collect();
    assert_eq!(gm.send("/review/clean", &fields), "/review?done=reviewed");
    assert_eq!(office.done(&format!("claim show {}", NO[1]))["state"], "gm_approved");
}

#[test]
fn a_claim_goes_back_with_its_line_and_reason() {
    let office = Office::new();
    let [first, _] = submitted(&office, 0);
    let at = format!("/review/{}/return", part(&first.to_string()));
    let supervisor = Browser::of(&office, "S01");
    supervisor.send(&at, &[("line", "1"), ("reason", "pasted_wrong"), ("note", "upside down")]);
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "returned");
}

#[test]
fn a_leader_who_stands_in_for_another_branchs_leader_reviews_both_in_the_office() {
    let mut office = Office::new();
    let [own, _] = submitted(&office, 0);
    let other = "NJC-E03-2026-0001";
    let entry = [(Category::COURIER, "2026-03-05", 5_000, 5_000)];
    let theirs = office.claim_after("E03", other, &entry, 0);
    assert!(!Browser::of(&office, "S01").get("/review").contains(other), "nobody asked him to");
    let table = "from,to,valid_from,valid_to,reason,granted_by\nS02,S01,2026-03-20,2026-03-21,leave,M01\n";
    office.import("delegation", table);
    let leader = Browser::of(&office, "S01");
    let list = leader.get("/review");
    assert!(list.contains(NO[0]) && list.contains(other), "{list}");
    let at = format!("/review/{}", part(&theirs.to_string()));
    assert!(leader.get(&at).contains("name=\"for\" value=\"S02\""));
    leader.send(&format!("{at}/approve"), &[("vouchers", "1"), ("for", "S02")]);
    assert_eq!(office.done(&format!("claim show {other}"))["state"], "sup_approved");
    leader.send(&format!("/review/{}/approve", part(&own.to_string())), &[("vouchers", "1")]);
    office.now = "2026-03-23T10:00:00+08:00";
    assert!(!Browser::of(&office, "S01").get("/review").contains(other));
}

#[test]
fn a_list_that_is_longer_than_a_page_goes_on_and_its_pages_hold_every_claim_once() {
    let office = Office::new();
    let entry = [(Category::COURIER, "2026-03-05", 5_000, 5_000)];
    let no = |n: usize| format!("HZC-E01-2026-{n:04}");
    for n in 1..=52 {
        office.claim_after("E01", &no(n), &entry, usize::from(n > 1));
    }
    let listed = |page: &str| (1..=52).filter(|n| page.contains(&no(*n))).collect::<BTreeSet<_>>();
    assert_eq!(listed(&Browser::of(&office, "S01").get("/review")), BTreeSet::from([1]));
    let gm = Browser::of(&office, "G01");
    let (first, second) = (gm.get("/review"), gm.get("/review?from=50"));
    assert_eq!((listed(&first).len(), listed(&second).len()), (50, 1));
    assert_eq!(&listed(&first) | &listed(&second), (2..=52).collect());
    assert!(first.contains("from=50") && second.contains("from=0"));
    assert!(listed(&gm.get("/review?from=9999999999")).is_empty());
}
