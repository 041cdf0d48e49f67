//! The command line: arguments in, one printed answer and an exit code out.

#[cfg(test)]
mod aftermath;
mod alert;
pub mod answer;
mod approve;
mod archive;
mod audit;
#[cfg(test)]
mod audited;
mod backup;
mod batch;
mod bundle;
pub(crate) mod case;
mod claim;
mod day;
mod device;
mod doctor;
mod due;
mod exception;
mod export;
mod file;
mod gaps;
mod help;
pub(crate) mod history;
mod import;
mod init;
mod key;
#[cfg(test)]
mod keys;
mod manifest;
mod moving;
pub(crate) mod office;
mod pay;
pub(crate) mod policy;
pub(crate) mod print;
mod progress;
mod rebuild;
mod review;
mod serve;
mod shell;
pub(crate) mod show;
#[cfg(test)]
mod stories;
mod table;
pub(crate) mod terms;
#[cfg(test)]
pub(crate) mod testing;
mod tick;
pub(crate) mod trail;
mod usage;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, FromArgMatches, Parser, Subcommand};
use records::kinds;
use records::time::{Ts, Zone};

use crate::cli::answer::{Answer, Fault, Lang};
use crate::clock::{self, Clock};
use crate::data::Data;
use crate::intake::desk::Desk;
use crate::store::address::Server;

/// Headquarters of fieldbook: takes in what devices recorded, and gives them what concerns them.
#[derive(Debug, Parser)]
#[command(
    name = "fieldbook-hq",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true
)]
struct Cli {
    /// The folder of the headquarters [default: FIELDBOOK_HQ_DATA, then the platform's]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL database of the headquarters, postgres://USER@HOST/NAME [default: FIELDBOOK_HQ_DATABASE, then the one that init noted in the folder; without one SQLite]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// One JSON document on standard output
    #[arg(long, global = true)]
    json: bool,
    /// zh-CN, zh-TW or en
    #[arg(long, global = true, value_name = "LANG", value_parser = ["zh-CN", "zh-TW", "en"])]
    lang: Option<String>,
    /// The time, for tests: only with FIELDBOOK_TEST_CLOCK=1
    #[arg(long, global = true, value_name = "RFC3339")]
    now: Option<String>,
    /// Prints the help
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Prints the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a headquarters: its key, its database, its certificate
    Init(init::Args),
    /// Serves devices and the console
    Serve(serve::Args),
    /// Units of the organisation
    #[command(subcommand)]
    Org(import::Command),
    /// People
    #[command(subcommand)]
    Staff(import::Command),
    /// Customers
    #[command(subcommand)]
    Customer(import::Command),
    /// Customers' sites
    #[command(subcommand)]
    Site(import::Command),
    /// Machines at sites
    #[command(subcommand)]
    Asset(import::Command),
    /// Jobs
    #[command(subcommand)]
    Job(import::Command),
    /// Checklist templates
    #[command(subcommand)]
    Template(import::Command),
    /// Monthly ceilings
    #[command(subcommand)]
    Cap(import::Command),
    /// Bank accounts
    #[command(subcommand)]
    Account(import::Command),
    /// Who acts for whom
    #[command(subcommand)]
    Delegation(import::Command),
    /// The working calendar
    #[command(subcommand)]
    Calendar(terms::Calendar),
    /// Devices: codes, standing
    #[command(subcommand)]
    Device(device::Command),
    /// Devices' work that comes by file
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Shows a record, and when it was really recorded
    Show(show::Args),
    /// Shows each change of a record
    History(show::Args),
    /// The expense policy: days, calendar and what is paid
    #[command(subcommand)]
    Policy(policy::Command),
    /// Photos and papers
    #[command(subcommand)]
    File(file::Command),
    /// Claims
    #[command(subcommand)]
    Claim(claim::Command),
    /// The supervisor's and the branch GM's review, in the office
    #[command(subcommand)]
    Review(review::Command),
    /// The branches' envelopes
    #[command(subcommand)]
    Batch(batch::Command),
    /// The auditor's desk
    #[command(subcommand)]
    Audit(audit::Command),
    /// The manager's and the vice-president's approval
    Approve(approve::Args),
    /// Requests for exceptions
    #[command(subcommand)]
    Exception(exception::Command),
    /// Anomalies
    #[command(subcommand)]
    Alert(alert::Command),
    /// Disciplinary cases
    #[command(subcommand)]
    Case(case::Command),
    /// Finance
    #[command(subcommand)]
    Pay(pay::Command),
    /// Claim numbers that are missing
    Gaps(gaps::Args),
    /// Headquarters' TLS key, and the next one
    #[command(subcommand)]
    Key(key::Command),
    /// Logins of the console
    #[command(subcommand)]
    User(user::Command),
    /// What is late, with every counted and skipped day
    Due(due::Args),
    /// The audit trail as a file
    #[command(subcommand)]
    Trail(trail::Command),
    /// Prints the papers of a claim
    Print(print::Args),
    /// Writes all records of a kind as a table
    Export(export::Args),
    /// Does what the day brings: steps that are due, requests that expire, alarms
    Tick,
    /// Makes all views again from what was received
    Rebuild,
    /// Moves what came long ago out of the tables that every sync works on
    Archive(archive::Args),
    /// Looks whether everything is whole
    Doctor,
    /// Writes everything into one file, while it serves
    Backup(backup::File),
    /// Makes a headquarters again from a backup
    Restore(backup::File),
    /// Moves the records to another database
    Move(moving::Args),
    /// Prints completions for a shell
    Completions(shell::Completions),
    /// Prints the manual page, or writes all pages
    Man(shell::Man),
}

/// What a command works with.
struct Room {
    data: Data,
    /// The server that was named, by argument or environment.
    database: Option<String>,
    clock: Clock,
    test_clock: bool,
    lang: Lang,
    json: bool,
}

impl Room {
    fn open(&self) -> Result<Desk, Fault> {
        Ok(self.here()?.open(self.test_clock)?)
    }

    fn here(&self) -> Result<&Data, Fault> {
        // Where another one than the folder's is named, somebody is at the wrong headquarters.
        if self.database.is_some() && self.database != self.data.server() {
            return Err(Fault::usage("hq.server.other"));
        }
        Ok(&self.data)
    }
}

/// Runs a command and returns its exit code.
#[must_use]
pub fn run(args: &[OsString]) -> u8 {
    let lang = Lang::chosen(language(args).as_deref());
    let json = args.iter().any(|arg| arg == "--json");
    let cli = match help::command(lang).try_get_matches_from(args) {
        Ok(matches) => Cli::from_arg_matches(&matches),
        Err(error) if !error.use_stderr() => {
            answer::raw(&error.to_string(), true);
            return 0;
        }
        Err(error) => Err(error),
    };
    let done = cli
        .map_err(|error| usage::fault(&error))
        .and_then(|cli| room(&cli, lang).and_then(|room| work(cli.command, &room)));
    match done {
        Ok(answer) => answer.print(json),
        Err(fault) => fault.print(lang, json),
    }
}

/// The language must be known before the arguments are read: the help and the errors are in it.
fn language(args: &[OsString]) -> Option<String> {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let mut after = args.iter().skip(1);
    args.iter()
        .find_map(|arg| {
            let next = after.next();
            match arg.strip_prefix("--lang")? {
                "" => next.copied(),
                rest => rest.strip_prefix('='),
            }
        })
        .map(str::to_owned)
}

fn room(cli: &Cli, lang: Lang) -> Result<Room, Fault> {
    let folder = match (&cli.data, std::env::var_os("FIELDBOOK_HQ_DATA")) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => PathBuf::from(folder),
        (None, None) => directories::ProjectDirs::from("", "", "fieldbook-hq")
            .map(|dirs| dirs.data_dir().to_owned())
            .ok_or_else(|| Fault::usage("hq.no_folder"))?,
    };
    let test_clock = clock::tests_may_set();
    let clock = match &cli.now {
        None => Clock::REAL,
        Some(_) if !test_clock => return Err(Fault::usage("hq.now.forbidden")),
        Some(text) => {
            let now = Ts::parse(text, Zone::SHANGHAI).ok().and_then(|ts| u64::try_from(ts.0).ok());
            let now = now.ok_or_else(|| Fault::usage("hq.now.bad").with("value", text))?;
            Clock::set(now, matches!(cli.command, Some(Command::Serve(_))))
        }
    };
    if cli.database.as_deref().is_some_and(Server::has_password) {
        return Err(Fault::usage("hq.server.password"));
    }
    let database = cli.database.clone().or_else(|| crate::data::environment("FIELDBOOK_HQ_DATABASE"));
    Ok(Room { data: Data::at(&folder), database, clock, test_clock, lang, json: cli.json })
}

fn work(command: Option<Command>, room: &Room) -> Result<Answer, Fault> {
    let Some(command) = command else { return day::run(room) };
    let import = |kind: &str, command: import::Command| match kinds::by_name(kind) {
        Some(kind) => import::run(kind, &command, room),
        None => Err(Fault::usage("hq.kind.unknown").with("kind", kind)),
    };
    match command {
        Command::Init(args) => init::run(&args, room),
        Command::Move(args) => moving::run(&args, room),
        Command::Serve(args) => serve::run(&args, room),
        Command::Org(command) => import("org", command),
        Command::Staff(command) => import("staff", command),
        Command::Customer(command) => import("customer", command),
        Command::Site(command) => import("site", command),
        Command::Asset(command) => import("asset", command),
        Command::Job(command) => import("job", command),
        Command::Template(command) => import("template", command),
        Command::Cap(command) => import("cap", command),
        Command::Account(command) => import("account", command),
        Command::Delegation(command) => import("delegation", command),
        Command::Calendar(command) => terms::calendar(&command, room),
        Command::Tick => tick::run(room),
        Command::Device(command) => device::run(command, room),
        Command::Bundle(command) => bundle::run(&command, room),
        Command::Show(args) => show::run(&args, room),
        Command::History(args) => history::run(&args, room),
        Command::Policy(command) => policy::run(command, room),
        Command::File(command) => file::run(command, room),
        Command::Claim(command) => claim::run(&command, room),
        Command::Review(command) => review::run(&command, room),
        Command::Batch(command) => batch::run(&command, room),
        Command::Audit(command) => audit::run(&command, room),
        Command::Approve(args) => approve::run(&args, room),
        Command::Exception(command) => exception::run(&command, room),
        Command::Alert(command) => alert::run(&command, room),
        Command::Case(command) => case::run(&command, room),
        Command::Pay(command) => pay::run(&command, room),
        Command::Gaps(args) => gaps::run(&args, room),
        Command::Due(args) => due::run(&args, room),
        Command::Key(command) => key::run(&command, room),
        Command::User(command) => user::run(&command, room),
        Command::Trail(command) => trail::run(&command, room),
        Command::Print(args) => print::run(&args, room),
        Command::Export(args) => export::run(&args, room),
        Command::Rebuild => rebuild::run(room),
        Command::Archive(args) => archive::run(&args, room),
        Command::Doctor => doctor::run(room),
        Command::Backup(file) => backup::run(&file, room),
        Command::Restore(file) => backup::restore(&file, room),
        Command::Completions(args) => Ok(shell::completions(&args, room)),
        Command::Man(args) => shell::man(&args, room),
    }
}
