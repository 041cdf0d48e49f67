//! `schema`: what a record of a kind may hold, from the same table that everything else reads.

use records::machine::{Machine, Step};
use records::schema::{Class, Field, Group, Kind, Writer};
use records::value::{Choices, Type};
use serde_json::{Map, Value, json};

use crate::cli::args::Schema;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::cli::table::{Column, table};

/// Lists the kinds, or prints one kind's table.
pub(crate) fn run(args: &Schema, desk: &Desk) -> Result<Page, Fault> {
    let Some(name) = &args.kind else {
        return Ok(desk.page(|| kinds().map(|kind| Value::from(kind_line(kind))).collect(), kinds_text));
    };
    let kind = kind(name)?;
    Ok(desk.page(|| kind_json(kind), |desk| kind_text(kind, desk)))
}

/// Returns the kind of that name.
///
/// # Errors
/// A usage [`Fault`] that lists the names there are.
pub(crate) fn kind(name: &str) -> Result<&'static Kind, Fault> {
    records::kinds::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = kinds().map(|kind| kind.name).collect();
        Fault::new(Exit::Usage, "error.unknown_kind").with("kind", &name).with("kinds", &names.join(", "))
    })
}

fn kinds() -> impl Iterator<Item = &'static Kind> {
    records::kinds::KINDS.iter().copied()
}

/// Returns an object of these members.
fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn kind_line(kind: &'static Kind) -> Map<String, Value> {
    object([
        ("name", kind.name.into()),
        ("number", kind.number.into()),
        ("schema", kind.schema.into()),
        ("zh", kind.zh.into()),
        ("en", kind.en.into()),
    ])
}

fn kinds_text(desk: &Desk) -> String {
    let columns = ["column.kind", "column.meaning"].map(|key| Column::left(desk.lang.say(key, &[])));
    let rows: Vec<_> =
        kinds().map(|k| vec![k.name.to_owned(), desk.lang.label(k.zh, k.en).to_owned()]).collect();
    table(desk.style, &columns, &rows)
}

fn kind_json(kind: &'static Kind) -> Value {
    let states = kind.machine.iter().flat_map(|machine| machine.states);
    let steps =
        kind.machine.iter().flat_map(|machine| machine.steps.iter().map(|step| step_json(machine, step)));
    let mut json = kind_line(kind);
    json.extend(object([
        ("groups", kind.groups.iter().map(|group| group_json(group)).collect()),
        ("states", states.map(|state| json!({"name": state.name, "zh": state.zh, "en": state.en})).collect()),
        ("steps", steps.collect()),
    ]));
    json.into()
}

fn step_json(machine: &Machine, step: &Step) -> Value {
    let state = |index: &u8| machine.states.get(usize::from(*index)).map(|state| state.name);
    let roles: Vec<_> = step.who.iter().filter_map(|role| Some(role_name(*role)?.0)).collect();
    let from: Vec<_> = step.from.iter().filter_map(state).collect();
    json!({
        "name": step.name, "zh": step.zh, "en": step.en, "from": from, "to": state(&step.to), "roles": roles,
    })
}

/// Returns a role's identifier and labels.
pub(crate) fn role_name(
    role: records::kinds::staff::Role,
) -> Option<(&'static str, &'static str, &'static str)> {
    records::kinds::staff::Role::CHOICES.option(role.0)
}

fn group_json(group: &Group) -> Value {
    json!({
        "name": group.name, "number": group.number, "zh": group.zh, "en": group.en,
        "class": class_name(group.class),
        "content": group.content, "frozen": group.frozen,
        "writer": match group.writer { Writer::Scope => "scope", Writer::Hq => "hq" },
        "fields": group.fields.iter().map(field_json).collect::<Vec<_>>(),
    })
}

fn field_json(field: &Field) -> Value {
    let mut json = object([
        ("name", field.name.into()),
        ("type", type_name(field.ty).into()),
        ("unit", field.unit.into()),
        ("zh", field.zh.into()),
        ("en", field.en.into()),
    ]);
    let limit = match field.ty {
        Type::Text(max) => Some(("max", max.into())),
        Type::Choice(list) => Some(("choices", choices(list))),
        Type::Ref(number) => {
            Some(("kind", records::kinds::by_number(number).map_or(Value::Null, |kind| kind.name.into())))
        }
        _ => None,
    };
    json.extend(limit.map(|(name, value)| (name.to_owned(), value)));
    json.into()
}

fn choices(list: &Choices) -> Value {
    list.options.iter().map(|(name, zh, en)| json!({"name": name, "zh": zh, "en": en})).collect()
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Once => "once",
        Class::Last => "last",
        Class::Contested => "contested",
        Class::Ledger => "ledger",
        Class::Set => "set",
        Class::Decision => "decision",
    }
}

/// Returns the word for what a field holds.
pub(crate) fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Text(_) => "text",
        Type::Fen => "money",
        Type::Ts => "instant",
        Type::Day => "day",
        Type::Min => "minutes",
        Type::Count => "count",
        Type::Metre => "metres",
        Type::Qty => "quantity",
        Type::Bool => "yes_no",
        Type::Choice(_) => "choice",
        Type::Ref(_) => "reference",
        Type::Meter => "reading",
        Type::Fix => "position",
        Type::File => "file",
        Type::Digest => "digest",
    }
}

fn kind_text(kind: &'static Kind, desk: &Desk) -> String {
    let lang = desk.lang;
    let columns = ["column.group", "column.field", "column.type", "column.meaning"]
        .map(|key| Column::left(lang.say(key, &[])));
    let mut rows = Vec::new();
    for group in kind.groups.iter().filter(|group| !group.fields.is_empty()) {
        for field in group.fields {
            rows.push(vec![
                group.name.to_owned(),
                field.name.to_owned(),
                type_name(field.ty).to_owned(),
                meaning(field, lang),
            ]);
        }
    }
    let mut text = format!("{} ({})\n", lang.label(kind.zh, kind.en), kind.name);
    text.push_str(&table(desk.style, &columns, &rows));
    if let Some(machine) = kind.machine {
        let states: Vec<String> =
            machine.states.iter().map(|s| format!("{} ({})", s.name, lang.label(s.zh, s.en))).collect();
        text.push_str(&lang.say("text.schema.states", &[("states", &states.join(", "))]));
        text.push('\n');
    }
    text
}

fn meaning(field: &Field, lang: Lang) -> String {
    let label = lang.label(field.zh, field.en);
    match field.ty {
        Type::Choice(list) => {
            let words: Vec<&str> = list.options.iter().map(|(name, ..)| *name).collect();
            format!("{label}: {}", words.join(" | "))
        }
        _ if !field.unit.is_empty() => format!("{label} [{}]", field.unit),
        _ => label.to_owned(),
    }
}
