//! What waits for a person, the audit trail with its file, and how headquarters is kept safe.

use std::io::Cursor;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Column, Row, Tone, Weight};
use records::time::Day;

use crate::cli::answer::Fault;
use crate::cli::trail as told;
use crate::money::rows::instant;
use crate::money::trail::{self, Span};
use crate::web::desk::{Desk, Leaf, Place};

/// Lines of a page.
const ROWS: usize = 50;
/// Bytes of a trail that is looked at in the browser.
const TRAIL_BYTES_MAX: usize = 48 * 1024 * 1024;

/// Returns what waits for a person: records with conflicts or refused entries, and what was held back of devices.
pub(super) fn waiting(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let staff = desk.person.staff;
    let (watched, unsettled) = desk.look(|office| {
        let reader = office.list_reader(staff)?;
        Ok((office.watched()?, office.unsettled(&reader, ROWS)?))
    })?;
    let held: Vec<Row> = watched
        .iter()
        .filter(|one| one.held_back > 0 || !one.keys.is_empty())
        .map(|one| Row {
            href: format!("/admin/devices/{}", one.device.replica.0),
            title: format!("{} {}", one.owner.as_ref().map_or("", |owner| &owner.name), one.device.name),
            below: html! { (one.device.replica.0) " " (one.keys.join(" ")) },
            right: html! { (widgets::badge(Tone::Warning, &one.held_back.to_string())) },
        })
        .collect();
    let rows: Vec<Row> = unsettled
        .iter()
        .map(|one| Row {
            href: format!("/records/{}", one.line.id),
            title: format!("{} {}", desk.lang.words().pick(one.line.kind.zh, one.line.kind.en), one.line.no),
            below: html! { (widgets::short(&one.line.title)) " · " (desk.instant(one.line.updated)) },
            right: html! {
                @if one.line.conflicts > 0 { (widgets::badge(Tone::Bad, &desk.tell("console.admin.waiting.conflicts", &[("n", &one.line.conflicts.to_string())]))) " " }
                @if one.refused > 0 { (widgets::badge(Tone::Warning, &desk.tell("console.admin.waiting.refused", &[("n", &one.refused.to_string())]))) }
            },
        })
        .collect();
    let content = html! {
        section { h2 { (desk.say("console.admin.waiting.held")) }
            p.hint { (desk.say("console.admin.confirm.hint")) }
            (widgets::rows(&held, &desk.say("console.none")))
        }
        section { h2 { (desk.say("console.admin.waiting.records")) } (widgets::rows(&rows, &desk.say("console.none"))) }
    };
    Ok(desk.page(&leaf(desk, "waiting", content)))
}

fn leaf(desk: &Desk<'_>, key: &str, content: Markup) -> Leaf {
    Leaf {
        place: Place::Admin,
        title: desk.say(&format!("console.admin.{key}")),
        back: Some("/admin".to_owned()),
        content,
    }
}

/// Returns the audit trail, the latest first.
pub(super) fn list(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&listing(desk, &html! {})?))
}

fn listing(desk: &Desk<'_>, above: &Markup) -> Result<Leaf, Fault> {
    let before = desk.visit.query.get("before").and_then(|id| id.parse().ok());
    let lines = desk.look(|office| Ok(office.store.audit_lines(before, ROWS)?))?;
    let columns = ["when", "what", "about"]
        .map(|name| Column { title: desk.say(&format!("console.admin.trail.{name}")), number: false });
    let rows: Vec<Vec<Markup>> = lines
        .iter()
        .map(|line| {
            vec![
                html! { span.when { (desk.instant(instant(line.at_ms))) } },
                widgets::short(&line.what),
                widgets::short(&line.about),
            ]
        })
        .collect();
    let next = lines.last().filter(|_| lines.len() == ROWS).map(|line| line.id);
    let content = html! {
        (above)
        (widgets::table(&desk.say("console.admin.trail"), &columns, &rows, &desk.say("console.none")))
        @if let Some(next) = next { div.actions { a.way href={ "/admin/trail?before=" (next) } { (desk.say("console.more")) } } }
        div.two {
            section { h2 { (desk.say("console.admin.trail.export")) }
                p.hint { (desk.say("console.admin.trail.export.hint")) }
                form method="get" action="/admin/trail/file" {
                    (widgets::input("since", &desk.say("console.lists.since"), "", "date", None))
                    (widgets::input("until", &desk.say("console.lists.until"), "", "date", None))
                    (widgets::button(Weight::First, &desk.say("console.admin.trail.export"), None))
                }
            }
            section { h2 { (desk.say("console.admin.trail.verify")) }
                p.hint { (desk.say("console.admin.trail.verify.hint")) }
                (desk.form("/admin/trail/verify", &html! {
                    label.field { span { (desk.say("console.admin.trail.file")) } input type="file" name="file" accept=".jsonl" required; }
                    (widgets::button(Weight::Second, &desk.say("console.admin.trail.verify"), Some(("act", "verify"))))
                }))
            }
        }
    };
    Ok(leaf(desk, "trail", content))
}

/// Returns the decisions as a chained and signed file.
pub(super) fn file(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let day = |name: &str| -> Result<Option<Day>, Fault> {
        let typed = desk.visit.query.get(name);
        let day = typed.map(str::parse).transpose();
        day.map_err(|_| Fault::usage("console.fault.day").with("text", typed.unwrap_or_default()))
    };
    let span = Span { since: day("since")?, until: day("until")? };
    let trail = desk.look(|office| Ok(office.trail(span)?))?;
    let name = format!("trail {}.jsonl", desk.today());
    Ok(Reply::download("application/jsonl", &name, trail.text.into_bytes()))
}

/// Says whether an uploaded trail is whole; nothing is changed.
pub(super) fn verify(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let none = || Fault::usage("console.fault.file");
    let upload = desk.visit.uploads("file").next().filter(|upload| upload.bytes.len() <= TRAIL_BYTES_MAX);
    let upload = match upload.ok_or_else(none) {
        Ok(upload) => upload,
        Err(fault) => return Ok(desk.refused(&listing(desk, &html! {})?, &fault)),
    };
    let key = desk.console.office.signer.public();
    match trail::verify(Cursor::new(&upload.bytes), key) {
        Ok(verified) => {
            let facts = [("n", verified.decisions.to_string()), ("last", verified.last)];
            let facts: Vec<(&str, &str)> =
                facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let above = widgets::told(Tone::Good, &desk.tell("hq.trail.whole", &facts));
            Ok(desk.page(&listing(desk, &above)?))
        }
        Err(broken) => Ok(desk.refused(&listing(desk, &html! {})?, &told::fault(&broken))),
    }
}

/// Returns how a headquarters is backed up.
pub(super) fn backup(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let (ops, documents) = desk.look(|office| Ok((office.store.ops()?, office.store.documents()?)))?;
    let facts = [
        (desk.say("console.admin.backup.ops"), html! { (ops) }),
        (desk.say("console.admin.backup.records"), html! { (documents) }),
    ];
    let content = html! {
        (widgets::facts(&facts))
        p { (desk.say("console.admin.backup.hint")) }
        p { code { "fieldbook-hq backup FILE" } }
        p { code { "fieldbook-hq restore FILE" } }
    };
    Ok(desk.page(&leaf(desk, "backup", content)))
}
