//! How a record reads on a page: its values by their labels, its pictures, its lists, its decisions.

use maud::{Markup, html};
use pages::widgets::{self, Column, Tone};
use records::both;
use records::problems::Problem;
use records::schema::{Class, Group, Kind};
use records::time::Zone;
use records::value::{Target, Type, Value};

use crate::cli::record::standing_name;
use crate::notebook::rows::Standing;
use crate::notebook::show::Shown;
use crate::web::desk::Desk;

/// A picture of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The file.
    pub(crate) file: String,
    /// Its thumbnail, else the file itself.
    pub(crate) thumb: String,
    /// What stands below it.
    pub(crate) caption: String,
    /// Whether a browser shows it; else it is only saved.
    pub(crate) shows: bool,
}

/// Returns the label of a kind's field.
pub(crate) fn label(desk: &Desk<'_>, kind: &'static Kind, name: &str) -> String {
    let field = kind.field(name).and_then(|(group, at)| group.fields.get(at));
    field.map_or_else(String::new, |field| desk.lang.label(field.zh, field.en).to_owned())
}

/// Returns a value as it is typed again; empty where there is none.
pub(crate) fn typed(shown: &Shown, name: &str, zone: Zone) -> String {
    let values = shown.registers.iter().flat_map(|(group, row)| group.fields.iter().zip(&row.values));
    let found = values.into_iter().find(|(field, _)| field.name == name);
    match found {
        Some((field, Some(value))) => value.text(field.ty, zone),
        _ => String::new(),
    }
}

/// Returns the single values that stand, by their labels; a conflict is marked.
pub(crate) fn facts(desk: &Desk<'_>, shown: &Shown, zone: Zone) -> Vec<(String, Markup)> {
    let mut facts = Vec::new();
    for (group, row) in &shown.registers {
        let open = shown.open.contains(&group.name);
        for (field, value) in group.fields.iter().zip(&row.values) {
            let Some(value) = value.as_ref().filter(|_| !matches!(field.ty, Type::Digest | Type::File))
            else {
                continue;
            };
            let said = html! {
                (widgets::text(&said(desk, shown, group, field.name, value, zone)))
                @if open { " " (widgets::badge(Tone::Warning, &desk.say("web.conflict.one"))) }
            };
            facts.push((desk.lang.label(field.zh, field.en).to_owned(), said));
        }
    }
    facts
}

fn said(desk: &Desk<'_>, shown: &Shown, group: &Group, name: &str, value: &Value, zone: Zone) -> String {
    match (value, group.fields.iter().find(|field| field.name == name)) {
        (Value::Ref(Target::Doc(id)), _) => shown.names.get(id).cloned().unwrap_or_else(|| id.code()),
        (Value::Ref(Target::Text(text)), _) => text.clone(),
        (_, Some(field)) => value.label(field, zone, desk.lang.of_labels()),
        (_, None) => String::new(),
    }
}

/// Returns the lists of a record as tables, those of files and of these names left out.
pub(crate) fn lists(desk: &Desk<'_>, shown: &Shown, zone: Zone, without: &[&str]) -> Markup {
    let lists = shown
        .lists
        .iter()
        .filter(|(group, _)| !without.contains(&group.name) && group.class != Class::Decision);
    html! {
        @for (group, entries) in lists.filter(|(group, _)| file_at(group).is_none()) {
            section {
                h2 { (desk.lang.label(group.zh, group.en)) }
                (list(desk, shown, group, entries, zone))
            }
        }
    }
}

/// Columns that nobody wrote anything into are left out.
fn list(desk: &Desk<'_>, shown: &Shown, group: &Group, entries: &[Standing], zone: Zone) -> Markup {
    let used: Vec<usize> = (0..group.fields.len())
        .filter(|at| entries.iter().any(|row| row.values.get(*at).is_some_and(Option::is_some)))
        .collect();
    let fields = used.iter().filter_map(|at| group.fields.get(*at));
    let columns: Vec<Column> = fields
        .map(|field| Column {
            title: desk.lang.label(field.zh, field.en).to_owned(),
            number: matches!(field.ty, Type::Fen | Type::Qty | Type::Count | Type::Min),
        })
        .collect();
    let cell = |row: &Standing, at: usize| match (group.fields.get(at), row.values.get(at)) {
        (Some(field), Some(Some(value))) => {
            widgets::short(&said(desk, shown, group, field.name, value, zone))
        }
        _ => html! {},
    };
    let rows: Vec<Vec<Markup>> =
        entries.iter().map(|row| used.iter().map(|at| cell(row, *at)).collect()).collect();
    widgets::table(desk.lang.label(group.zh, group.en), &columns, &rows, "")
}

fn file_at(group: &Group) -> Option<usize> {
    group.fields.iter().position(|field| field.name == "file" && field.ty == Type::File)
}

/// Returns the files that a record's lists name.
pub(crate) fn pictures(desk: &Desk<'_>, shown: &Shown, zone: Zone) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for (group, entries) in &shown.lists {
        let Some(file) = file_at(group) else { continue };
        for row in entries {
            let hash = |at: usize| match row.values.get(at) {
                Some(Some(Value::File(bytes))) => Some(records::hex::of(bytes)),
                _ => None,
            };
            let at = |name: &str| group.fields.iter().position(|field| field.name == name);
            let word = |name: &str| {
                let value = at(name).and_then(|at| row.values.get(at)).cloned().flatten();
                value.map(|value| said(desk, shown, group, name, &value, zone)).unwrap_or_default()
            };
            let Some(named) = hash(file) else { continue };
            let thumb = at("thumb").and_then(hash);
            let mime = word("mime");
            let caption = [word("kind"), word("caption")].join(" ").trim().to_owned();
            let shows = thumb.is_some() || mime.starts_with("image/");
            pictures.push(Picture {
                thumb: thumb.unwrap_or_else(|| named.clone()),
                file: named,
                caption,
                shows,
            });
        }
    }
    pictures
}

/// Returns the pictures of a record as a grid of thumbnails, each leading to the whole.
pub(crate) fn gallery(desk: &Desk<'_>, pictures: &[Picture]) -> Markup {
    html! {
        @if !pictures.is_empty() {
            div.pictures {
                @for (n, picture) in (1_usize..).zip(pictures) {
                    a.picture href={ "/files/" (picture.file) } {
                        @if picture.shows {
                            img src={ "/files/" (picture.thumb) } alt=(alt(desk, picture, n)) loading="lazy";
                        } @else { (alt(desk, picture, n)) }
                    }
                }
            }
        }
    }
}

/// Returns what stands for a picture where it is not seen.
pub(crate) fn alt(desk: &Desk<'_>, picture: &Picture, n: usize) -> String {
    let n = n.to_string();
    let named = desk.tell("web.picture.named", &[("n", &n)]);
    if picture.caption.is_empty() { named } else { format!("{named} {}", widgets::plain(&picture.caption)) }
}

/// Returns what a person should look at, the blocking ones in red, each with what to do; `way` is where that is done.
pub(crate) fn problems(
    desk: &Desk<'_>,
    problems: &[Problem],
    way: impl Fn(&Problem) -> Option<(String, String)>,
) -> Markup {
    let lang = desk.lang.of_labels();
    html! {
        @if !problems.is_empty() {
            ul.findings {
                @for problem in problems {
                    li.(if problem.blocks() { "bad" } else { "warning" }) {
                        p { (widgets::badge(if problem.blocks() { Tone::Bad } else { Tone::Warning }, problem.rule)) " " (widgets::text(&problem.text(lang))) }
                        p.hint { (widgets::text(&problem.hint(lang))) }
                        @if let Some((href, label)) = way(problem) { (widgets::way(&href, &label)) }
                    }
                }
            }
        }
    }
}

/// Returns the decisions of a record as a table.
pub(crate) fn decisions(desk: &Desk<'_>, shown: &Shown, zone: Zone) -> Markup {
    let columns = ["column.step", "column.by", "column.at", "column.reason", "column.standing"]
        .map(|key| Column { title: desk.say(key), number: false });
    let rows: Vec<Vec<Markup>> = shown
        .decisions
        .iter()
        .map(|decided| {
            vec![
                html! { (decided.step.map_or("?", |step| desk.lang.label(step.zh, step.en))) },
                widgets::short(&decided.by),
                html! { (decided.at.minute(zone)) },
                widgets::short(&both::said(&decided.reason, desk.lang.of_labels())),
                html! { (desk.say(&format!("text.standing.{}", standing_name(decided.standing)))) },
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            section { h2 { (desk.say("text.show.decisions")) } (widgets::table(&desk.say("text.show.decisions"), &columns, &rows, "")) }
        }
    }
}
