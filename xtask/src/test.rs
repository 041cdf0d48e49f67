//! Everything that must hold before a change lands, in the order in which mistakes are cheapest to hear of.

use std::path::{Path, PathBuf};

use crate::debian;
use crate::step::{self, Failed, Steps};

/// The version that the machine gets when it has none; an installed one is used as it is.
///
/// Built lightly, as it runs for a second only: about two minutes on two cores.
const INSTALL_DENY: &str = "cargo install cargo-deny --version 0.20.2 --locked --no-default-features";
const INSTALL_DENY_LIGHTLY: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// The server that the tests of headquarters' second engine start for themselves.
const POSTGRES_PACKAGE: &str = "postgresql";

/// Runs every check and ends with the number of tests.
///
/// # Errors
/// [`Failed`] at the first check that does not hold.
pub(crate) fn run(tree: &Path) -> Result<(), Failed> {
    let mut steps = Steps::new(tree);
    let mut count = Count::default();
    let done = all(&mut steps, &mut count);
    steps.summary();
    println!("{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    done
}

fn all(steps: &mut Steps<'_>, count: &mut Count) -> Result<(), Failed> {
    steps.own("tools", "cargo xtask test", tools)?;
    steps.command("fetch", &[], "cargo fetch --locked")?;
    steps.command("fmt", &[], "cargo fmt --all --check")?;
    steps.own("arrows", "cargo xtask arrows", crate::arrows::check)?;
    steps.command("clippy", &[], "cargo clippy --locked --workspace --all-targets -- -D warnings")?;
    // Nothing is published: the reader of these pages works here, and captions name private rooms too.
    let strict = [("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")];
    steps.command("docs", &strict, "cargo doc --locked --no-deps --workspace --document-private-items")?;
    steps.own("browser", "cargo xtask test", crate::browser::install)?;
    steps.heard("tests", &[], "cargo test --locked --workspace --no-fail-fast", |line| count.hear(line))?;
    let engine = [("FIELDBOOK_TEST_ENGINE", "postgres")];
    let served = "cargo test --locked --package fieldbook-hq --test served";
    steps.heard("served", &engine, served, |line| count.hear(line))?;
    // The tests ran a hundred of them.
    let seeds = [("FIELDBOOK_SIM_SEEDS", "2000"), ("XDG_RUNTIME_DIR", "")];
    steps.command("seeds", &seeds, "cargo test --locked --test sim every")?;
    if !step::succeeds(Path::new("."), "cargo deny --version") {
        println!("\ncargo-deny is missing; installing it into cargo's own folder, once");
        steps.command("install", INSTALL_DENY_LIGHTLY, INSTALL_DENY)?;
    }
    steps.command("deny", &[], "cargo deny --offline --log-level error check bans licenses sources")?;
    if advisories().is_some_and(|folder| holds_a_database(&folder)) {
        steps.command("advisories", &[], "cargo deny --offline check advisories")
    } else {
        println!("\nadvisories were NOT checked: this machine holds no advisory database");
        Ok(())
    }
}

/// Names what is missing and cannot be installed from here.
fn tools(tree: &Path) -> Result<(), Failed> {
    let needed = [
        ("cargo fmt --version", "rustfmt", "rustup component add rustfmt"),
        ("cargo clippy --version", "clippy", "rustup component add clippy"),
        ("cc --version", "a C compiler, for SQLite and ring", "apt-get install gcc"),
    ];
    if !Path::new("/usr/lib/postgresql").exists() && !step::succeeds(tree, "initdb --version") {
        debian::install(tree, "the tests of the second engine", &[POSTGRES_PACKAGE])?;
    }
    let mut done = Ok(());
    for (command, name, install) in needed {
        if !step::succeeds(tree, command) {
            eprintln!("missing: {name}; install it with: {install}");
            done = Err(Failed);
        }
    }
    done
}

/// Returns where cargo-deny keeps the databases that somebody has fetched.
fn advisories() -> Option<PathBuf> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
    Some(cargo_home.join("advisory-dbs"))
}

/// The checker leaves a lock in a folder that it found empty.
fn holds_a_database(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}

/// The tests of every program that cargo ran.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Count {
    /// Adds what a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …` says.
    fn hear(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = result.split([' ', ';']).collect();
        for pair in words.windows(2) {
            let [number, what] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match *what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _other => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_alone_is_no_database_of_advisories() {
        let folder = std::env::temp_dir().join(format!("fieldbook-advisories-{}", std::process::id()));
        assert!(!holds_a_database(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("db.lock"), "").unwrap();
        assert!(!holds_a_database(&folder));
        std::fs::create_dir(folder.join("advisory-db-3157b0e2")).unwrap();
        assert!(holds_a_database(&folder));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_tests_of_all_programs_are_added_up() {
        let mut count = Count::default();
        count.hear("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        count.hear("test 9 passed; not a result");
        count.hear("test result: FAILED. 40 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out");
        assert_eq!(count, Count { passed: 43, failed: 2, skipped: 1 });
    }
}
