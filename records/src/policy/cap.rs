//! Monthly ceilings: what is left of one, and which month an expense counts in.

use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::choices::MonthBasis;
use crate::policy::cycle::Month;
use crate::policy::terms::Caps;
use crate::time::Day;

/// One person's ceiling of one category in one month, and what was paid under it.
///
/// Claims are entered in the order of their submission, then of their numbers, then of their lines.
///
/// Source: docs/RULES.md P-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CapAccount {
    /// The ceiling.
    pub cap: Fen,
    /// Approved exceptions, which raise it.
    pub exceptions: Fen,
    /// What was paid already.
    pub used: Fen,
}

impl CapAccount {
    /// Returns what is left, never below zero.
    #[must_use]
    pub fn room(&self) -> Fen {
        let raised = self.cap.0.saturating_add(self.exceptions.0);
        Fen(raised.saturating_sub(self.used.0).max(0))
    }

    /// Enters what was paid.
    pub fn spend(&mut self, paid: Fen) {
        self.used.0 = self.used.0.saturating_add(paid.0);
    }
}

/// Returns the month in which an expense counts: that of its date, or the billed one where the policy says so.
///
/// `service_month` is the billed month; without one, the date decides. `None` outside the years 1 to 9999.
///
/// Source: docs/RULES.md P-12.
#[must_use]
pub fn month(category: Category, date: Day, service_month: Option<Month>, caps: &Caps) -> Option<Month> {
    let basis = caps.month_basis.iter().find(|(named, _)| *named == category).map(|(_, basis)| *basis);
    match basis {
        Some(MonthBasis::ServiceMonth) => service_month.or_else(|| Month::of(date)),
        Some(MonthBasis::Date) | None => Month::of(date),
    }
}
