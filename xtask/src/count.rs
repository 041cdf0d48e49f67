//! Instructions of the hot pure functions, counted by callgrind: a regression shows on a busy machine too.
//!
//! Each is run a few times and some more times; the difference is what one run takes, without the program around it.
//! The counts of this compiler and these lock files stand in [`TABLE`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, Failed, Steps};

/// What was counted when somebody last looked, one `count name` a line.
const TABLE: &str = "benches/instructions.txt";
/// By how much a count may be above it: other values of pointers change some searches.
const PERCENT: u64 = 3;
/// The benches that name what they measure.
const BENCHES: &[(&str, &str)] = &[("sync-protocol", "wire"), ("records", "policy")];
/// Runs that are subtracted, and runs that they are subtracted from.
const FEW: u64 = 2;
const MANY: u64 = 12;

/// Instructions of one run, by name.
type Counts = BTreeMap<String, u64>;

/// Counts and compares with the table.
///
/// # Errors
/// [`Failed`] where something takes more than it may, or there is no valgrind.
pub(crate) fn check(tree: &Path) -> Result<(), Failed> {
    let known = parsed(&std::fs::read_to_string(tree.join(TABLE)).unwrap_or_default());
    let mut done = Ok(());
    for (name, count) in counted(tree)? {
        let before = known.get(&name).copied();
        println!("{count:>12}  {name}, {}", told(before, count));
        if before.is_none_or(|before| count > most(before)) {
            done = Err(Failed);
        }
    }
    if done.is_err() {
        eprintln!("what is meant goes into {TABLE} with: cargo xtask count write");
    }
    done
}

/// Counts and writes the table.
///
/// # Errors
/// [`Failed`] where it cannot be counted or written.
pub(crate) fn write(tree: &Path) -> Result<(), Failed> {
    let lines: Vec<String> =
        counted(tree)?.into_iter().map(|(name, count)| format!("{count} {name}\n")).collect();
    print!("{}", lines.concat());
    std::fs::write(tree.join(TABLE), lines.concat()).map_err(|error| {
        eprintln!("{TABLE}: {error}");
        Failed
    })
}

fn counted(tree: &Path) -> Result<Counts, Failed> {
    if !step::succeeds(tree, "valgrind --version") {
        eprintln!("missing: valgrind; install it with: apt-get install valgrind");
        return Err(Failed);
    }
    let mut counts = Counts::new();
    for program in programs(tree)? {
        for name in &program.names {
            let of = |times: u64| instructions(&program, name, times);
            counts.insert(name.clone(), of(MANY)?.saturating_sub(of(FEW)?) / (MANY - FEW));
        }
    }
    Ok(counts)
}

/// A bench that does each thing that it measures as often as it is told.
pub(crate) struct Program {
    /// The program.
    pub(crate) path: PathBuf,
    /// What it measures.
    pub(crate) names: Vec<String>,
}

/// Builds the benches of the pure functions.
///
/// # Errors
/// [`Failed`], told already.
pub(crate) fn programs(tree: &Path) -> Result<Vec<Program>, Failed> {
    let built = |(package, bench): &(&str, &str)| {
        let build = format!("cargo bench --locked --package {package} --bench {bench} --no-run");
        Steps::new(tree).command("build", &[], &build)?;
        let path = executable(&step::output(tree, &format!("{build} --message-format=json"))?)?;
        let names = run(Command::new(&path).arg("count"))?.0;
        Ok(Program { path, names: names.lines().map(str::to_owned).collect() })
    };
    BENCHES.iter().map(built).collect()
}

/// Returns the program that cargo says it has built.
fn executable(messages: &str) -> Result<PathBuf, Failed> {
    let documents = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let found =
        documents.filter_map(|document| Some(document.get("executable")?.as_str()?.into())).next_back();
    found.ok_or(Failed)
}

/// Returns the instructions of the whole program when it does `name` so many times.
fn instructions(program: &Program, name: &str, times: u64) -> Result<u64, Failed> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&program.path);
    let said = run(valgrind.args(["count", name, &times.to_string()]))?.1;
    collected(&said).ok_or_else(|| {
        eprintln!("callgrind told no count:\n{said}");
        Failed
    })
}

/// Returns the number behind callgrind's `Collected :`.
fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

fn run(command: &mut Command) -> Result<(String, String), Failed> {
    let output = command.output().map_err(|error| {
        eprintln!("{command:?}: {error}");
        Failed
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() {
        return Ok((stdout, stderr));
    }
    eprintln!("{command:?}: {}\n{stderr}", output.status);
    Err(Failed)
}

fn parsed(table: &str) -> Counts {
    let line =
        |line: &str| line.split_once(' ').and_then(|(n, name)| Some((name.to_owned(), n.parse().ok()?)));
    table.lines().filter_map(line).collect()
}

/// Returns the most that a count may be.
fn most(before: u64) -> u64 {
    before + before * PERCENT / 100
}

fn told(before: Option<u64>, count: u64) -> String {
    match before {
        None => "which the table does not have".to_owned(),
        Some(before) if count > most(before) => format!("MORE than {before}"),
        Some(before) if most(count) < before => format!("less than {before}: write it down"),
        Some(before) => format!("as before ({before})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrind_tells_its_count_on_a_line_of_its_own() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(collected(said), Some(123_456));
        assert_eq!(collected("Segmentation fault"), None);
    }

    #[test]
    fn a_count_is_compared_with_some_tolerance() {
        let table = parsed("1000 wire/encode 120 sheets\n77 merge\n");
        assert_eq!(table.get("wire/encode 120 sheets"), Some(&1000));
        assert_eq!(told(Some(1000), 1030), "as before (1000)");
        assert_eq!(told(Some(1000), 1031), "MORE than 1000");
        assert_eq!(told(Some(1000), 900), "less than 1000: write it down");
    }
}
