//! What was found, as the tables of docs/SCALING.md.

use std::time::Duration;

use crate::crowd::Done;
use crate::device::DAY;
use crate::figures::{Crowd, Figures, Grown, Pull};
use crate::people::Size;

/// One line: what it is, and an engine's figure.
type Line = (&'static str, fn(&Figures) -> String);

/// The company of full size.
pub(crate) fn main(all: &[Figures]) -> String {
    let Some(Size { devices, branches }) = all.first().map(|figures| figures.size) else {
        return String::new();
    };
    let mut text = format!("| {} devices in {branches} branches |", grouped(u64::from(devices)));
    all.iter().for_each(|figures| text += &format!(" {} |", figures.engine.name()));
    text += "\n|---|";
    all.iter().for_each(|_| text += "---|");
    for (title, figure) in LINES {
        text += &format!("\n| {title} |");
        all.iter().for_each(|figures| text += &format!(" {} |", figure(figures)));
    }
    text + "\n"
}

const LINES: &[Line] = &[
    ("first words, devices a second", |f| grouped(f.enrolled.per_s())),
    ("**a day's sync of each, as fast as HQ takes it**: syncs a second", |f| grouped(f.day.per_s())),
    ("records a second", |f| grouped(f.day.records_per_s())),
    ("bytes of a day up; down", |f| bytes(&f.day)),
    ("CPU of a day's sync, HQ + database", |f| cpu(f.day.cpu_us())),
    ("128 at a time: p50; p99 of a sync", |f| took(&f.day)),
    ("at half that speed: p50; p99 of a sync", |f| took(&f.easy)),
    ("memory of HQ at the start; a fourth; half; all through", |f| memory(&f.day)),
    ("**ten times as many as it takes**: devices a second", |f| grouped(f.rush_per_s)),
    ("came through a second, until the last one", |f| grouped(f.rush.per_s())),
    ("refused at least once with `Retry-After`; lines that broke", |f| refused(&f.rush.done)),
    ("of those that came through, the request alone: p50; p99", |f| took(&f.rush)),
    ("from a device's first try: p50; p99", |f| waited(&f.rush)),
    ("CPU of a day's sync meanwhile, refusals included", |f| cpu(f.rush.cpu_us())),
    ("most memory of HQ", |f| mebi(f.rush.resident_kib_max())),
    ("then killed: acknowledged records, each there once", |f| grouped(f.records)),
    ("a supervisor pulls his branch's days: p50; slowest", |f| pulls(&f.branch_pulls)),
    ("a new device's first pull of the company", |f| pull(&f.first_pull)),
];

/// How cost grows with devices; the full company last.
pub(crate) fn by_devices(grown: &[(Size, [Grown; 2])], main: &[Figures]) -> String {
    let mut text = "| devices | day's sync, SQLite | PostgreSQL | first pull, SQLite | PostgreSQL |\n|---|---|---|---|---|\n"
        .to_owned();
    for (size, each) in grown {
        let days = each.iter().map(|grown| day(&grown.day));
        text += &row(u64::from(size.devices), days.chain(each.iter().map(|grown| pull(&grown.first_pull))));
    }
    let devices = main.first().map_or(0, |figures| u64::from(figures.size.devices));
    let days = main.iter().map(|figures| day(&figures.day));
    text + &row(devices, days.chain(main.iter().map(|figures| pull(&figures.first_pull))))
}

/// How cost grows with records: each fourth of the full company's day.
pub(crate) fn by_records(main: &[Figures]) -> String {
    let mut text = "| records held | day's sync, SQLite | PostgreSQL |\n|---|---|---|\n".to_owned();
    let fourths: Vec<_> = main.iter().map(|figures| figures.day.cpu_us_by_fourths()).collect();
    for n in 0..4 {
        let all = main.first().map_or(0, |figures| figures.day.done.len() * DAY) as u64;
        let costs = fourths.iter().map(|fourths| fourths.get(n).map_or(String::new(), |cost| cpu(*cost)));
        text += &row(all * (n as u64 + 1) / 4, costs);
    }
    text
}

/// How cost grows with branches.
pub(crate) fn by_branches(grown: &[(Size, [Grown; 2])]) -> String {
    let mut text = "| branches | day's sync, SQLite | PostgreSQL |\n|---|---|---|\n".to_owned();
    for (size, each) in grown {
        text += &row(u64::from(size.branches), each.iter().map(|grown| day(&grown.day)));
    }
    text
}

fn row(of: u64, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!(" {cell} |")).collect();
    format!("| {} |{cells}\n", grouped(of))
}

fn day(crowd: &Crowd) -> String {
    format!("{}; p50 {}", cpu(crowd.cpu_us()), millis(crowd.took_at(50)))
}

/// CPU of HQ, and of a database server where there is one.
fn cpu((hq_us, server_us): (u64, u64)) -> String {
    let shown = |us| millis(Duration::from_micros(us));
    if server_us == 0 { shown(hq_us) } else { format!("{} + {}", shown(hq_us), shown(server_us)) }
}

fn took(crowd: &Crowd) -> String {
    format!("{}; {}", millis(crowd.took_at(50)), millis(crowd.took_at(99)))
}

fn waited(crowd: &Crowd) -> String {
    format!("{}; {}", millis(crowd.waited_at(50)), millis(crowd.waited_at(99)))
}

fn bytes(crowd: &Crowd) -> String {
    let each =
        |of: fn(&Done) -> u64| crowd.done.iter().map(of).sum::<u64>() / (crowd.done.len() as u64).max(1);
    format!("{}; {}", grouped(each(|done| done.up)), grouped(each(|done| done.down)))
}

fn memory(crowd: &Crowd) -> String {
    [0, 25, 50, 100].map(|percent| mebi(crowd.resident_kib(percent))).join("; ")
}

fn refused(done: &[Done]) -> String {
    let refused = done.iter().filter(|done| done.refused > 0).count();
    let longest = done.iter().map(|done| done.asked_s).max().unwrap_or(0);
    let broken: u64 = done.iter().map(|done| done.broken).sum();
    format!("{} devices, up to {longest} s; {}", grouped(refused as u64), grouped(broken))
}

fn pulls(pulls: &[Pull]) -> String {
    let mut took: Vec<Duration> = pulls.iter().map(|pull| pull.took).collect();
    took.sort_unstable();
    let (middle, slowest) = (took.get(took.len() / 2), took.last());
    format!(
        "{}; {}",
        millis(middle.copied().unwrap_or_default()),
        millis(slowest.copied().unwrap_or_default())
    )
}

fn pull(pull: &Pull) -> String {
    let Pull { requests, bytes, took, cpu_ms, .. } = pull;
    let word = if *requests == 1 { "request" } else { "requests" };
    format!(
        "{} kB in {requests} {word}, {}, CPU {}",
        grouped(bytes / 1000),
        millis(*took),
        millis(Duration::from_millis(*cpu_ms))
    )
}

fn millis(time: Duration) -> String {
    let micros = time.as_micros() as u64;
    if micros < 10_000 {
        format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
    } else {
        format!("{} ms", grouped(micros / 1000))
    }
}

fn mebi(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
