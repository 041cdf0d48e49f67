//! The administrator's pages: what stands behind each, and how much of it waits.

mod devices;
mod enrolling;
mod staff;
mod terms;
mod trail;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::Verb;
use pages::widgets::{self, Row, Tone};

use crate::cli::answer::Fault;
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the answer below `/admin`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, rest: &[&str]) -> Result<Reply, Fault> {
    desk.only(Place::Admin)?;
    match (verb, rest) {
        (Verb::Get, []) => menu(desk),
        (Verb::Get, ["devices"]) => devices::list(desk),
        (Verb::Get, ["devices", "new"]) => enrolling::ask(desk),
        (Verb::Post, ["devices", "new"]) => enrolling::show(desk),
        (Verb::Get, ["devices", replica]) => devices::one(desk, replica),
        (Verb::Post, ["devices", replica, act]) => devices::act(desk, replica, act),
        (Verb::Get, ["staff"]) => staff::list(desk),
        (Verb::Get, ["staff", code]) => staff::one(desk, code),
        (Verb::Post, ["staff", code, act]) => staff::act(desk, code, act),
        (Verb::Get, ["policy"]) => terms::policy(desk),
        (Verb::Post, ["policy", act]) => terms::policy_act(desk, act),
        (Verb::Get, ["calendar"]) => terms::calendar(desk),
        (Verb::Post, ["calendar"]) => terms::calendar_load(desk),
        (Verb::Get, ["waiting"]) => trail::waiting(desk),
        (Verb::Get, ["trail"]) => trail::list(desk),
        (Verb::Get, ["trail", "file"]) => trail::file(desk),
        (Verb::Post, ["trail", "verify"]) => trail::verify(desk),
        (Verb::Get, ["backup"]) => trail::backup(desk),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

/// Returns how many devices there are, how many have been silent for too long, and of how many something waits.
fn counted(desk: &Desk<'_>) -> Result<(usize, usize, usize), Fault> {
    let now_ms = desk.now_ms();
    let watched = desk.look(|office| Ok(office.watched()?))?;
    let silent = watched.iter().filter(|one| devices::silence(one, now_ms) == Tone::Bad).count();
    let waits = watched.iter().filter(|one| one.held_back > 0 || !one.keys.is_empty()).count();
    Ok((watched.len(), silent, waits))
}

/// Returns what waits for an administrator: silent devices, what was held back, a calendar that ends soon.
pub(super) fn waiting(desk: &Desk<'_>) -> Result<Vec<Row>, Fault> {
    if desk.only(Place::Admin).is_err() {
        return Ok(Vec::new());
    }
    let (_, silent, waits) = counted(desk)?;
    let held = desk.look(|office| Ok(office.terms()?))?;
    // December is ruled by the next year's table too.
    let missing: Vec<i32> = held.in_force.calendar.missing(desk.today().plus(31)).collect();
    let row = |key: &str, href: &str, right: String| Row {
        href: href.to_owned(),
        title: desk.say(&format!("console.admin.waits.{key}")),
        below: html! { (desk.say("console.tab.admin")) },
        right: html! { (widgets::badge(Tone::Warning, &right)) },
    };
    let mut rows = Vec::new();
    if silent > 0 {
        rows.push(row("silent", "/admin/devices", silent.to_string()));
    }
    if waits > 0 {
        rows.push(row("held", "/admin/waiting", waits.to_string()));
    }
    if let Some(year) = missing.first() {
        rows.push(row("calendar", &format!("/admin/calendar?year={year}"), year.to_string()));
    }
    Ok(rows)
}

fn menu(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let (all, silent, waits) = counted(desk)?;
    let logins = desk.look(|office| Ok(office.logins().map_err(login_store)?.len()))?;
    let entry = |href: &str, key: &str, right: Markup| Row {
        href: format!("/admin/{href}"),
        title: desk.say(&format!("console.admin.{key}")),
        below: html! { (desk.say(&format!("console.admin.{key}.below"))) },
        right,
    };
    let many = |n: usize| html! { (n) };
    let worried = |n: usize| html! { @if n > 0 { (widgets::badge(Tone::Warning, &n.to_string())) } };
    let rows = [
        entry("devices", "devices", html! { (many(all)) " " (worried(silent + waits)) }),
        entry("devices/new", "enrol", html! {}),
        entry("staff", "staff", many(logins)),
        entry("policy", "policy", html! {}),
        entry("calendar", "calendar", html! {}),
        entry("waiting", "waiting", worried(waits)),
        entry("trail", "trail", html! {}),
        entry("backup", "backup", html! {}),
    ];
    Ok(desk.page(&Leaf {
        place: Place::Admin,
        title: desk.say("console.tab.admin"),
        back: None,
        content: widgets::rows(&rows, ""),
    }))
}

/// Reading logins has no other way to fail.
fn login_store(error: crate::store::StoreError) -> crate::money::refusal::MoneyError {
    error.into()
}

#[cfg(test)]
mod tests;
