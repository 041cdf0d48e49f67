//! What every command has at hand: the home, the language, the terminal, the clock.

use std::cell::RefCell;
use std::path::PathBuf;

use records::time::{Day, Ts, Zone};

use crate::cli::Invocation;
use crate::cli::args::{Cli, Command};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::cli::secrets;
use crate::cli::table::Style;
use crate::clock::{Clock, Now};
use crate::keys::Access;
use crate::keys::secret::{DataKey, Pin};
use crate::notebook::refusal::NotebookError;
use crate::notebook::terms::unlock_minutes;
use crate::store::Store;
use crate::store::doctor::Findings;
use crate::store::error::StoreError;
use crate::store::rebuild::Rebuilt;
use crate::vault;

/// The columns of a table that goes into a file or a pipe.
const WIDTH: u16 = 80;
/// On a narrower terminal a table would break each word.
const WIDTH_MIN: u16 = 40;
/// Across a wider screen no eye follows a line.
const WIDTH_MAX: u16 = 120;

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
    /// Whether somebody can type a secret.
    pub types: bool,
    /// The PIN that the environment gave.
    pub pin: Option<Pin>,
    /// The key that a PIN opened, and until when it may be used, by the boot's clock.
    pub unlocked: RefCell<Option<(DataKey, u64)>>,
    /// Whether somebody sees a progress bar.
    pub shows_progress: bool,
    /// Where the system keeps its fonts.
    pub font_folders: Vec<PathBuf>,
    /// What time it is.
    pub clock: Clock,
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
            .or_else(|| Some(directories::ProjectDirs::from("", "", "fieldbook")?.data_dir().to_path_buf()))
            .ok_or_else(|| Fault::new(Exit::Usage, "error.no_home"))?;
        let clock = match &cli.now {
            None => Clock::system(),
            Some(_) if variable("FIELDBOOK_TEST_CLOCK").is_none_or(|leave| leave != "1") => {
                return Err(Fault::new(Exit::Usage, "error.now_without_leave"));
            }
            // A command that goes on for long needs a clock that does too.
            Some(text) if goes_on(cli.command.as_ref()) => Clock::starting(instant(text)?),
            Some(text) => Clock::frozen(instant(text)?),
        };
        Ok(Self {
            home,
            clock,
            lang,
            json: cli.json,
            style: Style {
                colour: invocation.stdout_terminal && variable("NO_COLOR").is_none(),
                width: width(invocation.columns),
            },
            asks: invocation.stdin_terminal && invocation.stdout_terminal && !cli.json,
            types: invocation.stdin_terminal && invocation.stderr_terminal,
            pin: invocation.pin.clone(),
            unlocked: RefCell::default(),
            shows_progress: invocation.stderr_terminal && !cli.json,
            font_folders: papers::search::folders(std::env::consts::OS, |name| variable(name).cloned()),
        })
    }

    /// Opens the home; pages that hold it are asked for it first, and where it has a PIN, that is asked for.
    ///
    /// # Errors
    /// A [`Fault`] that says why it does not open.
    pub(crate) fn store(&self) -> Result<Store, Fault> {
        // The lock tells what came of it.
        let _ = crate::web::lend::ask(&self.home);
        let now = self.clock.now();
        let opened = match &self.remembered() {
            Some(key) => Store::open_by(&self.home, Access::By(key), now),
            None => vault::open(&self.home, now),
        };
        match opened {
            Err(StoreError::Locked) => self.store_by_pin(),
            opened => Ok(opened.map_err(NotebookError::from)?),
        }
    }

    /// Makes the database anew; the home need not open for it, but its PIN is asked for.
    ///
    /// # Errors
    /// A [`Fault`] that says why it cannot be done.
    pub(crate) fn rebuild(&self) -> Result<Rebuilt, Fault> {
        let _ = crate::web::lend::ask(&self.home);
        let now = self.clock.now();
        let rebuilt = match &self.key(now)? {
            Some(key) => Store::rebuild_by(&self.home, Access::By(key), now),
            None => Store::rebuild(&self.home, now),
        };
        Ok(rebuilt.map_err(NotebookError::from)?)
    }

    /// Examines a home that does not open; its PIN is asked for.
    ///
    /// # Errors
    /// A [`Fault`] that says why it cannot be done.
    pub(crate) fn examine_closed(&self) -> Result<Findings, Fault> {
        let now = self.clock.now();
        let findings = match &self.key(now)? {
            Some(key) => Store::examine_closed(&self.home, Access::By(key), now),
            None => Store::examine_closed(&self.home, Access::Plain, now),
        };
        Ok(findings.map_err(NotebookError::from)?)
    }

    /// Returns the key of a home with a PIN, which is asked for where it has to be.
    fn key(&self, now: Now) -> Result<Option<DataKey>, Fault> {
        let key = match vault::key(&self.home, now) {
            Err(StoreError::Locked) => vault::unlock(&self.home, &secrets::met(self)?, now).map(Some),
            known => known,
        };
        Ok(key.map_err(NotebookError::from)?)
    }

    fn store_by_pin(&self) -> Result<Store, Fault> {
        let (pin, now) = (secrets::met(self)?, self.clock.now());
        let store = vault::open_by_pin(&self.home, &pin, now).map_err(NotebookError::from)?;
        let minutes = unlock_minutes(&store, now).map_err(NotebookError::from)?;
        let until = now.monotonic_ms.saturating_add(u64::from(minutes) * 60_000);
        self.unlocked.replace(Some((store.keys().data_key().clone(), until)));
        Ok(store)
    }

    /// Returns the key of this process: a command that goes on for long asks once, and again when the time is over.
    fn remembered(&self) -> Option<DataKey> {
        let mut unlocked = self.unlocked.borrow_mut();
        let now = self.clock.now().monotonic_ms;
        *unlocked = unlocked.take().filter(|(_, until)| now < *until);
        unlocked.as_ref().map(|(key, _)| key.clone())
    }

    /// Reads a day, or an instant, of `--since` and `--until`; of a day the start, so many days later.
    ///
    /// # Errors
    /// A usage [`Fault`] with the text.
    pub(crate) fn day_or_instant(text: &str, zone: Zone, days_later: i32) -> Result<Ts, Fault> {
        let bad = || Fault::new(Exit::Usage, "error.not_a_day").with("value", &text);
        match text.parse::<Day>() {
            Ok(day) => Ts::parse(&format!("{} 00:00", Day(day.0.saturating_add(days_later))), zone)
                .map_err(|_| bad()),
            Err(_) => Ts::parse(text, zone).map_err(|_| bad()),
        }
    }

    /// Returns the page: the JSON document where it was asked for, else the text.
    pub(crate) fn page(
        &self,
        json: impl FnOnce() -> serde_json::Value,
        text: impl FnOnce(&Self) -> String,
    ) -> Page {
        if self.json { Page::Json(json(), Exit::Done) } else { Page::Text(text(self), Exit::Done) }
    }
}

/// Returns how wide tables are on a terminal of so many columns, or on none.
fn width(columns: Option<u16>) -> u16 {
    columns.map_or(WIDTH, |columns| columns.clamp(WIDTH_MIN, WIDTH_MAX))
}

/// Returns whether a command runs until it is stopped.
fn goes_on(command: Option<&Command>) -> bool {
    matches!(command, Some(Command::Web(_))) || matches!(command, Some(Command::Sync(sync)) if sync.watch)
}

/// Reads an instant of the command line; without an offset it is taken in China's zone.
fn instant(text: &str) -> Result<Ts, Fault> {
    Ts::parse(text, Zone::SHANGHAI)
        .map_err(|_| Fault::new(Exit::Usage, "error.not_an_instant").with("value", &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_as_wide_as_the_terminal_within_limits() {
        let widths = [None, Some(0), Some(40), Some(100), Some(120), Some(500)].map(width);
        assert_eq!(widths, [80, 40, 40, 100, 120, 120]);
    }
}
