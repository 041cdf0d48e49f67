//! The installation sheet (安装单).

use crate::decision::DECISIONS;
use crate::kinds::sheet::Entry;
use crate::kinds::{number, sheet, sheet_machine};
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::{MeterValue, Text};

crate::group! {
    /// What was installed, as on its plate.
    Plate = 40 "plate" ("铭牌", "Plate") Contested content=true frozen=true writer=Scope {
        model: Text<120> = ("型号", "Model", ""),
        serial: Text<80> = ("序列号", "Serial number", ""),
        serial_source: Entry = ("序列号录入方式", "Serial came by", ""),
    }
}

crate::group! {
    /// What was measured when it first ran, by name.
    Commissioning = 41 "commissioning_value" ("调试数据", "Commissioning values") Set
    content=true frozen=true writer=Scope key=0 {
        name: Text<120> = ("项目", "Name", ""),
        value: MeterValue = ("数值", "Value", ""),
        note: Text<500> = ("说明", "Note", ""),
    }
}

crate::group! {
    /// What was handed over.
    Handover = 42 "handover_item" ("移交清单", "Hand-over checklist") Set content=true frozen=true writer=Scope key=0 {
        item: Text<120> = ("移交项", "Item", ""),
        done: bool = ("已移交", "Done", ""),
        note: Text<500> = ("说明", "Note", ""),
    }
}

crate::group! {
    /// Who was shown how to use it.
    Trained = 43 "trained_person" ("受训人员", "Trained persons") Set content=true frozen=true writer=Scope key=0 {
        person: Text<120> = ("姓名", "Name", ""),
        role: Text<60> = ("职务", "Role", ""),
    }
}

crate::group! {
    /// From when the maker answers for it.
    WarrantyStart = 44 "warranty" ("保修", "Warranty") Last content=true frozen=true writer=Scope {
        warranty_start: Day = ("保修起始日", "Warranty from", ""),
    }
}

/// The table.
pub static INSTALL: Kind = Kind {
    number: number::INSTALL,
    schema: 1,
    name: "install",
    zh: "安装单",
    en: "Installation sheet",
    reach: Reach::Branch,
    machine: Some(&sheet_machine::SHEET),
    key: Some("sheet_no"),
    title: &["product", "model", "problem", "customer"],
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
        &Plate::GROUP,
        &Commissioning::GROUP,
        &Handover::GROUP,
        &Trained::GROUP,
        &WarrantyStart::GROUP,
    ],
};
