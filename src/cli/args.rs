//! The whole command line as one value; what each word means stands in the table of sentences under `help.`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "fieldbook",
    version,
    disable_help_flag = true,
    disable_version_flag = true
)]
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
    Schema(Schema),
    Completions(Completions),
    Man(Man),
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
        #[arg(required = true, allow_hyphen_values = true)]
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
}

/// The three sheets.
pub(crate) const SHEETS: [&str; 3] = ["install", "repair", "inspection"];
