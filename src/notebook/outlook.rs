//! What becomes of a receipt: until when it can be claimed, with which mailing, and what the month's ceiling leaves of it.

use records::claim::settle::settle;
use records::claim::view::{Claim, Line, Ticket};
use records::id::DocId;
use records::kinds::claim::CostOwner;
use records::kinds::claim_machine;
use records::money::Fen;
use records::policy::cycle::{Cycle, HalfMonth};
use records::policy::line::{Paid, What};
use records::policy::{age, dispatch};

use crate::clock::Now;
use crate::notebook::claim::facts;
use crate::notebook::claim::paper::Paper;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;

/// What becomes of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The last day on which it may be submitted.
    pub last_day: records::time::Day,
    /// Days that are left, the last one not counted; below zero it is too old.
    pub days_left: i32,
    /// The last mailing that can carry it.
    pub last_with: Option<Cycle>,
    /// The month's ceiling; `None` where its category has none.
    pub cap: Option<Ceiling>,
}

/// A month's ceiling as a receipt meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The ceiling, exceptions included.
    pub cap: Fen,
    /// What claims and the receipts before this one leave of it.
    pub room: Fen,
    /// What its owner will bear himself of this receipt.
    pub own: Fen,
}

/// Returns what becomes of a receipt of one's own; `papers` are those that no submitted claim holds. `None` of any
/// other, and of one that lacks its day.
///
/// # Errors
/// [`NotebookError::Store`].
///
/// Source: docs/RULES.md P-12, P-17.
pub fn outlook(
    store: &Store,
    papers: &[Paper],
    id: DocId,
    now: Now,
) -> Result<Option<Outlook>, NotebookError> {
    let Some((paper, date)) = papers.iter().find(|paper| paper.id == id).and_then(|p| Some((p, p.date?)))
    else {
        return Ok(None);
    };
    let claim = imagined(store, papers, paper);
    let facts = facts::of(store, &[&claim], now)?;
    let last_day = age::expiry(date, &facts.policy, &facts.calendar).last_day;
    let settled = settle(&claim, &facts);
    let own_line = settled.lines.last().filter(|line| line.account.is_some());
    Ok(Some(Outlook {
        last_day,
        days_left: last_day.0.saturating_sub(facts.today.0),
        last_with: dispatch::last_for(date, &facts.policy, &facts.calendar).map(|last| last.cycle),
        cap: own_line.map(|line| ceiling(&line.paid)),
    }))
}

fn ceiling(paid: &Paid) -> Ceiling {
    let sum = |what: What| {
        let steps = paid.steps.iter().filter(|step| step.what == what);
        steps.fold(0_i64, |sum, step| sum.saturating_add(step.amount.0))
    };
    Ceiling {
        cap: Fen(sum(What::Cap).saturating_add(sum(What::Exceptions))),
        room: Fen(sum(What::Room)),
        own: paid.self_paid,
    }
}

/// A claim of the receipts that take from the same ceiling before this one, and of this one last.
fn imagined(store: &Store, papers: &[Paper], paper: &Paper) -> Claim {
    let enrolment = &store.identity().enrolment;
    let same = |other: &&Paper| other.id != paper.id && other.category == paper.category;
    let before = papers.iter().take_while(|other| other.id != paper.id).filter(same);
    let lines = (1..).zip(before.chain([paper])).map(|(n, paper)| line(n, paper)).collect();
    Claim {
        id: paper.id,
        no: None,
        staff: enrolment.staff,
        unit: Some(enrolment.unit),
        half: paper.date.and_then(HalfMonth::of),
        cost_owner: CostOwner::SERVICE,
        state: claim_machine::DRAFT,
        submission: None,
        lines,
        trips: Vec::new(),
        approvals: Vec::new(),
        cuts: Vec::new(),
        line_returns: Vec::new(),
        audit: std::collections::BTreeMap::new(),
        papers: Vec::new(),
        questions: Vec::new(),
        reasons: std::collections::BTreeMap::new(),
    }
}

fn line(n: u32, paper: &Paper) -> Line {
    let amount = paper.amount.unwrap_or_default();
    // A ticket without a name counts as it stands: whether it was claimed before is another notice.
    let ticket = Ticket { voucher: None, amount, date: paper.date, kind: paper.kind, key: String::new() };
    Line {
        n,
        category: paper.category,
        date: paper.date,
        service_month: paper.month,
        from_to: String::new(),
        claimed: amount,
        trip_day: None,
        detail: String::new(),
        no_sheet_reason: String::new(),
        note: String::new(),
        adjusts: None,
        vouchers: vec![ticket],
        sheets: Vec::new(),
    }
}
