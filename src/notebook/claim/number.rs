//! The number of a claim, given at its first submission by the one device that holds the person's lease.
//!
//! A number stands in the same op as the decision that submits: a crash leaves neither a hole nor a number given twice.
//! What was given is read off the claims themselves, those whose submission headquarters refused included; there is no
//! counter that could be lost or run ahead.
//!
//! Source: docs/RULES.md, Numbers.

use std::collections::BTreeSet;

use records::claim::lease::{self, Turn};
use records::claim::numbers::ClaimNo;
use records::id::DocId;
use records::kinds::claim::ClaimNo as Given;
use records::kinds::device::DEVICE;
use records::kinds::lease::{LEASE, LeaseOf, Turns};
use records::kinds::number;
use records::policy::choices::Reset;
use records::policy::terms::Policy;
use records::schema::Typed;
use records::time::{Day, Ts};
use records::value::{Ref, Target, Value, decode_exact};
use sync_protocol::merge::Document;

use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// Returns the turns of this person's lease that are known here: those that headquarters sent, and the one that came
/// with the enrolment.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn turns(store: &Store) -> Result<Vec<Turn>, StoreError> {
    let enrolment = &store.identity().enrolment;
    let mut turns: BTreeSet<Turn> = BTreeSet::new();
    store.each(Some(number::LEASE), &mut |document| {
        let record = rows::record(&LEASE, &document);
        let of = record.get::<LeaseOf>().unwrap_or_default();
        let mine = of.staff == Some(Ref(Target::Doc(enrolment.staff)))
            || of.code.is_some_and(|code| code.0 == enrolment.staff_code);
        if mine {
            turns.extend(record.all::<Turns>().iter().filter_map(Turn::of));
        }
        std::ops::ControlFlow::Continue(())
    })?;
    if let Some((next, epoch)) = enrolment.claim_lease
        && turns.iter().all(|turn| turn.epoch != u32::from(epoch))
    {
        let issued = Ts(i64::try_from(enrolment.issued_ms).unwrap_or(0)).day(enrolment.zone);
        let year = year(issued);
        turns.insert(Turn { epoch: epoch.into(), replica: enrolment.replica, year, next });
    }
    Ok(turns.into_iter().collect())
}

/// Returns the turn by which this device gives numbers.
///
/// # Errors
/// W-52 where another device holds the lease, or none does; W-54 while numbers wait.
pub fn turn(store: &Store) -> Result<Turn, NotebookError> {
    let Some(turn) = lease::current(&turns(store)?) else {
        return Err(Refusal::by("W-52").case("none").into());
    };
    if turn.replica != store.identity().enrolment.replica {
        let device = device(store, turn)?;
        return Err(Refusal::by("W-52").with("device", device).into());
    }
    if store.numbers_suspended() {
        return Err(Refusal::by("W-54").into());
    }
    Ok(turn)
}

/// Returns how a device is called: its name, and its number.
fn device(store: &Store, turn: Turn) -> Result<String, StoreError> {
    let mut name = String::new();
    store.each(Some(number::DEVICE), &mut |document| {
        let of = rows::value(&DEVICE, &document, "replica");
        if of == Some(Value::Int(turn.replica.0.into()))
            && let Some(Value::Text(called)) = rows::value(&DEVICE, &document, "name")
        {
            name = called;
        }
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(format!("{name} #{}", turn.replica.0).trim().to_owned())
}

/// Returns the number of a claim: the one that it was ever given, else the next.
///
/// # Errors
/// W-52, W-54; W-53 where the year lies before that of the lease.
pub fn of(
    store: &Store,
    document: &Document,
    (policy, day): (&Policy, Day),
) -> Result<String, NotebookError> {
    if let Some(number) = given(store, document.id)?.into_iter().next() {
        return Ok(number);
    }
    let (enrolment, year) = (&store.identity().enrolment, year(day));
    let turn = turn(store)?;
    if policy.number.reset == Reset::Year && year < turn.year {
        let refusal = Refusal::by("W-53").with("year", turn.year.to_string());
        return Err(refusal.with("day", day.to_string()).into());
    }
    let number = ClaimNo {
        center: enrolment.center_code.clone(),
        staff: enrolment.staff_code.clone(),
        year: Some(year),
        seq: next(turn, year, policy.number.reset, &all(store, policy)?),
    };
    Ok(number.text(&policy.number.pattern))
}

/// Returns the number that the next submission would give; `None` where this device gives none.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn peek(store: &Store, policy: &Policy, day: Day) -> Result<Option<u32>, NotebookError> {
    match turn(store) {
        Ok(turn) => Ok(Some(next(turn, year(day), policy.number.reset, &all(store, policy)?))),
        Err(NotebookError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the lowest number of the turn above all that were given.
fn next(turn: Turn, year: i32, reset: Reset, given: &[ClaimNo]) -> u32 {
    let counts = |no: &&ClaimNo| reset == Reset::Never || no.year.is_none_or(|of| of == year);
    let highest = given.iter().filter(counts).map(|no| no.seq).max();
    turn.first_in(year, reset).max(highest.map_or(0, |n| n.saturating_add(1))).max(1)
}

/// Returns every number of this person that is known here.
fn all(store: &Store, policy: &Policy) -> Result<Vec<ClaimNo>, StoreError> {
    let staff = &store.identity().enrolment.staff_code;
    let mut numbers = Vec::new();
    for (document, _) in crate::notebook::claim::mine(store)? {
        let given = given(store, document.id)?;
        numbers.extend(given.iter().filter_map(|text| ClaimNo::parse(text, &policy.number.pattern)));
    }
    numbers.retain(|no| no.staff.is_empty() || no.staff == *staff);
    Ok(numbers)
}

/// Returns the numbers that a claim's ops name, those that headquarters refused included.
fn given(store: &Store, claim: DocId) -> Result<Vec<String>, StoreError> {
    let group = Given::GROUP;
    let ops = store.ops(claim)?;
    let rows = ops.iter().filter_map(|op| decode_exact(group.fields, op.row.write(group.tag())?).ok());
    let text = rows.filter_map(|row| match row.into_iter().next()? {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    });
    Ok(text.collect())
}

fn year(day: Day) -> i32 {
    day.ymd().map_or(0, |(year, ..)| year)
}

#[cfg(test)]
mod tests {
    use records::id::Replica;

    use super::*;

    fn no(year: i32, seq: u32) -> ClaimNo {
        ClaimNo { center: "HZ".into(), staff: "T1".into(), year: Some(year), seq }
    }

    #[test]
    fn numbers_follow_each_other_and_begin_again_with_the_year() {
        let turn = Turn { epoch: 1, replica: Replica(7), year: 2026, next: 5 };
        let check = |year, reset, given: &[ClaimNo], expected| {
            assert_eq!(next(turn, year, reset, given), expected, "{given:?}");
        };
        check(2026, Reset::Year, &[], 5);
        check(2026, Reset::Year, &[no(2026, 5), no(2026, 6)], 7);
        check(2026, Reset::Year, &[no(2025, 99)], 5);
        check(2027, Reset::Year, &[no(2026, 6)], 1);
        check(2027, Reset::Year, &[no(2026, 6), no(2027, 1)], 2);
        check(2027, Reset::Never, &[no(2026, 6)], 7);
    }
}
