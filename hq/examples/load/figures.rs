//! What one run finds out.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use fieldbook_hq::clock::Clock;

use crate::company::{Company, Engine};
use crate::crowd::{Done, Pace, run};
use crate::device::{DAY, Device};
use crate::people::Size;
use crate::sheets::Sheet;
use crate::watch::{Look, Watch};

/// Devices that speak at a time where it is measured how much HQ takes: as many as it has turns.
const TOGETHER: usize = 128;
/// Syncs from which the cost of one is taken where a company is small.
const SYNCS_MIN: usize = 1000;

/// One crowd of devices, all through.
pub(crate) struct Crowd {
    pub(crate) done: Vec<Done>,
    pub(crate) took: Duration,
    pub(crate) looks: Vec<Look>,
}

/// A company of full size on one engine.
pub(crate) struct Figures {
    pub(crate) engine: Engine,
    pub(crate) size: Size,
    pub(crate) enrolled: Crowd,
    pub(crate) first_pull: Pull,
    /// A day of all devices, as fast as HQ takes it.
    pub(crate) day: Crowd,
    /// A day of a fifth of them at half that speed.
    pub(crate) easy: Crowd,
    /// A day of all devices that come ten times as fast as HQ can take them.
    pub(crate) rush: Crowd,
    /// Devices a second, in the rush.
    pub(crate) rush_per_s: u64,
    /// Each branch's supervisor pulls the days of his branch.
    pub(crate) branch_pulls: Vec<Pull>,
    /// Records at the end.
    pub(crate) records: u64,
}

/// What a company of some size costs.
pub(crate) struct Grown {
    pub(crate) day: Crowd,
    pub(crate) first_pull: Pull,
}

/// A device that pulls until nothing more waits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pull {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) items: u64,
    pub(crate) took: Duration,
    /// CPU of HQ and its database, in milliseconds.
    pub(crate) cpu_ms: u64,
}

/// Lets a company of full size work, rest and rush.
pub(crate) fn measure(engine: Engine, size: Size) -> Figures {
    eprintln!("{}: {} devices in {} branches", engine.name(), size.devices, size.branches);
    let sheets = Sheet::samples(now_ms());
    let (company, devices) = Company::start(engine, size);
    let (mut engineers, newcomer, enrolled) = enrol(&company, devices);
    let supervisors = engineers.split_off(size.devices as usize);
    let first_pull = pull(&company, newcomer);
    let (engineers, day) = works(&company, engineers, 1, Pace::Together(TOGETHER), &sheets);
    let per_s = day.per_s().max(1);
    eprintln!("  a day's sync of each: {per_s} a second");
    let mut some = engineers;
    let others = some.split_off(some.len() / 5);
    let (mut engineers, easy) = works(&company, some, 2, Pace::Each { per_s: per_s.div_ceil(2) }, &sheets);
    engineers.extend(others);
    let rush_per_s = per_s * 10;
    let (engineers, rush) = works(&company, engineers, 3, Pace::Each { per_s: rush_per_s }, &sheets);
    eprintln!("  ten times as many: {} a second came through", rush.per_s());
    let branch_pulls = supervisors.into_iter().map(|device| pull(&company, device)).collect();
    let records = company.killed_has_everything(&engineers);
    Figures { engine, size, enrolled, first_pull, day, easy, rush, rush_per_s, branch_pulls, records }
}

/// Lets a company of another size work, until its cost is known.
pub(crate) fn grown(engine: Engine, size: Size) -> Grown {
    eprintln!("{}: {} devices in {} branches", engine.name(), size.devices, size.branches);
    let sheets = Sheet::samples(now_ms());
    let (company, devices) = Company::start(engine, size);
    let (mut engineers, newcomer, _) = enrol(&company, devices);
    engineers.truncate(size.devices as usize);
    let first_pull = pull(&company, newcomer);
    let mut all: Option<Crowd> = None;
    let mut day = 0;
    while all.as_ref().is_none_or(|all| all.done.len() < SYNCS_MIN) {
        day += 1;
        let (back, crowd) = works(&company, engineers, day, Pace::Together(TOGETHER), &sheets);
        engineers = back;
        all = Some(match all {
            None => crowd,
            Some(all) => all.and(crowd),
        });
    }
    company.killed_has_everything(&engineers);
    Grown { day: all.expect("a day at least"), first_pull }
}

/// All say their first words; what the company told everybody up to then counts as read by all but the newcomer, the
/// last of them.
fn enrol(company: &Company, mut devices: Vec<Device>) -> (Vec<Device>, Device, Crowd) {
    devices.iter_mut().for_each(|device| device.introduces_itself(now_ms()));
    let (mut devices, enrolled) = crowd(company, devices, Pace::Together(TOGETHER));
    let newcomer = devices.pop().expect("the newcomer");
    let read = company.feed_end();
    devices.iter_mut().for_each(|device| device.has_read(read));
    (devices, newcomer, enrolled)
}

fn works(
    company: &Company,
    mut devices: Vec<Device>,
    day: u64,
    pace: Pace,
    sheets: &[Sheet],
) -> (Vec<Device>, Crowd) {
    devices.iter_mut().for_each(|device| device.works(day, DAY, sheets, now_ms()));
    crowd(company, devices, pace)
}

fn crowd(company: &Company, devices: Vec<Device>, pace: Pace) -> (Vec<Device>, Crowd) {
    let through = Arc::new(AtomicU64::new(0));
    let watch = Watch::start(company.processes, Arc::clone(&through));
    let (devices, done, took) = run(company.address, devices, pace, &through);
    (devices, Crowd { done, took, looks: watch.end() })
}

fn pull(company: &Company, mut device: Device) -> Pull {
    let before = company.processes.look(0);
    let mut pull = Pull::default();
    loop {
        device.asks(now_ms());
        let (back, done, _) = run(company.address, vec![device], Pace::Together(1), &Arc::default());
        device = back.into_iter().next().expect("itself");
        let done = done.into_iter().next().expect("its own");
        pull.requests += 1;
        pull.bytes += done.up + done.down;
        pull.items += done.heard.items;
        pull.took += done.took;
        if !done.heard.more {
            pull.cpu_ms = company.processes.look(0).cpu_ms().saturating_sub(before.cpu_ms());
            return pull;
        }
    }
}

impl Crowd {
    /// Returns how many devices came through in a second.
    pub(crate) fn per_s(&self) -> u64 {
        self.done.len() as u64 * 1000 / (self.took.as_millis() as u64).max(1)
    }

    /// Returns how many records that is.
    pub(crate) fn records_per_s(&self) -> u64 {
        (self.done.len() * DAY) as u64 * 1000 / (self.took.as_millis() as u64).max(1)
    }

    /// Returns the time of which `percent` of the requests that came through took less.
    pub(crate) fn took_at(&self, percent: usize) -> Duration {
        at(self.done.iter().map(|done| done.took).collect(), percent)
    }

    /// The same from a device's first try on.
    pub(crate) fn waited_at(&self, percent: usize) -> Duration {
        at(self.done.iter().map(|done| done.waited).collect(), percent)
    }

    /// Returns the CPU of HQ and of its database server for each device, in microseconds.
    pub(crate) fn cpu_us(&self) -> (u64, u64) {
        cost(&self.looks)
    }

    /// Returns the same of each fourth of the crowd.
    pub(crate) fn cpu_us_by_fourths(&self) -> Vec<(u64, u64)> {
        let all = self.done.len() as u64;
        let within = |n: u64| -> Vec<Look> {
            let range = all * n / 4..=all * (n + 1) / 4;
            self.looks.iter().filter(|look| range.contains(&look.through)).copied().collect()
        };
        (0..4).map(|n| cost(&within(n))).collect()
    }

    /// Returns HQ's memory when so many percent were through, in KiB.
    pub(crate) fn resident_kib(&self, percent: u64) -> u64 {
        let so_far = self.done.len() as u64 * percent / 100;
        let look = self.looks.iter().find(|look| look.through >= so_far).or(self.looks.last());
        look.map_or(0, |look| look.resident_kib)
    }

    /// Returns the most that was seen, in KiB.
    pub(crate) fn resident_kib_max(&self) -> u64 {
        self.looks.iter().map(|look| look.resident_kib).max().unwrap_or(0)
    }

    /// Adds another crowd that came later.
    fn and(mut self, later: Self) -> Self {
        let through = self.done.len() as u64;
        self.done.extend(later.done);
        self.took += later.took;
        self.looks.extend(later.looks.iter().map(|look| Look { through: look.through + through, ..*look }));
        self
    }
}

fn cost(looks: &[Look]) -> (u64, u64) {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return (0, 0) };
    let n = (last.through - first.through).max(1);
    ((last.hq_ms - first.hq_ms) * 1000 / n, (last.server_ms - first.server_ms) * 1000 / n)
}

fn at(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn now_ms() -> u64 {
    Clock::REAL.now_ms()
}
