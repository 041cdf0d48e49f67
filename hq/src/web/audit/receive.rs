//! An envelope is opened: its number is scanned, then each cover; what is expected, unlisted or missing is said at once.
//!
//! What was scanned stands in the page's address until the envelope is done: a page that is loaded again has lost nothing.

use std::collections::BTreeSet;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Column, Row, Tone, Weight};
use records::kinds::batch::Dispatch;
use records::kinds::{batch_machine, claim_machine};

use crate::cli::answer::Fault;
use crate::cli::office::state_label;
use crate::money::claims::Held;
use crate::money::receive::{Batch, Contents, Opened};
use crate::money::rows::linked;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// Covers that one address carries.
const SCANNED_MAX: usize = 500;

/// Envelopes that are awaited or opened.
const AWAITED: [u8; 2] = [batch_machine::DISPATCHED, batch_machine::PART_RECEIVED];

/// Returns the page on which an envelope is scanned, with those that are awaited.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    leaf(desk).map(|leaf| desk.page(&leaf))
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let (batches, names) = desk.look(|office| Ok((office.batches(&AWAITED)?, Names::read(office)?)))?;
    let rows: Vec<Row> = batches.iter().map(|batch| row(desk, batch, &names)).collect();
    Ok(Leaf {
        place: Place::Audit,
        title: desk.say("money.receive.title"),
        back: Some("/audit".to_owned()),
        content: html! {
            (scan(desk, "/audit/receive", "money.receive.envelope", &[]))
            h2 { (desk.say("money.receive.awaited")) }
            (widgets::rows(&rows, &desk.say("money.receive.none")))
        },
    })
}

fn row(desk: &Desk<'_>, batch: &Batch, names: &Names) -> Row {
    let dispatch = batch.record.get::<Dispatch>().unwrap_or_default();
    let late = dispatch.dispatched_day.zip(batch.of.due_day).is_some_and(|(went, due)| went > due);
    let waybill = dispatch.waybill.map(|waybill| waybill.0).unwrap_or_default();
    Row {
        href: address(batch),
        title: batch.no(),
        below: html! {
            (widgets::short(&names.unit(linked(batch.of.branch.as_ref()))))
            @if let Some(day) = dispatch.dispatched_day { " · " (day) }
            " · " (widgets::short(&waybill)) " " (parts::state(desk, &batch.record))
            @if late { " " (widgets::badge(Tone::Warning, &desk.say("money.receive.late"))) }
        },
        right: html! { (desk.tell("money.n_claims", &[("n", &batch.listed.len().to_string())])) },
    }
}

fn address(batch: &Batch) -> String {
    format!("/audit/receive/{}", visit::part(&batch.record.id.to_string()))
}

/// Returns the field that a barcode scanner types into and ends with Enter.
fn scan(desk: &Desk<'_>, action: &str, label: &str, scanned: &[String]) -> Markup {
    desk.form(action, &html! {
        @for no in scanned { input type="hidden" name="found" value=(no); }
        label.field { span { (desk.say(label)) }
            input #scan type="text" name="scan" autofocus autocomplete="off" autocapitalize="off" spellcheck="false" required;
        }
        (widgets::button(Weight::First, &desk.say("money.receive.scan"), None))
    })
}

/// Returns the way to the envelope whose number was scanned.
pub(super) fn envelope(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let scanned = desk.visit.form.get("scan").unwrap_or_default().to_owned();
    match desk.look(|office| office.batch(&scanned)) {
        Ok(batch) => Ok(Reply::go(&address(&batch))),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}

/// Returns the envelope's list with what was scanned of it: `?found=` names the covers, `?scan=` the last one.
pub(super) fn covers(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let scanned: Vec<String> = desk.visit.query.all("found").map(str::to_owned).collect();
    Ok(desk.page(&list(desk, name, &scanned, desk.visit.query.get("scan"))?))
}

/// What an envelope's list says and what is known of each claim.
struct Listing {
    batch: Batch,
    held: Vec<(String, Option<Held>)>,
    names: Names,
}

fn listing(desk: &Desk<'_>, name: &str) -> Result<Listing, Fault> {
    desk.look(|office| {
        let batch = office.batch(name)?;
        let mut held = Vec::new();
        for listed in &batch.listed {
            let claim = listed.claim.map(|claim| office.held_claim(claim)).transpose()?.flatten();
            held.push((listed.no.clone(), claim));
        }
        Ok(Listing { batch, held, names: Names::read(office)? })
    })
}

fn list(desk: &Desk<'_>, name: &str, scanned: &[String], last: Option<&str>) -> Result<Leaf, Fault> {
    let listing = listing(desk, name)?;
    let at = address(&listing.batch);
    let inside =
        |no: &str| scanned.iter().any(|found| found == no) || listing.batch.received.get(no) == Some(&true);
    let open = AWAITED.contains(&listing.batch.record.state);
    let missing = listing.held.iter().filter(|(no, _)| !inside(no)).count();
    let unlisted: Vec<&String> =
        scanned.iter().filter(|no| listing.held.iter().all(|(listed, _)| listed != *no)).collect();
    let rows: Vec<Vec<Markup>> = listing
        .held
        .iter()
        .map(|(no, held)| cells(desk, (no, held.as_ref()), inside(no), &listing.names))
        .collect();
    let columns: [Column; 4] = ["claim", "who", "state", "cover"].map(|key| parts::column(desk, key, false));
    let said = last.map(|no| {
        let listed = listing.held.iter().any(|(listed, _)| listed == no);
        let (tone, key) = if listed {
            (Tone::Good, "money.receive.expected")
        } else {
            (Tone::Bad, "money.receive.unlisted")
        };
        widgets::told(tone, &desk.tell(key, &[("no", no)]))
    });
    Ok(Leaf {
        place: Place::Audit,
        title: listing.batch.no(),
        back: Some("/audit/receive".to_owned()),
        content: html! {
            p { (widgets::short(&listing.names.unit(linked(listing.batch.of.branch.as_ref())))) " " (parts::state(desk, &listing.batch.record)) }
            @if let Some(said) = said { (said) }
            @if open {
                (scan(desk, &format!("{at}/scan"), "money.receive.cover", scanned))
                p #missing { strong { (desk.tell("money.receive.missing", &[("n", &missing.to_string()), ("all", &listing.held.len().to_string())])) } }
            }
            (widgets::table(&desk.say("money.receive.list"), &columns, &rows, &desk.say("money.receive.no_list")))
            @if !unlisted.is_empty() {
                h2 { (desk.say("money.receive.unlisted_all")) }
                ul.findings { @for no in unlisted { li.bad { (widgets::short(no)) } } }
            }
            @if open && listing.batch.record.state == batch_machine::DISPATCHED {
                (desk.form(&format!("{at}/end"), &html! {
                    @for no in scanned { input type="hidden" name="found" value=(no); }
                    p.hint { (desk.say("money.receive.end_hint")) }
                    (widgets::button(Weight::Second, &desk.say("money.receive.end"), Some(("end", "1"))))
                }))
            }
        },
    })
}

fn cells(desk: &Desk<'_>, (no, held): (&str, Option<&Held>), inside: bool, names: &Names) -> Vec<Markup> {
    let gone = held.is_some_and(|held| held.claim.state == claim_machine::MISSING_PAPER);
    vec![
        html! { @match held {
            Some(held) => a href=(parts::address(held.record.id)) { (widgets::short(no)) },
            None => (widgets::short(no)),
        } },
        html! { (widgets::short(&held.map_or_else(String::new, |held| names.of(Some(held.claim.staff))))) },
        html! { (held.map_or_else(|| desk.say("money.receive.not_synced"), |held| state_label(&held.record, desk.lang).to_owned())) },
        html! {
            @if inside { (widgets::badge(Tone::Good, &desk.say("money.receive.here"))) }
            @else if gone { (widgets::badge(Tone::Bad, &desk.say("money.receive.gone"))) }
            @else { "–" }
        },
    ]
}

/// Takes one scanned cover in: the last one that was expected closes the envelope by itself, one that came late is
/// received at once.
pub(super) fn cover(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let mut scanned: Vec<String> = desk.visit.form.all("found").map(str::to_owned).collect();
    let no = desk.visit.form.get("scan").unwrap_or_default().to_owned();
    let listing = listing(desk, name)?;
    let is_listed = listing.held.iter().any(|(listed, _)| *listed == no);
    if listing.batch.record.state == batch_machine::PART_RECEIVED && is_listed {
        let claim = no.clone();
        return match desk.act(move |office, actor, now_ms| office.found(&claim, false, actor, now_ms)) {
            Ok(_) => Ok(Reply::go(&format!("{}?scan={}", address(&listing.batch), visit::part(&no)))),
            Err(fault) => Ok(desk.refused(&list(desk, name, &scanned, None)?, &fault)),
        };
    }
    if !no.is_empty() && !scanned.contains(&no) && scanned.len() < SCANNED_MAX {
        scanned.push(no.clone());
    }
    let whole = listing.held.iter().all(|(listed, _)| scanned.contains(listed));
    if whole && !listing.held.is_empty() {
        return finish(desk, name, &scanned);
    }
    let found: String = scanned.iter().map(|no| format!("found={}&", visit::part(no))).collect();
    Ok(Reply::go(&format!("{}?{found}scan={}", address(&listing.batch), visit::part(&no))))
}

/// Closes the envelope: what was not scanned is missing.
pub(super) fn end(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let scanned: Vec<String> = desk.visit.form.all("found").map(str::to_owned).collect();
    finish(desk, name, &scanned)
}

fn finish(desk: &Desk<'_>, name: &str, scanned: &[String]) -> Result<Reply, Fault> {
    let listing = listing(desk, name)?;
    let listed: BTreeSet<&String> = listing.held.iter().map(|(no, _)| no).collect();
    let (found, unlisted): (BTreeSet<String>, BTreeSet<String>) =
        scanned.iter().cloned().partition(|no| listed.contains(no));
    let contents = Contents { found: Some(found), missing: BTreeSet::new(), unlisted };
    let batch = listing.batch.record.id.to_string();
    match desk.act(move |office, actor, now_ms| office.receive(&batch, &contents, actor, now_ms)) {
        Ok(opened) => Ok(desk.page(&opened_leaf(desk, &opened))),
        Err(fault) => Ok(desk.refused(&list(desk, name, scanned, None)?, &fault)),
    }
}

/// Says what became of the envelope.
fn opened_leaf(desk: &Desk<'_>, opened: &Opened) -> Leaf {
    let refused = opened.batch.record.state == batch_machine::REFUSED;
    let facts =
        [("no", opened.batch.no()), ("state", state_label(&opened.batch.record, desk.lang).to_owned())];
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let lists = [
        ("hq.batch.received", &opened.received),
        ("hq.batch.missing", &opened.missing),
        ("hq.batch.not_synced", &opened.not_synced),
        ("hq.batch.unlisted", &opened.unlisted),
    ];
    Leaf {
        place: Place::Audit,
        title: opened.batch.no(),
        back: Some("/audit/receive".to_owned()),
        content: html! {
            (widgets::told(if refused { Tone::Bad } else { Tone::Good }, &desk.tell("hq.batch.now", &facts)))
            @for (key, numbers) in lists {
                @if !numbers.is_empty() {
                    p { (desk.tell(key, &[("n", &numbers.len().to_string()), ("numbers", &numbers.join(", "))])) }
                }
            }
            @if !opened.faults.is_empty() {
                ul.findings { @for fault in &opened.faults {
                    li.bad { (desk.tell(&format!("hq.fault.{}", fault.fault), &[("numbers", &fault.numbers)])) }
                } }
            }
            div.actions {
                a.way.first #audit-queue href="/audit" { (desk.say("money.audit.queue")) }
                a.way #receive-next href="/audit/receive" { (desk.say("money.receive.next")) }
            }
        },
    }
}
