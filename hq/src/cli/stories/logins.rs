//! Logins of the console, given and taken away.

use crate::cli::testing::Office;

#[test]
fn a_login_that_there_is_not_is_not_taken_away() {
    let office = Office::new();
    let remove = |staff| office.ask(&["user", "remove", "--staff", staff]);
    let none = |staff| remove(staff).unwrap_err();
    let fault = none("A01");
    assert_eq!((fault.code, fault.key.as_ref()), (crate::cli::answer::REFUSED, "hq.user.none"));
    assert!(fault.facts.contains(&("staff".to_owned(), "A01".to_owned())), "{:?}", fault.facts);
    assert_eq!(none("X99").key, "hq.staff.unknown");
    let hash = crate::logins::hash("a long password of six words").unwrap();
    let now = office.now_ms();
    office.desk().transact(|desk| desk.set_password("A01", hash, now)).unwrap();
    assert_eq!(office.done("user list")[0]["staff"], "A01");
    assert_eq!(remove("A01").unwrap().json["staff"], "A01");
    assert_eq!(office.done("user list"), serde_json::json!([]));
    assert_eq!(none("A01").key, "hq.user.none");
}
