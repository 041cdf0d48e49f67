//! Hostile bytes by the million: the targets of `fuzz/` under libFuzzer, on the nightly compiler.

use std::path::Path;

use crate::step::{self, Failed, Steps};

/// Seconds for each target where nobody says how many.
const SECONDS: &str = "60";

/// Runs one target, or all of them one after the other, for so many seconds each.
///
/// What it finds new stands in `target/fuzz/TARGET/`; inputs worth keeping are copied into `fuzz/corpus/TARGET/` by hand.
///
/// # Errors
/// [`Failed`] at the first input that breaks a law; it stands in `target/fuzz/TARGET/`.
pub(crate) fn run(tree: &Path, target: Option<&str>, seconds: Option<&str>) -> Result<(), Failed> {
    if !step::succeeds(tree, "cargo fuzz --version") {
        eprintln!("missing: cargo-fuzz; install it with: cargo install cargo-fuzz --locked");
        return Err(Failed);
    }
    let all = targets(tree)?;
    let chosen: Vec<&String> = all.iter().filter(|name| target.is_none_or(|one| one == *name)).collect();
    if chosen.is_empty() {
        eprintln!("there is no such target; these are: {}", all.join(" "));
        return Err(Failed);
    }
    let mut steps = Steps::new(tree);
    let done =
        chosen.into_iter().try_for_each(|name| one(&mut steps, tree, name, seconds.unwrap_or(SECONDS)));
    steps.summary();
    done
}

fn one(steps: &mut Steps<'_>, tree: &Path, name: &str, seconds: &str) -> Result<(), Failed> {
    let found = format!("target/fuzz/{name}");
    if let Err(error) = std::fs::create_dir_all(tree.join(&found)) {
        eprintln!("{found}: {error}");
        return Err(Failed);
    }
    // No unsafe code is ours: the sanitizers would watch the crates below us, at half the speed.
    let build = "cargo +nightly fuzz run --fuzz-dir fuzz --sanitizer none --features libfuzzer";
    let limits = format!("-max_total_time={seconds} -max_len=65536 -timeout=10 -print_final_stats=1");
    let command =
        format!("{build} {name} {found} fuzz/corpus/{name} -- {limits} -artifact_prefix={found}/find-");
    steps.command(name, &[], &command)
}

/// Returns the names of the programs in `fuzz/fuzz_targets/`.
fn targets(tree: &Path) -> Result<Vec<String>, Failed> {
    let folder = tree.join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|error| {
        eprintln!("{}: {error}", folder.display());
        Failed
    })?;
    let name = |path: std::path::PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?.path())).collect();
    names.sort();
    Ok(names)
}
