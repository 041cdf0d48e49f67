//! One receipt: what to look at, its picture, its fields to put right, its work, and how it is thrown away.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Tone, Weight};
use records::id::DocId;
use records::kinds::voucher::VOUCHER;
use records::kinds::voucher_machine;
use records::problems::Problem;
use records::time::Zone;

use crate::cli::fault::Fault;
use crate::notebook::add::{Add, add as add_entry};
use crate::notebook::claim;
use crate::notebook::outlook::{Outlook, outlook};
use crate::notebook::pair::Pair;
use crate::notebook::remove::{Remove, remove as remove_entry};
use crate::notebook::set::{Set, set as set_fields};
use crate::notebook::show::{Shown, show};
use crate::notebook::state::Taken;
use crate::notebook::step::{Step, step};
use crate::notebook::voucher;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::files::given;
use crate::web::shown;
use crate::web::vouchers::{VOUCHERS, capture};

/// The fields that the first form holds; the rest stands behind "more".
const FIRST: [&str; 3] = ["amount", "date", "category"];
const MORE: [&str; 12] = [
    "kind",
    "seller",
    "place",
    "note",
    "nights",
    "rate",
    "period_from",
    "period_to",
    "inv_code",
    "inv_no",
    "buyer_name",
    "paper",
];

struct Seen {
    shown: Shown,
    notices: Vec<Problem>,
    missing: Vec<Problem>,
    outlook: Option<Outlook>,
    placed: Option<(DocId, u32)>,
    zone: Zone,
    /// The category that was chosen last.
    last: Option<String>,
    /// Whether it may still be changed and thrown away.
    open: bool,
}

/// Returns the page of one receipt.
pub(crate) fn one(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&leaf(desk, id)?)
}

/// Changes fields.
pub(crate) fn set(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let pairs =
        desk.visit.form.under("set.").into_iter().map(|(name, value)| Pair::new(name, value)).collect();
    let request = Set { record: id.to_owned(), wanted: VOUCHERS, pairs };
    let set = desk.with(|store| {
        let set = set_fields(store, &request, desk.now())?;
        capture::remember(store, desk.visit.form.get("set.category"));
        Ok(set)
    });
    done(desk, id, "saved", set)
}

/// Adds a photo or a sheet.
pub(crate) fn add(desk: &Desk<'_>, id: &str, list: &str) -> Result<Reply, Fault> {
    let photos = given(desk, "photo").into_iter().map(|photo| (Vec::new(), vec![("file".to_owned(), photo)]));
    let sheets = desk.visit.form.all("sheet").map(|sheet| (vec![format!("sheet={sheet}")], Vec::new()));
    let added = photos.chain(sheets).try_for_each(|(words, files)| {
        let request = Add { record: id.to_owned(), wanted: VOUCHERS, list: list.to_owned(), words, files };
        desk.with(|store| add_entry(store, &request, desk.now())).map(drop)
    });
    done(desk, id, "saved", added)
}

/// Takes a sheet off.
pub(crate) fn remove(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let words = desk.visit.form.all("sheet").map(|sheet| format!("sheet={sheet}")).collect();
    let request = Remove { record: id.to_owned(), wanted: VOUCHERS, list: "sheet".to_owned(), words };
    done(desk, id, "saved", desk.with(|store| remove_entry(store, &request, desk.now())))
}

/// Throws it away.
pub(crate) fn discard(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let taken = Taken { step: "discard", ..Taken::default() };
    let request = Step { record: id, wanted: VOUCHERS, taken, pairs: Vec::new(), entries: Vec::new() };
    match desk.with(|store| step(store, &request, desk.now())) {
        Ok(_) => Ok(Reply::go("/vouchers?done=voucher_discarded")),
        Err(fault) => desk.refused(&leaf(desk, id)?, &fault),
    }
}

fn done<T>(desk: &Desk<'_>, id: &str, key: &str, outcome: Result<T, Fault>) -> Result<Reply, Fault> {
    match outcome {
        Ok(_) => Ok(Reply::go(&format!("/vouchers/{}?done={key}", pages::visit::part(id)))),
        Err(fault) => desk.refused(&leaf(desk, id)?, &fault),
    }
}

fn leaf(desk: &Desk<'_>, id: &str) -> Result<Leaf, Fault> {
    let seen = desk.with(|store| {
        let shown = show(store, id, VOUCHERS, desk.lang.of_labels())?;
        let doc = shown.line.id;
        let state = shown.line.state.map(|state| state.name);
        let captured = voucher_machine::VOUCHER.states.get(usize::from(voucher_machine::CAPTURED));
        let open = state.is_some() && state == captured.map(|state| state.name);
        Ok(Seen {
            notices: voucher::notices(store, doc, desk.now())?,
            missing: voucher::missing(store, doc)?,
            outlook: outlook(store, &desk.held.remembered.papers(store)?, doc, desk.now())?,
            placed: claim::places(&claim::mine(store)?).get(&doc).copied(),
            zone: store.zone(),
            last: capture::last(store)?,
            open,
            shown,
        })
    })?;
    Ok(Leaf {
        place: Place::Money,
        title: desk.tell("web.voucher.one", &[("code", &seen.shown.line.id.code())]),
        back: Some("/vouchers".to_owned()),
        content: content(desk, &seen),
    })
}

fn content(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let line = &seen.shown.line;
    let id = line.id.to_string();
    let state = line.state.map_or("", |state| desk.lang.label(state.zh, state.en));
    let findings: Vec<Problem> =
        seen.missing.iter().chain(&seen.notices).fold(Vec::new(), |mut all, problem| {
            if !all.contains(problem) {
                all.push(problem.clone());
            }
            all
        });
    html! {
        @if seen.open { (rest(desk, seen, &id)) }
        p.big { (line.amount.map_or_else(|| "?".to_owned(), |fen| records::money::Fen(fen).to_string())) " " (widgets::badge(Tone::Plain, state)) }
        @if let Some(outlook) = &seen.outlook { (outlook_of(desk, outlook)) }
        (shown::problems(desk, &findings, |problem| mend(desk, seen, problem)))
        @if let Some((claim, n)) = seen.placed {
            p { a href={ "/claims/" (claim) } { (desk.tell("web.voucher.placed", &[("n", &n.to_string()), ("code", &claim.code())])) } }
        }
        (shown::gallery(desk, &shown::pictures(desk, &seen.shown, seen.zone)))
        @if seen.open { (forms(desk, seen, &id)) } @else {
            (widgets::facts(&shown::facts(desk, &seen.shown, seen.zone)))
        }
        (shown::lists(desk, &seen.shown, seen.zone, &[]))
        div.actions {
            a.way.first #voucher-next href="/vouchers/new" { (desk.say("web.voucher.next")) }
            a.way href={ "/history/" (id) } { (desk.say("web.history")) }
        }
    }
}

/// Returns what a photo alone does not say yet: the amount, then the category, which sends.
fn rest(desk: &Desk<'_>, seen: &Seen, id: &str) -> Markup {
    let lacks = |name: &str| seen.missing.iter().any(|problem| problem.field == name);
    html! {
        @if lacks("amount") || lacks("category") {
            (desk.form(&format!("/vouchers/{id}/set"), &html! {
                // Enter in the amount must not choose a category.
                button type="submit" disabled hidden {}
                (capture::amount(desk, "set.amount", &shown::typed(&seen.shown, "amount", seen.zone)))
                (capture::choices(desk, "set.category", seen.last.as_deref()))
            }))
        }
    }
}

/// Returns how long it may wait, and what the month's ceiling leaves.
fn outlook_of(desk: &Desk<'_>, outlook: &Outlook) -> Markup {
    let last = outlook.last_day.to_string();
    let batch = outlook.last_with.map(|cycle| cycle.to_string()).unwrap_or_default();
    let facts = [("day", last.as_str()), ("n", &outlook.days_left.to_string()), ("batch", &batch)]
        .map(|(n, v)| (n, v.to_owned()));
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (tone, key) = match outlook.days_left {
        ..0 => (Tone::Bad, "web.voucher.expired"),
        0..=7 => (Tone::Warning, "web.voucher.expiring"),
        _ => (Tone::Good, "web.voucher.in_time"),
    };
    html! {
        (widgets::told(tone, &desk.tell(key, &facts)))
        @if let Some(cap) = outlook.cap {
            @let facts = [("room", cap.room.to_string()), ("cap", cap.cap.to_string()), ("own", cap.own.to_string())];
            @let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
            @if cap.own.0 > 0 { (widgets::told(Tone::Warning, &desk.tell("web.voucher.over_cap", &facts))) }
            @else { p.hint { (desk.tell("web.voucher.cap", &facts)) } }
        }
    }
}

/// Returns where a finding is put right: the field on this page, or the other receipt.
fn mend(desk: &Desk<'_>, seen: &Seen, problem: &Problem) -> Option<(String, String)> {
    let named = problem.facts.iter().find(|(name, _)| matches!(*name, "code" | "other"));
    if let Some((_, code)) = named.filter(|(_, code)| *code != seen.shown.line.id.code()) {
        return Some((
            format!("/vouchers/{}", pages::visit::part(code)),
            desk.tell("web.voucher.other", &[("code", code)]),
        ));
    }
    let here = seen.open && (FIRST.contains(&problem.field) || MORE.contains(&problem.field));
    here.then(|| (format!("#set-{}", problem.field), desk.say("web.mend")))
}

fn forms(desk: &Desk<'_>, seen: &Seen, id: &str) -> Markup {
    let q = desk.say("web.voucher.discard_sure");
    let fields = |names: &[&str]| html! { @for name in names { (field(desk, seen, name)) } };
    html! {
        (desk.form(&format!("/vouchers/{id}/set"), &html! {
            (fields(&FIRST))
            details { summary { (desk.say("web.voucher.more")) } (fields(&MORE)) }
            button.first #voucher-save type="submit" { (desk.say("web.save")) }
        }))
        details {
            summary { (desk.say("web.voucher.attach")) }
            (desk.form(&format!("/vouchers/{id}/photo"), &html! {
                label.field.camera { span { (desk.say("web.voucher.photo")) }
                    input type="file" name="photo" accept="image/*,application/pdf" capture="environment" data-preview="preview";
                }
                div #preview .pictures {}
                (widgets::button(Weight::Second, &desk.say("web.voucher.photo_add"), None))
            }))
            (desk.form(&format!("/vouchers/{id}/sheet"), &html! {
                (widgets::input("sheet", &desk.say("web.voucher.sheet_no"), "", "text", None))
                (widgets::button(Weight::Second, &desk.say("web.voucher.sheet_add"), None))
            }))
        }
        (desk.form(&format!("/vouchers/{id}/discard"), &html! {
            button.danger #voucher-discard type="submit" data-confirm=(q) { (desk.say("web.voucher.discard")) }
        }))
    }
}

fn field(desk: &Desk<'_>, seen: &Seen, name: &str) -> Markup {
    let found = VOUCHER.field(name).and_then(|(group, at)| group.fields.get(at));
    let value = shown::typed(&seen.shown, name, seen.zone);
    html! { @if let Some(field) = found { div id={ "set-" (name) } { (widgets::field(field, &value, desk.lang.of_labels())) } } }
}
