//! How records read: lists, and one record whole.

use std::fmt::Write;

use records::id::{DocId, OpId};
use records::money::Fen;
use records::schema::Group;
use records::time::Zone;
use records::value::{Target, Value};
use serde_json::{Map, Value as Json, json};
use sync_protocol::merge::Standing as Ruled;

use crate::cli::desk::Desk;
use crate::cli::table::{Column, Tone, pairs, table};
use crate::notebook::list::Line;
use crate::notebook::rows::Standing;
use crate::notebook::show::{Decided, Shown};

/// Returns a record in short.
pub(crate) fn line_json(line: &Line, zone: Zone) -> Map<String, Json> {
    let state = line.state.map(|state| state.name);
    let members = json!({
        "id": line.id.to_string(),
        "code": line.id.code(),
        "kind": line.kind.name,
        "number": line.number,
        "state": state,
        "flags": line.flags.iter().map(|flag| flag.name).collect::<Vec<_>>(),
        "title": line.title,
        "amount_fen": line.amount,
        "amount": line.amount.map(|fen| Fen(fen).to_string()),
        "created": line.created.rfc3339(zone),
        "updated": line.updated.rfc3339(zone),
        "files": {"all": line.files.all, "at_hq": line.files.at_hq, "here": line.files.here},
        "conflicts": line.conflicts,
        "provisional": line.provisional,
    });
    match members {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// Returns a list as a table; a sentence where it is empty.
pub(crate) fn lines_text(lines: &[Line], desk: &Desk, zone: Zone) -> String {
    if lines.is_empty() {
        return desk.lang.say("text.list.empty", &[]) + "\n";
    }
    let money = lines.iter().any(|line| line.amount.is_some());
    let say = |key: &str| desk.lang.say(key, &[]);
    let mut columns = vec![
        Column::left(say("column.code")),
        Column::left(say("column.kind")),
        Column::left(say("column.number")),
        Column::left(say("column.state")),
        Column::left(say("column.title")),
    ];
    if money {
        columns.push(Column::right(say("column.amount")));
    }
    let files = lines.iter().any(|line| line.files.all > 0);
    if files {
        columns.push(Column::right(say("column.files")));
    }
    columns.push(Column::left(say("column.created")));
    let rows: Vec<Vec<String>> =
        lines.iter().map(|line| line_cells(line, desk, zone, (money, files))).collect();
    table(desk.style, &columns, &rows)
}

/// Returns the state's label, and those of the flags beside it.
fn state_text(line: &Line, desk: &Desk) -> String {
    let labels = line.state.iter().chain(&line.flags);
    let labels: Vec<&str> = labels.map(|state| desk.lang.label(state.zh, state.en)).collect();
    labels.join(", ")
}

fn line_cells(line: &Line, desk: &Desk, zone: Zone, (money, files): (bool, bool)) -> Vec<String> {
    let mut state = state_text(line, desk);
    if line.conflicts > 0 {
        let _ = write!(state, " !{}", line.conflicts);
    }
    let mut cells = vec![
        line.id.code(),
        desk.lang.label(line.kind.zh, line.kind.en).to_owned(),
        line.number.clone(),
        state,
        line.title.clone(),
    ];
    if money {
        cells.push(line.amount.map(|fen| Fen(fen).to_string()).unwrap_or_default());
    }
    if files {
        cells.push(if line.files.all > 0 {
            format!("{}/{}", line.files.at_hq, line.files.all)
        } else {
            String::new()
        });
    }
    cells.push(line.created.day(zone).to_string());
    cells
}

/// Returns a record whole.
pub(crate) fn shown_json(shown: &Shown, zone: Zone) -> Json {
    let mut json = line_json(&shown.line, zone);
    let mut fields = Map::new();
    for (group, row) in &shown.registers {
        fields.extend(row_json(group, row, zone));
    }
    let lists: Map<String, Json> = shown
        .lists
        .iter()
        .map(|(group, rows)| {
            let entries = rows.iter().map(|row| entry_json(group, row, zone)).collect();
            (group.name.to_owned(), entries)
        })
        .collect();
    json.insert("author".to_owned(), shown.author.clone().into());
    json.insert("fields".to_owned(), fields.into());
    json.insert("lists".to_owned(), lists.into());
    let decisions = shown.decisions.iter().map(|decided| decided_json(decided, zone)).collect();
    json.insert("decisions".to_owned(), decisions);
    json.insert("open".to_owned(), json!(shown.open));
    json.insert("late".to_owned(), json!(shown.late));
    json.insert("refused".to_owned(), shown.refused.iter().map(OpId::to_string).collect());
    json.insert("written_twice".to_owned(), shown.written_twice.iter().map(DocId::to_string).collect());
    json.insert("newer".to_owned(), shown.newer.into());
    json.insert("digest".to_owned(), records::hex::of(&shown.digest).into());
    json.into()
}

/// Returns a row's values as JSON members.
pub(crate) fn row_json(group: &Group, row: &Standing, zone: Zone) -> Map<String, Json> {
    records::value::json::object(group.fields, &row.values, zone)
}

fn entry_json(group: &Group, row: &Standing, zone: Zone) -> Json {
    let mut json = row_json(group, row, zone);
    json.insert("op".to_owned(), row.op.to_string().into());
    json.into()
}

fn decided_json(decided: &Decided, zone: Zone) -> Json {
    json!({
        "op": decided.op.to_string(),
        "step": decided.step.map(|step| step.name),
        "by": decided.by,
        "role": decided.role.and_then(crate::cli::schema::role_name).map(|role| role.0),
        "at": decided.at.rfc3339(zone),
        "reason": decided.reason,
        "standing": standing_name(decided.standing),
    })
}

/// Returns the identifier of what became of a decision.
pub(crate) fn standing_name(standing: Ruled) -> &'static str {
    match standing {
        Ruled::Stands => "stands",
        Ruled::Stale => "stale",
        Ruled::Superseded => "superseded",
        Ruled::Contested => "contested",
        Ruled::Void => "void",
        Ruled::TooLate => "too_late",
    }
}

/// Returns a record for a person.
pub(crate) fn shown_text(shown: &Shown, desk: &Desk, zone: Zone) -> String {
    let line = &shown.line;
    let lang = desk.lang;
    let state = state_text(line, desk);
    let title = format!("{} {} {}", lang.label(line.kind.zh, line.kind.en), line.id.code(), line.number);
    let mut text = desk.style.paint(Tone::Heading, title.trim_end()) + "\n";
    let mut rows = vec![
        (lang.say("column.state", &[]), state),
        (lang.say("column.author", &[]), format!("{}, {}", shown.author, line.created.minute(zone))),
    ];
    for (group, row) in &shown.registers {
        for (field, value) in group.fields.iter().zip(&row.values) {
            if let Some(value) = value {
                let mark = if shown.open.contains(&group.name) { " !" } else { "" };
                let said = value_text(shown, field, value, desk, zone);
                rows.push((lang.label(field.zh, field.en).to_owned(), said + mark));
            }
        }
    }
    if line.files.all > 0 {
        let facts = [("at_hq", line.files.at_hq.to_string()), ("all", line.files.all.to_string())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        rows.push((lang.say("text.status.files", &[]), lang.say("text.show.files", &facts)));
    }
    text.push_str(&pairs(desk.style, &rows));
    for (group, entries) in &shown.lists {
        text.push_str(&list_text(shown, group, entries, desk, zone));
    }
    text.push_str(&decisions_text(shown, desk, zone));
    text.push_str(&warnings(shown, desk));
    text
}

fn value_text(
    shown: &Shown,
    field: &records::schema::Field,
    value: &Value,
    desk: &Desk,
    zone: Zone,
) -> String {
    match value {
        Value::Ref(Target::Doc(id)) => shown.names.get(id).cloned().unwrap_or_else(|| id.code()),
        Value::Ref(Target::Text(text)) => desk.lang.say("text.show.not_in_master_data", &[("text", text)]),
        _ => value.label(field, zone, desk.lang.of_labels()),
    }
}

/// Columns that nobody wrote anything into are left out.
fn list_text(shown: &Shown, group: &Group, entries: &[Standing], desk: &Desk, zone: Zone) -> String {
    let used: Vec<usize> = (0..group.fields.len())
        .filter(|at| entries.iter().any(|row| row.values.get(*at).is_some_and(Option::is_some)))
        .collect();
    let fields: Vec<_> = used.iter().filter_map(|at| group.fields.get(*at)).collect();
    let columns: Vec<Column> =
        fields.iter().map(|field| Column::left(desk.lang.label(field.zh, field.en))).collect();
    let cell = |row: &Standing, at: usize| match (group.fields.get(at), row.values.get(at)) {
        (Some(field), Some(Some(value))) => value_text(shown, field, value, desk, zone),
        _ => String::new(),
    };
    let rows: Vec<Vec<String>> =
        entries.iter().map(|row| used.iter().map(|at| cell(row, *at)).collect()).collect();
    let heading = desk.style.paint(Tone::Heading, desk.lang.label(group.zh, group.en));
    format!("\n{heading}\n{}", table(desk.style, &columns, &rows))
}

fn decisions_text(shown: &Shown, desk: &Desk, zone: Zone) -> String {
    if shown.decisions.is_empty() {
        return String::new();
    }
    let lang = desk.lang;
    let columns = ["column.step", "column.by", "column.at", "column.reason", "column.standing"]
        .map(|key| Column::left(lang.say(key, &[])));
    let rows: Vec<Vec<String>> = shown
        .decisions
        .iter()
        .map(|decided| {
            vec![
                decided.step.map_or("?", |step| lang.label(step.zh, step.en)).to_owned(),
                decided.by.clone(),
                decided.at.minute(zone),
                decided.reason.clone(),
                lang.say(&format!("text.standing.{}", standing_name(decided.standing)), &[]),
            ]
        })
        .collect();
    let heading = desk.style.paint(Tone::Heading, &lang.say("text.show.decisions", &[]));
    format!("\n{heading}\n{}", table(desk.style, &columns, &rows))
}

fn warnings(shown: &Shown, desk: &Desk) -> String {
    let mut text = String::new();
    let mut warn = |key: &str, facts: &[(&str, &str)]| {
        text.push_str(&desk.style.paint(Tone::Warning, &desk.lang.say(key, facts)));
        text.push('\n');
    };
    if shown.line.conflicts > 0 {
        warn(
            "text.show.conflicts",
            &[("n", &shown.line.conflicts.to_string()), ("code", &shown.line.id.code())],
        );
    }
    if !shown.late.is_empty() {
        warn("text.show.late", &[("groups", &shown.late.join(", "))]);
    }
    if !shown.refused.is_empty() {
        warn("text.show.refused", &[("n", &shown.refused.len().to_string())]);
    }
    for other in &shown.written_twice {
        warn("text.show.written_twice", &[("code", &other.code()), ("id", &other.to_string())]);
    }
    if shown.newer {
        warn("text.show.newer", &[]);
    }
    if shown.line.provisional {
        warn("text.show.provisional", &[]);
    }
    text
}
