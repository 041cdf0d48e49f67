//! `alert`: anomalies that a person must look at.

use records::both::said;
use records::kinds::alert::{ALERT, Finding};
use records::kinds::case::CaseKind;
use records::kinds::number;
use records::record::Record;
use serde_json::{Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::office::{self, Acts, object, person, person_text, say, state_label, state_name, titles};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::decide::{Taken, title};
use crate::money::rows::linked;
use crate::store::StoreError;

/// What can be done with alerts.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists them
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// It has an innocent reason
    Explain(Step),
    /// It is what it looks like: a case is proposed, of the kind that the rule betrays
    Confirm {
        #[command(flatten)]
        step: Step,
        /// What it is: false_claim, non_compliant, or none for no case
        #[arg(long, value_parser = chosen)]
        kind: Option<Chosen>,
    },
    /// The rule was wrong
    #[command(name = "false-alarm")]
    FalseAlarm(Step),
}

/// An alert and a reason.
#[derive(Debug, clap::Args)]
pub(super) struct Step {
    /// Its code or id
    alert: String,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    acts: Acts,
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List { state } => list(state.as_deref(), room),
        Command::Explain(args) => step(args, ("explain", None), room),
        Command::Confirm { step: args, kind } => step(args, ("confirm", *kind), room),
        Command::FalseAlarm(args) => step(args, ("false_alarm", None), room),
    }
}

/// What somebody says that an alert is; `None`: nothing that a case follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen(Option<CaseKind>);

fn chosen(text: &str) -> Result<Chosen, String> {
    match text {
        "false_claim" => Ok(Chosen(Some(CaseKind::FALSE_CLAIM))),
        "non_compliant" => Ok(Chosen(Some(CaseKind::NON_COMPLIANT))),
        "none" => Ok(Chosen(None)),
        other => Err(other.to_owned()),
    }
}

/// A confirmed alert about a claim opens a case.
fn step(args: &Step, (name, chosen): (&str, Option<Chosen>), room: &Room) -> Result<Answer, Fault> {
    let chosen = chosen.map(|chosen| chosen.0);
    let ((record, case), mut desk) = office::act(room, &args.acts, |desk, actor, now| {
        desk.answer_alert(&args.alert, &Taken::step(name, &args.reason), chosen, actor, now)
    })?;
    let mut json = object(finding(&mut desk, &record, room.lang)?);
    json.insert("case".to_owned(), case.as_ref().map(|case| case.record.id.code()).into());
    let mut text = [record.id.code(), state_label(&record, room.lang).to_owned()].join("  ");
    if let Some(case) = case {
        text.push_str(&format!("\n{}", say(room.lang, "hq.alert.case", &[("code", case.record.id.code())])));
    }
    Ok(Answer::new(json.into(), text))
}

fn finding(desk: &mut Desk, record: &Record, lang: Lang) -> Result<Json, StoreError> {
    let finding = record.get::<Finding>().unwrap_or_default();
    let claim = linked(finding.claim.as_ref());
    let claim_no = claim.map(|id| desk.record(id)).transpose()?.flatten().as_ref().map(title);
    Ok(json!({
        "id": record.id.to_string(),
        "code": record.id.code(),
        "rule": finding.rule.map(|rule| rule.0),
        "claim_no": claim_no,
        "line": finding.line.map(|line| line.0),
        "staff": person(desk, linked(finding.staff.as_ref()))?,
        "evidence": finding.evidence.map(|evidence| said(&evidence.0, lang.words())),
        "by": person(desk, linked(finding.by.as_ref()))?,
        "state": state_name(record),
    }))
}

fn list(state: Option<&str>, room: &Room) -> Result<Answer, Fault> {
    let known = |name: &str| ALERT.machine.and_then(|machine| machine.state(name));
    let states: Vec<u8> = match state {
        None => Vec::new(),
        Some(name) => vec![known(name).ok_or_else(|| Fault::usage("hq.state.unknown").with("state", name))?],
    };
    let (records, mut desk) = office::look(room, |desk| Ok(desk.records(number::ALERT, &states)?))?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for record in &records {
        let json = finding(&mut desk, record, room.lang)?;
        let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let staff = record.get::<Finding>().and_then(|finding| linked(finding.staff.as_ref()));
        lines.push(vec![
            record.id.code(),
            text("rule"),
            text("claim_no"),
            person_text(&mut desk, staff)?,
            state_label(record, room.lang).to_owned(),
            text("evidence"),
        ]);
        rows.push(json);
    }
    let columns = ["code", "rule", "claim_no", "who", "state", "notes"];
    Ok(Answer::new(rows.into(), table(&titles(room.lang, columns), lines)))
}
