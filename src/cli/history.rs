//! `history` of a record: who changed what from what to what, losers included.

use records::schema::Field;
use records::time::Zone;
use records::value::Value;
use serde_json::{Value as Json, json};

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::lang::Lang;
use crate::cli::table::{Column, table};
use crate::notebook::find::Wanted;
use crate::notebook::history::{Change, Outcome, What, history};
use crate::notebook::refusal::NotebookError;
use crate::notebook::show::named;
use crate::store::Store;

/// What the columns of a history say.
const COLUMNS: [&str; 6] =
    ["column.at", "column.by", "column.field", "column.from", "column.to", "column.standing"];

/// Shows a record's changes.
pub(crate) fn run(id: &str, wanted: Wanted, desk: &Desk) -> Result<Page, Fault> {
    let store = desk.store()?;
    let zone = store.identity().enrolment.zone;
    let changes = history(&store, id, wanted)?;
    let rows: Vec<Vec<String>> =
        changes.iter().map(|change| row(&store, change, desk, zone)).collect::<Result<_, _>>()?;
    let json = || changes.iter().map(|change| change_json(change, zone)).collect();
    Ok(desk.page(json, |desk| {
        let columns = COLUMNS.map(|key| Column::left(desk.lang.say(key, &[])));
        table(desk.style, &columns, &rows)
    }))
}

fn change_json(change: &Change, zone: Zone) -> Json {
    let value = |field: &Field, value: &Option<Value>| {
        value.as_ref().map_or(Json::Null, |value| value.text(field.ty, zone).into())
    };
    let (what, group, field, from, to) = match &change.what {
        What::Field { group, at, from, to } => match group.fields.get(*at) {
            Some(field) => ("set", group.name, field.name, value(field, from), value(field, to)),
            None => ("set", group.name, "", Json::Null, Json::Null),
        },
        What::Added { group, row } => {
            let entry = records::value::json::object(group.fields, row, zone);
            ("added", group.name, "", Json::Null, entry.into())
        }
        What::Removed { group, n } => ("removed", group.name, "", json!(n), Json::Null),
        What::Step { step, reason } => {
            let name = step.map_or(Json::Null, |step| step.name.into());
            ("step", "decision", "", Json::from(reason.as_str()), name)
        }
        What::Newer(_) => ("newer", "", "", Json::Null, Json::Null),
    };
    json!({
        "op": change.op.to_string(),
        "at": change.at.rfc3339(zone),
        "by": change.by,
        "what": what,
        "group": group,
        "field": field,
        "from": from,
        "to": to,
        "standing": standing_name(change.standing),
    })
}

/// Returns the identifier of what became of a change.
pub(crate) fn standing_name(standing: Outcome) -> &'static str {
    match standing {
        Outcome::Current => "current",
        Outcome::Replaced => "replaced",
        Outcome::Lost => "lost",
        Outcome::Conflict => "conflict",
        Outcome::Late => "late",
        Outcome::Refused => "refused",
    }
}

fn row(store: &Store, change: &Change, desk: &Desk, zone: Zone) -> Result<Vec<String>, NotebookError> {
    let [name, from, to] = cells(store, change, desk.lang, zone)?;
    let standing = match change.standing {
        Outcome::Current => String::new(),
        other => desk.lang.say(&format!("text.history.{}", standing_name(other)), &[]),
    };
    Ok(vec![change.at.minute(zone), change.by.clone(), name, from, to, standing])
}

/// Characters of a value in the table.
const CELL_CHARS_MAX: usize = 80;

/// Returns what a change did: to what, from what, to what; what it links to by its name.
///
/// # Errors
/// [`NotebookError::Store`].
pub(crate) fn cells(
    store: &Store,
    change: &Change,
    lang: Lang,
    zone: Zone,
) -> Result<[String; 3], NotebookError> {
    let label = |field: &Field, value: &Option<Value>| {
        let text = value.as_ref().map(|value| named(store, field, value, zone, lang.of_labels()));
        text.transpose().map(|text| text.unwrap_or_default().chars().take(CELL_CHARS_MAX).collect::<String>())
    };
    Ok(match &change.what {
        What::Field { group, at, from, to } => match group.fields.get(*at) {
            Some(field) => {
                [lang.label(field.zh, field.en).to_owned(), label(field, from)?, label(field, to)?]
            }
            None => [group.name.to_owned(), String::new(), String::new()],
        },
        What::Added { group, row } => {
            let values = group.fields.iter().zip(row).filter(|(_, value)| value.is_some());
            let values: Vec<String> =
                values.map(|(field, value)| label(field, value)).collect::<Result<_, _>>()?;
            [format!("+ {}", lang.label(group.zh, group.en)), String::new(), values.join(", ")]
        }
        What::Removed { group, n } => {
            [format!("- {}", lang.label(group.zh, group.en)), n.to_string(), String::new()]
        }
        What::Step { step, reason } => {
            let step = step.map_or("?", |step| lang.label(step.zh, step.en)).to_owned();
            [lang.say("column.step", &[]), reason.clone(), step]
        }
        What::Newer(_) => [lang.say("text.show.newer", &[]), String::new(), String::new()],
    })
}
