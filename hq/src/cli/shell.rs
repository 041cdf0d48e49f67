//! `completions` and `man`: from the same definition as the commands.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::answer::{Answer, Fault};

/// What `completions` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: &Completions) -> Answer {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fieldbook-hq", &mut out);
    printed(&out)
}

pub(super) fn man() -> Result<Answer, Fault> {
    let mut out = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut out)
        .map_err(|error| Fault::file(std::path::Path::new("-"), &error))?;
    Ok(printed(&out))
}

fn printed(bytes: &[u8]) -> Answer {
    crate::cli::answer::raw(&String::from_utf8_lossy(bytes), true);
    Answer::printed()
}
