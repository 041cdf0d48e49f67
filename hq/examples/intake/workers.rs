//! Workers, who take one request after the other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::watch::Processes;

/// What became of all requests of a round.
pub(crate) struct Taken<A> {
    /// By request.
    pub(crate) answers: Vec<A>,
    took: Duration,
    /// What each took, the shortest first.
    each: Vec<Duration>,
    cpu_ms: u64,
}

/// Has so many workers do `n` requests.
pub(crate) fn take<A: Send>(
    workers: usize,
    processes: Processes,
    n: usize,
    request: impl Fn(usize) -> A + Sync,
) -> Taken<A> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(n)));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= n {
                break;
            }
            let began = Instant::now();
            let answer = request(at);
            let took = began.elapsed();
            done.lock().unwrap().push((at, took, answer));
        }
    };
    let (before, began) = (processes.look(0), Instant::now());
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let (took, after) = (began.elapsed(), processes.look(0));
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, ..)| *at);
    let mut each: Vec<Duration> = done.iter().map(|(_, took, _)| *took).collect();
    each.sort_unstable();
    let answers = done.into_iter().map(|(.., answer)| answer).collect();
    Taken { answers, took, each, cpu_ms: after.cpu_ms() - before.cpu_ms() }
}

impl<A> Taken<A> {
    /// Returns what it came to, where each request brought so many sheets.
    pub(crate) fn told(&self, place: &str, sheets: usize) -> serde_json::Value {
        let at = |percent: usize| self.each[(self.each.len() * percent / 100).min(self.each.len() - 1)];
        serde_json::json!({
            "place": place,
            "sheets": self.each.len() * sheets,
            "took_us": self.took.as_micros() as u64,
            "p50_us": at(50).as_micros() as u64,
            "p99_us": at(99).as_micros() as u64,
            "cpu_us": self.cpu_ms * 1000,
        })
    }
}
