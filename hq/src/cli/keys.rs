//! The keys of the answers about claims and money stand in `docs/CLI.md`, and no others.

use std::collections::{BTreeMap, BTreeSet};

use records::kinds::voucher::Category;
use serde_json::Value;

use crate::cli::testing::Office;

fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                keys(member, &below, found);
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

/// Returns the keys that the document lists for a command of headquarters.
fn listed(command: &str) -> BTreeSet<String> {
    let document = include_str!("../../../docs/CLI.md");
    let (_, office) = document.split_once("### Claims and money").unwrap();
    let start = format!("| {command} |");
    let row = office.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default();
    let keys = row.rsplit(" | ").next().unwrap_or_default();
    keys.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[derive(Default)]
struct Answers(BTreeMap<&'static str, BTreeSet<String>>);

impl Answers {
    fn take(&mut self, command: &'static str, answer: &Value) {
        keys(answer, "", self.0.entry(command).or_default());
    }
}

#[test]
fn every_answer_has_the_keys_that_the_document_lists() {
    let office = Office::new();
    let mut answers = Answers::default();
    let [one, two, three, four] = [1, 2, 3, 4].map(|n| format!("HZC-E01-2026-000{n}"));
    let entry = |fen| [(Category::COURIER, "2026-03-05", fen, fen)];
    let ids = [&one, &two, &three].map(|no| office.claim("E01", no, &entry(1_000)));
    office.claim_after("E01", &four, &entry(1_000), 0);
    answers.take("`review list`", &office.done("review list"));
    answers.take("no command", &office.all(&[]));
    let reviewed = office.done(&format!("review approve {four} --vouchers 1 --as S01"));
    answers.take("`review approve CLAIM`", &reviewed);
    office.batch("HZ-1", &[(ids[0], &one), (ids[1], &two), (ids[2], &three)]);
    answers.take("`batch list`", &office.done("batch list"));
    answers.take("`batch show BATCH`", &office.done("batch show HZ-1"));
    let file = office.file("lists.xlsx");
    let lists = office.done(&format!("batch manifest HZ-1 --out {file}"));
    answers.take("`batch manifest BATCH`", &lists);
    let received = office.done(&format!("batch receive HZ-1 --missing {two} --as A01"));
    answers.take("`batch receive BATCH`", &received);
    let hole = office.claim("E02", "HZC-E02-2026-0002", &entry(1_000));
    office.batch("HZ-2", &[(hole, "HZC-E02-2026-0002")]);
    answers.take("`batch receive BATCH`", &office.done("batch receive HZ-2 --as A01"));
    answers.take("`gaps`", &office.done("gaps"));
    let alarm = office.all(&["audit", "alarm", &one, "odd", "--as", "A01"]);
    answers.take("`audit alarm CLAIM TEXT`", &alarm);
    let code = alarm["code"].as_str().unwrap();
    let confirmed = office.all(&["alert", "confirm", code, "--reason", "true", "--as", "M01"]);
    answers.take("`alert confirm ALERT`", &confirmed);
    answers.take("`alert list`", &office.done("alert list"));
    let case = confirmed["case"].as_str().unwrap();
    answers.take("`case show CASE`", &office.done(&format!("case confirm {case} --as M01")));
    answers.take("`case list`", &office.done("case list"));
    let late =
        ["case", "propose", &one, "--kind", "false_claim", "--line", "1", "--evidence", "x", "--as", "A01"];
    let late = office.all(&late)["code"].as_str().unwrap().to_owned();
    office.done(&format!("case dismiss {late} --reason no --as M01"));
    let fines = office.file("fines.csv");
    answers.take("`case export`", &office.done(&format!("case export --out {fines}")));
    answers.take("`audit list`", &office.done("audit list"));
    let line = office.done(&format!("audit line {three} --line 1 --verdict ok --as A01"));
    answers.take("`audit line CLAIM`", &line);
    office.all(&["audit", "ask", &three, "why?", "--as", "A01"]);
    office.all(&["audit", "answer", &three, "so.", "--as", "A01"]);
    office.done(&format!("audit done {three} --ack A7 --ack A11 --as A01"));
    let done = office.done(&format!("audit done {one} --ack manual --ack A7 --ack A11 --as A01"));
    answers.take("`audit done CLAIM`", &done);
    office.done(&format!("approve {three} --ack A7 --ack A11 --as M01"));
    answers.take("`claim show CLAIM`", &office.done(&format!("claim show {one}")));
    answers.take("`claim show CLAIM`", &office.done(&format!("claim show {three}")));
    answers.take("`claim list`", &office.done("claim list"));
    answers.take("`due CLAIM`", &office.done(&format!("due {three}")));
    answers.take("`audit hand-over CLAIM…`", &office.done("audit hand-over --ready --as A01"));
    answers.take("`pay accept CLAIM…`", &office.done("pay accept --all --as F01"));
    answers.take("`pay batch`", &office.done("pay batch --as F01"));
    answers.take("`pay list`", &office.done("pay list"));
    answers.take("`pay show PAYMENT`", &office.done("pay approve PAY-202603-001 --as F02"));
    let bank = office.file("bank.csv");
    let exported = office.done(&format!("pay export PAY-202603-001 --out {bank} --as F01"));
    answers.take("`pay export PAYMENT`", &exported);
    answers.take("`pay confirm PAYMENT`", &office.done("pay confirm PAY-202603-001 --as F01"));
    let trail = office.file("trail.jsonl");
    answers.take("`trail export`", &office.done(&format!("trail export --out {trail}")));
    answers.take("`trail verify FILE`", &office.done(&format!("trail verify {trail}")));
    let mut wrong = String::new();
    for (command, mut found) in answers.0 {
        let all = found.clone();
        let within = |key: &str| {
            all.iter()
                .any(|other| other.starts_with(&format!("{key}.")) || other.starts_with(&format!("{key}[]")))
        };
        found.retain(|key| !within(key));
        if found != listed(command) {
            let keys: Vec<String> = found.iter().map(|key| format!("`{key}`")).collect();
            wrong.push_str(&format!("{command} {}\n", keys.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
