//! The day of a person: what he is to do, what he left open, and what he should do first.

pub mod advice;

use std::ops::ControlFlow;

use records::id::DocId;
use records::kinds::job::JOB;
use records::kinds::{KINDS, job_machine as at, number, sheet_machine, takes};
use records::machine::{Index, State};
use records::time::{Day, Ts};
use records::value::text::Lang;
use records::value::{Target, Value};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::day::advice::Advice;
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::waiting::{Waiting, waiting};
use crate::notebook::status::{Status, status};
use crate::notebook::{list, rows, show, state};
use crate::store::Store;
use crate::store::error::StoreError;

/// States of a job that somebody still has to do, the most advanced first.
const TO_DO: [Index; 7] =
    [at::WORKING, at::ON_SITE, at::PAUSED, at::EN_ROUTE, at::ACCEPTED, at::HANDED_OVER, at::OFFERED];

/// A person's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Today {
    /// Which day it is for him.
    pub day: Day,
    /// How things stand.
    pub status: Status,
    /// His jobs that are begun, planned up to today, or planned for no day: those that are begun first, then by time.
    pub jobs: Vec<Visit>,
    /// How many of his jobs are planned for a later day and not begun.
    pub later: usize,
    /// His sheets that are not sealed, newest first; older ones than the last few hundred are not looked for.
    pub drafts: Vec<list::Line>,
    /// What waits for his review, those submitted earlier first.
    pub reviews: Vec<Waiting>,
    /// What to do next, the most pressing first; never empty.
    pub next: Vec<Advice>,
}

/// A job that he is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub id: DocId,
    /// Its number; empty where it has none.
    pub number: String,
    /// Where it is.
    pub state: &'static State,
    /// Whom to go to; empty where nobody said.
    pub customer: String,
    /// At which site; empty where nobody said.
    pub site: String,
    /// What to do, in one line.
    pub title: String,
    /// When he is to be there.
    pub from: Option<Ts>,
    /// Until when.
    pub to: Option<Ts>,
    /// The step that comes next.
    pub step: &'static str,
    /// How far it is, for the order; 0 is the furthest.
    rank: usize,
}

impl Visit {
    /// Returns what it is called: its number, or its code.
    #[must_use]
    pub fn name(&self) -> String {
        if self.number.is_empty() { self.id.code() } else { self.number.clone() }
    }
}

/// Returns a person's day.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn today(store: &Store, lang: Lang, now: Now) -> Result<Today, NotebookError> {
    of(store, status(store, now)?, lang, now)
}

/// Returns the day of a person of whom is known how things stand.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn of(store: &Store, status: Status, lang: Lang, now: Now) -> Result<Today, NotebookError> {
    let day = now.wall.day(status.zone);
    let (mut jobs, later) = jobs(store, day, lang)?;
    jobs.sort_by_key(|job| (job.rank.min(RANK_NOT_BEGUN), job.from.is_none(), job.from, job.rank, job.id));
    let drafts = drafts(store, lang)?;
    let reviews = waiting(store, now)?;
    let next = advice::advice(&status, &jobs, &drafts, reviews.len());
    Ok(Today { day, status, jobs, later, drafts, reviews, next })
}

/// Jobs from this rank on are not begun: their time alone orders them.
const RANK_NOT_BEGUN: usize = 4;

fn jobs(store: &Store, day: Day, lang: Lang) -> Result<(Vec<Visit>, usize), NotebookError> {
    let (mut jobs, mut later) = (Vec::new(), 0);
    for id in in_states(store, number::JOB, &TO_DO)? {
        let Some(document) = store.document(id)? else { continue };
        if !is_for_me(store, &document)? {
            continue;
        }
        let Some(visit) = visit(store, &document, lang)? else { continue };
        let zone = store.identity().enrolment.zone;
        let is_later = visit.from.is_some_and(|from| from.day(zone) > day);
        if is_later && visit.rank >= RANK_NOT_BEGUN {
            later += 1;
        } else {
            jobs.push(visit);
        }
    }
    Ok((jobs, later))
}

/// A job is for whoever goes; one that was handed over is for the colleague, not for whom it was given to before.
fn is_for_me(store: &Store, document: &Document) -> Result<bool, NotebookError> {
    let staff = store.identity().enrolment.staff;
    let assigned = rows::value(&JOB, document, "assignee") == Some(Value::Ref(Target::Doc(staff)));
    Ok(match document.state {
        at::HANDED_OVER => !assigned && state::is_named(store, document)?,
        _ => state::concerns_me(store, &JOB, document),
    })
}

fn visit(store: &Store, document: &Document, lang: Lang) -> Result<Option<Visit>, NotebookError> {
    let Some(state) = state::of(&JOB, document) else { return Ok(None) };
    let Some(rank) = TO_DO.iter().position(|state| *state == document.state) else { return Ok(None) };
    let instant = |name| match rows::value(&JOB, document, name) {
        Some(Value::Int(ms)) => Some(Ts(ms)),
        _ => None,
    };
    let name = |field| match rows::value(&JOB, document, field) {
        Some(Value::Ref(Target::Doc(id))) => show::name(store, id),
        Some(Value::Ref(Target::Text(text))) => Ok(text),
        _ => Ok(String::new()),
    };
    let line = list::line(store, &JOB, document, lang)?;
    Ok(Some(Visit {
        id: document.id,
        number: line.number,
        state,
        customer: name("customer")?,
        site: name("site")?,
        title: line.title,
        from: instant("planned_from"),
        to: instant("planned_to"),
        step: next_step(document.state),
        rank,
    }))
}

/// Returns what one does with a job in that state.
fn next_step(state: Index) -> &'static str {
    match state {
        at::OFFERED => "accept",
        at::ACCEPTED | at::EN_ROUTE => "arrive",
        at::ON_SITE => "start",
        at::PAUSED => "resume",
        at::HANDED_OVER => "take",
        _ => "finish",
    }
}

/// Sheets of one kind that are looked through for drafts, the newest.
const SEEN_MAX: usize = 300;
/// Drafts that a day has at most.
const DRAFTS_MAX: usize = 20;

/// Returns a person's newest sheets that are not sealed.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn drafts(store: &Store, lang: Lang) -> Result<Vec<list::Line>, NotebookError> {
    let mut drafts = Vec::new();
    for kind in KINDS.iter().copied().filter(|kind| takes(number::SHEET, kind.number)) {
        let (mut seen, mut found) = (0, Vec::new());
        store.each_entry(Some(kind.number), &mut |entry| {
            seen += 1;
            if entry.whole && entry.state == sheet_machine::DRAFT {
                found.push(entry.id);
            }
            let enough = seen == SEEN_MAX || found.len() == DRAFTS_MAX;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        for id in found {
            let Some(document) = store.document(id)? else { continue };
            if state::is_mine(store, kind, &document)? {
                drafts.push(list::line(store, kind, &document, lang)?);
            }
        }
    }
    drafts.sort_by_key(|line| std::cmp::Reverse((line.created, line.id)));
    drafts.truncate(DRAFTS_MAX);
    Ok(drafts)
}

fn in_states(store: &Store, kind: u16, states: &[Index]) -> Result<Vec<DocId>, StoreError> {
    let mut found = Vec::new();
    store.each_entry(Some(kind), &mut |entry| {
        if entry.whole && states.contains(&entry.state) {
            found.push(entry.id);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
