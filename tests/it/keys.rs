//! The keys of answers that need several devices stand in `docs/CLI.md`, and no others.

use std::collections::BTreeSet;

use serde_json::Value;

/// Below these the names are numbers of claims or the schema's.
const FREE: [&str; 4] = ["explained", "told", "faults", "exceptions"];

fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if FREE.contains(&name.as_str()) {
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

/// Asserts that an answer of a device has the keys that the document lists, but for those below `none`: lists that are
/// empty here.
#[track_caller]
pub(crate) fn check(command: &str, answer: &Value, none: &[&str]) {
    let document = include_str!("../../docs/CLI.md");
    let start = format!("| {command} |");
    let row = document.lines().find_map(|line| line.strip_prefix(&start));
    let row = row.unwrap_or_else(|| panic!("{command} is not in docs/CLI.md"));
    let empty = |key: &str| none.iter().any(|name| key == *name || key.starts_with(&format!("{name}[]")));
    let listed = row.split('`').skip(1).step_by(2).filter(|key| !empty(key));
    let listed: BTreeSet<String> = listed.map(ToOwned::to_owned).collect();
    let mut found = BTreeSet::new();
    keys(answer, "", &mut found);
    found.retain(|key| !empty(key));
    assert_eq!(found, listed, "{command}: {answer:#}");
}
