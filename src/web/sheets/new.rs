//! A sheet that nobody ordered: scan the machine, tap the type, and it is open.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row};
use records::id::DocId;
use records::kinds::inspection::INSPECTION;
use records::schema::Kind;
use records::value::text::Lang;

use crate::cli::args::SHEETS;
use crate::cli::fault::{Exit, Fault};
use crate::notebook::arrive::unplanned;
use crate::notebook::list::{self, Line};
use crate::notebook::refusal::NotebookError;
use crate::notebook::show;
use crate::notebook::visits;
use crate::notebook::{find, rows};
use crate::store::Store;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::row;

/// Earlier sheets of a machine that are shown.
const EARLIER: usize = 5;

/// Returns the page: the machine that the address names, and the three types.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    desk.page(&leaf(desk, desk.visit.query.get("asset").unwrap_or_default())?)
}

fn leaf(desk: &Desk<'_>, machine: &str) -> Result<Leaf, Fault> {
    let known = desk.with(|store| about(store, machine, desk.lang.of_labels()))?;
    let content = html! {
        form method="get" action="/sheets/new" {
            (widgets::scanned("asset", "asset", &desk.say("web.new.scan"), machine, &desk.say("web.scan")))
            button #find type="submit" { (desk.say("web.new.find")) }
        }
        @if !machine.is_empty() { (told(desk, machine, known.as_ref())) }
        (types(desk, machine))
        @if let Some(known) = &known { (earlier(desk, &known.earlier)) }
    };
    let title = desk.say("web.new.title");
    Ok(Leaf { place: Place::Sheets, title, back: Some("/sheets".to_owned()), content })
}

/// Returns the three large buttons; one tap begins.
pub(in crate::web) fn types(desk: &Desk<'_>, machine: &str) -> Markup {
    let kinds: Vec<&'static Kind> = SHEETS.iter().filter_map(|name| records::kinds::by_name(name)).collect();
    let form = html! {
        input type="hidden" name="asset" value=(machine);
        div.actions {
            @for kind in kinds {
                button.first type="submit" id={ "begin-" (kind.name) } name="kind" value=(kind.name) { (desk.lang.label(kind.zh, kind.en)) }
            }
        }
    };
    html! { h2 { (desk.say("web.new.begin")) } (desk.form("/sheets/new", &form)) }
}

fn told(desk: &Desk<'_>, machine: &str, known: Option<&Known>) -> Markup {
    match known {
        Some(known) => widgets::facts(&[
            (
                desk.say("web.new.machine"),
                html! { (widgets::short(&known.name)) " " (widgets::short(&known.model)) },
            ),
            (desk.say("web.new.site"), html! { (widgets::short(&known.site)) }),
        ]),
        None => {
            html! { p.told.warning role="status" { (widgets::short(machine)) ": " (desk.say("web.new.unknown")) } }
        }
    }
}

fn earlier(desk: &Desk<'_>, lines: &[Line]) -> Markup {
    let rows: Vec<Row> = lines.iter().map(|line| row(desk, line)).collect();
    html! { h2 { (desk.say("web.new.earlier")) } (widgets::rows(&rows, &desk.say("web.sheet.none"))) }
}

/// A machine that was scanned.
struct Known {
    name: String,
    model: String,
    site: String,
    earlier: Vec<Line>,
}

fn about(store: &Store, machine: &str, lang: Lang) -> Result<Option<Known>, NotebookError> {
    if machine.trim().is_empty() {
        return Ok(None);
    }
    let Some((document, kind)) = find::machine(store, machine)? else { return Ok(None) };
    let said = |name: &str| -> Result<String, NotebookError> {
        let value = rows::value(kind, &document, name).zip(kind.field(name));
        let named = value.and_then(|(value, (group, at))| Some((group.fields.get(at)?, value)));
        Ok(named
            .map(|(field, value)| show::named(store, field, &value, store.zone(), lang))
            .transpose()?
            .unwrap_or_default())
    };
    Ok(Some(Known {
        name: show::name(store, document.id)?,
        model: said("model")?,
        site: said("site")?,
        earlier: history(store, document.id, lang)?,
    }))
}

/// Returns the last sheets of a machine, newest first.
pub(in crate::web) fn history(store: &Store, machine: DocId, lang: Lang) -> Result<Vec<Line>, NotebookError> {
    let sheets = visits::of_asset(store, machine, EARLIER)?;
    Ok(sheets.iter().map(|(sheet, kind)| list::line(store, kind, sheet, lang)).collect::<Result<_, _>>()?)
}

/// Opens the sheet.
pub(super) fn open(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let named = form.get("kind").filter(|kind| SHEETS.contains(kind)).and_then(records::kinds::by_name);
    let kind = named.ok_or_else(|| Fault::new(Exit::Usage, "web.fault.no_page"))?;
    let machine = form.get("asset").unwrap_or_default();
    match desk.with(|store| unplanned(store, kind, machine, desk.now())) {
        Ok(opened) => {
            let round = if opened.kind.number == INSPECTION.number { "/round" } else { "" };
            Ok(Reply::go(&format!("/sheets/{}{round}?done=begun", opened.id)))
        }
        Err(fault) => desk.refused(&leaf(desk, machine)?, &fault),
    }
}
