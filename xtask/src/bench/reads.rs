//! Opening, listing and searching a device's records, at ten thousand and at a hundred thousand.

use std::path::Path;
use std::time::Duration;

use crate::bench::program::{self, Ran};
use crate::bench::table::{Goal, Table, grouped, mebi, median, micros, millis};
use crate::bench::world::{Bench, World, disk_bytes};
use crate::bench::{Data, ENGINEER, ROUNDS, renamed, report, rows_of};
use crate::step::{Failed, Steps};

/// First digits of the ids of nine more imports of the same sheets.
const DIGITS: &str = "123456789";

/// Pairs of an opening and a search, one after the other: what lies between them is less than what a machine's moments
/// differ by.
const PAIRS: usize = 41;
const STATUS: &[&str] = &["status"];
const SEARCH: &[&str] = &["search", "motor", "slow"];

/// What is asked of the device.
const ASKED: &[(&str, &[&str])] = &[
    ("`status`", STATUS),
    ("`sheet list --limit 50`", &["sheet", "list", "--limit", "50"]),
    ("`sheet list`, all of them", &["sheet", "list"]),
    ("`search`, two words", SEARCH),
];

/// Times and memory at one size of a home.
struct Home {
    records: u64,
    bytes: u64,
    cold_status: u64,
    /// Medians of time and CPU in microseconds, and the largest memory in KiB, as in [`ASKED`].
    asked: Vec<(u64, u64, u64)>,
    /// What a search takes more than an opening, in microseconds.
    searched: u64,
}

/// Measures both sizes and returns the table; `shipped` is the agent as it is shipped, where it was built.
///
/// # Errors
/// [`Failed`], told already.
pub(crate) fn run(
    steps: &mut Steps<'_>,
    bench: &Bench,
    data: &Data,
    shipped: Option<&Path>,
    goals: &mut Table,
) -> Result<String, Failed> {
    let mut homes = Vec::new();
    steps.own("reads", "cargo xtask bench --only reads", |_| {
        let world = bench.world("reads")?;
        world.enrol("engineer", ENGINEER)?;
        world.import("engineer", "workload-sheets.toml", &data.sheets)?;
        let n = rows_of(&data.sheets)?;
        homes.push(Home::measure(&world, n)?);
        if let Some(shipped) = shipped {
            let home = world.home("engineer").display().to_string();
            let peak = program::run(shipped, &["--home", &home, "status"])?.peak_kib;
            goals.add(Goal::kib("G13", "peak memory of `status` as it is shipped", peak, 12 * 1024));
        }
        for digit in DIGITS.chars() {
            let again = renamed(&data.sheets, 0..usize::MAX, digit, &bench.scratch.join("again.jsonl"))?;
            world.import("engineer", "workload-sheets.toml", &again)?;
        }
        homes.push(Home::measure(&world, n * 10)?);
        Ok(())
    })?;
    if let [small, large] = homes.as_slice() {
        let what = format!("search of {} records, two words, after opening", grouped(small.records));
        goals.add(Goal::time("G16", &what, small.searched, Duration::from_millis(5)));
        let (took, _, peak_kib) = large.asked.first().copied().unwrap_or_default();
        let records = grouped(large.records);
        let what = format!("`status` from start to end, pages in the cache, {records} records");
        goals.add(Goal::time("G14", &what, took, Duration::from_millis(120)));
        let what = format!("peak memory of `status`, {records} records");
        goals.add(Goal::kib("G13", &what, peak_kib, 32 * 1024));
    }
    let columns: Vec<String> =
        homes.iter().map(|home| format!("{} records", grouped(home.records))).collect();
    let mut text = format!(
        "{} From the start of the program to its end, medians of {ROUNDS}.\n\n| asked | {} |\n|---|{}",
        report::machine(&bench.tree)?,
        columns.join(" | "),
        "---|".repeat(homes.len())
    );
    let mut line = |what: &str, of: &dyn Fn(&Home) -> String| {
        let cells: Vec<String> = homes.iter().map(of).collect();
        text += &format!("\n| {what} | {} |", cells.join(" | "));
    };
    line("`status`, the home's files dropped from the page cache", &|home| millis(home.cold_status));
    for (at, (what, _)) in ASKED.iter().enumerate() {
        let seen = |home: &Home| home.asked.get(at).copied().unwrap_or_default();
        line(&format!("{what}, time"), &|home| millis(seen(home).0));
        line(&format!("{what}, CPU"), &|home| millis(seen(home).1));
        line(&format!("{what}, peak memory"), &|home| mebi(seen(home).2));
    }
    let alone = format!(
        "the search alone (G16: ≤ 5 ms with 10,000): its time less that of a `status` before it, median of {PAIRS}"
    );
    line(&alone, &|home| millis(home.searched));
    line("the home on the disk, bytes a record", &|home| grouped(home.bytes / home.records.max(1)));
    Ok(text)
}

impl Home {
    fn measure(world: &World, records: u64) -> Result<Self, Failed> {
        let mut cold = Vec::new();
        for _ in 0..ROUNDS {
            forget(&world.home("engineer"))?;
            cold.push(micros(world.device("engineer", STATUS)?.took));
        }
        let asked = ASKED.iter().map(|(_, args)| asked(world, args)).collect::<Result<_, _>>()?;
        let mut searched = Vec::new();
        for _ in 0..PAIRS {
            let opened = world.device("engineer", STATUS)?.took;
            searched.push(micros(world.device("engineer", SEARCH)?.took.saturating_sub(opened)));
        }
        let bytes = disk_bytes(&world.home("engineer"));
        Ok(Self { records, bytes, cold_status: median(cold), asked, searched: median(searched) })
    }
}

fn asked(world: &World, args: &[&str]) -> Result<(u64, u64, u64), Failed> {
    let runs: Vec<Ran> = (0..ROUNDS).map(|_| world.device("engineer", args)).collect::<Result<_, _>>()?;
    let of = |part: &dyn Fn(&Ran) -> u64| median(runs.iter().map(part).collect());
    Ok((
        of(&|ran| micros(ran.took)),
        of(&|ran| micros(ran.cpu)),
        runs.iter().map(|ran| ran.peak_kib).max().unwrap_or(0),
    ))
}

/// Drops a folder's files from the page cache, as after a day in the pocket.
fn forget(folder: &Path) -> Result<(), Failed> {
    for entry in std::fs::read_dir(folder).map_err(|_gone| Failed)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            forget(&path)?;
            continue;
        }
        let of = format!("of={}", path.display());
        let dd = std::process::Command::new("dd")
            .args([of.as_str(), "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"])
            .status();
        if !dd.is_ok_and(|status| status.success()) {
            eprintln!("{}: stays in the page cache", path.display());
            return Err(Failed);
        }
    }
    Ok(())
}
