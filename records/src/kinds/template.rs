//! A checklist template: one document per code and version, so that a draft keeps the version it began with.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Count, MeterValue, Text};

crate::choices! {
    /// A type of work sheet.
    SheetType "sheet_type" {
        INSTALL = 0 "install" "安装" "Installation",
        REPAIR = 1 "repair" "维修" "Repair",
        INSPECTION = 2 "inspection" "巡检" "Inspection",
    }
}

crate::choices! {
    /// What an item asks for.
    ItemKind "item_kind" {
        YESNO = 0 "yesno" "是否" "Yes or no",
        OK_WATCH_FAULT = 1 "ok_watch_fault" "正常/注意/故障" "OK, watch or fault",
        NUMBER = 2 "number" "数值" "Number",
        TEXT = 3 "text" "文字" "Text",
        CHOICE = 4 "choice" "单选" "One of a list",
        MULTI = 5 "multi" "多选" "Several of a list",
        PHOTO = 6 "photo" "照片" "Photo",
        SIGN = 7 "sign" "签名" "Signature",
        SCAN = 8 "scan" "扫码" "Scan",
        DATE = 9 "date" "日期" "Date",
    }
}

crate::group! {
    /// Which version of which template, for which sheets.
    TemplateCode = 2 "code" ("模板编号", "Code") Once content=true frozen=false writer=Hq {
        code: Text<60> = ("模板编号", "Template code", ""),
        version: Count = ("版本", "Version", ""),
        kind_of as "type": SheetType = ("工作单类型", "Sheet type", ""),
    }
}

crate::group! {
    /// How it is called.
    Title = 3 "title" ("标题", "Title") Last content=true frozen=false writer=Hq {
        title: Text<120> = ("标题", "Title", ""),
    }
}

crate::group! {
    /// The items, by key.
    Items = 4 "item" ("检查项", "Items") Set content=true frozen=false writer=Hq key=0 {
        key: Text<120> = ("键", "Key", ""),
        order: Count = ("顺序", "Order", ""),
        label: Text<200> = ("名称", "Label", ""),
        kind: ItemKind = ("类型", "Kind", ""),
        required: bool = ("必填", "Required", ""),
        unit: Text<20> = ("单位", "Unit", ""),
        min: MeterValue = ("下限", "Minimum", ""),
        max: MeterValue = ("上限", "Maximum", ""),
        options: Text<1000> = ("选项（以;分隔）", "Options, with ; between", ""),
        photos_min: Count = ("照片张数", "Photos at least", ""),
        show_if: Text<200> = ("显示条件（键=答案）", "Shown if (key=answer)", ""),
    }
}

/// The table.
pub static TEMPLATE: Kind = Kind {
    number: number::TEMPLATE,
    schema: 1,
    name: "template",
    zh: "检查表模板",
    en: "Checklist template",
    reach: Reach::Company,
    machine: None,
    key: Some("code"),
    title: &["title", "code", "version"],
    concerns: &[],
    groups: &[&TemplateCode::GROUP, &Title::GROUP, &Items::GROUP],
};
