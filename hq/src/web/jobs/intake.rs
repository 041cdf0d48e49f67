//! Intake: the customer by phone or name, his site and machine, what is wanted, who goes and when; on two pages.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Row, Weight};
use records::id::DocId;
use records::kinds::customer::CUSTOMER;
use records::kinds::template::SheetType;
use records::time::Ts;
use records::value::Target;

use crate::cli::answer::Fault;
use crate::jobs::{Known, Wish};
use crate::lists::Sieve;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::jobs::{assignee, find, now, planned, reader, times, workers};

/// An hour; whoever does not say otherwise comes for two of them.
const HOUR_MS: i64 = 60 * 60 * 1000;
/// Customers that are shown.
const FOUND: usize = 20;

/// Asks who calls, then what he wants.
pub(super) fn ask(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let query = &desk.visit.query;
    if query.get("customer").is_some() || query.get("named").is_some() || query.get("again").is_some() {
        return Ok(desk.page(&wanted(desk)?));
    }
    let typed = query.get("q").unwrap_or_default();
    let reader = reader(desk)?;
    let sieve = Sieve { text: typed.to_owned(), ..Sieve::default() };
    let found = match typed {
        "" => Vec::new(),
        _ => desk.look(|office| Ok(office.listed(&reader, &CUSTOMER, &sieve, (0, FOUND))?.0))?,
    };
    let rows: Vec<Row> = found
        .iter()
        .map(|line| Row {
            href: format!("/jobs/new?customer={}", part(&line.id.to_string())),
            title: if line.title.is_empty() { line.no.clone() } else { line.title.clone() },
            below: html! { (widgets::short(&line.no)) },
            right: html! {},
        })
        .collect();
    let content = html! {
        form.filters method="get" action="/jobs/new" {
            label.field { span { (desk.say("console.jobs.caller")) }
                input type="search" name="q" id="caller" value=(typed) autofocus autocomplete="off";
            }
            (widgets::button(Weight::First, &desk.say("console.search"), None))
        }
        @if !typed.is_empty() {
            (widgets::rows(&rows, &desk.say("console.jobs.nobody")))
            div.actions { a.way href={ "/jobs/new?named=" (part(typed)) } id="unknown" { (desk.tell("console.jobs.unknown", &[("name", typed)])) } }
        }
    };
    Ok(desk.page(&leaf(desk, content)))
}

fn leaf(desk: &Desk<'_>, content: Markup) -> Leaf {
    Leaf { place: Place::Jobs, title: desk.say("console.jobs.new"), back: Some("/jobs".to_owned()), content }
}

/// What the form knows before it is filled in: the customer, or the job that this one continues.
fn customer(desk: &Desk<'_>) -> Result<(Option<Known>, String, Option<DocId>), Fault> {
    let field = |name: &str| desk.visit.form.get(name).or_else(|| desk.visit.query.get(name));
    let before = match field("again") {
        Some(id) => Some(find(desk, id)?),
        None => None,
    };
    let of_before = match &before {
        Some(before) => {
            let id = before.id;
            let record = desk.look(|office| Ok(office.record(id)?))?;
            let place = record.and_then(|record| record.get::<records::kinds::job::JobPlace>());
            place.and_then(|place| place.customer).map(|customer| customer.0)
        }
        None => None,
    };
    let chosen = match field("customer") {
        Some(id) => id.parse().ok(),
        None => match &of_before {
            Some(Target::Doc(id)) => Some(*id),
            _ => None,
        },
    };
    let known = match chosen {
        Some(id) => desk.look(|office| Ok(office.customer_known(id)?))?,
        None => None,
    };
    let named = match (field("named"), of_before) {
        (Some(named), _) => named.to_owned(),
        (None, Some(Target::Text(text))) => text,
        _ => String::new(),
    };
    Ok((known, named, before.map(|before| before.id)))
}

fn wanted(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let (known, named, before) = customer(desk)?;
    let people = desk.look(|office| Ok(office.people()?))?;
    let words = desk.lang.words();
    let field = |name: &str| desk.visit.form.get(name).unwrap_or_default();
    let kind = desk.visit.form.get("type").unwrap_or("repair");
    let next = next_hour(now(desk));
    let content = desk.form(
        "/jobs/new",
        &html! {
            @match &known {
                Some(known) => {
                    p.big { (widgets::text(&known.name)) }
                    input type="hidden" name="customer" value=(known.id);
                    (places(desk, known))
                }
                None => (widgets::input("named", &desk.say("console.jobs.customer"), &named, "text", None)),
            }
            @if let Some(before) = before { input type="hidden" name="again" value=(before); }
            fieldset.choices {
                legend { (desk.say("console.jobs.type")) }
                @for (word, zh, en) in SheetType::CHOICES.options {
                    (widgets::choice("type", word, words.pick(zh, en), *word == kind))
                }
            }
            label.field { span { (desk.say("console.jobs.what")) }
                textarea name="instructions" rows="3" maxlength="4000" { (field("instructions")) }
            }
            (workers(desk, &people, desk.today())?)
            (times(desk, Some(next), Some(Ts(next.0 + 2 * HOUR_MS))))
            (widgets::button(Weight::First, &desk.say("console.jobs.make"), Some(("step", "open"))))
        },
    );
    Ok(leaf(desk, content))
}

fn next_hour(now: Ts) -> Ts {
    Ts(now.0.saturating_sub(now.0.rem_euclid(HOUR_MS)).saturating_add(HOUR_MS))
}

fn places(desk: &Desk<'_>, known: &Known) -> Markup {
    let site = desk.visit.form.get("site").unwrap_or_default();
    let asset = desk.visit.form.get("asset").unwrap_or_default();
    let sites: Vec<(String, String)> =
        known.sites.iter().map(|(id, name)| (id.to_string(), widgets::plain(name))).collect();
    let only = if sites.len() == 1 { sites.first().map_or("", |(id, _)| id.as_str()) } else { "" };
    let site = if site.is_empty() { only } else { site };
    let place =
        |at: &DocId| known.sites.iter().find(|(id, _)| id == at).map_or("", |(_, name)| name.as_str());
    let assets: Vec<(String, String)> = known
        .assets
        .iter()
        .map(|(at, id, name)| (id.to_string(), widgets::plain(&format!("{name} · {}", place(at)))))
        .collect();
    let refer = |list: &[(String, String)], name: &str, key: &str, value: &str| {
        let options: Vec<(&str, &str)> = list.iter().map(|(id, said)| (id.as_str(), said.as_str())).collect();
        widgets::select(name, &desk.say(key), &options, value)
    };
    html! {
        div.two {
            (refer(&sites, "site", "console.jobs.site", site))
            (refer(&assets, "asset", "console.jobs.asset", asset))
        }
    }
}

/// Opens the job.
pub(super) fn open(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let opened = wish(desk)
        .and_then(|wish| desk.act(move |office, actor, now_ms| office.open_job(&wish, actor, now_ms)));
    match opened {
        Ok((id, _)) => Ok(Reply::go(&format!("/jobs/{}?done=job_open", part(&id.to_string())))),
        Err(fault) => Ok(desk.refused(&wanted(desk)?, &fault)),
    }
}

fn wish(desk: &Desk<'_>) -> Result<Wish, Fault> {
    let form = &desk.visit.form;
    let kind = form.get("type").and_then(|word| SheetType::CHOICES.index(word)).map(SheetType);
    let kind = kind.ok_or_else(|| Fault::usage("console.fault.type"))?;
    let (known, named, before) = customer(desk)?;
    let doc = |name: &str| form.get(name).and_then(|id| id.parse::<DocId>().ok());
    let asset = doc("asset");
    // Whoever names the machine has named the site.
    let of_asset = known.as_ref().and_then(|known| known.assets.iter().find(|(_, id, _)| Some(*id) == asset));
    let customer = match known {
        Some(ref known) => Some(Target::Doc(known.id)),
        None => (!named.is_empty()).then(|| Target::Text(named.chars().take(120).collect())),
    };
    let (from, to) = planned(desk)?;
    Ok(Wish {
        kind,
        customer: Some(customer.ok_or_else(|| Fault::usage("console.fault.customer"))?),
        site: of_asset.map(|(site, ..)| *site).or_else(|| doc("site")),
        asset,
        assignee: assignee(desk)?,
        from,
        to,
        instructions: form.get("instructions").unwrap_or_default().to_owned(),
        follow_up_of: before,
    })
}
