//! Which page answers which address: one line each.

use pages::reply::Reply;
use pages::visit::Verb;

use crate::cli::fault::{Exit, Fault};
use crate::web::desk::Desk;
use crate::web::{
    batches, claims, conflicts, files, jobs, money, more, review, search, sheets, sync, today, trips,
    vouchers,
};

/// Returns the answer to a visit that was let in.
pub(crate) fn answer(desk: &Desk<'_>) -> Reply {
    let (verb, parts) = desk.visit.route();
    let answered = match (verb, parts.as_slice()) {
        (Verb::Get, []) => today::page(desk),
        (Verb::Get, ["manifest.json"]) => Ok(today::manifest(desk)),
        (Verb::Get, ["files", hash]) => files::show(desk, hash),
        (Verb::Get, ["kept", name, at]) => files::kept(desk, name, at),
        (Verb::Get, ["papers", record]) => files::papers(desk, record),

        (verb, ["sheets", rest @ ..]) => sheets::answer(desk, verb, rest),
        (verb, ["jobs", rest @ ..]) => jobs::answer(desk, verb, rest),
        (Verb::Get, ["search"]) => search::page(desk),
        (Verb::Get, ["records", id]) => search::record(desk, id),
        (Verb::Get, ["money"]) => money::page(desk),
        (Verb::Get, ["claims"]) => claims::page(desk),
        (Verb::Post, ["claims", half, "draft"]) => claims::draft(desk, half),
        (Verb::Get, ["claims", id]) => claims::one(desk, id),
        (Verb::Post, ["claims", id, "submit"]) => claims::submit(desk, id),
        (Verb::Post, ["claims", id, "lines", line, "set"]) => claims::set(desk, id, Some(line)),
        (Verb::Post, ["claims", id, "lines", line, "remove"]) => claims::remove(desk, id, line),
        (Verb::Post, ["claims", id, step @ ("withdraw" | "void" | "answer")]) => claims::step(desk, id, step),
        (Verb::Get, ["cases", id]) => claims::case(desk, id),
        (Verb::Post, ["cases", id, "appeal"]) => claims::appeal(desk, id),
        (Verb::Get, ["trips", half]) => trips::page(desk, half),
        (Verb::Post, ["trips", half, "set"]) => trips::set(desk, half),
        (Verb::Post, ["trips", half, step @ ("submit" | "withdraw")]) => trips::step(desk, half, step),

        (Verb::Get, ["review"]) => review::page(desk),
        (Verb::Post, ["review", "clean"]) => review::clean(desk),
        (Verb::Get, ["review", id]) => review::one(desk, id),
        (
            Verb::Post,
            ["review", id, step @ ("approve" | "cut" | "uncut" | "return" | "reopen" | "alarm" | "paper")],
        ) => review::decide(desk, id, step),
        (Verb::Get, ["batches"]) => batches::page(desk),
        (Verb::Post, ["batches"]) => batches::open(desk),
        (Verb::Get, ["batches", id]) => batches::one(desk, id),
        (Verb::Get, ["batches", id, "lists.xlsx"]) => batches::workbook(desk, id),
        (
            Verb::Post,
            ["batches", id, step @ ("fill" | "remove" | "explain" | "seal" | "unseal" | "dispatch")],
        ) => batches::step(desk, id, step),

        (Verb::Get, ["more"]) => more::page(desk),
        (Verb::Get, ["policy"]) => more::policy(desk),
        (Verb::Get, ["history", id]) => more::history(desk, id),
        (Verb::Get, ["conflicts"]) => conflicts::page(desk),
        (Verb::Post, ["conflicts", id]) => conflicts::settle(desk, id),
        (Verb::Get, ["quarantine"]) => conflicts::refused(desk),
        (Verb::Post, ["quarantine", op]) => conflicts::resubmit(desk, op),
        (Verb::Get, ["sync"]) => sync::page(desk),
        (Verb::Get, ["sync", "state"]) => sync::state(desk),
        (Verb::Post, ["sync"]) => sync::now(desk),
        (Verb::Post, ["sync", "bundle"]) => sync::write(desk),
        (Verb::Post, ["sync", "read"]) => sync::read(desk),
        (Verb::Post, ["sync", "backup"]) => sync::back_up(desk),

        (Verb::Get, ["vouchers"]) => vouchers::page(desk),
        (Verb::Get, ["vouchers", "new"]) => vouchers::capture(desk),
        (Verb::Post, ["vouchers"]) => vouchers::create(desk),
        (Verb::Get, ["vouchers", id]) => vouchers::one(desk, id),
        (Verb::Post, ["vouchers", id, "set"]) => vouchers::set(desk, id),
        (Verb::Post, ["vouchers", id, list @ ("photo" | "sheet")]) => vouchers::add(desk, id, list),
        (Verb::Post, ["vouchers", id, "unlink"]) => vouchers::remove(desk, id),
        (Verb::Post, ["vouchers", id, "discard"]) => vouchers::discard(desk, id),

        _ => Err(Fault::new(Exit::Usage, "web.fault.no_page")),
    };
    answered.unwrap_or_else(|fault| desk.fault(&fault))
}
