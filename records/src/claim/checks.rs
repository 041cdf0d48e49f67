//! What a claim lacks before it can be submitted and batched, and what its people should know: B, R and N.

mod work;

use crate::claim::facts::{Facts, TripFact};
use crate::claim::settle::{self, Settled};
use crate::claim::view::{Claim, Line, Ticket};
use crate::duplicate::is_strong;
use crate::id::DocId;
use crate::kinds::claim::CostOwner;
use crate::kinds::claim_machine as at;
use crate::kinds::trip_machine;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::choices::{AgeAction, Cutoff, DupAction, Needed};
use crate::policy::cycle::HalfMonth;
use crate::policy::{age, dispatch};
use crate::problems::Problem;
use crate::rules::Weight;
use crate::time::Day;

/// Characters that say what a non-service expense was for.
///
/// Source: docs/RULES.md P-20, B8.
pub const DETAIL_CHARS_MIN: usize = 10;

/// Returns everything that the rules find on a claim: what stands in its way, what needs a reason, what is to be known.
///
/// A claim that is being written is asked what its submission asks; from the GM's approval on also what its batch asks.
/// Every problem of a line names it as the fact `line`.
///
/// Source: docs/RULES.md, Claims.
///
/// ```
/// use records::claim::{checks, facts::Facts, view::Claim};
/// use records::kinds::claim::{CLAIM, Claimant};
/// use records::policy::{calendar::Calendar, terms::Policy};
/// # use records::value::{Ref, Row, Target, Value, encode};
/// # use records::schema::Typed;
/// let mut record = records::record::Record::new("7.1.1".parse()?, &CLAIM);
/// # let row: Row = vec![Some(Value::Ref(Target::Doc("0.1.5".parse()?))), None, Some(Value::Text("2026-01-H2".into())), None];
/// # record.write(Claimant::GROUP.tag(), &encode(Claimant::GROUP.fields, &row))?;
/// let claim = Claim::of(&record).ok_or("nobody's")?;
/// let facts = Facts::new("2026-02-01".parse()?, Policy::parse("")?, Calendar::china());
/// let rules: Vec<_> = checks::check(&claim, &facts).iter().map(|problem| problem.rule).collect();
/// assert_eq!(rules, ["B1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn check(claim: &Claim, facts: &Facts) -> Vec<Problem> {
    let settled = settle::settle(claim, facts);
    let mut problems = Vec::new();
    whole(claim, facts, &mut problems);
    trips(claim, facts, &mut problems);
    let next = next_mailing(claim, facts);
    for line in &claim.lines {
        let asked = Asked { claim, line, facts, next };
        if line.is_adjustment() {
            problems.extend(asked.adjustment());
            continue;
        }
        problems.extend(asked.filled());
        problems.extend(asked.day());
        problems.extend(asked.detail());
        problems.extend(asked.vouchers(&settled));
        problems.extend(asked.sheets());
    }
    problems
}

/// Returns the problems that stand in the claim's way: those that block, and those that need a reason and have none.
#[must_use]
pub fn in_the_way<'p>(problems: &'p [Problem], claim: &Claim) -> Vec<&'p Problem> {
    problems.iter().filter(|problem| stands_in_the_way(problem, claim)).collect()
}

/// Returns whether a problem blocks, or needs a reason that the claimant has not given.
#[must_use]
pub fn stands_in_the_way(problem: &Problem, claim: &Claim) -> bool {
    match problem.rule().map(|rule| rule.weight) {
        None | Some(Weight::Blocks) => true,
        Some(Weight::Reason) => !reasoned(problem, claim),
        Some(Weight::Notice) => false,
    }
}

/// Returns whether the claimant gave the reason that a problem needs.
#[must_use]
pub fn reasoned(problem: &Problem, claim: &Claim) -> bool {
    let key = (problem.rule.to_owned(), line_of(problem).unwrap_or(0));
    claim.reasons.get(&key).is_some_and(|reason| !reason.trim().is_empty())
}

/// Returns the line that a problem is about; `None` where it is about the whole claim.
#[must_use]
pub fn line_of(problem: &Problem) -> Option<u32> {
    problem.facts.iter().find(|(name, _)| *name == "line").and_then(|(_, n)| n.parse().ok())
}

/// Returns whether a category is of travel: its lines need the day of a trip and that half-month's summary.
///
/// Source: docs/RULES.md P-10, B3.
#[must_use]
pub const fn is_travel(category: Category) -> bool {
    needs_sheet(category) || matches!(category, Category::FUEL_TOLL_PARKING)
}

/// Returns whether lines of a category need a work sheet of that day or the trip.
///
/// Source: docs/RULES.md P-11, B4.
#[must_use]
pub const fn needs_sheet(category: Category) -> bool {
    matches!(category, Category::INTERCITY | Category::LODGING | Category::MEAL | Category::CITY_TRANSPORT)
}

/// Returns the half-months whose trip summaries a claim needs.
///
/// Source: docs/RULES.md P-10.
#[must_use]
pub fn halves_of(claim: &Claim) -> std::collections::BTreeSet<HalfMonth> {
    let travel =
        claim.lines.iter().filter(|line| !line.is_adjustment() && line.category.is_some_and(is_travel));
    travel.filter_map(|line| HalfMonth::of(line.trip_day.or(line.date)?)).collect()
}

fn of_claim(rule: &'static str, group: &'static str) -> Problem {
    Problem::new(rule, group, "")
}

fn of_line(rule: &'static str, line: &Line, field: &'static str) -> Problem {
    Problem::new(rule, "line", field).fact("line", line.n.to_string())
}

fn not_here(what: &'static str, id: &DocId) -> Problem {
    Problem::new("N6", what, "").fact("kind", what).fact("code", id.code())
}

/// Returns the day of the next mailing, while the claim is not submitted.
fn next_mailing(claim: &Claim, facts: &Facts) -> Option<Day> {
    let open = matches!(claim.state, at::DRAFT | at::RETURNED);
    let next = open.then(|| dispatch::first_from(facts.today, &facts.policy, &facts.calendar))?;
    next.map(|next| next.due)
}

/// What is asked of the whole claim.
fn whole(claim: &Claim, facts: &Facts, problems: &mut Vec<Problem>) {
    let root = &facts.policy.scope_root;
    let inside = claim.unit.is_some_and(|unit| {
        let units = &facts.people.units;
        facts.people.above(unit).any(|at| units.get(&at).is_some_and(|unit| unit.code == *root))
    });
    if !root.is_empty() && !inside {
        problems.push(of_claim("P-02", "claimant").fact("root", root));
    }
    if claim.lines.is_empty() {
        problems.push(of_claim("B1", "line"));
    }
    if claim.half.is_none() {
        problems.push(of_claim("B14", "claimant"));
    }
    let total = claim.claimed_total();
    let vp = &facts.policy.vp;
    if vp.is_asked(total, total) {
        problems.push(
            of_claim("N3", "submission")
                .fact("total", total.to_string())
                .fact("limit", vp.threshold.to_string()),
        );
    } else if hugs(total, vp.threshold) {
        problems.push(
            of_claim("R5", "submission")
                .fact("total", total.to_string())
                .fact("limit", vp.threshold.to_string()),
        );
    }
}

/// Returns whether an amount lies within the last 5 % below a limit.
fn hugs(amount: Fen, limit: Fen) -> bool {
    amount.0.saturating_mul(20) > limit.0.saturating_mul(19) && amount <= limit
}

/// What is asked of the trip summaries: one of each half-month with travel, submitted at least, approved at batching.
fn trips(claim: &Claim, facts: &Facts, problems: &mut Vec<Problem>) {
    let halves = halves_of(claim);
    let unknown = claim.trips.iter().filter(|id| !facts.trips.contains_key(id));
    problems.extend(unknown.map(|id| not_here("trip", id)));
    if facts.policy.attach.trip_summary == Needed::Optional {
        return;
    }
    let batching = (at::GM_APPROVED..=at::BATCHED).contains(&claim.state);
    for half in halves {
        let states = attached(claim, facts).filter(|trip| trip.half == half).map(|trip| trip.state);
        let states: Vec<_> = states.collect();
        let rule = match (states.contains(&trip_machine::APPROVED), states.contains(&trip_machine::SUBMITTED))
        {
            (true, _) => continue,
            (false, true) if !batching => "R6",
            (false, _) => "B3",
        };
        problems.push(of_claim(rule, "trip").fact("half", half.to_string()));
    }
}

/// Returns the claimant's own trip summaries that go with the claim and are known.
fn attached<'f>(claim: &'f Claim, facts: &'f Facts) -> impl Iterator<Item = &'f TripFact> {
    let known = claim.trips.iter().filter_map(|id| facts.trips.get(id));
    known.filter(|trip| trip.staff == claim.staff)
}

/// One line that is asked about.
struct Asked<'a> {
    claim: &'a Claim,
    line: &'a Line,
    facts: &'a Facts,
    /// The day of the next mailing, while the claim is not submitted.
    next: Option<Day>,
}

impl Asked<'_> {
    fn problem(&self, rule: &'static str, field: &'static str) -> Problem {
        of_line(rule, self.line, field)
    }

    /// A correction of a paid claim needs only an amount that is not zero.
    fn adjustment(&self) -> Option<Problem> {
        (self.line.claimed == Fen(0)).then(|| self.problem("B9", "claimed").fact("amount", "0.00"))
    }

    fn filled(&self) -> Vec<Problem> {
        let line = self.line;
        let mut problems = Vec::new();
        if line.category.is_none() {
            problems.push(self.problem("B12", "category"));
        }
        if line.date.is_none() {
            problems.push(self.problem("B12", "date"));
        }
        if line.claimed <= Fen(0) {
            problems.push(self.problem("B9", "claimed").fact("amount", line.claimed.to_string()));
        }
        let travel = line.category.is_some_and(is_travel);
        if travel && line.trip_day.is_none() && self.facts.policy.attach.trip_summary == Needed::Required {
            problems.push(self.problem("B11", "trip_day"));
        }
        problems
    }

    /// The line's day: not in the future, not after the claim's half-month, not too old.
    fn day(&self) -> Vec<Problem> {
        let Some(date) = self.line.date else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let asked = self.claim.submitted_day(self.facts.today);
        if date > asked || self.latest().is_some_and(|latest| date > latest) {
            let latest = self.latest().map_or(asked, |latest| latest.min(asked));
            problems.push(
                self.problem("B7", "date").fact("date", date.to_string()).fact("latest", latest.to_string()),
            );
        }
        let last_day = age::expiry(date, &self.facts.policy, &self.facts.calendar).last_day;
        let fact = |rule| {
            self.problem(rule, "date").fact("date", date.to_string()).fact("last_day", last_day.to_string())
        };
        if settle::is_expired(self.claim, self.line, self.facts) {
            problems.push(fact(match self.facts.policy.age.action {
                AgeAction::BlockLine => "B5",
                AgeAction::Warn => "N7",
            }));
        } else if let Some(goes) = self.misses_next(last_day) {
            problems.push(fact("N4").fact("dispatch", goes.to_string()));
        }
        problems
    }

    /// The last day of the claim's expenses; `None` where the policy draws no line.
    fn latest(&self) -> Option<Day> {
        let half = self.claim.half?;
        (self.facts.policy.cycle.cutoff == Cutoff::HalfMonth).then(|| half.last())
    }

    /// Returns the next mailing's day, where the line's last day lies before it and the claim is not submitted yet.
    fn misses_next(&self, last_day: Day) -> Option<Day> {
        let next = self.next?;
        (self.facts.today..next).contains(&last_day).then_some(next)
    }

    fn detail(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let apart = self.line.category == Some(Category::NON_SERVICE);
        let owner = self.claim.cost_owner;
        if apart && owner != CostOwner::NON_SERVICE {
            problems.push(self.problem("B13", "category"));
        }
        let told = self.line.detail.trim().chars().count();
        if (apart || owner == CostOwner::NON_SERVICE) && told < DETAIL_CHARS_MIN {
            problems.push(self.problem("B8", "detail").fact("need", DETAIL_CHARS_MIN.to_string()));
        }
        problems
    }

    fn vouchers(&self, settled: &Settled) -> Vec<Problem> {
        let mut problems = Vec::new();
        let line = self.line;
        let needed = settle::needs_vouchers(self.claim, line, self.facts);
        if needed && line.vouchers.is_empty() {
            problems.push(self.problem("B2", "voucher"));
        }
        for ticket in &line.vouchers {
            self.voucher(ticket, &mut problems);
        }
        if let Some(settled) = settled.line(line.n) {
            let paid = &settled.paid;
            let amounts = |rule| {
                let problem = self.problem(rule, "claimed").fact("claimed", line.claimed.to_string());
                problem.fact("support", paid.support.to_string()).fact("payable", paid.payable.to_string())
            };
            if needed && !line.vouchers.is_empty() && paid.support < line.claimed {
                problems.push(amounts("R1"));
            }
            if paid.support > line.claimed {
                problems.push(amounts("N2"));
            }
            if paid.self_paid > Fen(0) {
                problems.push(amounts("N1").fact("self_paid", paid.self_paid.to_string()));
            }
        }
        problems
    }

    fn voucher(&self, ticket: &Ticket, problems: &mut Vec<Problem>) {
        if settle::is_taken(self.claim, self.line, ticket, self.facts) {
            problems.push(self.duplicate(ticket));
        }
        let Some(id) = ticket.voucher else {
            return;
        };
        let code = id.code();
        let Some(fact) = self.facts.vouchers.get(&id) else {
            problems.push(not_here("voucher", &id).fact("line", self.line.n.to_string()));
            return;
        };
        if !fact.files_here {
            problems.push(self.problem("B10", "voucher").fact("voucher", &code));
        }
        if let Some(other) = &fact.alike {
            problems.push(self.problem("R2", "voucher").fact("voucher", &code).fact("other", other));
        }
        if let Some(qr) = &fact.qr {
            let checksum = if qr.checksum_ok { "✓" } else { "✗" };
            problems.push(
                self.problem("N5", "voucher")
                    .fact("amount", ticket.amount.to_string())
                    .fact("qr", qr.amount.to_string())
                    .fact("checksum", checksum),
            );
        }
    }

    fn duplicate(&self, ticket: &Ticket) -> Problem {
        let dup = &self.facts.policy.dup;
        let action = if is_strong(&ticket.key) { dup.strong } else { dup.weak };
        let rule = match action {
            DupAction::Block => "B6",
            DupAction::Reason => "R2",
        };
        let uses = self.facts.taken.get(&ticket.key).map(Vec::as_slice).unwrap_or_default();
        let elsewhere = uses.iter().find(|at| at.claim != self.claim.id);
        let other = match elsewhere {
            Some(at) if at.no.is_empty() => at.claim.code(),
            Some(at) => at.no.clone(),
            None => self.claim.no.clone().unwrap_or_else(|| self.claim.id.code()),
        };
        let voucher = ticket.voucher.map_or_else(|| ticket.key.clone(), |id| id.code());
        self.problem(rule, "voucher").fact("voucher", voucher).fact("other", other)
    }
}

#[cfg(test)]
mod tests;
