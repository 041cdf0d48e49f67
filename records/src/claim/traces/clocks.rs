//! When things were done: a device's clock that was set (A14), approvals faster than anybody reads (A16).

use crate::claim::traces::Trace;
use crate::claim::traces::marks::approved;
use crate::claim::traces::trail::Trail;
use crate::id::DocId;
use crate::policy::terms::Policy;
use crate::time::Ts;

const MINUTE_MS: i64 = 60_000;

/// Asks A14 and A16.
pub fn look(trail: &Trail, policy: &Policy, traces: &mut Vec<Trace>) {
    traces.extend(jump(trail, policy));
    traces.extend(hasty(trail, policy));
}

/// A14: the clock of the person's device was set by more than the policy bears; the farthest jump is told.
fn jump(trail: &Trail, policy: &Policy) -> Option<Trace> {
    let limit = u64::from(policy.trace.clock_min) * 60_000;
    let far = trail.jumps.iter().filter(|jump| jump.by_ms.unsigned_abs() > limit);
    let jumps: Vec<_> = far.collect();
    let worst = jumps.iter().max_by_key(|jump| (jump.by_ms.unsigned_abs(), jump.replica, jump.seq))?;
    let trace =
        Trace::new("A14", None).fact("minutes", &(worst.by_ms / MINUTE_MS)).fact("device", &worst.replica.0);
    Some(trace.fact("seq", &worst.seq).fact("n", &jumps.len()))
}

/// A16: the supervisor who approved the claim approved many more within a few minutes.
fn hasty(trail: &Trail, policy: &Policy) -> Option<Trace> {
    let own = approved(&trail.claim).last()?;
    let claims = std::iter::once(&trail.claim).chain(trail.claims.iter().filter(|c| c.id != trail.claim.id));
    let mut by_him: Vec<(Ts, DocId)> = claims
        .flat_map(|claim| approved(claim).map(move |(by, at)| (by, at, claim.id)))
        .filter(|(by, ..)| *by == own.0)
        .map(|(_, at, claim)| (at, claim))
        .collect();
    by_him.sort_unstable();
    // A claim that was approved twice is read twice, but counts once.
    let width = i64::from(policy.trace.approvals_min) * MINUTE_MS;
    let within = |start: Ts| {
        let inside = |at: &Ts| (0..width).contains(&at.0.saturating_sub(start.0));
        let mut claims: Vec<DocId> =
            by_him.iter().filter(|(at, _)| inside(at)).map(|(_, claim)| *claim).collect();
        claims.sort_unstable();
        claims.dedup();
        (inside(&own.1) && claims.contains(&trail.claim.id)).then_some((claims.len(), start))
    };
    let near = by_him.iter().filter(|(at, _)| own.1.0.abs_diff(at.0) < width.unsigned_abs());
    let (n, start) = near.filter_map(|(start, _)| within(*start)).max()?;
    (n > usize::from(policy.trace.approvals)).then(|| {
        let trace = Trace::new("A16", None).about([own.0]).fact("n", &n).fact("by", &own.0.code());
        trace.fact("minutes", &policy.trace.approvals_min).fact("from", &start.minute(trail.zone))
    })
}
