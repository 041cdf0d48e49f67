//! `case`: disciplinary cases.

use std::path::{Path, PathBuf};

use papers::lists::fines::{FineRow, FinesList};
use papers::lists::{ListError, workbook};
use records::both::said;
use records::kinds::case::{CASE, CaseKind, FineState};
use records::time::Zone;
use serde_json::{Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::office::{
    self, Acts, amount, label, object, person, person_text, say, state_label, state_name, titles, unit, word,
};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::cases::{Case, Proposal};
use crate::money::decide::Taken;
use crate::money::rows::linked;

/// What can be done with cases.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists cases
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// Shows one
    Show {
        /// Its code or id
        case: String,
    },
    /// Proposes one about a claim
    Propose {
        /// The claim's number, code or id
        claim: String,
        /// false_claim or non_compliant
        #[arg(long, value_parser = kind)]
        kind: CaseKind,
        /// Which line of it, from 1
        #[arg(long, value_name = "N")]
        line: Option<u32>,
        /// What shows it
        #[arg(long, value_name = "TEXT")]
        evidence: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Proposes one about an auditor who was late with a branch's claims
    Late {
        /// The branch's code
        #[arg(long, value_name = "UNIT")]
        branch: String,
        /// The auditor in charge
        #[arg(long, value_name = "STAFF")]
        auditor: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Confirms one: its fines stand, and of a false claim the line pays nothing
    Confirm(Step),
    /// Does not follow one up
    Dismiss(Step),
    /// Appeals against one
    Appeal(Step),
    /// Upholds one after an appeal
    Uphold(Step),
    /// Lets its persons off
    Waive(Step),
    /// Says that payroll took the fines off
    Execute(Step),
    /// Writes the list for payroll
    Export {
        /// The file, .csv or .xlsx
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Only fines in this state: pending, deducted or waived
        #[arg(long, value_name = "STATE", value_parser = fine_state)]
        fines: Option<FineState>,
    },
}

/// A case and a reason.
#[derive(Debug, clap::Args)]
pub(super) struct Step {
    /// Its code or id
    case: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    acts: Acts,
}

fn kind(text: &str) -> Result<CaseKind, String> {
    let index = CaseKind::CHOICES.index(text).map(CaseKind);
    index.filter(|kind| *kind != CaseKind::AUDIT_LATE).ok_or_else(|| text.to_owned())
}

fn fine_state(text: &str) -> Result<FineState, String> {
    FineState::CHOICES.index(text).map(FineState).ok_or_else(|| text.to_owned())
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List { state } => list(state.as_deref(), room),
        Command::Show { case } => {
            let (case, mut desk) = office::look(room, |desk| desk.case(case))?;
            shown(&mut desk, &case, room)
        }
        Command::Propose { claim, kind, line, evidence, acts } => {
            let proposal = Proposal { kind: *kind, claim, line: *line, evidence };
            let (case, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.propose(&proposal, actor, now))?;
            shown(&mut desk, &case, room)
        }
        Command::Late { branch, auditor, acts } => {
            let (case, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.propose_late(branch, auditor, actor, now))?;
            shown(&mut desk, &case, room)
        }
        Command::Confirm(args) => {
            let (case, mut desk) =
                office::act(room, &args.acts, |desk, actor, now| desk.confirm_case(&args.case, actor, now))?;
            shown(&mut desk, &case, room)
        }
        Command::Dismiss(args) => step(args, "dismiss", room),
        Command::Appeal(args) => step(args, "appeal", room),
        Command::Uphold(args) => step(args, "uphold", room),
        Command::Waive(args) => {
            let (case, mut desk) = office::act(room, &args.acts, |desk, actor, now| {
                desk.waive(&args.case, &args.reason, actor, now)
            })?;
            shown(&mut desk, &case, room)
        }
        Command::Execute(args) => {
            let (case, mut desk) =
                office::act(room, &args.acts, |desk, actor, now| desk.execute(&args.case, actor, now))?;
            shown(&mut desk, &case, room)
        }
        Command::Export { out, fines } => export(out, *fines, room),
    }
}

fn step(args: &Step, name: &str, room: &Room) -> Result<Answer, Fault> {
    let (case, mut desk) = office::act(room, &args.acts, |desk, actor, now| {
        desk.step_case(&args.case, &Taken::step(name, &args.reason), actor, now)
    })?;
    shown(&mut desk, &case, room)
}

fn kind_of(case: &Case) -> u8 {
    case.about.kind_of.map_or(u8::MAX, |kind| kind.0)
}

fn claim_no(desk: &mut Desk, case: &Case) -> Result<Option<String>, Fault> {
    Ok(case.claim().map(|claim| desk.held_claim(claim)).transpose()?.flatten().map(|held| held.no()))
}

fn case_json(desk: &mut Desk, case: &Case, room: &Room) -> Result<Json, Fault> {
    let about = &case.about;
    let today = office::today(room);
    let until = desk.appeal_until(case, today).map_err(|error| Fault::money(error, room.lang))?;
    let mut fines = Vec::new();
    for fine in &case.fines {
        let mut json = object(json!({
            "person": person(desk, Some(fine.person))?,
            "state": word(&FineState::CHOICES, fine.state.0),
        }));
        amount(&mut json, "amount", Some(fine.amount));
        fines.push(Json::from(json));
    }
    Ok(json!({
        "id": case.record.id.to_string(),
        "code": case.record.id.code(),
        "kind": word(&CaseKind::CHOICES, kind_of(case)),
        "claim_no": claim_no(desk, case)?,
        "line": about.line.map(|line| line.0),
        "claimant": person(desk, linked(about.claimant.as_ref()))?,
        "supervisor": person(desk, linked(about.supervisor.as_ref()))?,
        "branch": unit(desk, linked(about.branch.as_ref()))?,
        "days": about.days.map(|days| days.0),
        "evidence": about.evidence.as_ref().map(|evidence| said(&evidence.0, room.lang.words())),
        "state": state_name(&case.record),
        "confirmed": case.confirmed.map(office::at),
        "appeal_until": until.map(|day| day.to_string()),
        "fines": fines,
        "mark": case.mark.as_ref().map(|(month, grade)| json!({"month": month, "grade": grade})),
    }))
}

fn shown(desk: &mut Desk, case: &Case, room: &Room) -> Result<Answer, Fault> {
    let lang = room.lang;
    let json = case_json(desk, case, room)?;
    let head = [
        case.record.id.code(),
        label(&CaseKind::CHOICES, kind_of(case), lang).to_owned(),
        claim_no(desk, case)?.unwrap_or_default(),
        state_label(&case.record, lang).to_owned(),
    ];
    let mut lines = Vec::new();
    for fine in &case.fines {
        let who = person_text(desk, Some(fine.person))?;
        lines.push(vec![
            who,
            fine.amount.to_string(),
            label(&FineState::CHOICES, fine.state.0, lang).to_owned(),
        ]);
    }
    let fines = table(&titles(lang, ["who", "fine", "state"]), lines);
    let mut text = format!("{}\n{fines}", head.join("  "));
    if let Some((month, grade)) = &case.mark {
        text.push_str(&say(lang, "hq.case.mark", &[("month", month.clone()), ("grade", grade.clone())]));
    }
    Ok(Answer::new(json, text))
}

fn list(state: Option<&str>, room: &Room) -> Result<Answer, Fault> {
    let known = |name: &str| CASE.machine.and_then(|machine| machine.state(name));
    let states: Vec<u8> = match state {
        None => Vec::new(),
        Some(name) => vec![known(name).ok_or_else(|| Fault::usage("hq.state.unknown").with("state", name))?],
    };
    let (cases, mut desk) = office::look(room, |desk| desk.cases(&states))?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for case in &cases {
        rows.push(case_json(&mut desk, case, room)?);
        lines.push(vec![
            case.record.id.code(),
            label(&CaseKind::CHOICES, kind_of(case), room.lang).to_owned(),
            claim_no(&mut desk, case)?.unwrap_or_default(),
            person_text(&mut desk, linked(case.about.claimant.as_ref()))?,
            state_label(&case.record, room.lang).to_owned(),
        ]);
    }
    Ok(Answer::new(
        rows.into(),
        table(&titles(room.lang, ["code", "kind", "claim_no", "who", "state"]), lines),
    ))
}

fn export(out: &Path, fines: Option<FineState>, room: &Room) -> Result<Answer, Fault> {
    let list = list_of_fines(&mut room.open()?, fines, room.lang)?;
    let unwritten =
        |error: ListError| Fault::usage("hq.file").with("file", out.display()).with("reason", error);
    let n = list.rows.len();
    let list = list.list(room.lang.papers()).map_err(unwritten)?;
    let bytes = match out.extension().and_then(|extension| extension.to_str()) {
        Some("xlsx") => workbook(&[list]),
        Some("csv") => list.csv(true),
        _ => return Err(Fault::usage("hq.pay.form").with("file", out.display())),
    };
    std::fs::write(out, bytes.map_err(unwritten)?).map_err(|error| Fault::file(out, &error))?;
    let file = out.display().to_string();
    let facts = [("n", n.to_string()), ("file", file.clone())];
    Ok(Answer::new(json!({"file": file, "fines": n}), say(room.lang, "hq.case.exported", &facts)))
}

/// Returns the fines of all cases, for payroll; those in one state where one is named.
///
/// # Errors
/// A [`Fault`] where the database does not answer.
pub(crate) fn list_of_fines(
    desk: &mut Desk,
    wanted: Option<FineState>,
    lang: Lang,
) -> Result<FinesList, Fault> {
    let mut list = FinesList::default();
    for case in desk
        .cases(&[])
        .map_err(|error| Fault::money(error, lang))?
        .iter()
        .filter(|case| !case.fines.is_empty())
    {
        rows_of(desk, case, wanted, lang, &mut list)?;
    }
    Ok(list)
}

fn rows_of(
    desk: &mut Desk,
    case: &Case,
    wanted: Option<FineState>,
    lang: Lang,
    list: &mut FinesList,
) -> Result<(), Fault> {
    let claim_no = claim_no(desk, case)?.unwrap_or_default();
    let claimant = linked(case.about.claimant.as_ref());
    let confirmed = case.confirmed.unwrap_or_default().day(Zone::SHANGHAI);
    let confirmed_by = person_text(desk, case.confirmed_by)?;
    for fine in case.fines.iter().filter(|fine| wanted.is_none_or(|wanted| wanted == fine.state)) {
        let people = desk.people()?;
        let person = people.staff.get(&fine.person);
        let mark = case.mark.as_ref().filter(|_| claimant == Some(fine.person));
        let month = confirmed.to_string().get(..7).unwrap_or_default().to_owned();
        list.rows.push(FineRow {
            case: case.record.id.code(),
            staff_code: person.map(|person| person.code.clone()).unwrap_or_default(),
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            month: mark.map_or(month, |(month, _)| month.clone()),
            reason: label(&CaseKind::CHOICES, kind_of(case), lang).to_owned(),
            claim_no: claim_no.clone(),
            amount: fine.amount,
            grade: mark.map(|(_, grade)| grade.clone()).unwrap_or_default(),
            confirmed_by: confirmed_by.clone(),
            confirmed,
            state: label(&FineState::CHOICES, fine.state.0, lang).to_owned(),
        });
    }
    Ok(())
}
