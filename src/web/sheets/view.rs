//! The page of one sheet: what it says, what is open, and every way to go on with it.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Tone, Weight};
use records::kinds::inspection::INSPECTION;
use records::kinds::sheet::{Order, PhotoKind, SheetResult};
use records::problems::Problem;
use records::schema::Typed;
use records::value::{Target, Value};

use crate::cli::fault::Fault;
use crate::notebook::report;
use crate::notebook::round::Asked;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::read::{self, Picture, Sheet};
use crate::web::sheets::{badges, form, items, lists};

/// Returns the page of a sheet.
pub(super) fn page(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let sheet = read::sheet(desk, id)?;
    desk.page(&leaf(desk, &sheet, desk.visit.query.get("open"))?)
}

/// Returns the page before its shell; `open` is the part that is not folded.
pub(super) fn leaf(desk: &Desk<'_>, sheet: &Sheet, open: Option<&str>) -> Result<Leaf, Fault> {
    let content = html! {
        (about(desk, sheet))
        @if sheet.is_open() { (draft(desk, sheet, open)?) } @else { (closed(desk, sheet)?) }
        (lists::all(desk, sheet, open)?)
        (ways(desk, sheet))
    };
    let kind = desk.lang.label(sheet.kind.zh, sheet.kind.en);
    let title = format!("{kind} {}", sheet.number());
    Ok(Leaf { place: Place::Sheets, title, back: Some("/sheets".to_owned()), content })
}

fn about(desk: &Desk<'_>, sheet: &Sheet) -> Markup {
    let line = &sheet.shown.line;
    let fact = |name: &str| {
        let said = sheet.said(desk, name);
        let field = sheet.kind.field(name).and_then(|(group, at)| group.fields.get(at));
        let label = field.map_or("", |field| desk.lang.label(field.zh, field.en)).to_owned();
        (!said.is_empty()).then(|| (label, html! { (widgets::short(&said)) }))
    };
    let mut facts: Vec<(String, Markup)> = vec![(desk.say("web.list.state"), badges(desk, line))];
    facts.extend(job(sheet).map(|(href, name)| {
        (desk.say("web.sheet.job"), html! { a href=(href) { (widgets::short(&name)) } })
    }));
    facts.extend(["customer", "site"].into_iter().filter_map(fact));
    if !sheet.machines.is_empty() {
        facts.push((desk.say("web.new.machine"), widgets::short(&sheet.machines)));
    }
    facts.extend(["product", "problem"].into_iter().filter_map(fact));
    if !sheet.instructions.is_empty() {
        facts.push((desk.say("web.sheet.instructions"), widgets::text(&sheet.instructions)));
    }
    facts.push((
        desk.say("web.sheet.made"),
        html! { (widgets::short(&sheet.shown.author)) " · " (desk.instant(line.created, sheet.zone)) },
    ));
    if line.files.all > 0 {
        let files = desk.tell(
            "text.show.files",
            &[("at_hq", &line.files.at_hq.to_string()), ("all", &line.files.all.to_string())],
        );
        facts.push((desk.say("text.status.files"), html! { (files) }));
    }
    html! {
        (widgets::facts(&facts))
        @if line.conflicts > 0 {
            p.told.bad { a href="/conflicts" { (desk.tell("web.conflicts", &[("n", &line.conflicts.to_string())])) } }
        }
    }
}

/// The job that the sheet answers: its page and its name.
fn job(sheet: &Sheet) -> Option<(String, String)> {
    let (_, row) = sheet.shown.registers.iter().find(|(group, _)| group.number == Order::GROUP.number)?;
    match row.values.first()?.as_ref()? {
        Value::Ref(Target::Doc(id)) => {
            let name = sheet.shown.names.get(id).cloned().unwrap_or_else(|| id.code());
            Some((format!("/jobs/{id}"), name))
        }
        _ => None,
    }
}

fn draft(desk: &Desk<'_>, sheet: &Sheet, open: Option<&str>) -> Result<Markup, Fault> {
    let answered = sheet.items.iter().filter(|item| item.is_answered()).count();
    let round = sheet.kind.number == INSPECTION.number;
    Ok(html! {
        (finish(desk, sheet))
        @if !sheet.items.is_empty() {
            section #items {
                h2 { (desk.say("web.sheet.items")) " " (answered) "/" (sheet.items.len()) }
                @if round { div.actions { a.way.first #round href={ (sheet.address()) "/round" } { (desk.say("web.round.title")) } } }
                @else { (items::list(desk, sheet, "sheet")) }
            }
        }
        (photos(desk, sheet))
        section {
            h2 { (desk.say("web.sheet.fields")) }
            (form::topics(desk, sheet, open))
        }
    })
}

/// The result is the first of three taps to the seal; what stands in the way is listed.
fn finish(desk: &Desk<'_>, sheet: &Sheet) -> Markup {
    html! {
        @if sheet.may("seal") {
            section #finish {
                h2 { (desk.say("web.sheet.finish")) }
                div.actions {
                    @for (word, zh, en) in SheetResult::CHOICES.options {
                        a.way.first[*word == "done"] id={ "finish-" (word) } href={ (sheet.address()) "/finish?result=" (word) } { (desk.lang.label(zh, en)) }
                    }
                }
                (points(desk, sheet, &sheet.points))
            }
        }
    }
}

/// What the form that finishes a sheet asks by itself.
const ASKED_AT_THE_END: [&str; 2] = ["left", "result"];

/// Returns the open points in red, each with the way to its field; what the last form asks anyway is left out.
pub(in crate::web) fn points(desk: &Desk<'_>, sheet: &Sheet, points: &[Problem]) -> Markup {
    let open: Vec<&Problem> = points
        .iter()
        .filter(|point| !(ASKED_AT_THE_END.contains(&point.field) || matches!(point.rule, "S-07" | "S-08")))
        .collect();
    let lang = desk.lang.of_labels();
    html! {
        @if !open.is_empty() {
            ul.points #points aria-label=(desk.say("web.sheet.points")) {
                @for point in open {
                    li { a href=(place_of(sheet, point)) { span aria-hidden="true" { "✗ " } (widgets::text(&point.text(lang))) } " " (widgets::text(&point.hint(lang))) }
                }
            }
        }
    }
}

fn place_of(sheet: &Sheet, point: &Problem) -> String {
    let same = |item: &Asked| item.problem.as_ref() == Some(point);
    if let Some(at) = sheet.items.iter().position(same) {
        let round = if sheet.kind.number == INSPECTION.number { "/round" } else { "" };
        return format!("{}{round}#item-{}", sheet.address(), at + 1);
    }
    if sheet.shown.open.contains(&point.group) {
        return "/conflicts".to_owned();
    }
    match form::topic_of(point.group) {
        Some(topic) if sheet.kind.field(point.field).is_some() => {
            format!("{}?open={topic}#t-{topic}", sheet.address())
        }
        _ => format!("{}?open={group}#l-{group}", sheet.address(), group = point.group),
    }
}

/// Returns the photos, and the camera while the sheet is open.
pub(super) fn photos(desk: &Desk<'_>, sheet: &Sheet) -> Markup {
    let kinds: Vec<(&str, &str)> = PhotoKind::CHOICES
        .options
        .iter()
        .filter(|(word, ..)| !matches!(*word, "signature" | "receipt" | "invoice_file"))
        .map(|(word, zh, en)| (*word, desk.lang.label(zh, en)))
        .collect();
    html! {
        section #photos {
            h2 { (desk.say("web.photos")) @if !sheet.pictures.is_empty() { " " (sheet.pictures.len()) } }
            (gallery(desk, &sheet.pictures))
            @if sheet.is_open() {
                (desk.form(&format!("{}/photos", sheet.address()), &html! {
                    (widgets::camera("photo", "photo", &desk.say("web.photo.take"), true))
                    (widgets::select("kind", &desk.say("web.photo.kind"), &kinds, "during"))
                    (widgets::button(Weight::Second, &desk.say("web.photo.add"), Some(("add", "photo"))))
                }))
            }
        }
    }
}

/// Returns photos in small, each leading to the large one; one that is not on this device is named.
pub(in crate::web) fn gallery(desk: &Desk<'_>, pictures: &[Picture]) -> Markup {
    html! {
        @if !pictures.is_empty() {
            ul.pictures {
                @for picture in pictures {
                    li {
                        @match (&picture.small, &picture.large) {
                            (Some(small), Some(large)) => a href={ "/files/" (large) } { img.picture src={ "/files/" (small) } alt=(picture.said) loading="lazy"; },
                            (Some(small), None) => img.picture src={ "/files/" (small) } alt=(picture.said) loading="lazy";,
                            (None, Some(large)) => a href={ "/files/" (large) } { (widgets::short(&picture.said)) },
                            (None, None) => span { (widgets::short(&picture.said)) " " (widgets::badge(Tone::Plain, &desk.say("web.photo.at_hq"))) },
                        }
                    }
                }
            }
        }
    }
}

/// What a closed sheet says, as it is printed.
fn closed(desk: &Desk<'_>, sheet: &Sheet) -> Result<Markup, Fault> {
    let id = sheet.document.id.to_string();
    let paper = desk.with(|store| report::report(store, &id, desk.lang.of_labels()))?.paper;
    let facts: Vec<(String, Markup)> = paper
        .facts
        .iter()
        .chain(&paper.texts)
        .map(|(name, said)| (name.clone(), html! { (widgets::text(said)) }))
        .collect();
    Ok(html! {
        p.big #number { (widgets::text(&sheet.number())) }
        // As on the paper: whoever has neither paper nor network reads it from this screen.
        @if let Some(symbol) = pages::symbol::draw(&format!("{} {id}", sheet.number()), &desk.say("web.sheet.symbol")) {
            details { summary { (desk.say("web.sheet.symbol")) } (symbol) }
        }
        div.actions { a.way.first #paper href={ "/papers/" (sheet.document.id) } { (desk.say("web.sheet.paper")) } }
        (widgets::facts(&facts))
        @if !sheet.items.is_empty() { section #items { h2 { (desk.say("web.sheet.items")) } (items::list(desk, sheet, "sheet")) } }
        @if !sheet.pictures.is_empty() { (photos(desk, sheet)) }
    })
}

fn ways(desk: &Desk<'_>, sheet: &Sheet) -> Markup {
    let address = sheet.address();
    html! {
        nav.actions aria-label=(desk.say("web.sheet.ways")) {
            a.way #history href={ (address) "/history" } { (desk.say("web.history")) }
            @if sheet.is_open() { a.way #paper-draft href={ "/papers/" (sheet.document.id) } { (desk.say("web.sheet.paper")) } }
            @if sheet.may("amend") { a.way #amend href={ (address) "/amend" } { (desk.say("web.sheet.amend")) } }
            @if sheet.may("void") { a.way #void href={ (address) "/void" } { (desk.say("web.sheet.void")) } }
        }
    }
}
