//! A person's bank account (收款账户): read by finance, never on a device.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Ref, Text};

crate::group! {
    /// Whose it is.
    AccountOf = 2 "staff" ("人员", "Person") Once content=true frozen=false writer=Hq {
        code: Text<10> = ("人员编号", "Staff code", ""),
        staff: Ref<{ number::STAFF }> = ("人员", "Person", ""),
    }
}

crate::group! {
    /// The account.
    Bank = 3 "bank" ("账户", "Account") Contested content=true frozen=false writer=Hq {
        account_name: Text<120> = ("户名", "Account name", ""),
        account_no: Text<40> = ("账号", "Account number", ""),
        bank_name: Text<120> = ("开户行", "Bank", ""),
        bank_branch: Text<120> = ("支行", "Branch of the bank", ""),
        cnaps: Text<12> = ("联行号", "CNAPS code", ""),
    }
}

/// The table.
pub static ACCOUNT: Kind = Kind {
    number: number::ACCOUNT,
    schema: 1,
    name: "account",
    zh: "收款账户",
    en: "Bank account",
    reach: Reach::Headquarters,
    machine: None,
    key: Some("code"),
    title: &["code", "account_name"],
    concerns: &[],
    groups: &[&AccountOf::GROUP, &Bank::GROUP],
};
