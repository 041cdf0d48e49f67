//! The first page: what waits for whoever logged in.

use maud::html;
use pages::reply::Reply;
use pages::widgets;

use crate::cli::answer::Fault;
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the first page.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let waiting = desk.look(|office| Ok(office.claims(&[])?.len()))?;
    let facts = [(desk.say("console.tab.review"), html! { (waiting) })];
    Ok(desk.page(&Leaf {
        place: Place::Today,
        title: desk.say("console.tab.today"),
        back: None,
        content: widgets::facts(&facts),
    }))
}
