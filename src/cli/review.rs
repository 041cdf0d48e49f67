//! `review`: what waits for a supervisor or a branch GM, and what he decides.

use clap::Subcommand;
use records::kinds::number;
use records::money::Fen;

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::review_text as said;
use crate::cli::sheet::changed_page;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::alarm::alarm;
use crate::notebook::review::approve::{Approve, approve};
use crate::notebook::review::cut::{Cut, cut};
use crate::notebook::review::paper::paper;
use crate::notebook::review::send_back::{SendBack, send_back};
use crate::notebook::review::summary::{Sign, sign};
use crate::notebook::review::told::told;
use crate::notebook::review::view::view;
use crate::notebook::review::waiting::waiting;
use crate::store::Store;

/// What waits for review, and the decisions on it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List,
    Show {
        id: String,
        #[arg(long = "for", value_name = "STAFF")]
        principal: Option<String>,
    },
    Approve {
        id: String,
        #[arg(long, value_name = "N")]
        vouchers: Option<u32>,
        #[arg(long, value_name = "RULE")]
        ack: Vec<String>,
        #[arg(long = "for", value_name = "STAFF")]
        principal: Option<String>,
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    Cut {
        id: String,
        #[arg(long, value_name = "N")]
        line: u32,
        #[arg(long, value_name = "AMOUNT", required_unless_present = "undo", conflicts_with = "undo")]
        to: Option<Fen>,
        #[arg(long, value_name = "CODE", required_unless_present = "undo")]
        reason: Option<String>,
        #[arg(long)]
        undo: bool,
        #[arg(long = "for", value_name = "STAFF")]
        principal: Option<String>,
    },
    Return {
        id: String,
        #[arg(long, value_name = "N")]
        line: Vec<u32>,
        #[arg(long, value_name = "CODE")]
        reason: String,
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        #[arg(long = "for", value_name = "STAFF")]
        principal: Option<String>,
    },
    Reopen {
        id: String,
        #[arg(long, value_name = "WHY")]
        reason: String,
        #[arg(long = "for", value_name = "STAFF")]
        principal: Option<String>,
    },
    Alarm {
        id: String,
        #[arg(long, value_name = "N")]
        line: Option<u32>,
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    Paper {
        id: String,
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
}

/// Runs a reviewer's command.
pub(crate) fn run(command: Command, desk: &Desk) -> Result<Page, Fault> {
    let now = desk.clock.now();
    let mut store = desk.store()?;
    match command {
        Command::List => {
            let (waiting, told) = (waiting(&store, now)?, told(&store, now).map_err(NotebookError::from)?);
            let zone = store.identity().enrolment.zone;
            Ok(desk.page(
                || said::list_json(&waiting, &told, zone),
                |desk| said::list_text(&waiting, &told, desk),
            ))
        }
        Command::Show { id, principal } => {
            let view = view(&store, &id, principal.as_deref(), now)?;
            let zone = store.identity().enrolment.zone;
            Ok(desk.page(|| said::view_json(&view, desk.lang, zone), |desk| said::view_text(&view, desk)))
        }
        Command::Approve { id, principal, .. } if is_trip(&store, &id)? => {
            let request = Sign { record: &id, step: "approve", reason: "", principal: principal.as_deref() };
            let decided = sign(&mut store, &request, now)?;
            Ok(desk.page(|| said::decided_json(&decided), |desk| said::decided_text(&decided, desk)))
        }
        Command::Approve { id, vouchers, ack, principal, note } => {
            let request = Approve { record: id, vouchers, acks: ack, principal, note };
            let approved = approve(&mut store, &request, now)?;
            // What comes next opens itself.
            let next = waiting(&store, now)?.into_iter().next();
            let json = || said::approved_json(&approved, next.as_ref());
            Ok(desk.page(json, |desk| said::approved_text(&approved, next.as_ref(), desk)))
        }
        Command::Cut { id, line, to, reason, undo, principal } => {
            let to = to.filter(|_| !undo);
            let reason = reason.unwrap_or_default();
            let done = cut(&mut store, &Cut { record: id, line, to, reason, principal }, now)?;
            Ok(desk.page(|| said::cut_json(&done), |desk| said::cut_text(&done, desk)))
        }
        Command::Return { id, reason, note, principal, .. } if is_trip(&store, &id)? => {
            let reason = [reason.as_str(), note.as_str()].join(" ");
            let request =
                Sign { record: &id, step: "return", reason: reason.trim(), principal: principal.as_deref() };
            let decided = sign(&mut store, &request, now)?;
            Ok(desk.page(|| said::decided_json(&decided), |desk| said::decided_text(&decided, desk)))
        }
        Command::Return { id, line, reason, note, principal } => {
            let request = SendBack { record: id, lines: line, reason, note, principal };
            let decided = send_back(&mut store, &request, now)?;
            Ok(desk.page(|| said::decided_json(&decided), |desk| said::decided_text(&decided, desk)))
        }
        Command::Reopen { id, reason, principal } => {
            let request =
                Sign { record: &id, step: "reopen", reason: &reason, principal: principal.as_deref() };
            let decided = sign(&mut store, &request, now)?;
            Ok(desk.page(|| said::decided_json(&decided), |desk| said::decided_text(&decided, desk)))
        }
        Command::Alarm { id, line, note } => {
            let (alert, claim) = alarm(&mut store, &id, line, &note, now)?;
            Ok(desk.page(|| said::alarm_json(alert, &claim), |desk| said::alarm_text(alert, &claim, desk)))
        }
        Command::Paper { id, note } => {
            let changed = paper(&mut store, &id, &note, now)?;
            Ok(changed_page(&changed, desk))
        }
    }
}

/// Returns whether a text means a trip summary.
fn is_trip(store: &Store, text: &str) -> Result<bool, Fault> {
    let (_, kind) = find::document(store, text, Wanted::Any)?;
    match kind.number {
        number::TRIP => Ok(true),
        number::CLAIM => Ok(false),
        _ => Err(Fault::new(Exit::Refused, "rule.W-05").rule("W-05").with("text", &text)),
    }
}
