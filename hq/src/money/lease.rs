//! The lease on a person's claim numbers: one of his devices gives them, and it moves when that device is gone.
//!
//! Source: docs/RULES.md, Numbers.

use std::collections::BTreeSet;

use records::claim::lease::{self, Turn};
use records::claim::numbers::ClaimNo;
use records::id::DocId;
use records::kinds::batch::{BatchClaims, Explained};
use records::kinds::lease::{Burned, LeaseOf, Turns};
use records::kinds::number;
use records::policy::choices::Reset;
use records::policy::terms::Policy;
use records::record::Record;
use records::time::{Day, Zone};
use records::value::{Count, Text};

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::money::rows::{instant, link, put, text};
use crate::reading;
use crate::store::StoreError;
use crate::store::devices::Device;

/// Numbers that one statement names at most: more were never given on one device.
const BURNED_MAX: u32 = 1000;

/// Why a lease was not moved.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Nobody has that staff code.
    #[error("nobody has that staff code")]
    NoSuchStaff,
    /// The device is not his, or takes no part any more.
    #[error("the device is not his, or takes no part")]
    NotHisDevice,
    /// The device has it already.
    #[error("the device holds the lease already")]
    Held,
    /// Numbers from there on were given already.
    #[error("number {known} is known already")]
    Known {
        /// The highest that HQ knows of the year.
        known: u32,
    },
    /// Far more than a device gives.
    #[error("more than {BURNED_MAX} numbers would be burned")]
    TooMany,
    /// HQ's log.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person's lease as HQ holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The document.
    pub id: DocId,
    /// Every turn.
    pub turns: Vec<Turn>,
}

/// What a move came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The turn that began.
    pub turn: Turn,
    /// Numbers that nobody will see, as runs of first and last.
    pub burned: Vec<(u32, u32)>,
}

impl Desk {
    /// Returns a person's lease; `None` before his first device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lease(&mut self, staff_code: &str) -> Result<Option<Lease>, StoreError> {
        let Some(id) = self.store.numbered(number::LEASE, staff_code)? else {
            return Ok(None);
        };
        let home = self.home(id.0.replica)?.unwrap_or(0);
        let record = self.store.document(home, id)?.as_ref().and_then(reading::record);
        let turns = record.map(|record| record.all::<Turns>()).unwrap_or_default();
        Ok(Some(Lease { id, turns: turns.iter().filter_map(Turn::of).collect() }))
    }

    /// Lets a new device give its owner's claim numbers, where no device of his does; returns its first turn's number
    /// and epoch, for the enrolment code.
    ///
    /// # Errors
    /// [`AuthorError`].
    pub(crate) fn lease_for_new(
        &mut self,
        device: &Device,
        staff_code: &str,
        now_ms: u64,
    ) -> Result<Option<(u32, u16)>, AuthorError> {
        let held = self.lease(staff_code)?;
        let holder = held.as_ref().and_then(|lease| lease::current(&lease.turns));
        let replica = holder.map(|turn| turn.replica);
        let alive = match replica {
            Some(replica) => self.store.device(replica)?.is_some_and(|device| device.standing.takes_part()),
            None => false,
        };
        if alive {
            return Ok(None);
        }
        let free = self.free(held.as_ref(), staff_code, now_ms)?;
        let moved = self.turn(held, device, staff_code, free, now_ms)?;
        Ok(Some((moved.turn.next, u16::try_from(moved.turn.epoch).unwrap_or(u16::MAX))))
    }

    /// Moves a person's lease to another of his devices. `next` starts it higher than after the last known number,
    /// where paper tells of more.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn move_lease(
        &mut self,
        staff_code: &str,
        to: &Device,
        next: Option<u32>,
        now_ms: u64,
    ) -> Result<Moved, LeaseError> {
        let people = self.people()?;
        let (staff, _) = people.by_code(staff_code).ok_or(LeaseError::NoSuchStaff)?;
        if to.staff != Some(staff) || !to.standing.takes_part() {
            return Err(LeaseError::NotHisDevice);
        }
        let held = self.lease(staff_code)?;
        let holder = held.as_ref().and_then(|lease| lease::current(&lease.turns));
        if holder.is_some_and(|turn| turn.replica == to.replica) {
            return Err(LeaseError::Held);
        }
        let (known, free) = self.free(held.as_ref(), staff_code, now_ms)?;
        let next = match next {
            Some(next) if next < free => return Err(LeaseError::Known { known: free - 1 }),
            Some(next) if next - free > BURNED_MAX => return Err(LeaseError::TooMany),
            Some(next) => next,
            None => free,
        };
        Ok(self.turn(held, to, staff_code, (known, next), now_ms)?)
    }

    /// Gives the lease of a device that is gone to another one of its owner's, where there is one.
    ///
    /// # Errors
    /// [`AuthorError`].
    pub(crate) fn lease_of_gone(&mut self, gone: &Device, now_ms: u64) -> Result<(), AuthorError> {
        let people = self.people()?;
        let Some((staff, person)) = gone.staff.and_then(|id| Some((id, people.staff.get(&id)?))) else {
            return Ok(());
        };
        let code = person.code.clone();
        let held = self.lease(&code)?;
        let holder = held.as_ref().and_then(|lease| lease::current(&lease.turns));
        if holder.is_none_or(|turn| turn.replica != gone.replica) {
            return Ok(());
        }
        let others = self.store.devices(Some(staff))?.into_iter();
        let others = others.filter(|other| other.replica != gone.replica && other.standing.takes_part());
        let Some(next) = others.max_by_key(|other| (other.seen_ms, other.replica)) else {
            return Ok(());
        };
        let free = self.free(held.as_ref(), &code, now_ms)?;
        self.turn(held, &next, &code, free, now_ms)?;
        Ok(())
    }

    /// Returns the numbers of this year that HQ has heard of, and the first one that is free.
    fn free(
        &mut self,
        held: Option<&Lease>,
        staff_code: &str,
        now_ms: u64,
    ) -> Result<(BTreeSet<u32>, u32), StoreError> {
        let (day, year) = today(now_ms);
        let terms = self.terms()?;
        let policy = terms.in_force.policy(day);
        let known = self.known_numbers(staff_code, year, policy)?;
        let before = held.and_then(|lease| lease::current(&lease.turns));
        let begun = before.map_or(1, |turn| turn.first_in(year, policy.number.reset));
        let after = known.last().map_or(1, |highest| highest.saturating_add(1));
        Ok((known, begun.max(after)))
    }

    /// Writes the next turn, and what the one before leaves unexplained.
    fn turn(
        &mut self,
        held: Option<Lease>,
        device: &Device,
        staff_code: &str,
        (known, next): (BTreeSet<u32>, u32),
        now_ms: u64,
    ) -> Result<Moved, AuthorError> {
        let (day, year) = today(now_ms);
        let reset = self.terms()?.in_force.policy(day).number.reset;
        let before = held.as_ref().and_then(|lease| lease::current(&lease.turns));
        let epoch = before.map_or(1, |turn| turn.epoch.saturating_add(1));
        let turn = Turn { epoch, replica: device.replica, year, next };
        let mut burned = Vec::new();
        let mut writes = vec![put(&[Turns {
            epoch: Some(Count(epoch)),
            replica: Some(Count(device.replica.0)),
            year: text(&year.to_string()),
            next: Some(Count(next)),
            at: Some(instant(now_ms)),
        }])];
        if let Some(before) = before {
            burned = holes(&known, before.first_in(year, reset), next);
            let rows: Vec<Burned> = burned.iter().map(|run| statement(*run, year, before, now_ms)).collect();
            writes.extend((!rows.is_empty()).then(|| put(&rows)));
        }
        let on = match held {
            Some(lease) => On::Document(lease.id),
            None => {
                writes.push(put(&[LeaseOf { code: text(staff_code), staff: device.staff.and_then(link) }]));
                On::Create
            }
        };
        self.write(vec![NewOp { kind: number::LEASE, on, writes }], now_ms)?;
        self.store.audit(device.branch, now_ms, "claim lease", &device.replica.0.to_string())?;
        Ok(Moved { turn, burned })
    }

    /// Returns the numbers of a person's year that HQ has heard of: on claims and on the lists of batches.
    fn known_numbers(
        &self,
        staff_code: &str,
        year: i32,
        policy: &Policy,
    ) -> Result<BTreeSet<u32>, StoreError> {
        let mut known = BTreeSet::new();
        let mut take = |text: &str| {
            let no = ClaimNo::parse(text, &policy.number.pattern);
            let his = no.filter(|no| no.staff == staff_code);
            let counts = |no: &ClaimNo| policy.number.reset == Reset::Never || no.year == Some(year);
            known.extend(his.filter(counts).map(|no| no.seq));
        };
        for number in self.store.numbers_with(number::CLAIM, staff_code)? {
            take(&number);
        }
        self.store.each_document::<StoreError>(Some(number::BATCH), |_, indexed| {
            if let Some(record) = reading::record(&indexed.document) {
                listed(&record).iter().for_each(|text| take(text));
            }
            Ok(())
        })?;
        Ok(known)
    }
}

fn listed(record: &Record) -> Vec<String> {
    let inside = record.all::<BatchClaims>().into_iter().filter_map(|row| row.claim_no);
    let explained = record.all::<Explained>().into_iter().filter_map(|row| row.claim_no);
    inside.chain(explained).map(|Text(number)| number).collect()
}

/// Returns the runs of numbers from `from` on, below `next`, that are not known.
fn holes(known: &BTreeSet<u32>, from: u32, next: u32) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for n in (from..next).filter(|n| !known.contains(n)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => runs.push((n, n)),
        }
    }
    runs
}

/// What is said of numbers that the device before may have given and never told.
fn statement((first, last): (u32, u32), year: i32, before: Turn, now_ms: u64) -> Burned {
    let replica = before.replica.0;
    Burned {
        year: text(&year.to_string()),
        first: Some(Count(first)),
        last: Some(Count(last)),
        why: text(&format!("设备 {replica} 未同步 / never told by device {replica}")),
        by: None,
        at: Some(instant(now_ms)),
    }
}

fn today(now_ms: u64) -> (Day, i32) {
    let day = instant(now_ms).day(Zone::SHANGHAI);
    (day, day.ymd().map_or(1970, |(year, ..)| year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_between_the_first_and_the_next_number_is_burned_in_runs() {
        let known = BTreeSet::from([1, 2, 4, 7]);
        assert_eq!(holes(&known, 1, 8), [(3, 3), (5, 6)]);
        assert_eq!(holes(&known, 3, 11), [(3, 3), (5, 6), (8, 10)]);
        assert_eq!(holes(&known, 1, 3), []);
        assert_eq!(holes(&known, 9, 9), []);
    }
}
