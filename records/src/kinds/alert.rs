//! An anomaly alert (异常警报): something about a claim that a person must look at.

use crate::decision::DECISIONS;
use crate::kinds::{alert_machine, approval, number, sheet};
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Count, Ref, Text};

crate::group! {
    /// Which rule (`A3`; `manual` for a person's own alarm) found what on which claim; `by` is empty for a rule.
    Finding = 2 "alert" ("异常", "Alert") Once content=true frozen=true writer=Scope {
        rule: Text<10> = ("规则", "Rule", ""),
        claim: Ref<{ number::CLAIM }> = ("报销单", "Claim", ""),
        line: Count = ("行号", "Line", ""),
        staff: Ref<{ number::STAFF }> = ("报销人", "Claimant", ""),
        evidence: Text<2000> = ("证据", "Evidence", ""),
        by: Ref<{ number::STAFF }> = ("提出人", "Raised by", ""),
    }
}

/// The table. It concerns nobody: the claimant does not read what is suspected of him.
pub static ALERT: Kind = Kind {
    number: number::ALERT,
    schema: 1,
    name: "alert",
    zh: "异常警报",
    en: "Anomaly alert",
    reach: Reach::Branch,
    machine: Some(&alert_machine::ALERT),
    key: None,
    title: &["rule", "evidence"],
    concerns: &[],
    groups: &[&DECISIONS, &Finding::GROUP, &sheet::Notes::GROUP, &approval::Approvals::GROUP],
};
