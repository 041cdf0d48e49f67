//! The pages of jobs, asked as a browser asks.

use crate::cli::testing::Office;
use crate::web::testing::Browser;

fn office() -> Office {
    let office = Office::new();
    office.import("staff", "code,name,unit,roles\nD01,Dong,HZC,dispatcher\nK01,Kang,CO,desk\n");
    office.import("customer", "code,name\nK1,杭州第一医院\n");
    office.import("site", "code,customer,name\nS1,K1,Boiler room\n");
    office
}

/// Opens a job for E01 and returns its address.
fn opened(desk: &Browser, more: &[(&str, &str)]) -> String {
    let mut fields =
        vec![("named", "Pump & Co"), ("type", "repair"), ("assignee", "E01"), ("instructions", "leaks")];
    fields.extend(more);
    let to = desk.send("/jobs/new", &fields);
    to.strip_suffix("?done=job_open").unwrap().to_owned()
}

#[test]
fn a_customer_is_found_by_initials_and_his_job_stands_on_the_board() {
    let office = office();
    let desk = Browser::of(&office, "K01");
    let found = desk.get("/jobs/new?q=hzdy");
    assert!(found.contains("杭州第一医院"), "{found}");
    let (_, rest) = found.split_once("/jobs/new?customer=").unwrap();
    let customer = rest.split('"').next().unwrap();
    let form = desk.get(&format!("/jobs/new?customer={customer}"));
    assert!(form.contains("Boiler room"), "{form}");
    let times = [("from", "2026-03-20T14:00"), ("to", "2026-03-20T16:00")];
    let fields = [("customer", customer), ("type", "repair"), ("assignee", "E01"), times[0], times[1]];
    desk.send("/jobs/new", &fields);
    let board = desk.get("/jobs");
    assert!(board.contains("J20260320-001") && board.contains("Wang E01"), "{board}");
    assert!(!desk.get("/jobs?day=2026-03-21").contains("J20260320-001"));
}

#[test]
fn what_is_missing_is_said_and_what_was_typed_stays() {
    let office = office();
    let desk = Browser::of(&office, "K01");
    let page =
        desk.refused("/jobs/new", &[("named", "Pump & Co"), ("type", "repair"), ("instructions", "leaks")]);
    assert!(
        page.contains("Choose who goes") && page.contains("leaks") && page.contains("Pump &amp; Co"),
        "{page}"
    );
    let times = [("from", "2026-03-20T14:00"), ("to", "2026-03-20T13:00")];
    let fields = [("named", "x"), ("type", "repair"), ("assignee", "E01"), times[0], times[1]];
    assert!(desk.refused("/jobs/new", &fields).contains("ends before it begins"));
    assert!(!desk.get("/jobs?day=unplanned").contains("J20260320"), "nothing was opened");
}

#[test]
fn a_job_is_given_to_somebody_else_and_cancelled_with_a_reason_by_a_dispatcher_only() {
    let office = office();
    let (desk, dispatcher) = (Browser::of(&office, "K01"), Browser::of(&office, "D01"));
    let job = opened(&desk, &[]);
    desk.send(&format!("{job}/give"), &[("assignee", "E02")]);
    assert!(desk.get(&job).contains("Li E02"));
    desk.refused(&format!("{job}/cancel"), &[("reason", "not wanted")]);
    dispatcher.refused(&format!("{job}/cancel"), &[]);
    dispatcher.send(&format!("{job}/cancel"), &[("reason", "not wanted")]);
    assert!(desk.get(&job).contains("Cancelled"));
    desk.refused(&format!("{job}/give"), &[("assignee", "E01")]);
}

#[test]
fn a_supervisor_sees_the_jobs_of_his_own_branch() {
    let office = office();
    let desk = Browser::of(&office, "K01");
    let job = opened(&desk, &[]);
    assert!(Browser::of(&office, "S01").get("/jobs?day=unplanned").contains("J20260320-001"));
    let other = Browser::of(&office, "S02");
    assert!(!other.get("/jobs?day=unplanned").contains("J20260320-001"));
    assert_eq!(other.status(&job), 404);
    assert_eq!(Browser::of(&office, "E01").status("/jobs"), 403);
}
