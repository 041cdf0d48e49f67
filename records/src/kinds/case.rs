//! A disciplinary case (处罚单): what somebody did with a claim, and what follows.

use crate::decision::DECISIONS;
use crate::kinds::{approval, case_machine, number, sheet};
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Ts;
use crate::value::{Count, Ref, Text};

crate::choices! {
    /// What it is about.
    CaseKind "case_kind" {
        FALSE_CLAIM = 0 "false_claim" "虚报" "False claim",
        NON_COMPLIANT = 1 "non_compliant" "不合规范" "Form fault",
        AUDIT_LATE = 2 "audit_late" "审核逾期" "Audit late",
    }
}

crate::choices! {
    /// What became of a fine.
    FineState "fine_state" {
        PENDING = 0 "pending" "待扣" "Pending",
        DEDUCTED = 1 "deducted" "已扣" "Deducted",
        WAIVED = 2 "waived" "已免" "Waived",
    }
}

crate::group! {
    /// What was done, by whom, on which claim; `days` are an auditor's late working days.
    About = 2 "about" ("事由", "About") Once content=true frozen=true writer=Scope {
        kind_of as "kind": CaseKind = ("类型", "Kind", ""),
        claim: Ref<{ number::CLAIM }> = ("报销单", "Claim", ""),
        line: Count = ("行号", "Line", ""),
        claimant: Ref<{ number::STAFF }> = ("当事人", "Person", ""),
        supervisor: Ref<{ number::STAFF }> = ("审核主管", "Supervisor of record", ""),
        branch: Ref<{ number::ORG }> = ("分公司", "Branch", ""),
        days: Count = ("逾期工作日", "Late working days", "d"),
        evidence: Text<2000> = ("证据", "Evidence", ""),
    }
}

crate::group! {
    /// What each person owes; of one person the last counts. A list for payroll, never taken off a claim.
    Fines = 3 "fine" ("罚款", "Fines") Ledger content=false frozen=false writer=Hq {
        person: Ref<{ number::STAFF }> = ("人员", "Person", ""),
        amount: Fen = ("金额", "Amount", ""),
        state: FineState = ("状态", "State", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// The mark in the claimant's appraisal of a month.
    Marks = 4 "mark" ("考核", "Appraisal marks") Ledger content=false frozen=false writer=Hq {
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
        month: Text<7> = ("月份", "Month", ""),
        grade: Text<4> = ("等级", "Grade", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
    }
}

/// The table.
pub static CASE: Kind = Kind {
    number: number::CASE,
    schema: 1,
    name: "case",
    zh: "处罚单",
    en: "Disciplinary case",
    reach: Reach::Branch,
    machine: Some(&case_machine::CASE),
    key: None,
    title: &["kind", "evidence"],
    concerns: &[(About::GROUP.number, 3), (About::GROUP.number, 4)],
    groups: &[
        &DECISIONS,
        &About::GROUP,
        &Fines::GROUP,
        &Marks::GROUP,
        &sheet::Notes::GROUP,
        &approval::Approvals::GROUP,
    ],
};
