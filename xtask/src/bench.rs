//! The numbers that the project promises, measured with real programs on this machine.
//!
//! Bytes are exact, memory is the kernel's high-water mark, CPU comes in its ticks of 10 ms; what is a time is the
//! median of [`ROUNDS`] whole worlds. Source: docs/BENCHMARKS.md.

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
mod saves;
mod table;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bench::table::{Goal, Table};
use crate::bench::world::{Bench, Synced, World, disk_bytes};
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

/// What is measured with.
struct Data {
    sheets: PathBuf,
    vouchers: Option<PathBuf>,
}

/// Measures, and prints one Markdown table.
///
/// # Errors
/// [`Failed`] where a program does; a goal that is missed is no failure, the table says it.
pub(crate) fn run(tree: &Path) -> Result<(), Failed> {
    let mut steps = Steps::new(tree);
    steps.command(
        "build",
        &[],
        "cargo build --locked --release --package fieldbook --package fieldbook-hq --bins",
    )?;
    let bench = Bench { tree: tree.to_path_buf(), scratch: tree.join("target/bench") };
    drop(std::fs::remove_dir_all(&bench.scratch));
    let data = Data::find(tree);
    let mut table = Table::new(rows_of(&data.sheets)?);
    steps.own("sheets", "cargo xtask bench", |_| sheets(&bench, &data, &mut table))?;
    if let Some(vouchers) = &data.vouchers {
        steps.own("vouchers", "cargo xtask bench", |_| vouchers_up(&bench, vouchers, &mut table))?;
    }
    steps.own("a broken line", "cargo xtask bench", |_| broken_line(&bench, &data, &mut table))?;
    saves::run(&mut steps, &bench, &data.sheets, &mut table)?;
    steps.own("size", "cargo xtask size", |tree| {
        let bytes = crate::size::build(tree)?;
        table.add(Goal::bytes("G12", "agent binary, profile `dist`", bytes, crate::size::AGENT_BYTES_MAX));
        Ok(())
    })?;
    steps.summary();
    println!("\n{table}");
    Ok(())
}

impl Data {
    /// The workload of `FIELDBOOK_DATA`, or the samples of the project.
    fn find(tree: &Path) -> Self {
        match std::env::var_os("FIELDBOOK_DATA").map(PathBuf::from) {
            Some(folder) => {
                let folder = if folder.join("workload").is_dir() { folder.join("workload") } else { folder };
                Self { sheets: folder.join("sheets.jsonl"), vouchers: Some(folder.join("vouchers.jsonl")) }
            }
            None => {
                println!("FIELDBOOK_DATA is not set: the project's samples stand in for the 10,000 sheets");
                Self { sheets: tree.join("samples/sheets.jsonl"), vouchers: None }
            }
        }
    }
}

/// G1, G2, G4, G5, G7, G13, G14, G15: one engineer records, HQ takes in, his supervisor reads.
fn sheets(bench: &Bench, data: &Data, table: &mut Table) -> Result<(), Failed> {
    let n = table.rows();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        rounds.push(Round::play(bench, &data.sheets, round)?);
    }
    let median = |of: &dyn Fn(&Round) -> u64| table::median(rounds.iter().map(of).collect());
    let up = median(&|round| round.push.line.bytes_up);
    table.add(Goal::bytes("G1", &format!("push of {n} sealed sheets, bytes up, HTTP included"), up, 110 * n));
    let down = median(&|round| round.pull.line.bytes_down);
    table.add(Goal::bytes("G2", "pull of them by a supervisor's device, bytes down", down, 115 * n));
    let one = median(&|round| round.one.bodies());
    table.add(Goal::bytes("G4", "one more sheet, bodies both ways", one, 400));
    let one = median(&|round| round.one_voucher.bodies());
    table.add(Goal::bytes("G4", "one more voucher, bodies both ways", one, 400));
    let none = median(&|round| round.nothing.bodies());
    table.add(Goal::bytes("G4", "no work at all, bodies both ways", none, 250));
    table.add(Goal::count(
        "G5",
        "requests for a day's 40 sheets",
        median(&|round| round.day.number("requests")),
        1,
    ));
    let requests = median(&|round| round.push.number("requests"));
    table.add(Goal::count("G5", &format!("requests for the push of {n}"), requests, 8));
    let scaled = |ms: u64| Duration::from_millis(ms * n / 10_000);
    let device = median(&|round| table::micros(round.push.ran.cpu));
    table.add(Goal::time("G7", "CPU of the device for that push", device, scaled(250)));
    let hq = median(&|round| table::micros(round.push.hq_cpu));
    table.add(Goal::time("G7", "CPU of HQ for that push, durable", hq, scaled(150)));
    let peak = median(&|round| round.status_peak_kib);
    table.add(Goal::kib("G13", "peak memory of `status`", peak, 12 * 1024));
    table.add(Goal::kib(
        "G13",
        "peak memory of the push",
        median(&|round| round.push.ran.peak_kib),
        32 * 1024,
    ));
    table.add(Goal::kib(
        "G13",
        "peak memory of the pull",
        median(&|round| round.pull.ran.peak_kib),
        32 * 1024,
    ));
    let status = median(&|round| round.status_micros);
    table.add(Goal::time(
        "G14",
        "`status` from start to end, pages in the cache",
        status,
        Duration::from_millis(25),
    ));
    let stored = median(&|round| round.stored_bytes);
    table.add(Goal::bytes("G15", "store on the device, bytes a sheet, all files", stored / n.max(1), 900));
    let other = median(&|round| round.read_bytes);
    table.add(Goal::bytes("G15", "store of the device that pulled, bytes a sheet", other / n.max(1), 900));
    table.tell("–", "CPU of the import", &table::millis(median(&|round| table::micros(round.import_cpu))));
    table.tell("–", "peak memory of the import", &table::mebi(median(&|round| round.import_peak_kib)));
    table.tell(
        "–",
        "CPU of device and HQ for the pull",
        &format!(
            "{} + {}",
            table::millis(median(&|round| table::micros(round.pull.ran.cpu))),
            table::millis(median(&|round| table::micros(round.pull.hq_cpu)))
        ),
    );
    table.tell("–", "peak memory of HQ", &table::mebi(median(&|round| round.hq_peak_kib)));
    let equal = rounds.iter().filter(|round| round.equal).count();
    table.tell(
        "–",
        "both devices' digests equal HQ's, HQ's views whole",
        &format!("{equal} of {ROUNDS} worlds"),
    );
    Ok(())
}

/// One world, played once.
struct Round {
    import_cpu: Duration,
    import_peak_kib: u64,
    push: Synced,
    pull: Synced,
    nothing: Synced,
    one: Synced,
    one_voucher: Synced,
    day: Synced,
    status_micros: u64,
    status_peak_kib: u64,
    stored_bytes: u64,
    read_bytes: u64,
    hq_peak_kib: u64,
    equal: bool,
}

impl Round {
    fn play(bench: &Bench, sheets: &Path, round: usize) -> Result<Self, Failed> {
        let world = bench.world(&format!("sheets-{round}"))?;
        world.enrol("engineer", ENGINEER)?;
        world.enrol("supervisor", SUPERVISOR)?;
        let import = world.import("engineer", "workload-sheets.toml", sheets)?;
        let push = world.sync("engineer")?;
        let stored_bytes = disk_bytes(&world.home("engineer"));
        let (status_micros, status_peak_kib) = status(&world)?;
        let pull = world.sync("supervisor")?;
        let read_bytes = disk_bytes(&world.home("supervisor"));
        let nothing = world.sync("engineer")?;
        world.device("engineer", &ONE_SHEET)?;
        let one = world.sync("engineer")?;
        world.device("engineer", &ONE_VOUCHER)?;
        let one_voucher = world.sync("engineer")?;
        let day = renamed(sheets, DAY_ROWS, &bench.scratch.join("day.jsonl"))?;
        world.import("engineer", "workload-sheets.toml", &day)?;
        let day = world.sync("engineer")?;
        let equal = push.is_level() && pull.is_level() && all_equal(&world)?;
        Ok(Self {
            import_cpu: import.cpu,
            import_peak_kib: import.peak_kib,
            push,
            pull,
            nothing,
            one,
            one_voucher,
            day,
            status_micros,
            status_peak_kib,
            stored_bytes,
            read_bytes,
            hq_peak_kib: world.hq_peak_kib(),
            equal,
        })
    }
}

/// What a technician types for a repair.
const ONE_SHEET: [&str; 12] = [
    "sheet",
    "new",
    "repair",
    "--set",
    "customer=C687664",
    "--set",
    "product=Pump",
    "--set",
    "problem=sewing machine motor running very slow",
    "--set",
    "action=cleaned and greased",
    "--json",
];
/// What he types for a receipt.
const ONE_VOUCHER: [&str; 9] =
    ["voucher", "add", "--category", "transport", "--amount", "23.50", "--date", "2025-03-03", "--json"];

/// Runs `status` five times: the median time, the largest memory.
fn status(world: &World) -> Result<(u64, u64), Failed> {
    let (mut times, mut peak) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let ran = world.device("engineer", &["status"])?;
        times.push(table::micros(ran.took));
        peak = peak.max(ran.peak_kib);
    }
    Ok((table::median(times), peak))
}

/// Syncs both until HQ has compared both digests, and lets HQ look at itself.
fn all_equal(world: &World) -> Result<bool, Failed> {
    let mut equal = true;
    for device in ["supervisor", "engineer"] {
        world.sync(device)?;
        let last = world.sync(device)?;
        equal &= last.report.get("digest_equal").and_then(serde_json::Value::as_bool) == Some(true);
    }
    let doctor = world.hq(&["doctor", "--json"])?.json()?;
    Ok(equal && doctor.get("views_ok").and_then(serde_json::Value::as_bool) == Some(true))
}

/// G3: vouchers go up.
fn vouchers_up(bench: &Bench, vouchers: &Path, table: &mut Table) -> Result<(), Failed> {
    let n = rows_of(vouchers)?;
    let world = bench.world("vouchers")?;
    world.enrol("engineer", ENGINEER)?;
    world.import("engineer", "workload-vouchers.toml", vouchers)?;
    let push = world.sync("engineer")?;
    table.add(Goal::bytes(
        "G3",
        &format!("push of {n} vouchers, bytes up, HTTP included; once"),
        push.line.bytes_up,
        50 * n,
    ));
    Ok(())
}

/// G6: the line breaks in the middle of the push.
fn broken_line(bench: &Bench, data: &Data, table: &mut Table) -> Result<(), Failed> {
    let up = |cut: Option<u64>| {
        let world = bench.world("broken-line")?;
        world.enrol("engineer", ENGINEER)?;
        world.import("engineer", "workload-sheets.toml", &data.sheets)?;
        if let Some(bytes) = cut {
            world.cut_after(bytes);
        }
        let push = world.sync("engineer")?;
        if push.is_level() { Ok(push.line.bytes_up) } else { Err(Failed) }
    };
    let whole = up(None)?;
    let at = CUT_BYTES.min(whole / 2);
    let again = up(Some(at))?.saturating_sub(whole);
    table.add(Goal::bytes(
        "G6",
        &format!("line cut after {at} bytes: bytes sent again; once"),
        again,
        64 * 1024,
    ));
    Ok(())
}

/// Returns how many rows a file of one a line has.
fn rows_of(file: &Path) -> Result<u64, Failed> {
    let text = read(file)?;
    Ok(u64::try_from(text.lines().count()).unwrap_or(u64::MAX))
}

/// Writes the first rows of a file again under other ids, so that they count as new.
fn renamed(file: &Path, rows: usize, to: &Path) -> Result<PathBuf, Failed> {
    let text = read(file)?;
    let again: String =
        text.lines().take(rows).map(|line| line.replacen("\"id\":\"0", "\"id\":\"f", 1) + "\n").collect();
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
