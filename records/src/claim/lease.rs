//! Whose turn it is to give a person's claim numbers, and to which turn a number belongs.
//!
//! A turn's numbers go from its first to the one before the next turn's first, in the order of years and numbers.
//! So what a lost device had given before the lease moved on is still good when it turns up.
//!
//! Source: docs/RULES.md, Numbers.

use crate::id::Replica;
use crate::kinds::lease::Turns;
use crate::policy::choices::Reset;

/// One turn of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Counts the turns, from 1; the highest holds the lease.
    pub epoch: u32,
    /// The device that gives the numbers.
    pub replica: Replica,
    /// The year of its first number.
    pub year: i32,
    /// Its first number.
    pub next: u32,
}

impl Turn {
    /// Reads a row; `None` where something is missing.
    #[must_use]
    pub fn of(row: &Turns) -> Option<Self> {
        Some(Self {
            epoch: row.epoch?.0,
            replica: Replica(row.replica?.0),
            year: row.year.as_ref()?.0.parse().ok()?,
            next: row.next?.0,
        })
    }

    /// Returns the first number that this turn may give in `year`, where it begins again each year or not.
    #[must_use]
    pub const fn first_in(self, year: i32, reset: Reset) -> u32 {
        match reset {
            Reset::Year if year > self.year => 1,
            Reset::Year | Reset::Never => self.next,
        }
    }

    const fn at(self, reset: Reset) -> (i32, u32) {
        place(self.year, self.next, reset)
    }
}

/// Where a number stands among all of a person's.
const fn place(year: i32, n: u32, reset: Reset) -> (i32, u32) {
    match reset {
        Reset::Year => (year, n),
        Reset::Never => (0, n),
    }
}

/// Returns the turn that holds the lease now.
#[must_use]
pub fn current(turns: &[Turn]) -> Option<Turn> {
    turns.iter().copied().max()
}

/// Returns the turn that number `n` of `year` belongs to; `None` where it lies before the first.
///
/// ```
/// use records::claim::lease::{Turn, holder};
/// use records::id::Replica;
/// use records::policy::choices::Reset;
/// let turn = |epoch, replica, next| Turn { epoch, replica: Replica(replica), year: 2026, next };
/// let turns = [turn(1, 7, 1), turn(2, 9, 15)];
/// assert_eq!(holder(&turns, 2026, 14, Reset::Year).map(|turn| turn.replica), Some(Replica(7)));
/// assert_eq!(holder(&turns, 2027, 1, Reset::Year).map(|turn| turn.replica), Some(Replica(9)));
/// assert_eq!(holder(&turns, 2025, 9, Reset::Year), None);
/// ```
#[must_use]
pub fn holder(turns: &[Turn], year: i32, n: u32, reset: Reset) -> Option<Turn> {
    let mut turns = turns.to_vec();
    turns.sort_unstable();
    // The latest turn that had begun by then: an earlier one ended where a later one begins.
    turns.into_iter().rev().find(|turn| turn.at(reset) <= place(year, n, reset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(epoch: u32, year: i32, next: u32) -> Turn {
        Turn { epoch, replica: Replica(epoch), year, next }
    }

    #[test]
    fn a_number_belongs_to_the_turn_in_which_it_could_be_given() {
        let turns = [turn(2, 2026, 10), turn(1, 2025, 3), turn(3, 2027, 2)];
        let of = |year, n| holder(&turns, year, n, Reset::Year).map(|turn| turn.epoch);
        assert_eq!([of(2025, 2), of(2025, 3), of(2026, 9)], [None, Some(1), Some(1)]);
        assert_eq!([of(2026, 10), of(2027, 1), of(2027, 2)], [Some(2), Some(2), Some(3)]);
        let of = |year, n| holder(&turns[..2], year, n, Reset::Never).map(|turn| turn.epoch);
        assert_eq!([of(2030, 9), of(2025, 10)], [Some(1), Some(2)], "the year does not count");
        assert_eq!(current(&turns).map(|turn| turn.epoch), Some(3));
        assert_eq!(current(&[]), None);
    }

    #[test]
    fn numbers_begin_again_each_year_where_the_policy_says_so() {
        let turn = turn(1, 2026, 10);
        let first = |year, reset| turn.first_in(year, reset);
        assert_eq!(
            [first(2026, Reset::Year), first(2027, Reset::Year), first(2027, Reset::Never)],
            [10, 1, 10]
        );
    }
}
