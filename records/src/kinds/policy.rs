//! One version of the expense policy (报销制度), as data that headquarters signs with its log.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::Text;

crate::group! {
    /// Its text, from a day on; of the versions whose day has come the latest day counts.
    PolicyText = 2 "policy" ("制度", "Policy") Once content=true frozen=false writer=Hq {
        version: Text<40> = ("版本", "Version", ""),
        valid_from: Day = ("生效日", "Valid from", ""),
        text: Text<12000> = ("条文", "Text", ""),
    }
}

/// The table.
pub static POLICY: Kind = Kind {
    number: number::POLICY,
    schema: 1,
    name: "policy",
    zh: "报销制度",
    en: "Expense policy",
    reach: Reach::Company,
    machine: None,
    key: Some("version"),
    title: &["version"],
    concerns: &[],
    groups: &[&PolicyText::GROUP],
};
