//! A machine at a site.

use crate::kinds::{number, sheet};
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::{Count, MeterValue, Ref, Text};

crate::choices! {
    /// Whether it runs.
    AssetState "asset_state" {
        PLANNED = 0 "planned" "计划中" "Planned",
        IN_SERVICE = 1 "in_service" "在用" "In service",
        DOWN = 2 "down" "停机" "Down",
        REMOVED = 3 "removed" "已拆除" "Removed",
    }
}

crate::choices! {
    /// Which way a meter may go.
    Direction "direction" {
        UP = 0 "up" "只增" "Up",
        ANY = 1 "any" "任意" "Any",
    }
}

crate::group! {
    /// The maker's number on its plate.
    Serial = 2 "serial" ("序列号", "Serial number") Contested content=true frozen=false writer=Scope {
        serial: Text<80> = ("序列号", "Serial number", ""),
    }
}

crate::group! {
    /// Where it stands.
    AssetSite = 3 "site" ("所在现场", "Site") Last content=true frozen=false writer=Scope {
        site: Ref<{ number::SITE }> = ("现场", "Site", ""),
    }
}

crate::group! {
    /// What it is.
    Model = 4 "model" ("型号", "Model") Last content=true frozen=false writer=Scope {
        model: Text<120> = ("型号", "Model", ""),
        category: Text<80> = ("类别", "Category", ""),
    }
}

crate::group! {
    /// The machine of which it is a part.
    Parent = 5 "parent" ("上级设备", "Parent") Last content=true frozen=false writer=Scope {
        parent: Ref<{ number::ASSET }> = ("上级设备", "Parent", ""),
    }
}

crate::group! {
    /// When it was installed, and by which sheet.
    Installed = 6 "installed" ("安装", "Installed") Last content=true frozen=false writer=Scope {
        installed_on: Day = ("安装日期", "Installed on", ""),
        installed_by_sheet: Ref<{ number::INSTALL }> = ("安装单", "Installation sheet", ""),
    }
}

crate::group! {
    /// From when to when the maker answers for it.
    Warranty = 7 "warranty" ("保修", "Warranty") Last content=true frozen=false writer=Scope {
        warranty_from: Day = ("保修起", "Warranty from", ""),
        warranty_to: Day = ("保修止", "Warranty to", ""),
    }
}

crate::group! {
    /// How long each component is covered.
    WarrantyTerms = 8 "warranty_term" ("部件保修期", "Warranty terms") Set content=true frozen=false writer=Scope key=0 {
        component: Text<80> = ("部件", "Component", ""),
        months: Count = ("月数", "Months", "mo"),
    }
}

crate::group! {
    /// The meters on it.
    Meters = 9 "meter" ("仪表", "Meters") Set content=true frozen=false writer=Scope key=0 {
        meter_id: Text<40> = ("仪表编号", "Meter", ""),
        name: Text<80> = ("名称", "Name", ""),
        unit: Text<20> = ("单位", "Unit", ""),
        direction: Direction = ("方向", "Direction", ""),
        rollover: MeterValue = ("翻转值", "Rolls over at", ""),
    }
}

crate::group! {
    /// The codes that stick on it.
    Barcodes = 10 "barcode" ("条码", "Barcodes") Set content=true frozen=false writer=Scope key=0 {
        barcode: Text<120> = ("条码", "Barcode", ""),
    }
}

crate::group! {
    /// Whether it runs.
    Running = 11 "state" ("状态", "State") Last content=true frozen=false writer=Scope {
        state: AssetState = ("状态", "State", ""),
    }
}

/// The table.
pub static ASSET: Kind = Kind {
    number: number::ASSET,
    schema: 1,
    name: "asset",
    zh: "资产",
    en: "Asset",
    reach: Reach::Company,
    machine: None,
    key: Some("serial"),
    title: &["model", "serial", "site"],
    concerns: &[],
    groups: &[
        &Serial::GROUP,
        &AssetSite::GROUP,
        &Model::GROUP,
        &Parent::GROUP,
        &Installed::GROUP,
        &Warranty::GROUP,
        &WarrantyTerms::GROUP,
        &Meters::GROUP,
        &Barcodes::GROUP,
        &Running::GROUP,
        &sheet::Notes::GROUP,
    ],
};
