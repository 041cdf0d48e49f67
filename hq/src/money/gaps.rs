//! Which claim numbers are missing where: three sets of each person, and what is wrong with the list of a batch.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::gaps::{Gap, Number, Numbers, gaps, list_faults};
use records::claim::numbers::ClaimNo;
use records::id::DocId;
use records::kinds::claim::PaperSeen;
use records::kinds::lease::{Burned, LeaseOf, Turns};
use records::kinds::{batch_machine, number};

use crate::intake::desk::Desk;
use crate::money::receive::{Batch, Fault};
use crate::store::StoreError;

/// The states of a batch whose list has arrived.
const ARRIVED: [u8; 5] = [
    batch_machine::RECEIVED,
    batch_machine::PART_RECEIVED,
    batch_machine::AUDITING,
    batch_machine::FORWARDED,
    batch_machine::CLOSED,
];

/// One person's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Whose.
    pub staff: DocId,
    /// How his numbers are written before their year and place.
    pub sample: ClaimNo,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// Where each number was seen.
    pub numbers: Numbers,
}

/// The numbers of all people, and how they are written.
struct Sets {
    pattern: String,
    of: BTreeMap<String, (ClaimNo, Numbers)>,
    first: BTreeMap<String, Number>,
}

impl Sets {
    fn number(&self, text: &str) -> Option<(ClaimNo, Number)> {
        let no = ClaimNo::parse(text, &self.pattern)?;
        let number = Number { year: no.year.unwrap_or(0), seq: no.seq };
        Some((no, number))
    }

    fn of(&mut self, no: ClaimNo) -> &mut Numbers {
        &mut self.of.entry(no.staff.clone()).or_insert_with(|| (no, Numbers::default())).1
    }

    /// The first number that a person was ever given; 1 of his first year where nobody says.
    fn first(&self, staff: &str, numbers: &Numbers) -> Number {
        let seen = numbers.known.keys().chain(&numbers.listed).chain(&numbers.scanned).min();
        let begin = Number { year: seen.map_or(0, |number| number.year), seq: 1 };
        let given = self.first.get(staff).copied();
        given.filter(|given| given.year >= begin.year).unwrap_or(begin)
    }
}

impl Desk {
    /// Returns what is missing of the claim numbers of everybody, or of one person.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// Source: docs/RULES.md P-25, Numbers.
    pub fn gaps(&mut self, staff: Option<DocId>) -> Result<Vec<Missing>, StoreError> {
        let sets = self.numbers()?;
        let people = self.people()?;
        let mut all = Vec::new();
        for (code, (sample, numbers)) in &sets.of {
            let Some((id, _)) = people.by_code(code) else { continue };
            if staff.is_some_and(|staff| staff != id) {
                continue;
            }
            let gaps = gaps(numbers, sets.first(code, numbers));
            if !gaps.is_empty() {
                all.push(Missing { staff: id, sample: sample.clone(), gaps, numbers: numbers.clone() });
            }
        }
        Ok(all)
    }

    /// Returns how a number of somebody is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn number_text(&mut self, sample: &ClaimNo, number: Number) -> Result<String, StoreError> {
        let pattern = self.pattern()?;
        let year = sample.year.map(|_| number.year);
        Ok(ClaimNo { year, seq: number.seq, ..sample.clone() }.text(&pattern))
    }

    fn pattern(&mut self) -> Result<String, StoreError> {
        let terms = self.terms()?;
        let latest = records::time::Day(i32::MAX);
        Ok(terms.in_force.policy(latest).number.pattern.clone())
    }

    /// Returns the three sets of each person.
    fn numbers(&mut self) -> Result<Sets, StoreError> {
        let pattern = self.pattern()?;
        let mut sets = Sets { pattern, of: BTreeMap::new(), first: BTreeMap::new() };
        self.each_claim(&[], |_, held| {
            let Some((no, number)) = held.claim.no.as_deref().and_then(|no| sets.number(no)) else {
                return Ok(true);
            };
            let seen = |seen: PaperSeen| [PaperSeen::SCANNED, PaperSeen::COPY].contains(&seen);
            let scanned = held.claim.papers.iter().any(|paper| seen(paper.seen));
            let numbers = sets.of(no);
            numbers.known.insert(number, held.claim.state);
            numbers.scanned.extend(scanned.then_some(number));
            Ok::<bool, StoreError>(true)
        })?;
        for batch in self.batches(&ARRIVED)? {
            let listed = batch.listed.iter().map(|listed| &listed.no);
            for (no, number) in listed.filter_map(|no| sets.number(no)).collect::<Vec<_>>() {
                sets.of(no).listed.insert(number);
            }
            let inside = batch.received.iter().filter(|(_, ok)| **ok).map(|(no, _)| no);
            for (no, number) in inside.filter_map(|no| sets.number(no)).collect::<Vec<_>>() {
                sets.of(no).scanned.insert(number);
            }
        }
        self.add_leases(&mut sets)?;
        Ok(sets)
    }

    /// Where a person's numbers begin, and those that nobody will ever see.
    fn add_leases(&mut self, sets: &mut Sets) -> Result<(), StoreError> {
        let year =
            |year: Option<records::value::Text<4>>| year.and_then(|year| year.0.parse().ok()).unwrap_or(0);
        for lease in self.records(number::LEASE, &[])? {
            let Some(code) = lease.get::<LeaseOf>().and_then(|of| of.code) else { continue };
            for turn in lease.all::<Turns>() {
                let first = Number { year: year(turn.year), seq: turn.next.map_or(1, |next| next.0) };
                let known = sets.first.entry(code.0.clone()).or_insert(first);
                *known = first.min(*known);
            }
            for burned in lease.all::<Burned>() {
                let (year, Some(first), Some(last)) = (year(burned.year), burned.first, burned.last) else {
                    continue;
                };
                if let Some((_, numbers)) = sets.of.get_mut(&code.0) {
                    // A burnt range is what one device could have given: never more than its block.
                    let range = (first.0..=last.0).take(100_000);
                    numbers.burned.extend(range.map(|seq| Number { year, seq }));
                }
            }
        }
        Ok(())
    }

    /// Returns what is wrong with the list of a batch.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// Source: docs/RULES.md P-25.
    pub(crate) fn list_faults(&mut self, batch: &Batch) -> Result<Vec<Fault>, StoreError> {
        let mut sets = Sets { pattern: self.pattern()?, of: BTreeMap::new(), first: BTreeMap::new() };
        let mut sent: BTreeMap<String, BTreeSet<Number>> = BTreeMap::new();
        let went = [&[batch_machine::DISPATCHED][..], &ARRIVED].concat();
        for other in self.batches(&went)? {
            if other.record.id == batch.record.id {
                continue;
            }
            for (no, number) in other.listed.iter().filter_map(|listed| sets.number(&listed.no)) {
                sent.entry(no.staff).or_default().insert(number);
            }
        }
        let mut lists: BTreeMap<String, (ClaimNo, Vec<Number>)> = BTreeMap::new();
        for (no, number) in batch.listed.iter().filter_map(|listed| sets.number(&listed.no)) {
            lists.entry(no.staff.clone()).or_insert_with(|| (no, Vec::new())).1.push(number);
        }
        let mut explained: BTreeMap<String, BTreeSet<Number>> = BTreeMap::new();
        for (no, number) in batch.explained.keys().filter_map(|no| sets.number(no)) {
            explained.entry(no.staff).or_default().insert(number);
        }
        for (no, _) in lists.values() {
            sets.of(no.clone());
        }
        self.add_leases(&mut sets)?;
        let mut faults = Vec::new();
        for (code, (sample, listed)) in &lists {
            let sent = sent.remove(code).unwrap_or_default();
            let mut accounted = explained.remove(code).unwrap_or_default();
            accounted
                .extend(sets.of.get(code).map(|(_, numbers)| numbers.burned.clone()).unwrap_or_default());
            let begin = Number { year: listed.iter().min().map_or(0, |number| number.year), seq: 1 };
            let given = sets.first.get(code).copied().filter(|given| given.year == begin.year);
            let next = sent
                .last()
                .map_or(given.unwrap_or(begin), |last| Number { seq: last.seq.saturating_add(1), ..*last });
            for gap in list_faults(listed, next, &sent, &accounted) {
                faults.push(Fault { fault: gap.fault.name(), numbers: self.run_text(sample, &gap)? });
            }
        }
        Ok(faults)
    }

    /// Returns a run of numbers as people read it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn run_text(&mut self, sample: &ClaimNo, gap: &Gap) -> Result<String, StoreError> {
        let first = self.number_text(sample, gap.first)?;
        if gap.first == gap.last {
            return Ok(first);
        }
        Ok(format!("{first} – {}", self.number_text(sample, gap.last)?))
    }
}
