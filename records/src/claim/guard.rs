//! Whether a person may take a step on a claim now: the same on a device before it saves, at intake and in the office.

pub mod batch;
pub mod case;
pub mod payment;
pub mod sentences;
pub mod trip;

use std::collections::BTreeSet;

use crate::claim::checks;
use crate::claim::facts::Facts;
use crate::claim::segregation::{self, Level};
use crate::claim::settle;
use crate::claim::system;
use crate::claim::view::{Claim, Cut};
use crate::id::DocId;
use crate::kinds::claim::PaperSeen;
use crate::kinds::claim_machine::{self as at, CLAIM};
use crate::kinds::payment_machine;
use crate::kinds::staff::Role;
use crate::kinds::trip_machine;
use crate::machine::{Machine, Reason, Step};
use crate::money::Fen;
use crate::policy::choices::Needed;
use crate::policy::due;
use crate::problems::Problem;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub staff: DocId,
    /// His own roles.
    pub roles: BTreeSet<Role>,
    /// The principal for whom he acts; his roles count then, as far as they were delegated.
    pub on_behalf_of: Option<DocId>,
}

/// What is given with a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The vouchers that were counted.
    pub vouchers: Option<u32>,
    /// The rules of the anomalies that were acknowledged.
    pub acks: BTreeSet<String>,
    /// The reason of the step.
    pub reason: String,
}

impl Actor {
    /// Returns somebody who acts for himself.
    #[must_use]
    pub fn new(staff: DocId, roles: impl IntoIterator<Item = Role>) -> Self {
        Self { staff, roles: roles.into_iter().collect(), on_behalf_of: None }
    }

    /// Returns the same person acting for a principal.
    #[must_use]
    pub fn on_behalf_of(self, principal: DocId) -> Self {
        Self { on_behalf_of: Some(principal), ..self }
    }

    /// Returns whose authority counts: the principal's, else his own.
    #[must_use]
    pub fn principal(&self) -> DocId {
        self.on_behalf_of.unwrap_or(self.staff)
    }

    /// Returns the people whose hands are on the step: himself and his principal.
    #[must_use]
    pub fn people(&self) -> Vec<DocId> {
        [Some(self.staff), self.on_behalf_of].into_iter().flatten().collect()
    }

    /// Returns the roles in which he acts today.
    ///
    /// # Errors
    /// C-06 where nobody delegated anything to him today.
    pub fn acting(&self, facts: &Facts) -> Result<BTreeSet<Role>, Problem> {
        let Some(principal) = self.on_behalf_of else {
            return Ok(self.roles.clone());
        };
        let roles = facts.people.delegated(principal, self.staff, facts.today);
        if roles.is_empty() { Err(refusal("C-06").fact("today", facts.today.to_string())) } else { Ok(roles) }
    }
}

/// Returns a refusal by a rule.
pub(crate) const fn refusal(rule: &'static str) -> Problem {
    Problem::new(rule, "decision", "")
}

/// Says whether `actor` may take a step on a claim, with what he gives, on the day of the facts.
///
/// `claim` is the claim as it will read: cuts, verdicts and papers that are written together with the step stand in
/// it, its state is the one before the step. Steps of the system are taken by [`system::next`] alone.
///
/// # Errors
/// The first rule that refuses, as a [`Problem`].
///
/// Source: docs/RULES.md, Claims.
pub fn guard(claim: &Claim, step: &str, actor: &Actor, given: &Given, facts: &Facts) -> Result<(), Problem> {
    let taken = possible(&CLAIM, claim.state, step, &given.reason)?;
    let roles = roles_for(taken, actor, facts)?;
    let reaches = |role: &&Role| segregation::reaches(step, **role, claim, facts);
    let mut reaching = roles.iter().filter(reaches).peekable();
    if reaching.peek().is_none() {
        return Err(refusal("C-08").fact("step", step));
    }
    let own_step = matches!(step, "submit" | "withdraw");
    let his_unit = |role: &Role| segregation::is_his_unit(step, *role, actor.principal(), claim, facts);
    let claimants = matches!(step, "void" | "answer") && actor.staff == claim.staff;
    if !own_step && !claimants && !reaching.any(his_unit) {
        return Err(refusal("C-05").fact("step", step));
    }
    apart(claim, step, taken, actor, facts)?;
    reviewed(claim, step, given, facts)?;
    own_rules(claim, step, actor, facts)
}

/// Returns a machine's step where it leads on from `state` and its reason is given.
///
/// # Errors
/// C-01 for a step that is not possible there, C-11 for a missing reason, C-18 for a step of the system.
pub(crate) fn possible(
    machine: &'static Machine,
    state: u8,
    step: &str,
    reason: &str,
) -> Result<&'static Step, Problem> {
    let state_name = machine.states.get(usize::from(state)).map_or("?", |state| state.name);
    let not_here = || refusal("C-01").fact("step", step).fact("state", state_name);
    let (_, found) = machine.step(step).ok_or_else(not_here)?;
    if !found.from.contains(&state) {
        return Err(not_here());
    }
    if found.who.is_empty() {
        return Err(refusal("C-18").fact("step", step));
    }
    let word = reason.split(':').next().unwrap_or_default().trim();
    let (given, wanted) = match found.reason {
        Reason::None => (true, String::new()),
        Reason::Words => (!reason.trim().is_empty(), String::new()),
        Reason::OneOf(list) => {
            let words: Vec<&str> = list.options.iter().map(|(word, ..)| *word).collect();
            (list.index(word).is_some(), words.join(", "))
        }
    };
    if given { Ok(found) } else { Err(refusal("C-11").fact("step", step).fact("words", wanted)) }
}

/// Returns the roles in which somebody may take a step.
///
/// # Errors
/// C-02 without such a role, C-06 without a delegation.
pub(crate) fn roles_for(step: &Step, actor: &Actor, facts: &Facts) -> Result<Vec<Role>, Problem> {
    let acting = actor.acting(facts)?;
    let roles: Vec<Role> = step.who.iter().copied().filter(|role| acting.contains(role)).collect();
    if !roles.is_empty() {
        return Ok(roles);
    }
    let names = step.who.iter().filter_map(|role| Some(Role::CHOICES.option(role.0)?.0));
    Err(refusal("C-02").fact("step", step.name).fact("roles", names.collect::<Vec<_>>().join(", ")))
}

/// Nobody judges his own claim, and nobody judges one at two levels.
fn apart(claim: &Claim, step: &str, taken: &Step, actor: &Actor, facts: &Facts) -> Result<(), Problem> {
    let people = actor.people();
    let judges = taken.apart || matches!(step, "freeze" | "unfreeze");
    if judges && segregation::is_own(claim, &people, facts) {
        return Err(refusal("C-03").fact("step", step));
    }
    let Some(level) = Level::of(step) else {
        return Ok(());
    };
    match segregation::other_level(claim, &people, level) {
        Some(other) => Err(refusal("C-04").fact("step", step).fact("other", other)),
        None => Ok(()),
    }
}

/// What a reviewer gives with his approval: the number of vouchers, and a word on each anomaly.
fn reviewed(claim: &Claim, step: &str, given: &Given, facts: &Facts) -> Result<(), Problem> {
    let counted = matches!(step, "sup_approve" | "sup_cut") && facts.policy.review.sup_count_required;
    let system = claim.voucher_count();
    if given.vouchers.is_some_and(|n| n != system) || counted && given.vouchers.is_none() {
        let typed = given.vouchers.map_or_else(|| "–".to_owned(), |n| n.to_string());
        return Err(refusal("P-03").fact("typed", typed).fact("system", system.to_string()));
    }
    let approves = matches!(
        step,
        "sup_approve" | "sup_cut" | "gm_approve" | "gm_cut" | "audit" | "mgr_approve" | "vp_approve"
    );
    let open = facts.alerts.get(&claim.id).filter(|_| approves);
    match open.into_iter().flatten().find(|rule| !given.acks.contains(*rule)) {
        Some(rule) => Err(refusal("C-07").fact("rule", rule)),
        None => Ok(()),
    }
}

/// What each step asks for itself.
fn own_rules(claim: &Claim, step: &str, actor: &Actor, facts: &Facts) -> Result<(), Problem> {
    match step {
        "submit" => submits(claim, actor, facts),
        "withdraw" if actor.staff != claim.staff => Err(refusal("C-12").fact("step", step)),
        "sup_cut" | "gm_cut" => cuts(claim, step, actor),
        "sup_approve" | "gm_approve" => cuts_nothing(claim, step, actor),
        "batch" => trips_approved(claim, facts),
        "receive" => receives(claim, facts),
        "audit" => audits(claim, facts),
        "mgr_approve" | "vp_approve" => audits(claim, facts),
        "hand_over" | "hold" => hands_over(claim, step, facts),
        "accept" => open_today(facts),
        "pay" => pays(claim, facts),
        _ => Ok(()),
    }
}

/// A submission passes every blocking rule, by its claimant; a number that was given stays.
fn submits(claim: &Claim, actor: &Actor, facts: &Facts) -> Result<(), Problem> {
    if actor.staff != claim.staff || actor.on_behalf_of.is_some() {
        return Err(refusal("C-12").fact("step", "submit"));
    }
    let problems = checks::check(claim, facts);
    match problems.into_iter().find(|problem| checks::stands_in_the_way(problem, claim)) {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// A step that cuts says what: each of his own cuts below what was claimed, on a line of the claim.
fn cuts(claim: &Claim, step: &str, actor: &Actor) -> Result<(), Problem> {
    let mine: Vec<_> = own_cuts(claim, step, actor).collect();
    if mine.is_empty() {
        return Err(refusal("C-13").fact("step", step));
    }
    for cut in mine {
        let claimed = claim.line(cut.line).map_or(Fen(0), |line| line.claimed);
        if cut.to < Fen(0) || cut.to >= claimed || cut.reason.is_none() {
            let problem = refusal("C-14").fact("line", cut.line.to_string());
            return Err(problem.fact("to", cut.to.to_string()).fact("claimed", claimed.to_string()));
        }
    }
    Ok(())
}

/// A plain approval cuts nothing: a cut written with it would not be told to the claimant.
fn cuts_nothing(claim: &Claim, step: &str, actor: &Actor) -> Result<(), Problem> {
    let cut_step = if step == "sup_approve" { "sup_cut" } else { "gm_cut" };
    match own_cuts(claim, cut_step, actor).next() {
        Some(cut) => Err(refusal("C-15").fact("line", cut.line.to_string()).fact("step", cut_step)),
        None => Ok(()),
    }
}

/// Returns what the actor himself cut of this revision: what another reviewer cut and did not decide on is not his.
fn own_cuts<'c>(claim: &'c Claim, step: &str, actor: &Actor) -> impl Iterator<Item = &'c Cut> {
    claim.cuts.iter().filter(move |cut| cut.step == step && cut.by == Some(actor.staff))
}

/// In the batch every trip summary is approved.
fn trips_approved(claim: &Claim, facts: &Facts) -> Result<(), Problem> {
    if facts.policy.attach.trip_summary == Needed::Optional {
        return Ok(());
    }
    let approved = |half| {
        let known = claim.trips.iter().filter_map(|id| facts.trips.get(id));
        let mut own = known.filter(|trip| trip.staff == claim.staff && trip.half == half);
        own.any(|trip| trip.state == trip_machine::APPROVED)
    };
    match checks::halves_of(claim).into_iter().find(|half| !approved(*half)) {
        Some(half) => Err(Problem::new("B3", "trip", "").fact("half", half.to_string())),
        None => Ok(()),
    }
}

/// Its cover was scanned, or a copy came in its place. Past the branch goes only what no branch has to do with.
fn receives(claim: &Claim, facts: &Facts) -> Result<(), Problem> {
    if claim.state == at::GM_APPROVED && !segregation::is_of_headquarters(claim, facts) {
        return Err(refusal("C-16").fact("state", "gm_approved"));
    }
    let seen = claim.papers.last().map(|paper| paper.seen);
    if matches!(seen, Some(PaperSeen::SCANNED | PaperSeen::COPY)) { Ok(()) } else { Err(refusal("C-09")) }
}

/// Every line has a verdict, and none pays more than the rules leave.
fn audits(claim: &Claim, facts: &Facts) -> Result<(), Problem> {
    if let Some(line) = claim.lines.iter().find(|line| !claim.audit.contains_key(&line.n)) {
        return Err(refusal("P-05").fact("line", line.n.to_string()));
    }
    let settled = settle::settle(claim, facts);
    for line in &settled.lines {
        let Some(audited) = claim.audit.get(&line.n) else {
            continue;
        };
        if audited.payable > line.paid.payable {
            let problem = refusal("C-10").fact("line", line.n.to_string());
            let problem = problem.fact("payable", audited.payable.to_string());
            return Err(problem.fact("rules", line.paid.payable.to_string()));
        }
    }
    Ok(())
}

/// Finance gets what every level approved, on a day on which it takes claims in; in the blackout the claim is held.
fn hands_over(claim: &Claim, step: &str, facts: &Facts) -> Result<(), Problem> {
    if system::needs_vp(claim, facts) {
        return Err(refusal("P-08").fact("limit", facts.policy.vp.threshold.to_string()));
    }
    let closed = facts.policy.blackout.holds(facts.today);
    match (step, closed) {
        ("hand_over", true) => open_today(facts),
        ("hold", false) => Err(refusal("C-19").fact("today", facts.today.to_string())),
        _ => Ok(()),
    }
}

fn open_today(facts: &Facts) -> Result<(), Problem> {
    let closure = due::blackout(facts.today, &facts.policy, &facts.calendar);
    if !closure.closed {
        return Ok(());
    }
    Err(refusal("P-24").fact("today", facts.today.to_string()).fact("opens", closure.opens.to_string()))
}

/// Paid once: exactly one payment batch that did not fail holds the claim, and the bank said that it was paid.
fn pays(claim: &Claim, facts: &Facts) -> Result<(), Problem> {
    let all = facts.payments.get(&claim.id).map(Vec::as_slice).unwrap_or_default();
    let mut living = all
        .iter()
        .filter(|payment| payment.state != payment_machine::CANCELLED && payment.paid != Some(false));
    match (living.next(), living.next()) {
        (Some(payment), None) => {
            let confirmed = payment.state == payment_machine::CONFIRMED
                || payment.state == payment_machine::PART_FAILED && payment.paid == Some(true);
            if confirmed { Ok(()) } else { Err(refusal("C-21")) }
        }
        (None, _) => Err(refusal("C-21")),
        (Some(_), Some(_)) => Err(refusal("C-22")),
    }
}

#[cfg(test)]
mod others;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod tests;
