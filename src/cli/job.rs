//! `job`: what one was given to do, and the steps one takes with it.

use records::kinds::job::JOB;
use records::kinds::number;
use records::value::Value;
use serde_json::json;

use crate::cli::args::Job;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::history;
use crate::cli::sheet::{changed_page, list_page, show_page, step_page};
use crate::notebook::add::Entry;
use crate::notebook::create::{Create, create};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::rows;
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
        Job::HandOver { id, to } => hand_over(&id, &to, desk),
        Job::Finish { id, outcome, fix } => {
            let taken = Taken { step: "finish", ..Taken::default() };
            let pairs = outcome.map(|outcome| Pair::new("outcome", outcome)).into_iter().collect();
            let request =
                Step { record: &id, wanted: JOBS, taken, pairs, entries: place("finish", fix.as_deref()) };
            let changed = step(&mut desk.store()?, &request, desk.clock.now())?;
            Ok(changed_page(&changed, desk))
        }
    }
}

fn hand_over(id: &str, to: &str, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let (colleague, _) = find::document(&store, to, Wanted::Kind(number::STAFF))?;
    let taken = Taken { step: "hand_over", to: Some(colleague.id), ..Taken::default() };
    let request = Step { record: id, wanted: JOBS, taken, pairs: Vec::new(), entries: Vec::new() };
    let changed = step(&mut store, &request, desk.clock.now())?;
    Ok(changed_page(&changed, desk))
}

fn place(step: &str, fix: Option<&str>) -> Vec<Entry> {
    let entry =
        |fix| Entry { list: "fix".to_owned(), words: vec![format!("step={step}"), format!("fix={fix}")] };
    fix.map(entry).into_iter().collect()
}

/// Takes the step, and opens the sheet that the job asks for.
fn arrive(id: &str, fix: Option<&str>, sheet: bool, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let now = desk.clock.now();
    let taken = Taken { step: "arrive", ..Taken::default() };
    let request = Step { record: id, wanted: JOBS, taken, pairs: Vec::new(), entries: place("arrive", fix) };
    let changed = step(&mut store, &request, now)?;
    if !sheet {
        return Ok(changed_page(&changed, desk));
    }
    let (document, _) = find::document(&store, &changed.id.to_string(), JOBS)?;
    let kind = match rows::value(&JOB, &document, "type") {
        Some(Value::Choice(index)) => {
            records::kinds::template::SheetType::CHOICES.option(index).map(|option| option.0)
        }
        _ => None,
    };
    let kind = crate::cli::schema::kind(kind.unwrap_or("repair"))?;
    let arrived = now.wall.rfc3339(store.identity().enrolment.zone);
    let mut pairs = vec![Pair::new("arrived", arrived)];
    pairs.extend(fix.map(|fix| Pair::new("fix", fix)));
    let request = Create { kind, job: Some(changed.id.to_string()), pairs, entries: Vec::new() };
    let created = create(&mut store, &request, now)?;
    let json = || {
        json!({
            "id": changed.id.to_string(), "code": changed.id.code(), "op": changed.op.map(|op| op.to_string()),
            "sheet": {"id": created.id.to_string(), "code": created.id.code(), "kind": kind.name},
        })
    };
    Ok(desk.page(json, |desk| {
        let facts = [("code", changed.id.code()), ("sheet", created.id.code())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        desk.lang.say("text.arrived", &facts) + "\n"
    }))
}
