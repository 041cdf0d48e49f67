//! The trip summary of a half-month: built from sheets, legs and jobs; the person only corrects.
//!
//! Before its submission a summary holds nothing but what he wrote: the rest is built anew each time it is looked at,
//! so that a later sheet joins it and no correction is undone. The submission writes the days down.

pub mod build;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use records::decision::DECISION_TAG;
use records::id::DocId;
use records::kinds::job::{Assignee, Instructions, JOB, JobPlace};
use records::kinds::sheet::{Legs, Place, Problem as Told, Work as Done};
use records::kinds::trip::{TRIP, TripDays, TripOf, TripSheets};
use records::kinds::{job_machine, number, trip_machine};
use records::machine::State;
use records::policy::cycle::HalfMonth;
use records::record::Record;
use records::time::Day;
use records::value::text::Lang;
use records::value::{Ref, Row, Target, Text};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::add::{self, Entry};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::{Pair, value};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::state::{self, Taken};
use crate::notebook::trip::build::{BuiltDay, Stop};
use crate::notebook::typed::{self, Writes};
use crate::notebook::work::{self, Work};
use crate::notebook::{list, registers, rows, show};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::On;

/// A trip summary as it reads now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Of which half-month.
    pub half: HalfMonth,
    /// Its document; `None` before anything was written.
    pub id: Option<DocId>,
    /// Where it is.
    pub state: &'static State,
    /// The days, built and corrected.
    pub days: BTreeMap<Day, BuiltDay>,
    /// The legs, from sheets and its own.
    pub legs: Vec<Legs>,
    /// What the person wrote, by day.
    pub written: BTreeMap<Day, TripDays>,
}

/// Returns the summary of a half-month, saved or not.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn summary(store: &Store, half: HalfMonth, lang: Lang) -> Result<Summary, NotebookError> {
    let own = own(store, half)?;
    let state = own.as_ref().and_then(|document| state::of(&TRIP, document));
    let closed = own.as_ref().is_some_and(|document| !trip_machine::TRIP.opens(document.state));
    let record = own.as_ref().map(|document| rows::record(&TRIP, document));
    let written: Vec<TripDays> = record.as_ref().map(Record::all).unwrap_or_default();
    let mut legs: Vec<Legs> = record.as_ref().map(Record::all).unwrap_or_default();
    let zone = store.identity().enrolment.zone;
    // What was handed in stays as it was read.
    let sheets = record.as_ref().filter(|_| closed).map(sheets_of);
    let works = match &sheets {
        Some(sheets) => named(store, sheets)?,
        None => work::between(store, half.first(), half.last())?,
    };
    legs.extend(works.iter().flat_map(|work| work.record.all::<Legs>()));
    let mut stops = Vec::new();
    for work in &works {
        stops.extend(stops_of(store, work, lang)?);
    }
    if !closed {
        stops.extend(jobs(store, half, &works, lang)?);
    }
    let days = build::build(half, &stops, &legs, &written, zone);
    let written = written.into_iter().filter_map(|row| Some((row.date?, row))).collect();
    let state = state.or(trip_machine::TRIP.states.first()).ok_or(StoreError::Unordered)?;
    Ok(Summary { half, id: own.map(|document| document.id), state, days, legs, written })
}

fn sheets_of(record: &Record) -> BTreeSet<DocId> {
    let rows = record.all::<TripSheets>().into_iter();
    rows.filter_map(|row| match row.sheet?.0 {
        Target::Doc(id) => Some(id),
        Target::Text(_) => None,
    })
    .collect()
}

fn named(store: &Store, sheets: &BTreeSet<DocId>) -> Result<Vec<Work>, StoreError> {
    let people = crate::notebook::people::People::read(store)?;
    let works = sheets.iter().map(|id| work::read(store, *id, &people)).collect::<Result<Vec<_>, _>>()?;
    Ok(works.into_iter().flatten().collect())
}

/// Returns this person's summary of a half-month. Of two that were begun on two devices the one that went further
/// counts, then the one that was begun first.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn own(store: &Store, half: HalfMonth) -> Result<Option<Document>, StoreError> {
    let me = store.identity().enrolment.staff;
    let mut found: Option<Document> = None;
    store.each(Some(number::TRIP), &mut |document| {
        let of = rows::record(&TRIP, &document).get::<TripOf>().unwrap_or_default();
        let mine = of.staff == Some(Ref(Target::Doc(me)));
        if mine && of.half.is_some_and(|text| text.0 == half.to_string()) {
            let rank =
                |document: &Document| (document.state == trip_machine::DRAFT, document.created, document.id);
            if found.as_ref().is_none_or(|other| rank(&document) < rank(other)) {
                found = Some(document);
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Returns this person's summary of a half-month, begun now where there is none.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn kept(store: &mut Store, half: HalfMonth, now: Now) -> Result<DocId, NotebookError> {
    if let Some(document) = own(store, half)? {
        return Ok(document.id);
    }
    let ids = store.save(begun(store, half).into_ops(&TRIP, On::Create), now)?;
    Ok(DocId(ids.first().copied().ok_or(StoreError::Unordered)?))
}

fn begun(store: &Store, half: HalfMonth) -> Writes {
    let enrolment = &store.identity().enrolment;
    let mut writes = Writes::default();
    writes.single(typed::register(&TripOf {
        staff: Some(Ref(Target::Doc(enrolment.staff))),
        unit: Some(Ref(Target::Doc(enrolment.unit))),
        half: Some(Text(half.to_string())),
    }));
    writes
}

fn stops_of(store: &Store, work: &Work, lang: Lang) -> Result<Vec<Stop>, StoreError> {
    let record = &work.record;
    let at = record.get::<Place>().unwrap_or_default();
    let (customer, site) = (at.customer.map(|of| of.0), at.site.map(|of| of.0));
    let told = record.get::<Told>().and_then(|group| group.problem);
    let done = record.get::<Done>().and_then(|group| group.work_done);
    let words = told.or(done).map(|text| text.0).unwrap_or_default();
    let stop = Stop {
        day: Day::default(),
        place: place(store, site.as_ref().or(customer.as_ref()))?,
        customer,
        site,
        purpose: purpose(lang.pick(record.kind.zh, record.kind.en), &words),
        sheet: Some(record.id),
    };
    Ok(work.days.iter().map(|day| Stop { day: *day, ..stop.clone() }).collect())
}

/// The characters of a sheet's own words that a purpose takes over.
const PURPOSE_CHARS_MAX: usize = 60;

fn purpose(kind: &str, words: &str) -> String {
    let line: String =
        words.lines().next().unwrap_or_default().trim().chars().take(PURPOSE_CHARS_MAX).collect();
    if line.is_empty() { kind.to_owned() } else { format!("{kind}：{line}") }
}

fn place(store: &Store, target: Option<&Target>) -> Result<String, StoreError> {
    match target {
        Some(Target::Doc(id)) => show::name(store, *id),
        Some(Target::Text(text)) => Ok(text.clone()),
        None => Ok(String::new()),
    }
}

/// Jobs on which the person arrived, where no sheet tells of that day.
fn jobs(store: &Store, half: HalfMonth, works: &[Work], lang: Lang) -> Result<Vec<Stop>, StoreError> {
    let (me, zone) = (store.identity().enrolment.staff, store.identity().enrolment.zone);
    let told: BTreeSet<Day> = works.iter().flat_map(|work| work.days.iter().copied()).collect();
    let mut visited = Vec::new();
    store.each(Some(number::JOB), &mut |document| {
        let record = rows::record(&JOB, &document);
        let assignee = record.get::<Assignee>().and_then(|group| group.assignee);
        if document.state >= job_machine::ON_SITE && assignee == Some(Ref(Target::Doc(me))) {
            visited.push(record);
        }
        ControlFlow::Continue(())
    })?;
    let mut stops = Vec::new();
    for record in visited {
        let at = record.get::<JobPlace>().unwrap_or_default();
        let (customer, site) = (at.customer.map(|of| of.0), at.site.map(|of| of.0));
        let words = record.get::<Instructions>().and_then(|group| group.instructions);
        for day in arrivals(store, record.id)?.into_iter().map(|ts| ts.day(zone)) {
            if (half.first()..=half.last()).contains(&day) && !told.contains(&day) {
                stops.push(Stop {
                    day,
                    place: place(store, site.as_ref().or(customer.as_ref()))?,
                    customer: customer.clone(),
                    site: site.clone(),
                    purpose: purpose(lang.pick(JOB.zh, JOB.en), words.as_ref().map_or("", |text| &text.0)),
                    sheet: None,
                });
            }
        }
    }
    Ok(stops)
}

fn arrivals(store: &Store, job: DocId) -> Result<Vec<records::time::Ts>, StoreError> {
    let arrive = job_machine::JOB.step("arrive").map(|(index, _)| index);
    let ops = store.ops(job)?;
    let arrived = ops.iter().filter(|op| {
        let decision = op.row.write(DECISION_TAG).and_then(state::decision);
        decision.is_some_and(|decision| Some(decision.step) == arrive)
    });
    Ok(arrived.map(|op| list::created(op.row.stamp)).collect())
}

/// Corrects a day of a half-month's summary, and returns the op once it is saved.
///
/// # Errors
/// W-01, W-02; W-43 where the day is outside the half-month; W-44 where the summary was handed in already.
pub fn set(
    store: &mut Store,
    half: HalfMonth,
    day: Day,
    pairs: &[Pair],
    now: Now,
) -> Result<Changed, NotebookError> {
    if !(half.first()..=half.last()).contains(&day) {
        return Err(Refusal::by("W-43").with("day", day.to_string()).with("half", half.to_string()).into());
    }
    let own = own(store, half)?;
    open(own.as_ref())?;
    let old = own.iter().flat_map(typed::standing::<TripDays>).find(|(row, _)| row.date == Some(day));
    let (row, name) = old.map_or_else(|| (TripDays::default(), None), |(row, name)| (row, Some(name)));
    let row = corrected(store, &TripDays { date: Some(day), ..row }, pairs)?;
    let mut writes = own.as_ref().map_or_else(|| begun(store, half), |_| Writes::default());
    writes.remove::<TripDays>(name);
    writes.add(&row);
    save(store, own.as_ref(), writes, now)
}

fn corrected(store: &Store, row: &TripDays, pairs: &[Pair]) -> Result<TripDays, NotebookError> {
    use records::schema::Typed;
    let zone = store.identity().enrolment.zone;
    let group = TripDays::GROUP;
    let mut values: Row = typed::row(row);
    for pair in pairs {
        let fields = group.fields.iter().zip(&mut values).filter(|(field, _)| field.name != "date");
        let found = fields.into_iter().find(|(field, _)| field.name == pair.name);
        let Some((field, place)) = found else {
            return Err(registers::unknown(&TRIP, &pair.name).into());
        };
        *place = match value(field, &pair.value, zone)? {
            Some(value) => Some(find::link(store, field.ty, value)?),
            None => None,
        };
    }
    let bytes = records::value::encode(group.fields, &values);
    postcard::from_bytes(&bytes).map_err(|_| StoreError::Unordered.into())
}

/// Adds a leg, a note or a tag to a half-month's summary, and returns the op once it is saved.
///
/// # Errors
/// W-01, W-02; W-44 where the summary was handed in already.
pub fn add(store: &mut Store, half: HalfMonth, entry: Entry, now: Now) -> Result<Changed, NotebookError> {
    let own = own(store, half)?;
    if entry.list == "leg" {
        open(own.as_ref())?;
    } else if !["note", "tag"].contains(&entry.list.as_str()) {
        return Err(Refusal::by("W-01")
            .case("list")
            .with("list", entry.list)
            .with("kind", TRIP.name)
            .with("lists", "leg, note, tag")
            .into());
    }
    let mut writes = own.as_ref().map_or_else(|| begun(store, half), |_| Writes::default());
    for write in add::writes(store, &TRIP, own.as_ref(), &[entry], now)? {
        writes.single(write);
    }
    save(store, own.as_ref(), writes, now)
}

/// Hands a half-month's summary in, with the days as they read now, and returns the op once it is saved.
///
/// # Errors
/// W-45 where there is no day in it; what [`state::decide`] refuses.
pub fn submit(store: &mut Store, half: HalfMonth, lang: Lang, now: Now) -> Result<Changed, NotebookError> {
    let summary = summary(store, half, lang)?;
    if summary.days.is_empty() {
        return Err(Refusal::by("W-45").with("half", half.to_string()).into());
    }
    let id = kept(store, half, now)?;
    let document = store.document(id)?.ok_or(StoreError::NoDocument(id))?;
    let mut writes = Writes::default();
    writes.single(state::decide(store, &TRIP, &document, &Taken { step: "submit", ..Taken::default() })?);
    let old: BTreeMap<Day, _> = typed::standing::<TripDays>(&document)
        .into_iter()
        .filter_map(|(row, name)| Some((row.date?, (row, name))))
        .collect();
    for (day, built) in &summary.days {
        let before = old.get(day);
        if before.is_none_or(|(row, _)| *row != built.row) {
            writes.remove::<TripDays>(before.map(|(_, name)| *name));
            writes.add(&built.row);
        }
    }
    sheets(&mut writes, &document, &summary);
    save(store, Some(&document), writes, now)
}

/// Names the sheets of each day; those that fell away meanwhile are taken out.
fn sheets(writes: &mut Writes, document: &Document, summary: &Summary) {
    let days = summary.days.iter();
    let mut wanted: BTreeMap<DocId, Day> =
        days.rev().flat_map(|(day, built)| built.sheets.iter().map(|id| (*id, *day))).collect();
    for (row, name) in typed::standing::<TripSheets>(document) {
        let sheet = match row.sheet {
            Some(Ref(Target::Doc(id))) => Some(id),
            _ => None,
        };
        match sheet.and_then(|id| wanted.get(&id).map(|day| (id, *day))) {
            Some((id, day)) if row.date == Some(day) => {
                wanted.remove(&id);
            }
            _ => writes.remove::<TripSheets>([name]),
        }
    }
    for (id, day) in wanted {
        writes.add(&TripSheets { date: Some(day), sheet: Some(Ref(Target::Doc(id))) });
    }
}

/// Takes a summary back that nobody has signed, and returns the op once it is saved.
///
/// # Errors
/// W-46 where there is none; what [`state::decide`] refuses.
pub fn withdraw(store: &mut Store, half: HalfMonth, now: Now) -> Result<Changed, NotebookError> {
    let document = own(store, half)?.ok_or_else(|| Refusal::by("W-46").with("half", half.to_string()))?;
    let mut writes = Writes::default();
    writes.single(state::decide(store, &TRIP, &document, &Taken { step: "withdraw", ..Taken::default() })?);
    save(store, Some(&document), writes, now)
}

/// Returns of which half-month a summary is and where it stands; `None` where it is not here.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn brief(store: &Store, id: DocId) -> Result<Option<(String, &'static State)>, StoreError> {
    let document = store.document(id)?.filter(|document| document.kind == number::TRIP);
    Ok(document.and_then(|document| {
        let half = rows::record(&TRIP, &document).get::<TripOf>()?.half?.0;
        Some((half, state::of(&TRIP, &document)?))
    }))
}

/// Returns the half-month that a word names: itself, or a summary's.
///
/// # Errors
/// W-02 where it is neither; what [`find::document`] refuses.
pub fn half(store: &Store, text: &str) -> Result<HalfMonth, NotebookError> {
    if let Ok(half) = text.parse() {
        return Ok(half);
    }
    let wrong = || Refusal::by("W-02").case("half").with("field", "half").with("value", text);
    let (document, _) = find::document(store, text, Wanted::Kind(number::TRIP)).map_err(|_| wrong())?;
    let of = rows::record(&TRIP, &document).get::<TripOf>().unwrap_or_default();
    let mine = of.staff == Some(Ref(Target::Doc(store.identity().enrolment.staff)));
    let half = of.half.filter(|_| mine).and_then(|half| half.0.parse().ok());
    half.ok_or_else(|| wrong().into())
}

fn open(document: Option<&Document>) -> Result<(), Refusal> {
    let Some(document) = document.filter(|document| !trip_machine::TRIP.opens(document.state)) else {
        return Ok(());
    };
    let (zh, en) = state::of(&TRIP, document).map_or(("", ""), |state| (state.zh, state.en));
    Err(Refusal::by("W-44").with("code", document.id.code()).label("state", zh, en))
}

fn save(
    store: &mut Store,
    document: Option<&Document>,
    writes: Writes,
    now: Now,
) -> Result<Changed, NotebookError> {
    let on = document.map_or(On::Create, |document| On::Document(document.id));
    let ids = store.save(writes.into_ops(&TRIP, on), now)?;
    let last = ids.last().copied();
    let id = document.map(|document| document.id).or_else(|| ids.first().copied().map(DocId));
    Ok(Changed { id: id.ok_or(StoreError::Unordered)?, op: last })
}
