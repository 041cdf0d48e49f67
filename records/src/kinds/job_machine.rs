//! How a job goes from offered to reviewed.

use crate::kinds::staff::Role;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Given to somebody who has not answered.
pub const OFFERED: Index = 0;
/// He will go.
pub const ACCEPTED: Index = 1;
/// On the way.
pub const EN_ROUTE: Index = 2;
/// There.
pub const ON_SITE: Index = 3;
/// At work.
pub const WORKING: Index = 4;
/// Waiting.
pub const PAUSED: Index = 5;
/// Left the site.
pub const DONE: Index = 6;
/// Looked at by the office.
pub const REVIEWED: Index = 7;
/// He will not go.
pub const REFUSED: Index = 8;
/// Waiting for the named colleague.
pub const HANDED_OVER: Index = 9;
/// Not wanted any more.
pub const CANCELLED: Index = 10;

/// Who works in the field.
const FIELD: &[Role] = &[Role::ENGINEER, Role::SUPERVISOR];

/// Who sends people.
const OFFICE: &[Role] = &[Role::DISPATCHER, Role::SUPERVISOR];

/// Of two concurrent steps the larger number stands; a run of steps counts as its strictest:
///
/// | steps | strictness | reason |
/// |---|---|---|
/// | finish | 40 | work that was done was done |
/// | arrive, start, pause, resume | 30 | somebody stood on the site: a cancel comes too late, and says so |
/// | cancel | 20 | nobody had arrived: the journey is saved |
/// | refuse | 15 | who will not go is not sent by his own earlier yes on another device |
/// | take | 12 | the colleague has it: a second hand-over must ask him |
/// | hand_over, review | 10 | |
/// | accept, depart | 5 | |
///
/// Source: docs/RULES.md, Jobs.
pub static JOB: Machine = Machine {
    name: "job",
    states: &[
        State { name: "offered", zh: "待接受", en: "Offered" },
        State { name: "accepted", zh: "已接受", en: "Accepted" },
        State { name: "en_route", zh: "途中", en: "En route" },
        State { name: "on_site", zh: "已到场", en: "On site" },
        State { name: "working", zh: "作业中", en: "Working" },
        State { name: "paused", zh: "已暂停", en: "Paused" },
        State { name: "done", zh: "已完成", en: "Done" },
        State { name: "reviewed", zh: "已复核", en: "Reviewed" },
        State { name: "refused", zh: "已拒绝", en: "Refused" },
        State { name: "handed_over", zh: "已移交", en: "Handed over" },
        State { name: "cancelled", zh: "已取消", en: "Cancelled" },
    ],
    steps: &[
        Step {
            name: "accept",
            zh: "接受",
            en: "Accept",
            from: &[OFFERED],
            to: ACCEPTED,
            who: FIELD,
            own: true,
            strictness: 5,
            ..Step::PLAIN
        },
        Step {
            name: "refuse",
            zh: "拒绝",
            en: "Refuse",
            from: &[OFFERED],
            to: REFUSED,
            who: FIELD,
            own: true,
            reason: Reason::Words,
            strictness: 15,
            ..Step::PLAIN
        },
        Step {
            name: "depart",
            zh: "出发",
            en: "Depart",
            from: &[ACCEPTED],
            to: EN_ROUTE,
            who: FIELD,
            own: true,
            strictness: 5,
            ..Step::PLAIN
        },
        Step {
            name: "arrive",
            zh: "到达",
            en: "Arrive",
            from: &[ACCEPTED, EN_ROUTE],
            to: ON_SITE,
            who: FIELD,
            own: true,
            strictness: 30,
            ..Step::PLAIN
        },
        Step {
            name: "start",
            zh: "开工",
            en: "Start",
            from: &[ON_SITE],
            to: WORKING,
            who: FIELD,
            own: true,
            strictness: 30,
            ..Step::PLAIN
        },
        Step {
            name: "pause",
            zh: "暂停",
            en: "Pause",
            from: &[WORKING],
            to: PAUSED,
            who: FIELD,
            own: true,
            strictness: 30,
            ..Step::PLAIN
        },
        Step {
            name: "resume",
            zh: "继续",
            en: "Resume",
            from: &[PAUSED],
            to: WORKING,
            who: FIELD,
            own: true,
            strictness: 30,
            ..Step::PLAIN
        },
        Step {
            name: "finish",
            zh: "完成",
            en: "Finish",
            from: &[ON_SITE, WORKING, PAUSED],
            to: DONE,
            who: FIELD,
            own: true,
            strictness: 40,
            ..Step::PLAIN
        },
        Step {
            name: "review",
            zh: "复核",
            en: "Review",
            from: &[DONE],
            to: REVIEWED,
            who: OFFICE,
            apart: true,
            strictness: 10,
            ..Step::PLAIN
        },
        Step {
            name: "hand_over",
            zh: "移交",
            en: "Hand over",
            from: &[ACCEPTED, EN_ROUTE, ON_SITE, WORKING, PAUSED],
            to: HANDED_OVER,
            who: FIELD,
            own: true,
            names: true,
            strictness: 10,
            ..Step::PLAIN
        },
        Step {
            name: "take",
            zh: "接手",
            en: "Take",
            from: &[HANDED_OVER],
            to: ACCEPTED,
            who: FIELD,
            own: true,
            strictness: 12,
            ..Step::PLAIN
        },
        Step {
            name: "cancel",
            zh: "取消",
            en: "Cancel",
            from: &[OFFERED, REFUSED, ACCEPTED, EN_ROUTE, ON_SITE, WORKING, PAUSED, HANDED_OVER],
            to: CANCELLED,
            who: OFFICE,
            reason: Reason::Words,
            lost_flag: Some(&State { name: "cancel_too_late", zh: "取消过晚", en: "Cancelled too late" }),
            strictness: 20,
            ..Step::PLAIN
        },
    ],
};
