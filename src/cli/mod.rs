//! The command line: arguments in, one printed answer and an exit code out; no rule of the domain lives here.
//!
//! Reading order: [`process`], [`args`], [`usage`], [`desk`], [`fault`], [`lang`], [`table`], then one file per command.

pub mod against;
pub(crate) mod args;
pub(crate) mod backup;
mod batch;
pub(crate) mod bundle;
mod case;
mod claim;
mod completions;
mod conflict;
mod day;
pub mod desk;
mod doctor;
mod enrol;
mod export;
pub mod fault;
mod file;
mod help;
pub(crate) mod history;
mod import;
mod job;
#[cfg(test)]
mod keys;
pub mod lang;
mod man;
mod money;
pub(crate) mod paper;
mod pin;
mod policy;
pub mod process;
mod progress;
mod prompt;
mod quarantine;
pub(crate) mod record;
mod refused;
mod review;
mod review_text;
mod schema;
mod search;
mod secrets;
mod sheet;
pub(crate) mod status;
#[cfg(test)]
mod stories;
pub(crate) mod sync;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
mod trip;
mod usage;
mod voucher;
mod web;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, Write};

use clap::FromArgMatches;

use crate::cli::args::{Cli, Command};
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::keys::secret::Pin;

/// What a command was started with, as a value: a test can be one.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// The environment, but for the PIN.
    pub env: BTreeMap<String, String>,
    /// The PIN that the environment gave.
    pub pin: Option<Pin>,
    /// Whether somebody can answer questions.
    pub stdin_terminal: bool,
    /// Whether somebody reads the answer.
    pub stdout_terminal: bool,
    /// Whether somebody sees a progress bar.
    pub stderr_terminal: bool,
    /// How many columns the terminal of the answer has; `None` where it is none, or does not say.
    pub columns: Option<u16>,
}

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Standard output: the answer.
    pub out: &'a mut dyn Write,
    /// Standard error: everything else.
    pub err: &'a mut dyn Write,
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streams(…)")
    }
}

/// Runs a command and returns its exit code.
pub fn run(invocation: &Invocation, streams: &mut Streams<'_>) -> u8 {
    let lang = language(invocation);
    let matches = match help::command(lang).try_get_matches_from(&invocation.args) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            // A reader that has gone away wants no help.
            let _ = write!(streams.out, "{error}");
            return Exit::Done as u8;
        }
        Err(error) => return tell(&misused(&error, invocation), invocation, streams),
    };
    let done = Cli::from_arg_matches(&matches)
        .map_err(|error| usage::fault(&error))
        .and_then(|cli| Desk::open(&cli, lang, invocation).map(|desk| (cli, desk)))
        .and_then(|(cli, desk)| answer(cli.command, &desk, streams));
    match done {
        Ok(page) => print(&page, streams),
        Err(fault) => tell(&fault, invocation, streams),
    }
}

/// Returns the fault behind an error of the arguments' parser; what was typed behind `pin` is not repeated.
fn misused(error: &clap::Error, invocation: &Invocation) -> Fault {
    let about_pin = invocation.args.iter().any(|arg| arg == "pin");
    match error.kind() {
        clap::error::ErrorKind::UnknownArgument if about_pin => Fault::new(Exit::Usage, "error.pin.argument"),
        _ => usage::fault(error),
    }
}

/// Prints a fault and returns its exit code.
pub fn tell(fault: &Fault, invocation: &Invocation, streams: &mut Streams<'_>) -> u8 {
    let lang = language(invocation);
    // Where both streams are closed nobody is left to be told.
    let _ = write!(streams.err, "{}", fault.text(lang));
    if invocation.args.iter().any(|arg| arg == "--json") {
        let _ = writeln!(streams.out, "{:#}", fault.json(lang));
    }
    fault.exit as u8
}

/// The language must be known before the arguments are read: the help and the errors are in it.
fn language(invocation: &Invocation) -> Lang {
    let args: Vec<&str> = invocation.args.iter().filter_map(|arg| arg.to_str()).collect();
    let flag = args.iter().enumerate().find_map(|(at, arg)| match arg.strip_prefix("--lang") {
        Some("") => args.get(at + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    flag.and_then(Lang::named).unwrap_or_else(|| Lang::of_environment(&invocation.env))
}

fn print(page: &Page, streams: &mut Streams<'_>) -> u8 {
    let (written, exit) = match page {
        Page::Json(json, exit) => (writeln!(streams.out, "{json:#}"), *exit),
        Page::Text(text, exit) => (write!(streams.out, "{text}"), *exit),
        Page::Printed(exit) => (Ok(()), *exit),
    };
    // `fieldbook sheet list | head` closes the pipe: the command did its work all the same.
    let _ = written.and_then(|()| streams.out.flush());
    exit as u8
}

fn answer(command: Option<Command>, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    match command {
        Some(Command::Enrol(args)) => enrol::run(&args, desk),
        Some(Command::Status) => status::run(desk),
        Some(Command::Sheet(command)) => sheet::run(command, desk),
        Some(Command::Voucher(command)) => voucher::run(command, desk, streams),
        Some(Command::Job(command)) => job::run(command, desk),
        Some(Command::Review(command)) => review::run(command, desk),
        Some(Command::Batch(command)) => batch::run(command, desk),
        Some(Command::Sync(args)) => sync::run(&args, desk, streams),
        Some(Command::Bundle(command)) => bundle::run(&command, desk),
        Some(Command::Conflict(command)) => conflict::run(&command, desk),
        Some(Command::Quarantine(command)) => quarantine::run(&command, desk),
        Some(Command::Trip(command)) => trip::run(command, desk),
        Some(Command::Claim(command)) => claim::run(command, desk),
        Some(Command::Case(command)) => case::run(command, desk),
        Some(Command::Policy(command)) => policy::run(command, desk),
        Some(Command::File(command)) => file::run(&command, desk),
        Some(Command::Print(args)) => paper::run(&args, desk),
        Some(Command::Search(args)) => search::run(args, desk),
        Some(Command::Import(args)) => import::run(&args, desk),
        Some(Command::Pin(command)) => pin::run(&command, desk, streams),
        Some(Command::Doctor(args)) => doctor::run(&args, desk),
        Some(Command::Rebuild) => doctor::rebuild(desk),
        Some(Command::Backup(args)) => backup::run(&args, desk),
        Some(Command::Restore(args)) => backup::restore(&args, desk),
        Some(Command::Export(args)) => export::run(&args, desk, streams),
        Some(Command::Schema(args)) => schema::run(&args, desk),
        Some(Command::Completions(args)) => Ok(completions::run(&args, desk)),
        Some(Command::Man(args)) => man::run(&args, desk),
        Some(Command::Web(args)) => web::run(&args, desk, streams),
        // A device says what the day brings; where there is none yet, the help says how to begin.
        None => match day::run(desk) {
            Err(fault) if fault.key == "error.not_enrolled" && !desk.json => {
                Ok(Page::Text(help::command(desk.lang).render_help().to_string(), Exit::Done))
            }
            page => page,
        },
    }
}
