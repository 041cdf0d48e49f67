//! The agent as it is shipped, against its size goal.

use std::path::{Path, PathBuf};

use crate::step::{Failed, Steps};

/// What an agent may weigh, stripped, with TLS, pages and papers, without fonts.
///
/// Source: docs/BENCHMARKS.md, G12.
pub(crate) const AGENT_BYTES_MAX: u64 = 4_000_000;

/// What the linker saves where it is lld, which this target has unless told otherwise: functions of the same bytes
/// stand there once, and relocations are packed (since glibc 2.36).
const LINK_SMALL: &str = "-C link-arg=-Wl,--icf=all -C link-arg=-Wl,-z,pack-relative-relocs";

/// What it may not pass before the goal is reached: a little above what was measured last, so that growth is noticed.
///
/// Source: docs/BENCHMARKS.md, What the agent weighs.
const AGENT_BYTES_BOUND: u64 = 9_700_000;

/// Builds the agent with the profile `dist` and prints its size.
///
/// # Errors
/// [`Failed`] when it does not build or is above the bound.
pub(crate) fn run(tree: &Path) -> Result<(), Failed> {
    let bytes = build(tree)?;
    println!(
        "agent, stripped: {bytes} bytes; bound {AGENT_BYTES_BOUND}, goal G12: at most {AGENT_BYTES_MAX}"
    );
    if bytes > AGENT_BYTES_BOUND { Err(Failed) } else { Ok(()) }
}

/// Returns where it is, once it is built.
pub(crate) fn program(tree: &Path) -> PathBuf {
    tree.join("target/dist/fieldbook").with_extension(std::env::consts::EXE_EXTENSION)
}

/// Builds it and returns its size in bytes.
///
/// # Errors
/// [`Failed`] when it does not build.
pub(crate) fn build(tree: &Path) -> Result<u64, Failed> {
    let mut steps = Steps::new(tree);
    let build = "cargo rustc --locked --profile dist --package fieldbook --bin fieldbook";
    let command = if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        format!("{build} -- {LINK_SMALL}")
    } else {
        build.to_owned()
    };
    steps.command("build", &[], &command)?;
    let program = program(tree);
    match std::fs::metadata(&program) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) => {
            eprintln!("{}: {error}", program.display());
            Err(Failed)
        }
    }
}
