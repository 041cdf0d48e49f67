//! How a payment batch goes from its list to the bank's answer.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Being made.
pub const DRAFT: Index = 0;
/// Approved by a second person.
pub const APPROVED: Index = 1;
/// The file went out.
pub const EXPORTED: Index = 2;
/// The bank paid everything.
pub const CONFIRMED: Index = 3;
/// The bank refused some of it: those claims may be in another batch.
pub const PART_FAILED: Index = 4;
/// Given up before the file went out.
pub const CANCELLED: Index = 5;

const fn step(
    [name, zh, en]: [&'static str; 3],
    from: &'static [Index],
    to: Index,
    who: &'static [Role],
    strictness: u8,
) -> Step {
    Step { name, zh, en, from, to, who, strictness, ..Step::PLAIN }
}

/// Every step is headquarters' own, so none meets another; a second person approves.
///
/// Source: docs/RULES.md, Payments.
pub static PAYMENT: Machine = Machine {
    name: "payment",
    states: &[
        State { name: "draft", zh: "草稿", en: "Draft" },
        State { name: "approved", zh: "已批准", en: "Approved" },
        State { name: "exported", zh: "已导出", en: "Exported" },
        State { name: "confirmed", zh: "已确认", en: "Confirmed" },
        State { name: "part_failed", zh: "部分失败", en: "Failed in part" },
        State { name: "cancelled", zh: "已取消", en: "Cancelled" },
    ],
    steps: &[
        Step {
            seals: true,
            ..step(["approve", "批准", "Approve"], &[DRAFT], APPROVED, &[Role::FINANCE, Role::CS_MANAGER], 20)
        },
        step(["export", "导出", "Export"], &[APPROVED], EXPORTED, &[Role::FINANCE], 20),
        step(["confirm", "确认", "Confirm"], &[EXPORTED], CONFIRMED, &[Role::FINANCE], 20),
        step(["fail", "部分失败", "Failed in part"], &[EXPORTED], PART_FAILED, &[Role::FINANCE], 30),
        Step {
            reason: Reason::Words,
            ..step(["cancel", "取消", "Cancel"], &[DRAFT, APPROVED], CANCELLED, &[Role::FINANCE], 40)
        },
    ],
};
