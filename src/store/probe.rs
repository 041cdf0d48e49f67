//! A first opening of the database in a process of its own, where the last one that held the home did not end in order.
//!
//! A panic of sled is caught where it happens; what would end the process, or never end, is met here: it takes only
//! the process that tried.
//!
//! Source: docs/STORAGE.md, Trouble.

use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(not(target_os = "android"))]
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::store::database::Database;
use crate::store::error::{Part, StoreError};

/// The word that makes the program do nothing but this.
pub const WORD: &str = "try-database";
/// How long reading everything may take.
const LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(2);

/// The program that can be started for it.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Lets this process start itself again to try a database.
pub fn by(program: PathBuf) {
    // Said once, by the program's first line.
    let _ = PROGRAM.set(program);
}

/// Opens the database in a folder and reads everything; what comes of it is the exit code.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn read_all(folder: &Path) -> Result<(), StoreError> {
    Database::open(folder)?.read_all()
}

/// Has another process read the whole database of a home.
///
/// # Errors
/// [`StoreError::Damaged`] where that process did not end well, or not in time.
pub(in crate::store) fn read_elsewhere(home: &Path) -> Result<(), StoreError> {
    let folder = home.join("sled");
    let Some(program) = PROGRAM.get().filter(|_| folder.join("db").exists()) else {
        return Ok(());
    };
    let mut command = Command::new(program);
    command.arg(WORD).arg(&folder);
    // It reads what is sealed and opens none of it.
    command.env_remove(crate::keys::secret::VARIABLE);
    if ends(command, LIMIT) { Ok(()) } else { Err(StoreError::damaged(Part::Database, &folder)) }
}

/// Whether a process ends by itself and in time. One that finds damage and says so is as good as one that finds none:
/// so will this one.
#[cfg(not(target_os = "android"))]
fn ends(mut command: Command, limit: Duration) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Where no process can be started nothing is known of the database.
    let Ok(mut child) = command.spawn() else { return true };
    ended(&mut child, limit)
}

/// An app there has no program of its own to start: what sled does to the process, it does.
#[cfg(target_os = "android")]
fn ends(_: Command, _: Duration) -> bool {
    true
}

#[cfg(not(target_os = "android"))]
fn ended(child: &mut Child, limit: Duration) -> bool {
    let mut waited = Duration::ZERO;
    while waited < limit {
        match child.try_wait() {
            Ok(Some(status)) => return status.code().is_some_and(|code| code <= 1),
            Ok(None) => std::thread::sleep(PAUSE),
            Err(_) => return true,
        }
        waited += PAUSE;
    }
    // It never ends: it is ours to end.
    drop(child.kill().and_then(|()| child.wait()));
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn ends_well(script: &str, limit: Duration) -> bool {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        ends(command, limit)
    }

    #[test]
    fn a_process_that_is_aborted_or_never_ends_says_that_the_database_is_damaged() {
        // A busy machine may take its time for a process that ends at once.
        assert!(ends_well("exit 0", LIMIT) && ends_well("exit 1", LIMIT));
        assert!(!ends_well("kill -ABRT $$", LIMIT) && !ends_well("exit 134", LIMIT));
        assert!(!ends_well("exec sleep 600", Duration::from_millis(50)));
    }

    #[test]
    fn a_whole_database_is_read_and_one_that_is_none_is_not() {
        let (dir, mut store) = crate::store::testing::home();
        store.save(vec![crate::store::testing::create(b"x")], crate::store::testing::NOW).unwrap();
        store.checkpoint().unwrap();
        drop(store);
        read_all(&dir.path().join("sled")).unwrap();
        assert!(read_all(&dir.path().join("lock")).is_err());
    }
}
