//! The first page: what waits for whoever logged in.

use maud::html;
use pages::reply::Reply;
use pages::widgets;

use crate::cli::answer::Fault;
use crate::web::claims::waiting;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::{admin, jobs};

/// Returns the first page.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let mut rows = waiting::rows(desk)?;
    rows.extend(jobs::waiting(desk)?);
    rows.extend(admin::waiting(desk)?);
    Ok(desk.page(&Leaf {
        place: Place::Today,
        title: desk.say("console.tab.today"),
        back: None,
        content: html! { (widgets::rows(&rows, &desk.say("money.today.none"))) },
    }))
}
