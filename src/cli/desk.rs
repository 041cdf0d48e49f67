//! What every command has at hand: the home, the language, the terminal, the clock.

use std::path::PathBuf;

use crate::cli::Invocation;
use crate::cli::args::Cli;
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::cli::table::Style;

/// The columns of a table where nobody says otherwise.
const WIDTH: u16 = 80;

/// What every command has at hand.
#[derive(Debug)]
pub struct Desk {
    /// The home.
    pub home: PathBuf,
    /// The language of the answer.
    pub lang: Lang,
    /// Whether the answer is one JSON document.
    pub json: bool,
    /// How tables are drawn.
    pub style: Style,
    /// Whether somebody is there to answer questions.
    pub asks: bool,
    /// Whether somebody sees a progress bar.
    pub shows_progress: bool,
}

/// What a command answers, and with which exit code it ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// One JSON document.
    Json(serde_json::Value, Exit),
    /// Text for a person.
    Text(String, Exit),
    /// The command wrote the answer as it went.
    Printed(Exit),
}

impl Desk {
    /// Returns the desk of a command line.
    ///
    /// # Errors
    /// A [`Fault`] where `--now` is set without leave, or there is nowhere to keep a home.
    pub(crate) fn open(cli: &Cli, lang: Lang, invocation: &Invocation) -> Result<Self, Fault> {
        let variable = |name: &str| invocation.env.get(name).filter(|value| !value.is_empty());
        let home = cli
            .home
            .clone()
            .or_else(|| variable("FIELDBOOK_HOME").map(PathBuf::from))
            .or_else(|| {
                Some(
                    directories::ProjectDirs::from("", "", "fieldbook")?
                        .data_dir()
                        .to_path_buf(),
                )
            })
            .ok_or_else(|| Fault::new(Exit::Usage, "error.no_home"))?;
        Ok(Self {
            home,
            lang,
            json: cli.json,
            style: Style {
                colour: invocation.stdout_terminal && variable("NO_COLOR").is_none(),
                width: WIDTH,
            },
            asks: invocation.stdin_terminal && invocation.stdout_terminal && !cli.json,
            shows_progress: invocation.stderr_terminal && !cli.json,
        })
    }

    /// Returns the page: the JSON document where it was asked for, else the text.
    pub(crate) fn page(
        &self,
        json: impl FnOnce() -> serde_json::Value,
        text: impl FnOnce(&Self) -> String,
    ) -> Page {
        if self.json {
            Page::Json(json(), Exit::Done)
        } else {
            Page::Text(text(self), Exit::Done)
        }
    }
}
