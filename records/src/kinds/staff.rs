//! A person: code, unit, roles.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
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
        grade: Text<20> = ("级别", "Grade", ""),
    }
}

crate::group! {
    /// The roles he holds.
    Roles = 4 "roles" ("角色", "Roles") Set content=true frozen=false writer=Hq key=0 {
        role: Role = ("角色", "Role", ""),
    }
}

crate::group! {
    /// How to reach him.
    Phone = 5 "phone" ("电话", "Phone") Last content=true frozen=false writer=Hq {
        phone: Text<40> = ("电话", "Phone", ""),
    }
}

crate::group! {
    /// What he has learned, and until when the certificate holds.
    Skills = 6 "skill" ("技能", "Skills") Set content=true frozen=false writer=Hq key=0 {
        skill: Text<80> = ("技能", "Skill", ""),
        level: Text<20> = ("等级", "Level", ""),
        valid_to: Day = ("有效期至", "Valid to", ""),
    }
}

crate::group! {
    /// From when to when he works here.
    Active = 7 "active" ("在职", "Active") Last content=true frozen=false writer=Hq {
        active_from: Day = ("入职日", "Active from", ""),
        active_to: Day = ("离职日", "Active to", ""),
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
    key: Some("code"),
    title: &["name", "code"],
    concerns: &[],
    groups: &[&Person::GROUP, &Post::GROUP, &Roles::GROUP, &Phone::GROUP, &Skills::GROUP, &Active::GROUP],
};
