//! What changed on a claim since a reviewer decided, in two lines: then and now.

use records::claim::view::{Claim, Line};
use records::id::{DocId, OpId};
use records::money::Fen;

use crate::notebook::review;
use crate::store::Store;
use crate::store::error::StoreError;

/// A claim at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Which submission.
    pub rev: u32,
    /// What it comes to.
    pub claimed: Fen,
    /// How many vouchers it has.
    pub vouchers: u32,
    /// The lines that read otherwise on the other side, with their amounts and vouchers.
    pub lines: Vec<(u32, Fen, usize)>,
}

/// Two states of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As the reviewer saw it.
    pub then: Glance,
    /// As it is.
    pub now: Glance,
}

/// Returns how a claim differs from what the author of a decision saw; `None` where it does not.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn since(store: &Store, claim: DocId, decision: OpId) -> Result<Option<Difference>, StoreError> {
    let Some((then, _)) = store.as_seen_by(claim, decision)? else {
        return Ok(None);
    };
    let now = store.document(claim)?;
    let (Some(then), Some(now)) = (review::read(&then), now.and_then(|now| review::read(&now))) else {
        return Ok(None);
    };
    Ok(of(&then, &now))
}

/// Returns how two states of a claim differ; `None` where they are the same submission.
#[must_use]
pub fn of(then: &Claim, now: &Claim) -> Option<Difference> {
    let rev = |claim: &Claim| claim.submission.as_ref().map_or(0, |submission| submission.rev);
    if rev(then) == rev(now) && then.lines == now.lines {
        return None;
    }
    Some(Difference { then: glance(then, now), now: glance(now, then) })
}

fn glance(claim: &Claim, other: &Claim) -> Glance {
    let changed = |line: &&Line| other.line(line.n) != Some(*line);
    let row = |line: &Line| (line.n, line.claimed, line.vouchers.len());
    Glance {
        rev: claim.submission.as_ref().map_or(0, |submission| submission.rev),
        claimed: claim.claimed_total(),
        vouchers: claim.voucher_count(),
        lines: claim.lines.iter().filter(changed).map(row).collect(),
    }
}
