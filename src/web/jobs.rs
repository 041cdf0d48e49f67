//! Jobs: the list, and one job with everything that is known of its place; *arrived* opens its sheet.

mod hand_over;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{Verb, part};
use pages::widgets::{self, Row, Tone, Weight};
use records::id::DocId;
use records::kinds::customer::{CUSTOMER, Contacts};
use records::kinds::inspection::INSPECTION;
use records::kinds::job::JOB;
use records::kinds::sheet::Outcome;
use records::kinds::site::SITE;
use records::kinds::{job_machine, number};
use records::machine::{Reason, Step};
use records::value::{Target, Value};

use crate::cli::fault::{Exit, Fault};
use crate::notebook::arrive;
use crate::notebook::day::Visit;
use crate::notebook::find::{self, Wanted};
use crate::notebook::list::{self, Filter, Line};
use crate::notebook::pair::Pair;
use crate::notebook::show::{self, Shown};
use crate::notebook::state::Taken;
use crate::notebook::step::{Step as Take, step};
use crate::notebook::{rows, state, visits};
use crate::store::Store;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::past;
use crate::web::sheets::{badges, further, new, row as sheet_row};
use crate::web::shown::facts;

const JOBS: Wanted = Wanted::Kind(number::JOB);
/// Rows of one page of the list.
const ROWS: usize = 50;

/// Returns the answer to an address below `/jobs`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, parts: &[&str]) -> Result<Reply, Fault> {
    match (verb, parts) {
        (Verb::Get, []) => page(desk),
        (Verb::Get, [id]) => one(desk, id),
        (Verb::Get, [id, "history"]) => history(desk, id),
        (Verb::Post, [id, "arrived"]) => arrived(desk, id),
        (Verb::Post, [id, "step"]) => taken(desk, id),
        (Verb::Get, [id, "hand-over"]) => hand_over::page(desk, id),
        (Verb::Post, [id, "hand-over"]) => hand_over::hand(desk, id),
        _ => Err(Fault::new(Exit::Usage, "web.fault.no_page")),
    }
}

fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let query = &desk.visit.query;
    let state = query.get("state").filter(|state| job_machine::JOB.state(state).is_some());
    let from: usize = query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0).min(100_000);
    let filter = Filter {
        kinds: vec![&JOB],
        state: state.map(str::to_owned),
        limit: Some(from + ROWS + 1),
        ..Filter::default()
    };
    let lines = desk.with(|store| list::list(store, &filter, desk.lang.of_labels()))?;
    let rows: Vec<Row> = lines.iter().skip(from).take(ROWS).map(|line| plain_row(desk, line)).collect();
    let states = job_machine::JOB.states.iter();
    let states: Vec<_> = states.map(|state| (state.name, desk.lang.label(state.zh, state.en))).collect();
    let content = html! {
        details open[state.is_some()] {
            summary { (desk.say("web.list.filter")) }
            form method="get" action="/jobs" {
                (widgets::select("state", &desk.say("web.list.state"), &states, state.unwrap_or_default()))
                button type="submit" { (desk.say("web.list.show")) }
            }
        }
        (widgets::rows(&rows, &desk.say("web.job.none")))
        @if lines.len() > from + ROWS { div.actions { a.way #more href=(further(query, from + ROWS)) { (desk.say("web.more_rows")) } } }
    };
    desk.page(&Leaf {
        place: Place::Sheets,
        title: desk.say("web.job.list"),
        back: Some("/sheets".to_owned()),
        content,
    })
}

/// Returns the row of a job in a list.
pub(super) fn plain_row(desk: &Desk<'_>, line: &Line) -> Row {
    let number = if line.number.is_empty() { line.id.code() } else { line.number.clone() };
    let title = if line.title.is_empty() { number.clone() } else { line.title.clone() };
    Row {
        href: format!("/jobs/{}", line.id),
        title,
        below: widgets::short(&number),
        right: badges(desk, line),
    }
}

/// Returns the row of a job of the day.
pub(super) fn row(desk: &Desk<'_>, job: &Visit) -> Row {
    let zone = desk.zone();
    let today = desk.now().wall.day(zone);
    let time = job.from.map(|from| {
        let text = desk.instant(from, zone);
        let late = from.day(zone) < today;
        let short = if from.day(zone) == today { text.get(11..).unwrap_or(&text).to_owned() } else { text };
        html! { @if late { (widgets::badge(Tone::Bad, &short)) } @else { strong { (short) } } " · " }
    });
    let title = [job.customer.as_str(), job.site.as_str()].into_iter().filter(|part| !part.is_empty());
    let title = title.collect::<Vec<_>>().join(" · ");
    Row {
        href: format!("/jobs/{}", job.id),
        title: if title.is_empty() { job.name() } else { title },
        below: html! { @if let Some(time) = time { (time) } (widgets::short(&job.title)) },
        right: widgets::badge(Tone::Plain, desk.lang.label(job.state.zh, job.state.en)),
    }
}

/// One job and what is known of where it leads.
struct Job {
    id: DocId,
    shown: Shown,
    steps: Vec<&'static Step>,
    place: Vec<(String, String)>,
    hazards: String,
    machine: Vec<Line>,
    sheets: Vec<Line>,
}

fn read(desk: &Desk<'_>, id: &str) -> Result<Job, Fault> {
    let lang = desk.lang.of_labels();
    desk.with(|store| {
        let (document, kind) = find::document(store, id, JOBS)?;
        let shown = show::show(store, id, JOBS, lang)?;
        let linked = |name| match rows::value(kind, &document, name) {
            Some(Value::Ref(Target::Doc(id))) => Some(id),
            _ => None,
        };
        let (mut place, hazards) = site(store, desk, linked("site"))?;
        place.extend(contacts(store, linked("customer"))?);
        let mut machine =
            linked("asset").map(|asset| new::history(store, asset, lang)).transpose()?.unwrap_or_default();
        let sheets = visits::of_job(store, document.id)?;
        let sheets: Result<Vec<Line>, _> =
            sheets.iter().map(|(sheet, kind)| list::line(store, kind, sheet, lang)).collect();
        let sheets = sheets?;
        machine.retain(|line| !sheets.iter().any(|own| own.id == line.id));
        Ok(Job {
            id: document.id,
            steps: state::open_steps(store, kind, &document)?,
            machine,
            sheets,
            shown,
            place,
            hazards,
        })
    })
}

type Told = Vec<(String, String)>;

/// What is known of a site, by the labels of its fields; and what is dangerous there.
fn site(
    store: &Store,
    desk: &Desk<'_>,
    id: Option<DocId>,
) -> Result<(Told, String), crate::store::error::StoreError> {
    let Some(site) = id.map(|id| store.document(id)).transpose()?.flatten() else {
        return Ok(Default::default());
    };
    let said = |name: &str| {
        let (group, at) = SITE.field(name)?;
        let field = group.fields.get(at)?;
        let value = rows::value(&SITE, &site, name)?;
        Some((
            desk.lang.label(field.zh, field.en).to_owned(),
            value.label(field, store.zone(), desk.lang.of_labels()),
        ))
    };
    let told = ["address", "access_note"].into_iter().filter_map(said).collect();
    Ok((told, said("hazards").map(|(_, text)| text).unwrap_or_default()))
}

/// The people to ask for at a customer, each with his number.
fn contacts(store: &Store, id: Option<DocId>) -> Result<Told, crate::store::error::StoreError> {
    let customer = id.map(|id| store.document(id)).transpose()?.flatten();
    let all =
        customer.map(|customer| rows::record(&CUSTOMER, &customer).all::<Contacts>()).unwrap_or_default();
    let text = |text: Option<String>| text.unwrap_or_default();
    let told = |one: Contacts| (text(one.name.map(|name| name.0)), text(one.phone.map(|phone| phone.0)));
    Ok(all.into_iter().map(told).collect())
}

fn one(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let job = read(desk, id)?;
    desk.page(&leaf(desk, &job))
}

fn leaf(desk: &Desk<'_>, job: &Job) -> Leaf {
    let line = &job.shown.line;
    let zone = desk.zone();
    let mut told = vec![(desk.say("web.list.state"), badges(desk, line))];
    told.extend(facts(desk, &job.shown, zone));
    told.extend(job.place.iter().map(|(name, said)| (name.clone(), widgets::text(said))));
    let content = html! {
        @if !job.hazards.is_empty() { p.told.warning #hazards { (desk.say("web.job.hazards")) ": " (widgets::text(&job.hazards)) } }
        (arrive_button(desk, job))
        (widgets::facts(&told))
        (sheets(desk, "web.job.sheets", &job.sheets))
        (sheets(desk, "web.new.earlier", &job.machine))
        (steps(desk, job))
    };
    let number = if line.number.is_empty() { line.id.code() } else { line.number.clone() };
    let title = format!("{} {number}", desk.lang.label(JOB.zh, JOB.en));
    Leaf { place: Place::Today, title, back: Some("/".to_owned()), content }
}

/// One button takes all the steps up to the site and opens the sheet.
fn arrive_button(desk: &Desk<'_>, job: &Job) -> Markup {
    let there =
        job.shown.line.state.is_some_and(|state| matches!(state.name, "on_site" | "working" | "paused"));
    let leads = ["accept", "take", "arrive"].iter().any(|name| may(job, name));
    let key = if there { "web.job.sheet" } else { "web.job.arrived" };
    html! {
        @if there || leads {
            (desk.form(&format!("/jobs/{}/arrived", job.id), &html! {
                button.first #arrived type="submit" { (desk.say(key)) }
            }))
        }
    }
}

fn may(job: &Job, step: &str) -> bool {
    job.steps.iter().any(|open| open.name == step)
}

fn sheets(desk: &Desk<'_>, key: &str, lines: &[Line]) -> Markup {
    let rows: Vec<Row> = lines.iter().map(|line| sheet_row(desk, line)).collect();
    html! { @if !rows.is_empty() { section { h2 { (desk.say(key)) } (widgets::rows(&rows, "")) } } }
}

/// The other steps: plain buttons, those with a reason folded.
fn steps(desk: &Desk<'_>, job: &Job) -> Markup {
    let action = format!("/jobs/{}/step", job.id);
    let plain = |step: &&&'static Step| {
        step.reason == Reason::None && !step.names && !matches!(step.name, "finish" | "arrive")
    };
    html! {
        section {
            h2 { (desk.say("web.job.steps")) }
            @if may(job, "finish") {
                (desk.form(&action, &html! {
                    (widgets::select("outcome", &desk.say("web.job.outcome"), &Outcome::CHOICES.options.iter().map(|(word, zh, en)| (*word, desk.lang.label(zh, en))).collect::<Vec<_>>(), ""))
                    (widgets::button(Weight::Second, &desk.say("web.job.finish"), Some(("step", "finish"))))
                }))
            }
            @if job.steps.iter().any(|step| plain(&step)) {
                (desk.form(&action, &html! {
                    div.actions {
                        @for step in job.steps.iter().filter(plain) {
                            (widgets::button(Weight::Second, desk.lang.label(step.zh, step.en), Some(("step", step.name))))
                        }
                    }
                }))
            }
            @if may(job, "hand_over") { div.actions { a.way #hand-over href={ "/jobs/" (job.id) "/hand-over" } { (desk.say("web.job.hand_over")) } } }
            @for step in job.steps.iter().filter(|step| step.reason != Reason::None) {
                details {
                    summary { (desk.lang.label(step.zh, step.en)) }
                    (desk.form(&action, &html! {
                        (widgets::input("reason", &desk.say("web.sheet.reason"), "", "text", None))
                        (widgets::button(Weight::Danger, desk.lang.label(step.zh, step.en), Some(("step", step.name))))
                    }))
                }
            }
            div.actions { a.way #history href={ "/jobs/" (job.id) "/history" } { (desk.say("web.history")) } }
        }
    }
}

/// Goes to the site and opens the sheet.
fn arrived(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    match desk.with(|store| arrive::begin(store, id, None, desk.now())) {
        Ok(opened) => {
            let round = if opened.kind.number == INSPECTION.number { "/round" } else { "" };
            Ok(Reply::go(&format!("/sheets/{}{round}?done=begun", opened.id)))
        }
        Err(fault) => desk.refused(&leaf(desk, &read(desk, id)?), &fault),
    }
}

/// Takes one step.
fn taken(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let name = form.get("step").unwrap_or_default();
    let taken = Taken { step: name, reason: form.get("reason").unwrap_or_default(), ..Taken::default() };
    let outcome = form.get("outcome").filter(|_| name == "finish");
    let pairs = outcome.map(|outcome| Pair::new("outcome", outcome)).into_iter().collect();
    let request = Take { record: id, wanted: JOBS, taken, pairs, entries: Vec::new() };
    match desk.with(|store| step(store, &request, desk.now())) {
        Ok(_) => Ok(Reply::go(&format!("/jobs/{}?done=saved", part(id)))),
        Err(fault) => desk.refused(&leaf(desk, &read(desk, id)?), &fault),
    }
}

fn history(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let content = past::told(desk, id, JOBS)?;
    let back = Some(format!("/jobs/{}", part(id)));
    desk.page(&Leaf { place: Place::Today, title: desk.say("web.history"), back, content })
}
