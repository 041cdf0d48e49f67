//! `completions` and `man`: from the same definition as the commands.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::help;

/// What `completions` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// What `man` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Writes all pages into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(args: &Completions, room: &Room) -> Answer {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(room.lang), "fieldbook-hq", &mut out);
    printed(&out)
}

/// Prints the page of the program; with `--out` writes all pages and prints their names.
pub(super) fn man(args: &Man, room: &Room) -> Result<Answer, Fault> {
    let mut command = help::command(room.lang);
    command.build();
    let Some(folder) = &args.out else {
        return Ok(printed(&rendered(&command)?));
    };
    let mut written = Vec::new();
    write_all(&command, folder, &mut written)?;
    Ok(Answer::new(json!({"written": written}), written.join("\n")))
}

fn write_all(command: &clap::Command, folder: &Path, written: &mut Vec<String>) -> Result<(), Fault> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    std::fs::write(&path, rendered(command)?).map_err(|error| Fault::file(&path, &error))?;
    written.push(path.display().to_string());
    command.get_subcommands().try_for_each(|sub| write_all(sub, folder, written))
}

fn rendered(command: &clap::Command) -> Result<Vec<u8>, Fault> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut page)
        .map_err(|error| Fault::file(Path::new("-"), &error))?;
    Ok(page)
}

fn printed(bytes: &[u8]) -> Answer {
    crate::cli::answer::raw(&String::from_utf8_lossy(bytes), true);
    Answer::printed()
}
