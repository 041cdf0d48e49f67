//! A person: code, unit, roles.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Ref, Text};

crate::choices! {
    /// What a person may do; several may be held.
    Role "role" {
        ENGINEER = 0 "engineer" "现场工程师" "Engineer",
        SUPERVISOR = 1 "supervisor" "客服中心主管" "Supervisor",
        BRANCH_GM = 2 "branch_gm" "分公司总经理" "Branch GM",
        AUDITOR = 3 "auditor" "费用审核专员" "Auditor",
        CS_MANAGER = 4 "cs_manager" "客户服务部经理" "CS manager",
        SALES_VP = 5 "sales_vp" "销售副总经理" "Sales VP",
        FINANCE = 6 "finance" "财务部" "Finance",
        DESK = 7 "desk" "前台客服" "Desk",
        DISPATCHER = 8 "dispatcher" "调度" "Dispatcher",
        KB_EDITOR = 9 "kb_editor" "知识编辑" "Knowledge editor",
        ADMIN = 10 "admin" "管理员" "Administrator",
        VIEWER = 11 "viewer" "只读" "Viewer",
    }
}

crate::group! {
    /// Who he is.
    Person = 2 "person" ("人员", "Person") Once content=true frozen=false writer=Hq {
        code: Text<10> = ("工号", "Staff code", ""),
    }
}

crate::group! {
    /// How he is called and where he works.
    Post = 3 "post" ("岗位", "Post") Last content=true frozen=false writer=Hq {
        name: Text<120> = ("姓名", "Name", ""),
        unit: Ref<{ number::ORG }> = ("单位", "Unit", ""),
    }
}

crate::group! {
    /// The roles he holds.
    Roles = 4 "roles" ("角色", "Roles") Set content=true frozen=false writer=Hq key=0 {
        role: Role = ("角色", "Role", ""),
    }
}

/// The table.
pub static STAFF: Kind = Kind {
    number: number::STAFF,
    schema: 1,
    name: "staff",
    zh: "人员",
    en: "Staff",
    reach: Reach::Company,
    machine: None,
    groups: &[&Person::GROUP, &Post::GROUP, &Roles::GROUP],
};
