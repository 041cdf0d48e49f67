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
