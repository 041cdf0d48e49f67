//! A trip summary (出差汇总审批表): one person's half-month, day by day.

use crate::decision::DECISIONS;
use crate::kinds::{approval, number, sheet, trip_machine};
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::{Count, Ref, Text};

crate::group! {
    /// Whose half-month (`2026-11-H1`) it is.
    TripOf = 2 "half" ("所属半月", "Half-month") Once content=true frozen=true writer=Scope {
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
        unit: Ref<{ number::ORG }> = ("单位", "Unit", ""),
        half: Text<12> = ("半月", "Half-month", ""),
    }
}

crate::group! {
    /// The days, one row each.
    TripDays = 3 "day" ("日程", "Days") Set content=true frozen=true writer=Scope key=0 {
        date: Day = ("日期", "Date", ""),
        place: Text<200> = ("地点", "Place", ""),
        customer: Ref<{ number::CUSTOMER }> = ("客户", "Customer", ""),
        site: Ref<{ number::SITE }> = ("现场", "Site", ""),
        purpose: Text<500> = ("事由", "Purpose", ""),
        nights: Count = ("住宿晚数", "Nights", ""),
        allowance_days: Count = ("补贴天数", "Allowance days", ""),
    }
}

crate::group! {
    /// The work done on them.
    TripSheets = 4 "sheet" ("工作单", "Sheets") Set content=true frozen=true writer=Scope key=1 {
        date: Day = ("日期", "Date", ""),
        sheet: Ref<{ number::SHEET }> = ("工作单", "Sheet", ""),
    }
}

/// The table; its travel legs are those of a sheet.
pub static TRIP: Kind = Kind {
    number: number::TRIP,
    schema: 1,
    name: "trip",
    zh: "出差汇总审批表",
    en: "Trip summary",
    reach: Reach::Branch,
    machine: Some(&trip_machine::TRIP),
    key: None,
    title: &["half", "staff"],
    concerns: &[(TripOf::GROUP.number, 0)],
    groups: &[
        &DECISIONS,
        &TripOf::GROUP,
        &TripDays::GROUP,
        &TripSheets::GROUP,
        &sheet::Legs::GROUP,
        &sheet::Notes::GROUP,
        &sheet::Tags::GROUP,
        &approval::Approvals::GROUP,
    ],
};
