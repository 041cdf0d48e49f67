//! An expense claim (费用报销单): one person's expenses of a half-month, with the vouchers that prove them.

use crate::decision::DECISIONS;
use crate::kinds::voucher::{Category, VoucherKind};
use crate::kinds::{approval, claim_machine, number, sheet};
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::time::{Day, Ts};
use crate::value::{Count, Ref, Text};

crate::choices! {
    /// Who bears the cost.
    CostOwner "cost_owner" {
        SERVICE = 0 "service" "服务费用" "Service",
        NON_SERVICE = 1 "non_service" "非服务费用" "Non-service",
    }
}

crate::choices! {
    /// What the auditor says of a line.
    LineVerdict "line_verdict" {
        OK = 0 "ok" "合格" "In order",
        SHORT_VOUCHER = 1 "short_voucher" "少票" "Vouchers fall short",
        OVER_CAP = 2 "over_cap" "超限额" "Above the ceiling",
        EXPIRED = 3 "expired" "超期" "Expired",
        LATE_BATCH = 4 "late_batch" "批次逾期" "Batch too late",
        INVALID = 5 "invalid" "无效票" "Invalid voucher",
        FAKE_INVOICE = 6 "fake_invoice" "假发票" "Forged invoice",
        FALSE_CLAIM = 7 "false_claim" "虚报" "False claim",
        DUPLICATE = 8 "duplicate" "重复报销" "Claimed before",
        NON_COMPLIANT = 9 "non_compliant" "不合规范" "Not as it should be",
        ADJUSTED = 10 "adjusted" "调整" "Adjusted",
        VOID = 11 "void" "作废" "Void",
    }
}

crate::choices! {
    /// Why an amount was cut or a line sent back.
    CutReason "cut_reason" {
        UNREASONABLE = 0 "unreasonable" "不合理" "Unreasonable",
        SHORT_VOUCHER = 1 "short_voucher" "少票" "Vouchers fall short",
        WRONG_AMOUNT = 2 "wrong_amount" "金额有误" "Wrong amount",
        WRONG_CATEGORY = 3 "wrong_category" "类别有误" "Wrong category",
        NOT_BUSINESS = 4 "not_business" "非公务" "Not business",
        PASTED_WRONG = 5 "pasted_wrong" "粘贴不规范" "Pasted wrongly",
        MISSING_SHEET = 6 "missing_sheet" "缺工作单" "Work sheet missing",
        OTHER = 7 "other" "其他" "Other",
    }
}

crate::choices! {
    /// Where the paper is.
    PaperSeen "paper_seen" {
        WITH_SUPERVISOR = 0 "with_supervisor" "主管已收" "With the supervisor",
        SCANNED = 1 "scanned" "已扫描" "Scanned at headquarters",
        MISSING = 2 "missing" "缺失" "Missing",
        COPY = 3 "copy" "补充复印件" "Copy supplied",
    }
}

crate::group! {
    /// Its number, given once at the first submission.
    ClaimNo = 2 "claim_no" ("报销单号", "Number") Once content=false frozen=false writer=Scope {
        claim_no: Text<60> = ("报销单号", "Claim number", ""),
    }
}

crate::group! {
    /// Whose claim it is, for which half-month (`2026-11-H1`) and which cost owner.
    Claimant = 3 "claimant" ("报销人", "Claimant") Once content=true frozen=true writer=Scope {
        staff: Ref<{ number::STAFF }> = ("报销人", "Claimant", ""),
        unit: Ref<{ number::ORG }> = ("单位", "Unit", ""),
        half: Text<12> = ("所属半月", "Half-month", ""),
        cost_owner: CostOwner = ("费用归属", "Cost owner", ""),
    }
}

crate::group! {
    /// What was submitted: written with each submission, frozen by it.
    Submission = 4 "submission" ("提交", "Submission") Contested content=true frozen=true writer=Scope {
        rev: Count = ("版次", "Revision", ""),
        submitted_day: Day = ("提交日", "Submitted on", ""),
        submitted_at: Ts = ("提交时间", "Submitted at", ""),
        policy_version: Text<40> = ("制度版本", "Policy version", ""),
        cycle: Text<12> = ("批次", "Mailing", ""),
        claimed_total: Fen = ("报销总额", "Claimed total", ""),
        voucher_total_count: Count = ("票据总张数", "Vouchers", ""),
    }
}

crate::group! {
    /// The lines, by their number from 1. A line of the number with neither category nor amount is taken out.
    Lines = 5 "line" ("费用明细", "Lines") Set content=true frozen=true writer=Scope key=0 {
        line: Count = ("行号", "Line", ""),
        category: Category = ("费用类别", "Category", ""),
        date: Day = ("日期", "Date", ""),
        service_month: Text<7> = ("所属月份", "Billed month", ""),
        from_to: Text<200> = ("起讫地点", "From and to", ""),
        claimed: Fen = ("报销金额", "Claimed", ""),
        trip_day: Day = ("出差日", "Day of the trip", ""),
        detail: Text<500> = ("详细说明", "Detail", ""),
        no_sheet_reason: Text<200> = ("无工作单原因", "Why without sheet", ""),
        note: Text<500> = ("备注", "Note", ""),
        adjusts: Ref<{ number::CLAIM }> = ("调整原单", "Adjusts", ""),
        adjusts_line: Count = ("原单行号", "Line there", ""),
    }
}

crate::group! {
    /// Which voucher stands on which line, as it read when it was placed or submitted: a voucher stands on one line only.
    ///
    /// `key` is the voucher's [`crate::duplicate::Key`] as text.
    Placed = 6 "placed" ("入行票据", "Placed vouchers") Set content=true frozen=true writer=Scope key=1 {
        line: Count = ("行号", "Line", ""),
        voucher: Ref<{ number::VOUCHER }> = ("票据", "Voucher", ""),
        amount: Fen = ("金额", "Amount", ""),
        date: Day = ("日期", "Date", ""),
        kind: VoucherKind = ("票种", "Kind", ""),
        key: Text<300> = ("查重键", "Duplicate key", ""),
    }
}

crate::group! {
    /// The work that the lines belong to.
    LineSheets = 7 "line_sheet" ("明细工作单", "Lines' sheets") Set content=true frozen=true writer=Scope {
        line: Count = ("行号", "Line", ""),
        sheet: Ref<{ number::SHEET }> = ("工作单", "Sheet", ""),
    }
}

crate::group! {
    /// The trip summaries that go with it.
    Trips = 8 "trip" ("出差汇总", "Trip summaries") Set content=true frozen=true writer=Scope key=0 {
        trip: Ref<{ number::TRIP }> = ("出差汇总", "Trip summary", ""),
    }
}

crate::group! {
    /// What reviewers cut: it counts where the same person then took that step on that revision; of one line the last.
    Cuts = 9 "cut" ("核减", "Cuts") Ledger content=false frozen=false writer=Scope {
        line: Count = ("行号", "Line", ""),
        to: Fen = ("核减至", "Cut to", ""),
        step: Text<30> = ("步骤", "Step", ""),
        reason: CutReason = ("原因", "Reason", ""),
        note: Text<500> = ("说明", "Note", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        rev: Count = ("版次", "Revision", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// What reviewers say of single lines when they send the claim back.
    LineReturns = 10 "line_return" ("退回明细", "Lines sent back") Ledger content=false frozen=false writer=Scope {
        line: Count = ("行号", "Line", ""),
        step: Text<30> = ("步骤", "Step", ""),
        reason: CutReason = ("原因", "Reason", ""),
        note: Text<500> = ("说明", "Note", ""),
        rev: Count = ("版次", "Revision", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// What the audit says of each line; of one line the last counts.
    AuditLines = 11 "audit_line" ("审核明细", "Audited lines") Ledger content=false frozen=false writer=Hq {
        line: Count = ("行号", "Line", ""),
        verdict: LineVerdict = ("结论", "Verdict", ""),
        payable: Fen = ("核定金额", "Payable", ""),
        self_paid: Fen = ("自理金额", "Self-paid", ""),
        reason: Text<500> = ("原因", "Reason", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// Where its paper was seen.
    Papers = 12 "paper" ("纸质单据", "Paper") Ledger content=false frozen=false writer=Scope {
        seen: PaperSeen = ("状态", "Seen", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
        note: Text<500> = ("说明", "Note", ""),
    }
}

crate::group! {
    /// Questions to the branch and their answers.
    Questions = 13 "question" ("问询", "Questions") Ledger content=false frozen=false writer=Scope {
        text: Text<1000> = ("内容", "Text", ""),
        answer: bool = ("是答复", "Is an answer", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// What the claimant says to a finding that needs a reason (R1 to R5): of one rule and line the last counts.
    Reasons = 14 "reason" ("说明理由", "Reasons") Ledger content=false frozen=false writer=Scope {
        rule: Text<10> = ("规则", "Rule", ""),
        line: Count = ("行号", "Line", ""),
        reason: Text<500> = ("理由", "Reason", ""),
        at: Ts = ("时间", "At", ""),
    }
}

/// The table.
pub static CLAIM: Kind = Kind {
    number: number::CLAIM,
    schema: 1,
    name: "claim",
    zh: "费用报销单",
    en: "Expense claim",
    reach: Reach::Branch,
    machine: Some(&claim_machine::CLAIM),
    key: Some("claim_no"),
    title: &["claim_no", "half"],
    concerns: &[(Claimant::GROUP.number, 0)],
    groups: &[
        &DECISIONS,
        &ClaimNo::GROUP,
        &Claimant::GROUP,
        &Submission::GROUP,
        &Lines::GROUP,
        &Placed::GROUP,
        &LineSheets::GROUP,
        &Trips::GROUP,
        &Cuts::GROUP,
        &LineReturns::GROUP,
        &AuditLines::GROUP,
        &Papers::GROUP,
        &Questions::GROUP,
        &Reasons::GROUP,
        &sheet::Notes::GROUP,
        &sheet::Tags::GROUP,
        &approval::Approvals::GROUP,
    ],
};
