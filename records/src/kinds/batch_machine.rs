//! How a batch goes from the branch's desk to the end of its audit.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Being filled.
pub const OPEN: Index = 0;
/// Closed, listed.
pub const SEALED: Index = 1;
/// In the post.
pub const DISPATCHED: Index = 2;
/// Opened at headquarters, complete.
pub const RECEIVED: Index = 3;
/// Opened, with papers missing.
pub const PART_RECEIVED: Index = 4;
/// Under audit.
pub const AUDITING: Index = 5;
/// Everything in it was handed to finance or refused.
pub const FORWARDED: Index = 6;
/// Everything in it came to its end.
pub const CLOSED: Index = 7;
/// Not taken by headquarters.
pub const REFUSED: Index = 8;

/// A step that most tables name.
const fn step(
    [name, zh, en]: [&'static str; 3],
    from: &'static [Index],
    to: Index,
    who: &'static [Role],
    strictness: u8,
) -> Step {
    Step { name, zh, en, from, to, who, strictness, ..Step::PLAIN }
}

/// Who compiles it.
const BRANCH: &[Role] = &[Role::SUPERVISOR];
/// Who opens it.
const AUDIT: &[Role] = &[Role::AUDITOR, Role::CS_MANAGER];

/// Of two concurrent steps the larger number stands: unseal > dispatch; refuse > receive_part > receive.
///
/// Source: docs/RULES.md, Batches.
pub static BATCH: Machine = Machine {
    name: "batch",
    states: &[
        State { name: "open", zh: "汇总中", en: "Open" },
        State { name: "sealed", zh: "已封批", en: "Sealed" },
        State { name: "dispatched", zh: "已寄出", en: "Dispatched" },
        State { name: "received", zh: "已收件", en: "Received" },
        State { name: "part_received", zh: "部分收件", en: "Received in part" },
        State { name: "auditing", zh: "审核中", en: "Under audit" },
        State { name: "forwarded", zh: "已移交", en: "Forwarded" },
        State { name: "closed", zh: "已关闭", en: "Closed" },
        State { name: "refused", zh: "已拒收", en: "Refused" },
    ],
    steps: &[
        Step { seals: true, ..step(["seal", "封批", "Seal"], &[OPEN], SEALED, BRANCH, 20) },
        step(["unseal", "重开", "Open again"], &[SEALED, REFUSED], OPEN, BRANCH, 30),
        step(["dispatch", "寄出", "Dispatch"], &[SEALED], DISPATCHED, BRANCH, 20),
        step(["receive", "收件", "Receive"], &[DISPATCHED, PART_RECEIVED], RECEIVED, AUDIT, 20),
        step(["receive_part", "部分收件", "Receive in part"], &[DISPATCHED], PART_RECEIVED, AUDIT, 25),
        Step {
            reason: Reason::Words,
            ..step(["refuse", "拒收", "Refuse"], &[DISPATCHED], REFUSED, AUDIT, 40)
        },
        step(["start", "开始审核", "Start the audit"], &[RECEIVED, PART_RECEIVED], AUDITING, AUDIT, 15),
        step(["forward", "移交", "Forward"], &[AUDITING], FORWARDED, AUDIT, 15),
        step(["close", "关闭", "Close"], &[FORWARDED], CLOSED, &[], 15),
    ],
};
