//! How many claims the rules check and settle in a second, and in how much memory.
//!
//! `cargo bench -p records --bench claims -- 100000`: so many claims of 8 lines and 12 vouchers each, fifty of each
//! person, each asked against the ceilings and every voucher key that stood on a claim before it.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

#[path = "company/made.rs"]
mod made;

use std::error::Error;
use std::time::{Duration, Instant};

use records::claim::checks::check;
use records::claim::settle::{settle, spends};
use records::claim::view::Claim;
use records::money::Fen;

use crate::made::{EACH, LINES, claim, company};

fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().skip(1).find_map(|arg| arg.parse::<u64>().ok());
    let Some(claims) = asked else {
        // `cargo bench` without a number, and every build of all targets, pass here.
        println!("usage: cargo bench -p records --bench claims -- CLAIMS");
        return Ok(());
    };
    let mut facts = company()?;
    let (mut wall, mut cpu, mut paid, mut found) = (Duration::ZERO, 0_u64, 0_i64, 0_usize);
    for person in 0..claims / EACH {
        let of_one = (0..EACH).map(|n| claim(person * EACH + n, &mut facts));
        let of_one: Vec<Claim> = of_one.collect::<Result<_, _>>()?;
        let (start, busy) = (now(), busy_ns());
        for claim in &of_one {
            found += check(claim, &facts).len();
            let settled = settle(claim, &facts);
            paid += settled.payable.0;
            for (account, row) in spends(claim, &settled) {
                facts.spend(account, row);
            }
        }
        wall += start.elapsed();
        cpu += busy_ns().saturating_sub(busy);
    }
    let asked = claims / EACH * EACH;
    let answer = serde_json::json!({
        "claims": asked,
        "lines": asked * u64::from(LINES),
        "vouchers": facts.vouchers.len(),
        "cpu_ms": cpu / 1_000_000,
        "wall_ms": u64::try_from(wall.as_millis())?,
        "claims_per_cpu_second": asked * 1_000_000 / (cpu / 1_000).max(1),
        "problems": found,
        "paid": Fen(paid).to_string(),
        "peak_memory_kib": peak_memory(),
    });
    println!("{answer}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Returns how long the processor worked for this process, in nanoseconds; 0 where the system does not tell.
fn busy_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// Returns the process's high-water mark in KiB where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
