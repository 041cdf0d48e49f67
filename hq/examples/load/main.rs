//! Ten thousand devices at one headquarters: how much it takes, how it behaves when too many come, how its cost grows.
//!
//! `cargo xtask load [DEVICES]` builds and runs it and writes the tables of docs/SCALING.md.
//!
//! Devices are simulated down to their keys and logs; the segments and requests are real ones, written by the crates
//! that agents use, and go over sockets of the loopback to a real `fieldbook-hq serve`.
//! Their records are the project's sample sheets, 40 a day and device.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that cannot go on has failed, and a person reads what it found"
)]
#![expect(clippy::cast_possible_truncation, reason = "counts of a run are far below the ends of their types")]

#[path = "../../tests/cluster/mod.rs"]
mod cluster;
mod company;
mod crowd;
mod device;
mod figures;
mod people;
mod sheets;
mod table;
mod watch;

use crate::company::Engine;
use crate::people::Size;

/// The company that is simulated where nothing is said.
const DEVICES: u32 = 10_000;
/// Devices of one branch.
const OF_A_BRANCH: u32 = 100;

fn main() {
    let devices = std::env::args().nth(1).map_or(DEVICES, |word| word.parse().expect("a number of devices"));
    let devices = devices.max(OF_A_BRANCH);
    let engines = [Engine::Sqlite, Engine::Postgres];
    let size = Size { devices, branches: devices / OF_A_BRANCH };
    let main = engines.map(|engine| figures::measure(engine, size));
    println!("{}", table::main(&main));
    let tenth = devices / 10;
    let by_devices = [devices / 100, tenth].map(|devices| {
        let size = Size { devices, branches: (devices / OF_A_BRANCH).max(1) };
        (size, engines.map(|engine| figures::grown(engine, size)))
    });
    println!("{}", table::by_devices(&by_devices, &main));
    println!("{}", table::by_records(&main));
    let by_branches = [1, tenth / 100, tenth / 10, tenth].map(|branches| {
        let size = Size { devices: tenth, branches: branches.max(1) };
        (size, engines.map(|engine| figures::grown(engine, size)))
    });
    println!("{}", table::by_branches(&by_branches));
}
