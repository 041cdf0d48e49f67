//! `job`: what one was given to do, and the steps one takes with it.

use std::path::Path;

use records::kinds::number;
use serde_json::json;

use crate::cli::args::Job;
use crate::cli::bundle;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::history;
use crate::cli::sheet::{changed_page, list_page, show_page, step_page};
use crate::notebook::arrive;
use crate::notebook::find::{self, Wanted};
use crate::notebook::hand_over;
use crate::notebook::pair::Pair;
use crate::notebook::state::Taken;
use crate::notebook::step::{Step, step};

const JOBS: Wanted = Wanted::Kind(number::JOB);

/// Runs a command on jobs.
pub(crate) fn run(command: Job, desk: &Desk) -> Result<Page, Fault> {
    let plain = |id: &str, name: &str| step_page(id, JOBS, name, None, desk);
    match command {
        Job::List { listed } => list_page(&["job"], &listed, desk),
        Job::Show { id } => show_page(&id, JOBS, desk),
        Job::History { id } => history::run(&id, JOBS, desk),
        Job::Accept { id } => plain(&id, "accept"),
        Job::Refuse { id, reason } => step_page(&id, JOBS, "refuse", Some(&reason), desk),
        Job::Depart { id } => plain(&id, "depart"),
        Job::Arrive { id, fix, sheet } => arrive(&id, fix.as_deref(), sheet, desk),
        Job::Start { id } => plain(&id, "start"),
        Job::Pause { id } => plain(&id, "pause"),
        Job::Resume { id } => plain(&id, "resume"),
        Job::Cancel { id, reason } => step_page(&id, JOBS, "cancel", Some(&reason), desk),
        Job::Review { id } => plain(&id, "review"),
        Job::Take { id } => plain(&id, "take"),
        Job::HandOver { id, to, file } => hand_over(&id, &to, file.as_deref(), desk),
        Job::Finish { id, outcome, fix } => {
            let taken = Taken { step: "finish", ..Taken::default() };
            let pairs = outcome.map(|outcome| Pair::new("outcome", outcome)).into_iter().collect();
            let request = Step {
                record: &id,
                wanted: JOBS,
                taken,
                pairs,
                entries: arrive::place("finish", fix.as_deref()),
            };
            let changed = step(&mut desk.store()?, &request, desk.clock.now())?;
            Ok(changed_page(&changed, desk))
        }
    }
}

/// Hands a job over; with a file the colleague can go on with it before either of them sees a network.
fn hand_over(id: &str, to: &str, file: Option<&Path>, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let now = desk.clock.now();
    let (colleague, _) = find::document(&store, to, Wanted::Kind(number::STAFF))?;
    let (handed, written) = match file {
        Some(file) => {
            let (handed, written) = bundle::hand_over_file(&mut store, id, colleague.id, file, now)?;
            (handed, Some((file, written)))
        }
        None => (hand_over::hand_over(&mut store, id, colleague.id, now)?, None),
    };
    let json = || {
        let mut answer = json!({
            "id": handed.job.to_string(), "code": handed.job.code(), "op": handed.op.map(|op| op.to_string()),
            "sheets": handed.sheets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        if let (Some((file, written)), Some(answer)) = (&written, answer.as_object_mut()) {
            answer.insert("file".to_owned(), file.display().to_string().into());
            answer.insert("bytes".to_owned(), written.bytes.into());
            answer.insert("ops".to_owned(), written.ops.into());
        }
        answer
    };
    Ok(desk.page(json, |desk| {
        let code = handed.job.code();
        let sheets = handed.sheets.len().to_string();
        let mut text = desk.lang.say("text.handed_over", &[("code", &code), ("sheets", &sheets)]) + "\n";
        if let Some((file, _)) = &written {
            let file = file.display().to_string();
            text.push_str(&(desk.lang.say("text.bundle.handed_next", &[("file", &file)]) + "\n"));
        }
        text
    }))
}

/// Takes the step, and opens the sheet that the job asks for.
fn arrive(id: &str, fix: Option<&str>, sheet: bool, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let now = desk.clock.now();
    let changed = arrive::arrive(&mut store, id, fix, now)?;
    if !sheet {
        return Ok(changed_page(&changed, desk));
    }
    let created = arrive::open_sheet(&mut store, &changed.id.to_string(), fix, now)?;
    let json = || {
        json!({
            "id": changed.id.to_string(), "code": changed.id.code(), "op": changed.op.map(|op| op.to_string()),
            "sheet": {"id": created.id.to_string(), "code": created.id.code(), "kind": created.kind.name},
        })
    };
    Ok(desk.page(json, |desk| {
        let facts = [("code", changed.id.code()), ("sheet", created.id.code())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        desk.lang.say("text.arrived", &facts) + "\n"
    }))
}
