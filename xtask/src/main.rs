//! The project's own chores: everything is checked by `cargo xtask test`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person who started it")]

mod arrows;
mod bench;
mod browser;
mod clock;
mod count;
mod debian;
mod faults;
mod fuzz;
mod load;
mod package;
mod size;
mod soak;
mod source;
mod step;
mod test;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test     everything that must hold before a change lands
  browser  install what the tests in a real browser need, alone
  arrows   which rooms and crates may name which, alone
  bench    measure real programs against the goals and against other people's, and write docs/BENCHMARKS.md;
           FIELDBOOK_DATA names the workload: bench [--only PART|PEER [ROUNDS]]
  count    instructions of the hot pure functions against benches/instructions.txt, by callgrind: count [write]
  load     ten thousand simulated devices at one headquarters, on SQLite and on PostgreSQL, and docs/SCALING.md: load;
           fewer, for a look that writes nothing: load DEVICES
  soak     run the simulator on as many seeds as asked for: soak SEEDS [FROM]
  fuzz     hostile bytes under libFuzzer on the nightly compiler: fuzz [TARGET|all] [SECONDS]
  faults   kills, power cuts, turned bits, full disks and wrong clocks, and their table: faults [TIMES]
  package  the Debian packages of both programs, in target/package: package [PROFILE]
  size     build the agent as it is shipped and compare its size with the goal";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(tree()),
        ["browser"] => browser::install(tree()),
        ["arrows"] => arrows::run(tree()),
        ["bench"] => bench::run(tree(), None, None),
        ["bench", "--only", part] => bench::run(tree(), Some(part), None),
        ["bench", "--only", part, rounds] => bench::run(tree(), Some(part), rounds.parse().ok()),
        ["load"] => load::run(tree(), None),
        ["load", devices] => load::run(tree(), Some(*devices)),
        ["count"] => count::check(tree()),
        ["count", "write"] => count::write(tree()),
        ["soak", seeds] => soak::run(tree(), seeds, "1"),
        ["soak", seeds, from] => soak::run(tree(), seeds, from),
        ["fuzz"] => fuzz::run(tree(), None, None),
        ["fuzz", target] => fuzz::run(tree(), Some(target), None),
        ["fuzz", target, seconds] => fuzz::run(tree(), (*target != "all").then_some(*target), Some(*seconds)),
        ["faults"] => faults::run(tree(), "1"),
        ["faults", times] => faults::run(tree(), times),
        ["package"] => package::run(tree(), "dist"),
        ["package", profile] => package::run(tree(), profile),
        ["size"] => size::run(tree()),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(step::Failed) => ExitCode::FAILURE,
    }
}

/// Returns the folder of the workspace.
fn tree() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}
