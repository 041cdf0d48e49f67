//! How a case goes from the proposal to its end.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Proposed by the auditor, a supervisor or the rules.
pub const PROPOSED: Index = 0;
/// Confirmed by the manager: the time to appeal runs.
pub const CONFIRMED: Index = 1;
/// Not followed up.
pub const DISMISSED: Index = 2;
/// The person appealed.
pub const APPEALED: Index = 3;
/// The appeal changed nothing.
pub const UPHELD: Index = 4;
/// Let off.
pub const WAIVED: Index = 5;
/// Carried out by finance or personnel.
pub const EXECUTED: Index = 6;

const fn step(
    [name, zh, en]: [&'static str; 3],
    from: &'static [Index],
    to: Index,
    who: &'static [Role],
    strictness: u8,
) -> Step {
    Step { name, zh, en, from, to, who, strictness, ..Step::PLAIN }
}

/// Who is fined and may appeal.
const PEOPLE: &[Role] = &[Role::ENGINEER, Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];
/// Who decides.
const MANAGER: &[Role] = &[Role::CS_MANAGER, Role::SALES_VP];

/// Of two concurrent steps the larger number stands: an appeal in time is heard before anything is carried out.
///
/// Source: docs/RULES.md, Penalties.
pub static CASE: Machine = Machine {
    name: "case",
    states: &[
        State { name: "proposed", zh: "拟处罚", en: "Proposed" },
        State { name: "confirmed", zh: "已确认", en: "Confirmed" },
        State { name: "dismissed", zh: "不予处罚", en: "Dismissed" },
        State { name: "appealed", zh: "申诉中", en: "Appealed" },
        State { name: "upheld", zh: "维持", en: "Upheld" },
        State { name: "waived", zh: "已免除", en: "Waived" },
        State { name: "executed", zh: "已执行", en: "Executed" },
    ],
    steps: &[
        Step { apart: true, ..step(["confirm", "确认", "Confirm"], &[PROPOSED], CONFIRMED, MANAGER, 20) },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(["dismiss", "不予处罚", "Dismiss"], &[PROPOSED], DISMISSED, MANAGER, 10)
        },
        Step {
            own: true,
            reason: Reason::Words,
            ..step(["appeal", "申诉", "Appeal"], &[CONFIRMED], APPEALED, PEOPLE, 40)
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(["uphold", "维持", "Uphold"], &[APPEALED], UPHELD, MANAGER, 20)
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(["waive", "免除", "Waive"], &[CONFIRMED, APPEALED], WAIVED, MANAGER, 30)
        },
        step(["execute", "执行", "Execute"], &[CONFIRMED, UPHELD], EXECUTED, &[Role::FINANCE], 15),
    ],
};
