//! What a simpler protocol would take over the same link, in the model's own time: JSON and gzip, no work at either end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::link::tcp::{Chance, Link, Way, carried};
use crate::bench::link::told;
use crate::step::Failed;

/// Chances that are tried.
const SEEDS: u64 = 1000;
/// What TLS 1.3 says first: the client, then the server with a small certificate.
const HELLO: (usize, usize) = (300, 1100);
/// What the client finishes TLS with.
const FINISHED: usize = 80;
/// Headers of a request and all of a short answer, with TLS's records.
const HEADERS: (usize, usize) = (200, 150);

/// Returns a line for each way to send the week's rows: one request, ten, and one a record.
///
/// # Errors
/// [`Failed`] where the file is gone or this machine has no `gzip`.
pub(crate) fn rows(link: Link, week: &Path) -> Result<Vec<String>, Failed> {
    let text = std::fs::read_to_string(week).map_err(|_gone| Failed)?;
    let lines: Vec<&str> = text.lines().collect();
    let ways = [
        ("one request with JSON and gzip", lines.len()),
        ("ten such requests", lines.len().div_ceil(10)),
        ("such a request a record", 1),
    ];
    ways.iter()
        .map(|(what, rows)| {
            let bodies: Vec<usize> =
                lines.chunks(*rows).map(|rows| gzipped(&rows.join("\n"))).collect::<Result<_, _>>()?;
            Ok(row(link, what, &bodies))
        })
        .collect()
}

fn row(link: Link, what: &str, bodies: &[usize]) -> String {
    let mut turns = vec![HELLO];
    turns.extend(bodies.iter().map(|body| (HEADERS.0 + body, HEADERS.1)));
    if let Some(first) = turns.get_mut(1) {
        first.0 += FINISHED;
    }
    let times = (0..SEEDS).map(|seed| took(link, seed, &turns)).collect();
    let sum = |of: fn(&(usize, usize)) -> usize| {
        u64::try_from(turns.iter().map(of).sum::<usize>()).unwrap_or(u64::MAX)
    };
    told(&format!("strawman: {what}"), times, sum(|turn| turn.0), sum(|turn| turn.1))
}

/// Returns how long a connection takes whose sides speak in turns, with the greeting.
fn took(link: Link, seed: u64, turns: &[(usize, usize)]) -> u64 {
    let from = link.greeting(&mut Chance::of(seed));
    let way = |n: u64| Way::new(link, Chance::of(seed.wrapping_mul(1009).wrapping_add(n)), from);
    let (mut up, mut down) = (way(1), way(2));
    turns.iter().fold(from, |now, (asked, answered)| {
        let heard = carried(&mut up, now, *asked);
        carried(&mut down, heard, *answered)
    })
}

/// Returns how many bytes `gzip -9` makes of a text.
fn gzipped(text: &str) -> Result<usize, Failed> {
    let mut gzip = Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            eprintln!("gzip: {error}");
            Failed
        })?;
    let mut stdin = gzip.stdin.take().ok_or(Failed)?;
    let text = text.to_owned();
    let fed = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let out = gzip.wait_with_output().map_err(|_gone| Failed)?;
    fed.join().ok().and_then(Result::ok).ok_or(Failed)?;
    Ok(out.stdout.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_costs_at_least_a_round_trip() {
        let whole = Link { bits_per_s: 64_000, round_trip: 600_000, lost_permille: 0 };
        let turns = |n: usize| vec![(100, 100); n];
        // The greeting, and each turn's distance and its bytes.
        assert_eq!(took(whole, 1, &turns(1)), 600_000 + 600_000 + 2 * 19_000);
        assert_eq!(took(whole, 1, &turns(10)), 600_000 + 10 * (600_000 + 2 * 19_000));
    }
}
