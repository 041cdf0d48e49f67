//! The tables of one version later beside this build's own, so that the simulator can upgrade a program midway.
//!
//! Only a build with the feature `simulated` holds this, and there only a thread that said so reads the later ones.

use std::cell::Cell;
use std::sync::OnceLock;

use crate::kinds::tomorrow::{LOAN, Loaner};
use crate::kinds::{KINDS, number};
use crate::schema::{Field, Group, Kind, Typed};

thread_local! {
    static LATER: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread know the tables of one version later, or this build's only; returns what it knew before.
pub fn set(later: bool) -> bool {
    LATER.replace(later)
}

/// Returns the kinds that this thread knows.
pub(crate) fn known() -> &'static [&'static Kind] {
    static TABLES: OnceLock<Vec<&'static Kind>> = OnceLock::new();
    if LATER.get() { TABLES.get_or_init(tables) } else { KINDS }
}

/// Returns this build's kinds with a field, a group and a kind more. They are made once and stay.
fn tables() -> Vec<&'static Kind> {
    let mut kinds: Vec<&'static Kind> = KINDS.iter().copied().map(grown).collect();
    if !kinds.iter().any(|kind| kind.number == LOAN.number) {
        kinds.push(&LOAN);
    }
    kinds
}

/// Returns the repair sheet as a later version has it; every other kind as it is.
fn grown(kind: &'static Kind) -> &'static Kind {
    if kind.number != number::REPAIR || kind.schema > 1 {
        return kind;
    }
    let widened = |group: &'static Group| if group.name == "fault" { with_text(group) } else { group };
    let mut groups: Vec<&'static Group> = kind.groups.iter().copied().map(widened).collect();
    groups.push(&Loaner::GROUP);
    Box::leak(Box::new(Kind { schema: 2, groups: groups.leak(), ..*kind }))
}

/// Returns the group with a field that schema 2 brings.
fn with_text(group: &'static Group) -> &'static Group {
    let mut fields = group.fields.to_vec();
    let text = fields.first().map(|code| Field {
        name: "fault_text",
        unit: "",
        zh: "故障描述",
        en: "Fault in words",
        since: 2,
        ..*code
    });
    fields.extend(text);
    Box::leak(Box::new(Group { fields: fields.leak(), ..*group }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{by_name, by_number};

    #[test]
    fn a_thread_knows_the_later_tables_while_it_said_so() {
        let fault = || by_number(number::REPAIR).unwrap().field("fault_text").is_some();
        assert!(!set(true) && fault() && by_name("loan").is_some());
        assert!(set(false) && !fault() && by_name("loan").is_none());
    }
}
