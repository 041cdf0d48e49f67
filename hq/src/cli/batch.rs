//! `batch`: the envelopes of the branches are opened.

use std::collections::BTreeSet;
use std::path::PathBuf;

use records::kinds::batch::{BATCH, Dispatch};
use records::kinds::batch_machine;
use serde_json::{Value as Json, json};

use crate::cli::answer::{Answer, Fault, REFUSED};
use crate::cli::office::{self, Acts, object, say, state_label, state_name, titles, unit};
use crate::cli::table::table;
use crate::cli::{Room, manifest};
use crate::intake::desk::Desk;
use crate::money::receive::{Batch, Contents, Opened};
use crate::money::rows::linked;
use crate::store::StoreError;

/// What can be done with batches.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists batches
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// Shows one with its claims
    Show {
        /// Its number, code or id
        batch: String,
    },
    /// Writes its lists: .xlsx holds detail, summary and non-service expenses, .csv the detail alone
    Manifest {
        /// Its number, code or id
        batch: String,
        /// The file, .xlsx or .csv
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Opens an envelope; without --found everything on its list but the missing ones is inside
    Receive {
        /// Its number, code or id
        batch: String,
        /// The numbers whose cover was scanned, with commas
        #[arg(long, value_name = "NO", value_delimiter = ',', conflicts_with = "all")]
        found: Option<Vec<String>>,
        /// Everything on its list is inside
        #[arg(long)]
        all: bool,
        /// A number on the list that is not inside; once for each, or with commas
        #[arg(long, value_name = "NO", value_delimiter = ',', conflicts_with = "all")]
        missing: Vec<String>,
        /// A number that is inside and stands on no list
        #[arg(long, value_name = "NO", value_delimiter = ',')]
        unlisted: Vec<String>,
        #[command(flatten)]
        acts: Acts,
    },
    /// Takes in a claim whose paper came after all
    Found {
        /// Its number
        claim: String,
        /// Only a copy came
        #[arg(long)]
        copy: bool,
        #[command(flatten)]
        acts: Acts,
    },
    /// Gives up a claim whose paper is lost
    Lose {
        /// Its number
        claim: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acts: Acts,
    },
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List { state } => list(state.as_deref(), room),
        Command::Show { batch } => {
            let (batch, mut desk) = office::look(room, |desk| desk.batch(batch))?;
            show(&mut desk, &batch, room)
        }
        Command::Manifest { batch, out } => manifest::run(batch, out, room),
        Command::Receive { batch, found, all: _, missing, unlisted, acts } => {
            let set =
                |numbers: &[String]| numbers.iter().map(|no| no.trim().to_owned()).collect::<BTreeSet<_>>();
            let contents =
                Contents { found: found.as_deref().map(set), missing: set(missing), unlisted: set(unlisted) };
            let (opened, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.receive(batch, &contents, actor, now))?;
            receipt(&mut desk, &opened, room)
        }
        Command::Found { claim, copy, acts } => {
            let (held, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.found(claim, *copy, actor, now))?;
            let (json, text) = office::told(&mut desk, &held, room.lang)?;
            Ok(Answer::new(json, text))
        }
        Command::Lose { claim, reason, acts } => {
            let (held, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.lose(claim, reason, actor, now))?;
            let (json, text) = office::told(&mut desk, &held, room.lang)?;
            Ok(Answer::new(json, text))
        }
    }
}

fn summary(desk: &mut Desk, batch: &Batch) -> Result<Json, StoreError> {
    let dispatch = batch.record.get::<Dispatch>().unwrap_or_default();
    let (due, went) = (batch.of.due_day, dispatch.dispatched_day);
    Ok(json!({
        "id": batch.record.id.to_string(),
        "code": batch.record.id.code(),
        "batch_no": batch.no(),
        "branch": unit(desk, linked(batch.of.branch.as_ref()))?,
        "cycle": batch.of.cycle.as_ref().map(|cycle| cycle.0.clone()),
        "due_day": due.map(|day| day.to_string()),
        "dispatched_day": went.map(|day| day.to_string()),
        "late": went.zip(due).map(|(went, due)| went > due),
        "carrier": dispatch.carrier.map(|carrier| carrier.0),
        "waybill": dispatch.waybill.map(|waybill| waybill.0),
        "state": state_name(&batch.record),
        "n_claims": batch.listed.len(),
    }))
}

fn list(state: Option<&str>, room: &Room) -> Result<Answer, Fault> {
    let known = |name: &str| BATCH.machine.and_then(|machine| machine.state(name));
    let states: Vec<u8> = match state {
        None => Vec::new(),
        Some(name) => vec![known(name).ok_or_else(|| Fault::usage("hq.state.unknown").with("state", name))?],
    };
    let (batches, mut desk) = office::look(room, |desk| Ok(desk.batches(&states)?))?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for batch in &batches {
        let json = summary(&mut desk, batch)?;
        let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        lines.push(vec![
            batch.no(),
            text("branch"),
            state_label(&batch.record, room.lang).to_owned(),
            batch.listed.len().to_string(),
            text("due_day"),
            text("dispatched_day"),
            text("waybill"),
        ]);
        rows.push(json);
    }
    let columns = ["batch", "unit", "state", "claims", "due", "dispatched", "waybill"];
    Ok(Answer::new(rows.into(), table(&titles(room.lang, columns), lines)))
}

fn show(desk: &mut Desk, batch: &Batch, room: &Room) -> Result<Answer, Fault> {
    let mut json = object(summary(desk, batch)?);
    let (mut claims, mut lines) = (Vec::new(), Vec::new());
    for listed in &batch.listed {
        let held = listed.claim.map(|claim| desk.held_claim(claim)).transpose()?.flatten();
        let found = batch.received.get(&listed.no);
        claims.push(json!({
            "claim_no": listed.no,
            "id": listed.claim.map(|claim| claim.to_string()),
            "state": held.as_ref().map(|held| state_name(&held.record)),
            "received": found,
        }));
        let state = held.as_ref().map_or_else(
            || say(room.lang, "hq.batch.no_claim", &[]),
            |held| state_label(&held.record, room.lang).to_owned(),
        );
        lines.push(vec![listed.no.clone(), state]);
    }
    json.insert("claims".to_owned(), claims.into());
    let explained = batch.explained.iter().map(|(no, why)| json!({"claim_no": no, "why": why}));
    json.insert("explained".to_owned(), explained.collect());
    let head = [batch.no(), state_label(&batch.record, room.lang).to_owned()].join("  ");
    let text = format!("{head}\n{}", table(&titles(room.lang, ["claim_no", "state"]), lines));
    Ok(Answer::new(json.into(), text))
}

/// A refused envelope ends with 1: the branch has to explain its numbers first.
fn receipt(desk: &mut Desk, opened: &Opened, room: &Room) -> Result<Answer, Fault> {
    let mut json = object(summary(desk, &opened.batch)?);
    let lists = [
        ("received", &opened.received),
        ("missing", &opened.missing),
        ("not_synced", &opened.not_synced),
        ("unlisted", &opened.unlisted),
    ];
    let mut text = say(
        room.lang,
        "hq.batch.now",
        &[("no", opened.batch.no()), ("state", state_label(&opened.batch.record, room.lang).to_owned())],
    );
    for (name, numbers) in lists {
        json.insert(name.to_owned(), numbers.clone().into());
        if !numbers.is_empty() {
            let facts = [("n", numbers.len().to_string()), ("numbers", numbers.join(", "))];
            text.push_str(&format!("\n{}", say(room.lang, &format!("hq.batch.{name}"), &facts)));
        }
    }
    let faults = opened.faults.iter().map(|fault| json!({"fault": fault.fault, "numbers": fault.numbers}));
    json.insert("faults".to_owned(), faults.collect());
    for fault in &opened.faults {
        let key = format!("hq.fault.{}", fault.fault);
        text.push_str(&format!("\n{}", say(room.lang, &key, &[("numbers", fault.numbers.clone())])));
    }
    let code = if opened.batch.record.state == batch_machine::REFUSED { REFUSED } else { 0 };
    Ok(Answer { json: json.into(), text, code })
}
