//! A unit of the organisation: one tree, read as service tiers and as reimbursement tiers.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Count, Ref, Text};

crate::choices! {
    /// Where in the tree a unit stands.
    OrgKind "org_kind" {
        GROUP = 0 "group" "集团" "Group",
        COMPANY = 1 "company" "公司" "Company",
        BRANCH = 2 "branch" "分公司" "Branch",
        SERVICE_CENTER = 3 "service_center" "客服中心" "Service centre",
        OFFICE = 4 "office" "办事处" "Office",
        PROJECT = 5 "project" "项目" "Project",
    }
}

crate::group! {
    /// The code that stands in sheet and claim numbers.
    OrgCode = 2 "code" ("单位编号", "Code") Once content=true frozen=false writer=Hq {
        code: Text<20> = ("单位编号", "Unit code", ""),
    }
}

crate::group! {
    /// What it is and below what.
    Unit = 3 "unit" ("单位", "Unit") Last content=true frozen=false writer=Hq {
        name: Text<120> = ("名称", "Name", ""),
        kind: OrgKind = ("类型", "Kind", ""),
        parent: Ref<{ number::ORG }> = ("上级单位", "Parent", ""),
    }
}

crate::group! {
    /// Who leads it.
    Lead = 4 "lead" ("负责人", "Lead") Last content=true frozen=false writer=Hq {
        manager: Ref<{ number::STAFF }> = ("经理", "Manager", ""),
        supervisor: Ref<{ number::STAFF }> = ("主管", "Supervisor", ""),
    }
}

crate::group! {
    /// By which days it counts.
    Terms = 5 "terms" ("期限规则", "Terms") Last content=true frozen=false writer=Hq {
        calendar: Text<20> = ("日历", "Calendar", ""),
        lump_sum: bool = ("包干", "Lump sum", ""),
        transit_days: Count = ("邮寄天数", "Days in the mail", "d"),
    }
}

/// The table.
pub static ORG: Kind = Kind {
    number: number::ORG,
    schema: 1,
    name: "org",
    zh: "组织单位",
    en: "Unit",
    reach: Reach::Company,
    machine: None,
    key: Some("code"),
    title: &["name", "code"],
    concerns: &[],
    groups: &[&OrgCode::GROUP, &Unit::GROUP, &Lead::GROUP, &Terms::GROUP],
};
