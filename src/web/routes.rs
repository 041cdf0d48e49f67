//! Which page answers which address: one line each.

use pages::reply::Reply;
use pages::visit::Verb;

use crate::cli::fault::{Exit, Fault};
use crate::web::desk::Desk;
use crate::web::{files, jobs, search, sheets, today, vouchers};

/// Returns the answer to a visit that was let in.
pub(crate) fn answer(desk: &Desk<'_>) -> Reply {
    let (verb, parts) = desk.visit.route();
    let answered = match (verb, parts.as_slice()) {
        (Verb::Get, []) => today::page(desk),
        (Verb::Get, ["manifest.json"]) => Ok(today::manifest(desk)),
        (Verb::Get, ["files", hash]) => files::show(desk, hash),
        (Verb::Get, ["papers", record]) => files::papers(desk, record),

        (verb, ["sheets", rest @ ..]) => sheets::answer(desk, verb, rest),
        (verb, ["jobs", rest @ ..]) => jobs::answer(desk, verb, rest),
        (Verb::Get, ["search"]) => search::page(desk),
        (Verb::Get, ["records", id]) => search::record(desk, id),

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
