//! G8: saving one by one, each on the disk before it counts.

use std::path::Path;

use serde_json::Value;

use crate::bench::table::{Goal, Table, grouped, median, millis};
use crate::bench::world::Bench;
use crate::bench::{ENGINEER, ROUNDS};
use crate::step::{Failed, Steps};

/// Saves every sheet by itself, in as many new homes as there are rounds; returns of each the median of a save and
/// all of them, in microseconds.
///
/// # Errors
/// [`Failed`], told already.
pub(crate) fn run(
    steps: &mut Steps<'_>,
    bench: &Bench,
    sheets: &Path,
    table: &mut Table,
) -> Result<Vec<(u64, u64)>, Failed> {
    let mut answers: Vec<Value> = Vec::new();
    for round in 0..bench.rounds(ROUNDS) {
        answers.push(measure(steps, bench, sheets, round)?);
    }
    let of = |name: &str| median(answers.iter().map(|answer| number(answer, name)).collect());
    let share = |over: &str, under: &str| {
        median(
            answers.iter().map(|answer| number(answer, over) * 100 / number(answer, under).max(1)).collect(),
        )
    };
    let n = of("saves");
    table.add(Goal::ratio(
        "G8",
        &format!("{} saves one by one, p50 against a bare append + fdatasync", grouped(n)),
        share("save_us", "append_us"),
        160,
    ));
    table.add(Goal::ratio(
        "G8",
        "the last thousand against the first",
        share("last_thousand_us", "first_thousand_us"),
        115,
    ));
    table.tell(
        "G8",
        "p50 of a save and of a bare append",
        &format!("{} and {}", millis(of("save_us")), millis(of("append_us"))),
    );
    Ok(answers.iter().map(|answer| (number(answer, "save_us"), number(answer, "all_us"))).collect())
}

/// Saves every sheet by itself in one new home, and returns what the measurement told.
///
/// # Errors
/// [`Failed`], told already.
fn measure(steps: &mut Steps<'_>, bench: &Bench, sheets: &Path, round: usize) -> Result<Value, Failed> {
    let world = bench.world(&format!("saves-{round}"))?;
    world.enrol("engineer", ENGINEER)?;
    let command = format!(
        "cargo bench --locked --package fieldbook --bench saves -- {} {} {}",
        world.home("engineer").display(),
        bench.tree.join("mappings/workload-sheets.toml").display(),
        sheets.display(),
    );
    let mut answer = None;
    steps.heard("saves", &[], &command, |line| answer = serde_json::from_str::<Value>(line).ok())?;
    answer.ok_or(Failed)
}

/// Returns a number of the answer; 0 where it has none.
fn number(answer: &Value, name: &str) -> u64 {
    answer.get(name).and_then(Value::as_u64).unwrap_or(0)
}
