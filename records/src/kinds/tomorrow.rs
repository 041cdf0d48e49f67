//! What a version later than this one might know: a kind and a group, for the tests of evolution. Never shipped.
//!
//! The tables of [`crate::kinds::repair`], [`crate::kinds::voucher`] and [`crate::kinds::voucher_machine`] have their own
//! part of it: fields that schema 2 brings, one more option of a list, one more step.

use crate::kinds::{number, sheet};
use crate::schema::{Kind, Reach, Typed};
use crate::value::{Ref, Text};

crate::group! {
    /// What is lent.
    Tool = 2 "tool" ("工具", "Tool") Last content=true frozen=false writer=Scope {
        tool: Text<80> = ("工具", "Tool", ""),
        borrower: Ref<{ number::STAFF }> = ("借用人", "Borrower", ""),
    }
}

crate::group! {
    /// The machine that the customer has meanwhile: a new group of an existing kind.
    Loaner = 60 "loaner" ("备用机", "Loan machine") Contested content=true frozen=false writer=Scope {
        loaner since 2: Text<80> = ("备用机", "Loan machine", ""),
    }
}

/// A tool lent: a new kind.
pub static LOAN: Kind = Kind {
    number: number::LOAN,
    schema: 1,
    name: "loan",
    zh: "借用单",
    en: "Loan",
    reach: Reach::Branch,
    machine: None,
    key: None,
    title: &["tool"],
    concerns: &[(Tool::GROUP.number, 1)],
    groups: &[&Tool::GROUP, &sheet::Notes::GROUP],
};
