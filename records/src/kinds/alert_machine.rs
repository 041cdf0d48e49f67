//! How an alert is answered.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Nobody looked yet.
pub const OPEN: Index = 0;
/// It has an innocent reason.
pub const EXPLAINED: Index = 1;
/// It is what it looks like: a case follows.
pub const CONFIRMED: Index = 2;
/// The rule was wrong.
pub const FALSE_ALARM: Index = 3;

/// Who looks at alerts.
const REVIEWERS: &[Role] =
    &[Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER, Role::SALES_VP];

const fn step([name, zh, en]: [&'static str; 3], to: Index, strictness: u8) -> Step {
    let (from, who) = (&[OPEN], REVIEWERS);
    Step { name, zh, en, from, to, who, strictness, reason: Reason::Words, ..Step::PLAIN }
}

/// Of two concurrent steps the larger number stands: confirm > explain > false_alarm.
///
/// Source: docs/RULES.md, Anomalies.
pub static ALERT: Machine = Machine {
    name: "alert",
    states: &[
        State { name: "open", zh: "待处理", en: "Open" },
        State { name: "explained", zh: "已说明", en: "Explained" },
        State { name: "confirmed", zh: "属实", en: "Confirmed" },
        State { name: "false_alarm", zh: "误报", en: "False alarm" },
    ],
    steps: &[
        step(["explain", "说明", "Explain"], EXPLAINED, 20),
        step(["confirm", "确认属实", "Confirm"], CONFIRMED, 30),
        step(["false_alarm", "误报", "False alarm"], FALSE_ALARM, 10),
    ],
};
