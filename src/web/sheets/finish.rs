//! The end of a sheet: the result, the customer's signature or why there is none, the seal.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{Fields, Verb, part};
use pages::widgets::{self, Weight};
use records::kinds::sheet::{NoSign, SheetResult};

use crate::cli::fault::Fault;
use crate::notebook::attach::Given;
use crate::notebook::pair::Pair;
use crate::notebook::seal::{self, Seal, Signed};
use crate::notebook::set::{Set, set};
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::read::{self, ANY, Sheet};
use crate::web::sheets::view;

/// Characters of an instant up to its minute, `2026-11-22T10:30`.
const MINUTE: usize = 16;

/// Returns the last form of a sheet.
pub(super) fn page(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let sheet = read::sheet(desk, id)?;
    if !sheet.may("seal") {
        return Ok(Reply::go(&sheet.address()));
    }
    desk.page(&leaf(desk, &sheet)?)
}

fn leaf(desk: &Desk<'_>, sheet: &Sheet) -> Result<Leaf, Fault> {
    let content = html! {
        (view::points(desk, sheet, &sheet.points))
        (desk.form(&format!("{}/finish", sheet.address()), &html! {
            (outcome(desk, sheet, desk.visit.query.get("result").unwrap_or("done")))
            (signing(desk, sheet)?)
            (widgets::button(Weight::First, &desk.say("web.sheet.seal"), Some(("do", "seal"))))
        }))
    };
    Ok(Leaf {
        place: Place::Sheets,
        title: desk.say("web.sheet.finish"),
        back: Some(sheet.address()),
        content,
    })
}

/// Returns result and time of leaving, as they stand or as they most likely are.
fn outcome(desk: &Desk<'_>, sheet: &Sheet, likely: &str) -> Markup {
    let sent = &desk.visit.form;
    let stands = sheet.typed.get("result").map(String::as_str);
    let result = sent.get("result").or_else(|| desk.visit.query.get("result")).or(stands).unwrap_or(likely);
    let now = desk.now().wall.rfc3339(sheet.zone);
    let arrived = sheet.typed.get("arrived").map_or("", String::as_str);
    // A clock that was set back meanwhile does not let anybody leave before he came.
    let likely = arrived.max(&now);
    let left = sent.get("left").or_else(|| sheet.typed.get("left").map(String::as_str)).unwrap_or(likely);
    html! {
        fieldset.choices #result {
            legend { (desk.say("web.sheet.result")) }
            @for (word, zh, en) in SheetResult::CHOICES.options { (widgets::choice("result", word, desk.lang.label(zh, en), *word == result)) }
        }
        (widgets::input("left", &desk.say("web.sheet.left"), left.get(..MINUTE).unwrap_or(left), "datetime-local", None))
    }
}

fn signing(desk: &Desk<'_>, sheet: &Sheet) -> Result<Markup, Fault> {
    let signer = desk.with(|store| seal::signer(store, sheet.kind, &sheet.document))?;
    let sent = &desk.visit.form;
    let again = desk.visit.verb == Verb::Post;
    let (name, role) = if again {
        (
            sent.get("signer").unwrap_or_default().to_owned(),
            sent.get("signer_role").unwrap_or_default().to_owned(),
        )
    } else {
        signer.unwrap_or_default()
    };
    let rated = sent.get("rating").or_else(|| sheet.typed.get("customer_rating").map(String::as_str));
    Ok(html! {
        section #sign {
            h2 { (desk.say("web.sign.title")) }
            (widgets::signature("signature", "signature", &desk.say("web.sign.pad"), &desk.say("web.sign.clear"), &desk.say("web.sign.photo")))
            (widgets::input("signer", &desk.say("web.sign.name"), &name, "text", None))
            (widgets::input("signer_role", &desk.say("web.sign.role"), &role, "text", None))
            fieldset.choices.five {
                legend { (desk.say("web.sheet.rating")) }
                @for mark in ["5", "4", "3", "2", "1"] { (widgets::choice("rating", mark, mark, rated == Some(mark))) }
            }
            (unsigned(desk, sent.get("no_sign").unwrap_or_default()))
        }
    })
}

/// Returns the reasons for which nobody signs; the first choice is that somebody does.
fn unsigned(desk: &Desk<'_>, chosen: &str) -> Markup {
    html! {
        fieldset.choices #no-sign {
            legend { (desk.say("web.sign.not")) }
            (widgets::choice("no_sign", "", &desk.say("web.sign.signs"), chosen.is_empty()))
            @for (word, zh, en) in NoSign::CHOICES.options { (widgets::choice("no_sign", word, desk.lang.label(zh, en), *word == chosen)) }
        }
    }
}

/// Returns the short form at the end of a round: a site where nobody is there to sign is the usual one.
pub(in crate::web) fn after_round(desk: &Desk<'_>, sheet: &Sheet) -> Markup {
    desk.form(&format!("{}/finish", sheet.address()), &html! {
        (outcome(desk, sheet, "done"))
        (unsigned(desk, "unmanned_site"))
        (widgets::button(Weight::First, &desk.say("web.sheet.seal"), Some(("do", "seal"))))
        div.actions { a.way #sign-way href={ (sheet.address()) "/finish" } { (desk.say("web.sign.title")) } }
    })
}

/// Seals the sheet; what the form says is written first and stays where a point is still open.
pub(super) fn seal(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let sheet = read::sheet(desk, id)?;
    let given = |(sent, name): (&str, &str)| Some(Pair::new(name, form.get(sent)?));
    let mut pairs: Vec<Pair> =
        [("result", "result"), ("rating", "customer_rating")].into_iter().filter_map(given).collect();
    pairs.extend(form.get("left").map(|left| Pair::new("left", left_at(&sheet, left))));
    let request = Seal { record: id.to_owned(), signed: signed(desk, form), lang: desk.lang.of_labels() };
    let sealed = desk.with(|store| {
        let set_first = Set { record: id.to_owned(), wanted: ANY, pairs };
        set(store, &set_first, desk.now())?;
        seal::seal(store, &request, desk.now())
    });
    match sealed {
        Ok(_) => Ok(Reply::go(&format!("/sheets/{}?done=sealed", part(id)))),
        Err(fault) => {
            let sheet = read::sheet(desk, id)?;
            desk.refused(&leaf(desk, &sheet)?, &fault)
        }
    }
}

/// Returns the moment of leaving: a form knows minutes only, and whoever leaves in the minute he came leaves after it.
fn left_at<'t>(sheet: &'t Sheet, left: &'t str) -> &'t str {
    let arrived = sheet.typed.get("arrived").map_or("", String::as_str);
    if left.len() == MINUTE && arrived.get(..MINUTE) == Some(left) { arrived } else { left }
}

fn signed(desk: &Desk<'_>, form: &Fields) -> Signed {
    if let Some(reason) = form.get("no_sign") {
        return Signed::Not(reason.to_owned());
    }
    match desk.visit.uploads("signature").next() {
        Some(upload) => Signed::By {
            name: form.get("signer").unwrap_or_default().to_owned(),
            role: form.get("signer_role").map(str::to_owned),
            picture: Given::Bytes { name: upload.name.clone(), bytes: upload.bytes.clone() },
        },
        None => Signed::AsWritten,
    }
}
