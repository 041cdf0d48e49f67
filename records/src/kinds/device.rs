//! A device: whose replica is whose, so that an op's author and key are known to everybody.

use crate::decision::DECISIONS;
use crate::kinds::number;
use crate::machine::{Machine, State, Step};
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Count, Digest, Ref, Text};

crate::group! {
    /// The installation's short id.
    Installation = 2 "installation" ("安装", "Installation") Once content=false frozen=false writer=Hq {
        replica: Count = ("短号", "Replica", ""),
    }
}

crate::group! {
    /// The key that signs its log. A new installation under the same short id would be another epoch's key.
    DeviceKey = 3 "device_key" ("密钥", "Key") Contested content=false frozen=false writer=Hq {
        public_key: Digest = ("公钥", "Public key", ""),
    }
}

crate::group! {
    /// Who carries it, and what it is called.
    Holder = 4 "holder" ("使用人", "Holder") Last content=false frozen=false writer=Hq {
        owner: Ref<{ number::STAFF }> = ("使用人", "Owner", ""),
        unit: Ref<{ number::ORG }> = ("单位", "Unit", ""),
        name: Text<120> = ("名称", "Name", ""),
    }
}

/// `pending → enrolled ⇄ suspended → lost | revoked → retired`; HQ alone moves it.
///
/// Source: docs/RULES.md, Devices.
pub static DEVICE_MACHINE: Machine = Machine {
    name: "device",
    states: &[
        State { name: "pending", zh: "待启用", en: "Pending" },
        State { name: "enrolled", zh: "已启用", en: "Enrolled" },
        State { name: "suspended", zh: "已暂停", en: "Suspended" },
        State { name: "lost", zh: "已丢失", en: "Lost" },
        State { name: "revoked", zh: "已吊销", en: "Revoked" },
        State { name: "retired", zh: "已退役", en: "Retired" },
    ],
    steps: &[
        step("enrol", "启用", "Enrol", &[0, 2], 1, 1),
        step("suspend", "暂停", "Suspend", &[1], 2, 2),
        step("lose", "挂失", "Report lost", &[0, 1, 2], 3, 3),
        step("revoke", "吊销", "Revoke", &[0, 1, 2, 3], 4, 4),
        step("retire", "退役", "Retire", &[0, 1, 2, 3, 4], 5, 5),
    ],
};

const fn step(
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    from: &'static [u8],
    to: u8,
    strictness: u8,
) -> Step {
    Step { name, zh, en, from, to, strictness, ..Step::PLAIN }
}

/// The table.
pub static DEVICE: Kind = Kind {
    number: number::DEVICE,
    schema: 1,
    name: "device",
    zh: "设备",
    en: "Device",
    reach: Reach::Company,
    machine: Some(&DEVICE_MACHINE),
    key: Some("replica"),
    title: &["name", "owner"],
    concerns: &[(Holder::GROUP.number, 0)],
    groups: &[&DECISIONS, &Installation::GROUP, &DeviceKey::GROUP, &Holder::GROUP],
};
