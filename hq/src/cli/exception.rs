//! `exception`: requests for exceptions.

use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::number;
use records::kinds::voucher::Category;
use records::record::Record;
use serde_json::{Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::office::{
    self, Acts, amount, label, object, person, person_text, state_label, state_name, titles, word,
};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::decide::{Taken, title};
use crate::money::rows::linked;
use crate::store::StoreError;

/// What can be done with requests for exceptions.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists them
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// Grants one
    Approve(Step),
    /// Does not grant one
    Deny(Step),
}

/// A request and a reason.
#[derive(Debug, clap::Args)]
pub(super) struct Step {
    /// Its code or id
    exception: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    acts: Acts,
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List { state } => list(state.as_deref(), room),
        Command::Approve(args) => step(args, "approve", room),
        Command::Deny(args) => step(args, "deny", room),
    }
}

fn step(args: &Step, name: &str, room: &Room) -> Result<Answer, Fault> {
    let (record, mut desk) = office::act(room, &args.acts, |desk, actor, now| {
        let record = desk.named_record(number::EXCEPTION, &args.exception)?;
        desk.decide(record.id, actor, &Taken::step(name, &args.reason), Vec::new(), now)?;
        desk.named_record(number::EXCEPTION, &record.id.to_string())
    })?;
    let text = [record.id.code(), state_label(&record, room.lang).to_owned()].join("  ");
    Ok(Answer::new(request(&mut desk, &record)?, text))
}

fn request(desk: &mut Desk, record: &Record) -> Result<Json, StoreError> {
    let ask = record.get::<Ask>().unwrap_or_default();
    let named = |desk: &mut Desk, id| -> Result<Option<String>, StoreError> {
        Ok(desk.record(id)?.as_ref().map(title))
    };
    let claim = linked(ask.claim.as_ref()).map(|id| named(desk, id)).transpose()?.flatten();
    let batch = linked(ask.batch.as_ref()).map(|id| named(desk, id)).transpose()?.flatten();
    let mut json = object(json!({
        "id": record.id.to_string(),
        "code": record.id.code(),
        "kind": ask.kind_of.map(|kind| word(&ExceptionKind::CHOICES, kind.0)),
        "claim_no": claim,
        "line": ask.line.map(|line| line.0),
        "batch_no": batch,
        "category": ask.category.map(|category| word(&Category::CHOICES, category.0)),
        "month": ask.month.map(|month| month.0),
        "reason": ask.reason.map(|reason| reason.0),
        "asked_by": person(desk, linked(ask.asked_by.as_ref()))?,
        "caused_by": person(desk, linked(ask.caused_by.as_ref()))?,
        "state": state_name(record),
    }));
    amount(&mut json, "amount", ask.amount);
    Ok(json.into())
}

fn list(state: Option<&str>, room: &Room) -> Result<Answer, Fault> {
    let known = |name: &str| EXCEPTION.machine.and_then(|machine| machine.state(name));
    let states: Vec<u8> = match state {
        None => Vec::new(),
        Some(name) => vec![known(name).ok_or_else(|| Fault::usage("hq.state.unknown").with("state", name))?],
    };
    let (records, mut desk) = office::look(room, |desk| Ok(desk.records(number::EXCEPTION, &states)?))?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for record in &records {
        let ask = record.get::<Ask>().unwrap_or_default();
        rows.push(request(&mut desk, record)?);
        lines.push(vec![
            record.id.code(),
            ask.kind_of
                .map(|kind| label(&ExceptionKind::CHOICES, kind.0, room.lang))
                .unwrap_or_default()
                .to_owned(),
            person_text(&mut desk, linked(ask.asked_by.as_ref()))?,
            ask.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            state_label(record, room.lang).to_owned(),
            ask.reason.map(|reason| reason.0).unwrap_or_default(),
        ]);
    }
    let columns = ["code", "kind", "who", "amount", "state", "notes"];
    Ok(Answer::new(rows.into(), table(&titles(room.lang, columns), lines)))
}
