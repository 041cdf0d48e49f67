//! Work sheets: the list, a new one, and the pages of one.

mod change;
pub(in crate::web) mod finish;
mod form;
pub(in crate::web) mod items;
mod lists;
pub(in crate::web) mod new;
pub(in crate::web) mod past;
pub(in crate::web) mod read;
#[cfg(test)]
mod tests;
pub(in crate::web) mod view;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{Fields, Verb, part};
use pages::widgets::{self, Row, Tone};
use records::kinds::inspection::INSPECTION;
use records::kinds::sheet_machine;
use records::schema::Kind;

use crate::cli::args::SHEETS;
use crate::cli::fault::{Exit, Fault};
use crate::notebook::list::{self, Filter, Line};
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::round;

/// Rows of one page of a list.
const ROWS: usize = 50;

/// Returns the answer to an address below `/sheets`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, parts: &[&str]) -> Result<Reply, Fault> {
    match (verb, parts) {
        (Verb::Get, []) => page(desk),
        (Verb::Get, ["new"]) => new::page(desk),
        (Verb::Post, ["new"]) => new::open(desk),
        (Verb::Get, [id]) => view::page(desk, id),
        (Verb::Get, [id, "round"]) => round::page(desk, id),
        (Verb::Get, [id, "fault"]) => round::fault(desk, id),
        (Verb::Post, [id, "fault"]) => round::raise(desk, id),
        (Verb::Post, [id, "set"]) => change::set(desk, id),
        (Verb::Post, [id, "answer"]) => change::answer(desk, id),
        (Verb::Post, [id, "photos"]) => change::photos(desk, id),
        (Verb::Post, [id, "add", list]) => change::add(desk, id, list),
        (Verb::Post, [id, "remove", list]) => change::remove(desk, id, list),
        (Verb::Get, [id, "finish"]) => finish::page(desk, id),
        (Verb::Post, [id, "finish"]) => finish::seal(desk, id),
        (Verb::Get, [id, "history"]) => past::history(desk, id),
        (Verb::Get, [id, "amend"]) => past::amend(desk, id),
        (Verb::Post, [id, "amend"]) => past::amended(desk, id),
        (Verb::Get, [id, "void"]) => past::void(desk, id),
        (Verb::Post, [id, "void"]) => past::voided(desk, id),
        _ => Err(Fault::new(Exit::Usage, "web.fault.no_page")),
    }
}

/// Returns the list: the drafts first, and what the address filters.
fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let query = &desk.visit.query;
    let known = |name: &&str| SHEETS.contains(name);
    let named = query.get("kind").filter(known);
    let kinds: Vec<&'static Kind> = SHEETS
        .iter()
        .filter(|name| named.is_none_or(|wanted| wanted == **name))
        .filter_map(|name| records::kinds::by_name(name))
        .collect();
    let state = query.get("state").filter(|state| sheet_machine::SHEET.state(state).is_some());
    let from: usize = query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0).min(100_000);
    let filter =
        Filter { kinds, state: state.map(str::to_owned), limit: Some(from + ROWS + 1), ..Filter::default() };
    let lang = desk.lang.of_labels();
    let (drafts, lines) = desk.with(|store| {
        let first = state.is_none() && named.is_none() && from == 0;
        let drafts = if first { crate::notebook::day::drafts(store, lang)? } else { Vec::new() };
        Ok((drafts, list::list(store, &filter, lang)?))
    })?;
    let more = lines.len() > from + ROWS;
    let others: Vec<Row> = lines
        .iter()
        .skip(from)
        .take(ROWS)
        .filter(|line| !drafts.iter().any(|draft| draft.id == line.id))
        .map(|line| row(desk, line))
        .collect();
    let drafts: Vec<Row> = drafts.iter().map(|line| row(desk, line)).collect();
    let content = html! {
        div.actions {
            a.way.first #new-sheet href="/sheets/new" { (desk.say("web.new.title")) }
            a.way #jobs href="/jobs" { (desk.say("web.job.list")) }
            a.way #search href="/search" { (desk.say("web.search.title")) }
        }
        (filters(desk, named, state))
        @if !drafts.is_empty() {
            h2 { (desk.say("web.sheet.drafts")) }
            (widgets::rows(&drafts, ""))
            @if !others.is_empty() { h2 { (desk.say("web.sheet.others")) } }
        }
        @if !others.is_empty() || drafts.is_empty() { (widgets::rows(&others, &desk.say("web.sheet.none"))) }
        @if more { div.actions { a.way #more href=(further(&desk.visit.query, from + ROWS)) { (desk.say("web.more_rows")) } } }
    };
    let title = desk.say("web.tab.sheets");
    desk.page(&Leaf { place: Place::Sheets, title, back: None, content })
}

/// Returns the address of the rest of a list.
pub(super) fn further(query: &Fields, from: usize) -> String {
    let kept = query.0.iter().filter(|(name, _)| name != "from");
    let kept: String = kept.map(|(name, value)| format!("{}={}&", part(name), part(value))).collect();
    format!("?{kept}from={from}")
}

fn filters(desk: &Desk<'_>, kind: Option<&str>, state: Option<&str>) -> Markup {
    let kinds: Vec<(&str, &str)> = SHEETS
        .iter()
        .filter_map(|name| records::kinds::by_name(name))
        .map(|kind| (kind.name, desk.lang.label(kind.zh, kind.en)))
        .collect();
    let states: Vec<(&str, &str)> = sheet_machine::SHEET
        .states
        .iter()
        .map(|state| (state.name, desk.lang.label(state.zh, state.en)))
        .collect();
    html! {
        details open[kind.is_some() || state.is_some()] {
            summary { (desk.say("web.list.filter")) }
            form method="get" action="/sheets" {
                (widgets::select("kind", &desk.say("web.list.kind"), &kinds, kind.unwrap_or_default()))
                (widgets::select("state", &desk.say("web.list.state"), &states, state.unwrap_or_default()))
                button type="submit" { (desk.say("web.list.show")) }
            }
            form method="get" action="/search" {
                (widgets::input("q", &desk.say("web.search.words"), "", "search", None))
                button type="submit" { (desk.say("web.search.title")) }
            }
        }
    }
}

/// Returns the row of a sheet; a draft of a round leads to the round.
pub(super) fn row(desk: &Desk<'_>, line: &Line) -> Row {
    let kind = desk.lang.label(line.kind.zh, line.kind.en);
    let draft = line.state.is_some_and(|state| state.name == "draft");
    let round = if draft && line.kind.number == INSPECTION.number { "/round" } else { "" };
    let title = if line.title.is_empty() { kind.to_owned() } else { line.title.clone() };
    let number = if line.number.is_empty() { line.id.code() } else { line.number.clone() };
    Row {
        href: format!("/sheets/{}{round}", line.id),
        title,
        below: html! { (kind) " · " (widgets::short(&number)) " · " (desk.instant(line.created, desk.zone())) },
        right: badges(desk, line),
    }
}

/// Returns state and open conflicts of a record as badges.
pub(super) fn badges(desk: &Desk<'_>, line: &Line) -> Markup {
    let tone = match line.state.map_or("", |state| state.name) {
        "sealed" | "accepted" | "done" | "reviewed" | "paid" => Tone::Good,
        "returned" | "refused" => Tone::Bad,
        _ => Tone::Plain,
    };
    html! {
        @if let Some(state) = line.state { (widgets::badge(tone, desk.lang.label(state.zh, state.en))) }
        @for flag in &line.flags { " " (widgets::badge(Tone::Warning, desk.lang.label(flag.zh, flag.en))) }
        @if line.conflicts > 0 { " " (widgets::badge(Tone::Bad, &desk.tell("web.conflicts", &[("n", &line.conflicts.to_string())]))) }
    }
}
