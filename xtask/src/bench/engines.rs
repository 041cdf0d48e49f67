//! What a durable save costs in other engines on the same disk.

use serde_json::Value;

use crate::bench::drivers::CRATES;
use crate::bench::table::{median, millis};
use crate::bench::world::Bench;
use crate::bench::{ROUNDS, report};
use crate::step::{Failed, Steps};

/// Saves of one engine in one round.
const SAVES: u32 = 1000;
/// Each engine as its driver names it, and as the table does.
const ENGINES: &[(&str, &str)] = &[
    ("append", "bare append of 400 bytes and fdatasync"),
    ("sled", "sled 0.34, insert and flush"),
    ("redb", "redb 4.6, a transaction"),
    ("sqlite", "SQLite, WAL, synchronous FULL, a transaction"),
];

/// Measures them in turns and returns the table.
///
/// # Errors
/// [`Failed`] where the driver cannot be built or run.
pub(crate) fn run(steps: &mut Steps<'_>, bench: &Bench) -> Result<String, Failed> {
    steps.command("engines", &[], CRATES)?;
    let mut answers: Vec<Value> = Vec::new();
    for round in 0..bench.rounds(ROUNDS) {
        let command = format!("target/peers/cargo/release/peer-engines target/bench/engines-{round} {SAVES}");
        steps.heard("engines", &[], &command, |line| answers.extend(serde_json::from_str::<Value>(line)))?;
        drop(std::fs::remove_dir_all(bench.scratch.join(format!("engines-{round}"))));
    }
    let p50 = |engine: &str| {
        let of = answers.iter().filter(|answer| answer.get("engine").and_then(Value::as_str) == Some(engine));
        median(of.filter_map(|answer| answer.pointer("/times/p50_us").and_then(Value::as_u64)).collect())
    };
    let bare = p50("append").max(1);
    let mut text = format!(
        "{} Rounds: {}, of {SAVES} saves each, the engines in turns.\n\n| engine | p50 of a save | against a bare append |\n|---|---|---|",
        report::machine(&bench.tree)?,
        bench.rounds(ROUNDS)
    );
    for (name, title) in ENGINES {
        let hundredths = p50(name) * 100 / bare;
        text +=
            &format!("\n| {title} | {} | {}.{:02}× |", millis(p50(name)), hundredths / 100, hundredths % 100);
    }
    Ok(text)
}
