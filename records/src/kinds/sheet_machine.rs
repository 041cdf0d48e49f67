//! How a sheet goes from draft to sealed and what the office may say to it.

use crate::kinds::sheet;
use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};
use crate::schema::Typed;

/// Being written.
pub const DRAFT: Index = 0;
/// Signed and closed.
pub const SEALED: Index = 1;
/// Taken by the supervisor.
pub const ACCEPTED: Index = 2;
/// Sent back by the supervisor.
pub const RETURNED: Index = 3;
/// Replaced by a correcting sheet.
pub const AMENDED: Index = 4;
/// Thrown away before the seal.
pub const VOID: Index = 5;

/// Whose devices a sheet goes to: its engineer's and its helpers'.
pub static CONCERNS: &[(u16, usize)] =
    &[(sheet::Engineer::GROUP.number, 0), (sheet::Helpers::GROUP.number, 0)];

/// Who works in the field.
const FIELD: &[Role] = &[Role::ENGINEER, Role::SUPERVISOR];

/// Of two concurrent steps the larger number stands:
///
/// | step | strictness | reason |
/// |---|---|---|
/// | seal | 50 | it carries a customer's signature, which a void made elsewhere must not hide |
/// | pick | 45 | it settles two seals and must outlive what was said to the loser |
/// | amend | 40 | the correcting sheet exists; a return asks for no more than that |
/// | return | 30 | a sheet in doubt is not an accepted one |
/// | accept | 20 | |
/// | void | 10 | only a draft that nobody sealed |
///
/// Source: docs/RULES.md, Sheets.
pub static SHEET: Machine = Machine {
    name: "sheet",
    states: &[
        State { name: "draft", zh: "草稿", en: "Draft" },
        State { name: "sealed", zh: "已封存", en: "Sealed" },
        State { name: "accepted", zh: "已接收", en: "Accepted" },
        State { name: "returned", zh: "已退回", en: "Returned" },
        State { name: "amended", zh: "已更正", en: "Amended" },
        State { name: "void", zh: "已作废", en: "Void" },
    ],
    steps: &[
        Step {
            name: "seal",
            zh: "封存",
            en: "Seal",
            from: &[DRAFT],
            to: SEALED,
            who: FIELD,
            own: true,
            strictness: 50,
            seals: true,
            rival: true,
            ..Step::PLAIN
        },
        Step {
            name: "accept",
            zh: "接收",
            en: "Accept",
            from: &[SEALED],
            to: ACCEPTED,
            who: &[Role::SUPERVISOR],
            apart: true,
            strictness: 20,
            ..Step::PLAIN
        },
        Step {
            name: "return",
            zh: "退回",
            en: "Return",
            from: &[SEALED],
            to: RETURNED,
            who: &[Role::SUPERVISOR],
            apart: true,
            reason: Reason::Words,
            strictness: 30,
            ..Step::PLAIN
        },
        Step {
            name: "amend",
            zh: "更正",
            en: "Amend",
            from: &[SEALED, ACCEPTED, RETURNED],
            to: AMENDED,
            who: FIELD,
            own: true,
            reason: Reason::Words,
            strictness: 40,
            ..Step::PLAIN
        },
        Step {
            name: "void",
            zh: "作废",
            en: "Void",
            from: &[DRAFT],
            to: VOID,
            who: FIELD,
            own: true,
            strictness: 10,
            ..Step::PLAIN
        },
        Step {
            name: "pick",
            zh: "选定封存",
            en: "Pick a seal",
            from: &[SEALED],
            to: SEALED,
            who: FIELD,
            strictness: 45,
            picks: true,
            ..Step::PLAIN
        },
    ],
};
