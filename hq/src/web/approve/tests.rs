//! The manager and the vice-president decide in two steps; alerts become cases, exceptions are granted.

use pages::visit::part;
use records::kinds::voucher::Category;

use crate::cli::testing::Office;
use crate::web::testing::{Browser, text};

const NO: &str = "HZC-E01-2026-0001";

/// A claim whose audit is done, above the vice-president's limit.
fn audited(office: &Office, fen: i64) -> String {
    let claim = office.claim("E01", NO, &[(Category::COURIER, "2026-03-05", fen, fen)]);
    office.batch("HZ-202603-B", &[(claim, NO)]);
    office.done("batch receive HZ-202603-B --all --as A01");
    let open = office.done(&format!("claim show {NO}"));
    let rules =
        open["alerts"].as_array().unwrap().iter().map(|alert| alert["rule"].as_str().unwrap().to_owned());
    let acks: Vec<String> = rules.flat_map(|rule| ["--ack".to_owned(), rule]).collect();
    let mut words = vec!["audit", "done", NO, "--as", "A01"];
    words.extend(acks.iter().map(String::as_str));
    office.all(&words);
    part(&claim.to_string())
}

#[test]
fn a_claim_above_the_limit_is_approved_by_manager_and_vice_president_on_one_screen_each() {
    let office = Office::new();
    let id = audited(&office, 210_000);
    let manager = Browser::of(&office, "M01");
    assert!(manager.get("/approve").contains(NO));
    let page = manager.get(&format!("/approve/{id}"));
    assert!(page.contains("step-mgr_approve") && page.contains("2000.00"), "{page}");
    let rules: Vec<(&str, &str)> =
        ["A3", "A4", "A6", "A7", "B3", "B4", "R4"].map(|rule| ("ack", rule)).to_vec();
    assert_eq!(manager.send(&format!("/approve/{id}/mgr_approve"), &rules), "/approve?done=decided");
    let vp = Browser::of(&office, "V01");
    assert!(vp.get("/approve").contains(NO) && !manager.get("/approve").contains(NO));
    assert!(vp.refused(&format!("/approve/{id}/vp_back"), &[]).contains("C-11"));
    vp.send(&format!("/approve/{id}/vp_approve"), &rules);
    assert_eq!(office.done(&format!("claim show {NO}"))["state"], "vp_approved");
    assert!(Browser::of(&office, "A01").get("/audit").contains("Hand over all (1)"));
    assert_eq!(Browser::of(&office, "A01").send("/audit/hand-over", &[]), "/audit?done=handed_over");
}

#[test]
fn a_delegate_opens_the_desk_of_his_principal_on_the_days_of_the_delegation() {
    let mut office = Office::new();
    let id = audited(&office, 10_000);
    assert_eq!(Browser::of(&office, "A02").status("/approve"), 403);
    let table = "from,to,valid_from,valid_to,reason,granted_by\nM01,A02,2026-03-20,2026-03-21,ill,V01\n";
    office.import("delegation", table);
    let delegate = Browser::of(&office, "A02");
    assert!(delegate.get("/").contains("href=\"/approve\""));
    let list = delegate.get("/approve");
    assert!(list.contains(NO), "{list}");
    let page = delegate.get(&format!("/approve/{id}"));
    assert!(page.contains("step-mgr_approve") && page.contains("name=\"for\" value=\"M01\""), "{page}");
    office.now = "2026-03-23T10:00:00+08:00";
    assert_eq!(Browser::of(&office, "A02").status("/approve"), 403);
}

#[test]
fn an_alarm_is_confirmed_and_its_case_too() {
    let office = Office::new();
    let id = audited(&office, 10_000);
    let auditor = Browser::of(&office, "A01");
    auditor.send(&format!("/audit/{id}/alarm"), &[("text", "<script>alert(1)</script> twice the same slip")]);
    let manager = Browser::of(&office, "M01");
    let page = manager.get("/approve/alerts");
    assert!(page.contains("twice the same slip") && !page.contains("<script>alert"), "{page}");
    let code = office
        .done("alert list --state open")
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["rule"] == "manual")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = [("step", "confirm"), ("reason", "seen"), ("kind", "non_compliant")];
    assert_eq!(
        manager.send(&format!("/approve/alerts/{code}"), &answer),
        "/approve/alerts?done=case_proposed"
    );
    let case = office.done("case list --state proposed")[0]["id"].as_str().unwrap().to_owned();
    assert!(manager.get("/approve/cases").contains("twice the same slip"));
    assert!(manager.refused(&format!("/approve/cases/{case}/dismiss"), &[]).contains("W-11"));
    manager.send(&format!("/approve/cases/{case}/confirm"), &[]);
    assert!(manager.get("/approve/cases").contains("20.00"));
    let fines = manager.answer(&pages::visit::Visit::to("/approve/cases/fines.xlsx"));
    assert!(text(fines).starts_with("PK"), "the list of fines is a workbook");
    assert_eq!(manager.status("/approve/7.1.999"), 404);
}
