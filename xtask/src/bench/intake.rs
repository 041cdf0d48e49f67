//! G11: how many sheets a second headquarters takes in, the line and its port apart.

use serde_json::Value;

use std::time::Duration;

use crate::bench::table::{Goal, Table, grouped, median, millis};
use crate::bench::world::Bench;
use crate::bench::{Data, ROUNDS, report};
use crate::step::{Failed, Steps};

/// Where sheets go, as the example names it and as the table does.
const PLACES: &[(&str, &str)] = &[
    ("nothing", "nothing stored"),
    ("sqlite", "SQLite"),
    ("sqlite, 16 at a time", "16 at a time"),
    ("postgres", "PostgreSQL"),
    ("postgres, 16 at a time", "16 at a time"),
];
const BUILD: &str = "cargo build --locked --release --package fieldbook-hq --example intake";

/// Measures all three in turns and returns the table.
///
/// # Errors
/// [`Failed`] where the example cannot be built or run.
pub(crate) fn run(
    steps: &mut Steps<'_>,
    bench: &Bench,
    data: &Data,
    goals: &mut Table,
) -> Result<String, Failed> {
    steps.command("build", &[], BUILD)?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let rounds = bench.rounds(ROUNDS);
    let command = format!("{target}/release/examples/intake {} {rounds}", data.sheets.display());
    let mut told: Vec<Value> = Vec::new();
    steps.heard("intake", &[], &command, |line| told.extend(serde_json::from_str::<Value>(line)))?;
    for (place, name, least) in [("sqlite", "SQLite", 200), ("postgres", "PostgreSQL", 120)] {
        let what = format!("HQ's intake on 2 cores against the same with nothing stored, {name}");
        goals.add(Goal::share("G11", &what, share(&told, place), least));
        let what = format!("p99 of a request of 200 sheets, {name}");
        let p99 = median(numbers(&told, place, "p99_us"));
        goals.add(Goal::time("G11", &what, p99, Duration::from_millis(25)));
    }
    let head = format!(
        "{} Rounds: {rounds}, of {} sheets each, all in turns.",
        report::machine(&bench.tree)?,
        grouped(numbers(&told, "nothing", "sheets").first().copied().unwrap_or(0)),
    );
    Ok(format!("{head}\n\n{}", table(&told)))
}

fn table(told: &[Value]) -> String {
    let names: Vec<&str> = PLACES.iter().map(|(_, name)| *name).collect();
    let mut text = format!(
        "| 200 sheets a request, two at a time | {} |\n|---|{}",
        names.join(" | "),
        "---|".repeat(PLACES.len())
    );
    let mut line = |what: &str, of: &dyn Fn(&str) -> String| {
        let cells: Vec<String> = PLACES.iter().map(|(place, _)| of(place)).collect();
        text += &format!("\n| {what} | {} |", cells.join(" | "));
    };
    line("sheets a second", &|place| grouped(median(per_s(told, place))));
    line("against nothing stored", &|place| {
        let thousandths = share(told, place);
        format!("{}.{:03}×", thousandths / 1000, thousandths % 1000)
    });
    line("a request, p50; p99", &|place| {
        let of = |name| millis(median(numbers(told, place, name)));
        format!("{}; {}", of("p50_us"), of("p99_us"))
    });
    line("CPU a sheet, the database's included", &|place| {
        let spent = numbers(told, place, "cpu_us").into_iter().zip(numbers(told, place, "sheets"));
        format!("{} µs", median(spent.map(|(us, sheets)| us / sheets.max(1)).collect()))
    });
    line("the database, bytes a sheet", &|place| {
        let last =
            told.iter().rfind(|line| line.get("bytes").is_some() && line.get("place") == Some(&place.into()));
        let number = |name| last.and_then(|line| line.get(name)?.as_u64());
        let each = number("bytes").zip(number("sheets")).map(|(bytes, sheets)| bytes / sheets.max(1));
        each.map_or_else(|| "–".to_owned(), grouped)
    });
    text
}

/// Returns the sheets a second of each round of one place.
fn per_s(told: &[Value], place: &str) -> Vec<u64> {
    let (took, sheets) = (numbers(told, place, "took_us"), numbers(told, place, "sheets"));
    took.iter().zip(sheets).map(|(took, sheets)| sheets * 1_000_000 / (*took).max(1)).collect()
}

/// Returns what of the sheets a second with nothing stored is taken in there, round by round, in thousandths.
fn share(told: &[Value], place: &str) -> u64 {
    let pairs = per_s(told, place).into_iter().zip(per_s(told, "nothing"));
    median(pairs.map(|(of, all)| of * 1000 / all.max(1)).collect())
}

/// Returns a number of each round of one place, in order.
fn numbers(told: &[Value], place: &str, name: &str) -> Vec<u64> {
    let rounds =
        told.iter().filter(|line| line.get("took_us").is_some() && line.get("place") == Some(&place.into()));
    rounds.filter_map(|line| line.get(name)?.as_u64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_compared_with_what_is_not_round_by_round() {
        let round = |place: &str, took_us: u64| {
            serde_json::json!({"place": place, "sheets": 400, "took_us": took_us, "p50_us": 1_000,
                               "p99_us": 20_000, "cpu_us": 4_000})
        };
        let told = [
            round("nothing", 1_000),
            round("sqlite", 4_000),
            round("sqlite, 16 at a time", 2_000),
            round("postgres", 10_000),
            round("nothing", 2_000),
            round("sqlite", 8_000),
            round("postgres", 20_000),
            serde_json::json!({"place": "sqlite", "sheets": 800, "bytes": 800_000}),
        ];
        let table = table(&told);
        assert!(table.contains("| 200,000 | 50,000 | 200,000 | 20,000 | 0 |"), "{table}");
        assert!(table.contains("| 1.000× | 0.250× | 0.500× | 0.100× | 0.000× |"), "{table}");
        assert!(table.contains("| 1.00 ms; 20 ms | 1.00 ms; 20 ms | 1.00 ms; 20 ms |"), "{table}");
        assert!(table.contains("| – | 1,000 | – | – | – |"), "{table}");
    }
}
