//! The keys of every `--json` answer stand in `docs/CLI.md`, and no others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::testing::{Device, NOW, enrolment};

/// Below these the names are the schema's.
const BY_SCHEMA: [&str; 9] =
    ["fields", "lists", "verdicts", "from", "to", "groups", "states", "steps", "notices"];

fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if BY_SCHEMA.contains(&name.as_str()) {
                    found.insert(below);
                } else {
                    keys(member, &below, found);
                }
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| keys(item, &format!("{path}[]"), found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// Returns the keys that the document lists for a command.
fn listed(command: &str) -> BTreeSet<String> {
    let document = include_str!("../../docs/CLI.md");
    let start = format!("| {command} |");
    let row = document.lines().find_map(|line| line.strip_prefix(&start));
    let row = row.unwrap_or_else(|| panic!("{command} is not in docs/CLI.md"));
    row.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// Asserts that an answer has the keys that the document lists.
pub(crate) fn check(command: &str, answer: &Value) {
    let mut found = BTreeSet::new();
    keys(answer, "", &mut found);
    assert_eq!(found, listed(command), "{command}: {answer:#}");
}

#[test]
fn every_answer_has_the_keys_that_the_document_lists() {
    let device = Device::empty();
    check("`enrol`", &device.json(&["enrol", &enrolment(7).to_code()]));
    let made = device.json(&["sheet", "new", "repair", "--set", "product=Pump", "--set", "result=done"]);
    check("`sheet new`", &made);
    let code = made["code"].as_str().unwrap();
    check("(error)", &device.json(&["sheet", "seal", code]));
    check(
        "`sheet set`",
        &device.json(&["sheet", "set", code, "arrived=2026-11-22 08:00", "left=2026-11-22 09:00"]),
    );
    check("`sheet add`", &device.json(&["sheet", "add", code, "note", "hello"]));
    device.done(&["sheet", "add", code, "tag", "leak"]);
    let remove = ["sheet", "remove", code, "tag", "leak"];
    check("`sheet remove`", &device.json(&remove));
    check("`sheet seal`", &device.json(&["sheet", "seal", code, "--no-sign", "absent"]));
    let stick = tempfile::tempdir().unwrap();
    let bundle = stick.path().join("work.fbw").display().to_string();
    check("`bundle write`", &device.json(&["bundle", "write", &bundle]));
    check("`sheet list`", &device.json(&["sheet", "list", "--since", "2026-11-22", "--limit", "5"]));
    check("`sheet show`", &device.json(&["sheet", "show", code]));
    check("`sheet history`", &device.json(&["sheet", "history", code]));
    let amended = device.json(&["sheet", "amend", code, "--reason", "wrong"]);
    check("`sheet amend`", &amended);
    check("`sheet void`", &device.json(&["sheet", "void", amended["code"].as_str().unwrap()]));
    let voucher = device.json(&[
        "voucher",
        "add",
        "--category",
        "meal",
        "--amount",
        "3",
        "--date",
        "2026-11-22",
        "--sheet",
        code,
    ]);
    check("`voucher add`", &voucher);
    let set = ["voucher", "set", voucher["code"].as_str().unwrap(), "amount=4"];
    check("`voucher set`", &device.json(&set));
    check("`voucher discard`", &device.json(&["voucher", "discard", voucher["code"].as_str().unwrap()]));
    let scanned =
        device.run_with(&["voucher", "scan", "--json"], "01,32,,25152000009858579102,56.00,20250302,,D263\n");
    check("`voucher scan`", &serde_json::from_str(&scanned.out).unwrap());
    for question in crate::cli::policy::QUESTIONS {
        let answer = device.json(&[&["policy", "explain"][..], question].concat());
        check(&format!("`policy explain {}`", question[0]), &answer);
    }
    check("`doctor`", &device.json(&["doctor"]));
    check("`rebuild`", &device.json(&["rebuild"]));
    let backup = device.dir.path().join("backup");
    check("`backup`", &device.json(&["backup", backup.to_str().unwrap()]));
    check("`status`", &device.json(&["status"]));
    check("`schema`", &device.json(&["schema"]));
    check("`schema KIND`", &device.json(&["schema", "repair"]));
    let file = device.dir.path().join("rows.csv");
    std::fs::write(&file, "product,charge\nPump,3\nFan,x\n").unwrap();
    check("`import`", &device.json(&["import", file.to_str().unwrap(), "--kind", "repair"]));
    let out = device.dir.path().join("out.csv");
    check("`export`", &device.json(&["export", "--kind", "repair", "--out", out.to_str().unwrap()]));
    let again = Device::empty();
    check("`restore`", &again.json(&["restore", backup.to_str().unwrap()]));
    check("`sync`", &crate::cli::sync::answer(&crate::sync::report::SyncReport::default()));
}

#[test]
fn claims_and_trip_summaries_have_the_keys_that_the_document_lists() {
    let enrolment = sync_protocol::enrolment::Enrolment { claim_lease: Some((1, 1)), ..enrolment(7) };
    let device = Device::enrolled(&enrolment);
    let add = |category, date| {
        let words = ["voucher", "add", "--category", category, "--amount", "3", "--date", date];
        device.json(&words)["code"].as_str().unwrap().to_owned()
    };
    add("phone", "2026-11-10");
    add("meal", "2026-11-10");
    add("phone", "2026-09-10");
    check("`trip set`", &device.json(&["trip", "set", "2026-11-H1", "2026-11-10", "nights=1"]));
    check("`trip show`", &device.json(&["trip", "show", "2026-11-H1"]));
    let drafted = device.json(&["claim", "draft", "2026-11-H1", "--from-half", "2026-09-H1"]);
    check("`claim draft`", &drafted);
    let code = drafted["code"].as_str().unwrap();
    check("`claim check`", &device.json(&["claim", "check", code]));
    device.done(&["claim", "remove", code, "--line", "2"]);
    check("`claim submit`", &device.json(&["claim", "submit", code]));
    let ask = ["claim", "exception", code, "--kind", "other", "--reason", "x"];
    check("`claim exception`", &device.json(&ask));
    check("`claim show`", &device.json(&["claim", "show", code]));
}

#[test]
fn conflicts_and_refused_ops_have_the_keys_that_the_document_lists() {
    use crate::notebook::{conflict, quarantine};
    use records::kinds::repair::REPAIR;
    use records::time::{Ts, Zone};
    let op: records::id::OpId = "7.1.2".parse().unwrap();
    let at = Ts::parse(NOW, Zone::SHANGHAI).unwrap();
    let open = conflict::Open {
        id: "7.1.1".parse().unwrap(),
        kind: &REPAIR,
        number: String::new(),
        group: REPAIR.group(53).unwrap(),
        hash: "00".to_owned(),
        soft: false,
        values: vec![conflict::Candidate {
            op,
            by: "x".to_owned(),
            device: op.replica,
            at,
            rows: Vec::new(),
        }],
    };
    let answer = Value::from(vec![crate::cli::conflict::conflict_json(&open, Zone::SHANGHAI)]);
    check("`conflict list`", &answer);
    let held = quarantine::Held {
        op,
        id: None,
        kind: "repair",
        at: None,
        groups: Vec::new(),
        code: None,
        text: String::new(),
        retryable: false,
    };
    let answer = Value::from(vec![crate::cli::quarantine::held_json(&held, Zone::SHANGHAI)]);
    check("`quarantine list`", &answer);
}
