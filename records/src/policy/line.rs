//! What is paid of one line of a claim, and every step of the reckoning.

use crate::money::Fen;
use crate::policy::cap::CapAccount;
use crate::policy::choices::Shortage;
use crate::policy::terms::Policy;

/// One line of a claim, as far as its payment depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// What was claimed, tax included; above zero.
    pub claimed: Fen,
    /// What the supervisor cut it to.
    pub sup_cut: Option<Fen>,
    /// What the branch GM cut it to.
    pub gm_cut: Option<Fen>,
    /// Its vouchers.
    pub vouchers: &'a [Ticket],
    /// Whether its category needs vouchers.
    pub needs_vouchers: bool,
    /// What the auditor said; [`Verdict::Ok`] before he did.
    pub verdict: Verdict,
    /// The month's ceiling of its category, with what was paid under it already; `None` where there is none.
    pub cap: Option<CapAccount>,
}

/// One voucher of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Its amount, tax included.
    pub amount: Fen,
    /// Whether it counts: neither rejected nor used on another line.
    pub counts: bool,
}

/// What the auditor says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// In order.
    Ok,
    /// Its vouchers fall short.
    ShortVoucher,
    /// Above the month's ceiling.
    OverCap,
    /// Too old.
    Expired,
    /// In a batch that was sent too late.
    LateBatch,
    /// A voucher is not valid.
    Invalid,
    /// A voucher is forged; the expense itself is real.
    FakeInvoice,
    /// The expense never happened.
    FalseClaim,
    /// Claimed before.
    Duplicate,
    /// Not filled in or pasted as it should be.
    NonCompliant,
    /// Changed by the auditor.
    Adjusted,
    /// Withdrawn.
    Void,
}

impl Verdict {
    /// Returns whether anything is paid of a line with this verdict.
    ///
    /// A forged voucher is rejected, and what the others support is paid.
    #[must_use]
    pub const fn pays(self) -> bool {
        match self {
            Self::Ok
            | Self::ShortVoucher
            | Self::OverCap
            | Self::Invalid
            | Self::FakeInvoice
            | Self::NonCompliant
            | Self::Adjusted => true,
            Self::Expired | Self::LateBatch | Self::FalseClaim | Self::Duplicate | Self::Void => false,
        }
    }

    /// Returns the rule that takes the whole line, where the policy has one.
    const fn rule(self) -> &'static str {
        match self {
            Self::Expired => "P-17",
            Self::LateBatch => "P-28",
            Self::FalseClaim => "P-27",
            Self::Duplicate => "B6",
            _ => "",
        }
    }
}

/// One step of the reckoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What it is.
    pub what: What,
    /// Its amount.
    pub amount: Fen,
    /// The rule behind it; empty for what only adds up.
    pub rule: &'static str,
}

/// What a step of the reckoning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// What was claimed.
    Claimed,
    /// What the supervisor cut it to.
    SupCut,
    /// What the branch GM cut it to.
    GmCut,
    /// A voucher that counts.
    Voucher,
    /// A voucher that does not count.
    NotCounted,
    /// What the vouchers come to.
    Support,
    /// By how much they exceed the claimed amount; it changes nothing.
    Surplus,
    /// By how much they fall short; taken off.
    Shortage,
    /// What the verdict takes off.
    Refused,
    /// The ceiling.
    Cap,
    /// Approved exceptions to it.
    Exceptions,
    /// What was paid under it already.
    Used,
    /// What is left of it.
    Room,
    /// What the claimant bears himself.
    SelfPaid,
    /// What is paid.
    Payable,
}

impl What {
    /// Returns the name that `--json` answers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::SupCut => "sup_cut",
            Self::GmCut => "gm_cut",
            Self::Voucher => "voucher",
            Self::NotCounted => "not_counted",
            Self::Support => "support",
            Self::Surplus => "surplus",
            Self::Shortage => "shortage",
            Self::Refused => "refused",
            Self::Cap => "cap",
            Self::Exceptions => "exceptions",
            Self::Used => "used",
            Self::Room => "room",
            Self::SelfPaid => "self_paid",
            Self::Payable => "payable",
        }
    }
}

/// What is paid of a line; with what is not, it adds up to what was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// What is paid.
    pub payable: Fen,
    /// What lies above the month's ceiling: the claimant bears it himself.
    pub self_paid: Fen,
    /// What is not paid for another reason: cut, without vouchers, refused.
    pub taken_off: Fen,
    /// What the vouchers that count come to.
    pub support: Fen,
    /// Every step, in order.
    pub steps: Vec<Step>,
}

/// Why nothing can be reckoned.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum LineError {
    /// A claimed amount that is not above zero.
    #[error("{0} is not above zero")]
    NotPositive(Fen),
    /// A cut, ceiling or exception below zero, or paid amounts below zero.
    #[error("{0} is below zero")]
    Negative(Fen),
    /// Vouchers beyond all that can be counted.
    #[error("the vouchers come to more than can be counted")]
    TooLarge,
}

/// Returns what is paid of a line: final when it is audited, provisional before.
///
/// # Errors
/// [`LineError`] where an amount cannot be one.
///
/// Source: docs/RULES.md P-12, P-26, R1, N1.
///
/// ```
/// use records::money::Fen;
/// use records::policy::line::{Line, Ticket, Verdict, payable};
/// let policy = records::policy::terms::Policy::parse("")?;
/// let vouchers = [6_000, 3_000].map(|fen| Ticket { amount: Fen(fen), counts: true });
/// let line = Line {
///     claimed: Fen(10_000), sup_cut: None, gm_cut: None, vouchers: &vouchers, needs_vouchers: true,
///     verdict: Verdict::Ok, cap: None,
/// };
/// assert_eq!(payable(&line, &policy)?.payable, Fen(9_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn payable(line: &Line<'_>, policy: &Policy) -> Result<Paid, LineError> {
    line.check()?;
    let mut reckoning = Reckoning { base: line.claimed, steps: Vec::new() };
    reckoning.step(What::Claimed, line.claimed, "");
    reckoning.cut(What::SupCut, line.sup_cut, "P-03");
    reckoning.cut(What::GmCut, line.gm_cut, "P-04");
    let support = reckoning.support(line, policy)?;
    if !line.verdict.pays() {
        reckoning.step(What::Refused, reckoning.base, line.verdict.rule());
        reckoning.base = Fen(0);
    }
    let self_paid = line.cap.map_or(Fen(0), |cap| reckoning.cap(&cap));
    let payable = Fen(reckoning.base.0 - self_paid.0);
    reckoning.step(What::Payable, payable, "");
    let taken_off = Fen(line.claimed.0 - reckoning.base.0);
    Ok(Paid { payable, self_paid, taken_off, support, steps: reckoning.steps })
}

impl Line<'_> {
    fn check(&self) -> Result<(), LineError> {
        if self.claimed.0 <= 0 {
            return Err(LineError::NotPositive(self.claimed));
        }
        let cap = self.cap.unwrap_or_default();
        let amounts = [self.sup_cut, self.gm_cut, Some(cap.cap), Some(cap.exceptions), Some(cap.used)];
        match amounts.into_iter().flatten().find(|amount| amount.0 < 0) {
            Some(amount) => Err(LineError::Negative(amount)),
            None => Ok(()),
        }
    }
}

/// A reckoning that is under way.
struct Reckoning {
    /// What is left of the claimed amount.
    base: Fen,
    steps: Vec<Step>,
}

impl Reckoning {
    fn step(&mut self, what: What, amount: Fen, rule: &'static str) {
        self.steps.push(Step { what, amount, rule });
    }

    fn cut(&mut self, what: What, to: Option<Fen>, rule: &'static str) {
        if let Some(to) = to {
            self.step(what, to, rule);
            self.base = self.base.min(to);
        }
    }

    /// Takes off what the vouchers do not support, and returns what they come to.
    fn support(&mut self, line: &Line<'_>, policy: &Policy) -> Result<Fen, LineError> {
        let mut sum = 0_i64;
        for voucher in line.vouchers {
            self.step(if voucher.counts { What::Voucher } else { What::NotCounted }, voucher.amount, "");
            if voucher.counts {
                sum = sum.checked_add(voucher.amount.0).ok_or(LineError::TooLarge)?;
            }
        }
        let support = Fen(sum);
        if !line.needs_vouchers || (line.cap.is_some() && !policy.caps.receipts) {
            return Ok(support);
        }
        self.step(What::Support, support, "");
        if support > line.claimed {
            self.step(What::Surplus, Fen(sum.saturating_sub(line.claimed.0)), "P-26");
        }
        if support < self.base {
            let left = match policy.voucher.shortage {
                Shortage::PaySupport => support.max(Fen(0)),
                Shortage::Refuse => Fen(0),
            };
            self.step(What::Shortage, Fen(self.base.0 - left.0), "R1");
            self.base = left;
        }
        Ok(support)
    }

    /// Returns what lies above the ceiling.
    fn cap(&mut self, cap: &CapAccount) -> Fen {
        self.step(What::Cap, cap.cap, "P-12");
        if cap.exceptions > Fen(0) {
            self.step(What::Exceptions, cap.exceptions, "P-12");
        }
        self.step(What::Used, cap.used, "P-12");
        let room = cap.room();
        self.step(What::Room, room, "P-12");
        let above = Fen((self.base.0 - room.0).max(0));
        if above > Fen(0) {
            self.step(What::SelfPaid, above, "N1");
        }
        above
    }
}
