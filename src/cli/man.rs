//! `man`: the manual page of the program, or one page per command into a folder.

use std::path::Path;

use crate::cli::args::Man;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::help;

/// Returns the page of the program; with `--out` writes all pages and returns their names.
pub(crate) fn run(args: &Man, desk: &Desk) -> Result<Page, Fault> {
    let mut command = help::command(desk.lang);
    command.build();
    let Some(dir) = &args.out else {
        let page = rendered(&command)?;
        return Ok(Page::Text(String::from_utf8_lossy(&page).into_owned(), Exit::Done));
    };
    let mut written = Vec::new();
    write_all(&command, dir, &mut written)?;
    Ok(desk.page(|| serde_json::json!({"written": written}), |_| written.join("\n") + "\n"))
}

fn write_all(command: &clap::Command, dir: &Path, written: &mut Vec<String>) -> Result<(), Fault> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = dir.join(format!("{name}.1"));
    std::fs::write(&path, rendered(command)?).map_err(|error| Fault::file(&path, &error))?;
    written.push(path.display().to_string());
    command.get_subcommands().try_for_each(|sub| write_all(sub, dir, written))
}

fn rendered(command: &clap::Command) -> Result<Vec<u8>, Fault> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut page)
        .map_err(|error| Fault::file(Path::new("-"), &error))?;
    Ok(page)
}
