//! Who may give a person's claim numbers (号码租约): one of his devices, from one number on.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Ts;
use crate::value::{Count, Ref, Text};

crate::group! {
    /// Whose numbers.
    LeaseOf = 2 "staff" ("人员", "Person") Once content=true frozen=false writer=Hq {
        code: Text<10> = ("人员编号", "Staff code", ""),
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
    }
}

crate::group! {
    /// Each turn of the lease; the highest epoch counts. The device numbers on from `next` in the year of `next_year`.
    Turns = 3 "turn" ("租约", "Turns") Ledger content=false frozen=false writer=Hq {
        epoch: Count = ("届次", "Epoch", ""),
        replica: Count = ("设备", "Device", ""),
        year: Text<4> = ("年份", "Year", ""),
        next: Count = ("起始号", "Next number", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// Numbers that nobody will ever see: given on a device that was lost (作废号段说明).
    Burned = 4 "burned" ("作废号段", "Burned numbers") Ledger content=false frozen=false writer=Hq {
        year: Text<4> = ("年份", "Year", ""),
        first: Count = ("起", "First", ""),
        last: Count = ("止", "Last", ""),
        why: Text<200> = ("原因", "Why", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
    }
}

/// The table.
pub static LEASE: Kind = Kind {
    number: number::LEASE,
    schema: 1,
    name: "lease",
    zh: "报销单号租约",
    en: "Lease on claim numbers",
    reach: Reach::Branch,
    machine: None,
    key: Some("code"),
    title: &["code"],
    concerns: &[(LeaseOf::GROUP.number, 1)],
    groups: &[&LeaseOf::GROUP, &Turns::GROUP, &Burned::GROUP],
};
