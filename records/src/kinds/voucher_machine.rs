//! How a voucher goes from captured to verified or rejected.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Saved, not on a claim.
pub const CAPTURED: Index = 0;
/// On a line of a claim.
pub const PLACED: Index = 1;
/// The claim was submitted.
pub const SUBMITTED: Index = 2;
/// Found good by the audit.
pub const VERIFIED: Index = 3;
/// Found bad by the audit.
pub const REJECTED: Index = 4;
/// Thrown away before it stood on a claim.
pub const DISCARDED: Index = 5;

/// Who has expenses.
const FIELD: &[Role] = &[Role::ENGINEER, Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];

/// Who may send a claim back.
const REVIEW: &[Role] = &[Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];

/// Who judges vouchers.
const AUDIT: &[Role] = &[Role::AUDITOR, Role::CS_MANAGER];

crate::choices! {
    /// Why a voucher is not taken.
    RejectReason "reject_reason" {
        DUPLICATE = 0 "duplicate" "重复" "Duplicate",
        FAKE = 1 "fake" "假发票" "Fake",
        INVALID = 2 "invalid" "无效票" "Invalid",
        MISSING_PAPER = 3 "missing_paper" "少票" "Paper missing",
        NOT_BUSINESS = 4 "not_business" "非公务" "Not business",
    }
}

/// Of two concurrent steps the larger number stands:
///
/// | step | strictness | reason |
/// |---|---|---|
/// | reject | 50 | the stricter judgement, as for claims |
/// | return | 40 | |
/// | withdraw | 38 | the claim was withdrawn before anybody judged it |
/// | verify | 35 | |
/// | submit | 30 | it stands on a claim that others already read; from captured where that claim had been returned |
/// | take_off | 25 | off its line, or its claim was thrown away |
/// | place | 20 | a voucher on a line must not vanish from under it |
/// | discard | 10 | |
///
/// Source: docs/RULES.md, Vouchers.
pub static VOUCHER: Machine = Machine {
    name: "voucher",
    states: &[
        State { name: "captured", zh: "已采集", en: "Captured" },
        State { name: "placed", zh: "已入行", en: "Placed" },
        State { name: "submitted", zh: "已提交", en: "Submitted" },
        State { name: "verified", zh: "已核实", en: "Verified" },
        State { name: "rejected", zh: "已拒绝", en: "Rejected" },
        State { name: "discarded", zh: "已作废", en: "Discarded" },
    ],
    steps: &[
        Step {
            name: "place",
            zh: "入行",
            en: "Place",
            from: &[CAPTURED],
            to: PLACED,
            who: FIELD,
            own: true,
            strictness: 20,
            ..Step::PLAIN
        },
        Step {
            name: "submit",
            zh: "提交",
            en: "Submit",
            from: &[CAPTURED, PLACED],
            to: SUBMITTED,
            who: FIELD,
            own: true,
            strictness: 30,
            ..Step::PLAIN
        },
        Step {
            name: "return",
            zh: "退回",
            en: "Return",
            from: &[SUBMITTED],
            to: CAPTURED,
            who: REVIEW,
            apart: true,
            strictness: 40,
            ..Step::PLAIN
        },
        Step {
            name: "verify",
            zh: "核实",
            en: "Verify",
            from: &[SUBMITTED],
            to: VERIFIED,
            who: AUDIT,
            apart: true,
            strictness: 35,
            ..Step::PLAIN
        },
        Step {
            name: "reject",
            zh: "拒绝",
            en: "Reject",
            from: &[SUBMITTED],
            to: REJECTED,
            who: AUDIT,
            apart: true,
            reason: Reason::OneOf(&RejectReason::CHOICES),
            strictness: 50,
            ..Step::PLAIN
        },
        Step {
            name: "discard",
            zh: "作废",
            en: "Discard",
            from: &[CAPTURED],
            to: DISCARDED,
            who: FIELD,
            own: true,
            strictness: 10,
            ..Step::PLAIN
        },
        Step {
            name: "take_off",
            zh: "出行",
            en: "Take off",
            from: &[PLACED, SUBMITTED],
            to: CAPTURED,
            who: FIELD,
            own: true,
            strictness: 25,
            ..Step::PLAIN
        },
        Step {
            name: "withdraw",
            zh: "撤回",
            en: "Withdraw",
            from: &[SUBMITTED],
            to: PLACED,
            who: FIELD,
            own: true,
            strictness: 38,
            ..Step::PLAIN
        },
        #[cfg(feature = "tomorrow")]
        Step {
            name: "shelve",
            zh: "暂存",
            en: "Shelve",
            from: &[CAPTURED],
            to: PLACED,
            who: FIELD,
            own: true,
            strictness: 21,
            ..Step::PLAIN
        },
    ],
};
