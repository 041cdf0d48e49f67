//! `backup` and `restore`: the home in one file, and out of it.

use serde_json::json;

use crate::backup::{self, BackupError};
use crate::cli::args::Backup;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::notebook::refusal::NotebookError;

/// Writes the home into one file.
pub(crate) fn run(args: &Backup, desk: &Desk) -> Result<Page, Fault> {
    let bytes = backup::back_up(&desk.home, &args.file, desk.clock.now());
    let bytes = bytes.map_err(|error| fault(error, args))?;
    let file = args.file.display().to_string();
    Ok(desk.page(
        || json!({"file": file, "bytes": bytes}),
        |desk| desk.lang.say("text.backup", &[("file", &file), ("bytes", &bytes.to_string())]) + "\n",
    ))
}

/// Makes the home again from a backup.
pub(crate) fn restore(args: &Backup, desk: &Desk) -> Result<Page, Fault> {
    backup::restore(&desk.home, &args.file).map_err(|error| fault(error, args))?;
    let home = desk.home.display().to_string();
    Ok(desk.page(|| json!({"home": home}), |desk| desk.lang.say("text.restored", &[("home", &home)]) + "\n"))
}

fn fault(error: BackupError, args: &Backup) -> Fault {
    match error {
        BackupError::Store(error) => NotebookError::from(error).into(),
        BackupError::NotABackup => {
            Fault::new(Exit::Usage, "error.backup.none").with("file", &args.file.display())
        }
        BackupError::Damaged => {
            Fault::new(Exit::Damaged, "error.backup.damaged").with("file", &args.file.display())
        }
    }
}
