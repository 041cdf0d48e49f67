//! How a request for an exception is answered.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Not answered yet.
pub const OPEN: Index = 0;
/// Granted.
pub const APPROVED: Index = 1;
/// Not granted.
pub const DENIED: Index = 2;
/// Nobody answered in time.
pub const EXPIRED: Index = 3;

/// The policy's leader.
const LEADER: &[Role] = &[Role::CS_MANAGER, Role::SALES_VP];

/// Of two concurrent steps the larger number stands: deny > approve > expire.
///
/// Source: docs/RULES.md, Exceptions.
pub static EXCEPTION: Machine = Machine {
    name: "exception",
    states: &[
        State { name: "open", zh: "待批", en: "Open" },
        State { name: "approved", zh: "已批准", en: "Approved" },
        State { name: "denied", zh: "已拒绝", en: "Denied" },
        State { name: "expired", zh: "已过期", en: "Expired" },
    ],
    steps: &[
        Step {
            name: "approve",
            zh: "批准",
            en: "Approve",
            from: &[OPEN],
            to: APPROVED,
            who: LEADER,
            apart: true,
            strictness: 20,
            seals: true,
            ..Step::PLAIN
        },
        Step {
            name: "deny",
            zh: "拒绝",
            en: "Deny",
            from: &[OPEN],
            to: DENIED,
            who: LEADER,
            apart: true,
            reason: Reason::Words,
            strictness: 30,
            seals: true,
            ..Step::PLAIN
        },
        Step {
            name: "expire",
            zh: "过期",
            en: "Expire",
            from: &[OPEN],
            to: EXPIRED,
            strictness: 10,
            ..Step::PLAIN
        },
    ],
};
