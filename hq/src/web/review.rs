//! The branch's reviews at the office: the supervisor's list, the GM's list per mailing, one claim with its pictures.

mod claim;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

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
use crate::web::claims::paged;
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
            mine.push(Mine { waiting, seat });
        }
        Ok((mine, Names::read(office)?))
    })
}

/// A claim on the list, with the rules that have to be acknowledged.
struct Listed<'m> {
    mine: &'m Mine,
    alerts: BTreeSet<String>,
}

impl<'m> Listed<'m> {
    fn all(desk: &Desk<'_>, claims: impl IntoIterator<Item = &'m Mine>) -> Result<Vec<Self>, Fault> {
        desk.look(|office| {
            let listed =
                |mine: &'m Mine| Ok(Self { mine, alerts: office.unexplained(mine.waiting.held.claim.id)? });
            claims.into_iter().map(listed).collect()
        })
    }
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let (mine, names) = mine(desk)?;
    let (first, second): (Vec<&Mine>, Vec<&Mine>) =
        mine.iter().partition(|mine| mine.waiting.held.claim.state == at::SUBMITTED);
    // What stands on another page is not asked about.
    let here = Listed::all(desk, paged::part(desk, &first).iter().copied())?;
    let rows: Vec<Row> = here.iter().map(|listed| row(desk, listed, &names)).collect();
    let mut before = first.len();
    let mut shown = Vec::new();
    for mailing in mailings(second) {
        let n = mailing.claims.len();
        if !paged::part_after(desk, before, &mailing.claims).is_empty() {
            shown.push(mailing_of(desk, &mailing, before, &names)?);
        }
        before += n;
    }
    Ok(Leaf {
        place: Place::Review,
        title: desk.say("console.tab.review"),
        back: None,
        content: html! {
            @if mine.is_empty() { p.none { (desk.say("money.review.none")) } }
            @if !rows.is_empty() {
                h2 { (desk.say("money.review.first")) " (" (first.len()) ")" }
                (widgets::rows(&rows, ""))
            }
            @for mailing in &shown { (mailing) }
            (paged::more(desk, "/review", mine.len()))
        },
    })
}

fn row(desk: &Desk<'_>, listed: &Listed<'_>, names: &Names) -> Row {
    let held = &listed.mine.waiting.held;
    Row {
        href: format!("/review/{}", visit::part(&held.record.id.to_string())),
        title: held.no(),
        below: html! {
            (widgets::short(&names.of(Some(held.claim.staff)))) " · "
            (desk.tell("money.n_lines", &[("n", &held.claim.lines.len().to_string())])) " · "
            (desk.tell("money.n_vouchers", &[("n", &held.claim.voucher_count().to_string())]))
            @for rule in &listed.alerts { " " (widgets::badge(Tone::Warning, &parts::rule(desk, rule))) }
        },
        right: html! { strong { (held.claim.claimed_total()) } br; (parts::due(desk, &listed.mine.waiting)) },
    }
}

/// The claims of one mailing that wait for the GM.
struct Mailing<'m> {
    cycle: &'m str,
    claims: Vec<&'m Mine>,
}

fn mailings(claims: Vec<&Mine>) -> Vec<Mailing<'_>> {
    let mut all: BTreeMap<&str, Vec<&Mine>> = BTreeMap::new();
    for mine in claims {
        let submission = mine.waiting.held.claim.submission.as_ref();
        all.entry(submission.map_or("", |submission| submission.cycle.as_str())).or_default().push(mine);
    }
    all.into_iter().map(|(cycle, claims)| Mailing { cycle, claims }).collect()
}

/// Returns the branch's mailings up to one, the last ones first.
fn totals_before(desk: &Desk<'_>, mailing: &Mailing<'_>) -> Result<Vec<CycleTotal>, Fault> {
    let unit = mailing.claims.first().and_then(|mine| mine.waiting.held.claim.unit);
    desk.look(|office| {
        let terms = office.terms()?;
        let branch = unit.and_then(|unit| terms.people.branch_of(unit));
        let totals = branch.map(|branch| office.cycle_totals(branch)).transpose()?.unwrap_or_default();
        let later = |total: &CycleTotal| total.cycle.as_str() > mailing.cycle;
        Ok(totals.into_iter().skip_while(later).take(BEFORE + 1).collect())
    })
}

fn mailing_of(desk: &Desk<'_>, mailing: &Mailing<'_>, before: usize, names: &Names) -> Result<Markup, Fault> {
    let mut claims = Listed::all(desk, mailing.claims.iter().copied())?;
    // What has to be looked at comes first, then what is dearest.
    claims
        .sort_by_key(|listed| (listed.alerts.is_empty(), -listed.mine.waiting.held.claim.claimed_total().0));
    let here = paged::part_after(desk, before, &claims);
    let rows: Vec<Row> = here.iter().map(|listed| row(desk, listed, names)).collect();
    let clean: Vec<&Mine> =
        claims.iter().filter(|listed| listed.alerts.is_empty()).map(|listed| listed.mine).collect();
    let total = claims.iter().map(|listed| listed.mine.waiting.held.claim.claimed_total().0);
    let total = Fen(total.fold(0, i64::saturating_add));
    let facts =
        [("n", claims.len().to_string()), ("amount", total.to_string()), ("cycle", mailing.cycle.to_owned())];
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let totals_before = totals_before(desk, mailing)?;
    Ok(html! {
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
            (totals(desk, &totals_before))
        }
    })
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
