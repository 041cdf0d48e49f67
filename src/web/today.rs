//! The first page: today's jobs, what is open, what is only here and how old, what is due, and one button a capture.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row, Tone, Weight};
use records::kinds::inspection::INSPECTION;

use crate::cli::fault::Fault;
use crate::cli::status::duration;
use crate::notebook::batch::{self, Coming};
use crate::notebook::claim::reminders::{MAILING_DAYS, Reminders};
use crate::notebook::day::advice::LOUD_AFTER_MS;
use crate::notebook::day::{self, Today};
use crate::notebook::list::Line;
use crate::notebook::status::Status;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::{jobs, money, review, sheets};

/// Open sheets that the first page shows.
const DRAFTS: usize = 8;
/// Jobs that the first page shows.
const JOBS: usize = 20;
/// Submissions of others that the first page shows.
const REVIEWS: usize = 5;

/// Returns the first page.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let now = desk.now();
    let (day, batch) = desk.with(|store| {
        let status = desk.held.remembered.status(store, now)?;
        let day = day::of(store, status, desk.lang.of_labels(), now)?;
        Ok((day, batch::coming(store, MAILING_DAYS, now)?))
    })?;
    let content = html! {
        (captures(desk))
        (visits(desk, &day))
        @if !day.drafts.is_empty() {
            section #drafts {
                h2 { (desk.say("web.sheet.drafts")) }
                ul.rows { @for line in day.drafts.iter().take(DRAFTS) { li { (draft(desk, line)) } } }
                @if day.drafts.len() > DRAFTS { div.actions { a.way href="/sheets" { (desk.say("web.more_rows")) } } }
            }
        }
        (due(desk, &day, batch.as_ref()))
        (waits(desk, &day.status))
    };
    let weekday = desk.say(&format!("text.day.weekday_{}", day.day.weekday()));
    desk.page(&Leaf {
        place: Place::Today,
        title: format!("{} {weekday}", desk.day(day.day)),
        back: None,
        content,
    })
}

/// What one captures without a job: a machine that was scanned, a receipt.
fn captures(desk: &Desk<'_>) -> Markup {
    html! {
        (desk.form("/vouchers", &html! {
            div data-sends { label.shutter for="receipt-photo" {
                (desk.say("web.today.receipt"))
                input #receipt-photo type="file" name="photo" accept="image/*" capture="environment";
            } }
            noscript { (widgets::button(Weight::First, &desk.say("web.save"), None)) }
        }))
        div.actions {
            a.way #new-receipt href="/vouchers/new" { (desk.say("web.today.receipt_by_hand")) }
            a.way #new-sheet href="/sheets/new" { (desk.say("web.new.title")) }
        }
        form.one-line #scan method="get" action="/sheets/new" {
            (widgets::scanned("asset", "asset", &desk.say("web.new.scan"), "", &desk.say("web.scan")))
            button #find type="submit" { (desk.say("web.new.find")) }
        }
    }
}

/// What only this device has, and what waits for a person.
fn waits(desk: &Desk<'_>, status: &Status) -> Markup {
    let unsent = status.counts.unsent_ops;
    let age = status.unsent_age_ms.unwrap_or_default();
    let tone = match (unsent, age > LOUD_AFTER_MS) {
        (0, _) => Tone::Good,
        (_, false) => Tone::Warning,
        (_, true) => Tone::Bad,
    };
    let here = match unsent {
        0 => desk.say("web.standing.level"),
        n => desk.tell("web.today.unsent", &[("n", &n.to_string()), ("age", &duration(age, desk.lang))]),
    };
    let line = |href: &str, key: &str, n: u64| Row {
        href: href.to_owned(),
        title: desk.say(key),
        below: html! {},
        right: widgets::badge(Tone::Bad, &n.to_string()),
    };
    let mut rows = vec![Row {
        href: "/sync".to_owned(),
        title: here,
        below: html! {
            @if let Some(at) = status.last_sync { (desk.say("text.status.last_sync")) " " (desk.instant(at, status.zone)) }
        },
        right: widgets::badge(tone, &unsent.to_string()),
    }];
    if status.counts.conflicts > 0 {
        rows.push(line("/conflicts", "web.today.conflicts", status.counts.conflicts));
    }
    if status.counts.quarantined > 0 {
        rows.push(line("/quarantine", "web.today.quarantine", status.counts.quarantined));
    }
    html! { section #waits { h2 { (desk.say("web.today.state")) } (widgets::rows(&rows, "")) } }
}

fn visits(desk: &Desk<'_>, day: &Today) -> Markup {
    let rows: Vec<Row> = day.jobs.iter().take(JOBS).map(|job| jobs::row(desk, job)).collect();
    html! {
        section #jobs {
            h2 { (desk.say("web.today.jobs")) }
            (widgets::rows(&rows, &desk.say("web.job.none")))
            @if day.later > 0 || day.jobs.len() > JOBS {
                div.actions { a.way href="/jobs" { (desk.tell("web.today.later", &[("n", &(day.later + day.jobs.len().saturating_sub(JOBS)).to_string())])) } }
            }
        }
    }
}

/// A row of an open sheet: it leads to the sheet, its button to the end of it.
fn draft(desk: &Desk<'_>, line: &Line) -> Markup {
    let row = sheets::row(desk, line);
    html! {
        div.pair {
            a.row href=(row.href) {
                span.main { span.title { (widgets::short(&row.title)) } span.below { (row.below) } }
                span.right { (row.right) }
            }
            @if line.kind.number != INSPECTION.number {
                a.way id={ "finish-" (line.id.code()) } href={ "/sheets/" (line.id) "/finish?result=done" } { (desk.say("web.today.finish")) }
            }
        }
    }
}

/// What is due, each with the way to it: what is ready opens with one tap.
fn due(desk: &Desk<'_>, day: &Today, batch: Option<&Coming>) -> Markup {
    let more = day.reviews.len().saturating_sub(REVIEWS);
    let rows: Vec<Row> = day.reviews.iter().take(REVIEWS).map(|waiting| review::row(desk, waiting)).collect();
    let reminders = reminded(desk, &day.status.money);
    let ready = &day.status.money.ready;
    html! {
        @if !rows.is_empty() {
            section #reviews {
                h2 { (desk.say("web.today.reviews")) }
                (widgets::rows(&rows, ""))
                @if more > 0 { div.actions { a.way href="/review" { (desk.say("web.more_rows")) } } }
            }
        }
        @if !reminders.is_empty() || !ready.is_empty() || batch.is_some() {
            section #due {
                h2 { (desk.say("web.today.due")) }
                @for (half, (n, sum)) in ready { (money::ready(desk, *half, *n, *sum)) }
                @if let Some(coming) = batch { (envelope(desk, coming)) }
                (widgets::rows(&reminders, ""))
            }
        }
    }
}

/// The branch's envelope: its page, or the button that opens it with all that may go.
fn envelope(desk: &Desk<'_>, coming: &Coming) -> Markup {
    let due = coming.due.map(|due| desk.day(due)).unwrap_or_default();
    let label = desk.tell("web.today.batch", &[("no", &coming.no), ("day", &due)]);
    html! {
        @match coming.id {
            Some(id) => div.actions { a.way.first #batch href={ "/batches/" (id) } { (label) } },
            None => (desk.form("/batches", &html! { button.first #batch type="submit" { (label) } })),
        }
    }
}

fn reminded(desk: &Desk<'_>, money: &Reminders) -> Vec<Row> {
    let mut rows = Vec::new();
    let row = |href: String, title: String, below: Markup, tone, right: String| Row {
        href,
        title,
        below,
        right: widgets::badge(tone, &right),
    };
    for claim in money.claims.iter().filter(|claim| claim.paid_on.is_none()).take(5) {
        let state = desk.lang.label(claim.state.zh, claim.state.en).to_owned();
        let name = claim.number.clone().unwrap_or_else(|| claim.id.code());
        let tone = if claim.state.name == "returned" { Tone::Bad } else { Tone::Plain };
        let href = format!("/claims/{}", claim.id);
        rows.push(row(href, format!("{name} {}", claim.claimed), html! {}, tone, state));
    }
    if let Some(first) = money.expiring.first() {
        let n = money.expiring.len().to_string();
        let title = desk.tell("web.today.expiring", &[("n", &n)]);
        let below = html! { (desk.tell("web.today.until", &[("day", &desk.day(first.last_day))])) };
        rows.push(row("/vouchers".to_owned(), title, below, Tone::Bad, n));
    }
    if let Some(next) = money.next.as_ref().filter(|next| next.soon) {
        let facts = [("day", &*desk.day(next.mailing.due)), ("n", &*next.vouchers.to_string())];
        let left = desk.tell("web.today.days", &[("n", &next.days_left.to_string())]);
        rows.push(row(
            "/money".to_owned(),
            desk.tell("web.today.mailing", &facts),
            html! {},
            Tone::Warning,
            left,
        ));
    }
    for (_, half, state) in money.trips.iter().take(3) {
        let said = desk.lang.label(state.zh, state.en).to_owned();
        rows.push(row(
            format!("/trips/{half}"),
            desk.tell("web.today.trip", &[("half", half)]),
            html! {},
            Tone::Warning,
            said,
        ));
    }
    rows
}

/// Returns what a browser needs to keep the pages as an application.
pub(super) fn manifest(desk: &Desk<'_>) -> Reply {
    let icon = |name: &str, sizes: &str, kind: &str| serde_json::json!({"src": pages::assets::address(name), "sizes": sizes, "type": kind, "purpose": "any"});
    let manifest = serde_json::json!({
        "name": desk.say("web.brand"),
        "short_name": desk.say("web.brand"),
        "lang": desk.lang.id(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f2f5f7",
        "theme_color": "#0b3d5c",
        "icons": [
            icon("icon-192.png", "192x192", "image/png"),
            icon("icon-512.png", "512x512", "image/png"),
            icon("icon.svg", "any", "image/svg+xml"),
        ],
    });
    Reply::shown("application/manifest+json", manifest.to_string().into_bytes())
}
