//! `review`: the supervisor's and the branch GM's step, taken in the office.

use records::kinds::claim_machine as at;
use records::money::Fen;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::claim;
use crate::cli::office::{self, Acts, AtMost, titles};
use crate::cli::table::table;
use crate::money::review::{Cut, Review};

/// What a reviewer can do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists claims that wait for a supervisor or a branch GM
    List(AtMost),
    /// Shows one with its lines and what the rules say of it
    Show {
        /// Its number, code or id
        claim: String,
    },
    /// Approves one
    Approve {
        /// Its number, code or id
        claim: String,
        /// How many vouchers were counted
        #[arg(long, value_name = "N")]
        vouchers: Option<u32>,
        /// The rule of an anomaly that is acknowledged; once for each
        #[arg(long = "ack", value_name = "RULE")]
        acks: Vec<String>,
        #[command(flatten)]
        acts: Acts,
    },
    /// Approves one with a line cut
    Cut {
        /// Its number, code or id
        claim: String,
        /// Which line, from 1
        #[arg(long, value_name = "N")]
        line: u32,
        /// What is left of it
        #[arg(long, value_name = "AMOUNT")]
        to: Fen,
        /// Why: unreasonable, short_voucher, wrong_amount, wrong_category, not_business, pasted_wrong, missing_sheet, other
        #[arg(long, value_name = "CODE")]
        reason: String,
        /// How many vouchers were counted
        #[arg(long, value_name = "N")]
        vouchers: Option<u32>,
        /// The rule of an anomaly that is acknowledged; once for each
        #[arg(long = "ack", value_name = "RULE")]
        acks: Vec<String>,
        #[command(flatten)]
        acts: Acts,
    },
    /// Sends one back to its claimant
    Return {
        /// Its number, code or id
        claim: String,
        /// Which line is wrong, from 1
        #[arg(long, value_name = "N")]
        line: Option<u32>,
        /// Why; words may follow after a colon
        #[arg(long, value_name = "CODE")]
        reason: String,
        #[command(flatten)]
        acts: Acts,
    },
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    let (name, acts, review) = match command {
        Command::List(at_most) => return list(*at_most, room),
        Command::Show { claim } => return claim::show(claim, room),
        Command::Approve { claim, vouchers, acks, acts } => {
            (claim, acts, Review::Approve { vouchers: *vouchers, acks, cuts: &[] })
        }
        Command::Cut { claim, line, to, reason, vouchers, acks, acts } => {
            let cut = Cut { line: *line, to: *to, reason };
            let review = Review::Approve { vouchers: *vouchers, acks, cuts: &[cut] };
            return done(claim, acts, &review, room);
        }
        Command::Return { claim, line, reason, acts } => {
            (claim, acts, Review::Return { line: *line, reason })
        }
    };
    done(name, acts, &review, room)
}

fn done(name: &str, acts: &Acts, review: &Review<'_>, room: &Room) -> Result<Answer, Fault> {
    let (held, mut desk) = office::act(room, acts, |desk, actor, now| desk.review(name, review, actor, now))?;
    let (json, text) = office::told(&mut desk, &held, room.lang)?;
    Ok(Answer::new(json, text))
}

fn list(at_most: AtMost, room: &Room) -> Result<Answer, Fault> {
    let states = [at::SUBMITTED, at::SUP_APPROVED];
    let (mut held, mut desk) = office::look(room, |desk| Ok(desk.claims(&states)?))?;
    let left_out = at_most.keep(&mut held, room);
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for held in &held {
        rows.push(office::claim_json(&mut desk, held)?);
        lines.push(office::claim_row(&mut desk, held, room.lang)?);
    }
    Ok(Answer::new(rows.into(), table(&titles(room.lang, office::CLAIM_COLUMNS), lines) + &left_out))
}
