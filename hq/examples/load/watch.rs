//! What the kernel says of headquarters while it works: memory and CPU, of its database server too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(200);
/// The kernel's unit of CPU time, the same on every Linux that we know.
const TICK_MS: u64 = 10;

/// The processes whose work is HQ's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processes {
    /// `fieldbook-hq serve`.
    pub(crate) hq: u32,
    /// PostgreSQL's first process; the others are its children.
    pub(crate) server: Option<u32>,
}

/// One look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// How many devices were through.
    pub(crate) through: u64,
    /// HQ's resident memory, in KiB.
    pub(crate) resident_kib: u64,
    /// CPU of HQ since its start, in milliseconds.
    pub(crate) hq_ms: u64,
    /// CPU of the database server since its start, in milliseconds.
    pub(crate) server_ms: u64,
}

impl Look {
    /// Returns the CPU of both.
    pub(crate) fn cpu_ms(&self) -> u64 {
        self.hq_ms + self.server_ms
    }
}

impl Processes {
    /// Looks once.
    pub(crate) fn look(self, through: u64) -> Look {
        let server_ms = self.server.map_or(0, |server| ticks(server, true) + children(server));
        Look { through, resident_kib: resident_kib(self.hq), hq_ms: ticks(self.hq, false), server_ms }
    }
}

/// Looks again and again until it is told to end.
pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    looking: JoinHandle<Vec<Look>>,
}

impl Watch {
    pub(crate) fn start(processes: Processes, through: Arc<AtomicU64>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let looking = std::thread::spawn(move || {
            let mut looks = Vec::new();
            loop {
                let last = ends.load(Ordering::Relaxed);
                looks.push(processes.look(through.load(Ordering::Relaxed)));
                if last {
                    return looks;
                }
                std::thread::sleep(LOOK);
            }
        });
        Self { over, looking }
    }

    pub(crate) fn end(self) -> Vec<Look> {
        self.over.store(true, Ordering::Relaxed);
        self.looking.join().expect("somebody who looks")
    }
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// CPU of a process, with that of its children that ended, in milliseconds.
fn ticks(pid: u32, ended: bool) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let numbers = fields.skip(11).take(if ended { 4 } else { 2 });
    numbers.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * TICK_MS
}

fn children(parent: u32) -> u64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let of = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        of == Some(parent)
    };
    pids.filter(is_child).map(|pid| ticks(pid, false)).sum()
}
