//! A customer.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::value::Text;

crate::choices! {
    /// A person or a company.
    CustomerKind "customer_kind" {
        PERSON = 0 "person" "个人" "Person",
        COMPANY = 1 "company" "单位" "Company",
    }
}

crate::choices! {
    /// How much care.
    Tier "tier" {
        NORMAL = 0 "normal" "普通" "Normal",
        VIP = 1 "vip" "重要" "VIP",
    }
}

crate::group! {
    /// The code that papers and imports use.
    Code = 2 "code" ("客户编号", "Code") Once content=true frozen=false writer=Hq {
        code: Text<60> = ("客户编号", "Customer code", ""),
    }
}

crate::group! {
    /// Who it is.
    Name = 3 "name" ("客户", "Customer") Last content=true frozen=false writer=Scope {
        name: Text<120> = ("名称", "Name", ""),
        kind: CustomerKind = ("类型", "Kind", ""),
    }
}

crate::group! {
    /// How important.
    Standing = 4 "tier" ("等级", "Tier") Last content=true frozen=false writer=Hq {
        tier: Tier = ("等级", "Tier", ""),
    }
}

crate::group! {
    /// What the customer agreed to.
    Consent = 5 "consent" ("同意事项", "Consent") Last content=true frozen=false writer=Scope {
        call_back: bool = ("同意回访", "May be called back", ""),
        photo: bool = ("同意拍照", "Photos allowed", ""),
    }
}

crate::group! {
    /// Whom to ask for, by name.
    Contacts = 6 "contact" ("联系人", "Contacts") Set content=true frozen=false writer=Scope key=0 {
        name: Text<120> = ("姓名", "Name", ""),
        phone: Text<40> = ("电话", "Phone", ""),
        role: Text<60> = ("职务", "Role", ""),
    }
}

/// The table.
pub static CUSTOMER: Kind = Kind {
    number: number::CUSTOMER,
    schema: 1,
    name: "customer",
    zh: "客户",
    en: "Customer",
    reach: Reach::Company,
    machine: None,
    key: Some("code"),
    title: &["name", "code"],
    concerns: &[],
    groups: &[&Code::GROUP, &Name::GROUP, &Standing::GROUP, &Consent::GROUP, &Contacts::GROUP],
};
