//! The trip summary of a half-month: built by itself, corrected day by day, confirmed in one step.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Tone};
use records::kinds::trip::TripDays;
use records::policy::cycle::HalfMonth;
use records::schema::Typed;
use records::time::{Day, Zone};

use crate::cli::fault::Fault;
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::trip::build::BuiltDay;
use crate::notebook::trip::{self, Summary};
use crate::notebook::{show, typed};
use crate::store::Store;
use crate::web::desk::{Desk, Leaf, Place};

/// A day as the page shows it: each field's value for a person, and as it is typed.
struct Told {
    day: Day,
    fields: Vec<(&'static records::schema::Field, String, String)>,
    sheets: Vec<(String, String)>,
    written: bool,
}

/// Returns the summary.
pub(super) fn page(desk: &Desk<'_>, half: &str) -> Result<Reply, Fault> {
    desk.page(&leaf(desk, half)?)
}

/// Corrects a day.
pub(super) fn set(desk: &Desk<'_>, half: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let pairs: Vec<Pair> =
        form.under("set.").into_iter().map(|(name, value)| Pair::new(name, value)).collect();
    let done = desk.with(|store| {
        let of = trip::half(store, half)?;
        let day = form.get("day").and_then(|day| day.parse().ok()).unwrap_or_default();
        trip::set(store, of, day, &pairs, desk.now())
    });
    after(desk, half, "saved", done)
}

/// Confirms the summary, or takes it back.
pub(super) fn step(desk: &Desk<'_>, half: &str, step: &str) -> Result<Reply, Fault> {
    let done = desk.with(|store| {
        let of = trip::half(store, half)?;
        match step {
            "submit" => trip::submit(store, of, desk.lang.of_labels(), desk.now()),
            _ => trip::withdraw(store, of, desk.now()),
        }
    });
    after(desk, half, "saved", done)
}

fn after<T>(desk: &Desk<'_>, half: &str, key: &str, outcome: Result<T, Fault>) -> Result<Reply, Fault> {
    let back = desk
        .visit
        .query
        .get("back")
        .map_or_else(|| format!("/trips/{}", pages::visit::part(half)), ToOwned::to_owned);
    match outcome {
        Ok(_) => Ok(Reply::go(&format!("{back}?done={key}"))),
        Err(fault) => desk.refused(&leaf(desk, half)?, &fault),
    }
}

fn leaf(desk: &Desk<'_>, half: &str) -> Result<Leaf, Fault> {
    let lang = desk.lang.of_labels();
    let (summary, days) = desk.with(|store| {
        let summary = trip::summary(store, trip::half(store, half)?, lang)?;
        let days = summary.days.iter().map(|(day, built)| told(store, desk, &summary, *day, built));
        let days = days.collect::<Result<Vec<_>, NotebookError>>()?;
        Ok::<_, NotebookError>((summary, days))
    })?;
    let waits = ["draft", "returned", "reopened"].contains(&summary.state.name);
    let half = summary.half;
    Ok(Leaf {
        place: Place::Money,
        title: desk.tell("web.trip.one", &[("half", &half.to_string())]),
        back: Some("/money".to_owned()),
        content: html! {
            p { (widgets::badge(if waits { Tone::Warning } else { Tone::Good }, desk.lang.label(summary.state.zh, summary.state.en))) }
            @if days.is_empty() { p.none { (desk.say("text.trip.empty")) } }
            @if waits && !days.is_empty() {
                (desk.form(&format!("/trips/{half}/submit"), &html! {
                    button.first #trip-confirm data-step="trip-confirm" type="submit" { (desk.tell("web.trip.confirm", &[("half", &half.to_string())])) }
                }))
            }
            @for day in &days { (day_of(desk, half, day, waits)) }
            @if waits { (add_day(desk, half)) }
            div.actions {
                a.way href={ "/papers/" (half) } download { (desk.say("web.trip.print")) }
                @if let Some(id) = summary.id { a.way href={ "/history/" (id) } { (desk.say("web.history")) } }
            }
            @if summary.state.name == "submitted" {
                (desk.form(&format!("/trips/{half}/withdraw"), &html! {
                    button #trip-withdraw type="submit" { (desk.say("web.trip.withdraw")) }
                }))
            }
        },
    })
}

fn told(
    store: &Store,
    desk: &Desk<'_>,
    summary: &Summary,
    day: Day,
    built: &BuiltDay,
) -> Result<Told, NotebookError> {
    let zone: Zone = store.zone();
    let values = typed::row(&built.row);
    let mut fields = Vec::new();
    for (field, value) in TripDays::GROUP.fields.iter().zip(&values).filter(|(field, _)| field.name != "date")
    {
        let (said, typed) = match value {
            Some(value) => {
                (show::named(store, field, value, zone, desk.lang.of_labels())?, value.text(field.ty, zone))
            }
            None => (String::new(), String::new()),
        };
        fields.push((field, said, typed));
    }
    let mut sheets = Vec::new();
    for id in &built.sheets {
        sheets.push((id.to_string(), show::name(store, *id)?));
    }
    Ok(Told { day, fields, sheets, written: summary.written.contains_key(&day) })
}

fn day_of(desk: &Desk<'_>, half: HalfMonth, told: &Told, open: bool) -> Markup {
    let said = |name: &str| {
        told.fields.iter().find(|(field, ..)| field.name == name).map_or("", |(_, said, _)| said.as_str())
    };
    html! {
        details id={ "day-" (told.day) } {
            summary {
                span.main { strong { (told.day) } " " (widgets::short(said("place"))) " · " (widgets::short(said("purpose"))) }
                @if told.written { span.right { (widgets::badge(Tone::Plain, &desk.say("web.trip.corrected"))) } }
            }
            (widgets::facts(&told.fields.iter().filter(|(_, said, _)| !said.is_empty()).map(|(field, said, _)| (desk.lang.label(field.zh, field.en).to_owned(), widgets::text(said))).collect::<Vec<_>>()))
            @for (id, name) in &told.sheets { a.way href={ "/sheets/" (id) } { (widgets::short(name)) } }
            @if open {
                (desk.form(&format!("/trips/{half}/set"), &html! {
                    input type="hidden" name="day" value=(told.day);
                    @for (field, _, typed) in &told.fields { (widgets::field(field, typed, desk.lang.of_labels())) }
                    button type="submit" { (desk.say("web.save")) }
                }))
            }
        }
    }
}

fn add_day(desk: &Desk<'_>, half: HalfMonth) -> Markup {
    html! {
        details {
            summary { (desk.say("web.trip.add_day")) }
            (desk.form(&format!("/trips/{half}/set"), &html! {
                label.field { span { (desk.say("column.date")) } input type="date" name="day" min=(half.first()) max=(half.last()) required; }
                @for field in TripDays::GROUP.fields.iter().filter(|field| ["place", "purpose", "nights"].contains(&field.name)) {
                    (widgets::field(field, "", desk.lang.of_labels()))
                }
                button type="submit" { (desk.say("web.save")) }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn a_summary_is_built_from_the_sheets_corrected_and_confirmed_in_one_step() {
        let device = Device::new();
        let browser = Browser::of(&device);
        assert!(!browser.get("/trips/2026-11-H2").contains("trip-confirm"), "there is nothing to confirm");
        device.ready();
        let page = browser.get("/trips/2026-11-H2");
        assert!(page.contains("2026-11-22") && page.contains("id=\"trip-confirm\""), "{page}");
        browser.send(
            "/trips/2026-11-H2/set",
            &[("day", "2026-11-22"), ("set.purpose", "<i>pump</i>"), ("set.nights", "1")],
        );
        assert!(browser.get("/trips/2026-11-H2").contains("&lt;i&gt;pump"));
        assert!(
            browser
                .refused("/trips/2026-11-H2/set", &[("day", "2026-12-01"), ("set.nights", "1")])
                .contains("W-43")
        );
        browser.send("/trips/2026-11-H2/submit", &[]);
        assert!(browser.get("/trips/2026-11-H2").contains("trip-withdraw"));
    }
}
