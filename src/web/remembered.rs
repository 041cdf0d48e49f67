//! What the first page need not reckon again: the reminders of the money stay the same until a record or the day changes.

use std::sync::{Mutex, PoisonError};

use records::time::{Day, Ts};

use crate::clock::Now;
use crate::notebook::claim::reminders::{Reminders, reminders};
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::store::read::Counts;

/// What reminders depend on: what was saved here, what came from HQ, the day.
type State = (Counts, Option<Ts>, Day);

/// The last reminders and the state that they were made in.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Option<(State, Reminders)>>);

impl Remembered {
    /// Returns one that remembers nothing yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Forgets all: the home was locked.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns what a person should not forget about his money.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub(crate) fn reminders(&self, store: &Store, now: Now) -> Result<Reminders, NotebookError> {
        let day = now.wall.day(store.zone());
        let state = (store.counts()?, crate::sync::last(store)?.map(|last| last.at), day);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, reminders)) = known.as_ref().filter(|(made_in, _)| *made_in == state) {
            return Ok(reminders.clone());
        }
        let fresh = reminders(store, now)?;
        *known = Some((state, fresh.clone()));
        Ok(fresh)
    }
}

#[cfg(test)]
mod tests {
    use records::kinds::voucher::VOUCHER;

    use super::*;
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
