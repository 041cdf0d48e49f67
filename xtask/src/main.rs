//! The project's own chores: everything is checked by `cargo xtask test`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person who started it")]

mod arrows;
mod bench;
mod clock;
mod size;
mod source;
mod step;
mod test;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test     everything that must hold before a change lands
  arrows   which rooms and crates may name which, alone
  bench    measure real programs against the goals; FIELDBOOK_DATA names the workload
  size     build the agent as it is shipped and compare its size with the goal";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let chore = args.next();
    let done = match (chore.as_deref(), args.next()) {
        (Some("test"), None) => test::run(tree()),
        (Some("arrows"), None) => arrows::run(tree()),
        (Some("bench"), None) => bench::run(tree()),
        (Some("size"), None) => size::run(tree()),
        (None | Some("help" | "--help" | "-h"), None) => {
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
