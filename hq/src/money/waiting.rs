//! Claims that wait for somebody, each with its clocks: what is due first comes first.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::clocks::{self, Clock, What};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim_machine as at;
use records::machine::Index;
use records::money::Fen;
use records::policy::penalty;
use records::time::{Day, Ts};

use crate::intake::desk::Desk;
use crate::money::claims::Held;
use crate::store::StoreError;

/// A claim with its clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The claim.
    pub held: Held,
    /// The clocks that have started, in the order of a claim's life.
    pub clocks: Vec<Clock>,
}

impl Waiting {
    /// Returns the clock that runs: that of whoever has the claim.
    #[must_use]
    pub fn open(&self) -> Option<&Clock> {
        self.clocks.iter().rev().find(|clock| clock.done.is_none())
    }

    /// Returns the last day of whoever has the claim; `None` where the policy sets none.
    #[must_use]
    pub fn due(&self) -> Option<Day> {
        self.open().and_then(|clock| clock.due)
    }

    /// Returns whether that day is past.
    #[must_use]
    pub fn is_late(&self, today: Day) -> bool {
        self.open().is_some_and(|clock| clock.is_late(today))
    }
}

impl Desk {
    /// Returns the claims in some states, or in all, that somebody has to do something about; what is overdue first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting(&mut self, states: &[Index], today: Day) -> Result<Vec<Waiting>, StoreError> {
        let all: Vec<Index> = (0..=u8::MAX).filter(|state| !waits_for(*state).is_empty()).collect();
        let states: Vec<Index> =
            all.into_iter().filter(|state| states.is_empty() || states.contains(state)).collect();
        let mut waiting = Vec::new();
        self.each_claim(&states, |desk, held| {
            waiting.push(desk.with_clocks(held, today)?);
            Ok::<bool, StoreError>(true)
        })?;
        // Without a due day it is nobody's fault yet: last.
        waiting.sort_by_key(|waiting| waiting.due().unwrap_or(Day(i32::MAX)));
        Ok(waiting)
    }

    /// Returns a claim with its clocks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn with_clocks(&mut self, held: Held, today: Day) -> Result<Waiting, StoreError> {
        let facts = self.plain_facts(&held.claim, today)?;
        let clocks = clocks::clocks(&held.claim, &facts);
        Ok(Waiting { held, clocks })
    }
}

/// What late audits of a branch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// Which branch.
    pub branch: DocId,
    /// Working days that count: one on which two claims were late is one day.
    pub days: usize,
    /// What the policy takes for them, where nothing excuses them.
    pub fine: Fen,
}

impl Desk {
    /// Returns what the audits that are late today may cost, by branch.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// Source: docs/RULES.md P-30.
    pub fn late_by_branch(&mut self, waiting: &[Waiting], today: Day) -> Result<Vec<Late>, StoreError> {
        let terms = self.terms()?;
        let calendar = &terms.in_force.calendar;
        let mut days: BTreeMap<DocId, BTreeSet<Day>> = BTreeMap::new();
        for Waiting { held, clocks } in waiting {
            let branch = held.claim.unit.and_then(|unit| terms.people.branch_of(unit));
            let audit = clocks.iter().find(|clock| clock.what == What::Audit);
            if let Some((branch, audit)) = branch.zip(audit) {
                let late = audit.late_days(today, &BTreeSet::new(), calendar);
                days.entry(branch).or_default().extend(late);
            }
        }
        days.retain(|_, days| !days.is_empty());
        let fine = &terms.in_force.policy(today).fine;
        let cost = |(branch, days): (DocId, BTreeSet<Day>)| Late {
            branch,
            days: days.len(),
            fine: penalty::late_fine(days.len(), fine),
        };
        Ok(days.into_iter().map(cost).collect())
    }
}

/// Returns for whom a claim waits; empty where for nobody.
#[must_use]
pub fn waits_for(state: Index) -> &'static str {
    match state {
        at::DRAFT | at::RETURNED => "claimant",
        at::SUBMITTED | at::GM_APPROVED | at::BATCHED => "supervisor",
        at::SUP_APPROVED => "branch_gm",
        at::IN_TRANSIT | at::MISSING_PAPER | at::RECEIVED | at::MGR_APPROVED | at::VP_APPROVED => "auditor",
        at::INFO_REQUESTED => "branch",
        at::AUDITED | at::REJECT_PROPOSED | at::FROZEN => "cs_manager",
        at::VP_PENDING => "sales_vp",
        at::HELD_BLACKOUT | at::TO_FINANCE | at::FIN_RECEIVED => "finance",
        _ => "",
    }
}

/// Returns when a claim came to where it is: its last decision, or its submission.
#[must_use]
pub fn since(claim: &Claim) -> Option<Ts> {
    let decided = claim.approvals.iter().map(|approval| approval.at).max();
    decided.max(claim.submission.as_ref().map(|submission| submission.at))
}
