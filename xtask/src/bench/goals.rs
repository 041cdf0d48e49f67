//! The goals of one device, one headquarters and one supervisor's device, played in whole worlds.

use std::path::Path;
use std::time::Duration;

use crate::bench::table::{self, Goal, Table};
use crate::bench::world::{Bench, Synced, World, disk_bytes};
use crate::bench::{CUT_BYTES, DAY_ROWS, Data, ENGINEER, ROUNDS, SUPERVISOR, renamed, rows_of};
use crate::step::{Failed, Steps};

/// Measures everything that has a goal but the saves and the size.
///
/// # Errors
/// [`Failed`], told already.
pub(crate) fn run(
    steps: &mut Steps<'_>,
    bench: &Bench,
    data: &Data,
    table: &mut Table,
) -> Result<(), Failed> {
    steps.own("sheets", "cargo xtask bench --only goals", |_| sheets(bench, data, table))?;
    if let Some(vouchers) = &data.vouchers {
        steps.own("vouchers", "cargo xtask bench --only goals", |_| vouchers_up(bench, vouchers, table))?;
    }
    steps.own("a broken line", "cargo xtask bench --only goals", |_| broken_line(bench, data, table))
}

/// G1, G2, G4, G5, G7, G13, G14, G15: one engineer records, HQ takes in, his supervisor reads.
fn sheets(bench: &Bench, data: &Data, table: &mut Table) -> Result<(), Failed> {
    let (n, many) = (table.rows(), table::grouped(table.rows()));
    let mut rounds = Vec::new();
    for round in 0..bench.rounds(ROUNDS) {
        rounds.push(Round::play(bench, &data.sheets, round)?);
    }
    let median = |of: &dyn Fn(&Round) -> u64| table::median(rounds.iter().map(of).collect());
    let up = median(&|round| round.push.walk.bytes_up);
    table.add(Goal::bytes(
        "G1",
        &format!("push of {many} sealed sheets, bytes up, HTTP included"),
        up,
        110 * n,
    ));
    let down = median(&|round| round.pull.walk.bytes_down);
    table.add(Goal::bytes("G2", "pull of them by a supervisor's device, bytes down", down, 115 * n));
    let one = median(&|round| round.one.bodies());
    table.add(Goal::bytes("G4", "one more sheet with 68 letters of text, bodies both ways", one, 400));
    let short = median(&|round| round.one_short.bodies());
    table.add(Goal::bytes("G4", "one more sheet with 16 letters of text, bodies both ways", short, 400));
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
    table.add(Goal::count("G5", &format!("requests for the push of {many}"), requests, 8));
    let scaled = |ms: u64| Duration::from_millis(ms * n / 10_000);
    let device = median(&|round| table::micros(round.push.ran.cpu));
    table.add(Goal::time("G7", "CPU of the device for that push", device, scaled(250)));
    let hq = median(&|round| table::micros(round.push.walk.server_cpu));
    table.add(Goal::time("G7", "CPU of HQ for that push, durable", hq, scaled(150)));
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
        &format!("`status` from start to end, pages in the cache, {many} records"),
        status,
        Duration::from_millis(25),
    ));
    let stored = median(&|round| round.stored_bytes);
    table.add(Goal::bytes("G15", "store on the device, bytes a sheet, all files", stored / n.max(1), 900));
    let other = median(&|round| round.read_bytes);
    table.add(Goal::bytes("G15", "store of the device that pulled, bytes a sheet", other / n.max(1), 900));
    let peak = median(&|round| round.status_peak_kib);
    table.tell("–", "peak memory of `status` in the profile `release`", &table::mebi(peak));
    table.tell("–", "CPU of the import", &table::millis(median(&|round| table::micros(round.import_cpu))));
    table.tell("–", "peak memory of the import", &table::mebi(median(&|round| round.import_peak_kib)));
    table.tell(
        "–",
        "CPU of device and HQ for the pull",
        &format!(
            "{} + {}",
            table::millis(median(&|round| table::micros(round.pull.ran.cpu))),
            table::millis(median(&|round| table::micros(round.pull.walk.server_cpu)))
        ),
    );
    table.tell("–", "peak memory of HQ", &table::mebi(median(&|round| round.hq_peak_kib)));
    let equal = rounds.iter().filter(|round| round.equal).count();
    table.tell(
        "–",
        "both devices' digests equal HQ's, HQ's views whole",
        &format!("{equal} of {} worlds", rounds.len()),
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
    one_short: Synced,
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
        world.device("engineer", &ONE_SHORT_SHEET)?;
        let one_short = world.sync("engineer")?;
        world.device("engineer", &ONE_VOUCHER)?;
        let one_voucher = world.sync("engineer")?;
        let day = renamed(sheets, 0..DAY_ROWS, 'f', &bench.scratch.join("day.jsonl"))?;
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
            one_short,
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
/// The same where he types little.
const ONE_SHORT_SHEET: [&str; 10] = [
    "sheet",
    "new",
    "repair",
    "--set",
    "customer=C687664",
    "--set",
    "product=Pump",
    "--set",
    "problem=stuck",
    "--json",
];
/// What he types for a receipt.
const ONE_VOUCHER: [&str; 9] =
    ["voucher", "add", "--category", "city_transport", "--amount", "23.50", "--date", "2025-03-03", "--json"];

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
        &format!("push of {} vouchers, bytes up, HTTP included; once", table::grouped(n)),
        push.walk.bytes_up,
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
        if push.is_level() { Ok(push.walk.bytes_up) } else { Err(Failed) }
    };
    let whole = up(None)?;
    let at = CUT_BYTES.min(whole / 2);
    let again = up(Some(at))?.saturating_sub(whole);
    table.add(Goal::bytes(
        "G6",
        &format!("line cut after {} bytes: bytes sent again; once", table::grouped(at)),
        again,
        64 * 1024,
    ));
    Ok(())
}
