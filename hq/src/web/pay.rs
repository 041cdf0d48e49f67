//! Finance: the window, what waits, one payment batch after the other.

mod batch;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{self, Verb};
use pages::widgets::{self, Column, Row, Tone, Weight};
use records::id::DocId;
use records::kinds::claim_machine as at;
use records::kinds::payment_machine;
use records::money::Fen;
use records::time::Zone;

use crate::cli::answer::Fault;
use crate::money::claims::Held;
use crate::money::pay::Batch;
use crate::money::resume::Standstill;
use crate::money::rows::instant;
use crate::money::waiting::Waiting;
use crate::money::window::{Window, WindowDay};
use crate::web::audit::hint;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// Rows of a list before "more".
const ROWS: usize = 50;

/// Batches that somebody still has to do something about.
const OPEN: [u8; 3] = [payment_machine::DRAFT, payment_machine::APPROVED, payment_machine::EXPORTED];

/// Returns the answer to a visit below `/pay`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, rest: &[&str]) -> Result<Reply, Fault> {
    desk.only(Place::Pay)?;
    match (verb, rest) {
        (Verb::Get, []) => Ok(desk.page(&leaf(desk)?)),
        (Verb::Post, ["draft"]) => draft(desk),
        (Verb::Post, ["back"]) => back(desk),
        (Verb::Post, ["resume"]) => resume(desk),
        (Verb::Get, [no]) => batch::page(desk, no),
        (Verb::Post, [no, what]) => batch::act(desk, no, what),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

struct Finance {
    window: Window,
    /// At finance's door.
    waiting: Vec<Waiting>,
    /// Taken in, in no batch.
    taken: Vec<Held>,
    batches: Vec<Batch>,
    still: Option<Standstill>,
    names: Names,
}

fn look(desk: &Desk<'_>) -> Result<Finance, Fault> {
    let today = desk.today();
    desk.look(|office| {
        let waiting = office.waiting(&[at::HELD_BLACKOUT, at::TO_FINANCE], today)?;
        let mut batches = office.payments(&[])?;
        batches.sort_by(|a, b| b.no.cmp(&a.no));
        Ok(Finance {
            window: office.window(today)?,
            taken: office.unbatched()?,
            still: office.standstill()?,
            names: Names::read(office)?,
            waiting,
            batches,
        })
    })
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let finance = look(desk)?;
    let Finance { window, waiting, taken, batches, names, .. } = &finance;
    let (open, over): (Vec<&Batch>, Vec<&Batch>) =
        batches.iter().partition(|batch| OPEN.contains(&batch.record.state));
    let rows = |batches: &[&Batch]| -> Vec<Row> {
        batches.iter().take(ROWS).map(|batch| batch_row(desk, batch)).collect()
    };
    let mut all: Vec<(DocId, Fen)> =
        waiting.iter().map(|waiting| (waiting.held.claim.staff, waiting.held.payable())).collect();
    all.extend(taken.iter().map(|held| (held.claim.staff, held.payable())));
    Ok(Leaf {
        place: Place::Pay,
        title: desk.say("console.tab.pay"),
        back: None,
        content: html! {
            (hint(desk, window))
            @if let Some(still) = &finance.still { (standstill(desk, still)) }
            h2 { (desk.tell("money.pay.waiting", &[("n", &waiting.len().to_string()), ("taken", &taken.len().to_string())])) }
            (persons(desk, &all, names))
            @if !all.is_empty() {
                (desk.form("/pay/draft", &html! {
                    @if !window.closure.closed && !waiting.is_empty() { input type="hidden" name="accept" value="1"; }
                    button #pay-draft.first type="submit" { (desk.say("money.pay.draft")) }
                }))
            }
            h2 { (desk.say("money.pay.open")) }
            (widgets::rows(&rows(&open), &desk.say("money.pay.none")))
            (claims(desk, &finance))
            (calendar(desk, &window.days))
            h2 { (desk.say("money.pay.over")) }
            (widgets::rows(&rows(&over), &desk.say("money.pay.none")))
        },
    })
}

fn batch_row(desk: &Desk<'_>, batch: &Batch) -> Row {
    Row {
        href: format!("/pay/{}", visit::part(&batch.no)),
        title: batch.no.clone(),
        below: html! { (desk.tell("money.n_claims", &[("n", &batch.payments.len().to_string())])) " " (parts::state(desk, &batch.record)) },
        right: html! { strong { (batch.total()) } },
    }
}

/// Returns what each person gets, the sum last.
fn persons(desk: &Desk<'_>, payments: &[(DocId, Fen)], names: &Names) -> Markup {
    let mut each: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for (staff, amount) in payments {
        let (n, sum) = each.entry(names.of(Some(*staff))).or_default();
        *n += 1;
        *sum = sum.saturating_add(amount.0);
    }
    let columns: [Column; 3] = [("who", false), ("claims", true), ("amount", true)]
        .map(|(key, number)| parts::column(desk, key, number));
    let mut rows: Vec<Vec<Markup>> = each
        .iter()
        .map(|(who, (n, sum))| vec![html! { (widgets::short(who)) }, html! { (n) }, html! { (Fen(*sum)) }])
        .collect();
    let total = Fen(each.values().fold(0, |sum: i64, (_, amount)| sum.saturating_add(*amount)));
    if !rows.is_empty() {
        rows.push(vec![
            html! { strong { (desk.say("money.pay.total")) } },
            html! { (payments.len()) },
            html! { strong { (total) } },
        ]);
    }
    widgets::table(&desk.say("money.pay.persons"), &columns, &rows, &desk.say("money.pay.nothing"))
}

/// Returns the claims at finance, and the way back to the auditor.
fn claims(desk: &Desk<'_>, finance: &Finance) -> Markup {
    let waiting = finance.waiting.iter().map(|waiting| &waiting.held);
    let held: Vec<&Held> = waiting.chain(&finance.taken).collect();
    let columns = [("claim", false), ("who", false), ("state", false), ("payable", true)]
        .map(|(key, number)| parts::column(desk, key, number));
    let row = |held: &&Held| {
        vec![
            html! { a href=(parts::address(held.record.id)) { (widgets::short(&held.no())) } },
            html! { (widgets::short(&finance.names.of(Some(held.claim.staff)))) },
            html! { (parts::state(desk, &held.record)) },
            html! { (held.payable()) },
        ]
    };
    let rows: Vec<Vec<Markup>> = held.iter().take(ROWS * 4).map(row).collect();
    html! {
        @if !rows.is_empty() {
            details {
                summary { (desk.say("money.pay.claims")) }
                (widgets::table(&desk.say("money.pay.claims"), &columns, &rows, ""))
                @if !finance.taken.is_empty() {
                    (desk.form("/pay/back", &html! {
                        fieldset.inline { legend { (desk.say("money.pay.back")) }
                            label.field { span { (desk.say("money.column.claim")) }
                                select name="claim" { @for held in &finance.taken { option value=(held.record.id) { (widgets::plain(&held.no())) } } }
                            }
                            label.field { span { (desk.say("money.reason")) } input type="text" name="reason" maxlength="400" autocomplete="off"; }
                            (widgets::button(Weight::Danger, &desk.say("money.pay.back"), None))
                        }
                    }))
                }
            }
        }
    }
}

/// Returns the days ahead: open, closed, not worked.
fn calendar(desk: &Desk<'_>, days: &[WindowDay]) -> Markup {
    let mut months: BTreeMap<(i32, u32), Vec<(u32, &WindowDay)>> = BTreeMap::new();
    for day in days {
        if let Some((year, month, dom)) = day.day.ymd() {
            months.entry((year, month)).or_default().push((dom, day));
        }
    }
    let mark = |day: &WindowDay| match (day.open, day.kind.is_working()) {
        (true, _) => ("open", "money.window.day_open"),
        (false, true) => ("closed", "money.window.day_closed"),
        (false, false) => ("free", "money.window.day_free"),
    };
    html! {
        details {
            summary { (desk.say("money.window.calendar")) }
            @for ((year, month), days) in &months {
                h3 { (format!("{year}-{month:02}")) }
                ol.days { @for (dom, day) in days {
                    @let (class, word) = mark(day);
                    li.(class) { strong { (dom) } " " span { (desk.say(word)) } }
                } }
            }
        }
    }
}

/// Says that nothing is paid until somebody compared with the bank, and takes his word.
fn standstill(desk: &Desk<'_>, still: &Standstill) -> Markup {
    let day = instant(still.since_ms).day(Zone::SHANGHAI).to_string();
    let silent = still.silent.to_string();
    html! {
        (widgets::told(Tone::Bad, &desk.tell("rule.H-16", &[("day", &day), ("silent", &silent)])))
        (desk.form("/pay/resume", &html! {
            (widgets::input("paid", &desk.say("money.pay.paid_before"), "", "text", None))
            (widgets::input("reason", &desk.say("money.pay.compared"), "", "text", None))
            (widgets::button(Weight::Danger, &desk.say("money.pay.resume"), None))
        }))
    }
}

/// Takes in what waits, where finance is open, and puts everything that was taken in into one batch.
fn draft(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let accept = desk.visit.form.get("accept").is_some();
    let drafted = desk.act(move |office, actor, now_ms| {
        if accept {
            office.accept(&[], actor, now_ms)?;
        }
        office.draft(actor, now_ms)
    });
    match drafted {
        Ok(drafted) => Ok(Reply::go(&format!("/pay/{}?done=drafted", visit::part(&drafted.batch.no)))),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}

/// Sends a claim back to the auditor.
fn back(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let word = |field: &str| desk.visit.form.get(field).unwrap_or_default().to_owned();
    let (claim, reason) = (word("claim"), word("reason"));
    match desk.act(move |office, actor, now_ms| office.send_back(&claim, &reason, actor, now_ms)) {
        Ok(_) => Ok(Reply::go("/pay?done=sent_back")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}

/// Lets payments go on after a restore.
fn resume(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let split = |text: &str| {
        text.split([',', '，', ' ', '、'])
            .map(str::trim)
            .filter(|no| !no.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let paid: Vec<String> = split(form.get("paid").unwrap_or_default());
    let reason = form.get("reason").unwrap_or_default().to_owned();
    match desk.act(move |office, actor, now_ms| office.resume(&paid, &reason, actor, now_ms)) {
        Ok(_) => Ok(Reply::go("/pay?done=resumed")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}
