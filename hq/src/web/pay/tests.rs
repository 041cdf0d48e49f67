//! Finance pays in four steps, and what the bank answers is read from its file.

use pages::reply::Body;
use pages::visit::Visit;
use records::kinds::voucher::Category;

use crate::cli::testing::Office;
use crate::web::testing::{Browser, text};

const NO: [&str; 2] = ["HZC-E01-2026-0001", "HZC-E02-2026-0001"];

/// Two claims at finance's door.
fn at_the_door() -> Office {
    let office = Office::new();
    let entry = [(Category::COURIER, "2026-03-05", 9_000, 9_000)];
    let claims = [office.claim("E01", NO[0], &entry), office.claim("E02", NO[1], &entry)];
    office.batch("HZ-202603-B", &[(claims[0], NO[0]), (claims[1], NO[1])]);
    office.done("batch receive HZ-202603-B --all --as A01");
    for no in NO {
        office.done(&format!("audit done {no} --as A01"));
        office.done(&format!("approve {no} --as M01"));
        office.done(&format!("audit hand-over {no} --as A01"));
    }
    office.account("E01", "6222020200112233445");
    office.account("E02", "6222020200112233446");
    office
}

#[test]
fn what_waits_is_taken_in_approved_by_a_second_person_exported_and_confirmed_by_the_banks_file() {
    let office = at_the_door();
    let finance = Browser::of(&office, "F01");
    let page = finance.get("/pay");
    assert!(page.contains("180.00") && page.contains("2026-03-27"), "{page}");
    assert_eq!(finance.send("/pay/draft", &[("accept", "1")]), "/pay/PAY-202603-001?done=drafted");
    let at = "/pay/PAY-202603-001";
    assert!(finance.get(at).contains("Wang"));
    assert!(finance.refused(&format!("{at}/approve"), &[]).contains("H-12"));
    let second = Browser::of(&office, "F02");
    second.send(&format!("{at}/approve"), &[]);
    let reply = finance.answer(&Visit::to(&format!("{at}/export")).sending(&[("form", "csv")]));
    assert!(matches!(&reply.body, Body::File { save_as: Some(name), .. } if name == "PAY-202603-001.csv"));
    let file = text(reply);
    assert!(file.contains("6222020200112233445") && file.contains(NO[0]), "{file}");
    let again = finance.answer(&Visit::to(&format!("{at}/export")).sending(&[("form", "csv")]));
    assert_eq!(text(again), file, "whoever lost it gets the same one again");
    let half = format!("用途,结果\n{},成功\n", NO[0]);
    let refused = finance.upload(&format!("{at}/result"), &[], ("file", half.as_bytes()));
    assert!(refused.status == 422 && text(refused).contains("H-19"));
    let answer = format!("用途,结果,原因\n{},成功,\n{},失败,户名不符\n", NO[0], NO[1]);
    let done = finance.upload(&format!("{at}/result"), &[], ("file", answer.as_bytes()));
    assert!(matches!(&done.body, Body::Go(to) if to.ends_with("payment_part_failed")), "{done:?}");
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "paid");
    assert!(finance.get(at).contains("户名不符"));
    assert!(finance.get("/pay").contains("90.00"), "what failed may stand in another batch");
}

#[test]
fn while_finance_is_closed_the_page_says_when_it_opens() {
    let mut office = Office::new();
    office.now = "2026-03-30T10:00:00+08:00";
    let finance = Browser::of(&office, "F01");
    assert!(finance.get("/pay").contains("2026-04-10"));
    assert!(finance.refused("/pay/draft", &[("accept", "1")]).contains("P-24"));
    assert_eq!(Browser::of(&office, "A01").status("/pay"), 403);
}
