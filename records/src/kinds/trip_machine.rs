//! How a trip summary goes from draft to approved.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Being written.
pub const DRAFT: Index = 0;
/// Handed to the supervisor.
pub const SUBMITTED: Index = 1;
/// Signed by him.
pub const APPROVED: Index = 2;
/// Sent back.
pub const RETURNED: Index = 3;
/// Opened again by the supervisor before the dispatch.
pub const REOPENED: Index = 4;

/// Who travels.
const TRAVELLERS: &[Role] =
    &[Role::ENGINEER, Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];

/// Who signs: the supervisor; the branch GM for the supervisor's own, and upward from there.
const APPROVERS: &[Role] = &[Role::SUPERVISOR, Role::BRANCH_GM, Role::CS_MANAGER, Role::SALES_VP];

/// Of two concurrent steps the larger number stands: return > withdraw > approve; reopen > whatever was built on nothing.
///
/// Source: docs/RULES.md, Trip summaries.
pub static TRIP: Machine = Machine {
    name: "trip",
    states: &[
        State { name: "draft", zh: "草稿", en: "Draft" },
        State { name: "submitted", zh: "已提交", en: "Submitted" },
        State { name: "approved", zh: "已批准", en: "Approved" },
        State { name: "returned", zh: "已退回", en: "Returned" },
        State { name: "reopened", zh: "已重开", en: "Reopened" },
    ],
    steps: &[
        Step {
            name: "submit",
            zh: "提交",
            en: "Submit",
            from: &[DRAFT, RETURNED, REOPENED],
            to: SUBMITTED,
            who: TRAVELLERS,
            own: true,
            strictness: 30,
            seals: true,
            ..Step::PLAIN
        },
        Step {
            name: "withdraw",
            zh: "撤回",
            en: "Withdraw",
            from: &[SUBMITTED],
            to: DRAFT,
            who: TRAVELLERS,
            own: true,
            strictness: 35,
            ..Step::PLAIN
        },
        Step {
            name: "approve",
            zh: "批准",
            en: "Approve",
            from: &[SUBMITTED],
            to: APPROVED,
            who: APPROVERS,
            apart: true,
            strictness: 20,
            ..Step::PLAIN
        },
        Step {
            name: "return",
            zh: "退回",
            en: "Return",
            from: &[SUBMITTED],
            to: RETURNED,
            who: APPROVERS,
            apart: true,
            reason: Reason::Words,
            strictness: 40,
            ..Step::PLAIN
        },
        Step {
            name: "reopen",
            zh: "重开",
            en: "Reopen",
            from: &[APPROVED],
            to: REOPENED,
            who: APPROVERS,
            apart: true,
            reason: Reason::Words,
            strictness: 25,
            ..Step::PLAIN
        },
    ],
};
