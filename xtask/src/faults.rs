//! The fault tests, as often as asked for, and the table of what came of them.

use std::path::Path;

use crate::step::{Failed, Steps};

/// Runs every fault `times` as often as the tests do, and prints the table of docs/FAULTS.md.
///
/// # Errors
/// [`Failed`] where a fault cost something that nobody told.
pub(crate) fn run(tree: &Path, times: &str) -> Result<(), Failed> {
    let mut steps = Steps::new(tree);
    let mut rows = Vec::new();
    let command = "cargo test --locked --test faults -- --nocapture";
    let done = steps.heard("faults", &[("FIELDBOOK_FAULTS", times)], command, |line| rows.extend(row(line)));
    rows.sort();
    println!(
        "\n| fault | tried | detected | repaired | refused | harmless | lost |\n|---|---|---|---|---|---|---|"
    );
    for row in rows {
        println!("{row}");
    }
    steps.summary();
    done
}

/// Returns the row of the table that a line of the tests tells.
fn row(line: &str) -> Option<String> {
    line.strip_prefix("fault: ").map(|told| format!("| {told} |"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tests_is_a_row_and_others_are_none() {
        let told = "fault: database: cut off | 12 | 10 | 10 | 0 | 2 | 0";
        assert_eq!(row(told).as_deref(), Some("| database: cut off | 12 | 10 | 10 | 0 | 2 | 0 |"));
        assert_eq!(row("test flips::in_the_database ... ok"), None);
    }
}
