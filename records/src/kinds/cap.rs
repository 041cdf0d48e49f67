//! A monthly ceiling (限额) of a unit, as confirmed with its branch.

use crate::kinds::number;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::{Ref, Text};

crate::group! {
    /// For whom and what: a branch or centre, and where given only for a grade or one person; the narrowest row counts.
    CapFor = 2 "cap" ("限额", "Ceiling") Once content=true frozen=false writer=Hq {
        code: Text<40> = ("编号", "Code", ""),
        unit: Ref<{ number::ORG }> = ("单位", "Unit", ""),
        category: Category = ("费用类别", "Category", ""),
        grade: Text<20> = ("级别", "Grade", ""),
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
    }
}

crate::group! {
    /// How much a calendar month, and since when.
    CapAmount = 3 "amount" ("金额", "Amount") Contested content=true frozen=false writer=Hq {
        amount: Fen = ("每月限额", "Each month", ""),
        valid_from: Day = ("生效日", "Valid from", ""),
        valid_to: Day = ("失效日", "Valid to", ""),
        source: Text<200> = ("依据", "Source", ""),
    }
}

/// The table.
pub static CAP: Kind = Kind {
    number: number::CAP,
    schema: 1,
    name: "cap",
    zh: "费用限额",
    en: "Monthly ceiling",
    reach: Reach::Company,
    machine: None,
    key: Some("code"),
    title: &["code", "category"],
    concerns: &[],
    groups: &[&CapFor::GROUP, &CapAmount::GROUP],
};
