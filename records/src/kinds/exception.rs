//! A request for an exception (例外申请) from a ceiling, a limit of time, or an attachment.

use crate::decision::DECISIONS;
use crate::kinds::voucher::Category;
use crate::kinds::{approval, exception_machine, number, sheet};
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Count, Ref, Text};

crate::choices! {
    /// From what.
    ExceptionKind "exception_kind" {
        CAP = 0 "cap" "超限额" "Ceiling",
        LATE_LINE = 1 "late_line" "明细超期" "Line too old",
        LATE_BATCH = 2 "late_batch" "批次逾期" "Batch too late",
        EXTRA_BATCH = 3 "extra_batch" "增加批次" "Extra batch",
        MISSING_SHEET = 4 "missing_sheet" "缺工作单" "Work sheet missing",
        TEMPORARY_WORK = 5 "temporary_work" "临时工作" "Temporary work",
        OTHER = 6 "other" "其他" "Other",
    }
}

crate::group! {
    /// What is asked, and why. `amount` raises a ceiling; `month` is `2026-03`; a voucher names an old line before it
    /// stands on a claim.
    Ask = 2 "ask" ("申请", "Request") Contested content=true frozen=true writer=Scope {
        kind_of as "kind": ExceptionKind = ("类型", "Kind", ""),
        claim: Ref<{ number::CLAIM }> = ("报销单", "Claim", ""),
        line: Count = ("行号", "Line", ""),
        voucher: Ref<{ number::VOUCHER }> = ("票据", "Voucher", ""),
        batch: Ref<{ number::BATCH }> = ("批次", "Batch", ""),
        category: Category = ("费用类别", "Category", ""),
        month: Text<7> = ("月份", "Month", ""),
        amount: Fen = ("金额", "Amount", ""),
        reason: Text<1000> = ("原因", "Reason", ""),
        asked_by: Ref<{ number::STAFF }> = ("申请人", "Asked by", ""),
        caused_by: Ref<{ number::STAFF }> = ("责任人", "Caused by", ""),
    }
}

/// The table.
pub static EXCEPTION: Kind = Kind {
    number: number::EXCEPTION,
    schema: 1,
    name: "exception",
    zh: "例外申请",
    en: "Exception request",
    reach: Reach::Branch,
    machine: Some(&exception_machine::EXCEPTION),
    key: None,
    title: &["kind", "reason"],
    concerns: &[(Ask::GROUP.number, 9)],
    groups: &[&DECISIONS, &Ask::GROUP, &sheet::Notes::GROUP, &approval::Approvals::GROUP],
};
