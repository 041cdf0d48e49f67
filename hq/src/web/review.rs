//! The branch's reviews at the office: the supervisor's list, the GM's list per mailing, one claim with its pictures.

mod claim;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{self, Verb};
use pages::widgets::{self, Row, Tone};
use records::kinds::claim_machine as at;
use records::money::Fen;

use crate::cli::answer::Fault;
use crate::money::cycles::CycleTotal;
use crate::money::seats::{Seat, seat_for};
use crate::money::waiting::Waiting;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// Mailings before the one that is looked at.
const BEFORE: usize = 6;

/// Returns the answer to a visit below `/review`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, rest: &[&str]) -> Result<Reply, Fault> {
    desk.only(Place::Review)?;
    match (verb, rest) {
        (Verb::Get, []) => Ok(desk.page(&leaf(desk)?)),
        (Verb::Post, ["clean"]) => clean(desk),
        (Verb::Get, [id]) => claim::page(desk, id),
        (Verb::Post, [id, what]) => claim::act(desk, id, what),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

/// A claim that waits for this person, with the seat from which he reviews it.
pub(super) struct Mine {
    waiting: Waiting,
    seat: Seat,
    /// Rules that have to be acknowledged.
    alerts: Vec<String>,
}

/// Returns what waits for this person's review.
pub(super) fn mine(desk: &Desk<'_>) -> Result<(Vec<Mine>, Names), Fault> {
    let (staff, today) = (desk.person.staff, desk.today());
    desk.look(|office| {
        let seats = office.seats(staff, today)?;
        let mut mine = Vec::new();
        for waiting in office.waiting(&[at::SUBMITTED, at::SUP_APPROVED], today)? {
            let claim = &waiting.held.claim;
            let step = if claim.state == at::SUBMITTED { "sup_approve" } else { "gm_approve" };
            let plain = office.plain_facts(claim, today)?;
            let Some(seat) = seat_for(&seats, step, claim, &plain).cloned() else { continue };
            let facts = office.facts(claim, today)?;
            let alerts = facts.alerts.get(&claim.id).into_iter().flatten().cloned().collect();
            mine.push(Mine { waiting, seat, alerts });
        }
        Ok((mine, Names::read(office)?))
    })
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let (mine, names) = mine(desk)?;
    let (first, second): (Vec<Mine>, Vec<Mine>) =
        mine.into_iter().partition(|mine| mine.waiting.held.claim.state == at::SUBMITTED);
    let mailings = mailings(desk, second)?;
    let rows: Vec<Row> = first.iter().map(|mine| row(desk, mine, &names)).collect();
    let none = rows.is_empty() && mailings.is_empty();
    Ok(Leaf {
        place: Place::Review,
        title: desk.say("console.tab.review"),
        back: None,
        content: html! {
            @if none { p.none { (desk.say("money.review.none")) } }
            @if !rows.is_empty() {
                h2 { (desk.say("money.review.first")) " (" (rows.len()) ")" }
                (widgets::rows(&rows, ""))
            }
            @for mailing in &mailings { (mailing_of(desk, mailing, &names)) }
        },
    })
}

fn row(desk: &Desk<'_>, mine: &Mine, names: &Names) -> Row {
    let held = &mine.waiting.held;
    Row {
        href: format!("/review/{}", visit::part(&held.record.id.to_string())),
        title: held.no(),
        below: html! {
            (widgets::short(&names.of(Some(held.claim.staff)))) " · "
            (desk.tell("money.n_lines", &[("n", &held.claim.lines.len().to_string())])) " · "
            (desk.tell("money.n_vouchers", &[("n", &held.claim.voucher_count().to_string())]))
            @for rule in &mine.alerts { " " (widgets::badge(Tone::Warning, &parts::rule(desk, rule))) }
        },
        right: html! { strong { (held.claim.claimed_total()) } br; (parts::due(desk, &mine.waiting)) },
    }
}

/// The claims of one branch and mailing that wait for the GM, beside the mailings before it.
struct Mailing {
    cycle: String,
    claims: Vec<Mine>,
    before: Vec<CycleTotal>,
}

fn mailings(desk: &Desk<'_>, claims: Vec<Mine>) -> Result<Vec<Mailing>, Fault> {
    let mut all: BTreeMap<String, Vec<Mine>> = BTreeMap::new();
    for mine in claims {
        let submission = mine.waiting.held.claim.submission.as_ref();
        all.entry(submission.map(|submission| submission.cycle.clone()).unwrap_or_default())
            .or_default()
            .push(mine);
    }
    let mut mailings = Vec::new();
    for (cycle, mut claims) in all {
        // What has to be looked at comes first, then what is dearest.
        claims.sort_by_key(|mine| (mine.alerts.is_empty(), -mine.waiting.held.claim.claimed_total().0));
        let unit = claims.first().and_then(|mine| mine.waiting.held.claim.unit);
        let before = desk.look(|office| {
            let terms = office.terms()?;
            let branch = unit.and_then(|unit| terms.people.branch_of(unit));
            let totals = branch.map(|branch| office.cycle_totals(branch)).transpose()?.unwrap_or_default();
            Ok(totals.into_iter().skip_while(|total| total.cycle > cycle).take(BEFORE + 1).collect())
        })?;
        mailings.push(Mailing { cycle, claims, before });
    }
    Ok(mailings)
}

fn mailing_of(desk: &Desk<'_>, mailing: &Mailing, names: &Names) -> Markup {
    let rows: Vec<Row> = mailing.claims.iter().map(|mine| row(desk, mine, names)).collect();
    let clean: Vec<&Mine> = mailing.claims.iter().filter(|mine| mine.alerts.is_empty()).collect();
    let total = mailing.claims.iter().map(|mine| mine.waiting.held.claim.claimed_total().0);
    let total = Fen(total.fold(0, i64::saturating_add));
    let facts =
        [("n", rows.len().to_string()), ("amount", total.to_string()), ("cycle", mailing.cycle.clone())];
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    html! {
        section {
            h2 { (desk.tell("money.review.mailing", &facts)) }
            @if !clean.is_empty() {
                (desk.form("/review/clean", &html! {
                    @for mine in &clean { input type="hidden" name="claim" value=(mine.waiting.held.record.id); }
                    @if let Some(first) = clean.first() { (parts::seat(desk, &first.seat)) }
                    button.first type="submit" name="clean" value=(mailing.cycle) { (desk.tell("money.review.clean", &[("n", &clean.len().to_string())])) }
                }))
            }
            (widgets::rows(&rows, ""))
            h3 { (desk.say("money.review.before")) }
            (totals(desk, &mailing.before))
        }
    }
}

fn totals(desk: &Desk<'_>, before: &[CycleTotal]) -> Markup {
    let columns = [("cycle", false), ("claims", true), ("claimed", true)]
        .map(|(key, number)| parts::column(desk, key, number));
    let cells = |total: &CycleTotal| {
        vec![html! { (widgets::short(&total.cycle)) }, html! { (total.claims) }, html! { (total.claimed) }]
    };
    let rows: Vec<Vec<Markup>> = before.iter().map(cells).collect();
    widgets::table(&desk.say("money.review.before"), &columns, &rows, &desk.say("money.review.none"))
}

/// Approves all claims of a mailing on which nothing was found.
fn clean(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let claims: Vec<String> = desk.visit.form.all("claim").map(str::to_owned).collect();
    match desk.act(move |office, actor, now_ms| office.approve_clean(&claims, actor, now_ms)) {
        Ok(done) if done.left.is_empty() => Ok(Reply::go("/review?done=reviewed")),
        Ok(_) => Ok(Reply::go("/review?done=reviewed_some")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}
