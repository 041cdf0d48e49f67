//! The chain of decisions.

use crate::cli::stories::NO;
use crate::cli::testing::Office;

#[test]
fn a_trail_that_was_changed_cut_or_reordered_is_found_with_its_first_line() {
    let office = Office::new();
    office.with_finance("E01", NO[0], 1_000);
    let file = office.file("trail.jsonl");
    let exported = office.done(&format!("trail export --out {file}"));
    let n = exported["decisions"].as_u64().unwrap();
    assert!(n >= 12, "{exported}");
    let check = |text: &str, line: &str, key: &str| {
        let other = office.file("other.jsonl");
        std::fs::write(&other, text).unwrap();
        let fault = office.ask(&["trail", "verify", &other]).unwrap_err();
        assert_eq!((fault.key.as_ref(), fault.facts[0].1.as_str()), (key, line), "{key}");
    };
    assert_eq!(office.done(&format!("trail verify {file}"))["decisions"], n);
    let key = exported["key"].as_str().unwrap();
    assert_eq!(office.done(&format!("trail verify {file} --key {key}"))["last"], exported["last"]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("\"by\":{\"code\":\"M01\",\"name\":\"Ma\"}")
            && text.contains("\"step\":\"mgr_approve\""),
        "{text}"
    );
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut changed = lines.clone();
    let forged = lines[4].replace("S01", "S02");
    changed[4] = &forged;
    if forged != lines[4] {
        check(&joined(&changed), "5", "hq.trail.changed");
    }
    let spaced = lines[6].replace("\"n\":7", "\"n\": 7");
    let mut changed = lines.clone();
    changed[6] = &spaced;
    check(&joined(&changed), "7", "hq.trail.changed");
    let mut removed = lines.clone();
    removed.remove(2);
    check(&joined(&removed), "3", "hq.trail.out_of_place");
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    check(&joined(&swapped), "2", "hq.trail.out_of_place");
    check(&joined(&lines[..lines.len() - 1]), &n.to_string(), "hq.trail.cut_off");
    check(&joined(&lines[..3]), "3", "hq.trail.cut_off");
    check(&text[..text.len() - 5], &(n + 1).to_string(), "hq.trail.not_a_line");
    check(&format!("{text}{{}}\n"), &(n + 2).to_string(), "hq.trail.behind");
    // The last decisions taken off, under the old seal.
    let mut short = lines.clone();
    short.remove(lines.len() - 2);
    check(&joined(&short), &(n - 1).to_string(), "hq.trail.cut_off");
    let other = Office::new();
    let foreign = other.ask(&["trail", "verify", &file]).unwrap_err();
    assert_eq!(foreign.key, "hq.trail.seal");
}
