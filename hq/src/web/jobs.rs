//! Jobs: the board of a day, one job with what the office may do to it, and the intake of a new one.

mod intake;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::{Verb, part};
use pages::widgets::{self, Row, Tone, Weight};
use records::id::DocId;
use records::kinds::job_machine as at;
use records::kinds::staff::Role;
use records::machine::Index;
use records::time::{Day, Ts, Zone};

use crate::cli::answer::{Fault, REFUSED};
use crate::jobs::Posted;
use crate::lists::Reader;
use crate::money::decide::Taken;
use crate::people::People;
use crate::web::desk::{Desk, Leaf, Place};

/// The columns of the board: name, and the states that stand in it.
const COLUMNS: [(&str, &[Index]); 5] = [
    ("offered", &[at::OFFERED, at::REFUSED, at::HANDED_OVER]),
    ("accepted", &[at::ACCEPTED, at::EN_ROUTE]),
    ("working", &[at::ON_SITE, at::WORKING, at::PAUSED]),
    ("done", &[at::DONE, at::REVIEWED]),
    ("cancelled", &[at::CANCELLED]),
];

/// Jobs of one column that are shown.
const EACH: usize = 60;

/// Returns the answer below `/jobs`.
pub(super) fn answer(desk: &Desk<'_>, verb: Verb, rest: &[&str]) -> Result<Reply, Fault> {
    desk.only(Place::Jobs)?;
    match (verb, rest) {
        (Verb::Get, []) => board(desk),
        (Verb::Get, ["new"]) => intake::ask(desk),
        (Verb::Post, ["new"]) => intake::open(desk),
        (Verb::Get, [id]) => Ok(desk.page(&leaf(desk, &find(desk, id)?)?)),
        (Verb::Post, [id, act]) => act_on(desk, id, act),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

/// Returns what waits for whoever gives jobs: those that are late, refused, without a time, or in conflict.
pub(super) fn waiting(desk: &Desk<'_>) -> Result<Vec<Row>, Fault> {
    if desk.only(Place::Jobs).is_err() {
        return Ok(Vec::new());
    }
    let (reader, now, today) = (reader(desk)?, now(desk), desk.today());
    let posted = desk.look(|office| Ok(office.board(&reader, None, today)?))?;
    let count = |wanted: &dyn Fn(&Posted) -> bool| posted.iter().filter(|one| wanted(one)).count();
    let found = [
        ("late", "/jobs?day=late", count(&|one| one.is_late(now))),
        ("refused", "/lists/job?state=refused", count(&|one| one.state == at::REFUSED)),
        ("unplanned", "/jobs?day=unplanned", count(&|one| Shown::Unplanned.holds(one, now))),
        ("conflict", "/jobs", count(&|one| one.conflict)),
    ];
    Ok(found
        .into_iter()
        .filter(|(_, _, n)| *n > 0)
        .map(|(key, href, n)| Row {
            href: href.to_owned(),
            title: desk.say(&format!("console.jobs.waits.{key}")),
            below: html! { (desk.say("console.tab.jobs")) },
            right: html! { (widgets::badge(Tone::Warning, &n.to_string())) },
        })
        .collect())
}

fn reader(desk: &Desk<'_>) -> Result<Reader, Fault> {
    let staff = desk.person.staff;
    desk.look(|office| Ok(office.list_reader(staff)?))
}

fn now(desk: &Desk<'_>) -> Ts {
    crate::money::rows::instant(desk.now_ms())
}

/// Which of the board's jobs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Those of a day.
    On(Day),
    /// Those that should be done by now.
    Late,
    /// Those without a time.
    Unplanned,
}

impl Shown {
    fn asked(desk: &Desk<'_>) -> Result<Self, Fault> {
        match desk.visit.query.get("day") {
            None => Ok(Self::On(desk.today())),
            Some("late") => Ok(Self::Late),
            Some("unplanned") => Ok(Self::Unplanned),
            Some(day) => {
                let read = day.parse().map(Self::On);
                read.map_err(|_| Fault::usage("console.fault.day").with("text", day))
            }
        }
    }

    fn holds(self, one: &Posted, now: Ts) -> bool {
        match self {
            Self::On(day) => one.day() == Some(day),
            Self::Late => one.is_late(now),
            Self::Unplanned => one.day().is_none() && one.state != at::CANCELLED,
        }
    }
}

fn board(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let (reader, shown, now) = (reader(desk)?, Shown::asked(desk)?, now(desk));
    let day = if let Shown::On(day) = shown { day } else { desk.today() };
    let (posted, people) = desk.look(|office| Ok((office.board(&reader, None, day)?, office.people()?)))?;
    let wanted: Vec<&Posted> = posted.iter().filter(|one| shown.holds(one, now)).collect();
    let content = html! {
        div.actions {
            a.way.first href="/jobs/new" id="new-job" data-key="n" { (desk.say("console.jobs.new")) }
            a.way href="/lists/job" { (desk.say("console.jobs.list")) }
            a.way href="/lists/job/xlsx" { (desk.say("console.lists.xlsx")) }
            a.way href="/lists/job/csv" { (desk.say("console.lists.csv")) }
        }
        (days(desk, shown, &posted, now))
        div.board {
            @for (name, states) in COLUMNS {
                @let jobs: Vec<&&Posted> = wanted.iter().filter(|one| states.contains(&one.state)).collect();
                section {
                    h2 { (desk.say(&format!("console.jobs.column.{name}"))) " " (jobs.len()) }
                    @let rows: Vec<Row> = jobs.iter().take(EACH).map(|one| row(desk, one, &people, now)).collect();
                    (widgets::rows(&rows, "–"))
                }
            }
        }
    };
    Ok(desk.page(&Leaf { place: Place::Jobs, title: desk.say("console.tab.jobs"), back: None, content }))
}

/// The days to choose from, with how many jobs are open on each.
fn days(desk: &Desk<'_>, shown: Shown, posted: &[Posted], now: Ts) -> Markup {
    let today = desk.today();
    let chosen = if let Shown::On(day) = shown { day } else { today };
    let first = if (today..=today.plus(6)).contains(&chosen) { today } else { chosen };
    let count = |wanted: Shown| posted.iter().filter(|one| wanted.holds(one, now)).count();
    let chip = |wanted: Shown, href: String, label: String| {
        html! {
            a href={ "/jobs?day=" (href) } aria-current=[(wanted == shown).then_some("true")] {
                (label) " " (count(wanted))
            }
        }
    };
    html! {
        nav.chips aria-label=(desk.say("console.jobs.days")) {
            (chip(Shown::Late, "late".to_owned(), desk.say("console.jobs.late")))
            @for at in -1..7 {
                @let day = first.plus(at);
                (chip(Shown::On(day), day.to_string(), if day == today { desk.say("console.jobs.today") } else { day.to_string().get(5..).unwrap_or_default().to_owned() }))
            }
            (chip(Shown::Unplanned, "unplanned".to_owned(), desk.say("console.jobs.unplanned")))
        }
        form.filters method="get" action="/jobs" {
            (widgets::input("day", &desk.say("console.jobs.day"), &chosen.to_string(), "date", None))
            (widgets::button(Weight::Second, &desk.say("console.lists.filter"), None))
        }
    }
}

fn row(desk: &Desk<'_>, one: &Posted, people: &People, now: Ts) -> Row {
    Row {
        href: format!("/jobs/{}", one.id),
        title: if one.title.is_empty() { one.no.clone() } else { one.title.clone() },
        below: html! {
            (widgets::short(&one.customer)) " · " (widgets::short(&person(people, one.assignee)))
            @if let Some(from) = one.from { " · " (desk.instant(from)) }
            " · " (widgets::short(&one.no))
        },
        right: html! { (standing(desk, one, now)) },
    }
}

fn person(people: &People, staff: Option<DocId>) -> String {
    let person = staff.and_then(|staff| people.staff.get(&staff));
    person.map_or_else(String::new, |person| format!("{} {}", person.name, person.code))
}

fn standing(desk: &Desk<'_>, one: &Posted, now: Ts) -> Markup {
    let word = at::JOB.states.get(usize::from(one.state));
    let word = word.map_or("", |state| desk.lang.words().pick(state.zh, state.en));
    let tone = match one.state {
        at::REFUSED => Tone::Bad,
        at::DONE | at::REVIEWED => Tone::Good,
        _ => Tone::Plain,
    };
    html! {
        (widgets::badge(tone, word))
        @if one.is_late(now) { " " (widgets::badge(Tone::Warning, &desk.say("console.jobs.is_late"))) }
        @if one.conflict { " " (widgets::badge(Tone::Bad, &desk.say("console.lists.conflict"))) }
    }
}

fn find(desk: &Desk<'_>, id: &str) -> Result<Posted, Fault> {
    let unknown = || Fault::new(REFUSED, "hq.record.unknown").with("id", id);
    let doc: DocId = id.parse().map_err(|_| unknown())?;
    let reader = reader(desk)?;
    desk.look(|office| Ok(office.posted_one(&reader, doc)?))?.ok_or_else(unknown)
}

fn leaf(desk: &Desk<'_>, one: &Posted) -> Result<Leaf, Fault> {
    let people = desk.look(|office| Ok(office.people()?))?;
    let fact = |name: &str, value: Markup| (desk.say(&format!("console.jobs.{name}")), value);
    let time = |ts: Option<Ts>| html! { (ts.map(|ts| desk.instant(ts)).unwrap_or_default()) };
    let facts = [
        fact("no", widgets::text(&one.no)),
        fact("state", standing(desk, one, now(desk))),
        fact("customer", widgets::text(&one.customer)),
        fact("what", widgets::text(&one.title)),
        fact("assignee", widgets::text(&person(&people, one.assignee))),
        fact("from", time(one.from)),
        fact("to", time(one.to)),
    ];
    let cancels = at::JOB.step("cancel").is_some_and(|(_, step)| step.from.contains(&one.state));
    let open = cancels && one.state != at::CANCELLED;
    let content = html! {
        (widgets::facts(&facts))
        div.actions {
            a.way href={ "/records/" (one.id) } { (desk.say("console.record")) }
            a.way href={ "/jobs/new?again=" (one.id) } { (desk.say("console.jobs.follow_up")) }
        }
        @if open {
            section { h2 { (desk.say("console.jobs.give")) }
                (desk.form(&address(one, "give"), &html! {
                    (workers(desk, &people, one.from.map_or_else(|| desk.today(), |from| from.day(Zone::SHANGHAI)))?)
                    (widgets::input("reason", &desk.say("console.admin.reason"), "", "text", None))
                    (widgets::button(Weight::First, &desk.say("console.jobs.give"), Some(("step", "give"))))
                }))
            }
            section { h2 { (desk.say("console.jobs.plan")) }
                (desk.form(&address(one, "plan"), &html! {
                    (times(desk, one.from, one.to))
                    (widgets::button(Weight::Second, &desk.say("console.jobs.plan"), Some(("step", "plan"))))
                }))
            }
        }
        @if cancels && desk.holds(&[Role::DISPATCHER, Role::SUPERVISOR]) {
            section { h2 { (desk.say("console.jobs.cancel")) }
                (desk.form(&address(one, "cancel"), &html! {
                    (widgets::input("reason", &desk.say("console.admin.reason"), desk.visit.form.get("reason").unwrap_or_default(), "text", None))
                    (widgets::button(Weight::Danger, &desk.say("console.jobs.cancel"), Some(("step", "cancel"))))
                }))
            }
        }
    };
    Ok(Leaf { place: Place::Jobs, title: one.no.clone(), back: Some("/jobs".to_owned()), content })
}

fn address(one: &Posted, act: &str) -> String {
    format!("/jobs/{}/{act}", part(&one.id.to_string()))
}

/// Returns the list of people who work in the field, each with his open jobs of the day.
fn workers(desk: &Desk<'_>, people: &People, day: Day) -> Result<Markup, Fault> {
    let reader = reader(desk)?;
    let load = desk.look(|office| Ok(office.load_of(&reader, day)?))?;
    let field = [Role::ENGINEER, Role::SUPERVISOR];
    let mut staff: Vec<(&str, String)> = people
        .staff
        .iter()
        .filter(|(_, person)| person.roles.iter().any(|role| field.contains(role)))
        .map(|(id, person)| {
            let unit = person.unit.and_then(|unit| people.units.get(&unit)).map_or("", |unit| &unit.name);
            let n = load.get(id).copied().unwrap_or(0).to_string();
            let said = desk.tell(
                "console.jobs.worker",
                &[("code", &person.code), ("name", &person.name), ("unit", unit), ("n", &n)],
            );
            (person.code.as_str(), widgets::plain(&said))
        })
        .collect();
    staff.sort_unstable();
    let options: Vec<(&str, &str)> = staff.iter().map(|(code, said)| (*code, said.as_str())).collect();
    let chosen = desk.visit.form.get("assignee").unwrap_or_default();
    Ok(widgets::select("assignee", &desk.say("console.jobs.assignee"), &options, chosen))
}

fn times(desk: &Desk<'_>, from: Option<Ts>, to: Option<Ts>) -> Markup {
    let value = |name: &str, ts: Option<Ts>| {
        let set = ts.map(|ts| ts.rfc3339(Zone::SHANGHAI).get(..16).unwrap_or_default().to_owned());
        desk.visit.form.get(name).map(str::to_owned).or(set).unwrap_or_default()
    };
    html! {
        div.two {
            (widgets::input("from", &desk.say("console.jobs.from"), &value("from", from), "datetime-local", None))
            (widgets::input("to", &desk.say("console.jobs.to"), &value("to", to), "datetime-local", None))
        }
    }
}

/// Reads the two times of a form.
fn planned(desk: &Desk<'_>) -> Result<(Option<Ts>, Option<Ts>), Fault> {
    let read = |name: &str| {
        let typed = desk.visit.form.get(name);
        let ts = typed.map(|typed| Ts::parse(&format!("{typed}:00+08:00"), Zone::SHANGHAI)).transpose();
        ts.map_err(|_| Fault::usage("console.fault.day").with("text", typed.unwrap_or_default()))
    };
    let (from, to) = (read("from")?, read("to")?);
    match from.zip(to) {
        Some((from, to)) if to < from => Err(Fault::usage("console.fault.order")),
        _ => Ok((from, to)),
    }
}

/// Reads who is to go.
fn assignee(desk: &Desk<'_>) -> Result<DocId, Fault> {
    let code = desk.visit.form.get("assignee").ok_or_else(|| Fault::usage("console.fault.assignee"))?;
    let people = desk.look(|office| Ok(office.people()?))?;
    let found = people.by_code(code).map(|(id, _)| id);
    found.ok_or_else(|| Fault::new(REFUSED, "hq.staff.unknown").with("staff", code))
}

fn act_on(desk: &Desk<'_>, id: &str, act: &str) -> Result<Reply, Fault> {
    let one = find(desk, id)?;
    match acted(desk, &one, act) {
        Ok(job) => Ok(Reply::go(&format!("/jobs/{}?done=job", part(&job.to_string())))),
        Err(fault) => Ok(desk.refused(&leaf(desk, &one)?, &fault)),
    }
}

fn acted(desk: &Desk<'_>, one: &Posted, act: &str) -> Result<DocId, Fault> {
    let id = one.id;
    let reason = desk.visit.form.get("reason").unwrap_or_default().to_owned();
    match act {
        "give" => {
            let to = assignee(desk)?;
            desk.act(move |office, actor, now_ms| office.give_job(id, to, &reason, actor, now_ms))
        }
        "plan" => {
            let times = planned(desk)?;
            desk.act(move |office, actor, now_ms| office.plan_job(id, times, actor, now_ms)).map(|()| id)
        }
        "cancel" => desk
            .act(move |office, actor, now_ms| {
                office.decide(id, actor, &Taken::step("cancel", &reason), Vec::new(), now_ms)
            })
            .map(|_| id),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

#[cfg(test)]
mod tests;
