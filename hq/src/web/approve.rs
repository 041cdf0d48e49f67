//! The manager's and the vice-president's desk: claims to approve, alerts, cases, exceptions, what is late.

mod alerts;
mod cases;
mod claim;
mod exceptions;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{self, Verb};
use pages::widgets::{self, Row, Tone};
use records::kinds::claim_machine as at;
use records::machine::{Reason, Step};

use crate::cli::answer::Fault;
use crate::money::seats::seat_for;
use crate::money::waiting::{Waiting, waits_for};
use crate::web::claims::paged;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// The lists of this tab: address and label.
const LISTS: [(&str, &str); 5] = [
    ("/approve", "money.approve.claims"),
    ("/approve/alerts", "money.alerts"),
    ("/approve/cases", "money.cases"),
    ("/approve/exceptions", "money.exceptions"),
    ("/approve/late", "money.approve.late"),
];

/// Returns the answer to a visit below `/approve`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, rest: &[&str]) -> Result<Reply, Fault> {
    desk.only(Place::Approve)?;
    match (verb, rest) {
        (Verb::Get, []) => page(desk),
        (Verb::Get, ["late"]) => late(desk),
        (Verb::Get, ["alerts"]) => alerts::page(desk),
        (Verb::Post, ["alerts", id]) => alerts::act(desk, id),
        (Verb::Get, ["cases"]) => cases::page(desk),
        (Verb::Get, ["cases", "fines.xlsx"]) => cases::fines(desk),
        (Verb::Post, ["cases", id, step]) => cases::act(desk, id, step),
        (Verb::Get, ["exceptions"]) => exceptions::page(desk),
        (Verb::Post, ["exceptions", id, step]) => exceptions::act(desk, id, step),
        (Verb::Get, [id]) => claim::page(desk, id),
        (Verb::Post, [id, step]) => claim::act(desk, id, step),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

/// Returns the claims that this person decides on now.
pub(super) fn mine(desk: &Desk<'_>) -> Result<(Vec<Waiting>, Names), Fault> {
    let (staff, today) = (desk.person.staff, desk.today());
    desk.look(|office| {
        let seats = office.seats(staff, today)?;
        let mut mine = Vec::new();
        for waiting in
            office.waiting(&[at::AUDITED, at::REJECT_PROPOSED, at::VP_PENDING, at::FROZEN], today)?
        {
            let facts = office.plain_facts(&waiting.held.claim, today)?;
            let claim = &waiting.held.claim;
            let yes = ["mgr_approve", "vp_approve", "confirm_reject", "unfreeze"];
            if yes.iter().any(|step| seat_for(&seats, step, claim, &facts).is_some()) {
                mine.push(waiting);
            }
        }
        Ok((mine, Names::read(office)?))
    })
}

fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let (mine, names) = mine(desk)?;
    let rows: Vec<Row> =
        paged::part(desk, &mine).iter().map(|waiting| row(desk, waiting, &names, "approve")).collect();
    Ok(desk.page(&listed(
        desk,
        "/approve",
        &html! {
            (widgets::rows(&rows, &desk.say("money.approve.none")))
            (paged::more(desk, "/approve", mine.len()))
        },
    )))
}

/// Returns one of the lists under its name, with the ways to the others.
fn listed(desk: &Desk<'_>, here: &str, content: &Markup) -> Leaf {
    Leaf {
        place: Place::Approve,
        title: desk.say("console.tab.approve"),
        back: None,
        content: html! {
            nav.chips aria-label=(desk.say("console.tab.approve")) {
                @for (href, key) in LISTS {
                    a href=(href) aria-current=[(href == here).then_some("page")] { (desk.say(key)) }
                }
            }
            (content)
        },
    }
}

fn row(desk: &Desk<'_>, waiting: &Waiting, names: &Names, place: &str) -> Row {
    let held = &waiting.held;
    Row {
        href: format!("/{place}/{}", visit::part(&held.record.id.to_string())),
        title: held.no(),
        below: html! {
            (widgets::short(&names.of(Some(held.claim.staff)))) " · " (widgets::short(&names.unit(held.claim.unit))) " "
            (parts::state(desk, &held.record))
        },
        right: html! { strong { (held.claim.claimed_total()) } br; (desk.say("money.due")) " " (parts::due(desk, waiting)) },
    }
}

/// Returns everything that is late, whoever has it.
fn late(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let today = desk.today();
    let (waiting, names) = desk.look(|office| Ok((office.waiting(&[], today)?, Names::read(office)?)))?;
    let late: Vec<&Waiting> = waiting.iter().filter(|waiting| waiting.is_late(today)).collect();
    let rows: Vec<Row> = paged::part(desk, &late)
        .iter()
        .map(|waiting| {
            let row = row(desk, waiting, &names, "claims");
            let with = desk.say(&format!("money.with.{}", waits_for(waiting.held.claim.state)));
            Row { below: html! { (row.below) " " (widgets::badge(Tone::Warning, &with)) }, ..row }
        })
        .collect();
    Ok(desk.page(&listed(
        desk,
        "/approve/late",
        &html! {
            p { (desk.tell("money.approve.n_late", &[("n", &late.len().to_string())])) }
            (widgets::rows(&rows, &desk.say("money.approve.none_late")))
            (paged::more(desk, "/approve/late", late.len()))
        },
    )))
}

/// Returns the form of a step of a record's machine: its name on the button, a reason where the step asks for one.
fn step_form(desk: &Desk<'_>, action: &str, step: &Step, (first, extra): (bool, &Markup)) -> Markup {
    let words = desk.lang.words();
    let label = words.pick(step.zh, step.en);
    let class = if first { "first" } else { "second" };
    desk.form(action, &html! {
        (extra)
        @match step.reason {
            Reason::None => {},
            Reason::Words => label.field { span { (label) ": " (desk.say("money.reason")) }
                input type="text" name="reason" maxlength="500" autocomplete="off" required; },
            Reason::OneOf(list) => label.field { span { (label) ": " (desk.say("money.reason")) }
                select name="reason" { @for (word, zh, en) in list.options { option value=(word) { (words.pick(zh, en)) } } } },
        }
        button.(class) id={ "step-" (step.name) } type="submit" { (label) }
    })
}
