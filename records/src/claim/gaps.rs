//! Which claim numbers of a person are missing where: not synced, lost in the post, not listed, wrongly numbered.

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds::claim_machine as at;
use crate::machine::Index;

/// A number of one person: its year (0 where numbers run on over the years) and its place from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    /// The year.
    pub year: i32,
    /// The place.
    pub seq: u32,
}

/// What is known of one person's numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// E: claims that are here, with their state.
    pub known: BTreeMap<Number, Index>,
    /// M: numbers on lists of batches that arrived.
    pub listed: BTreeSet<Number>,
    /// P: numbers whose paper was scanned.
    pub scanned: BTreeSet<Number>,
    /// Numbers that nobody will ever see: given on a lost device, or explained as void on a list.
    pub burned: BTreeSet<Number>,
}

/// What is wrong with some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Not here, though a later one is: the device has to sync.
    NotSynced,
    /// On a list that arrived, but its paper did not.
    LostInTransit,
    /// Its paper came, but no list names it.
    Unlisted,
    /// A list has a hole that nobody explained.
    NumberingFault,
    /// A list names it again.
    ListedAgain,
}

impl Fault {
    /// Returns the name that `--json` answers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSynced => "not_synced",
            Self::LostInTransit => "lost_in_transit",
            Self::Unlisted => "unlisted",
            Self::NumberingFault => "numbering_fault",
            Self::ListedAgain => "listed_again",
        }
    }
}

/// A run of numbers with one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What is wrong.
    pub fault: Fault,
    /// The first number.
    pub first: Number,
    /// The last number, of the same year.
    pub last: Number,
}

/// The most numbers of one person and year that are looked at: a slip of the keyboard must not make a list of millions.
const NUMBERS_MAX: u32 = 100_000;

/// Returns what is missing of one person's numbers.
///
/// `first` is the lowest number that was ever given to him in its year; in every later year it is 1.
///
/// Source: docs/RULES.md P-25, Numbers.
///
/// ```
/// use records::claim::gaps::{Fault, Number, Numbers, gaps};
/// let number = |seq| Number { year: 2026, seq };
/// let mut numbers = Numbers::default();
/// numbers.known = [8, 9, 11].map(|seq| (number(seq), 7)).into();
/// numbers.burned = [number(10)].into();
/// numbers.listed = [8, 9, 11].map(number).into();
/// numbers.scanned = [8, 11].map(number).into();
/// let gaps = gaps(&numbers, number(8));
/// assert_eq!(gaps.iter().map(|gap| (gap.fault, gap.first.seq)).collect::<Vec<_>>(), [(Fault::LostInTransit, 9)]);
/// ```
#[must_use]
pub fn gaps(numbers: &Numbers, first: Number) -> Vec<Gap> {
    let Numbers { known, listed, scanned, burned } = numbers;
    let seen: BTreeSet<Number> = known
        .keys()
        .chain(listed)
        .chain(scanned)
        .copied()
        .filter(|number| !burned.contains(number))
        .collect();
    let holes = holes(&seen, first, |number| known.contains_key(number) || burned.contains(number));
    let void = |number: &Number| known.get(number) == Some(&at::VOID);
    let lost = listed.difference(scanned).filter(|number| !burned.contains(number) && !void(number));
    let unlisted = scanned.difference(listed);
    let mut gaps = runs(Fault::NotSynced, holes);
    gaps.extend(runs(Fault::LostInTransit, lost.copied()));
    gaps.extend(runs(Fault::Unlisted, unlisted.copied()));
    gaps.sort_unstable();
    gaps
}

/// Returns what is wrong with the numbers of one person on a batch's list: empty, they follow on.
///
/// `next` is the number after the last that went off; `sent` those that went off before; `explained` those that are void
/// or held back, and said so on the list. A number that was held back before may come now.
///
/// Source: docs/RULES.md P-25.
#[must_use]
pub fn list_faults(
    listed: &[Number],
    next: Number,
    sent: &BTreeSet<Number>,
    explained: &BTreeSet<Number>,
) -> Vec<Gap> {
    let all: BTreeSet<Number> = listed.iter().copied().collect();
    let holes = holes(&all, next, |number| {
        all.contains(number) || explained.contains(number) || sent.contains(number)
    });
    let mut again: BTreeSet<Number> = all.intersection(sent).copied().collect();
    let mut once = BTreeSet::new();
    again.extend(listed.iter().copied().filter(|number| !once.insert(*number)));
    let mut gaps = runs(Fault::NumberingFault, holes);
    gaps.extend(runs(Fault::ListedAgain, again));
    gaps
}

/// Returns why a claim's number may be missing on a list: it is void, or held back in the branch; `None` where it must
/// be there.
///
/// Source: docs/RULES.md P-25.
#[must_use]
pub const fn explanation(state: Index) -> Option<&'static str> {
    match state {
        at::VOID => Some("void"),
        at::DRAFT | at::SUBMITTED | at::RETURNED | at::SUP_APPROVED | at::GM_APPROVED | at::FROZEN => {
            Some("withheld")
        }
        _ => None,
    }
}

/// Returns the numbers from `first` up to the highest of each year that nothing accounts for.
fn holes(seen: &BTreeSet<Number>, first: Number, accounted: impl Fn(&Number) -> bool) -> Vec<Number> {
    let mut highest: BTreeMap<i32, u32> = BTreeMap::new();
    for number in seen.iter().filter(|number| number.year >= first.year) {
        let top = highest.entry(number.year).or_default();
        *top = number.seq.max(*top);
    }
    let from = |year| if year == first.year { first.seq } else { 1 };
    let all = highest.into_iter().flat_map(|(year, top)| {
        let from = from(year);
        (from..=top.min(from.saturating_add(NUMBERS_MAX))).map(move |seq| Number { year, seq })
    });
    all.filter(|number| !accounted(number)).collect()
}

/// Joins numbers that follow one another.
fn runs(fault: Fault, numbers: impl IntoIterator<Item = Number>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for number in numbers {
        match gaps.last_mut() {
            Some(gap) if gap.last.year == number.year && gap.last.seq.checked_add(1) == Some(number.seq) => {
                gap.last = number;
            }
            _ => gaps.push(Gap { fault, first: number, last: number }),
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(seq: u32) -> Number {
        Number { year: 2026, seq }
    }

    fn set(numbers: &[u32]) -> BTreeSet<Number> {
        numbers.iter().map(|seq| number(*seq)).collect()
    }

    /// A person sent 0005 to 0007 before.
    #[test]
    fn a_list_follows_on_from_the_last_one_that_went_off() {
        let sent = set(&[5, 6, 7]);
        let check = |listed: &[u32], explained: &[u32], expected: &[(Fault, u32, u32)]| {
            let listed: Vec<Number> = listed.iter().map(|seq| number(*seq)).collect();
            let found = list_faults(&listed, number(8), &sent, &set(explained));
            let expected: Vec<Gap> = expected
                .iter()
                .map(|(fault, first, last)| Gap { fault: *fault, first: number(*first), last: number(*last) })
                .collect();
            assert_eq!(found, expected, "{listed:?}");
        };
        check(&[8, 9, 11], &[10], &[]);
        check(&[8, 9, 11], &[], &[(Fault::NumberingFault, 10, 10)]);
        check(&[12], &[], &[(Fault::NumberingFault, 8, 11)]);
        check(&[8, 7], &[], &[(Fault::ListedAgain, 7, 7)]);
        check(&[8, 8], &[], &[(Fault::ListedAgain, 8, 8)]);
        check(&[4, 8], &[], &[]);
    }

    #[test]
    fn numbers_begin_again_with_the_year() {
        let listed = [Number { year: 2025, seq: 132 }, number(1), number(3)];
        let found = list_faults(&listed, Number { year: 2025, seq: 131 }, &BTreeSet::new(), &BTreeSet::new());
        let faults: Vec<_> = found.iter().map(|gap| (gap.first.year, gap.first.seq, gap.last.seq)).collect();
        assert_eq!(faults, [(2025, 131, 131), (2026, 2, 2)]);
    }

    #[test]
    fn gaps_are_told_apart() {
        let mut numbers = Numbers {
            known: [1, 2, 3, 5, 8].map(|seq| (number(seq), at::RECEIVED)).into(),
            listed: set(&[1, 2, 3, 5]),
            scanned: set(&[1, 3, 5, 8]),
            burned: set(&[6]),
        };
        let all = |numbers: &Numbers| -> Vec<(Fault, u32, u32)> {
            gaps(numbers, number(1)).iter().map(|gap| (gap.fault, gap.first.seq, gap.last.seq)).collect()
        };
        let expected = [
            (Fault::NotSynced, 4, 4),
            (Fault::NotSynced, 7, 7),
            (Fault::LostInTransit, 2, 2),
            (Fault::Unlisted, 8, 8),
        ];
        assert_eq!(all(&numbers), expected);
        numbers.known.insert(number(2), at::VOID);
        assert!(
            all(&numbers).iter().all(|(fault, ..)| *fault != Fault::LostInTransit),
            "a void one has no paper"
        );
        numbers.known.insert(number(4_000_000_000), at::RECEIVED);
        assert!(all(&numbers).len() < 10, "a slip of the keyboard does not fill the memory");
    }
}
