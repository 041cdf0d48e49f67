//! A claim read into plain values, so that rules need not know how it is stored.

mod rows;

use std::collections::BTreeMap;

use crate::claim::view::rows::{
    audited, count, cuts, doc, line_return, lines, paper, question, reason, submitted, text,
};
use crate::id::DocId;
use crate::kinds::approval::Approvals;
use crate::kinds::claim::{
    AuditLines, ClaimNo, Claimant, CostOwner, CutReason, LineReturns, LineVerdict, PaperSeen, Papers,
    Questions, Reasons, Submission, Trips,
};
use crate::kinds::voucher::{Category, VoucherKind};
use crate::machine::Index;
use crate::money::Fen;
use crate::policy::cycle::{HalfMonth, Month};
use crate::record::Record;
use crate::time::{Day, Ts};
use crate::value::Target;

/// An expense claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which document.
    pub id: DocId,
    /// Its number, from the first submission on.
    pub no: Option<String>,
    /// Whose it is.
    pub staff: DocId,
    /// His unit when he wrote it.
    pub unit: Option<DocId>,
    /// The half-month that it is for; `None` where none was written.
    pub half: Option<HalfMonth>,
    /// Who bears the cost.
    pub cost_owner: CostOwner,
    /// Where it is, see [`crate::kinds::claim_machine`].
    pub state: Index,
    /// What was submitted last; `None` before the first submission.
    pub submission: Option<Submitted>,
    /// The lines, by number; those that were taken out are not here.
    pub lines: Vec<Line>,
    /// The trip summaries that go with it.
    pub trips: Vec<DocId>,
    /// Every decision with its person, in order.
    pub approvals: Vec<Approval>,
    /// What reviewers cut of this revision: of one line, step and person the last word.
    pub cuts: Vec<Cut>,
    /// Which lines reviewers sent back, and why.
    pub line_returns: Vec<LineReturn>,
    /// What the audit says of each line.
    pub audit: BTreeMap<u32, Audited>,
    /// Where its paper was seen, in order.
    pub papers: Vec<Paper>,
    /// Questions to the branch and their answers, in order.
    pub questions: Vec<Question>,
    /// What the claimant says to findings that need a reason, by rule and line (0: the whole claim).
    pub reasons: BTreeMap<(String, u32), String>,
}

/// What was frozen by a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Counts the submissions, from 1.
    pub rev: u32,
    /// The day, by the policy's zone.
    pub day: Day,
    /// The instant.
    pub at: Ts,
    /// The policy by which the claim is judged.
    pub policy_version: String,
    /// The mailing that it goes with, like `2026-02-A`.
    pub cycle: String,
    /// Sum of its lines.
    pub claimed_total: Fen,
    /// Its vouchers.
    pub vouchers: u32,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub n: u32,
    /// What the money was spent on.
    pub category: Option<Category>,
    /// When.
    pub date: Option<Day>,
    /// The month that a phone bill is for.
    pub service_month: Option<Month>,
    /// From where to where.
    pub from_to: String,
    /// What is claimed, tax included; 0 where nothing was written.
    pub claimed: Fen,
    /// The day of the trip that it belongs to.
    pub trip_day: Option<Day>,
    /// What for, in words.
    pub detail: String,
    /// Why there is no work sheet.
    pub no_sheet_reason: String,
    /// A remark.
    pub note: String,
    /// The paid claim that it corrects, and the line there.
    pub adjusts: Option<(DocId, u32)>,
    /// Its vouchers as they read when they were placed.
    pub vouchers: Vec<Ticket>,
    /// The work that it belongs to; typed text where the sheet is not known.
    pub sheets: Vec<Target>,
}

/// A voucher on a line, as it read when it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Which voucher; `None` where it was only typed.
    pub voucher: Option<DocId>,
    /// Its amount, tax included.
    pub amount: Fen,
    /// The day on it.
    pub date: Option<Day>,
    /// Its kind.
    pub kind: Option<VoucherKind>,
    /// Its duplicate key; empty where too little stands on it.
    pub key: String,
}

/// One decision with its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The step's name.
    pub step: String,
    /// Who took it; `None` for a step of the system.
    pub by: Option<DocId>,
    /// For whom, where he was a delegate.
    pub on_behalf_of: Option<DocId>,
    /// Of which submission.
    pub rev: u32,
    /// First bytes of the digest of what he saw.
    pub content: Vec<u8>,
    /// The vouchers that he counted.
    pub vouchers: Option<u32>,
    /// The anomalies that he acknowledged.
    pub acks: Vec<String>,
    /// What he said.
    pub note: String,
    /// When.
    pub at: Ts,
}

/// What a reviewer cut a line to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Which line.
    pub line: u32,
    /// What is left.
    pub to: Fen,
    /// `sup_cut` or `gm_cut`.
    pub step: String,
    /// Why.
    pub reason: Option<CutReason>,
    /// Why, in words.
    pub note: String,
    /// Who.
    pub by: Option<DocId>,
    /// When.
    pub at: Ts,
}

/// What a reviewer says of a line that he sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineReturn {
    /// Which line.
    pub line: u32,
    /// `sup_return` or `gm_return`.
    pub step: String,
    /// Of which submission.
    pub rev: u32,
    /// Why.
    pub reason: Option<CutReason>,
    /// Why, in words.
    pub note: String,
    /// When.
    pub at: Ts,
}

/// What the audit says of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// The verdict.
    pub verdict: LineVerdict,
    /// What is paid.
    pub payable: Fen,
    /// What the claimant bears himself.
    pub self_paid: Fen,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Option<DocId>,
    /// When.
    pub at: Ts,
}

/// Where the paper was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Where.
    pub seen: PaperSeen,
    /// Who saw it.
    pub by: Option<DocId>,
    /// When.
    pub at: Ts,
}

/// A question to the branch, or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The words.
    pub text: String,
    /// Whether it answers.
    pub answer: bool,
    /// Who.
    pub by: Option<DocId>,
    /// When.
    pub at: Ts,
}

impl Claim {
    /// Reads a claim; `None` where it does not say whose it is, as a document whose first op is not here.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let claimant = record.get::<Claimant>()?;
        let staff = doc(claimant.staff.as_ref())?;
        let submission = record.get::<Submission>().map(submitted);
        Some(Self {
            id: record.id,
            no: record.get::<ClaimNo>().and_then(|group| group.claim_no).map(|no| no.0),
            staff,
            unit: doc(claimant.unit.as_ref()),
            half: claimant.half.and_then(|half| half.0.parse().ok()),
            cost_owner: claimant.cost_owner.unwrap_or(CostOwner::SERVICE),
            state: record.state,
            cuts: cuts(record, submission.as_ref().map_or(0, |submission| submission.rev)),
            submission,
            lines: lines(record),
            trips: record.all::<Trips>().iter().filter_map(|row| doc(row.trip.as_ref())).collect(),
            approvals: record.all::<Approvals>().into_iter().map(Approval::of).collect(),
            line_returns: record.all::<LineReturns>().into_iter().map(line_return).collect(),
            audit: record.all::<AuditLines>().into_iter().filter_map(audited).collect(),
            papers: record.all::<Papers>().iter().filter_map(paper).collect(),
            questions: record.all::<Questions>().into_iter().map(question).collect(),
            reasons: record.all::<Reasons>().into_iter().map(reason).collect(),
        })
    }

    /// Returns the sum of its lines, never beyond what can be counted.
    #[must_use]
    pub fn claimed_total(&self) -> Fen {
        Fen(self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.claimed.0)))
    }

    /// Returns how many vouchers stand on its lines: what a reviewer counts.
    ///
    /// Source: docs/RULES.md P-03.
    #[must_use]
    pub fn voucher_count(&self) -> u32 {
        let all = self.lines.iter().map(|line| line.vouchers.len()).sum::<usize>();
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// Returns the line of that number.
    #[must_use]
    pub fn line(&self, n: u32) -> Option<&Line> {
        self.lines.iter().find(|line| line.n == n)
    }

    /// Returns what a line was cut to by `step`: what the one cut who then took that step on this revision. What
    /// another one cut whose decision did not stand, or who did not decide yet, is not among it.
    #[must_use]
    pub fn cut_to(&self, line: u32, step: &str) -> Option<Fen> {
        let rev = self.submission.as_ref().map_or(0, |submission| submission.rev);
        // Of two who took it apart from one another the first in the order of headquarters stands.
        let taken = self.approvals.iter().find(|approval| approval.step == step && approval.rev == rev)?;
        let cut = self.cuts.iter().find(|cut| cut.line == line && cut.step == step && cut.by == taken.by);
        cut.map(|cut| cut.to)
    }

    /// Returns the day that decides how old its lines are and by which policy it is judged: that of its submission,
    /// `today` before it.
    #[must_use]
    pub fn submitted_day(&self, today: Day) -> Day {
        self.submission.as_ref().map_or(today, |submission| submission.day)
    }
}

impl Approval {
    /// Reads one row.
    #[must_use]
    pub fn of(row: Approvals) -> Self {
        Self {
            step: text(row.step),
            by: doc(row.by.as_ref()),
            on_behalf_of: doc(row.on_behalf_of.as_ref()),
            rev: count(row.rev),
            content: row.content.map(|digest| digest.0).unwrap_or_default(),
            vouchers: row.vouchers.map(|n| n.0),
            acks: text(row.acks).split_whitespace().map(str::to_owned).collect(),
            note: text(row.note),
            at: row.at.unwrap_or_default(),
        }
    }
}

impl Line {
    /// Returns what its vouchers come to, never beyond what can be counted.
    #[must_use]
    pub fn support(&self) -> Fen {
        Fen(self.vouchers.iter().fold(0_i64, |sum, ticket| sum.saturating_add(ticket.amount.0)))
    }

    /// Returns whether it corrects a line that was paid: it may be below zero.
    #[must_use]
    pub const fn is_adjustment(&self) -> bool {
        self.adjusts.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::claim::{CLAIM, LineSheets, Lines, Placed};
    use crate::kinds::claim_machine;
    use crate::kinds::voucher::Category;
    use crate::value::{Count, Ref, Text};

    fn doc(text: &str) -> DocId {
        text.parse().unwrap()
    }

    fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
        Some(Text(text.to_owned()))
    }

    #[test]
    fn a_record_reads_as_lines_with_their_vouchers_and_the_last_word_of_each() {
        let claimant = Claimant {
            staff: Some(Ref(Target::Doc(doc("0.1.11")))),
            half: text("2026-01-H2"),
            ..Claimant::default()
        };
        let line = |n, claimed: Option<i64>| Lines {
            line: Some(Count(n)),
            category: claimed.map(|_| Category::MEAL),
            claimed: claimed.map(Fen),
            ..Lines::default()
        };
        let placed = |n, voucher: &str| Placed {
            line: Some(Count(n)),
            voucher: Some(Ref(Target::Doc(doc(voucher)))),
            amount: Some(Fen(600)),
            key: text("V:1:2"),
            ..Placed::default()
        };
        let verdict = |payable| AuditLines {
            line: Some(Count(2)),
            verdict: Some(LineVerdict::OK),
            payable: Some(Fen(payable)),
            ..AuditLines::default()
        };
        let reason = |words: &str| Reasons {
            rule: text("R1"),
            line: Some(Count(2)),
            reason: text(words),
            ..Reasons::default()
        };
        let mut record = Record::new(doc("7.1.1"), &CLAIM)
            .with(&[claimant])
            .with(&[line(2, Some(1_200)), line(1, None)])
            .with(&[placed(2, "7.1.5"), placed(2, "7.1.6"), placed(9, "7.1.7")])
            .with(&[LineSheets { line: Some(Count(2)), sheet: Some(Ref(Target::Text("R1".into()))) }])
            .with(&[verdict(1_000), verdict(900)])
            .with(&[reason("one"), reason("two")]);
        record.state = claim_machine::RECEIVED;
        let claim = Claim::of(&record).unwrap();
        assert_eq!((claim.staff, claim.half), (doc("0.1.11"), "2026-01-H2".parse().ok()));
        let [line] = claim.lines.as_slice() else { panic!("line 1 was taken out, line 9 never stood") };
        assert_eq!((line.n, line.vouchers.len(), line.support()), (2, 2, Fen(1_200)));
        assert_eq!(line.sheets, [Target::Text("R1".into())]);
        assert_eq!((claim.claimed_total(), claim.voucher_count()), (Fen(1_200), 2));
        assert_eq!(claim.audit.get(&2).map(|audited| audited.payable), Some(Fen(900)));
        assert_eq!(claim.reasons.get(&("R1".to_owned(), 2)).map(String::as_str), Some("two"));
        assert_eq!(Claim::of(&Record::new(doc("7.1.1"), &CLAIM)), None, "nobody's");
    }
}
