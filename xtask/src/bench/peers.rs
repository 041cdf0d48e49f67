//! fieldbook beside other people's libraries, on the same records, in one run.

use std::path::PathBuf;

use crate::bench::drivers::{DRIVERS, Driver};
use crate::bench::table::{grouped, mebi, median, micros, millis};
use crate::bench::walk::Walk;
use crate::bench::world::{Bench, disk_bytes};
use crate::bench::{Data, ENGINEER, ROUNDS, SUPERVISOR, renamed, report, rows_of};
use crate::step::{Failed, Steps};

/// One round of one of them.
struct Seen {
    /// The median of a save and all of them, in microseconds.
    saves: Option<(u64, u64)>,
    push: Walk,
    pull: Walk,
    nothing: Walk,
    one: Walk,
    vouchers: Option<Walk>,
    device_bytes: u64,
    server_bytes: u64,
}

/// All rounds of one of them; none where it could not be installed.
struct Column {
    title: String,
    rounds: Vec<Seen>,
}

/// What all of them are given.
struct Files {
    sheets: PathBuf,
    one: PathBuf,
    vouchers: Option<PathBuf>,
    n: u64,
}

/// Measures fieldbook and every peer, or the one that is named alone; returns the table. What was measured of our
/// saves is taken over.
///
/// # Errors
/// [`Failed`] where fieldbook does; a peer that fails is told so in the table.
pub(crate) fn run(
    steps: &mut Steps<'_>,
    bench: &Bench,
    data: &Data,
    only: Option<&str>,
    saves: &[(u64, u64)],
) -> Result<String, Failed> {
    std::fs::create_dir_all(&bench.scratch).map_err(|_gone| Failed)?;
    let files = Files {
        sheets: data.sheets.clone(),
        one: renamed(&data.sheets, 0..1, 'f', &bench.scratch.join("one.jsonl"))?,
        vouchers: data.vouchers.clone(),
        n: rows_of(&data.sheets)?,
    };
    let mut columns = Vec::new();
    if only.is_none() {
        columns.push(Column { title: "fieldbook".to_owned(), rounds: ours(steps, bench, &files, saves)? });
    }
    for driver in DRIVERS.iter().filter(|driver| only.is_none_or(|only| only == driver.name)) {
        columns.push(theirs(steps, bench, driver, &files));
    }
    Ok(format!("{}\n\n{}", report::machine(&bench.tree)?, table(&columns)))
}

fn ours(
    steps: &mut Steps<'_>,
    bench: &Bench,
    files: &Files,
    saves: &[(u64, u64)],
) -> Result<Vec<Seen>, Failed> {
    let mut rounds = Vec::new();
    for round in 0..bench.rounds(ROUNDS) {
        steps.own("fieldbook", "cargo xtask bench --only peers", |_| {
            rounds.push(our_round(bench, files, saves.get(round).copied())?);
            Ok(())
        })?;
    }
    Ok(rounds)
}

fn our_round(bench: &Bench, files: &Files, saves: Option<(u64, u64)>) -> Result<Seen, Failed> {
    let world = bench.world("peers-fieldbook")?;
    world.enrol("engineer", ENGINEER)?;
    world.enrol("supervisor", SUPERVISOR)?;
    world.import("engineer", "workload-sheets.toml", &files.sheets)?;
    let push = world.sync("engineer")?.walk;
    let device_bytes = disk_bytes(&world.home("engineer"));
    let server_bytes = world.hq_bytes();
    let pull = world.sync("supervisor")?.walk;
    let nothing = world.sync("engineer")?.walk;
    world.import("engineer", "workload-sheets.toml", &files.one)?;
    let one = world.sync("engineer")?.walk;
    let vouchers = match &files.vouchers {
        Some(file) => {
            world.import("engineer", "workload-vouchers.toml", file)?;
            Some(world.sync("engineer")?.walk)
        }
        None => None,
    };
    Ok(Seen { saves, push, pull, nothing, one, vouchers, device_bytes, server_bytes })
}

fn theirs(steps: &mut Steps<'_>, bench: &Bench, driver: &'static Driver, files: &Files) -> Column {
    let mut rounds = Vec::new();
    if driver.install(steps).is_ok() {
        for _ in 0..bench.rounds(ROUNDS) {
            let round = steps.own(driver.name, &format!("cargo xtask bench --only {}", driver.name), |_| {
                rounds.push(their_round(bench, driver, files)?);
                Ok(())
            });
            if round.is_err() {
                break;
            }
        }
    }
    Column { title: driver.title.to_owned(), rounds }
}

fn their_round(bench: &Bench, driver: &'static Driver, files: &Files) -> Result<Seen, Failed> {
    let cast = driver.serve(&bench.tree, bench.scratch.join(driver.name))?;
    cast.join("engineer")?;
    cast.join("supervisor")?;
    let saves = Some(cast.save("engineer", &files.sheets)?);
    let push = cast.sync("engineer")?;
    let (device_bytes, server_bytes) = (cast.device_bytes("engineer"), cast.server_bytes());
    let pull = cast.sync("supervisor")?;
    cast.holds("supervisor", files.n)?;
    let nothing = cast.sync("engineer")?;
    cast.save("engineer", &files.one)?;
    let one = cast.sync("engineer")?;
    let vouchers = match &files.vouchers {
        Some(file) => {
            cast.save("engineer", file)?;
            Some(cast.sync("engineer")?)
        }
        None => None,
    };
    Ok(Seen { saves, push, pull, nothing, one, vouchers, device_bytes, server_bytes })
}

/// One line of the table.
struct Line {
    what: &'static str,
    of: fn(&Seen) -> Option<u64>,
    shown: fn(u64) -> String,
}

const LINES: &[Line] = &[
    Line { what: "push of the sheets, bytes up", of: |seen| Some(seen.push.bytes_up), shown: bytes },
    Line { what: "push, bytes down", of: |seen| Some(seen.push.bytes_down), shown: bytes },
    Line { what: "push, requests or round trips", of: |seen| Some(seen.push.requests), shown: grouped },
    Line { what: "push, connections", of: |seen| Some(seen.push.connections), shown: grouped },
    Line { what: "push, wall", of: |seen| Some(micros(seen.push.took)), shown: millis },
    Line { what: "push, CPU of the device", of: |seen| Some(micros(seen.push.device_cpu)), shown: millis },
    Line { what: "push, CPU of the server", of: |seen| Some(micros(seen.push.server_cpu)), shown: millis },
    Line { what: "push, peak memory of the device", of: |seen| Some(seen.push.peak_kib), shown: mebi },
    Line { what: "pull by a second device, bytes down", of: |seen| Some(seen.pull.bytes_down), shown: bytes },
    Line { what: "pull, bytes up", of: |seen| Some(seen.pull.bytes_up), shown: bytes },
    Line { what: "pull, wall", of: |seen| Some(micros(seen.pull.took)), shown: millis },
    Line { what: "pull, CPU of the device", of: |seen| Some(micros(seen.pull.device_cpu)), shown: millis },
    Line { what: "pull, CPU of the server", of: |seen| Some(micros(seen.pull.server_cpu)), shown: millis },
    Line { what: "pull, peak memory of the device", of: |seen| Some(seen.pull.peak_kib), shown: mebi },
    Line { what: "nothing to do, bytes both ways", of: |seen| Some(seen.nothing.bytes()), shown: bytes },
    Line { what: "nothing to do, requests", of: |seen| Some(seen.nothing.requests), shown: grouped },
    Line { what: "one more sheet, bytes both ways", of: |seen| Some(seen.one.bytes()), shown: bytes },
    Line { what: "one more sheet, requests", of: |seen| Some(seen.one.requests), shown: grouped },
    Line {
        what: "the vouchers after them, bytes up",
        of: |seen| seen.vouchers.as_ref().map(|walk| walk.bytes_up),
        shown: bytes,
    },
    Line { what: "saves one by one, p50 of one", of: |seen| seen.saves.map(|(p50, _)| p50), shown: millis },
    Line { what: "saves one by one, all", of: |seen| seen.saves.map(|(_, all)| all), shown: millis },
    Line { what: "store of the device after the push", of: |seen| Some(seen.device_bytes), shown: bytes },
    Line { what: "store of the server after the push", of: |seen| Some(seen.server_bytes), shown: bytes },
];

/// Returns medians, and how the best of the others stands to ours.
fn table(columns: &[Column]) -> String {
    let titles: Vec<String> = columns.iter().map(Column::heading).collect();
    let mut text = format!("| measure | {} | best peer : fieldbook |\n|---|", titles.join(" | "));
    text += &"---|".repeat(columns.len() + 1);
    for line in LINES {
        let medians: Vec<Option<u64>> = columns.iter().map(|column| column.median(line.of)).collect();
        let shown = medians.iter().map(|number| number.map_or_else(|| "–".to_owned(), line.shown));
        let ratio = ratio(&medians);
        text += &format!("\n| {} | {} | {ratio} |", line.what, shown.collect::<Vec<_>>().join(" | "));
    }
    text
}

impl Column {
    fn heading(&self) -> String {
        match self.rounds.len() {
            0 => format!("{}: not installed or failed", self.title),
            1 => format!("{}, one round", self.title),
            rounds => format!("{}, {rounds} rounds", self.title),
        }
    }

    fn median(&self, of: fn(&Seen) -> Option<u64>) -> Option<u64> {
        let numbers: Vec<u64> = self.rounds.iter().filter_map(of).collect();
        (!numbers.is_empty()).then(|| median(numbers))
    }
}

/// Returns the least of the others divided by the first; a dash where either is missing.
fn ratio(medians: &[Option<u64>]) -> String {
    let best = medians.iter().skip(1).flatten().min();
    match (medians.first().copied().flatten(), best) {
        (Some(ours), Some(best)) if ours > 0 => {
            let hundredths = best * 100 / ours;
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        }
        _ => "–".to_owned(),
    }
}

fn bytes(number: u64) -> String {
    grouped(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_the_others_stands_beside_ours() {
        assert_eq!(ratio(&[Some(100), Some(250), None, Some(199)]), "1.99");
        assert_eq!(ratio(&[Some(100), None]), "–");
    }
}
