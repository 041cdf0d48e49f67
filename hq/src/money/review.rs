//! The reviews of a branch, taken in the office where a supervisor or a GM has no device at hand.

use records::kinds::claim::{CutReason, Cuts, LineReturns};
use records::kinds::claim_machine as at;
use records::money::Fen;
use records::value::Count;
use sync_protocol::op::Write;

use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::decide::Taken;
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{instant, link, put, text};

/// A line that is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut<'a> {
    /// Which line, from 1.
    pub line: u32,
    /// What is left of it.
    pub to: Fen,
    /// Why: an identifier of [`CutReason`], words may follow after a colon.
    pub reason: &'a str,
}

/// What a reviewer says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review<'a> {
    /// It is in order, with some lines cut.
    Approve {
        /// How many vouchers he counted.
        vouchers: Option<u32>,
        /// The rules of the anomalies that he acknowledges.
        acks: &'a [String],
        /// What he cuts.
        cuts: &'a [Cut<'a>],
    },
    /// It goes back.
    Return {
        /// The line that is wrong; `None`: the whole.
        line: Option<u32>,
        /// Why.
        reason: &'a str,
    },
}

impl Desk {
    /// Reviews a claim: as its supervisor while it is submitted, as the branch GM after that.
    ///
    /// # Errors
    /// W-11 for a reason that is not of the list, and what [`Desk::decide`] refuses.
    pub fn review(
        &mut self,
        name: &str,
        review: &Review<'_>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        let rev = held.claim.submission.as_ref().map(|submission| Count(submission.rev));
        let level = if held.claim.state == at::SUP_APPROVED { "gm" } else { "sup" };
        let (step, taken, extra) = match review {
            Review::Approve { vouchers, acks, cuts } => {
                let step = format!("{level}_{}", if cuts.is_empty() { "approve" } else { "cut" });
                let row = |cut: &Cut<'_>| Ok(Cuts { rev, ..cut_row(cut, &step, actor, now_ms)? });
                let rows: Vec<Cuts> = cuts.iter().map(row).collect::<Result<_, Refusal>>()?;
                let extra: Vec<Write> = if rows.is_empty() { Vec::new() } else { vec![put(&rows)] };
                (step, Taken { vouchers: *vouchers, acks, ..Taken::default() }, extra)
            }
            Review::Return { line, reason } => {
                let step = format!("{level}_return");
                let row = |line: &u32| LineReturns {
                    line: Some(Count(*line)),
                    step: text(&step),
                    reason: reason_of(reason).ok(),
                    note: text(words(reason)),
                    rev,
                    at: Some(instant(now_ms)),
                };
                let extra = line.iter().map(row).map(|row| put(&[row])).collect();
                (step, Taken { reason, ..Taken::default() }, extra)
            }
        };
        self.decide(held.record.id, actor, &Taken { step: &step, ..taken }, extra, now_ms)?;
        self.claim(name)
    }
}

fn cut_row(cut: &Cut<'_>, step: &str, actor: &Actor, now_ms: u64) -> Result<Cuts, Refusal> {
    Ok(Cuts {
        line: Some(Count(cut.line)),
        to: Some(cut.to),
        step: text(step),
        reason: Some(reason_of(cut.reason)?),
        note: text(words(cut.reason)),
        by: link(actor.staff),
        at: Some(instant(now_ms)),
        ..Cuts::default()
    })
}

/// Returns the reason that a text begins with.
fn reason_of(text: &str) -> Result<CutReason, Refusal> {
    let word = text.split(':').next().unwrap_or_default().trim();
    let list = CutReason::CHOICES;
    list.index(word).map(CutReason).ok_or_else(|| {
        let allowed: Vec<&str> = list.options.iter().map(|(name, ..)| *name).collect();
        let refusal = Refusal::by("W-11").case("list").label("step", "核减", "Cut").with("code", text);
        refusal.with("allowed", allowed.join(", "))
    })
}

fn words(reason: &str) -> &str {
    reason.split_once(':').map_or("", |(_, words)| words)
}
