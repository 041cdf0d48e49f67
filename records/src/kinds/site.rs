//! A customer's site.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Fix, Ref, Text};

crate::group! {
    /// The code that papers and imports use.
    SiteCode = 2 "code" ("现场编号", "Code") Once content=true frozen=false writer=Hq {
        code: Text<60> = ("现场编号", "Site code", ""),
    }
}

crate::group! {
    /// Whose site it is.
    SiteOwner = 3 "customer" ("所属客户", "Customer") Last content=true frozen=false writer=Scope {
        customer: Ref<{ number::CUSTOMER }> = ("客户", "Customer", ""),
    }
}

crate::group! {
    /// How it is called.
    SiteName = 4 "name" ("名称", "Name") Last content=true frozen=false writer=Scope {
        name: Text<120> = ("名称", "Name", ""),
    }
}

crate::group! {
    /// Where it is.
    Address = 5 "address" ("地址", "Address") Last content=true frozen=false writer=Scope {
        address: Text<300> = ("地址", "Address", ""),
    }
}

crate::group! {
    /// Where it is on the map.
    Geo = 6 "geo" ("坐标", "Position") Last content=true frozen=false writer=Scope {
        geo: Fix = ("坐标", "Position", ""),
    }
}

crate::group! {
    /// How one gets in.
    Access = 7 "access" ("进场说明", "Access") Last content=true frozen=false writer=Scope {
        access_note: Text<1000> = ("进场说明", "Access", ""),
    }
}

crate::group! {
    /// What is dangerous there.
    Hazards = 8 "hazards" ("危险提示", "Hazards") Last content=true frozen=false writer=Scope {
        hazards: Text<1000> = ("危险提示", "Hazards", ""),
    }
}

crate::group! {
    /// Which project looks after it.
    Project = 9 "project" ("所属项目", "Project") Last content=true frozen=false writer=Hq {
        project: Ref<{ number::ORG }> = ("项目", "Project", ""),
    }
}

/// The table.
pub static SITE: Kind = Kind {
    number: number::SITE,
    schema: 1,
    name: "site",
    zh: "现场",
    en: "Site",
    reach: Reach::Company,
    machine: None,
    key: Some("code"),
    title: &["name", "address", "code"],
    concerns: &[],
    groups: &[
        &SiteCode::GROUP,
        &SiteOwner::GROUP,
        &SiteName::GROUP,
        &Address::GROUP,
        &Geo::GROUP,
        &Access::GROUP,
        &Hazards::GROUP,
        &Project::GROUP,
    ],
};
