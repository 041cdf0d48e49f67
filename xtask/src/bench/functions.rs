//! What the pure functions take a record: G9, G10, and the others that `cargo xtask count` counts.

use std::path::Path;
use std::time::Duration;

use crate::bench::table::{Goal, Table, grouped, median};
use crate::bench::{ROUNDS, program};
use crate::count::{self, Program};
use crate::step::{Failed, Steps};

/// CPU comes in ticks of 10 ms: a function runs as often as this takes.
const LONG_ENOUGH: Duration = Duration::from_millis(500);
/// How often a function runs at first, and how many times more often when that was too short.
const FEW: u32 = 100;
const MORE: u32 = 10;
/// What has a goal, in nanoseconds an item; the names are the benches' own.
const GOALS: &[(&str, &str, &str, u64)] = &[
    ("G9", "merge/25 ops of 5 devices, in conflict", "merge of an op, conflicts kept, CPU", 300),
    ("G10", "wire/encode and deflate 120 sheets", "encode and deflate a sheet, CPU", 4_000),
    ("G10", "wire/inflate and decode 120 sheets", "inflate and decode a sheet, CPU", 1_500),
];

/// Measures each function and adds a line for it.
///
/// # Errors
/// [`Failed`], told already.
pub(crate) fn run(steps: &mut Steps<'_>, table: &mut Table) -> Result<(), Failed> {
    steps.own("functions", "cargo xtask bench --only functions", |tree| each(tree, table))
}

fn each(tree: &Path, table: &mut Table) -> Result<(), Failed> {
    for program in count::programs(tree)? {
        for name in &program.names {
            let rounds: Vec<u64> = (0..ROUNDS).map(|_| nanos(&program, name)).collect::<Result<_, _>>()?;
            let of_all = median(rounds);
            match GOALS.iter().find(|(_, measured, ..)| measured == name) {
                Some((id, _, what, most)) => table.add(Goal::nanos(id, what, of_all / items(name), *most)),
                None => table.tell("–", name, &format!("{} ns", grouped(of_all))),
            }
        }
    }
    Ok(())
}

/// Returns how many things a function is named to do at once.
fn items(name: &str) -> u64 {
    name.split([' ', '/']).find_map(|word| word.parse().ok()).unwrap_or(1)
}

/// Returns the CPU of one run of a function, in nanoseconds, without the program around it.
fn nanos(program: &Program, name: &str) -> Result<u64, Failed> {
    let around = cpu(program, name, 0)?;
    let mut times = FEW;
    loop {
        let taken = cpu(program, name, times)?.saturating_sub(around);
        if taken >= LONG_ENOUGH {
            return Ok(u64::try_from(taken.as_nanos() / u128::from(times)).unwrap_or(u64::MAX));
        }
        times = times.saturating_mul(MORE);
    }
}

fn cpu(program: &Program, name: &str, times: u32) -> Result<Duration, Failed> {
    Ok(program::run(&program.path, &["count", name, &times.to_string()])?.cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_how_many_things_are_done() {
        assert_eq!(items("wire/encode 120 sheets"), 120);
        assert_eq!(items("merge/25 ops of 5 devices, in conflict"), 25);
        assert_eq!(items("policy/check"), 1);
    }
}
