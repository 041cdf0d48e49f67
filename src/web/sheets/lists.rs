//! The lists of a sheet: parts, readings, times and the rest, each with a form for one more entry.

use maud::{Markup, html};
use pages::visit::Verb;
use pages::widgets::{self, Weight};
use records::kinds::sheet::{Answers, Parts, Photos, Readings, Times};
use records::schema::{Class, Field, Group, Typed, Writer};
use records::value::{Type, Value};

use crate::cli::fault::Fault;
use crate::notebook::rows::Standing;
use crate::notebook::visits::{self, Read};
use crate::web::desk::Desk;
use crate::web::sheets::read::Sheet;

/// Lists with a place of their own.
const APART: [u16; 2] = [Answers::GROUP.number, Photos::GROUP.number];
/// Lists that come first.
const FIRST: [u16; 3] = [Parts::GROUP.number, Readings::GROUP.number, Times::GROUP.number];
/// What stands in an empty form, where most entries say the same.
const USUAL: [(&str, &str, &str); 5] = [
    ("part", "qty", "1"),
    ("part", "from", "van"),
    ("part", "reason", "use"),
    ("time", "kind", "labour"),
    ("item", "result", "fault"),
];
/// Fields that a scanner or the camera reads.
const SCANNED: [&str; 5] = ["part", "serial", "old_serial", "new_serial", "asset"];

/// Returns the lists; `open` is the one that is not folded.
pub(super) fn all(desk: &Desk<'_>, sheet: &Sheet, open: Option<&str>) -> Result<Markup, Fault> {
    let last = desk.with(|store| Ok(visits::last_readings(store, (&sheet.document, sheet.kind))?))?;
    let is_list = |group: &&'static Group| {
        matches!(group.class, Class::Ledger | Class::Set)
            && group.writer == Writer::Scope
            && !APART.contains(&group.number)
    };
    let mut groups: Vec<&'static Group> = sheet.kind.groups.iter().copied().filter(is_list).collect();
    groups.sort_by_key(|group| FIRST.iter().position(|first| *first == group.number).unwrap_or(FIRST.len()));
    Ok(html! {
        @for group in groups {
            @let entries = entries(sheet, group);
            @let takes = sheet.is_open() || !group.frozen;
            @if takes || !entries.is_empty() {
                details id={ "l-" (group.name) } open[open == Some(group.name)] {
                    summary { (desk.lang.label(group.zh, group.en)) @if !entries.is_empty() { span.count { (entries.len()) } } }
                    @for entry in entries { (one(desk, sheet, group, entry)) }
                    @if takes { (form(desk, sheet, group, &last)) }
                }
            }
        }
    })
}

fn entries<'a>(sheet: &'a Sheet, group: &Group) -> &'a [Standing] {
    let found = sheet.shown.lists.iter().find(|(known, _)| known.number == group.number);
    found.map_or(&[], |(_, entries)| entries.as_slice())
}

fn one(desk: &Desk<'_>, sheet: &Sheet, group: &'static Group, entry: &Standing) -> Markup {
    let filled: Vec<(&Field, &Value)> = group
        .fields
        .iter()
        .zip(&entry.values)
        .filter_map(|(field, value)| Some((field, value.as_ref()?)))
        .filter(|(field, _)| !matches!(field.ty, Type::File | Type::Digest))
        .collect();
    let takes_out = group.class == Class::Set && (sheet.is_open() || !group.frozen);
    html! {
        div.entry {
            p {
                @for (at, (field, value)) in filled.iter().enumerate() {
                    @if at > 0 { " · " }
                    (widgets::short(&sheet.label(desk, field, value)))
                }
            }
            @if takes_out {
                (desk.form(&format!("{}/remove/{}", sheet.address(), group.name), &html! {
                    @for (field, value) in &filled { input type="hidden" name="word" value={ (field.name) "=" (value.text(field.ty, sheet.zone)) }; }
                    (widgets::button(Weight::Danger, &desk.say("web.remove"), None))
                }))
            }
        }
    }
}

fn form(desk: &Desk<'_>, sheet: &Sheet, group: &'static Group, last: &[Read]) -> Markup {
    let content = html! {
        @if group.number == Readings::GROUP.number { (before(desk, sheet, last)) }
        @for field in group.fields { (input(desk, group, field)) }
        (widgets::button(Weight::Second, &desk.say("web.add"), Some(("add", group.name))))
    };
    desk.form(&format!("{}/add/{}", sheet.address(), group.name), &content)
}

/// What the meters showed when somebody was here before.
fn before(desk: &Desk<'_>, sheet: &Sheet, last: &[Read]) -> Markup {
    html! {
        datalist #meters { @for read in last { option value=(read.meter) {} } }
        @for read in last {
            p.hint.before {
                (desk.say("web.sheet.before")) " " (widgets::short(&read.meter)) ": "
                strong { (Value::Meter(read.value.clone()).text(Type::Meter, sheet.zone)) }
                " (" (desk.instant(read.at, sheet.zone)) ")"
            }
        }
    }
}

fn input(desk: &Desk<'_>, group: &Group, field: &Field) -> Markup {
    let name = format!("set.{}", field.name);
    let usual = USUAL.iter().find(|(list, known, _)| *list == group.name && *known == field.name);
    let sent = desk.visit.form.0.iter().find(|(known, _)| *known == name && is_again(desk, group));
    let value = sent.map_or_else(|| usual.map_or("", |(.., value)| value), |(_, value)| value.as_str());
    let label = desk.lang.label(field.zh, field.en);
    match field.ty {
        Type::Fix | Type::Digest => html! {},
        Type::File => widgets::camera(
            &format!("{}-{}", group.name, field.name),
            &format!("file.{}", field.name),
            label,
            false,
        ),
        _ if SCANNED.contains(&field.name) => widgets::scanned(
            &format!("{}-{}", group.name, field.name),
            &name,
            label,
            value,
            &desk.say("web.scan"),
        ),
        _ if field.name == "meter" => html! {
            label.field { span { (label) } input type="text" name=(name) value=(value) list="meters" autocomplete="off"; }
        },
        _ => widgets::field(field, value, desk.lang.of_labels()),
    }
}

/// Whether the form of that list was refused just now.
fn is_again(desk: &Desk<'_>, group: &Group) -> bool {
    desk.visit.verb == Verb::Post && desk.visit.parts.last().is_some_and(|list| list == group.name)
}
