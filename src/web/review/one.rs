//! One claim or trip summary as a reviewer opens it: lines and pictures side by side, then the decision.

use std::collections::BTreeMap;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Tone};
use records::both;
use records::claim::view::Line;
use records::id::DocId;
use records::kinds::number;
use records::kinds::voucher::Category;
use records::time::Zone;
use records::value::Target;

use crate::cli::fault::Fault;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::view::{View, view};
use crate::notebook::review::waiting::Waiting;
use crate::notebook::show::{Shown, show};
use crate::store::Store;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::review::reasons;
use crate::web::shown::{self, Picture};

/// Returns where a record that waits is opened, for whom the reviewer acts with it.
pub(super) fn address(waiting: &Waiting) -> String {
    let principal = waiting.principal.map(|id| format!("?for={id}")).unwrap_or_default();
    format!("/review/{}{principal}", waiting.id)
}

/// Returns the page.
pub(crate) fn one(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&leaf(desk, id)?)
}

/// What is opened.
enum Opened {
    Claim(Box<View>, BTreeMap<DocId, Vec<Picture>>),
    Trip(Box<Shown>),
}

pub(super) fn leaf(desk: &Desk<'_>, id: &str) -> Result<Leaf, Fault> {
    let fields = if desk.visit.form.0.is_empty() { &desk.visit.query } else { &desk.visit.form };
    let principal = fields.get("for").map(ToOwned::to_owned);
    let (opened, zone) = desk.with(|store| {
        let (document, kind) = find::document(store, id, Wanted::Any)?;
        let opened = if kind.number == number::TRIP {
            let of = Wanted::Kind(number::TRIP);
            Opened::Trip(Box::new(show(store, &document.id.to_string(), of, desk.lang.of_labels())?))
        } else {
            let view = view(store, id, principal.as_deref(), desk.now())?;
            let pictures = pictures(store, desk, &view)?;
            Opened::Claim(Box::new(view), pictures)
        };
        Ok::<_, NotebookError>((opened, store.zone()))
    })?;
    let (title, content) = match &opened {
        Opened::Claim(view, pictures) => claim(desk, view, pictures, principal.as_deref()),
        Opened::Trip(shown) => trip(desk, shown, zone, principal.as_deref()),
    };
    Ok(Leaf { place: Place::Review, title, back: Some("/review".to_owned()), content })
}

fn pictures(
    store: &Store,
    desk: &Desk<'_>,
    view: &View,
) -> Result<BTreeMap<DocId, Vec<Picture>>, NotebookError> {
    let mut found = BTreeMap::new();
    let tickets = view.claim.lines.iter().flat_map(|line| &line.vouchers);
    for id in tickets.filter_map(|ticket| ticket.voucher) {
        if store.entry(id)?.is_some_and(|entry| entry.whole) {
            let shown = show(store, &id.to_string(), Wanted::Kind(number::VOUCHER), desk.lang.of_labels())?;
            found.insert(id, shown::pictures(desk, &shown, store.zone()));
        }
    }
    Ok(found)
}

fn claim(
    desk: &Desk<'_>,
    view: &View,
    pictures: &BTreeMap<DocId, Vec<Picture>>,
    principal: Option<&str>,
) -> (String, Markup) {
    let claim = &view.claim;
    let staff = view.names.get(&claim.staff).cloned().unwrap_or_default();
    let named = claim.no.clone().unwrap_or_else(|| claim.id.code());
    let facts = [
        (desk.say("column.review.staff"), widgets::text(&staff)),
        (desk.say("column.claimed"), html! { strong { (view.settled.claimed) } }),
        (desk.say("column.payable"), html! { (view.settled.payable) }),
        (desk.say("column.self_paid"), html! { (view.settled.self_paid) }),
    ];
    let content = html! {
        (widgets::facts(&facts))
        (shown::problems(desk, &view.findings, |_| None))
        @for anomaly in &view.anomalies {
            (widgets::told(Tone::Bad, &format!("{} {}", anomaly.rule, both::said(&anomaly.evidence, desk.lang.of_labels()))))
        }
        @if let Some(point) = &view.hindrance {
            (widgets::told(Tone::Warning, &format!("{} {}", point.rule, point.text(desk.lang.of_labels()))))
        } @else { (approve(desk, view, principal)) }
        @for line in &claim.lines { (pair(desk, view, line, pictures, principal)) }
        @if view.hindrance.is_none() { (others(desk, view, principal)) }
    };
    (format!("{named} {staff}"), content)
}

/// A delegate's decision names his principal.
fn acting(principal: Option<&str>) -> Markup {
    html! { @if let Some(who) = principal { input type="hidden" name="for" value=(who); } }
}

fn approve(desk: &Desk<'_>, view: &View, principal: Option<&str>) -> Markup {
    desk.form(&format!("/review/{}/approve", view.claim.id), &html! {
        (acting(principal))
        label.field { span { (desk.say("web.review.count")) }
            input #review-vouchers .big type="text" name="vouchers" inputmode="numeric" pattern="[0-9]{1,4}" required[view.level.approve == "sup_approve"] autocomplete="off";
        }
        @for anomaly in &view.anomalies {
            label.choice { input type="checkbox" name="ack" value=(anomaly.rule); span { (desk.tell("web.review.ack", &[("rule", &anomaly.rule)])) " " (widgets::short(&both::said(&anomaly.evidence, desk.lang.of_labels()))) } }
        }
        button.first #review-approve data-step="review-approve" type="submit" {
            (desk.say(if view.cuts.is_empty() { "web.review.approve" } else { "web.review.approve_cut" }))
        }
    })
}

/// A line beside its pictures.
fn pair(
    desk: &Desk<'_>,
    view: &View,
    line: &Line,
    pictures: &BTreeMap<DocId, Vec<Picture>>,
    principal: Option<&str>,
) -> Markup {
    let category = line.category.and_then(|category| Category::CHOICES.option(category.0));
    let category = category.map_or("?", |(_, zh, en)| desk.lang.label(zh, en));
    let cut = view.cuts.iter().find(|(n, _)| *n == line.n).map(|(_, to)| *to);
    html! {
        section.two.pair id={ "line-" (line.n) } {
            div {
                h2 { (line.n) " · " (category) " · " (line.date.map(|day| day.to_string()).unwrap_or_default()) " · " (line.claimed)
                    @if let Some(to) = cut { " → " (widgets::badge(Tone::Bad, &to.to_string())) } }
                p { (widgets::text(&line.from_to)) " " (widgets::text(&line.detail)) " " (widgets::text(&line.note)) }
                @if !line.no_sheet_reason.is_empty() { p.hint { (desk.say("web.review.no_sheet")) " " (widgets::text(&line.no_sheet_reason)) } }
                @for sheet in &line.sheets { (sheet_of(view, sheet)) }
                @if view.hindrance.is_none() { (cut_form(desk, view, line, cut.is_some(), principal)) }
            }
            div {
                @for ticket in &line.vouchers {
                    p { strong { (ticket.amount) } " " (ticket.date.map(|day| day.to_string()).unwrap_or_default())
                        @if let Some(id) = ticket.voucher { " " a href={ "/vouchers/" (id) } { (id.code()) } } }
                    @let found = ticket.voucher.and_then(|id| pictures.get(&id));
                    @match found {
                        Some(found) if !found.is_empty() => { (large(desk, found, line.n)) }
                        _ => { p.none { (desk.say("web.review.no_picture")) } }
                    }
                }
            }
        }
    }
}

fn sheet_of(view: &View, sheet: &Target) -> Markup {
    html! {
        @match sheet {
            Target::Doc(id) => { a.way href={ "/sheets/" (id) } { (widgets::short(view.names.get(id).map_or("", String::as_str))) } }
            Target::Text(text) => { (widgets::short(text)) }
        }
    }
}

fn large(desk: &Desk<'_>, pictures: &[Picture], n: u32) -> Markup {
    html! {
        @for picture in pictures {
            a.picture href={ "/files/" (picture.file) } {
                @if picture.shows { img src={ "/files/" (picture.file) } alt=(desk.tell("web.review.picture", &[("n", &n.to_string())])) loading="lazy"; }
                @else { (desk.tell("web.review.picture", &[("n", &n.to_string())])) }
            }
        }
    }
}

fn cut_form(desk: &Desk<'_>, view: &View, line: &Line, is_cut: bool, principal: Option<&str>) -> Markup {
    let id = view.claim.id;
    let hidden = html! { (acting(principal)) input type="hidden" name="line" value=(line.n); };
    html! {
        details {
            summary { (desk.say("web.review.cut")) }
            (desk.form(&format!("/review/{id}/cut"), &html! {
                (hidden)
                label.field { span { (desk.say("web.review.cut_to")) } input type="text" name="to" inputmode="decimal" required autocomplete="off"; }
                (reasons(desk, &format!("cut-reason-{}", line.n)))
                button type="submit" id={ "cut-" (line.n) } { (desk.say("web.review.cut")) }
            }))
            @if is_cut {
                (desk.form(&format!("/review/{id}/uncut"), &html! { (hidden) button type="submit" { (desk.say("web.review.uncut")) } }))
            }
        }
    }
}

/// Sending back, the alarm, the paper in one's hand.
fn others(desk: &Desk<'_>, view: &View, principal: Option<&str>) -> Markup {
    let id = view.claim.id;
    html! {
        details {
            summary #review-return-open { (desk.say("web.review.return")) }
            (desk.form(&format!("/review/{id}/return"), &html! {
                (acting(principal))
                fieldset.choices { legend { (desk.say("web.review.lines_meant")) }
                    @for line in &view.claim.lines {
                        label.choice { input type="checkbox" name="line" value=(line.n); span { (line.n) " · " (line.claimed) } }
                    }
                }
                (reasons(desk, "return-reason"))
                (widgets::input("note", &desk.say("web.review.note"), "", "text", None))
                button.danger #review-return data-step="review-return" type="submit" { (desk.say("web.review.return")) }
            }))
        }
        details {
            summary { (desk.say("web.review.more")) }
            (desk.form(&format!("/review/{id}/paper"), &html! { button type="submit" { (desk.say("web.review.paper_here")) } }))
            (desk.form(&format!("/review/{id}/alarm"), &html! {
                label.field { span { (desk.say("web.review.alarm_why")) } input type="text" name="note" required maxlength="500" autocomplete="off"; }
                button.danger type="submit" data-confirm=(desk.say("web.review.alarm_sure")) { (desk.say("web.review.alarm")) }
            }))
        }
    }
}

fn trip(desk: &Desk<'_>, shown: &Shown, zone: Zone, principal: Option<&str>) -> (String, Markup) {
    let id = shown.line.id;
    let waits = shown.line.state.is_some_and(|state| state.name == "submitted");
    let content = html! {
        (widgets::facts(&shown::facts(desk, shown, zone)))
        @if waits {
            (desk.form(&format!("/review/{id}/approve"), &html! {
                (acting(principal))
                button.first #review-approve data-step="review-approve" type="submit" { (desk.say("web.review.approve")) }
            }))
        }
        (shown::lists(desk, shown, zone, &["approval"]))
        @if waits {
            details {
                summary { (desk.say("web.review.return")) }
                (desk.form(&format!("/review/{id}/return"), &html! {
                    (acting(principal))
                    label.field { span { (desk.say("column.reason")) } input type="text" name="reason" required maxlength="500" autocomplete="off"; }
                    button.danger #review-return type="submit" { (desk.say("web.review.return")) }
                }))
            }
        }
        (shown::decisions(desk, shown, zone))
    };
    (desk.tell("web.trip.one", &[("half", &shown.line.title)]), content)
}
