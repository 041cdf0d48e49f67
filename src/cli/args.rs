//! The whole command line as one value; what each word means stands in the table of sentences under `help.`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "fieldbook", version, disable_help_flag = true, disable_version_flag = true)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long, global = true, value_name = "LANG", value_parser = ["zh-CN", "zh-TW", "en"])]
    pub(crate) lang: Option<String>,
    #[arg(long, global = true, value_name = "INSTANT")]
    pub(crate) now: Option<String>,
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// One command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Enrol(Enrol),
    Status,
    #[command(subcommand)]
    Sheet(Sheet),
    #[command(subcommand)]
    Voucher(Voucher),
    #[command(subcommand)]
    Job(Job),
    #[command(subcommand)]
    Trip(crate::cli::trip::Command),
    #[command(subcommand)]
    Claim(crate::cli::claim::Command),
    #[command(subcommand)]
    Case(crate::cli::case::Command),
    #[command(subcommand)]
    Review(crate::cli::review::Command),
    #[command(subcommand)]
    Batch(crate::cli::batch::Command),
    Sync(Sync),
    #[command(subcommand)]
    Bundle(Bundle),
    #[command(subcommand)]
    Conflict(Conflict),
    #[command(subcommand)]
    Quarantine(Quarantine),
    #[command(subcommand)]
    Policy(crate::cli::policy::Command),
    #[command(subcommand)]
    File(File),
    Print(Print),
    Search(Search),
    Import(Import),
    Export(Export),
    #[command(subcommand)]
    Pin(Pin),
    Doctor(Doctor),
    Rebuild,
    Backup(Backup),
    Restore(Backup),
    Schema(Schema),
    Completions(Completions),
    Man(Man),
    Web(Web),
}

/// Writes the home into one file, or makes it again from one.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Prints a kind's table.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    pub(crate) kind: Option<String>,
}

/// Prints a shell's completions.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
}

/// Prints or writes manual pages.
#[derive(Debug, Args)]
pub(crate) struct Man {
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Becomes a replica.
#[derive(Debug, Args)]
pub(crate) struct Enrol {
    #[arg(required_unless_present = "file")]
    pub(crate) code: Option<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "code")]
    pub(crate) file: Option<PathBuf>,
    #[arg(long)]
    pub(crate) anew: bool,
}

/// A paper to print: of which record, into which file, set in which font.
#[derive(Debug, Args)]
pub(crate) struct Print {
    pub(crate) id: String,
    #[arg(long, value_name = "FILE.pdf")]
    pub(crate) out: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) font: Option<PathBuf>,
}

/// Which records of a list.
#[derive(Debug, Args)]
pub(crate) struct Listed {
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<String>,
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<String>,
    #[arg(long, value_name = "DAY")]
    pub(crate) until: Option<String>,
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// Work sheets.
#[derive(Debug, Subcommand)]
pub(crate) enum Sheet {
    New {
        #[arg(value_parser = SHEETS)]
        kind: Option<String>,
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
    },
    Set {
        id: String,
        #[arg(required = true, value_name = "NAME=VALUE")]
        pairs: Vec<String>,
    },
    Add {
        id: String,
        list: String,
        #[arg(required = true, allow_negative_numbers = true)]
        values: Vec<String>,
    },
    Seal {
        id: String,
        #[arg(long, value_name = "NAME", requires = "signature")]
        signed_by: Option<String>,
        #[arg(long, value_name = "ROLE", requires = "signed_by")]
        role: Option<String>,
        #[arg(long, value_name = "PNG", requires = "signed_by")]
        signature: Option<PathBuf>,
        #[arg(long, value_name = "REASON", conflicts_with = "signed_by")]
        no_sign: Option<String>,
    },
    List {
        #[arg(long, value_parser = SHEETS)]
        kind: Option<String>,
        #[command(flatten)]
        listed: Listed,
    },
    Show {
        id: String,
    },
    History {
        id: String,
    },
    Amend {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
    },
    Print(Print),
    Void {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: Option<String>,
    },
    Remove {
        id: String,
        list: String,
        #[arg(required = true, allow_negative_numbers = true)]
        values: Vec<String>,
    },
    Accept {
        id: String,
    },
    Return {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
}

/// The three sheets.
pub(crate) const SHEETS: [&str; 3] = ["install", "repair", "inspection"];

/// Receipts and invoices.
#[derive(Debug, Subcommand)]
pub(crate) enum Voucher {
    Add {
        #[arg(long, value_name = "CATEGORY")]
        category: Option<String>,
        #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
        amount: Option<String>,
        #[arg(long, value_name = "DAY")]
        date: Option<String>,
        #[arg(long, value_name = "SHEET")]
        sheet: Vec<String>,
        #[arg(long, value_name = "FILE")]
        photo: Vec<PathBuf>,
        #[arg(long, value_name = "TEXT")]
        qr: Option<String>,
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
    },
    Scan {
        #[arg(long, value_name = "CATEGORY")]
        category: Option<String>,
    },
    Set {
        id: String,
        #[arg(required = true, value_name = "NAME=VALUE")]
        pairs: Vec<String>,
    },
    List {
        #[command(flatten)]
        listed: Listed,
    },
    Show {
        id: String,
    },
    History {
        id: String,
    },
    Discard {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: Option<String>,
    },
    Attach {
        id: String,
        list: String,
        #[arg(required = true, allow_negative_numbers = true)]
        values: Vec<String>,
    },
    Remove {
        id: String,
        list: String,
        #[arg(required = true, allow_negative_numbers = true)]
        values: Vec<String>,
    },
}

/// Jobs given to somebody.
#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    List {
        #[command(flatten)]
        listed: Listed,
    },
    Show {
        id: String,
    },
    History {
        id: String,
    },
    Accept {
        id: String,
    },
    Refuse {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    Depart {
        id: String,
    },
    Arrive {
        id: String,
        #[arg(long, value_name = "LAT,LON")]
        fix: Option<String>,
        #[arg(long)]
        sheet: bool,
    },
    Start {
        id: String,
    },
    Pause {
        id: String,
    },
    Resume {
        id: String,
    },
    Finish {
        id: String,
        #[arg(long, value_name = "OUTCOME")]
        outcome: Option<String>,
        #[arg(long, value_name = "LAT,LON")]
        fix: Option<String>,
    },
    HandOver {
        id: String,
        #[arg(long, value_name = "STAFF")]
        to: String,
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    Take {
        id: String,
    },
    Cancel {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    Review {
        id: String,
    },
}

/// Examines the home.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[arg(long)]
    pub(crate) against_hq: bool,
}

/// Syncs with headquarters.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<u64>,
    #[arg(long)]
    pub(crate) watch: bool,
}

/// The tablet's pages.
#[derive(Debug, Args)]
pub(crate) struct Web {
    #[arg(long, default_value_t = 7420, value_name = "N")]
    pub(crate) port: u16,
}

/// Syncs by file.
#[derive(Debug, Subcommand)]
pub(crate) enum Bundle {
    Write {
        file: PathBuf,
        #[arg(long)]
        records: bool,
    },
    Read {
        file: PathBuf,
    },
    Receipts,
}

/// What the merge did not choose.
#[derive(Debug, Subcommand)]
pub(crate) enum Conflict {
    List {
        #[arg(long)]
        soft: bool,
    },
    Show {
        id: String,
    },
    Settle {
        id: String,
        #[arg(long, value_name = "OPID|N")]
        take: String,
        #[arg(long, value_name = "HASH")]
        of: Option<String>,
    },
}

/// What headquarters did not take.
#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    List,
    Show { op: String },
    Resubmit { op: String },
}

/// Photos and papers.
#[derive(Debug, Subcommand)]
pub(crate) enum File {
    List {
        #[arg(long)]
        waiting: bool,
    },
    Get {
        hash: String,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    Keep {
        #[arg(value_name = "all|DAYS")]
        days: String,
    },
    Originals {
        #[arg(value_name = "keep|drop", value_parser = ["keep", "drop"])]
        what: String,
    },
}

/// The home's PIN.
#[derive(Debug, Subcommand)]
pub(crate) enum Pin {
    Set,
    Remove,
    Unlock,
    Lock,
    Rescue {
        #[arg(long, value_name = "FILE", required_unless_present = "answer", conflicts_with = "answer")]
        out: Option<PathBuf>,
        #[arg(long, value_name = "ANSWER")]
        answer: Option<PathBuf>,
    },
}

/// Finds records by words.
#[derive(Debug, Args)]
pub(crate) struct Search {
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    #[command(flatten)]
    pub(crate) listed: Listed,
}

/// Takes over the rows of a file.
#[derive(Debug, Args)]
pub(crate) struct Import {
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "KIND", required_unless_present = "map")]
    pub(crate) kind: Option<String>,
    #[arg(long, value_name = "MAP.toml")]
    pub(crate) map: Option<PathBuf>,
}

/// Writes records as a table.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: String,
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "jsonl", "xlsx"], default_value = "csv")]
    pub(crate) format: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long)]
    pub(crate) names: bool,
    #[command(flatten)]
    pub(crate) listed: Listed,
}
