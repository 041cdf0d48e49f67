//! Many devices at once: each opens a connection of its own, says its request, and comes again when it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::device::{Device, Heard};

/// Beyond it nobody waits any more: the run has failed.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two tries after a line that broke, doubled each time; as the agent does.
const AGAIN: Duration = Duration::from_millis(500);

/// How devices come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many at a time, one after the other.
    Together(usize),
    /// So many a second, however many are still waiting.
    Each { per_s: u64 },
}

/// How it went for one device.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    /// The request that came through, from connecting to the end of the answer.
    pub(crate) took: Duration,
    /// From its first try to the end of the answer.
    pub(crate) waited: Duration,
    /// Answers with 429 or 503.
    pub(crate) refused: u64,
    /// The longest time that one of them asked for, in seconds.
    pub(crate) asked_s: u64,
    /// Lines that broke.
    pub(crate) broken: u64,
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) heard: Heard,
}

/// Has every device say its request until it came through. `through` counts those who did.
pub(crate) fn run(
    hq: SocketAddr,
    devices: Vec<Device>,
    pace: Pace,
    through: &Arc<AtomicU64>,
) -> (Vec<Device>, Vec<Done>, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let began = Instant::now();
        let turns = Arc::new(Semaphore::new(match pace {
            Pace::Together(turns) => turns,
            Pace::Each { .. } => open_files().saturating_sub(200),
        }));
        let mut crowd = JoinSet::new();
        for (n, device) in (0_u64..).zip(devices) {
            let (turns, through) = (Arc::clone(&turns), Arc::clone(through));
            let begins = match pace {
                Pace::Together(_) => began,
                Pace::Each { per_s } => began + Duration::from_micros(n * 1_000_000 / per_s.max(1)),
            };
            crowd.spawn(async move {
                tokio::time::sleep_until(begins).await;
                let comes = comes(hq, device, &turns);
                let came = tokio::time::timeout(PATIENCE, comes).await.expect("HQ answers in the end");
                through.fetch_add(1, Ordering::Relaxed);
                came
            });
        }
        let (mut devices, mut done): (Vec<_>, Vec<_>) = crowd.join_all().await.into_iter().unzip();
        devices.sort_by_key(|device: &Device| device.at);
        done.shrink_to_fit();
        (devices, done, began.elapsed())
    })
}

async fn comes(hq: SocketAddr, mut device: Device, turns: &Semaphore) -> (Device, Done) {
    let first = Instant::now();
    let mut done = Done::default();
    loop {
        let turn = turns.acquire().await.unwrap();
        let tried = Instant::now();
        let posted = post(hq, device.address(), &device.request).await;
        drop(turn);
        match posted {
            Ok((200, _, answer)) => {
                (done.took, done.waited) = (tried.elapsed(), first.elapsed());
                (done.up, done.down) =
                    (done.up + device.request.len() as u64, done.down + answer.len() as u64);
                done.heard = device.hears(&answer);
                return (device, done);
            }
            Ok((429 | 503, Some(after_s), _)) => {
                done.refused += 1;
                done.asked_s = done.asked_s.max(after_s);
                let wait = Duration::from_secs(after_s);
                tokio::time::sleep(wait + share(wait, device.at, done.refused)).await;
            }
            Ok((status, after, said)) => {
                panic!("status {status}, Retry-After {after:?}: {}", String::from_utf8_lossy(&said))
            }
            Err(_) => {
                done.broken += 1;
                let wait = AGAIN * (1 << done.broken.min(6));
                tokio::time::sleep(wait + share(wait, device.at, done.broken)).await;
            }
        }
    }
}

/// A part of a time that differs from device to device: those who were turned away together do not come back together.
fn share(of: Duration, device: u32, time: u64) -> Duration {
    let mixed = (u64::from(device) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17) ^ time;
    of * u32::try_from(mixed % 256).unwrap() / 255
}

/// Posts a body from an address of this machine; returns status, `Retry-After` in seconds, and the answer.
async fn post(hq: SocketAddr, from: Ipv4Addr, body: &[u8]) -> std::io::Result<(u16, Option<u64>, Vec<u8>)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let mut stream = socket.connect(hq).await?;
    let length = body.len();
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
    let rest = answer.split_off(split + 4);
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let number = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    match number("content-length:") {
        Some(length) if length != rest.len() as u64 => Err(broken()),
        _ => Ok((status, number("retry-after:"), rest)),
    }
}

/// Returns how many files this process may have open.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(1024)
}
