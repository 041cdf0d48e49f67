//! `quarantine`: what HQ did not take, and writing it again.

use records::id::OpId;
use records::time::Zone;
use serde_json::{Value, json};
use sync_protocol::reason;

use crate::cli::args::Quarantine;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::cli::sheet::changed_page;
use crate::cli::table::{Column, table};
use crate::notebook::quarantine::{Held, quarantine, resubmit};
use crate::notebook::refusal::{NotebookError, Refusal};

/// Runs a command on the quarantine.
pub(crate) fn run(command: &Quarantine, desk: &Desk) -> Result<Page, Fault> {
    match command {
        Quarantine::List => {
            let store = desk.store()?;
            let zone = store.identity().enrolment.zone;
            let held = quarantine(&store)?;
            let json = || held.iter().map(|held| held_json(held, zone)).collect();
            Ok(desk.page(json, |desk| text(&held, desk)))
        }
        Quarantine::Show { op } => {
            let store = desk.store()?;
            let zone = store.identity().enrolment.zone;
            let id = op_id(op)?;
            let held = quarantine(&store)?.into_iter().find(|held| held.op == id);
            let missing = || Fault::from(NotebookError::from(Refusal::by("W-26").with("op", op.as_str())));
            let held = held.ok_or_else(missing)?;
            Ok(desk.page(|| held_json(&held, zone), |desk| text(std::slice::from_ref(&held), desk)))
        }
        Quarantine::Resubmit { op } => {
            let changed = resubmit(&mut desk.store()?, op_id(op)?, desk.clock.now())?;
            Ok(changed_page(&changed, desk))
        }
    }
}

fn op_id(text: &str) -> Result<OpId, Fault> {
    text.parse().map_err(|_| Fault::new(Exit::Usage, "error.not_an_op").with("value", &text))
}

/// Returns a refused op as it stands in an answer.
pub(crate) fn held_json(held: &Held, zone: Zone) -> Value {
    json!({
        "op": held.op.to_string(),
        "id": held.id.map(|id| id.to_string()),
        "code": held.id.map(|id| id.code()),
        "kind": held.kind,
        "at": held.at.map(|at| at.rfc3339(zone)),
        "groups": held.groups,
        "reason": held.code,
        "text": held.text,
        "retryable": held.retryable,
        "rule": rule(held),
    })
}

/// Returns the id of the rule of money that stands against it; `None` where it is another reason.
fn rule(held: &Held) -> Option<&str> {
    held.code.filter(|code| *code == reason::GUARD).and(held.text.lines().next())
}

/// Returns why it was not taken: the rule's sentence and what to do, else the reason's number and what it is about.
fn why(held: &Held, lang: Lang) -> String {
    let said = rule(held).zip(reason::guard_sentence(&held.text, lang.of_labels()));
    match (said, held.code) {
        (Some((rule, (sentence, hint))), _) => format!("{rule} {sentence}; {hint}"),
        (None, Some(code)) => format!("{code} {}", held.text.replace('\n', " ")),
        (None, None) => String::new(),
    }
}

fn text(held: &[Held], desk: &Desk) -> String {
    if held.is_empty() {
        return desk.lang.say("text.quarantine.none", &[]) + "\n";
    }
    let columns = ["column.op", "column.code", "column.group", "column.reason"]
        .map(|key| Column::left(desk.lang.say(key, &[])));
    let rows: Vec<Vec<String>> = held
        .iter()
        .map(|held| {
            let code = held.id.map(|id| id.code()).unwrap_or_default();
            vec![held.op.to_string(), code, held.groups.join(", "), why(held, desk.lang)]
        })
        .collect();
    table(desk.style, &columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_money_is_told_as_a_sentence_and_any_other_reason_by_its_number() {
        let held = |code, text: &str| Held {
            op: "7.1.1".parse().unwrap(),
            id: None,
            kind: "claim",
            at: None,
            groups: Vec::new(),
            code: Some(code),
            text: text.to_owned(),
            retryable: false,
        };
        let lang = Lang::named("en").unwrap();
        let told = why(&held(reason::GUARD, "P-03\ntyped=3\nsystem=4"), lang);
        assert!(told.starts_with("P-03 ") && told.contains('3') && told.contains('4'), "{told}");
        assert_eq!(why(&held(reason::GUARD, "Z-99\nx=1"), lang), "16 Z-99 x=1");
        assert_eq!(why(&held(reason::ROLE, "seal"), lang), "10 seal");
    }
}
