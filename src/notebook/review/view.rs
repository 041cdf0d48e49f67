//! A claim as a reviewer reads it: its lines with vouchers, sheets, findings and cuts, its anomalies, what it pays.

use std::collections::BTreeMap;

use records::claim::checks;
use records::claim::facts::Facts;
use records::claim::settle::{self, Settled};
use records::claim::view::{Approval, Claim};
use records::id::DocId;
use records::problems::Problem;
use records::value::Target;

use crate::clock::Now;
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::facts::Anomaly;
use crate::notebook::review::told::{self, Told};
use crate::notebook::review::{self, Level, Opened, Reviewer, approve};
use crate::notebook::show;
use crate::store::Store;

/// A claim as a reviewer reads it.
#[derive(Debug, Clone)]
pub struct View {
    /// The claim.
    pub claim: Claim,
    /// What lost steps left to be seen.
    pub flags: Vec<&'static records::machine::State>,
    /// The level at which it waits, or would.
    pub level: Level,
    /// What is paid of it as it stands, this reviewer's own cuts included.
    pub settled: Settled,
    /// What the rules find.
    pub findings: Vec<Problem>,
    /// What must be acknowledged.
    pub anomalies: Vec<Anomaly>,
    /// This reviewer's cuts at that level, still to be approved.
    pub cuts: Vec<(u32, records::money::Fen)>,
    /// What stands between this person and the approval, but for the vouchers and acknowledgements he gives with it.
    pub hindrance: Option<Problem>,
    /// What became of his own last decision, where it does not stand.
    pub told: Option<Told>,
    /// Names of the people and documents that it mentions.
    pub names: BTreeMap<DocId, String>,
}

/// Returns a claim for a reviewer.
///
/// # Errors
/// What [`review::open`] refuses; [`NotebookError::Store`].
pub fn view(store: &Store, record: &str, principal: Option<&str>, now: Now) -> Result<View, NotebookError> {
    let reviewer = Reviewer::of(store, principal, now)?;
    let opened = review::open(store, record, &reviewer)?;
    let facts = reviewer.facts(store, &opened.claim)?;
    let cuts = approve::own_cuts(&opened.claim, opened.level, &reviewer);
    let hindrance = hindrance(&opened, &reviewer, &facts, cuts.is_empty());
    let settled = settle::settle(&with_own_cuts(&opened, &reviewer, now), &facts);
    Ok(View {
        flags: opened.document.flags(),
        level: opened.level,
        settled,
        findings: checks::check(&opened.claim, &facts),
        anomalies: reviewer.anomalies_of(opened.claim.id).to_vec(),
        cuts,
        hindrance,
        told: told::on(store, opened.claim.id, now)?,
        names: names(store, &opened.claim)?,
        claim: opened.claim,
    })
}

fn hindrance(opened: &Opened, reviewer: &Reviewer, facts: &Facts, whole: bool) -> Option<Problem> {
    let acks = facts.alerts.get(&opened.claim.id).cloned().unwrap_or_default();
    let vouchers = Some(opened.claim.voucher_count());
    let given = records::claim::guard::Given { vouchers, acks, reason: String::new() };
    let step = if whole { opened.level.approve } else { opened.level.cut };
    records::claim::guard::guard(&opened.claim, step, &reviewer.actor, &given, facts).err()
}

/// Returns the claim as it would be paid if this reviewer approved now.
fn with_own_cuts(opened: &Opened, reviewer: &Reviewer, now: Now) -> Claim {
    let mut claim = opened.claim.clone();
    claim.approvals.push(Approval {
        step: opened.level.cut.to_owned(),
        by: Some(reviewer.actor.staff),
        on_behalf_of: None,
        rev: claim.submission.as_ref().map_or(0, |submission| submission.rev),
        content: Vec::new(),
        vouchers: None,
        acks: Vec::new(),
        note: String::new(),
        at: now.wall,
    });
    claim
}

fn names(store: &Store, claim: &Claim) -> Result<BTreeMap<DocId, String>, NotebookError> {
    let sheets = claim.lines.iter().flat_map(|line| &line.sheets).filter_map(|sheet| match sheet {
        Target::Doc(id) => Some(*id),
        Target::Text(_) => None,
    });
    let people = claim.approvals.iter().filter_map(|approval| approval.by);
    let all = [claim.staff].into_iter().chain(claim.unit).chain(sheets).chain(people);
    let mut names = BTreeMap::new();
    for id in all {
        names.insert(id, show::name(store, id)?);
    }
    Ok(names)
}
