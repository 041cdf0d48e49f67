//! G17: a week's work over a thin link, the first sync over it, a line that is cut, a budget; beside simpler ways.

mod strawmen;
mod tcp;
mod thin;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bench::link::tcp::Link;
use crate::bench::link::thin::Thin;
use crate::bench::table::{Goal, Table, grouped, micros};
use crate::bench::world::{Bench, Synced, World};
use crate::bench::{Data, ENGINEER, SUPERVISOR, renamed, report};
use crate::step::{Failed, Steps};

/// The link of goal G17.
const LINK: Link = Link { bits_per_s: 64_000, round_trip: 600_000, lost_permille: 50 };
/// Weeks that are synced, each with a chance of its own.
const WEEKS: usize = 21;
/// A week's records.
const WEEK_ROWS: usize = 200;
/// The link's chance in the first syncs, which take minutes.
const FIRST_SEED: u64 = 77;
/// What a device may spend in a sync of the budget's test, in bytes of bodies.
const BUDGET: u64 = 4000;

/// Measures and returns the tables.
///
/// # Errors
/// [`Failed`], told already.
pub(crate) fn run(
    steps: &mut Steps<'_>,
    bench: &Bench,
    data: &Data,
    goals: &mut Table,
) -> Result<String, Failed> {
    if !data.is_whole {
        return Ok("The thin link is measured with the whole workload only.".to_owned());
    }
    let mut rows = Vec::new();
    steps.own("weeks", "cargo xtask bench --only link", |_| weeks(bench, data, &mut rows, goals))?;
    steps.own("first sync", "cargo xtask bench --only link", |_| first_syncs(bench, data, &mut rows))?;
    steps.own("strawmen", "cargo xtask bench --only link", |_| {
        rows.extend(strawmen::rows(LINK, &week_file(bench, data, 0)?)?);
        Ok(())
    })?;
    Ok(format!(
        "{}\n\n| over the thin link | rounds | median | p90 | bytes up + down |\n|---|---|---|---|---|\n{}",
        report::machine(&bench.tree)?,
        rows.join("\n")
    ))
}

/// A world with TLS whose engineer's device stands behind the link.
struct Field {
    world: World,
    thin: Thin,
}

impl Field {
    /// Enrols the devices over a line that feels nothing yet.
    fn set_up(bench: &Bench, devices: &[(&str, &str)]) -> Result<Self, Failed> {
        let world = bench.world_with_tls("link")?;
        let thin = Thin::to(world.line_address().ok_or(Failed)?)?;
        let address = format!("https://{}", thin.address());
        devices.iter().try_for_each(|(device, staff)| world.enrol_at(device, staff, &address))?;
        Ok(Self { world, thin })
    }

    /// Syncs a device over the link, level at the end.
    fn sync(&self, device: &str, seed: u64) -> Result<Synced, Failed> {
        self.thin.feel(Some((LINK, seed)));
        let synced = self.world.sync(device)?;
        self.thin.feel(None);
        if synced.is_level() { Ok(synced) } else { Err(Failed) }
    }

    fn import(&self, file: &Path) -> Result<(), Failed> {
        self.world.import("engineer", "workload-sheets.toml", file).map(drop)
    }
}

/// The week of one device, many times; then a cut in it, and a budget.
fn weeks(bench: &Bench, data: &Data, rows: &mut Vec<String>, goals: &mut Table) -> Result<(), Failed> {
    let field = Field::set_up(bench, &[("engineer", ENGINEER)])?;
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    for week in 0..WEEKS {
        field.import(&week_file(bench, data, week)?)?;
        whole.push(field.sync("engineer", seed_of(week))?);
    }
    rows.push(row("fieldbook, a week of 200 sheets, TLS, a new connection", &whole));
    for (what, tenths, most_ms) in [("median", 5, 3_500), ("p90", 9, 6_500)] {
        let took = at_tenth(&times(&whole), tenths).unwrap_or(u64::MAX);
        let what = format!("a week over a thin link, {what}");
        goals.add(Goal::time("G17", &what, took, Duration::from_millis(most_ms)));
    }
    for week in WEEKS..WEEKS + 5 {
        field.import(&week_file(bench, data, week)?)?;
        // In the middle of what the week takes.
        field.world.cut_after(whole.first().map_or(0, |synced| synced.walk.bytes_up / 2));
        cut.push(field.sync("engineer", seed_of(week))?);
    }
    rows.push(row("the same, the line cut once in the middle", &cut));
    field.import(&week_file(bench, data, WEEKS + 5)?)?;
    rows.push(budgeted(&field)?);
    Ok(())
}

/// Syncs with a budget until everything is there.
fn budgeted(field: &Field) -> Result<String, Failed> {
    let (mut syncs, mut most, mut all) = (0_u64, 0, 0);
    loop {
        let synced = field.world.sync_with("engineer", &["--max-bytes", &BUDGET.to_string()])?;
        syncs += 1;
        most = most.max(synced.bodies());
        all += synced.walk.bytes();
        if synced.is_level() {
            break;
        }
        if syncs == 100 {
            eprintln!("a hundred syncs of {BUDGET} bytes each did not bring a week through");
            return Err(Failed);
        }
    }
    Ok(format!(
        "| the same with `--max-bytes {BUDGET}`: {syncs} syncs, the largest of {} B in bodies | 1 | – | – | {} |",
        grouped(most),
        grouped(all)
    ))
}

/// All sheets for the first time: from the engineer's device, then to his supervisor's.
fn first_syncs(bench: &Bench, data: &Data, rows: &mut Vec<String>) -> Result<(), Failed> {
    let field = Field::set_up(bench, &[("engineer", ENGINEER), ("supervisor", SUPERVISOR)])?;
    field.import(&data.sheets)?;
    rows.push(row("fieldbook, 10,000 sheets up", &[field.sync("engineer", FIRST_SEED)?]));
    rows.push(row("fieldbook, 10,000 sheets down", &[field.sync("supervisor", FIRST_SEED)?]));
    Ok(())
}

/// Returns a file with the rows of one week.
fn week_file(bench: &Bench, data: &Data, week: usize) -> Result<PathBuf, Failed> {
    std::fs::create_dir_all(&bench.scratch).map_err(|_gone| Failed)?;
    let rows = week * WEEK_ROWS..(week + 1) * WEEK_ROWS;
    renamed(&data.sheets, rows, '0', &bench.scratch.join("week.jsonl"))
}

fn seed_of(week: usize) -> u64 {
    u64::try_from(week).unwrap_or(u64::MAX)
}

fn row(what: &str, synced: &[Synced]) -> String {
    let bytes = |of: fn(&Synced) -> u64| crate::bench::table::median(synced.iter().map(of).collect());
    told(what, times(synced), bytes(|synced| synced.walk.bytes_up), bytes(|synced| synced.walk.bytes_down))
}

/// Returns how long each took, in microseconds, the shortest first.
fn times(synced: &[Synced]) -> Vec<u64> {
    let mut times: Vec<u64> = synced.iter().map(|synced| micros(synced.walk.took)).collect();
    times.sort_unstable();
    times
}

/// Returns the one behind so many tenths of them; `None` where there is none.
fn at_tenth(sorted: &[u64], tenths: usize) -> Option<u64> {
    sorted.get((sorted.len() * tenths / 10).min(sorted.len().saturating_sub(1))).copied()
}

/// Returns a line of the table; `times` are in microseconds.
fn told(what: &str, mut times: Vec<u64>, up: u64, down: u64) -> String {
    times.sort_unstable();
    let at = |tenths: usize| at_tenth(&times, tenths);
    let seconds = |at: Option<u64>| {
        at.map_or_else(String::new, |us| format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000))
    };
    let (rounds, bytes) = (times.len(), format!("{} + {}", grouped(up), grouped(down)));
    format!("| {what} | {rounds} | {} | {} | {bytes} |", seconds(at(5)), seconds(at(9)))
}
