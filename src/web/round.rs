//! A round: long rows, one tap an item, at the end the seal; a fault gets a photo and becomes a ticket.

use maud::html;
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Tone, Weight};

use crate::cli::fault::{Exit, Fault};
use crate::notebook::round::{self, Asked};
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::finish;
use crate::web::sheets::items;
use crate::web::sheets::read::{self, Sheet};
use crate::web::sheets::view;

/// Returns the round of a sheet.
pub(super) fn page(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let sheet = read::sheet(desk, id)?;
    if !sheet.is_open() {
        return Ok(Reply::go(&sheet.address()));
    }
    let answered = sheet.items.iter().filter(|item| item.is_answered()).count();
    let all = sheet.items.len();
    let next = round::next(&sheet.items, None);
    let content = html! {
        p #progress { strong { (answered) "/" (all) } " " progress max=(all) value=(answered) aria-label=(desk.say("web.round.progress")) {} }
        @if let Some(next) = next.filter(|_| answered > 0) {
            div.actions { a.way #go-on href={ "#item-" (next + 1) } { (desk.say("web.round.next")) } }
        }
        (items::list(desk, &sheet, "round"))
        @if sheet.may("seal") {
            section #finish {
                h2 { (desk.say("web.sheet.finish")) }
                (view::points(desk, &sheet, &sheet.points))
                (finish::after_round(desk, &sheet))
            }
        }
        div.actions { a.way #sheet href=(sheet.address()) { (desk.say("web.round.sheet")) } }
    };
    let title = format!("{} {}", desk.say("web.round.title"), sheet.said(desk, "site"));
    desk.page(&Leaf { place: Place::Sheets, title, back: Some(sheet.address()), content })
}

fn item<'s>(sheet: &'s Sheet, desk: &Desk<'_>) -> Result<(usize, &'s Asked), Fault> {
    let key = desk.visit.query.get("item").or_else(|| desk.visit.form.get("item")).unwrap_or_default();
    let found = sheet.items.iter().enumerate().find(|(_, item)| item.key == key);
    found.ok_or_else(|| Fault::new(Exit::Usage, "web.fault.no_page"))
}

/// Returns the page of a fault: its photo, a word, and the ticket.
pub(super) fn fault(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let sheet = read::sheet(desk, id)?;
    desk.page(&leaf(desk, &sheet)?)
}

fn leaf(desk: &Desk<'_>, sheet: &Sheet) -> Result<Leaf, Fault> {
    let (at, item) = item(sheet, desk)?;
    let note =
        item.answer.as_ref().and_then(|answer| answer.note.as_ref()).map_or("", |note| note.0.as_str());
    let seen: Vec<_> =
        sheet.pictures.iter().filter(|picture| picture.item.as_ref() == Some(&item.key)).cloned().collect();
    let content = html! {
        p.question { (at + 1) ". " (widgets::short(item.label())) " " (widgets::badge(Tone::Bad, &desk.say("web.round.fault"))) }
        (view::gallery(desk, &seen))
        (desk.form(&format!("{}/photos", sheet.address()), &html! {
            input type="hidden" name="item" value=(item.key);
            input type="hidden" name="kind" value="during";
            input type="hidden" name="back" value="fault";
            div data-sends { (widgets::camera("fault-photo", "photo", &desk.say("web.photo.take"), true)) }
            (widgets::button(Weight::Second, &desk.say("web.photo.add"), Some(("add", "photo"))))
        }))
        (desk.form(&format!("{}/fault", sheet.address()), &html! {
            input type="hidden" name="item" value=(item.key);
            label.field { span { (desk.say("web.round.note")) } textarea name="note" maxlength="500" rows="2" { (note) } }
            div.actions {
                (widgets::button(Weight::First, &desk.say("web.round.ticket"), Some(("do", "ticket"))))
                (widgets::button(Weight::Second, &desk.say("web.round.go_on"), Some(("do", "note"))))
            }
        }))
    };
    let back = Some(format!("{}/round#item-{}", sheet.address(), at + 1));
    Ok(Leaf { place: Place::Sheets, title: desk.say("web.round.fault"), back, content })
}

/// Notes what was said of a fault, makes the ticket where it is asked for, and goes on with the round.
pub(super) fn raise(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let sheet = read::sheet(desk, id)?;
    let (at, item) = item(&sheet, desk)?;
    let form = &desk.visit.form;
    let lang = desk.lang.of_labels();
    let done = desk.with(|store| {
        round::note(store, id, &item.key, form.get("note").unwrap_or_default(), desk.now())?;
        if form.get("do") == Some("ticket") {
            round::raise(store, id, &item.key, lang, desk.now())?;
        }
        Ok(())
    });
    if let Err(fault) = done {
        return desk.refused(&leaf(desk, &sheet)?, &fault);
    }
    let place = round::next(&sheet.items, Some(at))
        .map_or("#finish".to_owned(), |next| format!("#item-{}", next + 1));
    Ok(Reply::go(&format!("/sheets/{}/round{place}", part(id))))
}
