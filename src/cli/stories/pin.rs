//! A PIN as people meet it on the command line.

use crate::cli::keys::check;
use crate::cli::testing::Device;

const PIN: &str = "k7-Perlach";

#[test]
fn a_device_says_that_it_has_no_pin_until_it_has_one() {
    let device = Device::new();
    assert!(device.done(&["status"]).contains("fieldbook pin set"));
    assert!(device.done(&["doctor"]).contains("fieldbook pin set"));
    assert_eq!(device.run(&["pin", "unlock"]).exit, 1);
    let set = device.run_with(&["pin", "set", "--json"], &format!("{PIN}\n"));
    let set: serde_json::Value = serde_json::from_str(&set.out).unwrap();
    check("`pin set`, `pin rescue --answer`", &set);
    assert_eq!((&set["weak"], &set["pin_set"]), (&false.into(), &true.into()));
    let locked = device.run(&["status"]);
    assert_eq!((locked.exit, locked.out.as_str()), (5, ""));
    assert!(locked.err.contains("FIELDBOOK_PIN"), "{}", locked.err);
    let status = device.run_pin(PIN, &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["pin_set"], &status["unlocked_until"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(device.run_pin("k7-Perlacher", &["status"]).exit, 5);
    assert_eq!(device.run_pin(PIN, &["rebuild"]).exit, 0);
    let answer = |words: &[&str]| {
        let ran = device.run_pin(PIN, &[words, &["--json"]].concat());
        assert_eq!(ran.exit, 0, "{words:?}: {}", ran.err);
        serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()
    };
    check("`pin unlock`", &answer(&["pin", "unlock"]));
    check("`pin lock`", &answer(&["pin", "lock"]));
    let out = device.dir.path().join("request").display().to_string();
    check("`pin rescue --out`", &answer(&["pin", "rescue", "--out", &out]));
    check("`pin remove`", &answer(&["pin", "remove"]));
    assert_eq!(device.run(&["status"]).exit, 0);
}

#[test]
fn a_short_pin_is_refused_and_a_weak_one_is_told_what_it_costs_a_thief() {
    let device = Device::new();
    let short = device.run_with(&["pin", "set"], "123\n");
    assert!(short.exit == 1 && short.err.contains("[W-32]"), "{}", short.err);
    let none = device.run_with(&["pin", "set"], "");
    assert_eq!(none.exit, 5, "{}", none.err);
    let weak = device.run_with(&["pin", "set"], "4711\n");
    assert!(weak.exit == 0 && weak.err.contains("16 cores"), "{}", weak.err);
    assert!(!weak.err.contains("4711") && !weak.out.contains("4711"));
    let other = device.run_with(&["pin", "set"], "4711\nsix words that nobody ever guessed\n");
    assert!(other.exit == 0 && !other.err.contains("16 cores"), "{}", other.err);
    assert_eq!(device.run_pin("4711", &["status"]).exit, 5);
}

#[test]
fn the_fifth_wrong_pin_says_how_long_the_next_one_waits() {
    let device = Device::new();
    assert_eq!(device.run_with(&["pin", "set"], &format!("{PIN}\n")).exit, 0);
    for _ in 0..4 {
        let wrong = device.run_pin("0000", &["status"]);
        assert!(wrong.exit == 5 && wrong.err.contains("wrong"), "{}", wrong.err);
    }
    let fifth = device.run_pin("0000", &["status"]);
    assert!(fifth.exit == 5 && fifth.err.contains("30 seconds"), "{}", fifth.err);
    let early = device.run_pin(PIN, &["status"]);
    assert!(early.exit == 5 && early.err.contains("seconds"), "{}", early.err);
}
