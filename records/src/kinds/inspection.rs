//! The inspection sheet (巡检单).

use crate::decision::DECISIONS;
use crate::kinds::{number, sheet, sheet_machine};
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Count, FileHash, MeterValue, Ref, Text};

crate::choices! {
    /// What was found at one point.
    ItemResult "item_result" {
        OK = 0 "ok" "正常" "OK",
        WATCH = 1 "watch" "注意" "Watch",
        FAULT = 2 "fault" "故障" "Fault",
        SKIPPED = 3 "skipped" "跳过" "Skipped",
    }
}

crate::choices! {
    /// Whether a finding was put right.
    Fixed "fixed" {
        NO = 0 "no" "否" "No",
        YES = 1 "yes" "是" "Yes",
        NOT_REQUIRED = 2 "not_required" "无需" "Not required",
    }
}

crate::group! {
    /// What kind of inspection of which establishment.
    Inspected = 60 "inspected" ("检查对象", "Inspected") Last content=true frozen=true writer=Scope {
        itype: Text<80> = ("检查类型", "Inspection type", ""),
        est: Text<80> = ("被检单位", "Establishment", ""),
    }
}

crate::group! {
    /// Along which round.
    Route = 61 "route" ("路线", "Route") Last content=true frozen=true writer=Scope {
        route: Text<120> = ("巡检路线", "Route", ""),
    }
}

crate::group! {
    /// What was found, point by point. An entry is known by the op that added it, not by a key:
    /// real inspections name one code at two places.
    Findings = 62 "item" ("巡检项", "Items") Set content=true frozen=true writer=Scope {
        code: Text<60> = ("编号", "Code", ""),
        item: Text<200> = ("巡检项", "Item", ""),
        asset: Ref<{ number::ASSET }> = ("资产", "Asset", ""),
        result: ItemResult = ("结论", "Result", ""),
        value: MeterValue = ("数值", "Value", ""),
        problem: Text<2000> = ("问题", "Problem", ""),
        loc: Text<200> = ("位置", "Location", ""),
        fixed: Fixed = ("已整改", "Put right", ""),
        days: Count = ("整改期限", "Days to correct", "d"),
        act: Text<1000> = ("整改措施", "Action", ""),
        note: Text<1000> = ("说明", "Note", ""),
        photo: FileHash = ("照片", "Photo", ""),
    }
}

crate::group! {
    /// Whether a fault is to become a repair ticket.
    Raise = 63 "raise" ("转维修", "Raise tickets") Last content=true frozen=true writer=Scope {
        faults_raise_ticket: bool = ("故障转维修", "Faults raise a ticket", ""),
    }
}

/// The table.
pub static INSPECTION: Kind = Kind {
    number: number::INSPECTION,
    schema: 1,
    name: "inspection",
    zh: "巡检单",
    en: "Inspection sheet",
    reach: Reach::Branch,
    machine: Some(&sheet_machine::SHEET),
    key: Some("sheet_no"),
    title: &["itype", "est", "customer"],
    concerns: sheet_machine::CONCERNS,
    groups: &[
        &DECISIONS,
        &sheet::Order::GROUP,
        &sheet::Place::GROUP,
        &sheet::Engineer::GROUP,
        &sheet::Visit::GROUP,
        &sheet::Position::GROUP,
        &sheet::Equipment::GROUP,
        &sheet::Problem::GROUP,
        &sheet::Cause::GROUP,
        &sheet::Work::GROUP,
        &sheet::Result::GROUP,
        &sheet::Parts::GROUP,
        &sheet::Times::GROUP,
        &sheet::Legs::GROUP,
        &sheet::Readings::GROUP,
        &sheet::Answers::GROUP,
        &sheet::Photos::GROUP,
        &sheet::Notes::GROUP,
        &sheet::Tags::GROUP,
        &sheet::Helpers::GROUP,
        &sheet::Assets::GROUP,
        &sheet::Rating::GROUP,
        &sheet::Next::GROUP,
        &sheet::CustomerSign::GROUP,
        &sheet::SheetNo::GROUP,
        &sheet::Amends::GROUP,
        &sheet::Checklist::GROUP,
        &sheet::Origin::GROUP,
        &sheet::Task::GROUP,
        &sheet::Location::GROUP,
        &sheet::Cost::GROUP,
        &sheet::RunHours::GROUP,
        &Inspected::GROUP,
        &Route::GROUP,
        &Findings::GROUP,
        &Raise::GROUP,
    ],
};
