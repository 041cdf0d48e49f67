//! Policies and calendars that are loaded, and files that are not.

use records::kinds;
use records::kinds::number;

use crate::money::bench::{Bench, NOW_MS, today};
use crate::money::load::LoadError;

#[test]
fn a_version_counts_from_its_day_and_its_name_is_taken_once() {
    let mut bench = Bench::new();
    let load = |bench: &mut Bench, text: &str, from: &str| {
        bench.desk.transact(|desk| desk.load_policy(text, from.parse().unwrap(), NOW_MS))
    };
    let own = "version = \"2026/1\"\n[sla]\naudit_wd = 5\n";
    assert_eq!(load(&mut bench, own, "2026-11-01").unwrap().sla.audit_wd, 5);
    assert_eq!(load(&mut bench, "version = \"2027/1\"\n", "2027-01-01").unwrap().version, "2027/1");
    let terms = bench.desk.terms().unwrap();
    assert_eq!(terms.in_force.policy(today()).version, "2026/1");
    assert_eq!(terms.in_force.versions().count(), 3);
    let again = load(&mut bench, own, "2026-12-01");
    assert!(matches!(again, Err(LoadError::SameVersion { version }) if version == "2026/1"));
    assert!(matches!(load(&mut bench, "", "2026-12-01"), Err(LoadError::SameVersion { .. })));
    let wrong = load(&mut bench, "version = \"x\"\n[sla]\naudit_days = 5\n", "2026-12-01");
    assert!(
        matches!(wrong, Err(LoadError::Policy(error)) if (error.line, error.key.as_str()) == (3, "sla.audit_days"))
    );
}

#[test]
fn a_year_of_the_calendar_is_loaded_and_put_right_by_loading_it_again() {
    let mut bench = Bench::new();
    let load = |bench: &mut Bench, text: &str| bench.desk.transact(|desk| desk.load_calendar(text, NOW_MS));
    let file = r#"{"year": 2027, "days": [{"date": "2026-12-31", "name": "元旦", "isOffDay": true},
        {"date": "2027-01-02", "isOffDay": false}]}"#;
    let (years, done) = load(&mut bench, file).unwrap();
    assert_eq!((years, done.added), (vec![2027], 1));
    let works = |bench: &mut Bench, day: &str| {
        bench.desk.terms().unwrap().in_force.calendar.is_working(day.parse().unwrap())
    };
    assert_eq!([works(&mut bench, "2026-12-31"), works(&mut bench, "2027-01-02")], [false, true]);
    let (_, done) = load(&mut bench, file).unwrap();
    assert_eq!((done.added, done.changed, done.already), (0, 0, 1));
    let (_, done) = load(&mut bench, r#"{"2027": {"holidays": ["2027-01-01"]}}"#).unwrap();
    assert_eq!((done.added, done.changed), (0, 1));
    assert_eq!([works(&mut bench, "2026-12-31"), works(&mut bench, "2027-01-01")], [true, false]);
    let wrong = load(&mut bench, r#"{"2027": {"holidays": ["2027-02-30"]}}"#);
    assert!(matches!(wrong, Err(LoadError::Calendar(_))));
    assert!(load(&mut bench, r#"{"year": 2028, "days": []}"#).unwrap().0.is_empty());
}

#[test]
fn ceilings_accounts_and_delegations_are_taken_row_by_row() {
    let mut bench = Bench::new();
    let check = |bench: &mut Bench, kind: &str, table: &str, rules: &[&str]| {
        let kind = kinds::by_name(kind).unwrap();
        let done = bench.desk.transact(|desk| desk.import(table.as_bytes(), kind, NOW_MS)).unwrap();
        let found: Vec<&str> = done.refused.iter().map(|refusal| refusal.reason.rule()).collect();
        assert_eq!(found, rules, "{:?}", done.refused);
        done
    };
    let caps = "code,unit,category,amount,valid_from,valid_to\nK1,C1,phone,150.00,2026-01-01,\n\
                K2,C9,phone,150.00,2026-01-01,\nK3,C1,phone,-1.00,2026-01-01,\n\
                K4,C1,phone,150.00,2026-01-01,2025-12-31\nK5,C1,,150.00,2026-01-01,\n";
    assert_eq!(check(&mut bench, "cap", caps, &["I-20", "I-23", "I-21", "I-05"]).added, 1);
    let terms = bench.desk.terms().unwrap();
    assert_eq!(terms.caps.len(), 1);
    assert!(terms.people.units.values().any(|unit| unit.lump_sum && unit.supervisor.is_some()));
    let accounts =
        "code,account_name,account_no,bank_name\nE01,Wang,6222 0000 1111,ICBC\nE99,Nobody,1,ICBC\n";
    assert_eq!(check(&mut bench, "account", accounts, &["I-20"]).added, 1);
    let account = bench.desk.store.numbered(number::ACCOUNT, "E01").unwrap().unwrap();
    let record = bench.desk.record(account).unwrap().unwrap();
    let staff = record.get::<records::kinds::account::AccountOf>().unwrap().staff.unwrap();
    assert_eq!(staff.doc(), Some(bench.staff("E01")), "the row names its person once");
    let given = "from,to,valid_from,valid_to,reason\nG01,S01,2026-11-01,2026-12-30,leave\n\
                 G01,S01,2026-11-01,2026-12-31,leave\nG01,G01,2026-11-01,2026-11-02,leave\n\
                 G01,C1,2026-11-01,2026-11-02,leave\nG01,S01,2026-11-02,2026-11-01,leave\n";
    assert_eq!(check(&mut bench, "delegation", given, &["I-21", "I-22", "I-20", "I-21"]).added, 1);
}
