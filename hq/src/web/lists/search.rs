//! The search of the whole house: numbers, codes, names, and Chinese names by their initials.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row, Weight};
use records::kinds;

use crate::cli::answer::Fault;
use crate::lists::Line;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::lists::{label, reader, state};

/// Records of a kind that are shown, at most.
const EACH: usize = 12;

/// Returns the form in which one searches.
pub(super) fn form(desk: &Desk<'_>) -> Markup {
    let typed = desk.visit.query.get("q").unwrap_or_default();
    html! {
        form.filters method="get" action="/search" {
            (widgets::input("q", &desk.say("console.search.hint"), typed, "search", None))
            (widgets::button(Weight::First, &desk.say("console.search"), None))
        }
    }
}

/// Returns what was found, by kind.
pub(in crate::web) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let typed = desk.visit.query.get("q").unwrap_or_default();
    let reader = reader(desk)?;
    let found = match typed {
        "" => Vec::new(),
        typed => desk.look(|office| Ok(office.search(&reader, typed, EACH)?))?,
    };
    let content = html! {
        (form(desk))
        @if found.is_empty() && !typed.is_empty() { p.none { (desk.say("console.search.none")) } }
        @for kind in kinds::KINDS {
            @let rows: Vec<Row> = found.iter().filter(|line| line.kind == *kind).map(|line| row(desk, line)).collect();
            @if !rows.is_empty() {
                section { h2 { (label(desk, kind)) } (widgets::rows(&rows, "")) }
            }
        }
    };
    Ok(desk.page(&Leaf {
        place: Place::Lists,
        title: desk.say("console.search"),
        back: Some("/lists".to_owned()),
        content,
    }))
}

fn row(desk: &Desk<'_>, line: &Line) -> Row {
    Row {
        href: format!("/records/{}", line.id),
        title: if line.title.is_empty() { line.no.clone() } else { format!("{} · {}", line.no, line.title) },
        below: html! { (desk.instant(line.updated)) " " (widgets::short(&line.author)) },
        right: html! { (state(desk, line)) },
    }
}
