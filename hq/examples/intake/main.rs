//! How many sheets a second headquarters takes in, the line and its port apart.
//!
//! `cargo xtask bench --only intake` builds it, runs it, and writes its table into docs/BENCHMARKS.md.
//!
//! Devices, their logs and requests are those of the example `load`: signed segments of 200 sheets, one a request.
//! Workers take one request after the other through the door that those of `serve` take them through: on SQLite, on
//! a PostgreSQL of its own, and once more without a database, where requests are read, checked and judged, and that is
//! all. Two of them keep two cores at work; with sixteen there is something to commit together.
//! It prints one JSON object a line: what each came to in each round, and what each database takes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and a person reads what it found"
)]
#![expect(clippy::cast_possible_truncation, reason = "counts of a run are far below the ends of their types")]

#[path = "../../tests/cluster/mod.rs"]
mod cluster;
#[path = "../load/device.rs"]
#[allow(dead_code, reason = "these devices do less than those of `load`")]
mod device;
mod headquarters;
#[path = "../load/people.rs"]
mod people;
#[path = "../load/sheets.rs"]
mod sheets;
#[path = "../load/watch.rs"]
#[allow(dead_code, reason = "here it is looked before and after, and not all the time")]
mod watch;
mod workers;

use fieldbook_hq::clock::Clock;

use crate::headquarters::Headquarters;
use crate::sheets::Sheet;

/// Sheets of one request.
const SHEETS: usize = 200;
/// Requests that are taken at a time, and what that is called.
const WORKERS: [(usize, &str); 2] = [(2, ""), (16, ", 16 at a time")];

fn main() {
    let mut words = std::env::args().skip(1);
    let now_ms = Clock::REAL.now_ms();
    let sheets = match words.next() {
        None => Sheet::samples(now_ms),
        Some(file) => Sheet::read(&std::fs::read_to_string(file).expect("a file of sheets"), now_ms),
    };
    let rounds: u64 = words.next().map_or(1, |word| word.parse().expect("a number of rounds"));
    let mut all = [Headquarters::on_sqlite(), Headquarters::on_postgres()];
    for round in 1..=rounds {
        let [sqlite, _] = &mut all;
        sqlite.work(2 * round, SHEETS, &sheets);
        let n = sqlite.devices.len();
        let judged = workers::take(2, sqlite.alone(), n, |device| sqlite.judge(device));
        println!("{}", judged.told("nothing", SHEETS));
        for hq in &mut all {
            for (day, (workers, called)) in (2 * round..).zip(WORKERS) {
                hq.work(day, SHEETS, &sheets);
                let taken = workers::take(workers, hq.processes, n, |device| hq.take(device));
                println!("{}", taken.told(&format!("{}{called}", hq.name), SHEETS));
                hq.hear(taken.answers);
            }
        }
    }
    for hq in all {
        println!("{}", hq.close(rounds as usize * WORKERS.len() * SHEETS));
    }
}
