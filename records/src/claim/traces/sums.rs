//! Amounts against amounts: a claim split below the vice-president's limit (A3), claims that hug a limit (A4), round
//! amounts (A6), a day far above what colleagues spend (A11).

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::traces::Trace;
use crate::claim::traces::trail::{Trail, list, name};
use crate::claim::view::Claim;
use crate::id::DocId;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::terms::Policy;
use crate::time::Day;

/// Asks A3, A4, A6 and A11.
pub fn look(trail: &Trail, policy: &Policy, traces: &mut Vec<Trace>) {
    traces.extend(split(trail, policy));
    traces.extend(hugs(trail, policy, None, policy.vp.threshold));
    for (category, cap) in &trail.caps {
        traces.extend(hugs(trail, policy, Some(*category), *cap));
    }
    traces.extend(round(trail, policy));
    traces.extend(dear_days(trail, policy));
}

/// Returns the claim and the other claims of its person that were submitted and still count.
fn persons(trail: &Trail) -> impl Iterator<Item = &Claim> {
    let own = std::iter::once(&trail.claim);
    own.chain(trail.live()).filter(|claim| claim.staff == trail.claim.staff && claim.submission.is_some())
}

fn amounts<'c>(claims: impl IntoIterator<Item = &'c (&'c Claim, Fen)>) -> String {
    list(claims.into_iter().map(|(claim, amount)| format!("{} {amount}", name(claim))))
}

fn others(trail: &Trail, claims: &[(&Claim, Fen)]) -> Vec<DocId> {
    claims.iter().map(|(claim, _)| claim.id).filter(|id| *id != trail.claim.id).collect()
}

fn sum(amounts: impl IntoIterator<Item = Fen>) -> Fen {
    Fen(amounts.into_iter().fold(0_i64, |sum, amount| sum.saturating_add(amount.0)))
}

/// A3: claims of one mailing that each stay below the vice-president's limit, and together do not.
fn split(trail: &Trail, policy: &Policy) -> Option<Trace> {
    let cycle =
        trail.claim.submission.as_ref().map(|own| own.cycle.as_str()).filter(|own| !own.is_empty())?;
    let asked = |total: Fen| policy.vp.is_asked(total, total);
    let same = persons(trail).filter(|claim| claim.submission.as_ref().is_some_and(|own| own.cycle == cycle));
    let small: Vec<(&Claim, Fen)> =
        same.map(|claim| (claim, claim.claimed_total())).filter(|(_, total)| !asked(*total)).collect();
    let total = sum(small.iter().map(|(_, total)| *total));
    let part = small.iter().any(|(claim, _)| claim.id == trail.claim.id);
    (part && small.len() >= 2 && asked(total)).then(|| {
        let trace = Trace::new("A3", None).about(others(trail, &small)).fact("claims", &amounts(&small));
        trace.fact("cycle", &cycle).fact("sum", &total).fact("limit", &policy.vp.threshold)
    })
}

/// A4: several claims that end just below a limit.
fn hugs(trail: &Trail, policy: &Policy, category: Option<Category>, limit: Fen) -> Option<Trace> {
    let terms = &policy.trace;
    let last = trail.day()?;
    let within = |day: Day| (0..i32::from(terms.window_days)).contains(&last.0.saturating_sub(day.0));
    let amount = |claim: &Claim| match category {
        None => claim.claimed_total(),
        Some(category) => {
            let lines = claim.lines.iter().filter(|line| line.category == Some(category));
            sum(lines.map(|line| line.claimed))
        }
    };
    let least = i128::from(100_u8.saturating_sub(terms.hug_percent));
    let hugs = |amount: Fen| amount <= limit && i128::from(amount.0) * 100 > i128::from(limit.0) * least;
    let recent = persons(trail).filter(|claim| claim.submission.as_ref().is_some_and(|own| within(own.day)));
    let close: Vec<(&Claim, Fen)> =
        recent.map(|claim| (claim, amount(claim))).filter(|(_, amount)| hugs(*amount)).collect();
    let part = close.iter().any(|(claim, _)| claim.id == trail.claim.id);
    (part && close.len() >= usize::from(terms.hug_claims)).then(|| {
        let trace = Trace::new("A4", None).about(others(trail, &close)).fact("claims", &amounts(&close));
        trace.fact("limit", &limit).fact("days", &terms.window_days)
    })
}

/// A6: several round amounts in one claim.
fn round(trail: &Trail, policy: &Policy) -> Option<Trace> {
    let unit = policy.trace.round.0.max(1);
    let lines = trail.claim.lines.iter().filter(|line| !line.is_adjustment());
    let round: Vec<String> = lines
        .filter(|line| line.claimed > Fen(0) && line.claimed.0 % unit == 0)
        .map(|line| format!("{}: {}", line.n, line.claimed))
        .collect();
    (round.len() >= usize::from(policy.trace.round_lines))
        .then(|| Trace::new("A6", None).fact("lines", &list(round)).fact("unit", &Fen(unit)))
}

/// A11: days on which the person spent more than so many times what the middle colleague spends on a day.
fn dear_days(trail: &Trail, policy: &Policy) -> Vec<Trace> {
    let Some(twice_median) = twice_median(&trail.peers) else {
        return Vec::new();
    };
    let days: BTreeSet<Day> = trail.claim.lines.iter().filter_map(|line| line.date).collect();
    let spent = per_day(persons(trail).chain(std::iter::once(&trail.claim)));
    let factor = i128::from(policy.trace.peer_factor);
    let dear = |day: &Day| {
        let amount = spent.get(day).copied().unwrap_or_default();
        (i128::from(amount.0) * 2 > twice_median * factor).then_some((*day, amount))
    };
    let median = Fen(i64::try_from(twice_median / 2).unwrap_or(i64::MAX));
    let trace = |(day, amount): (Day, Fen)| {
        let trace = Trace::new("A11", None).fact("day", &day).fact("sum", &amount).fact("median", &median);
        trace.fact("factor", &policy.trace.peer_factor).fact("n", &trail.peers.len())
    };
    days.iter().filter_map(dear).map(trace).collect()
}

/// Returns what claims come to on each day; a claim that comes twice counts once.
pub(crate) fn per_day<'c>(claims: impl IntoIterator<Item = &'c Claim>) -> BTreeMap<Day, Fen> {
    let mut seen = BTreeSet::new();
    let mut days: BTreeMap<Day, Fen> = BTreeMap::new();
    for claim in claims.into_iter().filter(|claim| seen.insert(claim.id)) {
        for line in claim.lines.iter().filter(|line| !line.is_adjustment()) {
            let Some(day) = line.date else { continue };
            let spent = days.entry(day).or_default();
            *spent = Fen(spent.0.saturating_add(line.claimed.0));
        }
    }
    days
}

/// Returns twice the median, which is a whole number of fen; `None` of nothing.
fn twice_median(amounts: &[Fen]) -> Option<i128> {
    let mut sorted = amounts.to_vec();
    sorted.sort_unstable();
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(i128::from(upper.0) + i128::from(lower.0))
}
