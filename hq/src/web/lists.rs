//! Every list: its filters stand in the address, it reads fifty a page, and it can be taken along as a file.

mod record;
mod search;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Column, Row, Tone, Weight};
use records::kinds;
use records::schema::{Kind, Reach};
use records::table::export::{Form, Words};
use records::value::text;

use crate::cli::answer::{DAMAGED, Fault};
use crate::lists::{Line, ListError, Reader, Sieve};
use crate::web::desk::{Desk, Leaf, Place};

pub(super) use record::page as record;
pub(super) use search::page as search;

/// Rows of a page.
const ROWS: usize = 50;

/// What a spreadsheet is.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Returns for whom this person's lists are made.
fn reader(desk: &Desk<'_>) -> Result<Reader, Fault> {
    let staff = desk.person.staff;
    desk.look(|office| Ok(office.list_reader(staff)?))
}

/// Returns the kinds.
pub(super) fn kinds(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let reader = reader(desk)?;
    let mut known: Vec<&Kind> = kinds::KINDS.iter().copied().filter(|kind| reader.knows(kind)).collect();
    known.sort_by_key(|kind| (kind.reach == Reach::Company, kind.number));
    let rows: Vec<Row> = known
        .iter()
        .map(|kind| Row {
            href: format!("/lists/{}", kind.name),
            title: label(desk, kind).to_owned(),
            below: html! { (kind.name) },
            right: html! {},
        })
        .collect();
    let content = html! { (search::form(desk)) div.columns { (widgets::rows(&rows, "")) } };
    Ok(desk.page(&Leaf { place: Place::Lists, title: desk.say("console.tab.lists"), back: None, content }))
}

fn label(desk: &Desk<'_>, kind: &Kind) -> &'static str {
    desk.lang.words().pick(kind.zh, kind.en)
}

/// Returns a kind's list.
pub(super) fn list(desk: &Desk<'_>, kind: &str) -> Result<Reply, Fault> {
    let (kind, reader) = (known(desk, kind)?, reader(desk)?);
    let sieve = sieve(desk, kind)?;
    let from: usize = desk.visit.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let (lines, more) = desk.look(|office| Ok(office.listed(&reader, kind, &sieve, (from, ROWS))?))?;
    let query = query(desk);
    let content = html! {
        (filters(desk, kind)?)
        div.actions {
            @for form in ["xlsx", "csv"] {
                a.way href={ "/lists/" (kind.name) "/" (form) "?" (query) } id=(form) { (desk.say(&format!("console.lists.{form}"))) }
            }
        }
        (table(desk, kind, &lines))
        @if more || from > 0 {
            div.actions {
                @if from > 0 { a.way href={ "/lists/" (kind.name) "?" (query) "&from=" (from.saturating_sub(ROWS)) } { (desk.say("console.newer")) } }
                @if more { a.way href={ "/lists/" (kind.name) "?" (query) "&from=" (from + ROWS) } id="more" { (desk.say("console.more")) } }
            }
        }
    };
    Ok(desk.page(&Leaf {
        place: Place::Lists,
        title: label(desk, kind).to_owned(),
        back: Some("/lists".to_owned()),
        content,
    }))
}

fn known(desk: &Desk<'_>, name: &str) -> Result<&'static Kind, Fault> {
    let kind = kinds::by_name(name).ok_or_else(|| Fault::usage("console.fault.no_page"))?;
    if reader(desk)?.knows(kind) { Ok(kind) } else { Err(role()) }
}

fn role() -> Fault {
    Fault::new(crate::cli::answer::REFUSED, "console.fault.role")
}

/// The filters as the address has them; a day that is none, or a unit that nobody knows, is refused rather than passed
/// over: a list that leaves out less than was asked for deceives.
fn sieve(desk: &Desk<'_>, kind: &Kind) -> Result<Sieve, Fault> {
    let query = &desk.visit.query;
    let day = |name: &str| {
        let typed = query.get(name).map(str::parse).transpose();
        typed.map_err(|_| Fault::usage("console.fault.day").with("text", query.get(name).unwrap_or_default()))
    };
    let states = query
        .all("state")
        .map(|name| kind.machine.and_then(|machine| machine.state(name)))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Fault::usage("console.fault.no_page"))?;
    let unit = match query.get("unit") {
        Some(code) => {
            let people = desk.look(|office| Ok(office.people()?))?;
            let found = people.units.iter().find(|(_, unit)| unit.code == code).map(|(id, _)| *id);
            Some(found.ok_or_else(|| Fault::usage("console.fault.no_page"))?)
        }
        None => None,
    };
    let text = query.get("q").unwrap_or_default().to_owned();
    Ok(Sieve { states, since: day("since")?, until: day("until")?, unit, text })
}

/// The filters again as a part of an address, without the page.
fn query(desk: &Desk<'_>) -> String {
    let wanted = ["state", "since", "until", "unit", "q"];
    let fields = desk
        .visit
        .query
        .0
        .iter()
        .filter(|(name, value)| wanted.contains(&name.as_str()) && !value.trim().is_empty());
    fields.map(|(name, value)| format!("{name}={}", part(value))).collect::<Vec<_>>().join("&")
}

fn filters(desk: &Desk<'_>, kind: &Kind) -> Result<Markup, Fault> {
    let (query, words) = (&desk.visit.query, desk.lang.words());
    let people = desk.look(|office| Ok(office.people()?))?;
    let mut units: Vec<(&str, &str)> = people
        .units
        .values()
        .filter(|unit| unit.kind == Some(records::kinds::org::OrgKind::BRANCH))
        .map(|unit| (unit.code.as_str(), unit.name.as_str()))
        .collect();
    units.sort_unstable();
    let units: Vec<(&str, String)> = units.iter().map(|(code, name)| (*code, widgets::plain(name))).collect();
    let units: Vec<(&str, &str)> = units.iter().map(|(code, name)| (*code, name.as_str())).collect();
    let states: Vec<(&str, &str)> = kind
        .machine
        .map(|machine| {
            machine.states.iter().map(|state| (state.name, words.pick(state.zh, state.en))).collect()
        })
        .unwrap_or_default();
    let value = |name: &str| query.get(name).unwrap_or_default();
    Ok(html! {
        form.filters method="get" action={ "/lists/" (kind.name) } {
            (widgets::input("q", &desk.say("console.lists.text"), value("q"), "search", None))
            @if !states.is_empty() {
                (widgets::select("state", &desk.say("console.lists.state"), &states, value("state")))
            }
            @if kind.reach == Reach::Branch {
                (widgets::select("unit", &desk.say("console.lists.unit"), &units, value("unit")))
            }
            (widgets::input("since", &desk.say("console.lists.since"), value("since"), "date", None))
            (widgets::input("until", &desk.say("console.lists.until"), value("until"), "date", None))
            (widgets::button(Weight::First, &desk.say("console.lists.filter"), None))
        }
    })
}

/// Returns records as a table, each a link to its own page.
fn table(desk: &Desk<'_>, kind: &Kind, lines: &[Line]) -> Markup {
    let columns = ["number", "title", "state", "author", "updated"]
        .map(|name| Column { title: desk.say(&format!("console.lists.column.{name}")), number: false });
    let rows: Vec<Vec<Markup>> = lines.iter().map(|line| cells(desk, line)).collect();
    widgets::table(label(desk, kind), &columns, &rows, &desk.say("console.none"))
}

fn cells(desk: &Desk<'_>, line: &Line) -> Vec<Markup> {
    vec![
        html! { a href={ "/records/" (line.id) } { (widgets::short(&line.no)) } },
        widgets::short(&line.title),
        html! { (state(desk, line)) @if line.conflicts > 0 { " " (widgets::badge(Tone::Bad, &desk.say("console.lists.conflict"))) } },
        widgets::short(&line.author),
        html! { (desk.instant(line.updated)) },
    ]
}

/// Returns the word of a record's state.
fn state(desk: &Desk<'_>, line: &Line) -> &'static str {
    let states = line.kind.machine.map_or(&[][..], |machine| machine.states);
    states.get(usize::from(line.state)).map_or("", |state| desk.lang.words().pick(state.zh, state.en))
}

/// Returns a kind's list as a file.
pub(super) fn file(desk: &Desk<'_>, kind: &str, form: &str) -> Result<Reply, Fault> {
    let (kind, reader) = (known(desk, kind)?, reader(desk)?);
    let (kind_of_file, wanted) = match form {
        "xlsx" => (XLSX, Form::Xlsx),
        "csv" => ("text/csv; charset=utf-8", Form::Csv { mark: true }),
        _ => return Err(Fault::usage("console.fault.no_page")),
    };
    let words = match desk.lang.words() {
        text::Lang::Zh | text::Lang::ZhTw => Words::Zh,
        text::Lang::En => Words::En,
    };
    let sieve = sieve(desk, kind)?;
    let bytes = desk.console.read(|office| {
        office.list_file(&reader, kind, &sieve, (wanted, words)).map_err(|error| match error {
            ListError::Store(error) => Fault::from(error),
            ListError::Export(error) => Fault::new(DAMAGED, "hq.export").with("reason", error),
        })
    })?;
    let name = format!("{} {}.{form}", label(desk, kind), desk.today());
    Ok(Reply::download(kind_of_file, &name, bytes))
}

#[cfg(test)]
mod tests;
