//! The money tab: the half-months that wait to be claimed, claims on their way, what expires, what else is due.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row, Tone};
use records::kinds::claim_machine;
use records::money::Fen;
use records::policy::cycle::HalfMonth;

use crate::cli::fault::Fault;
use crate::notebook::claim::mine;
use crate::notebook::claim::paper::Paper;
use crate::notebook::claim::reminders::{OnItsWay, Reminders};
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::web::desk::{Desk, Leaf, Place};

/// A half-month that waits to be claimed.
#[derive(Debug, Default, Clone, Copy)]
struct Waiting {
    vouchers: usize,
    sum: i64,
}

/// Returns the tab.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let (halves, reminders, current) = desk.with(|store| {
        let today = desk.now().wall.day(store.zone());
        let reminders = desk.held.remembered.reminders(store, desk.now())?;
        let papers = desk.held.remembered.papers(store)?;
        Ok((halves(store, &papers, HalfMonth::of(today))?, reminders, HalfMonth::of(today)))
    })?;
    desk.page(&Leaf {
        place: Place::Money,
        title: desk.say("web.tab.money"),
        back: None,
        content: html! {
            div.actions {
                a.way.first #voucher-new href="/vouchers/new" { (desk.say("web.voucher.new")) }
                a.way #vouchers href="/vouchers" { (desk.say("web.voucher.title")) }
            }
            section {
                h2 { (desk.say("web.money.ready")) }
                @for (half, waiting) in halves.iter().rev() { (ready(desk, *half, waiting.vouchers, Fen(waiting.sum))) }
                @if let Some(half) = current { div.actions { a.way #trip href={ "/trips/" (half) } { (desk.tell("web.money.trip", &[("half", &half.to_string())])) } } }
            }
            (alerts(desk, &reminders))
            section {
                h2 { (desk.say("web.money.claims")) }
                (widgets::rows(&reminders.claims.iter().map(|claim| row(desk, claim)).collect::<Vec<_>>(), &desk.say("web.money.no_claims")))
                @if reminders.coming > Fen(0) || reminders.paid > Fen(0) {
                    p.hint { (desk.tell("text.money.sums", &[("coming", &reminders.coming.to_string()), ("paid", &reminders.paid.to_string())])) }
                }
                div.actions { a.way href="/claims" { (desk.say("web.money.all_claims")) } }
            }
        },
    })
}

/// Returns the half-months with receipts that no submitted claim holds, or with an open claim; the current one always.
fn halves(
    store: &Store,
    papers: &[Paper],
    current: Option<HalfMonth>,
) -> Result<BTreeMap<HalfMonth, Waiting>, NotebookError> {
    let mut halves: BTreeMap<HalfMonth, Waiting> = BTreeMap::new();
    halves.extend(current.map(|half| (half, Waiting::default())));
    for paper in papers {
        if let Some(half) = paper.date.and_then(HalfMonth::of) {
            let waiting = halves.entry(half).or_default();
            waiting.vouchers += 1;
            waiting.sum = waiting.sum.saturating_add(paper.amount.unwrap_or_default().0);
        }
    }
    let open: BTreeSet<HalfMonth> = mine(store)?
        .into_iter()
        .filter(|(document, _)| claim_machine::CLAIM.opens(document.state))
        .filter_map(|(_, claim)| claim.half)
        .collect();
    halves.extend(
        open.into_iter()
            .filter(|half| !halves.contains_key(half))
            .map(|half| (half, Waiting::default()))
            .collect::<Vec<_>>(),
    );
    Ok(halves)
}

/// Returns the button that opens the ready-made claim of a half-month.
pub(super) fn ready(desk: &Desk<'_>, half: HalfMonth, vouchers: usize, sum: Fen) -> Markup {
    let facts = [("half", half.to_string()), ("n", vouchers.to_string()), ("sum", sum.to_string())];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    desk.form(&format!("/claims/{half}/draft"), &html! {
        button.first[vouchers > 0] id={ "claim-" (half) } data-step="claim-open" type="submit" { (desk.tell("web.money.open", &facts)) }
    })
}

fn alerts(desk: &Desk<'_>, reminders: &Reminders) -> Markup {
    let none = || "–".to_owned();
    html! {
        @if reminders.expired > 0 { (widgets::told(Tone::Bad, &desk.tell("text.money.expired", &[("n", &reminders.expired.to_string())]))) }
        @if let Some(next) = &reminders.next {
            (widgets::told(if next.soon { Tone::Warning } else { Tone::Good }, &desk.tell("text.money.next", &[
                ("batch", &next.mailing.cycle.to_string()), ("day", &next.mailing.due.to_string()),
                ("n", &next.days_left.to_string()), ("vouchers", &next.vouchers.to_string()),
            ])))
        }
        @if !reminders.expiring.is_empty() || !reminders.trips.is_empty() || !reminders.cases.is_empty() {
            section {
                h2 { (desk.say("web.money.due")) }
                ul.findings {
                    @for voucher in &reminders.expiring {
                        li.warning { a href={ "/vouchers/" (voucher.voucher) } { (desk.tell("text.money.expiring", &[
                            ("code", &voucher.voucher.code()), ("amount", &voucher.amount.to_string()), ("day", &voucher.last_day.to_string()),
                            ("n", &voucher.days_left.to_string()), ("batch", &voucher.last_with.as_ref().map_or_else(none, |last| last.cycle.to_string())),
                        ])) } }
                    }
                    @for (id, half, _) in &reminders.trips {
                        li.bad { a href={ "/trips/" (half) } { (desk.tell("text.money.trip", &[("half", half), ("code", &id.code())])) } }
                    }
                    @for (id, until) in &reminders.cases {
                        li.bad { a href={ "/cases/" (id) } { (desk.tell("text.money.case", &[("code", &id.code()), ("day", &until.map_or_else(none, |day| day.to_string()))])) } }
                    }
                }
            }
        }
    }
}

fn row(desk: &Desk<'_>, claim: &OnItsWay) -> Row {
    let state = desk.lang.label(claim.state.zh, claim.state.en);
    let tone = match claim.state.name {
        "returned" | "rejected" => Tone::Bad,
        "paid" | "closed" => Tone::Good,
        _ => Tone::Plain,
    };
    let due = claim.clock.as_ref().and_then(|clock| clock.due);
    Row {
        href: format!("/claims/{}", claim.id),
        title: claim.number.clone().unwrap_or_else(|| claim.id.code()),
        below: html! {
            (widgets::badge(tone, state))
            @if let Some(half) = claim.half { " " (half) }
            @if let Some(due) = due { " · " (desk.tell("web.money.clock", &[("day", &due.to_string())])) }
            @if let Some(day) = claim.paid_on { " · " (desk.tell("web.money.paid_on", &[("day", &day.to_string())])) }
            @else if let Some(day) = claim.paid_by { " · " (desk.tell("web.money.paid_by", &[("day", &day.to_string())])) }
        },
        right: html! { strong { (claim.payable) } },
    }
}
