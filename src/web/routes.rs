//! Which page answers which address: one line each.

use pages::reply::Reply;
use pages::visit::Verb;

use crate::cli::fault::{Exit, Fault};
use crate::web::desk::Desk;
use crate::web::today;

/// Returns the answer to a visit that was let in.
pub(crate) fn answer(desk: &Desk<'_>) -> Reply {
    let (verb, parts) = desk.visit.route();
    let answered = match (verb, parts.as_slice()) {
        (Verb::Get, []) => today::page(desk),
        (Verb::Get, ["manifest.json"]) => Ok(today::manifest(desk)),
        _ => Err(Fault::new(Exit::Usage, "web.fault.no_page")),
    };
    answered.unwrap_or_else(|fault| desk.fault(&fault))
}
