//! `backup` and `restore`: the home in one file, and out of it.

use serde_json::json;

use crate::backup::{self, BackupError};
use crate::cli::args::Backup;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::progress::Progress;
use crate::notebook::refusal::NotebookError;
use crate::store::error::StoreError;

/// Writes the home into one file.
pub(crate) fn run(args: &Backup, desk: &Desk) -> Result<Page, Fault> {
    let bar = Progress::waiting("text.progress.backup", desk);
    let bytes = backup::back_up(&desk.home, &args.file, desk.clock.now());
    let bytes = bytes.map_err(|error| fault(error, args))?;
    drop(bar);
    let file = args.file.display().to_string();
    Ok(desk.page(
        || json!({"file": file, "bytes": bytes}),
        |desk| desk.lang.say("text.backup", &[("file", &file), ("bytes", &bytes.to_string())]) + "\n",
    ))
}

/// Makes the home again from a backup.
pub(crate) fn restore(args: &Backup, desk: &Desk) -> Result<Page, Fault> {
    let bar = Progress::waiting("text.progress.restore", desk);
    backup::restore(&desk.home, &args.file, desk.clock.now()).map_err(|error| fault(error, args))?;
    drop(bar);
    let home = desk.home.display().to_string();
    Ok(desk.page(|| json!({"home": home}), |desk| desk.lang.say("text.restored", &[("home", &home)]) + "\n"))
}

/// Returns why there is no backup, as a person reads it.
pub(crate) fn fault_of(error: BackupError, file: &std::path::Path) -> Fault {
    fault(error, &Backup { file: file.to_owned() })
}

fn fault(error: BackupError, args: &Backup) -> Fault {
    match error {
        // Not the home is wrong: the file that was named.
        BackupError::Store(StoreError::Io { path, source, .. }) if path == args.file => {
            Fault::file(&path, &source)
        }
        BackupError::Store(StoreError::AlreadyEnrolled { home }) => {
            Fault::new(Exit::Refused, "error.backup.home").rule("W-16").with("home", &home.display())
        }
        BackupError::Store(error) => NotebookError::from(error).into(),
        BackupError::NotABackup => {
            Fault::new(Exit::Usage, "error.backup.none").with("file", &args.file.display())
        }
        BackupError::Damaged => {
            Fault::new(Exit::Damaged, "error.backup.damaged").with("file", &args.file.display())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, home};

    #[test]
    fn a_restore_names_the_file_that_does_not_read_and_never_offers_another_name() {
        let (dir, store) = home();
        drop(store);
        let args = Backup { file: dir.path().join("nothing here") };
        let new = dir.path().join("new");
        let missing = fault(backup::restore(&new, &args.file, NOW).unwrap_err(), &args);
        assert_eq!((missing.exit, missing.key.as_str()), (Exit::Usage, "error.file"));
        assert!(!new.exists());
        let exists = fault(backup::restore(dir.path(), &args.file, NOW).unwrap_err(), &args);
        assert_eq!((exists.exit, exists.key.as_str()), (Exit::Refused, "error.backup.home"));
    }
}
