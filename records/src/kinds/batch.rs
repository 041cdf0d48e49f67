//! A branch's batch of claims (报销批次): the envelope that goes to headquarters twice a month, with its lists.

use crate::decision::DECISIONS;
use crate::kinds::{approval, batch_machine, number, sheet};
use crate::schema::{Kind, Reach, Typed};
use crate::time::{Day, Ts};
use crate::value::{Count, Ref, Text};

crate::group! {
    /// Its number `<branch>-<YYYYMM>-<A|B|S1..>`, its mailing (`2026-02-A`) and the day on which it is due.
    BatchNo = 2 "batch" ("批次", "Batch") Once content=true frozen=true writer=Scope {
        batch_no: Text<40> = ("批次号", "Batch number", ""),
        branch: Ref<{ number::ORG }> = ("分公司", "Branch", ""),
        cycle: Text<12> = ("所属邮寄", "Mailing", ""),
        due_day: Day = ("应寄日", "Due on", ""),
    }
}

crate::group! {
    /// The claims inside, in their order.
    BatchClaims = 3 "claim" ("报销单", "Claims") Set content=true frozen=true writer=Scope key=0 {
        claim: Ref<{ number::CLAIM }> = ("报销单", "Claim", ""),
        claim_no: Text<60> = ("报销单号", "Claim number", ""),
        at: Count = ("序号", "Place", ""),
    }
}

crate::group! {
    /// Numbers between those inside that are not inside, and why (`void`, `withheld`).
    Explained = 4 "explained" ("缺号说明", "Numbers explained") Set content=true frozen=true writer=Scope key=0 {
        claim_no: Text<60> = ("报销单号", "Claim number", ""),
        why: Text<200> = ("说明", "Why", ""),
    }
}

crate::group! {
    /// How it went off.
    Dispatch = 5 "dispatch" ("寄出", "Dispatch") Last content=false frozen=false writer=Scope {
        carrier: Text<80> = ("快递公司", "Carrier", ""),
        waybill: Text<80> = ("运单号", "Waybill", ""),
        dispatched_day: Day = ("寄出日", "Dispatched on", ""),
        late_reason: Text<500> = ("逾期原因", "Why late", ""),
    }
}

crate::group! {
    /// What was found in the envelope.
    Received = 6 "received" ("收件", "Received") Ledger content=false frozen=false writer=Hq {
        claim_no: Text<60> = ("报销单号", "Claim number", ""),
        ok: bool = ("在内", "Was inside", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
        note: Text<500> = ("说明", "Note", ""),
    }
}

/// The table.
pub static BATCH: Kind = Kind {
    number: number::BATCH,
    schema: 1,
    name: "batch",
    zh: "报销批次",
    en: "Claim batch",
    reach: Reach::Branch,
    machine: Some(&batch_machine::BATCH),
    key: Some("batch_no"),
    title: &["batch_no", "waybill"],
    concerns: &[],
    groups: &[
        &DECISIONS,
        &BatchNo::GROUP,
        &BatchClaims::GROUP,
        &Explained::GROUP,
        &Dispatch::GROUP,
        &Received::GROUP,
        &sheet::Notes::GROUP,
        &approval::Approvals::GROUP,
    ],
};
