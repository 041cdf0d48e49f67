//! `case`: disciplinary cases that concern oneself, and the appeal.

use clap::Subcommand;
use records::kinds::number;

use crate::cli::args::Listed;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::sheet::{changed_page, list_page, show_page};
use crate::notebook::claim::exception;
use crate::notebook::find::Wanted;

/// Disciplinary cases.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List {
        #[command(flatten)]
        listed: Listed,
    },
    Show {
        id: String,
    },
    Appeal {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
}

/// Runs a command on cases.
pub(crate) fn run(command: Command, desk: &Desk) -> Result<Page, Fault> {
    match command {
        Command::List { listed } => list_page(&["case"], &listed, desk),
        Command::Show { id } => show_page(&id, Wanted::Kind(number::CASE), desk),
        Command::Appeal { id, reason } => {
            let changed = exception::appeal(&mut desk.store()?, &id, &reason, desk.clock.now())?;
            Ok(changed_page(&changed, desk))
        }
    }
}
