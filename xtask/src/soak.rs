//! The simulator for a long time: seeds by the thousand, in a release build.

use std::path::Path;

use crate::step::{Failed, Steps};

/// Runs `seeds` seeds from `from` on; a seed that breaks a promise is named with the command that tells its story.
///
/// # Errors
/// [`Failed`] where one did.
pub(crate) fn run(tree: &Path, seeds: &str, from: &str) -> Result<(), Failed> {
    let settings = [("FIELDBOOK_SIM_FROM", from), ("FIELDBOOK_SIM_SEEDS", seeds), ("XDG_RUNTIME_DIR", "")];
    let command = "cargo test --locked --release --test sim every -- --nocapture";
    let mut steps = Steps::new(tree);
    let done = steps.command("soak", &settings, command);
    steps.summary();
    done
}
