//! Claims as the office looks at them.

use records::claim::facts::Facts;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::number;
use records::money::Fen;
use records::policy::due::{self, Closure};
use records::record::Record;
use records::time::Day;

use crate::intake::desk::Desk;
use crate::money::decide::title;
use crate::money::refusal::{MoneyError, Refusal};
use crate::store::StoreError;

/// A claim that HQ holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The document.
    pub record: Record,
    /// What the rules read of it.
    pub claim: Claim,
}

/// A claim with what the rules must know beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The claim.
    pub held: Held,
    /// What is known beside it, on the day of asking.
    pub facts: Facts,
}

impl Held {
    fn of(record: Record) -> Option<Self> {
        let claim = Claim::of(&record)?;
        Some(Self { record, claim })
    }

    /// Returns its number; its code before it has one.
    #[must_use]
    pub fn no(&self) -> String {
        title(&self.record)
    }

    /// Returns what the audit leaves of its lines.
    #[must_use]
    pub fn payable(&self) -> Fen {
        self.sum(|audited| audited.payable)
    }

    /// Returns what the claimant bears of them himself.
    #[must_use]
    pub fn self_paid(&self) -> Fen {
        self.sum(|audited| audited.self_paid)
    }

    fn sum(&self, of: impl Fn(&records::claim::view::Audited) -> Fen) -> Fen {
        let lines = self.claim.lines.iter().filter_map(|line| self.claim.audit.get(&line.n));
        Fen(lines.fold(0_i64, |sum, audited| sum.saturating_add(of(audited).0)))
    }
}

impl Desk {
    /// Returns a claim; `None` where HQ does not hold it, or not enough of it to say whose it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_claim(&mut self, id: DocId) -> Result<Option<Held>, StoreError> {
        Ok(self.record(id)?.filter(|record| record.kind.number == number::CLAIM).and_then(Held::of))
    }

    /// Returns the claim of that number, code or id.
    ///
    /// # Errors
    /// H-01, H-02.
    pub fn claim(&mut self, name: &str) -> Result<Held, MoneyError> {
        let record = self.named_record(number::CLAIM, name)?;
        Held::of(record).ok_or_else(|| Refusal::by("H-01").with("text", name).into())
    }

    /// Returns the claim of that number, code or id with all that the rules must know.
    ///
    /// # Errors
    /// H-01, H-02.
    pub fn known(&mut self, name: &str, today: Day) -> Result<Known, MoneyError> {
        let held = self.claim(name)?;
        let facts = self.facts(&held.claim, today)?;
        Ok(Known { held, facts })
    }

    /// Returns the claims in one of some states, by number; no states: all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claims(&mut self, states: &[u8]) -> Result<Vec<Held>, StoreError> {
        let mut claims = Vec::new();
        self.each_claim(states, |_, held| {
            claims.push(held);
            Ok::<bool, StoreError>(true)
        })?;
        Ok(claims)
    }

    /// Hands the claims in one of some states, by number, to `each`, until it answers false; no states: all of them.
    /// Only one is in memory at a time.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError`].
    pub fn each_claim<E: From<StoreError>>(
        &mut self,
        states: &[u8],
        mut each: impl FnMut(&mut Self, Held) -> Result<bool, E>,
    ) -> Result<(), E> {
        for id in self.store.by_number(number::CLAIM, states)? {
            let Some(held) = self.held_claim(id)? else { continue };
            if !each(self, held)? {
                break;
            }
        }
        Ok(())
    }

    /// Returns whether finance takes claims in on a day, and when it does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn closure(&mut self, today: Day) -> Result<Closure, StoreError> {
        let terms = self.terms()?;
        let in_force = &terms.in_force;
        Ok(due::blackout(today, in_force.policy(today), &in_force.calendar))
    }
}
