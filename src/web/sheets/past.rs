//! What was: who changed what; and taking back: a correcting sheet, a sheet that is thrown away.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Weight};

use crate::cli::fault::Fault;
use crate::cli::history::{cells, standing_name};
use crate::notebook::amend::{Amend, amend as correct};
use crate::notebook::find::Wanted;
use crate::notebook::history::{Change, Outcome, history as changes};
use crate::notebook::refusal::NotebookError;
use crate::notebook::state::Taken;
use crate::notebook::step::{Step, step};
use crate::store::Store;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::read::{self, ANY, Sheet};

/// Returns who changed what on a sheet.
pub(super) fn history(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let content = told(desk, id, ANY)?;
    let back = Some(format!("/sheets/{}", part(id)));
    desk.page(&Leaf { place: Place::Sheets, title: desk.say("web.history"), back, content })
}

/// Changes that are shown, the newest.
const CHANGES: usize = 200;

/// Returns the changes of a record, the newest first: what, from what to what, and below when and by whom.
///
/// # Errors
/// A [`Fault`] where there is no such record.
pub(in crate::web) fn told(desk: &Desk<'_>, id: &str, wanted: Wanted) -> Result<Markup, Fault> {
    let zone = desk.zone();
    let told = |store: &Store, change: &Change| {
        let [what, from, to] = cells(store, change, desk.lang, zone)?;
        let standing = match change.standing {
            Outcome::Current => String::new(),
            other => desk.say(&format!("text.history.{}", standing_name(other))),
        };
        let below = [desk.instant(change.at, zone), change.by.clone(), standing];
        let below = below.iter().filter(|said| !said.is_empty()).enumerate();
        Ok::<_, NotebookError>(html! {
            li {
                p { b { (widgets::short(&what)) } }
                p {
                    @if !from.is_empty() { del { (widgets::short(&from)) } " → " }
                    @if !to.is_empty() { ins { (widgets::short(&to)) } }
                }
                p.below { @for (at, said) in below { @if at > 0 { " · " } (widgets::short(said)) } }
            }
        })
    };
    let all: Vec<Markup> = desk.with(|store| {
        changes(store, id, wanted)?.iter().rev().take(CHANGES).map(|change| told(store, change)).collect()
    })?;
    Ok(html! {
        @if all.is_empty() { p.none { (desk.say("text.list.empty")) } }
        @else { ol.changes { @for change in &all { (change) } } }
    })
}

/// Asks why a sealed sheet is corrected.
pub(super) fn amend(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&asked(desk, id, "amend", Weight::First)?)
}

/// Makes the correcting sheet.
pub(super) fn amended(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let reason = desk.visit.form.get("reason").unwrap_or_default().to_owned();
    let request = Amend { record: id.to_owned(), reason, pairs: Vec::new() };
    match desk.with(|store| correct(store, &request, desk.now())) {
        Ok(created) => Ok(Reply::go(&format!("/sheets/{}?done=begun", created.id))),
        Err(fault) => desk.refused(&asked(desk, id, "amend", Weight::First)?, &fault),
    }
}

/// Asks whether a draft is to be thrown away.
pub(super) fn void(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&asked(desk, id, "void", Weight::Danger)?)
}

/// Throws a draft away; it stays readable.
pub(super) fn voided(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let reason = desk.visit.form.get("reason").unwrap_or_default();
    let taken = Taken { step: "void", reason, ..Taken::default() };
    let request = Step { record: id, wanted: ANY, taken, pairs: Vec::new(), entries: Vec::new() };
    match desk.with(|store| step(store, &request, desk.now())) {
        Ok(_) => Ok(Reply::go("/sheets?done=voided")),
        Err(fault) => desk.refused(&asked(desk, id, "void", Weight::Danger)?, &fault),
    }
}

/// Returns the page that asks for a reason before a step that is not taken back.
fn asked(desk: &Desk<'_>, id: &str, name: &str, weight: Weight) -> Result<Leaf, Fault> {
    let sheet: Sheet = read::sheet(desk, id)?;
    let typed = desk.visit.form.get("reason").unwrap_or_default();
    let form = html! {
        (widgets::input("reason", &desk.say("web.sheet.reason"), typed, "text", None))
        (widgets::button(weight, &desk.say(&format!("web.sheet.{name}.do")), Some(("do", name))))
    };
    let content = html! {
        p { (widgets::text(&sheet.number())) " · " (widgets::short(&sheet.shown.line.title)) }
        p { (desk.say(&format!("web.sheet.{name}.ask"))) }
        (desk.form(&format!("{}/{name}", sheet.address()), &form))
    };
    let title = desk.say(&format!("web.sheet.{name}"));
    Ok(Leaf { place: Place::Sheets, title, back: Some(sheet.address()), content })
}
