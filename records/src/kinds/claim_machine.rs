//! How an expense claim goes from the draft to the payment.

use crate::kinds::claim::CutReason;
use crate::kinds::staff::Role;
use crate::kinds::voucher_machine::RejectReason;
use crate::machine::{Index, Machine, Reason, State, Step};

/// Being written.
pub const DRAFT: Index = 0;
/// Numbered and handed to the supervisor.
pub const SUBMITTED: Index = 1;
/// Sent back to the claimant; its number stays.
pub const RETURNED: Index = 2;
/// The supervisor found it in order.
pub const SUP_APPROVED: Index = 3;
/// The branch GM found it in order.
pub const GM_APPROVED: Index = 4;
/// In the branch's batch.
pub const BATCHED: Index = 5;
/// On the way to headquarters.
pub const IN_TRANSIT: Index = 6;
/// Its paper and its data are at headquarters.
pub const RECEIVED: Index = 7;
/// The batch came without its paper.
pub const MISSING_PAPER: Index = 8;
/// The auditor asked the branch.
pub const INFO_REQUESTED: Index = 9;
/// Every line has a verdict.
pub const AUDITED: Index = 10;
/// The auditor wants it rejected.
pub const REJECT_PROPOSED: Index = 11;
/// The manager agreed.
pub const MGR_APPROVED: Index = 12;
/// Waiting for the vice-president.
pub const VP_PENDING: Index = 13;
/// The vice-president agreed.
pub const VP_APPROVED: Index = 14;
/// Approved while finance takes nothing in.
pub const HELD_BLACKOUT: Index = 15;
/// Handed to finance.
pub const TO_FINANCE: Index = 16;
/// Finance took it in.
pub const FIN_RECEIVED: Index = 17;
/// The money went out.
pub const PAID: Index = 18;
/// Thirty days after the payment.
pub const CLOSED: Index = 19;
/// Nothing is paid.
pub const REJECTED: Index = 20;
/// Thrown away; its number stays explained.
pub const VOID: Index = 21;
/// Under investigation: clocks stand still.
pub const FROZEN: Index = 22;

/// Who has expenses.
const CLAIMANTS: &[Role] =
    &[Role::ENGINEER, Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];

/// Who may throw one away: the claimant, and the supervisor; which of them it is asks [`crate::claim::guard`].
const VOIDERS: &[Role] =
    &[Role::ENGINEER, Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];

/// Who answers the auditor.
const ANSWERERS: &[Role] =
    &[Role::ENGINEER, Role::SUPERVISOR, Role::BRANCH_GM, Role::AUDITOR, Role::CS_MANAGER];

/// Who takes the manager's step; the vice-president only where the manager is the claimant.
const MANAGERS: &[Role] = &[Role::CS_MANAGER, Role::SALES_VP];

/// A withdrawal that met approvals it had not seen: the claim stays in its batch, the auditor pays nothing of it.
static WITHDRAWN_IN_TRANSIT: State =
    State { name: "withdrawn_in_transit", zh: "在途撤回", en: "Withdrawn in transit" };

/// The same of a void.
static VOIDED_IN_TRANSIT: State =
    State { name: "voided_in_transit", zh: "在途作废", en: "Voided in transit" };

/// Where money has not gone out yet.
const BEFORE_PAID: &[Index] = &[
    SUBMITTED,
    SUP_APPROVED,
    GM_APPROVED,
    BATCHED,
    IN_TRANSIT,
    RECEIVED,
    MISSING_PAPER,
    INFO_REQUESTED,
    AUDITED,
    REJECT_PROPOSED,
    MGR_APPROVED,
    VP_PENDING,
    VP_APPROVED,
    HELD_BLACKOUT,
    TO_FINANCE,
    FIN_RECEIVED,
];

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

/// Of two concurrent steps the larger number stands, as long as nothing was built on the other:
///
/// | from | order |
/// |---|---|
/// | submitted | freeze > void > sup_return > withdraw > sup_cut > sup_approve > sup_skip |
/// | sup_approved | freeze > void > gm_return > gm_cut > gm_approve > gm_skip |
/// | gm_approved | freeze > void > receive > batch |
/// | batched | freeze > unbatch > dispatch |
/// | in_transit | freeze > miss > receive |
/// | missing_paper | freeze > lose > receive |
/// | received | freeze > propose_reject > ask > audit |
/// | reject_proposed | freeze > confirm_reject > dismiss_reject |
/// | audited | freeze > mgr_back > mgr_approve > mgr_skip |
/// | mgr_approved | freeze > vp_ask > hold > hand_over |
/// | vp_pending | freeze > vp_reject > vp_back > vp_approve |
/// | vp_approved | freeze > hold > hand_over |
/// | fin_received | freeze > fin_back > pay |
///
/// A withdrawal stands above an approval of what it withdraws, because the approval was of other content.
/// What roles do not tell (whose unit, who approved before, whose own claim it is) asks [`crate::claim::guard`].
///
/// Source: docs/RULES.md, Claims.
pub static CLAIM: Machine = Machine {
    name: "claim",
    states: &[
        State { name: "draft", zh: "草稿", en: "Draft" },
        State { name: "submitted", zh: "已提交", en: "Submitted" },
        State { name: "returned", zh: "已退回", en: "Returned" },
        State { name: "sup_approved", zh: "主管已审", en: "Supervisor approved" },
        State { name: "gm_approved", zh: "总经理已审", en: "GM approved" },
        State { name: "batched", zh: "已入批", en: "Batched" },
        State { name: "in_transit", zh: "邮寄中", en: "In transit" },
        State { name: "received", zh: "总部已收", en: "Received" },
        State { name: "missing_paper", zh: "缺纸质单", en: "Paper missing" },
        State { name: "info_requested", zh: "待补充说明", en: "Information requested" },
        State { name: "audited", zh: "已审核", en: "Audited" },
        State { name: "reject_proposed", zh: "拟驳回", en: "Rejection proposed" },
        State { name: "mgr_approved", zh: "经理已批", en: "Manager approved" },
        State { name: "vp_pending", zh: "待副总审批", en: "With the VP" },
        State { name: "vp_approved", zh: "副总已批", en: "VP approved" },
        State { name: "held_blackout", zh: "待财务开放", en: "Held for finance" },
        State { name: "to_finance", zh: "已交财务", en: "At finance" },
        State { name: "fin_received", zh: "财务已收", en: "Accepted by finance" },
        State { name: "paid", zh: "已付款", en: "Paid" },
        State { name: "closed", zh: "已关闭", en: "Closed" },
        State { name: "rejected", zh: "已驳回", en: "Rejected" },
        State { name: "void", zh: "已作废", en: "Void" },
        State { name: "frozen", zh: "已冻结", en: "Frozen" },
    ],
    steps: &[
        Step {
            own: true,
            seals: true,
            ..step(["submit", "提交", "Submit"], &[DRAFT, RETURNED], SUBMITTED, CLAIMANTS, 33)
        },
        Step {
            own: true,
            lost_flag: Some(&WITHDRAWN_IN_TRANSIT),
            ..step(["withdraw", "撤回", "Withdraw"], &[SUBMITTED], DRAFT, CLAIMANTS, 35)
        },
        Step {
            reason: Reason::Words,
            lost_flag: Some(&VOIDED_IN_TRANSIT),
            ..step(
                ["void", "作废", "Void"],
                &[DRAFT, SUBMITTED, RETURNED, SUP_APPROVED, GM_APPROVED],
                VOID,
                VOIDERS,
                45,
            )
        },
        Step {
            apart: true,
            ..step(
                ["sup_approve", "主管通过", "Supervisor approves"],
                &[SUBMITTED],
                SUP_APPROVED,
                &[Role::SUPERVISOR],
                20,
            )
        },
        Step {
            apart: true,
            ..step(
                ["sup_cut", "主管核减通过", "Supervisor approves with cuts"],
                &[SUBMITTED],
                SUP_APPROVED,
                &[Role::SUPERVISOR],
                30,
            )
        },
        Step {
            apart: true,
            reason: Reason::OneOf(&CutReason::CHOICES),
            ..step(
                ["sup_return", "主管退回", "Supervisor returns"],
                &[SUBMITTED],
                RETURNED,
                &[Role::SUPERVISOR],
                40,
            )
        },
        Step {
            reason: Reason::Words,
            ..step(["sup_skip", "跳过主管", "Supervisor's step skipped"], &[SUBMITTED], SUP_APPROVED, &[], 19)
        },
        Step {
            apart: true,
            ..step(
                ["gm_approve", "总经理通过", "GM approves"],
                &[SUP_APPROVED],
                GM_APPROVED,
                &[Role::BRANCH_GM],
                20,
            )
        },
        Step {
            apart: true,
            ..step(
                ["gm_cut", "总经理核减通过", "GM approves with cuts"],
                &[SUP_APPROVED],
                GM_APPROVED,
                &[Role::BRANCH_GM],
                30,
            )
        },
        Step {
            apart: true,
            reason: Reason::OneOf(&CutReason::CHOICES),
            ..step(
                ["gm_return", "总经理退回", "GM returns"],
                &[SUP_APPROVED],
                RETURNED,
                &[Role::BRANCH_GM],
                40,
            )
        },
        Step {
            reason: Reason::Words,
            ..step(["gm_skip", "跳过总经理", "GM's step skipped"], &[SUP_APPROVED], GM_APPROVED, &[], 19)
        },
        step(["batch", "入批", "Batch"], &[GM_APPROVED], BATCHED, &[Role::SUPERVISOR], 15),
        step(["unbatch", "出批", "Take out of the batch"], &[BATCHED], GM_APPROVED, &[Role::SUPERVISOR], 25),
        step(["dispatch", "寄出", "Dispatch"], &[BATCHED], IN_TRANSIT, &[Role::SUPERVISOR], 20),
        step(
            ["receive", "收件", "Receive"],
            &[GM_APPROVED, IN_TRANSIT, MISSING_PAPER],
            RECEIVED,
            &[Role::AUDITOR],
            20,
        ),
        step(["miss", "缺件", "Paper missing"], &[IN_TRANSIT], MISSING_PAPER, &[Role::AUDITOR], 25),
        Step {
            reason: Reason::Words,
            ..step(["lose", "丢失作废", "Lost"], &[MISSING_PAPER], VOID, &[Role::AUDITOR], 45)
        },
        Step {
            reason: Reason::Words,
            ..step(
                ["ask", "问询", "Ask the branch"],
                &[RECEIVED],
                INFO_REQUESTED,
                &[Role::AUDITOR, Role::CS_MANAGER],
                25,
            )
        },
        Step {
            reason: Reason::Words,
            ..step(["answer", "答复", "Answer"], &[INFO_REQUESTED], RECEIVED, ANSWERERS, 15)
        },
        Step {
            apart: true,
            ..step(["audit", "审核", "Audit"], &[RECEIVED], AUDITED, &[Role::AUDITOR, Role::CS_MANAGER], 20)
        },
        Step {
            apart: true,
            reason: Reason::OneOf(&RejectReason::CHOICES),
            ..step(
                ["propose_reject", "提议驳回", "Propose rejection"],
                &[RECEIVED],
                REJECT_PROPOSED,
                &[Role::AUDITOR, Role::CS_MANAGER],
                50,
            )
        },
        Step {
            apart: true,
            ..step(
                ["confirm_reject", "确认驳回", "Confirm rejection"],
                &[REJECT_PROPOSED],
                REJECTED,
                MANAGERS,
                50,
            )
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(
                ["dismiss_reject", "不予驳回", "Dismiss rejection"],
                &[REJECT_PROPOSED],
                RECEIVED,
                MANAGERS,
                40,
            )
        },
        Step {
            apart: true,
            ..step(["mgr_approve", "经理批准", "Manager approves"], &[AUDITED], MGR_APPROVED, MANAGERS, 20)
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(["mgr_back", "经理退审", "Manager sends back"], &[AUDITED], RECEIVED, MANAGERS, 40)
        },
        step(["vp_ask", "转副总", "To the VP"], &[MGR_APPROVED], VP_PENDING, &[], 24),
        Step {
            apart: true,
            ..step(
                ["vp_approve", "副总批准", "VP approves"],
                &[VP_PENDING],
                VP_APPROVED,
                &[Role::SALES_VP],
                20,
            )
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(["vp_back", "副总退审", "VP sends back"], &[VP_PENDING], AUDITED, &[Role::SALES_VP], 40)
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(["vp_reject", "副总驳回", "VP rejects"], &[VP_PENDING], REJECTED, &[Role::SALES_VP], 50)
        },
        step(
            ["hand_over", "移交财务", "Hand to finance"],
            &[MGR_APPROVED, VP_APPROVED],
            TO_FINANCE,
            &[Role::AUDITOR, Role::CS_MANAGER],
            20,
        ),
        step(
            ["hold", "待财务开放", "Hold for finance"],
            &[MGR_APPROVED, VP_APPROVED],
            HELD_BLACKOUT,
            &[Role::AUDITOR, Role::CS_MANAGER],
            22,
        ),
        step(["release", "财务开放", "Finance opens"], &[HELD_BLACKOUT], TO_FINANCE, &[], 15),
        Step {
            apart: true,
            ..step(
                ["accept", "财务收单", "Finance accepts"],
                &[TO_FINANCE],
                FIN_RECEIVED,
                &[Role::FINANCE],
                20,
            )
        },
        Step {
            apart: true,
            reason: Reason::Words,
            ..step(
                ["fin_back", "财务退审", "Finance sends back"],
                &[FIN_RECEIVED],
                AUDITED,
                &[Role::FINANCE],
                40,
            )
        },
        Step { apart: true, ..step(["pay", "付款", "Pay"], &[FIN_RECEIVED], PAID, &[Role::FINANCE], 20) },
        step(["close", "关闭", "Close"], &[PAID], CLOSED, &[], 15),
        Step {
            reason: Reason::Words,
            ..step(["freeze", "冻结", "Freeze"], BEFORE_PAID, FROZEN, &[Role::CS_MANAGER], 60)
        },
        Step {
            reason: Reason::Words,
            back: true,
            ..step(["unfreeze", "解冻", "Unfreeze"], &[FROZEN], SUBMITTED, &[Role::CS_MANAGER], 10)
        },
        Step {
            reason: Reason::Words,
            ..step(["mgr_skip", "跳过经理", "Manager's step skipped"], &[AUDITED], MGR_APPROVED, &[], 19)
        },
    ],
};
