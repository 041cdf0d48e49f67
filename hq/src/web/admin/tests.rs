//! The pages of administration, asked as a browser asks.

use pages::reply::Body;
use pages::visit::Visit;

use crate::cli::testing::Office;
use crate::web::testing::{Browser, text};

fn office() -> Office {
    let office = Office::new();
    office.import("staff", "code,name,unit,roles\nX01,Xu,CO,admin\n");
    office
}

/// Makes a code for somebody and returns the device's short id.
fn enrolled(admin: &Browser, staff: &str) -> String {
    let page = text(admin.answer(&Visit::to("/admin/devices/new").sending(&[("staff", staff)])));
    assert!(page.contains("<svg class=\"symbol\"") && page.contains("id=\"code\""), "{page}");
    let (_, rest) = page.split_once("Short id</dt><dd>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[test]
fn a_code_is_shown_once_as_a_symbol_and_its_device_waits_in_the_list() {
    let office = office();
    let admin = Browser::of(&office, "X01");
    let replica = enrolled(&admin, "E01");
    let list = admin.get("/admin/devices");
    assert!(list.contains(&replica) && list.contains("Wang") && list.contains("Pending"), "{list}");
    assert!(!list.contains("<svg class=\"symbol\""), "the secret is not shown again");
    let page = admin.refused("/admin/devices/new", &[("staff", "Z99")]);
    assert!(page.contains("role=\"alert\""), "{page}");
}

#[test]
fn a_device_is_revoked_with_a_reason_only_and_the_trail_says_who_and_why() {
    let office = office();
    let admin = Browser::of(&office, "X01");
    let replica = enrolled(&admin, "E01");
    let at = format!("/admin/devices/{replica}/revoke");
    admin.refused(&at, &[("reason", " ")]);
    assert!(admin.get("/admin/devices").contains("Pending"));
    assert_eq!(
        admin.send(&at, &[("reason", "fell into the river")]),
        format!("/admin/devices/{replica}?done=device")
    );
    admin.refused(&at, &[("reason", "again")]);
    assert!(admin.get("/admin/devices").contains("Revoked"));
    let trail = admin.get("/admin/trail");
    assert!(trail.contains(&format!("{replica} fell into the river (X01)")), "{trail}");
}

#[test]
fn each_act_on_these_pages_is_noted_with_who_did_it() {
    let office = office();
    let admin = Browser::of(&office, "X01");
    let [one, two, three] = [0, 1, 2].map(|_| enrolled(&admin, "E01"));
    let noted = || {
        let lines = office.desk().store.audit_lines(None, 1000).unwrap();
        lines.iter().filter(|line| line.what.starts_with("console") && line.about.ends_with("(X01)")).count()
    };
    assert_eq!(noted(), 3, "three codes");
    let reason = [("reason", "told by telephone")];
    let typed = [("password", "correct horse"), ("again", "correct horse")];
    let acts: [(String, &[(&str, &str)]); 6] = [
        // Before its holder is gone, for then it goes over by itself.
        (format!("devices/{three}/lease"), &reason),
        (format!("devices/{one}/revoke"), &reason),
        (format!("devices/{two}/lose"), &reason),
        (format!("devices/{three}/retire"), &reason),
        ("staff/A01/password".to_owned(), &typed),
        ("staff/A01/remove".to_owned(), &[]),
    ];
    for (n, (act, fields)) in (4..).zip(&acts) {
        admin.send(&format!("/admin/{act}"), fields);
        assert_eq!(noted(), n, "{act}");
    }
    let files = [
        ("policy/load", "version = \"2027/1\"\n[sla]\naudit_wd = 5\n"),
        ("calendar", "{\"2027\": {\"holidays\": [\"2027-01-01\"], \"makeup_workdays\": []}}"),
    ];
    for (n, (act, file)) in (10..).zip(files) {
        let reply = admin.upload(&format!("/admin/{act}"), &[], ("file", file.as_bytes()));
        assert!(matches!(reply.body, Body::Go(_)), "{act}: {:?}", reply.body);
        assert_eq!(noted(), n, "{act}");
    }
}

#[test]
fn only_an_administrator_opens_these_pages() {
    let office = office();
    for code in ["M01", "S01", "F01", "E01"] {
        let other = Browser::of(&office, code);
        for address in ["/admin", "/admin/devices", "/admin/staff/X01", "/admin/trail/file"] {
            assert_eq!(other.status(address), 403, "{code} {address}");
        }
        let sent = Visit::to("/admin/staff/X01/password").sending(&[("password", "correct horse")]);
        assert_eq!(other.answer(&sent).status, 403);
    }
}

#[test]
fn a_password_is_set_when_it_was_typed_twice_and_is_long_enough() {
    let office = office();
    let admin = Browser::of(&office, "X01");
    let typed = |a: &'static str, b: &'static str| [("password", a), ("again", b)];
    admin.refused("/admin/staff/A01/password", &typed("correct horse", "correct horze"));
    admin.refused("/admin/staff/A01/password", &typed("short", "short"));
    assert!(office.desk().login_of("A01").unwrap().is_none());
    admin.send("/admin/staff/A01/password", &typed("correct horse", "correct horse"));
    assert!(crate::logins::fits(office.desk().login_of("A01").unwrap().as_ref(), "correct horse"));
    admin.send("/admin/staff/A01/remove", &[]);
    assert!(office.desk().login_of("A01").unwrap().is_none());
}

#[test]
fn a_policy_is_looked_at_and_tried_without_a_trace_then_loaded_once() {
    let office = office();
    let admin = Browser::of(&office, "X01");
    let file = "version = \"2027/1\"\n[sla]\naudit_wd = 5\n";
    let upload =
        |act: &str, text: &str| admin.upload(&format!("/admin/policy/{act}"), &[], ("file", text.as_bytes()));
    let page = text(upload("check", file));
    assert!(page.contains("sla.audit_wd") && page.contains("name=\"text\""), "{page}");
    let reply = upload("check", "version = \"x\"\n[sla]\naudit_wd = \"five\"\n");
    assert_eq!(reply.status, 422);
    assert!(text(reply).contains("sla.audit_wd"));
    let page = text(upload("try", file));
    assert!(page.contains("id=\"trial\""), "{page}");
    assert!(!admin.get("/admin/policy").contains("2027/1"), "a look and a trial leave nothing");
    assert!(matches!(upload("load", file).body, Body::Go(to) if to == "/admin/policy?done=policy"));
    assert!(admin.get("/admin/policy").contains("2027/1"));
    assert_eq!(upload("load", file).status, 422, "the same version twice");
}

#[test]
fn a_trail_is_whole_until_a_line_of_it_is_changed() {
    let office = office();
    let line = (records::kinds::voucher::Category::COURIER, "2026-03-05", 2_000, 2_000);
    office.claim("E01", "C1-E01-2026-0001", &[line]);
    let admin = Browser::of(&office, "X01");
    let trail = admin.get("/admin/trail/file");
    let verify = |text: &str| admin.upload("/admin/trail/verify", &[], ("file", text.as_bytes())).status;
    assert!(trail.lines().count() > 1, "{trail}");
    assert_eq!(verify(&trail), 200);
    assert_eq!(verify(&trail.replacen("submit", "cancel", 1)), 422);
}
