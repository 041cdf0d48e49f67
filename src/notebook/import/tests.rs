//! Imports on a real store: what goes in, what is refused, what a second run does.

use records::kinds::staff::Role;
use records::kinds::{repair, site, voucher};

use super::*;
use crate::notebook::rows;
use crate::store::testing::{NOW, enrolment};

const SHEETS: &str = r#"
kind = "repair"
key = ["id"]
then = ["seal"]
[field]
arrived = "start"
left = "end"
result = { is = "done" }
no_sign_reason = { is = "remote" }
source = { is = "old system" }
source_id = "id"
amend_of = "of"
amend_reason = { is = "typing" }
"#;

fn home(roles: &[Role]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let mut enrolment = enrolment();
    enrolment.roles = roles.to_vec();
    let store = Store::create(dir.path(), &enrolment, NOW).unwrap();
    (dir, store)
}

fn take(store: &mut Store, file: &str, map: Option<&str>, kind: Option<&'static Kind>) -> Imported {
    let mapping = map.map(|map| Mapping::parse(map).unwrap());
    import(store, file.as_bytes(), Import { kind, mapping }, NOW).unwrap()
}

fn counts(done: &Imported) -> (u64, u64, u64, usize) {
    (done.read, done.added, done.already, done.refused.len())
}

const TWO: &str =
    "id,start,end,of\nA1,2026-01-05 08:00,2026-01-05 09:00,\nA2,2026-01-06 08:00,2026-01-06 09:00,\n";

#[test]
fn a_second_run_adds_nothing_and_a_longer_file_only_what_is_new() {
    let (_dir, mut store) = home(&[Role::ENGINEER]);
    assert_eq!(counts(&take(&mut store, TWO, Some(SHEETS), None)), (2, 2, 0, 0));
    assert_eq!(counts(&take(&mut store, TWO, Some(SHEETS), None)), (2, 0, 2, 0));
    let three = format!("{TWO}A3,2026-01-07 08:00,2026-01-07 09:00,\n");
    assert_eq!(counts(&take(&mut store, &three, Some(SHEETS), None)), (3, 1, 2, 0));
    assert_eq!(store.counts().unwrap().ops, 3, "a sealed sheet is one op");
    let mut sealed = 0;
    let each = &mut |document| {
        sealed += usize::from(crate::notebook::state::is_sealed(&repair::REPAIR, &document));
        std::ops::ControlFlow::Continue(())
    };
    store.each(Some(repair::REPAIR.number), each).unwrap();
    assert_eq!(sealed, 3);
}

#[test]
fn good_rows_go_in_and_each_bad_one_is_named() {
    let (_dir, mut store) = home(&[Role::ENGINEER]);
    let file = "id,start,end,of\n\
        A1,2026-01-05 08:00,2026-01-05 09:00,\n\
        A2,2026-01-06 08:00,2026-01-06 07:00,\n\
        A3,yesterday,2026-01-06 07:00,\n\
        A4,2026-01-08 08:00,2026-01-08 09:00,\n";
    let done = take(&mut store, file, Some(SHEETS), None);
    assert_eq!(counts(&done), (4, 2, 0, 2));
    let rule = |row: &RefusedRow| match &row.why {
        Why::Table(problem) => problem.rule,
        Why::Writing(refusal) => refusal.rule,
    };
    let named: Vec<_> = done.refused.iter().map(|row| (row.line, rule(row), row.field.as_str())).collect();
    assert_eq!(named, [(3, "S-02", "left"), (4, "I-06", "arrived")]);
    assert_eq!(store.counts().unwrap().documents, 2);
}

#[test]
fn a_parent_may_come_later_in_the_file_or_never() {
    let (_dir, mut store) = home(&[Role::ENGINEER]);
    let file = "id,start,end,of\n\
        A3,2026-01-07 08:00,2026-01-07 09:00,A2\n\
        A2,2026-01-06 08:00,2026-01-06 09:00,A1\n\
        A9,2026-01-08 08:00,2026-01-08 09:00,nowhere\n\
        A1,2026-01-05 08:00,2026-01-05 09:00,\n";
    assert_eq!(counts(&take(&mut store, file, Some(SHEETS), None)), (4, 4, 0, 0));
    let of = |id: &str| {
        let doc = store.imported(&key_of(&repair::REPAIR, &[id])).unwrap().unwrap();
        rows::value(&repair::REPAIR, &store.document(doc).unwrap().unwrap(), "amend_of")
    };
    let linked = |id: &str| {
        store.imported(&key_of(&repair::REPAIR, &[id])).unwrap().map(|doc| Value::Ref(Target::Doc(doc)))
    };
    assert_eq!(of("A3"), linked("A2"));
    assert_eq!(of("A2"), linked("A1"));
    assert_eq!(of("A9"), Some(Value::Ref(Target::Text("nowhere".into()))));
}

#[test]
fn refunds_are_taken_and_zero_is_refused() {
    let (_dir, mut store) = home(&[Role::ENGINEER]);
    let file = "amount,date,source\n-12.50,2026-01-05,city\n0,2026-01-05,city\n3.00,2026-01-05,city\n";
    let done = take(&mut store, file, None, Some(&voucher::VOUCHER));
    assert_eq!(counts(&done), (3, 2, 0, 1));
    assert_eq!(done.refused[0].line, 3);
    assert!(matches!(&done.refused[0].why, Why::Table(problem) if problem.rule == "V-05"));
}

#[test]
fn equal_rows_without_a_key_are_records_of_their_own() {
    let (_dir, mut store) = home(&[Role::ENGINEER]);
    let file = "amount,date,source\n3.00,2026-01-05,city\n3.00,2026-01-05,city\n";
    let done = take(&mut store, file, None, Some(&voucher::VOUCHER));
    assert_eq!((done.added, done.repeated), (2, 1));
    assert_eq!(counts(&take(&mut store, file, None, Some(&voucher::VOUCHER))), (2, 0, 2, 0));
}

#[test]
fn a_seal_needs_the_role_and_master_data_needs_headquarters() {
    let (_dir, mut store) = home(&[Role::FINANCE]);
    let done = take(&mut store, TWO, Some(SHEETS), None);
    assert_eq!(counts(&done), (2, 0, 0, 2));
    assert!(matches!(&done.refused[0].why, Why::Writing(refusal) if refusal.rule == "W-08"));
    let file = "code,name\nS1,Depot\n";
    let done = take(&mut store, file, None, Some(&site::SITE));
    assert!(matches!(&done.refused[0].why, Why::Writing(refusal) if refusal.rule == "W-12"));
    let mapping = Mapping::parse("kind = \"site\"\n[field]\ncode = \"code\"\n").unwrap();
    let request = Import { kind: None, mapping: Some(mapping) };
    let whole = import(&mut store, file.as_bytes(), request, NOW);
    assert!(
        matches!(whole, Err(ImportError::Notebook(NotebookError::Refused(refusal))) if refusal.rule == "W-12")
    );
}

#[test]
fn a_row_over_a_limit_stays_out_alone() {
    let (_dir, mut store) = home(&[Role::ENGINEER]);
    let note = "x".repeat(4000);
    let notes: Vec<String> = (0..6).map(|n| format!("{n}{}", &note[1..])).collect();
    let map =
        "kind = \"repair\"\n[field]\nproblem = \"p\"\n[[list.note]]\neach = \"n\"\nfield.text = \".\"\n";
    let file = format!(
        "{}\n{}\n",
        serde_json::json!({"p": "small", "n": ["one"]}),
        serde_json::json!({"p": "large", "n": notes}),
    );
    let done = take(&mut store, &file, Some(map), None);
    assert_eq!(counts(&done), (2, 1, 0, 1));
    assert!(matches!(&done.refused[0].why, Why::Writing(refusal) if refusal.rule == "W-19"));
    assert_eq!(done.refused[0].line, 2);
}
