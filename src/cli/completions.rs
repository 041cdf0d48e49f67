//! `completions`: what a shell needs to complete the commands.

use crate::cli::args::Completions;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Exit;
use crate::cli::help;

/// Returns the shell's script.
pub(crate) fn run(args: &Completions, desk: &Desk) -> Page {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(desk.lang), "fieldbook", &mut script);
    Page::Text(String::from_utf8_lossy(&script).into_owned(), Exit::Done)
}
