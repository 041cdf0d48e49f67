//! Search over all records, offline; and one record of any kind as it reads.

use maud::html;
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Row};
use records::kinds::{KINDS, number, takes};

use crate::cli::fault::Fault;
use crate::notebook::find::Wanted;
use crate::notebook::list::{Filter, Line};
use crate::notebook::search::{Search, search};
use crate::notebook::show::show;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::{badges, further, new, row as sheet_row};
use crate::web::shown;

/// Rows of one page.
const ROWS: usize = 50;

/// Returns what the words of the address find.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let query = &desk.visit.query;
    let typed = query.get("q").unwrap_or_default();
    let words: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
    let kind = query.get("kind").and_then(records::kinds::by_name);
    let from: usize = query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0).min(10_000);
    let request = Search { words, kind, filter: Filter::default(), limit: from + ROWS + 1 };
    let lines = match request.words.is_empty() {
        true => Vec::new(),
        false => desk.with(|store| search(store, &request, desk.lang.of_labels()))?,
    };
    let rows: Vec<Row> = lines.iter().skip(from).take(ROWS).map(|line| row(desk, line)).collect();
    let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.name, desk.lang.label(kind.zh, kind.en))).collect();
    let content = html! {
        form method="get" action="/search" role="search" {
            (widgets::scanned("q", "q", &desk.say("web.search.words"), typed, &desk.say("web.scan")))
            (widgets::select("kind", &desk.say("web.list.kind"), &kinds, kind.map_or("", |kind| kind.name)))
            button.first type="submit" { (desk.say("web.search.title")) }
        }
        @if !request.words.is_empty() { (widgets::rows(&rows, &desk.say("web.search.none"))) }
        @else { p.hint { (desk.say("web.search.about")) } }
        @if lines.len() > from + ROWS { div.actions { a.way #more href=(further(query, from + ROWS)) { (desk.say("web.more_rows")) } } }
    };
    desk.page(&Leaf {
        place: Place::More,
        title: desk.say("web.search.title"),
        back: Some("/more".to_owned()),
        content,
    })
}

/// Returns a record as a row that leads to its page.
fn row(desk: &Desk<'_>, line: &Line) -> Row {
    if takes(number::SHEET, line.kind.number) {
        return Row { href: address(line), ..sheet_row(desk, line) };
    }
    let kind = desk.lang.label(line.kind.zh, line.kind.en);
    let number = if line.number.is_empty() { line.id.code() } else { line.number.clone() };
    Row {
        href: address(line),
        title: if line.title.is_empty() { number.clone() } else { line.title.clone() },
        below: html! { (kind) " · " (widgets::short(&number)) },
        right: badges(desk, line),
    }
}

fn address(line: &Line) -> String {
    let id = part(&line.id.to_string());
    match line.kind.number {
        number::JOB => format!("/jobs/{id}"),
        number::VOUCHER => format!("/vouchers/{id}"),
        kind if takes(number::SHEET, kind) => format!("/sheets/{id}"),
        _ => format!("/records/{id}"),
    }
}

/// Returns a record of any kind: its values, its lists, and of a machine its earlier sheets.
pub(super) fn record(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let lang = desk.lang.of_labels();
    let (shown, earlier, zone) = desk.with(|store| {
        let shown = show(store, id, Wanted::Any, lang)?;
        let machine = shown.line.kind.number == number::ASSET;
        let earlier = if machine { new::history(store, shown.line.id, lang)? } else { Vec::new() };
        Ok((shown, earlier, store.zone()))
    })?;
    let line = &shown.line;
    let rows: Vec<Row> = earlier.iter().map(|line| sheet_row(desk, line)).collect();
    let mut facts = Vec::new();
    if line.state.is_some() {
        facts.push((desk.say("web.list.state"), badges(desk, line)));
    }
    facts.extend(shown::facts(desk, &shown, zone));
    let content = html! {
        (widgets::facts(&facts))
        (shown::lists(desk, &shown, zone, &[]))
        @if !rows.is_empty() { section { h2 { (desk.say("web.new.earlier")) } (widgets::rows(&rows, "")) } }
        @if line.kind.number == number::ASSET {
            div.actions { a.way.first #begin href={ "/sheets/new?asset=" (part(&line.number)) } { (desk.say("web.new.title")) } }
        }
        (shown::decisions(desk, &shown, zone))
    };
    let number = if line.number.is_empty() { line.id.code() } else { line.number.clone() };
    let title = format!("{} {number}", desk.lang.label(line.kind.zh, line.kind.en));
    desk.page(&Leaf { place: Place::More, title, back: Some("/search".to_owned()), content })
}
