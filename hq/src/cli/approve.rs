//! `approve`: the manager's and the vice-president's steps.

use records::kinds::claim_machine as at;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::audit;
use crate::cli::claim;
use crate::cli::due;
use crate::cli::office::{self, Acts, AtMost};
use crate::money::decide::Taken;

/// What a manager or the vice-president is told: a claim that he approves, or something else that he does.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    /// The number, code or id of the claim that is approved
    #[arg(required = true)]
    claim: Option<String>,
    /// Sends it back, for this reason
    #[arg(long, value_name = "REASON")]
    back: Option<String>,
    /// The rule of an anomaly that is acknowledged; once for each
    #[arg(long = "ack", value_name = "RULE")]
    acks: Vec<String>,
    /// The staff code of whoever approves
    #[arg(id = "as", long = "as", value_name = "STAFF", required = true)]
    staff: Option<String>,
    /// The staff code of the one for whom he acts
    #[arg(id = "for", long = "for", value_name = "STAFF")]
    principal: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What else he can do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists what waits for the manager and the vice-president, what is overdue first
    List(AtMost),
    /// Shows a claim
    Show {
        /// Its number, code or id
        claim: String,
    },
    /// Rejects a claim: confirms the auditor's proposal, or as the vice-president
    Reject(Reasoned),
    /// Dismisses the auditor's proposal to reject
    Dismiss(Reasoned),
    /// Freezes a claim while it is looked into: its clocks stand still
    Freeze(Reasoned),
    /// Lets a frozen claim go on from where it was
    Unfreeze(Reasoned),
}

/// A claim and a reason.
#[derive(Debug, clap::Args)]
pub(super) struct Reasoned {
    /// Its number, code or id
    claim: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    acts: Acts,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    match &args.command {
        None => decide(args, room),
        Some(Command::List(at_most)) => {
            due::waiting(&[at::AUDITED, at::REJECT_PROPOSED, at::VP_PENDING, at::FROZEN], *at_most, room)
        }
        Some(Command::Show { claim }) => claim::show(claim, room),
        Some(Command::Reject(args)) => {
            let vp = state(&args.claim, room)? == at::VP_PENDING;
            reasoned(args, if vp { "vp_reject" } else { "confirm_reject" }, room)
        }
        Some(Command::Dismiss(args)) => reasoned(args, "dismiss_reject", room),
        Some(Command::Freeze(args)) => reasoned(args, "freeze", room),
        Some(Command::Unfreeze(args)) => reasoned(args, "unfreeze", room),
    }
}

fn decide(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let claim = args.claim.as_deref().unwrap_or_default();
    let acts = Acts::of(args.staff.as_deref().unwrap_or_default(), args.principal.as_deref());
    let vp = state(claim, room)? == at::VP_PENDING;
    let step = match (vp, args.back.is_some()) {
        (false, false) => "mgr_approve",
        (false, true) => "mgr_back",
        (true, false) => "vp_approve",
        (true, true) => "vp_back",
    };
    let reason = args.back.as_deref().unwrap_or_default();
    audit::step(claim, &Taken { acks: &args.acks, ..Taken::step(step, reason) }, &acts, room)
}

fn reasoned(args: &Reasoned, step: &str, room: &Room) -> Result<Answer, Fault> {
    audit::step(&args.claim, &Taken::step(step, &args.reason), &args.acts, room)
}

/// Which of the two levels a claim waits for.
fn state(claim: &str, room: &Room) -> Result<u8, Fault> {
    Ok(office::look(room, |desk| desk.claim(claim))?.0.claim.state)
}
