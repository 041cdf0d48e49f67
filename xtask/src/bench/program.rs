//! A program of ours as the kernel saw it: what it printed, its CPU, its largest memory, its time.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::step::Failed;

/// How often `/proc` is read while a program runs.
const LOOK: Duration = Duration::from_micros(500);
/// The unit of CPU time in `/proc`, the same on every Linux that we know.
const TICK: Duration = Duration::from_millis(10);

/// What a program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its standard output.
    pub(crate) stdout: String,
    /// User and system time, in ticks of 10 ms.
    pub(crate) cpu: Duration,
    /// The most memory that it had resident, in KiB.
    pub(crate) peak_kib: u64,
    /// From its start to its end.
    pub(crate) took: Duration,
}

impl Ran {
    /// Returns the document that `--json` printed.
    ///
    /// # Errors
    /// [`Failed`] where it is none.
    pub(crate) fn json(&self) -> Result<serde_json::Value, Failed> {
        serde_json::from_str(&self.stdout).map_err(|error| {
            eprintln!("{error} in: {}", self.stdout);
            Failed
        })
    }
}

/// Runs a program to its end.
///
/// # Errors
/// [`Failed`] where it does not start or does not end with 0; what it said was shown.
pub(crate) fn run(program: &Path, args: &[&str]) -> Result<Ran, Failed> {
    let watch = Stopwatch::start();
    let mut child =
        command(program, args).stdout(Stdio::piped()).spawn().map_err(|error| said(program, &error))?;
    let mut pipe = child.stdout.take().ok_or(Failed)?;
    let heard = std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let (peak_kib, took) = watched(child.id(), &watch)?;
    // Until it is waited for, the kernel keeps what it used.
    let cpu = cpu(child.id())?;
    let status = child.wait().map_err(|error| said(program, &error))?;
    let stdout = heard.join().ok().and_then(Result::ok).ok_or(Failed)?;
    if status.success() {
        Ok(Ran { stdout, cpu, peak_kib, took })
    } else {
        eprintln!("{} {}: {status}\n{stdout}", program.display(), args.join(" "));
        Err(Failed)
    }
}

/// Starts a server; its first line is read by the caller.
///
/// # Errors
/// [`Failed`] where it does not start.
pub(crate) fn start(program: &Path, args: &[&str]) -> Result<Child, Failed> {
    command(program, args).stdout(Stdio::piped()).spawn().map_err(|error| said(program, &error))
}

/// Returns the CPU time that a process used so far.
///
/// # Errors
/// [`Failed`] where there is no such process, or no `/proc`.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Failed> {
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th field behind it.
    let stat = read(pid, "stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}

/// Returns the most memory that a running process had resident, in KiB; `None` once it has ended.
pub(crate) fn peak_kib(pid: u32) -> Option<u64> {
    let status = read(pid, "status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Waits for the end without reaping, and returns the largest memory seen and the time.
fn watched(pid: u32, watch: &Stopwatch) -> Result<(u64, Duration), Failed> {
    let mut peak = 0;
    loop {
        match peak_kib(pid) {
            Some(kib) => peak = peak.max(kib),
            None if ended(pid)? => return Ok((peak, watch.read())),
            None => {}
        }
        std::thread::sleep(LOOK);
    }
}

fn ended(pid: u32) -> Result<bool, Failed> {
    let stat = read(pid, "stat")?;
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    Ok(state.starts_with('Z'))
}

fn read(pid: u32, name: &str) -> Result<String, Failed> {
    let file = PathBuf::from(format!("/proc/{pid}/{name}"));
    std::fs::read_to_string(&file).map_err(|error| {
        eprintln!("{}: {error}; this chore measures on Linux only", file.display());
        Failed
    })
}

/// A command that sees nothing of the caller's own settings.
fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FIELDBOOK_"))
    {
        command.env_remove(name);
    }
    command.args(args).env("FIELDBOOK_LANG", "en").stdin(Stdio::null());
    command
}

fn said(program: &Path, error: &std::io::Error) -> Failed {
    eprintln!("{}: {error}", program.display());
    Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_is_seen_as_the_kernel_saw_it() {
        // Long enough to be looked at on a busy machine, too.
        let ran = run(Path::new("/bin/sh"), &["-c", "echo meter; sleep 0.5"]).unwrap();
        assert_eq!(ran.stdout, "meter\n");
        assert!(ran.peak_kib > 100 && ran.took >= Duration::from_millis(500), "{ran:?}");
        assert!(run(Path::new("/bin/sh"), &["-c", "exit 3"]).is_err());
    }
}
