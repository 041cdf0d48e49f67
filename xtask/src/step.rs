//! One step of a chore: announced, run, timed, and named again when it fails.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock::{Stopwatch, spoken};

/// A step has failed; everything a person needs has been printed.
#[derive(Debug)]
pub(crate) struct Failed;

/// Runs the steps of one chore and remembers their times.
pub(crate) struct Steps<'a> {
    tree: &'a Path,
    total: Stopwatch,
    done: Vec<(String, Duration)>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(tree: &'a Path) -> Self {
        Self { tree, total: Stopwatch::start(), done: Vec::new() }
    }

    /// Runs `command`, words separated by single spaces, with `settings` in its environment.
    ///
    /// # Errors
    /// [`Failed`] when it cannot be started or does not end with 0.
    pub(crate) fn command(
        &mut self,
        name: &str,
        settings: &[(&str, &str)],
        command: &str,
    ) -> Result<(), Failed> {
        self.own(name, &repeat(settings, command), |tree| {
            let status = build(tree, settings, command).status();
            status.is_ok_and(|status| status.success()).then_some(()).ok_or(Failed)
        })
    }

    /// Runs `command` as [`command`](Self::command) does and hands every line it prints to `hear`.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub(crate) fn heard(
        &mut self,
        name: &str,
        settings: &[(&str, &str)],
        command: &str,
        mut hear: impl FnMut(&str),
    ) -> Result<(), Failed> {
        self.own(name, &repeat(settings, command), |tree| {
            let mut child =
                build(tree, settings, command).stdout(Stdio::piped()).spawn().map_err(|_gone| Failed)?;
            let stdout = child.stdout.take().ok_or(Failed)?;
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                println!("{line}");
                hear(&line);
            }
            child.wait().is_ok_and(|status| status.success()).then_some(()).ok_or(Failed)
        })
    }

    /// Runs a check of our own; `repeat` is what a person types to see it fail again.
    ///
    /// # Errors
    /// What `check` returns.
    pub(crate) fn own(
        &mut self,
        name: &str,
        repeat: &str,
        check: impl FnOnce(&Path) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        println!("\n== {name}: {repeat}");
        let watch = Stopwatch::start();
        let done = check(self.tree);
        let took = watch.read();
        match done {
            Ok(()) => println!("== {name}: ok, {}", spoken(took)),
            Err(Failed) => println!("== {name}: FAILED after {}; repeat with: {repeat}", spoken(took)),
        }
        self.done.push((name.to_owned(), took));
        done
    }

    /// Prints what took how long, on one line.
    pub(crate) fn summary(&self) {
        let steps: Vec<String> =
            self.done.iter().map(|(name, took)| format!("{name} {}", spoken(*took))).collect();
        println!("\n== {}; {} in all", steps.join(", "), spoken(self.total.read()));
    }
}

/// Returns whether `command` ends with 0; what it prints is not shown.
pub(crate) fn succeeds(tree: &Path, command: &str) -> bool {
    let status = build(tree, &[], command).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Returns what `command` prints on standard output.
///
/// # Errors
/// [`Failed`], with its words on standard error, when it does not end with 0.
pub(crate) fn output(tree: &Path, command: &str) -> Result<String, Failed> {
    let output = build(tree, &[], command).stderr(Stdio::inherit()).output().map_err(|_gone| Failed)?;
    if !output.status.success() {
        return Err(Failed);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Names `command`, runs it silently, and names it again when it fails.
///
/// # Errors
/// [`Failed`] when it does not end with 0.
pub(crate) fn said(tree: &Path, command: &str) -> Result<(), Failed> {
    println!("{command}");
    let done = output(tree, command);
    if done.is_err() {
        eprintln!("failed: {command}");
    }
    done.map(|_words| ())
}

fn repeat(settings: &[(&str, &str)], command: &str) -> String {
    let settings: String = settings.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
    settings + command
}

fn build(tree: &Path, settings: &[(&str, &str)], command: &str) -> Command {
    let mut words = command.split(' ');
    let mut built = Command::new(words.next().unwrap_or_default());
    built.args(words).current_dir(tree).stdin(Stdio::null()).envs(settings.iter().copied());
    // What cargo told us about our own package would make other packages' build scripts run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            built.env_remove(name.as_ref());
        }
    }
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_repeated_with_its_settings() {
        assert_eq!(
            repeat(&[("RUSTDOCFLAGS", "-D warnings")], "cargo doc"),
            "RUSTDOCFLAGS='-D warnings' cargo doc"
        );
    }

    #[test]
    fn a_command_that_is_not_there_fails() {
        assert!(!succeeds(Path::new("."), "no-such-program --version"));
    }
}
