//! Who decided what, when, for whom and on which content: written in the same op as the decision itself.

use crate::kinds::number;
use crate::time::Ts;
use crate::value::{Count, Digest, Ref, Text};

crate::group! {
    /// One decision with its person (审批记录). Grows only: it is the audit trail.
    ///
    /// `acks` are the rule ids of the anomalies that the person acknowledged, separated by blanks; `vouchers` is the
    /// number that he counted; `content` the first 16 bytes of the digest of what he saw.
    ///
    /// Source: docs/RULES.md, Claims.
    Approvals = 30 "approval" ("审批记录", "Approvals") Ledger content=false frozen=false writer=Scope {
        step: Text<30> = ("步骤", "Step", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        on_behalf_of: Ref<{ number::STAFF }> = ("代理", "On behalf of", ""),
        rev: Count = ("版次", "Revision", ""),
        content: Digest = ("内容摘要", "Content", ""),
        vouchers: Count = ("票据张数", "Vouchers counted", ""),
        acks: Text<200> = ("已确认异常", "Acknowledged", ""),
        note: Text<1000> = ("说明", "Note", ""),
        at: Ts = ("时间", "At", ""),
    }
}
