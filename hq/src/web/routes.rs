//! Which page answers which address: one line each.

use pages::reply::Reply;
use pages::visit::Verb;

use crate::cli::answer::Fault;
use crate::web::desk::Desk;
use crate::web::{admin, today};

/// Returns the answer to the visit of somebody who is logged in.
pub(crate) fn answer(desk: &Desk<'_>) -> Reply {
    let (verb, parts) = desk.visit.route();
    let answered = match (verb, parts.as_slice()) {
        (Verb::Get, []) => today::page(desk),
        (verb, ["admin", rest @ ..]) => admin::answer(desk, verb, rest),
        _ => Err(Fault::usage("console.fault.no_page")),
    };
    answered.unwrap_or_else(|fault| desk.fault(&fault))
}
