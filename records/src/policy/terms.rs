//! The terms of a policy: every number and choice that the rules read.
//!
//! Source: docs/RULES.md, The policy file.

use crate::money::Fen;
use crate::policy::choices::{
    AgeAction, AgeFrom, AgeTo, CapScope, Cutoff, DupAction, FineMode, FinePer, FinedSupervisor, GradeMonth,
    Holiday, LateBatch, ManifestMissing, MonthBasis, Needed, Reset, Shortage, SlaStart, Surplus, VpBasis,
};
use crate::policy::cycle::Half;
use crate::time::Zone;

/// The policy where a company has none of its own.
pub const STANDARD: &str = include_str!("standard.toml");

/// One version of a company's policy; read by [`Policy::parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Stands in every claim that was judged by it.
    pub version: String,
    /// Where a day begins.
    pub zone: Zone,
    /// The currency of claims, three capital letters.
    pub currency: String,
    /// Code of the unit whose people claim; empty means the whole company.
    pub scope_root: String,
    /// Who looks at a claim.
    pub review: Review,
    /// Whether a step whose holder is the claimant goes to the next one.
    pub skip_up: bool,
    /// Vouchers on one paste sheet.
    pub paste_max_per_sheet: u16,
    /// The mailings.
    pub cycle: Cycles,
    /// How old an expense may be.
    pub age: Age,
    /// What becomes of a batch that was sent too late.
    pub late_batch: LateBatch,
    /// When the vice-president is asked.
    pub vp: Vp,
    /// How long each step may take.
    pub sla: Sla,
    /// When finance takes nothing in.
    pub blackout: Blackout,
    /// Too many and too few vouchers.
    pub voucher: Vouchers,
    /// Claim numbers.
    pub number: Numbers,
    /// What is attached to a claim.
    pub attach: Attach,
    /// Monthly ceilings.
    pub caps: Caps,
    /// Penalties.
    pub fine: Fines,
    /// The lists that go with a batch.
    pub manifest: Manifest,
    /// Vouchers that were there before.
    pub dup: Dup,
    /// What betrays a wrong claim.
    pub trace: Traces,
    /// Minutes for which a device stays unlocked once its PIN was given, and for which its pages may lie unused.
    pub unlock_minutes: u16,
}

impl Policy {
    /// Returns whether a batch is taken only with its lists, whose numbers have no hole.
    ///
    /// Source: docs/RULES.md P-25.
    #[must_use]
    pub fn wants_lists(&self) -> bool {
        let manifest = &self.manifest;
        manifest.required && manifest.missing == ManifestMissing::Refuse && self.number.contiguous
    }
}

/// Who looks at a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// Whether the supervisor types the number of vouchers.
    pub sup_count_required: bool,
    /// Whether the branch GM reviews.
    pub gm: bool,
    /// Whether the manager reviews.
    pub manager: bool,
}

/// The mailings of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycles {
    /// How many there are: 1 (A alone) or 2.
    pub count: u8,
    /// Which expenses a mailing carries.
    pub cutoff: Cutoff,
    /// What a day does that is not worked.
    pub holiday: Holiday,
    /// Whether a mailing may go before its day.
    pub early_ok: bool,
    /// The first mailing of a month.
    pub a: Mailing,
    /// The second.
    pub b: Mailing,
}

/// One mailing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mailing {
    /// The half-month that it carries.
    pub half: Half,
    /// The day of the month on which it goes, 1 to 28.
    pub dispatch_day: u32,
    /// So many months after the half-month, 0 to 3.
    pub month_offset: u8,
}

/// How old an expense may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Calendar months, ending on the same day of the month or its last.
    pub limit_months: u8,
    /// Days on top of them.
    pub limit_days: u16,
    /// From when the age counts.
    pub from: AgeFrom,
    /// To when it counts.
    pub to: AgeTo,
    /// What a last day does that is not worked.
    pub holiday: Holiday,
    /// What becomes of an older line.
    pub action: AgeAction,
}

/// When the vice-president is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp {
    /// The amount of one claim.
    pub threshold: Fen,
    /// Whether the amount itself is still free of him.
    pub strict: bool,
    /// Which amount of the claim is looked at.
    pub basis: VpBasis,
    /// His working days.
    pub sla_wd: u16,
}

impl Vp {
    /// Returns whether a claim of these totals goes to the vice-president.
    ///
    /// Source: docs/RULES.md P-08.
    ///
    /// ```
    /// use records::money::Fen;
    /// let vp = records::policy::terms::Policy::parse("")?.vp;
    /// assert!(!vp.is_asked(Fen(200_000), Fen(200_000)));
    /// assert!(vp.is_asked(Fen(200_001), Fen(200_001)));
    /// assert!(vp.is_asked(Fen(210_000), Fen(190_000)), "cutting a claim does not take it past him");
    /// # Ok::<(), records::policy::file::PolicyError>(())
    /// ```
    #[must_use]
    pub fn is_asked(&self, claimed: Fen, audited: Fen) -> bool {
        let total = match self.basis {
            VpBasis::Claimed => claimed,
            VpBasis::Audited => audited,
        };
        if self.strict { total > self.threshold } else { total >= self.threshold }
    }
}

/// Working days of each step; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sla {
    /// The auditor's.
    pub audit_wd: u16,
    /// The manager's.
    pub manager_wd: u16,
    /// Finance's, to pay.
    pub finance_wd: u16,
    /// The supervisor's.
    pub sup_wd: u16,
    /// The branch GM's.
    pub gm_wd: u16,
    /// How long a question to the branch may stay open.
    pub info_request_wd: u16,
    /// Whether a question stops the auditor's clock.
    pub pause_on_info_request: bool,
    /// When the auditor's clock starts.
    pub start: SlaStart,
}

/// Days of the month on which finance takes nothing in, both ends included; it may run over the month's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blackout {
    /// The first, 1 to 31; 0 where finance never closes.
    pub from_dom: u32,
    /// The last, 1 to 31; 0 where finance never closes.
    pub to_dom: u32,
    /// Whether its days do not count towards the payment of what was taken in before.
    pub pauses_payment: bool,
}

/// Too many and too few vouchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vouchers {
    /// What is paid where vouchers exceed the claimed amount.
    pub surplus: Surplus,
    /// What is paid where they fall short of it.
    pub shortage: Shortage,
}

/// Claim numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// How one is written, with `{center}`, `{staff}`, `{yyyy}` and `{seq}` or `{seq:04}`.
    pub pattern: String,
    /// Whether those of one person may have no hole.
    pub contiguous: bool,
    /// When they begin at 1 again.
    pub reset: Reset,
}

/// What is attached to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attach {
    /// The trip summary of each half-month.
    pub trip_summary: Needed,
    /// Work sheets.
    pub work_sheet: Needed,
}

/// Monthly ceilings; the amounts themselves are data of each branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    /// Whose expenses share one ceiling.
    pub scope: CapScope,
    /// Whether vouchers are needed up to the ceiling.
    pub receipts: bool,
    /// Whether what one month leaves is added to the next.
    pub carry_over: bool,
    /// For each category, which month an expense counts in; the month of its date where a category is not named.
    pub month_basis: Vec<(crate::kinds::voucher::Category, MonthBasis)>,
}

/// Penalties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fines {
    /// Whether cases carry amounts.
    pub mode: FineMode,
    /// For a false claim, each person each time.
    pub false_claim: Fen,
    /// The claimant's appraisal of the month of a false claim.
    pub false_grade: String,
    /// For a form fault, each person each time.
    pub form: Fen,
    /// Whether the manager may waive a form fault.
    pub form_discretionary: bool,
    /// For each working day and branch that an audit is late.
    pub audit_late: Fen,
    /// What counts as one time.
    pub per: FinePer,
    /// Which month an appraisal counts in.
    pub grade_month: GradeMonth,
    /// Which supervisor is fined.
    pub supervisor: FinedSupervisor,
    /// Working days to appeal.
    pub appeal_wd: u16,
}

/// The lists that go with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manifest {
    /// Whether a batch needs them.
    pub required: bool,
    /// What becomes of a batch without them.
    pub missing: ManifestMissing,
    /// Whether non-service expenses stand on a sheet of their own.
    pub non_service_sheet: bool,
}

/// Vouchers that were there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dup {
    /// What an equal invoice number does.
    pub strong: DupAction,
    /// What an equal owner, date, amount and seller does.
    pub weak: DupAction,
    /// Bits by which two photos of one paper may differ, 0 to 11.
    pub phash_max: u8,
}

/// From where on the rules A3 to A16 find something.
///
/// Source: docs/RULES.md, Anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traces {
    /// Days that other claims and colleagues are looked back at, the last one included.
    pub window_days: u16,
    /// Percent below a limit, above which a claim hugs it.
    pub hug_percent: u8,
    /// Claims that hug one limit.
    pub hug_claims: u16,
    /// The farthest apart that two invoice numbers are neighbours.
    pub invoice_gap: u16,
    /// Multiples of this amount are round.
    pub round: Fen,
    /// Round lines of one claim.
    pub round_lines: u16,
    /// Kilometres beyond which a night is elsewhere.
    pub place_km: u16,
    /// Minutes beyond which two spans overlap.
    pub overlap_min: u16,
    /// How many times the colleagues' median a day may cost.
    pub peer_factor: u16,
    /// Days that a photo may be off the day on the paper.
    pub photo_days: u16,
    /// Minutes by which a clock may be set.
    pub clock_min: u16,
    /// Approvals that one supervisor may give.
    pub approvals: u16,
    /// Within fewer minutes than these.
    pub approvals_min: u16,
}
