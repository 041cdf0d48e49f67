//! A delegation (授权): somebody acts for somebody else for some days.

use crate::kinds::number;
use crate::kinds::staff::Role;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::{Ref, Text};

crate::group! {
    /// Who acts for whom, from when to when (both days in), at most 60 days.
    Delegated = 2 "delegation" ("授权", "Delegation") Last content=true frozen=false writer=Hq {
        from: Ref<{ number::STAFF }> = ("授权人", "Principal", ""),
        to: Ref<{ number::STAFF }> = ("被授权人", "Delegate", ""),
        valid_from: Day = ("起", "From", ""),
        valid_to: Day = ("止", "To", ""),
        reason: Text<200> = ("原因", "Reason", ""),
        granted_by: Ref<{ number::STAFF }> = ("批准人", "Granted by", ""),
    }
}

crate::group! {
    /// In which roles; none: in all that the principal holds.
    DelegatedRoles = 3 "role" ("角色", "Roles") Set content=true frozen=false writer=Hq key=0 {
        role: Role = ("角色", "Role", ""),
    }
}

/// The table.
pub static DELEGATION: Kind = Kind {
    number: number::DELEGATION,
    schema: 1,
    name: "delegation",
    zh: "授权",
    en: "Delegation",
    reach: Reach::Company,
    machine: None,
    key: None,
    title: &["reason", "from"],
    concerns: &[],
    groups: &[&Delegated::GROUP, &DelegatedRoles::GROUP],
};
