//! The agent as it is shipped, against its size goal.

use std::path::Path;

use crate::step::{Failed, Steps};

/// What an agent may weigh, stripped, with TLS, pages and papers, without fonts.
///
/// Source: docs/BENCHMARKS.md, G12.
pub(crate) const AGENT_BYTES_MAX: u64 = 4_000_000;

/// Builds the agent with the profile `dist` and prints its size.
///
/// # Errors
/// [`Failed`] when it does not build or is above the goal.
pub(crate) fn run(tree: &Path) -> Result<(), Failed> {
    let bytes = build(tree)?;
    println!("agent, stripped: {bytes} bytes; goal G12: at most {AGENT_BYTES_MAX}");
    if bytes > AGENT_BYTES_MAX { Err(Failed) } else { Ok(()) }
}

/// Builds it and returns its size in bytes.
///
/// # Errors
/// [`Failed`] when it does not build.
pub(crate) fn build(tree: &Path) -> Result<u64, Failed> {
    let mut steps = Steps::new(tree);
    steps.command("build", &[], "cargo build --locked --profile dist --package fieldbook --bin fieldbook")?;
    let program = tree.join("target/dist/fieldbook").with_extension(std::env::consts::EXE_EXTENSION);
    match std::fs::metadata(&program) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) => {
            eprintln!("{}: {error}", program.display());
            Err(Failed)
        }
    }
}
