//! The numbers that the project promises, measured with real programs on this machine, beside other people's.
//!
//! Bytes are exact, memory is the kernel's high-water mark, CPU comes in its ticks of 10 ms; what is a time is the
//! median of [`ROUNDS`] whole worlds. Source: docs/BENCHMARKS.md.

mod drivers;
mod engines;
mod functions;
mod goals;
mod intake;
mod link;
mod peers;
mod program;
#[path = "../../tests/it/proxy.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the line of the end-to-end tests; where it breaks unasked there is nothing to measure"
)]
mod proxy;
mod reads;
pub(crate) mod report;
mod saves;
mod table;
mod walk;
mod world;

use std::path::{Path, PathBuf};

use crate::bench::table::{Goal, Table};
use crate::bench::world::Bench;
use crate::step::{Failed, Steps};

/// Worlds whose medians are told.
const ROUNDS: usize = 5;
/// The engineer whose device records, and the supervisor of his branch whose device reads.
const ENGINEER: &str = "T101";
const SUPERVISOR: &str = "S100";
/// Where the line breaks once, in bytes from the device.
const CUT_BYTES: u64 = 1_000_000;
/// A day's records.
const DAY_ROWS: usize = 40;
/// What `--only` may name, beside the name of a peer.
const PARTS: &[&str] =
    &["goals", "saves", "functions", "size", "engines", "reads", "intake", "link", "peers"];

/// What is measured with.
struct Data {
    sheets: PathBuf,
    vouchers: Option<PathBuf>,
    /// The whole workload, and not the samples: only then the page of benchmarks is written.
    is_whole: bool,
}

/// Measures everything, or the one part or peer that is named, and writes the page of benchmarks; `rounds` takes the
/// place of each part's own number.
///
/// # Errors
/// [`Failed`] where a program of ours does; a goal that is missed is no failure, the table says it.
pub(crate) fn run(tree: &Path, only: Option<&str>, rounds: Option<usize>) -> Result<(), Failed> {
    let peer = only.filter(|only| drivers::DRIVERS.iter().any(|driver| driver.name == *only));
    if let Some(stranger) = only.filter(|only| peer.is_none() && !PARTS.contains(only)) {
        eprintln!("no part {stranger}; there are {} and each peer by its name", PARTS.join(", "));
        return Err(Failed);
    }
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let mut steps = Steps::new(tree);
    // A peer, the engines, the functions and intake are measured without the programs.
    if peer.is_none() && !matches!(only, Some("engines" | "functions" | "intake")) {
        steps.command(
            "build",
            &[],
            "cargo build --locked --release --package fieldbook --package fieldbook-hq --bins",
        )?;
    }
    let bench = Bench { tree: tree.to_path_buf(), scratch: tree.join("target/bench"), rounds };
    drop(std::fs::remove_dir_all(&bench.scratch));
    let data = Data::find(tree);
    let mut table = Table::new(rows_of(&data.sheets)?);
    if wanted("goals") {
        goals::run(&mut steps, &bench, &data, &mut table)?;
    }
    let mut our_saves = Vec::new();
    // The table of peers tells our saves beside theirs.
    if wanted("saves") || only == Some("peers") {
        our_saves = saves::run(&mut steps, &bench, &data.sheets, &mut table)?;
    }
    if wanted("functions") {
        functions::run(&mut steps, &mut table)?;
    }
    if wanted("size") {
        steps.own("size", "cargo xtask size", |tree| {
            let bytes = crate::size::build(tree)?;
            table.add(Goal::bytes(
                "G12",
                "agent binary, profile `dist`",
                bytes,
                crate::size::AGENT_BYTES_MAX,
            ));
            Ok(())
        })?;
    }
    let shipped = wanted("size").then(|| crate::size::program(tree));
    if wanted("engines") {
        data.write(tree, "engines", &engines::run(&mut steps, &bench)?)?;
    }
    if wanted("reads") {
        data.write(tree, "reads", &reads::run(&mut steps, &bench, &data, shipped.as_deref(), &mut table)?)?;
    }
    if wanted("intake") {
        data.write(tree, "intake", &intake::run(&mut steps, &bench, &data, &mut table)?)?;
    }
    if wanted("link") {
        data.write(tree, "link", &link::run(&mut steps, &bench, &data, &mut table)?)?;
    }
    if wanted("peers") || peer.is_some() {
        let text = peers::run(&mut steps, &bench, &data, peer, &our_saves)?;
        match peer {
            None => data.write(tree, "peers", &text)?,
            Some(_) => println!("\n{text}"),
        }
    }
    match only {
        None => {
            table.tell("G18", "10,000 devices, a day each, at one HQ: `cargo xtask load`", "docs/SCALING.md");
            data.write(tree, "goals", &format!("{}\n\n{table}", report::machine(tree)?))?;
        }
        Some(_) => println!("\n{table}"),
    }
    steps.summary();
    Ok(())
}

impl Data {
    /// The workload of `FIELDBOOK_DATA`, or the samples of the project.
    fn find(tree: &Path) -> Self {
        match std::env::var_os("FIELDBOOK_DATA").map(PathBuf::from) {
            Some(folder) => {
                let folder = if folder.join("workload").is_dir() { folder.join("workload") } else { folder };
                Self {
                    sheets: folder.join("sheets.jsonl"),
                    vouchers: Some(folder.join("vouchers.jsonl")),
                    is_whole: true,
                }
            }
            None => {
                println!("FIELDBOOK_DATA is not set: the project's samples stand in for the 10,000 sheets");
                Self { sheets: tree.join("samples/sheets.jsonl"), vouchers: None, is_whole: false }
            }
        }
    }

    /// Shows a part's text and, where the whole workload was measured, writes it into the page of benchmarks.
    fn write(&self, tree: &Path, part: &str, text: &str) -> Result<(), Failed> {
        println!("\n{text}");
        if self.is_whole { report::write(tree, part, text) } else { Ok(()) }
    }
}

/// Returns how many rows a file of one a line has.
fn rows_of(file: &Path) -> Result<u64, Failed> {
    let text = read(file)?;
    Ok(u64::try_from(text.lines().count()).unwrap_or(u64::MAX))
}

/// Writes some rows of a file again under ids that begin with another digit, so that they count as new.
fn renamed(file: &Path, rows: std::ops::Range<usize>, digit: char, to: &Path) -> Result<PathBuf, Failed> {
    let text = read(file)?;
    let of_each = |line: &str| line.replacen("\"id\":\"0", &format!("\"id\":\"{digit}"), 1) + "\n";
    let again: String = text.lines().skip(rows.start).take(rows.len()).map(of_each).collect();
    std::fs::write(to, again).map_err(|error| {
        eprintln!("{}: {error}", to.display());
        Failed
    })?;
    Ok(to.to_path_buf())
}

fn read(file: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(file).map_err(|error| {
        eprintln!("{}: {error}", file.display());
        Failed
    })
}
