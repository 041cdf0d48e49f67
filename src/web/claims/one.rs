//! One claim: what stands in the way, its lines, its trip summaries, its submission, its papers.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Tone};
use records::claim::checks;
use records::claim::view::Line;
use records::kinds::claim::Lines;
use records::kinds::claim_machine;
use records::kinds::voucher::Category;
use records::machine::State;
use records::problems::Problem;
use records::schema::Typed;
use records::time::Zone;

use crate::cli::fault::Fault;
use crate::notebook::claim::check::Checked;
use crate::notebook::claim::submit::waiting;
use crate::notebook::claim::way::{Way, way};
use crate::notebook::refusal::NotebookError;
use crate::notebook::trip;
use crate::web::claims::way as told;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::shown;

/// What a line's form changes.
const EDITED: [&str; 5] = ["claimed", "from_to", "detail", "no_sheet_reason", "note"];

pub(super) struct Seen {
    pub(super) way: Way,
    trips: Vec<(String, &'static State)>,
    pub(super) zone: Zone,
    pub(super) today: records::time::Day,
}

impl Seen {
    pub(super) fn checked(&self) -> &Checked {
        &self.way.checked
    }

    fn open(&self) -> bool {
        claim_machine::CLAIM.opens(self.checked().claim.state)
    }
}

/// Returns the page of a claim.
pub(crate) fn one(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&leaf(desk, id)?)
}

pub(super) fn leaf(desk: &Desk<'_>, id: &str) -> Result<Leaf, Fault> {
    let seen = desk.with(|store| {
        let way = way(store, id, desk.lang.of_labels(), desk.now())?;
        let mut trips = Vec::new();
        for id in &way.checked.claim.trips {
            trips.extend(trip::brief(store, *id)?);
        }
        let zone = store.zone();
        Ok::<_, NotebookError>(Seen { way, trips, zone, today: desk.now().wall.day(zone) })
    })?;
    let claim = &seen.checked().claim;
    let named = claim.no.clone().unwrap_or_else(|| claim.id.code());
    Ok(Leaf {
        place: Place::Money,
        title: desk.tell("web.claim.one", &[("code", &named)]),
        back: Some("/money".to_owned()),
        content: content(desk, &seen),
    })
}

fn content(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let checked = seen.checked();
    let id = checked.claim.id;
    let state = seen.way.shown.line.state;
    let mut found: Vec<&Problem> = checked.problems.iter().collect();
    found.sort_by_key(|problem| !checks::stands_in_the_way(problem, &checked.claim));
    let found: Vec<Problem> = found.into_iter().cloned().collect();
    html! {
        p.big { (checked.settled.payable) " " (widgets::badge(Tone::Plain, state.map_or("", |state| desk.lang.label(state.zh, state.en)))) }
        (widgets::facts(&totals(desk, checked)))
        @if seen.open() && checked.in_the_way().next().is_none() { (widgets::told(Tone::Good, &desk.say("text.claim.ready"))) }
        @if !seen.open() { (told::standing(desk, seen)) }
        (shown::problems(desk, &found, |problem| mend(desk, seen, problem)))
        (trips(desk, seen))
        @if seen.open() { (submit(desk, seen)) }
        div.actions {
            a.way #claim-print href={ "/papers/" (id) } download { (desk.say("web.claim.print")) }
            a.way href={ "/history/" (id) } { (desk.say("web.history")) }
        }
        section { h2 { (desk.say("web.claim.lines")) } @for line in &checked.claim.lines { (line_of(desk, seen, line)) } }
        (told::rest(desk, seen))
    }
}

fn totals(desk: &Desk<'_>, checked: &Checked) -> Vec<(String, Markup)> {
    let settled = &checked.settled;
    let mut rows = vec![
        (desk.say("column.claimed"), html! { (settled.claimed) }),
        (desk.say("column.payable"), html! { strong { (settled.payable) } }),
    ];
    if settled.self_paid.0 != 0 {
        rows.push((
            desk.say("column.self_paid"),
            html! { (widgets::badge(Tone::Warning, &settled.self_paid.to_string())) },
        ));
    }
    if settled.taken_off.0 != 0 {
        rows.push((
            desk.say("column.taken_off"),
            html! { (widgets::badge(Tone::Bad, &settled.taken_off.to_string())) },
        ));
    }
    if let Some(day) = checked.submit_by {
        rows.push((desk.say("text.claim.submit_by"), html! { (day) }));
    }
    if let Some(goes) = &checked.goes_with {
        let said = desk.tell(
            "text.claim.mailing",
            &[("batch", &goes.cycle.to_string()), ("due", &goes.due.to_string())],
        );
        rows.push((desk.say("text.claim.goes_with"), html! { (said) }));
    }
    if checked.vp {
        rows.push((desk.say("text.claim.vp"), html! { (desk.say("text.claim.vp_asked")) }));
    }
    rows
}

/// Returns where a finding is put right: the line's receipt, the trip summary, the line itself.
fn mend(desk: &Desk<'_>, seen: &Seen, problem: &Problem) -> Option<(String, String)> {
    if !seen.open() {
        return None;
    }
    let label = desk.say("web.mend");
    if problem.group == "trip" || problem.group == "day" {
        return seen.trips.first().map(|(half, _)| (format!("/trips/{half}"), label));
    }
    let line = checks::line_of(problem).and_then(|n| seen.checked().claim.line(n))?;
    let voucher = line.vouchers.iter().find_map(|ticket| ticket.voucher);
    match voucher.filter(|_| problem.group == "voucher" || problem.group == "amount") {
        Some(voucher) => Some((format!("/vouchers/{voucher}"), label)),
        None => Some((format!("#line-{}", line.n), label)),
    }
}

/// Returns the trip summaries that go with the claim; those that wait are confirmed here.
fn trips(desk: &Desk<'_>, seen: &Seen) -> Markup {
    html! {
        @if !seen.trips.is_empty() {
            section {
                h2 { (desk.say("web.claim.trips")) }
                @for (half, state) in &seen.trips {
                    @let waits = ["draft", "returned", "reopened"].contains(&state.name);
                    p {
                        a href={ "/trips/" (half) } { (desk.tell("web.trip.one", &[("half", half)])) } " "
                        (widgets::badge(if waits { Tone::Warning } else { Tone::Good }, desk.lang.label(state.zh, state.en)))
                    }
                    @if waits && seen.open() {
                        (desk.form(&format!("/trips/{half}/submit?back=/claims/{}", seen.checked().claim.id), &html! {
                            button.first id={ "trip-confirm-" (half) } data-step="trip-confirm" type="submit" { (desk.tell("web.trip.confirm", &[("half", half)])) }
                        }))
                    }
                }
            }
        }
    }
}

/// Returns the submission, with a field for each reason that a finding asks for.
fn submit(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let checked = seen.checked();
    let stands: Vec<Problem> = checked.in_the_way().cloned().collect();
    let asked = waiting(&stands);
    desk.form(&format!("/claims/{}/submit", checked.claim.id), &html! {
        @for (place, point) in &asked {
            label.field { span { (desk.tell("web.claim.reason", &[("place", place)])) " " (widgets::text(&point.text(desk.lang.of_labels()))) }
                textarea name={ "reason." (place) } rows="2" maxlength="500" {}
            }
        }
        button.first #claim-submit data-step="claim-submit" type="submit" { (desk.say("web.claim.submit")) }
    })
}

fn line_of(desk: &Desk<'_>, seen: &Seen, line: &Line) -> Markup {
    let category = line.category.and_then(|category| Category::CHOICES.option(category.0));
    let category = category.map_or("?", |(_, zh, en)| desk.lang.label(zh, en));
    let settled = seen.checked().settled.line(line.n);
    let words = if line.from_to.is_empty() { &line.detail } else { &line.from_to };
    html! {
        details id={ "line-" (line.n) } {
            summary {
                span.main { (line.n) " · " (category) " · " (line.date.map(|day| day.to_string()).unwrap_or_default()) " " (widgets::short(words)) }
                span.right { strong { (line.claimed) }
                    @if let Some(settled) = settled.filter(|settled| settled.paid.payable != line.claimed) { " → " strong { (settled.paid.payable) } }
                }
            }
            ul.plain {
                @for ticket in &line.vouchers {
                    @if let Some(voucher) = ticket.voucher {
                        li { a.way href={ "/vouchers/" (voucher) } { (desk.tell("web.voucher.one", &[("code", &voucher.code())])) " " (ticket.amount) } }
                    }
                }
            }
            @if seen.open() { (edit(desk, seen, line)) }
        }
    }
}

fn edit(desk: &Desk<'_>, seen: &Seen, line: &Line) -> Markup {
    let id = seen.checked().claim.id;
    let value = |name: &str| match name {
        "claimed" => line.claimed.to_string(),
        "from_to" => line.from_to.clone(),
        "detail" => line.detail.clone(),
        "no_sheet_reason" => line.no_sheet_reason.clone(),
        _ => line.note.clone(),
    };
    let fields = Lines::GROUP.fields.iter().filter(|field| EDITED.contains(&field.name));
    html! {
        (desk.form(&format!("/claims/{id}/lines/{}/set", line.n), &html! {
            @for field in fields { (widgets::field(field, &value(field.name), desk.lang.of_labels())) }
            button type="submit" { (desk.say("web.save")) }
        }))
        (desk.form(&format!("/claims/{id}/lines/{}/remove", line.n), &html! {
            button.danger type="submit" data-confirm=(desk.say("web.claim.remove_sure")) { (desk.say("web.claim.remove")) }
        }))
    }
}
