//! The auditor's desk: envelopes, the queue by due day, one claim after the other, the way to finance.

mod claim;
mod receive;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{self, Verb};
use pages::widgets::{self, Row, Tone};
use records::kinds::claim_machine as at;

use crate::cli::answer::Fault;
use crate::money::waiting::{Late, Waiting};
use crate::money::window::Window;
use crate::web::claims::paged;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the answer to a visit below `/audit`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, rest: &[&str]) -> Result<Reply, Fault> {
    desk.only(Place::Audit)?;
    match (verb, rest) {
        (Verb::Get, []) => page(desk),
        (Verb::Post, ["hand-over"]) => hand(desk),
        (Verb::Get, ["receive"]) => receive::page(desk),
        (Verb::Post, ["receive"]) => receive::envelope(desk),
        (Verb::Get, ["receive", batch]) => receive::covers(desk, batch),
        (Verb::Post, ["receive", batch, "scan"]) => receive::cover(desk, batch),
        (Verb::Post, ["receive", batch, "end"]) => receive::end(desk, batch),
        (Verb::Get, [id]) => claim::page(desk, id),
        (Verb::Post, [id, what]) => claim::acts::act(desk, id, what),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

/// Returns what waits for the auditor: what is due first comes first.
fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk)?))
}

struct Queue {
    waiting: Vec<Waiting>,
    ready: usize,
    late: Vec<Late>,
    window: Window,
    names: Names,
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let today = desk.today();
    let queue = desk.look(|office| {
        let waiting = office.waiting(&[at::RECEIVED, at::INFO_REQUESTED, at::MISSING_PAPER], today)?;
        let late = office.late_by_branch(&waiting, today)?;
        let ready = office.ready(today)?.len();
        Ok(Queue { ready, late, window: office.window(today)?, names: Names::read(office)?, waiting })
    })?;
    let here = paged::part(desk, &queue.waiting);
    let rows: Vec<Row> = here.iter().map(|waiting| row(desk, waiting, &queue.names)).collect();
    Ok(Leaf {
        place: Place::Audit,
        title: desk.say("console.tab.audit"),
        back: None,
        content: html! {
            div.actions { a.way.first #audit-receive href="/audit/receive" data-key="r" { (desk.say("money.receive.title")) } }
            (late(desk, &queue))
            (hand_over(desk, &queue))
            h2 { (desk.say("money.audit.queue")) " (" (queue.waiting.len()) ")" }
            (widgets::rows(&rows, &desk.say("money.audit.none")))
            (paged::more(desk, "/audit", queue.waiting.len()))
        },
    })
}

fn row(desk: &Desk<'_>, waiting: &Waiting, names: &Names) -> Row {
    let held = &waiting.held;
    Row {
        href: format!("/audit/{}", visit::part(&held.record.id.to_string())),
        title: held.no(),
        below: html! {
            (widgets::short(&names.of(Some(held.claim.staff)))) " · " (widgets::short(&names.unit(held.claim.unit))) " · "
            (desk.tell("money.n_lines", &[("n", &held.claim.lines.len().to_string())])) " "
            (parts::state(desk, &held.record)) " " (claim::progress(desk, waiting))
        },
        right: html! { strong { (held.claim.claimed_total()) } br; (desk.say("money.due")) " " (parts::due(desk, waiting)) },
    }
}

/// Says what lateness may cost, by branch.
fn late(desk: &Desk<'_>, queue: &Queue) -> Markup {
    html! {
        @if !queue.late.is_empty() {
            ul.findings { @for late in &queue.late {
                li.bad { (desk.tell("money.audit.late", &[
                    ("branch", &pages::widgets::plain(&queue.names.unit(Some(late.branch)))),
                    ("days", &late.days.to_string()),
                    ("amount", &late.fine.to_string()),
                ])) }
            } }
        }
    }
}

/// Returns the way to finance: how many may go, and until when.
fn hand_over(desk: &Desk<'_>, queue: &Queue) -> Markup {
    html! {
        section {
            h2 { (desk.say("money.hand_over")) }
            (hint(desk, &queue.window))
            @if queue.ready > 0 {
                (desk.form("/audit/hand-over", &html! {
                    button #hand-over.first type="submit" { (desk.tell("money.hand_over.all", &[("n", &queue.ready.to_string())])) }
                }))
            } @else { p.none { (desk.say("money.hand_over.none")) } }
        }
    }
}

/// Says whether finance takes claims in, and until when.
pub(super) fn hint(desk: &Desk<'_>, window: &Window) -> Markup {
    let day = |day: Option<records::time::Day>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
    if window.closure.closed {
        let opens = window.closure.opens.to_string();
        return widgets::told(Tone::Warning, &desk.tell("money.window.closed", &[("opens", &opens)]));
    }
    let facts = [("last", day(window.last)), ("reopens", day(window.reopens))];
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    widgets::told(Tone::Good, &desk.tell("money.window.open", &facts))
}

/// Hands over to finance whatever is approved.
fn hand(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let today = desk.today();
    let handed = desk.act(move |office, actor, now_ms| {
        let ready = office.ready(today)?;
        office.hand_over(&ready, actor, now_ms)
    });
    match handed {
        Ok(_) => Ok(Reply::go("/audit?done=handed_over")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}
