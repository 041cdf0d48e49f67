//! Which page answers which address: one line each.

use pages::reply::Reply;
use pages::visit::Verb;

use crate::cli::answer::Fault;
use crate::web::desk::Desk;
use crate::web::{admin, approve, audit, charts, claims, jobs, lists, pay, review, today};

/// Returns the answer to the visit of somebody who is logged in.
pub(crate) fn answer(desk: &Desk<'_>) -> Reply {
    let (verb, parts) = desk.visit.route();
    let answered = match (verb, parts.as_slice()) {
        (Verb::Get, []) => today::page(desk),
        (verb, ["admin", rest @ ..]) => admin::answer(desk, verb, rest),
        (verb, ["jobs", rest @ ..]) => jobs::answer(desk, verb, rest),
        (Verb::Get, ["charts"]) => charts::page(desk),
        (Verb::Get, ["lists"]) => lists::kinds(desk),
        (Verb::Get, ["lists", kind]) => lists::list(desk, kind),
        (Verb::Get, ["lists", kind, form]) => lists::file(desk, kind, form),
        (Verb::Get, ["records", id]) => lists::record(desk, id),
        (Verb::Get, ["search"]) => lists::search(desk),
        (Verb::Get, ["claims", rest @ ..]) => claims::answer(desk, rest),
        (verb, ["review", rest @ ..]) => review::answer(desk, verb, rest),
        (verb, ["audit", rest @ ..]) => audit::answer(desk, verb, rest),
        (verb, ["approve", rest @ ..]) => approve::answer(desk, verb, rest),
        (verb, ["pay", rest @ ..]) => pay::answer(desk, verb, rest),
        _ => Err(Fault::usage("console.fault.no_page")),
    };
    answered.unwrap_or_else(|fault| desk.fault(&fault))
}
