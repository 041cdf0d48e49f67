//! What pages need not reckon again: what stays the same until a record or the day changes, and of a voucher what stays
//! until its own document does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use records::time::{Day, Ts};

use crate::clock::Now;
use crate::notebook::claim::paper::{Known, Paper, unsubmitted};
use crate::notebook::claim::reminders::{Reminders, reminders_of};
use crate::notebook::level::{Level, level};
use crate::notebook::refusal::NotebookError;
use crate::notebook::status::{Status, with_money};
use crate::store::Store;
use crate::store::read::Counts;

/// What reminders depend on: what was saved here, what came from HQ, the day.
type State = (Counts, Option<Ts>, Day);

/// The last reminders, the last count of what HQ lacks, each with the state it was made in; the vouchers as they were read.
#[derive(Debug)]
pub(crate) struct Remembered(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    reminders: Option<(State, Reminders)>,
    level: Option<(State, Level)>,
    papers: Option<Known>,
}

impl Remembered {
    /// Returns one that remembers nothing yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Memory { reminders: None, level: None, papers: None }))
    }

    /// Forgets all: the home was locked.
    pub(crate) fn forget(&self) {
        *self.memory() = Memory::default();
    }

    /// Returns what a person should not forget about his money.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub(crate) fn reminders(&self, store: &Store, now: Now) -> Result<Reminders, NotebookError> {
        let state = state(store, now)?;
        let mut memory = self.memory();
        if let Some((_, reminders)) = memory.reminders.as_ref().filter(|(made_in, _)| *made_in == state) {
            return Ok(reminders.clone());
        }
        let papers = unsubmitted(store, memory.papers.get_or_insert_default())?;
        let fresh = reminders_of(store, &papers, now)?;
        memory.reminders = Some((state, fresh.clone()));
        Ok(fresh)
    }

    /// Returns how things stand.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub(crate) fn status(&self, store: &Store, now: Now) -> Result<Status, NotebookError> {
        with_money(store, now, self.reminders(store, now)?)
    }

    /// Returns what HQ lacks.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub(crate) fn level(&self, store: &Store, now: Now) -> Result<Level, NotebookError> {
        let state = state(store, now)?;
        let mut memory = self.memory();
        if let Some((_, level)) = memory.level.as_ref().filter(|(made_in, _)| *made_in == state) {
            return Ok(level.clone());
        }
        let fresh = level(store)?;
        memory.level = Some((state, fresh.clone()));
        Ok(fresh)
    }

    /// Returns this person's vouchers that no submitted claim holds, in the order of their days.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub(crate) fn papers(&self, store: &Store) -> Result<Vec<Paper>, NotebookError> {
        Ok(unsubmitted(store, self.memory().papers.get_or_insert_default())?)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn state(store: &Store, now: Now) -> Result<State, NotebookError> {
    let day = now.wall.day(store.zone());
    Ok((store.counts()?, crate::sync::report::last(store)?.map(|last| last.at), day))
}

#[cfg(test)]
mod tests {
    use records::kinds::voucher::VOUCHER;

    use super::*;
    use crate::notebook::claim::reminders::reminders;
    use crate::notebook::create::{Create, create};
    use crate::notebook::pair::Pair;
    use crate::store::testing::{NOW, home};

    #[test]
    fn a_new_receipt_and_a_new_day_are_reckoned_anew() {
        let (_dir, mut store) = home();
        let remembered = Remembered::new();
        assert_eq!(remembered.reminders(&store, NOW).unwrap(), reminders(&store, NOW).unwrap());
        let date = NOW.wall.day(store.zone()).plus(-28).to_string();
        let pairs = [("category", "city_transport"), ("amount", "35.00"), ("date", date.as_str())];
        let pairs = pairs.map(|(name, value)| Pair::new(name, value)).to_vec();
        let request = Create { kind: &VOUCHER, job: None, pairs, entries: Vec::new() };
        create(&mut store, &request, NOW).unwrap();
        let soon = remembered.reminders(&store, NOW).unwrap();
        assert_eq!(soon.expiring.len(), 1);
        assert_eq!(remembered.reminders(&store, NOW).unwrap(), soon);
        let later = Now { wall: Ts(NOW.wall.0 + 40 * 86_400_000), ..NOW };
        assert_eq!(remembered.reminders(&store, later).unwrap().expired, 1);
    }
}
