//! The words of `claim`.

use clap::Subcommand;
use records::money::Fen;
use records::policy::cycle::{HalfMonth, Month};

use crate::cli::args::{Listed, Print};

/// Expense claims.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Draft {
        half: HalfMonth,
        #[arg(long)]
        non_service: bool,
        #[arg(long, value_name = "HALF")]
        from_half: Vec<HalfMonth>,
        #[arg(long)]
        empty: bool,
    },
    Set {
        id: String,
        #[arg(long, value_name = "K")]
        line: Option<u32>,
        #[arg(required = true, value_name = "NAME=VALUE")]
        pairs: Vec<String>,
    },
    Add {
        id: String,
        list: String,
        #[arg(required = true, allow_negative_numbers = true)]
        values: Vec<String>,
        #[arg(long, value_name = "K")]
        line: Option<u32>,
    },
    Remove {
        id: String,
        #[arg(long, value_name = "K")]
        line: Option<u32>,
        #[arg(long, value_name = "VOUCHER", conflicts_with = "line")]
        voucher: Option<String>,
    },
    Check {
        id: String,
    },
    Submit {
        id: String,
        #[arg(long, value_name = "RULE[:LINE]=TEXT")]
        reason: Vec<String>,
    },
    Withdraw {
        id: String,
    },
    Void {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    Answer {
        id: String,
        #[arg(required = true)]
        text: Vec<String>,
    },
    Exception {
        id: String,
        #[arg(long, value_name = "KIND", value_parser = ["late_line", "cap", "missing_sheet", "other"])]
        kind: String,
        #[arg(long, value_name = "K")]
        line: Option<u32>,
        #[arg(long, value_name = "AMOUNT")]
        amount: Option<Fen>,
        #[arg(long, value_name = "MONTH")]
        month: Option<Month>,
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    Show {
        id: String,
    },
    Print(Print),
    History {
        id: String,
    },
    List {
        #[command(flatten)]
        listed: Listed,
    },
}
