//! A half-month's claim out of the vouchers that were captured: begun, and later grown by what is new.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::checks::is_travel;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim::{CLAIM, Claimant, CostOwner, LineSheets, Lines, Placed, Trips};
use records::kinds::claim_machine;
use records::kinds::exception::ExceptionKind;
use records::kinds::voucher::{Category, VOUCHER};
use records::money::Fen;
use records::policy::cycle::HalfMonth;
use records::policy::{age, choices::AgeAction, terms::Policy};
use records::problems::Problem;
use records::schema::Typed;
use records::time::Day;
use records::value::payload::rows_at;
use records::value::{Count, Ref, Target, Text, Value};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::claim::gather::{Standing, gather};
use crate::notebook::claim::paper::{self, Paper};
use crate::notebook::claim::{facts, places};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::state::{self, Taken};
use crate::notebook::terms::Terms;
use crate::notebook::typed::{self, Writes};
use crate::notebook::{trip, work};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// Which claim to draw up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The half-month.
    pub half: HalfMonth,
    /// Earlier half-months whose expenses ride along while they are young enough.
    pub also: Vec<HalfMonth>,
    /// Who bears the cost: the two never share a claim.
    pub cost_owner: CostOwner,
    /// Whether a claim without a voucher is begun too.
    pub empty: bool,
}

/// What was drawn up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The claim.
    pub id: DocId,
    /// Whether it was begun now.
    pub created: bool,
    /// The lines that are new or have grown.
    pub lines: Vec<u32>,
    /// How many vouchers were placed.
    pub vouchers: usize,
    /// The trip summaries that were added.
    pub trips: Vec<DocId>,
    /// Vouchers of these days that stayed out.
    pub left_out: Vec<LeftOut>,
}

/// A voucher that stayed out of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub voucher: DocId,
    /// Why.
    pub why: Why,
}

/// Why a voucher stayed out of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Something is missing on it.
    Unfinished(Vec<Problem>),
    /// It is too old, since this day.
    Expired(Day),
    /// Its currency is not the policy's.
    Currency(String),
    /// It is a refund: it belongs to an adjustment, which a person writes.
    Refund(Fen),
    /// A person took it off this claim.
    TakenOut,
}

/// Draws up the claim of a half-month, or adds to the one that is open what is new; returns once it is saved.
///
/// What a person wrote, changed or took out stays as he left it.
///
/// # Errors
/// W-47 where there is nothing to claim; [`NotebookError::Store`].
pub fn draft(store: &mut Store, request: &Draft, now: Now) -> Result<Drafted, NotebookError> {
    let found = find(store, request, now)?;
    if found.open.is_none() && found.papers.is_empty() && !request.empty {
        return Err(nothing(request, &found.left_out).into());
    }
    let (first, last) = span(request);
    let days = days_between(store, first, last)?;
    let documents: Vec<&Document> = found.papers.iter().map(|(document, _)| document).collect();
    let papers: Vec<Paper> = found.papers.iter().map(|(_, paper)| paper.clone()).collect();
    let open = found.open.as_ref();
    let standing = open.map(|(document, _)| standing(document)).unwrap_or_default();
    let grown = gather(&papers, &standing, &days, found.next);

    let mut writes = Writes::default();
    if open.is_none() {
        writes.single(typed::register(&claimant(store, request)));
    }
    for (n, line) in &grown {
        let old = open.and_then(|(document, _)| line_name(document, *n));
        writes.remove::<Lines>(old);
        writes.add(&line.line);
        for id in &line.vouchers {
            papers.iter().filter(|paper| paper.id == *id).for_each(|paper| writes.add(&paper.placed(*n)));
        }
        for sheet in &line.sheets {
            writes.add(&LineSheets { line: Some(Count(*n)), sheet: Some(Ref(sheet.clone())) });
        }
    }
    let lines = grown.values().map(|grown| &grown.line);
    let trips = trips(store, open.map(|(_, claim)| claim), lines, now)?;
    trips.iter().for_each(|id| writes.add(&Trips { trip: Some(Ref(Target::Doc(*id))) }));

    let on = open.map_or(On::Create, |(document, _)| On::Document(document.id));
    let mut ops = writes.into_ops(&CLAIM, on);
    for document in &documents {
        ops.push(step(store, document, "place")?);
    }
    let ids = store.save(ops, now)?;
    let id = open.map(|(document, _)| document.id).or_else(|| ids.first().copied().map(DocId));
    Ok(Drafted {
        id: id.ok_or(StoreError::Unordered)?,
        created: open.is_none(),
        lines: grown.keys().copied().collect(),
        vouchers: documents.len(),
        trips,
        left_out: found.left_out,
    })
}

/// Returns the op that takes a step with a voucher, to be saved with the claim that it stands on.
///
/// # Errors
/// What [`state::decide`] refuses.
pub fn step(store: &Store, voucher: &Document, name: &str) -> Result<NewOp, NotebookError> {
    let taken = Taken { step: name, ..Taken::default() };
    Ok(NewOp {
        kind: VOUCHER.number,
        schema: VOUCHER.schema,
        on: On::Document(voucher.id),
        writes: vec![state::decide(store, &VOUCHER, voucher, &taken)?],
        local: None,
    })
}

struct Found {
    open: Option<(Document, Claim)>,
    next: u32,
    papers: Vec<(Document, Paper)>,
    left_out: Vec<LeftOut>,
}

/// Returns the sheets of a day.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn days_of(store: &Store, day: Option<Day>) -> Result<BTreeMap<Day, BTreeSet<DocId>>, StoreError> {
    day.map_or_else(|| Ok(BTreeMap::new()), |day| days_between(store, day, day))
}

fn days_between(store: &Store, first: Day, last: Day) -> Result<BTreeMap<Day, BTreeSet<DocId>>, StoreError> {
    let mut days: BTreeMap<Day, BTreeSet<DocId>> = BTreeMap::new();
    for work in work::between(store, first, last)? {
        for day in &work.days {
            days.entry(*day).or_default().insert(work.record.id);
        }
    }
    Ok(days)
}

fn span(request: &Draft) -> (Day, Day) {
    let halves = || request.also.iter().chain([&request.half]);
    let first = halves().map(|half| half.first()).min().unwrap_or(request.half.first());
    let last = halves().map(|half| half.last()).max().unwrap_or(request.half.last());
    (first, last)
}

fn find(store: &Store, request: &Draft, now: Now) -> Result<Found, NotebookError> {
    let in_force = Terms::read(store)?.in_force;
    let today = now.wall.day(store.identity().enrolment.zone);
    let claims = super::mine(store)?;
    let taken = places(&claims);
    let open = claims
        .into_iter()
        .filter(|(_, claim)| claim.half == Some(request.half) && claim.cost_owner == request.cost_owner)
        .filter(|(document, _)| claim_machine::CLAIM.opens(document.state))
        // A claim that is being written comes before one that was sent back.
        .min_by_key(|(document, _)| document.state);
    let ever = open.as_ref().map(|(document, _)| ever(store, document)).transpose()?.unwrap_or_default();
    let excused = facts::excused(store, ExceptionKind::LATE_LINE)?;
    let policy = in_force.policy(today);
    let mut found =
        Found { open, next: ever.line.saturating_add(1), papers: Vec::new(), left_out: Vec::new() };
    let fits = |paper: &Paper| {
        let apart = paper.category == Some(Category::NON_SERVICE);
        let halves = || request.also.iter().chain([&request.half]);
        let inside = |day: Day| halves().any(|half| (half.first()..=half.last()).contains(&day));
        apart == (request.cost_owner == CostOwner::NON_SERVICE) && paper.date.is_some_and(inside)
    };
    for (document, paper) in paper::captured(store)? {
        if !fits(&paper) || taken.contains_key(&paper.id) {
            continue;
        }
        let expired = || last_day(&paper, today, policy, &in_force.calendar);
        let why = match stays_out(&paper, policy) {
            None if ever.vouchers.contains(&paper.id) => Some(Why::TakenOut),
            None if !excused.contains(&paper.id) => expired().map(Why::Expired),
            why => why,
        };
        match why {
            Some(why) => found.left_out.push(LeftOut { voucher: paper.id, why }),
            None => found.papers.push((document, paper)),
        }
    }
    Ok(found)
}

/// Returns why a voucher cannot stand on a line, whatever the claim.
#[must_use]
pub fn stays_out(paper: &Paper, policy: &Policy) -> Option<Why> {
    let amount = paper.amount.unwrap_or_default();
    if amount < Fen(0) {
        return Some(Why::Refund(amount));
    }
    let mut open = paper.open.clone();
    // An import may leave the category open; a line needs one.
    if paper.category.is_none() && open.iter().all(|problem| problem.field != "category") {
        open.push(Problem { rule: "V-03", group: "category", field: "category", facts: Vec::new() });
    }
    if !open.is_empty() {
        return Some(Why::Unfinished(open));
    }
    let other = !paper.currency.is_empty() && paper.currency != policy.currency;
    other.then(|| Why::Currency(paper.currency.clone()))
}

/// Returns the last day of a voucher that is too old today, where the policy refuses such lines.
fn last_day(
    paper: &Paper,
    today: Day,
    policy: &Policy,
    calendar: &records::policy::calendar::Calendar,
) -> Option<Day> {
    let last_day = age::expiry(paper.date?, policy, calendar).last_day;
    (policy.age.action == AgeAction::BlockLine && today > last_day).then_some(last_day)
}

/// What a claim ever held: a number is not given to another line, and what was taken out does not come back by itself.
#[derive(Debug, Default)]
pub struct Ever {
    /// The highest line number.
    pub line: u32,
    /// The vouchers.
    pub vouchers: BTreeSet<DocId>,
}

/// Returns what a claim ever held.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn ever(store: &Store, document: &Document) -> Result<Ever, StoreError> {
    let mut ever = Ever::default();
    for op in store.ops(document.id)? {
        for write in &op.row.writes {
            let rows = |group| rows_at(group, op.row.schema, &write.bytes).unwrap_or_default();
            if write.tag == Lines::GROUP.tag() {
                for row in rows(&Lines::GROUP) {
                    if let Some(Some(Value::Int(n))) = row.first() {
                        ever.line = ever.line.max(u32::try_from(*n).unwrap_or(0));
                    }
                }
            } else if write.tag == Placed::GROUP.tag() {
                for row in rows(&Placed::GROUP) {
                    if let Some(Some(Value::Ref(Target::Doc(id)))) = row.get(1) {
                        ever.vouchers.insert(*id);
                    }
                }
            }
        }
    }
    Ok(ever)
}

/// Returns the lines of a claim with what stands on them.
#[must_use]
pub fn standing(document: &Document) -> Vec<Standing> {
    let placed = typed::standing::<Placed>(document);
    let sheets = typed::standing::<LineSheets>(document);
    let of = |line: Lines| {
        let here = placed.iter().filter(|(row, _)| row.line == line.line);
        let support = here.fold(0_i64, |sum, (row, _)| sum.saturating_add(row.amount.unwrap_or_default().0));
        let sheets = sheets.iter().filter(|(row, _)| row.line == line.line);
        let sheets = sheets.filter_map(|(row, _)| Some(row.sheet.clone()?.0)).collect();
        Standing { line, support: Fen(support), sheets }
    };
    typed::standing::<Lines>(document).into_iter().map(|(line, _)| of(line)).collect()
}

/// Returns the name of the element that holds a line.
#[must_use]
pub fn line_name(document: &Document, n: u32) -> Option<(records::id::OpId, u32)> {
    let lines = typed::standing::<Lines>(document).into_iter();
    lines.filter(|(row, _)| row.line == Some(Count(n))).map(|(_, name)| name).next()
}

fn claimant(store: &Store, request: &Draft) -> Claimant {
    let enrolment = &store.identity().enrolment;
    Claimant {
        staff: Some(Ref(Target::Doc(enrolment.staff))),
        unit: Some(Ref(Target::Doc(enrolment.unit))),
        half: Some(Text(request.half.to_string())),
        cost_owner: Some(request.cost_owner),
    }
}

/// Returns the trip summaries that the claim needs and does not name yet; one that is not there is begun.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn trips<'l>(
    store: &mut Store,
    claim: Option<&Claim>,
    lines: impl Iterator<Item = &'l Lines>,
    now: Now,
) -> Result<Vec<DocId>, NotebookError> {
    let travel = lines.filter(|line| line.category.is_some_and(is_travel) && line.adjusts.is_none());
    let mut halves: BTreeSet<HalfMonth> =
        travel.filter_map(|line| HalfMonth::of(line.trip_day.or(line.date)?)).collect();
    halves.extend(claim.iter().flat_map(|claim| records::claim::checks::halves_of(claim)));
    let named = claim.map(|claim| claim.trips.clone()).unwrap_or_default();
    let mut trips = Vec::new();
    for half in halves {
        let id = trip::kept(store, half, now)?;
        if !named.contains(&id) {
            trips.push(id);
        }
    }
    Ok(trips)
}

impl LeftOut {
    /// Returns what speaks against the voucher, each with its code.
    fn points(&self) -> Vec<Problem> {
        let point = |rule| Problem::new(rule, "voucher", "");
        let points = match &self.why {
            Why::Unfinished(points) => points.clone(),
            Why::Expired(day) => vec![point("B5").fact("last_day", day.to_string())],
            Why::Currency(currency) => vec![point("V-08").fact("currency", currency)],
            Why::Refund(amount) => vec![point("B9").fact("amount", amount.to_string())],
            Why::TakenOut => Vec::new(),
        };
        let named = |point: Problem| point.fact("of", self.voucher.code());
        points.into_iter().map(named).collect()
    }
}

/// The refusal of a claim without vouchers (W-47), saying what each lacks that stayed out.
fn nothing(request: &Draft, left_out: &[LeftOut]) -> Refusal {
    let points = left_out.iter().flat_map(LeftOut::points);
    let refusal = Refusal { points: points.collect(), ..Refusal::by("W-47") };
    let case = if left_out.is_empty() { "" } else { "left_out" };
    refusal.case(case).with("half", request.half.to_string()).with("n", left_out.len().to_string())
}
