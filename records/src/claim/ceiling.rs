//! Monthly ceilings of a claim's lines: which one counts, and what is left of it.

use crate::claim::facts::{Account, Facts, Granted, Order, Spent};
use crate::claim::view::{Claim, Line};
use crate::kinds::exception::ExceptionKind;
use crate::money::Fen;
use crate::policy::cap::{self, CapAccount};
use crate::policy::choices::CapScope;
use crate::policy::cycle::Month;
use crate::time::Day;

/// Returns the ceiling that a line counts under, were there one.
#[must_use]
pub fn account(claim: &Claim, line: &Line, facts: &Facts) -> Option<Account> {
    let category = line.category?;
    let month = cap::month(category, line.date?, line.service_month, &facts.policy.caps)?;
    Some(Account { category, month, staff: claim.staff })
}

/// Who takes from ceilings before a line: earlier lines of its own claim, and what counts of others.
struct Before<'a, F> {
    claim: &'a Claim,
    own: &'a [(Account, Fen)],
    counts: F,
    facts: &'a Facts,
}

/// Returns the ceiling of a line with what was taken from it before; `None` where it has none.
///
/// `own` is what the earlier lines of the claim took, `order` the line's place among those of other claims.
pub(super) fn ceiling(
    claim: &Claim,
    account: &Account,
    own: &[(Account, Fen)],
    order: impl FnOnce() -> Order,
    facts: &Facts,
) -> Option<CapAccount> {
    let amount = cap_row(claim, account, facts)?;
    let order = order();
    let counts = |at: &Spent| at.claim != claim.id && (at.audited || at.order < order);
    let before = Before { claim, own, counts, facts };
    let (exceptions, used) = (exceptions(claim, account, facts), before.used(account));
    let cap = if facts.policy.caps.carry_over { before.over_the_year(account, used) } else { amount };
    Some(CapAccount { cap, exceptions, used })
}

impl<F: Fn(&Spent) -> bool> Before<'_, F> {
    /// Returns the month's ceiling with what the year's months before left, and without what later ones took of that.
    ///
    /// From January to any month no more is paid than those months' ceilings; a month without one begins anew.
    fn over_the_year(&self, account: &Account, used: Fen) -> Fen {
        let month = |month| Account { month, ..*account };
        let year =
            || (-11..=11).map(|n| account.month.plus(n)).filter(|at| at.year() == account.month.year());
        let cap = |at| cap_row(self.claim, &month(at), self.facts);
        let started = year().filter(|at| *at < account.month && cap(*at).is_none()).max();
        let mut left = 0_i64;
        let mut least: Option<i64> = None;
        for at in year().filter(|at| started.is_none_or(|gap| *at > gap)) {
            let Some(cap) = cap(at) else { break };
            // What an exception paid for is not taken from the ceilings; this month's own is looked at later.
            let took = match at == account.month {
                true => used,
                false => Fen(self
                    .used(&month(at))
                    .0
                    .saturating_sub(exceptions(self.claim, &month(at), self.facts).0)),
            };
            left = left.saturating_add(cap.0).saturating_sub(took.0.max(0));
            if at >= account.month {
                least = Some(least.map_or(left, |least| least.min(left)));
            }
        }
        Fen(least.unwrap_or(0).saturating_add(used.0).max(0))
    }

    /// Returns what was taken from an account, never below zero.
    fn used(&self, account: &Account) -> Fen {
        let facts = self.facts;
        let sum = |used: i64, paid: Fen| used.saturating_add(paid.0);
        let own = self.own.iter().filter(|(other, _)| shares(other, account, facts));
        let own = own.fold(0, |used, (_, paid)| sum(used, *paid));
        let counting = |rows: &[Spent]| -> i64 {
            rows.iter().filter(|at| (self.counts)(at)).fold(0, |used, at| sum(used, at.paid))
        };
        let others = match facts.policy.caps.scope {
            CapScope::PerPerson => facts.spent.get(account).map_or(0, |rows| counting(rows)),
            CapScope::PerUnit => {
                let same = |at: &Account| (at.category, at.month) == (account.category, account.month);
                let rows = facts.spent.iter().filter(|(at, _)| same(at)).flat_map(|(_, rows)| rows);
                let unit = rows.filter(|at| at.unit == self.claim.unit && (self.counts)(at));
                unit.fold(0, |used, at| sum(used, at.paid))
            }
        };
        Fen(own.saturating_add(others).max(0))
    }
}

fn exceptions(claim: &Claim, account: &Account, facts: &Facts) -> Fen {
    let fits = |granted: &&Granted| {
        granted.kind == ExceptionKind::CAP
            && granted.category == Some(account.category)
            && granted.month.is_none_or(|month| month == account.month)
            && granted.staff.is_none_or(|staff| staff == claim.staff)
            && granted.claim.is_none_or(|id| id == claim.id)
            && (granted.staff.is_some() || granted.claim.is_some())
    };
    let granted = facts.exceptions.iter().filter(fits);
    Fen(granted.fold(0_i64, |sum, granted| sum.saturating_add(granted.amount.0.max(0))))
}

/// Returns the ceiling of a month: of the narrowest row that is valid in it. Only lump-sum units have one.
#[must_use]
pub fn cap_row(claim: &Claim, account: &Account, facts: &Facts) -> Option<Fen> {
    let unit = claim.unit?;
    if !facts.people.above(unit).any(|at| facts.people.units.get(&at).is_some_and(|unit| unit.lump_sum)) {
        return None;
    }
    let grade = facts.people.staff.get(&claim.staff).map_or("", |person| person.grade.as_str());
    let rows = facts.caps.iter().filter_map(|row| {
        let depth = facts.people.above(unit).position(|at| at == row.unit)?;
        let of_month = |day: Day| Month::of(day);
        let valid = of_month(row.valid_from).is_some_and(|from| from <= account.month)
            && row.valid_to.is_none_or(|to| of_month(to).is_some_and(|to| account.month <= to));
        let fits = row.category == account.category
            && row.staff.is_none_or(|staff| staff == claim.staff)
            && (row.grade.is_empty() || row.grade == grade);
        let narrow = (row.staff.is_some(), !row.grade.is_empty(), std::cmp::Reverse(depth), row.valid_from);
        (fits && valid).then_some((narrow, row.amount))
    });
    rows.max_by_key(|(narrow, _)| *narrow).map(|(_, amount)| amount)
}

/// Returns whether two accounts draw on one ceiling.
fn shares(one: &Account, other: &Account, facts: &Facts) -> bool {
    let same = (one.category, one.month) == (other.category, other.month);
    match facts.policy.caps.scope {
        CapScope::PerPerson => same && one.staff == other.staff,
        CapScope::PerUnit => same,
    }
}
