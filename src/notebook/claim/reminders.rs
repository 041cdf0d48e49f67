//! What a person should not forget about his money: what expires, what is due, where his claims are.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use records::claim::clocks::{self, Clock};
use records::claim::facts::Facts;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::case::{About, CASE};
use records::kinds::claim_machine as at;
use records::kinds::trip::{TRIP, TripOf};
use records::kinds::{case_machine, number, trip_machine};
use records::machine::State;
use records::money::Fen;
use records::policy::age;
use records::policy::cycle::HalfMonth;
use records::policy::dispatch::{self, Dispatch};
use records::time::Day;

use crate::clock::Now;
use crate::notebook::claim::check::judged;
use crate::notebook::claim::facts::Beside;
use crate::notebook::claim::paper::{Known, Paper};
use crate::notebook::claim::{mine, paper, way};
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows;
use crate::notebook::terms::Terms;
use crate::store::Store;
use crate::store::error::StoreError;

/// An expense is called to mind from so many days before its last one.
///
/// Source: docs/RULES.md P-17.
pub const EXPIRING_DAYS: i32 = 7;

/// A mailing is called to mind from so many days before it.
pub const MAILING_DAYS: i32 = 5;

/// A payment is told for so many days.
const PAID_TOLD_DAYS: i32 = 30;

/// What a person should not forget about his money.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reminders {
    /// His claims on their way, those that were sent back first; of paid ones those of the last 30 days.
    pub claims: Vec<OnItsWay>,
    /// Vouchers that are not submitted and soon too old, the most urgent first.
    pub expiring: Vec<Expiring>,
    /// Vouchers that are too old already and stand on no submitted claim.
    pub expired: usize,
    /// The next mailing, where something waits for it.
    pub next: Option<Next>,
    /// Half-months that are over, with vouchers that no submitted claim holds: how many, and their sum.
    pub ready: BTreeMap<HalfMonth, (usize, Fen)>,
    /// Trip summaries that were sent back or reopened.
    pub trips: Vec<(DocId, String, &'static State)>,
    /// Confirmed cases that he may still appeal against, and until when.
    pub cases: Vec<(DocId, Option<Day>)>,
    /// What is on its way to him.
    pub coming: Fen,
    /// What was paid in the last 30 days.
    pub paid: Fen,
}

/// A claim on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnItsWay {
    /// Which.
    pub id: DocId,
    /// Its number; `None` before it has one.
    pub number: Option<String>,
    /// Of which half-month.
    pub half: Option<HalfMonth>,
    /// Where it is.
    pub state: &'static State,
    /// Since when.
    pub since: Option<Day>,
    /// What was claimed.
    pub claimed: Fen,
    /// What will be paid.
    pub payable: Fen,
    /// The clock that runs now.
    pub clock: Option<Clock>,
    /// The last day on which it is paid when everybody takes his whole time.
    pub paid_by: Option<Day>,
    /// When it was paid.
    pub paid_on: Option<Day>,
}

/// A voucher that is soon too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// Which.
    pub voucher: DocId,
    /// What was spent.
    pub amount: Fen,
    /// When.
    pub date: Day,
    /// The last day on which it may be submitted.
    pub last_day: Day,
    /// Days that are left, the last one not counted: 0 is today.
    pub days_left: i32,
    /// The last mailing that can carry it.
    pub last_with: Option<Dispatch>,
}

/// The next mailing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Which.
    pub mailing: Dispatch,
    /// Days that are left.
    pub days_left: i32,
    /// Vouchers of its half-month that are on no submitted claim.
    pub vouchers: usize,
    /// Whether it is near enough to be called to mind.
    pub soon: bool,
}

/// Returns what a person should not forget.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn reminders(store: &Store, now: Now) -> Result<Reminders, NotebookError> {
    reminders_of(store, &paper::unsubmitted(store, &mut Known::default())?, now)
}

/// As [`reminders`], where the vouchers that no submitted claim holds are read already.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn reminders_of(store: &Store, papers: &[Paper], now: Now) -> Result<Reminders, NotebookError> {
    let today = now.wall.day(store.identity().enrolment.zone);
    let facts = Terms::read(store)?.facts(None, today, today);
    let mut reminders = Reminders::default();
    vouchers(papers, &facts, &mut reminders);
    claims(store, now, &mut reminders)?;
    trips(store, &mut reminders)?;
    cases(store, &facts, &mut reminders)?;
    Ok(reminders)
}

fn vouchers(papers: &[Paper], facts: &Facts, reminders: &mut Reminders) {
    let (policy, calendar, today) = (&facts.policy, &facts.calendar, facts.today);
    let next = dispatch::first_from(today, policy, calendar);
    let mut waiting = 0;
    for paper in papers {
        let (Some(date), Some(amount)) = (paper.date, paper.amount) else {
            continue;
        };
        if let Some(half) = HalfMonth::of(date).filter(|half| Some(*half) < HalfMonth::of(today)) {
            let (n, sum) = reminders.ready.entry(half).or_default();
            (*n, sum.0) = (n.saturating_add(1), sum.0.saturating_add(amount.0));
        }
        waiting += usize::from(next.as_ref().is_some_and(|next| date <= next.to));
        let last_day = age::expiry(date, policy, calendar).last_day;
        let days_left = last_day.0.saturating_sub(today.0);
        if days_left < 0 {
            reminders.expired += 1;
        } else if days_left <= EXPIRING_DAYS {
            let last_with = dispatch::last_for(date, policy, calendar);
            reminders.expiring.push(Expiring {
                voucher: paper.id,
                amount,
                date,
                last_day,
                days_left,
                last_with,
            });
        }
    }
    reminders.expiring.sort_by_key(|voucher| (voucher.last_day, voucher.date, voucher.voucher));
    reminders.next = next.filter(|_| waiting > 0).map(|mailing| {
        let days_left = mailing.due.0.saturating_sub(today.0);
        Next { mailing, days_left, vouchers: waiting, soon: days_left <= MAILING_DAYS }
    });
}

fn claims(store: &Store, now: Now, reminders: &mut Reminders) -> Result<(), NotebookError> {
    let transit = way::transit(store)?;
    let today = now.wall.day(store.identity().enrolment.zone);
    let mine = mine(store)?;
    if mine.is_empty() {
        return Ok(());
    }
    let beside = Beside::read(store)?;
    for (_, claim) in mine {
        if matches!(claim.state, at::VOID | at::CLOSED) {
            continue;
        }
        let Some(state) = at::CLAIM.states.get(usize::from(claim.state)) else {
            continue;
        };
        let facts = beside.facts(store, &[&claim], today)?;
        let clocks = clocks::clocks(&claim, &facts);
        let checked = judged(claim, &facts);
        let paid_on = way::paid_on(&checked.claim, &facts);
        if paid_on.is_some_and(|day| facts.today.0.saturating_sub(day.0) > PAID_TOLD_DAYS) {
            continue;
        }
        let paid_by = way::paid_by(&checked, &clocks, transit, &facts);
        let payable = checked.settled.payable;
        let open = at::CLAIM.opens(checked.claim.state);
        if paid_on.is_some() {
            reminders.paid.0 = reminders.paid.0.saturating_add(payable.0);
        } else if !open && checked.claim.state != at::REJECTED {
            reminders.coming.0 = reminders.coming.0.saturating_add(payable.0);
        }
        let claim = &checked.claim;
        reminders.claims.push(OnItsWay {
            id: claim.id,
            number: claim.no.clone(),
            half: claim.half,
            state,
            since: since(claim, &facts),
            claimed: checked.settled.claimed,
            payable,
            clock: clocks.into_iter().rev().find(|clock| clock.done.is_none() && !open),
            paid_by,
            paid_on,
        });
    }
    reminders.claims.sort_by_key(|claim| claim.state.name != "returned");
    Ok(())
}

/// Since when a claim is where it is: its last decision, else its submission.
fn since(claim: &Claim, facts: &Facts) -> Option<Day> {
    let zone = facts.policy.zone;
    let decided = claim.approvals.iter().map(|approval| approval.at).max();
    let submitted = claim.submission.as_ref().map(|submission| submission.at);
    decided.max(submitted).map(|at| at.day(zone))
}

fn trips(store: &Store, reminders: &mut Reminders) -> Result<(), StoreError> {
    let me = store.identity().enrolment.staff;
    store.each(Some(number::TRIP), &mut |document| {
        let of = rows::record(&TRIP, &document).get::<TripOf>().unwrap_or_default();
        let mine = of.staff.as_ref().and_then(records::value::Ref::doc) == Some(me);
        let back = [trip_machine::RETURNED, trip_machine::REOPENED].contains(&document.state);
        if let Some(state) = trip_machine::TRIP.states.get(usize::from(document.state))
            && mine
            && back
        {
            reminders.trips.push((document.id, of.half.unwrap_or_default().0, state));
        }
        ControlFlow::Continue(())
    })
}

fn cases(store: &Store, facts: &Facts, reminders: &mut Reminders) -> Result<(), StoreError> {
    let me = store.identity().enrolment.staff;
    let days = facts.policy.fine.appeal_wd;
    store.each(Some(number::CASE), &mut |document| {
        let record = rows::record(&CASE, &document);
        let about = record.get::<About>().unwrap_or_default();
        let people = [about.claimant.as_ref(), about.supervisor.as_ref()];
        let mine = people.into_iter().flatten().any(|person| person.doc() == Some(me));
        if mine && document.state == case_machine::CONFIRMED {
            let rows = record.all::<records::kinds::approval::Approvals>().into_iter().rev();
            let confirmed = rows.filter(|row| row.step.as_ref().is_some_and(|step| step.0 == "confirm"));
            let confirmed = confirmed.filter_map(|row| row.at).next().map(|at| at.day(facts.policy.zone));
            let until = confirmed.map(|day| {
                records::policy::count::Count::new(&facts.calendar).working_days(day, days, |_| false)
            });
            if until.is_none_or(|until| facts.today <= until) {
                reminders.cases.push((document.id, until));
            }
        }
        ControlFlow::Continue(())
    })
}
