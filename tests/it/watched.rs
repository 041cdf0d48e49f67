//! What a system shows of a running process: its arguments to every user, its environment to its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;

/// What was seen of a process and of what it started, while it ran.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The arguments of all of them, one line each.
    pub(crate) arguments: BTreeSet<String>,
    /// Its own environment.
    pub(crate) environment: BTreeSet<String>,
    /// The environment of what it started.
    pub(crate) handed_on: BTreeSet<String>,
}

/// Looks again and again, until the process has ended.
pub(crate) fn until_it_ends(process: &mut Child) -> Shown {
    let mut shown = Shown::default();
    let own = process.id();
    while process.try_wait().expect("a process of ours").is_none() {
        let Some(words) = told(own, "cmdline") else { continue };
        shown.environment.extend(told(own, "environ"));
        for child in children(own) {
            // Until it runs a program of its own, a child is shown as what it was begun from.
            let Some(other) = told(child, "cmdline").filter(|other| *other != words) else { continue };
            shown.arguments.insert(other);
            shown.handed_on.extend(told(child, "environ"));
        }
        shown.arguments.insert(words);
    }
    shown
}

/// What stands in a file of a process, its parts with a space between; `None` where it has ended.
fn told(pid: u32, file: &str) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/{file}")).ok().filter(|bytes| !bytes.is_empty())?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

/// What the threads of a process have started.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task"));
    let of = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children")).ok();
    let all = threads.into_iter().flatten().flatten().filter_map(of);
    all.flat_map(|line| line.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}
