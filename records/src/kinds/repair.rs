//! The repair sheet (维修单).

use crate::decision::DECISIONS;
use crate::kinds::{number, sheet, sheet_machine};
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Min, Ref, Text};

crate::group! {
    /// The fault by its code.
    Fault = 50 "fault" ("故障", "Fault") Last content=true frozen=true writer=Scope {
        fault_code: Text<60> = ("故障代码", "Fault code", ""),
        #[cfg(feature = "tomorrow")]
        fault_text since 2: Text<200> = ("故障描述", "Fault in words", ""),
    }
}

crate::group! {
    /// What the engineer found.
    Found = 51 "found" ("检查发现", "Found") Last content=true frozen=true writer=Scope {
        found: Text<4000> = ("检查发现", "Found", ""),
    }
}

crate::group! {
    /// Serialised parts that changed places.
    Replaced = 52 "replaced_part" ("更换件", "Replaced parts") Ledger content=true frozen=true writer=Scope {
        part: Ref<{ number::PART }> = ("备件", "Part", ""),
        old_serial: Text<80> = ("旧序列号", "Old serial", ""),
        new_serial: Text<80> = ("新序列号", "New serial", ""),
        #[cfg(feature = "tomorrow")]
        warranty_min since 2: Min = ("质保", "Warranty", "min"),
    }
}

crate::group! {
    /// What the customer pays.
    Charge = 53 "charge" ("收费", "Charge") Contested content=true frozen=true writer=Scope {
        under_warranty: bool = ("保修期内", "Under warranty", ""),
        charge: Fen = ("收费金额", "Charge", ""),
    }
}

crate::group! {
    /// How long the machine stood.
    Downtime = 54 "downtime" ("停机", "Downtime") Last content=true frozen=true writer=Scope {
        downtime_min: Min = ("停机分钟", "Downtime", "min"),
    }
}

crate::group! {
    /// What stood in the way of the repair.
    Barrier = 55 "barrier" ("维修障碍", "Barrier") Last content=true frozen=true writer=Scope {
        barrier: Text<200> = ("维修障碍", "Barrier", ""),
    }
}

/// The table.
pub static REPAIR: Kind = Kind {
    number: number::REPAIR,
    schema: if cfg!(feature = "tomorrow") { 2 } else { 1 },
    name: "repair",
    zh: "维修单",
    en: "Repair sheet",
    reach: Reach::Branch,
    machine: Some(&sheet_machine::SHEET),
    key: Some("sheet_no"),
    title: &["product", "problem", "customer"],
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
        &Fault::GROUP,
        &Found::GROUP,
        &Replaced::GROUP,
        &Charge::GROUP,
        &Downtime::GROUP,
        &Barrier::GROUP,
        #[cfg(feature = "tomorrow")]
        &crate::kinds::tomorrow::Loaner::GROUP,
    ],
};
