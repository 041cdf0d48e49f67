//! Policy and calendar: a file is looked at before it counts, a policy is tried on past claims, a year is seen.

use std::path::Path;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Column, Tone, Weight};
use records::policy::cycle::Month;
use records::policy::terms::Policy;
use records::time::Day;

use crate::cli::answer::Fault;
use crate::cli::policy::policy_fault;
use crate::cli::terms;
use crate::figures::{self, MonthSeen};
use crate::money::trial::Trial;
use crate::web::charts;
use crate::web::desk::{Desk, Leaf, Place};

/// Bytes of a policy or calendar file.
const FILE_BYTES_MAX: usize = 256 * 1024;
/// Claims of a trial that are listed.
const CLAIMS: usize = 100;

/// A policy that somebody uploaded: its file's name and its text.
struct Given {
    name: String,
    text: String,
}

pub(super) fn policy(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&policy_leaf(desk, &html! {})?))
}

fn policy_leaf(desk: &Desk<'_>, above: &Markup) -> Result<Leaf, Fault> {
    let held = desk.look(|office| Ok(office.terms()?))?;
    let now = held.in_force.policy(desk.today()).version.clone();
    let columns = ["version", "valid_from", "mark"]
        .map(|name| Column { title: desk.say(&format!("hq.terms.{name}")), number: false });
    let rows: Vec<Vec<Markup>> = held
        .in_force
        .versions()
        .map(|(from, version)| {
            vec![
                widgets::short(version),
                html! { (from.map(|day| day.to_string()).unwrap_or_default()) },
                html! { @if version == now { (widgets::badge(Tone::Good, &desk.say("hq.policy.in_force"))) } },
            ]
        })
        .collect();
    let content = html! {
        (above)
        section { h2 { (desk.say("console.admin.policy.look")) }
            p.hint { (desk.say("console.admin.policy.look.hint")) }
            (desk.form("/admin/policy/check", &html! {
                (file(&desk.say("console.admin.policy.file"), ".toml"))
                (widgets::button(Weight::First, &desk.say("console.admin.policy.check"), Some(("act", "check"))))
            }))
        }
        section { h2 { (desk.say("console.admin.policy.versions")) }
            (widgets::table(&desk.say("console.admin.policy.versions"), &columns, &rows, &desk.say("console.none")))
        }
    };
    Ok(Leaf {
        place: Place::Admin,
        title: desk.say("console.admin.policy"),
        back: Some("/admin".to_owned()),
        content,
    })
}

fn file(label: &str, accept: &str) -> Markup {
    html! { label.field { span { (label) } input type="file" name="file" accept=(accept) required; } }
}

/// Returns the file of the form, or the text that an earlier page carried on.
fn given(desk: &Desk<'_>) -> Result<Given, Fault> {
    let none = || Fault::usage("console.fault.file");
    if let Some(upload) = desk.visit.uploads("file").next() {
        let text = std::str::from_utf8(&upload.bytes).map_err(|_| none())?;
        let short = text.len() <= FILE_BYTES_MAX;
        return short.then(|| Given { name: upload.name.clone(), text: text.to_owned() }).ok_or_else(none);
    }
    // A form sends each line end as two characters.
    let text = desk.visit.form.get("text").ok_or_else(none)?.replace("\r\n", "\n");
    Ok(Given { name: desk.visit.form.get("name").unwrap_or("policy.toml").to_owned(), text })
}

pub(super) fn policy_act(desk: &Desk<'_>, act: &str) -> Result<Reply, Fault> {
    match policy_acted(desk, act) {
        Ok(Some(above)) => Ok(desk.page(&policy_leaf(desk, &above)?)),
        Ok(None) => Ok(Reply::go("/admin/policy?done=policy")),
        Err(fault) => Ok(desk.refused(&policy_leaf(desk, &html! {})?, &fault)),
    }
}

/// Returns what is shown above the versions; `None` once one was loaded.
fn policy_acted(desk: &Desk<'_>, act: &str) -> Result<Option<Markup>, Fault> {
    let (given, lang) = (given(desk)?, desk.lang);
    let path = Path::new(&given.name);
    let policy = Policy::parse(&given.text).map_err(|error| policy_fault(path, &error, lang))?;
    match act {
        "check" => Ok(Some(checked(desk, &given, &policy)?)),
        "try" => {
            let (since, until) = (day(desk, "since")?, day(desk, "until")?);
            let days = since.unwrap_or(Day(i32::MIN))..=until.unwrap_or(Day(i32::MAX));
            let today = desk.today();
            let trial = desk.look(|office| Ok(office.try_policy(&policy, &days, today)?))?;
            let above = checked(desk, &given, &policy)?;
            Ok(Some(html! { (tried(desk, &trial)) (above) }))
        }
        "load" => {
            let from = day(desk, "from")?.unwrap_or_else(|| desk.today());
            let (version, name) = (policy.version, given.name);
            desk.administer("console policy", version, move |office, now_ms| {
                let loaded = office.load_policy(&given.text, from, now_ms);
                loaded.map(drop).map_err(|error| terms::fault(Path::new(&name), error, lang))
            })?;
            Ok(None)
        }
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

fn day(desk: &Desk<'_>, name: &str) -> Result<Option<Day>, Fault> {
    let typed = desk.visit.form.get(name);
    let day = typed.map(str::parse).transpose();
    day.map_err(|_| Fault::usage("console.fault.day").with("text", typed.unwrap_or_default()))
}

fn checked(desk: &Desk<'_>, given: &Given, policy: &Policy) -> Result<Markup, Fault> {
    let differences = Policy::differences(&given.text)
        .map_err(|error| policy_fault(Path::new(&given.name), &error, desk.lang))?;
    let columns = ["key", "standard", "own"]
        .map(|name| Column { title: desk.say(&format!("hq.column.{name}")), number: false });
    let rows: Vec<Vec<Markup>> = differences
        .iter()
        .map(|one| [&one.key, &one.standard, &one.own].map(|text| widgets::short(text)).to_vec())
        .collect();
    let n = differences.len().to_string();
    let value = |name: &str| desk.visit.form.get(name).unwrap_or_default();
    let carried = html! {
        input type="hidden" name="name" value=(given.name);
        textarea name="text" hidden aria-hidden="true" tabindex="-1" { (given.text) }
    };
    Ok(html! {
        section {
            (widgets::told(Tone::Good, &desk.tell("hq.policy.checked", &[("version", &policy.version), ("n", &n)])))
            (widgets::table(&desk.say("console.admin.policy.check"), &columns, &rows, &desk.say("console.none")))
            div.two {
                div { h2 { (desk.say("console.admin.policy.try")) }
                    p.hint { (desk.say("console.admin.policy.try.hint")) }
                    (desk.form("/admin/policy/try", &html! {
                        (carried)
                        (widgets::input("since", &desk.say("console.admin.policy.since"), value("since"), "date", None))
                        (widgets::input("until", &desk.say("console.admin.policy.until"), value("until"), "date", None))
                        (widgets::button(Weight::Second, &desk.say("console.admin.policy.try"), Some(("act", "try"))))
                    }))
                }
                div { h2 { (desk.say("console.admin.policy.load")) }
                    p.hint { (desk.say("console.admin.policy.load.hint")) }
                    (desk.form("/admin/policy/load", &html! {
                        (carried)
                        (widgets::input("from", &desk.say("hq.terms.valid_from"), value("from"), "date", None))
                        (widgets::button(Weight::First, &desk.say("console.admin.policy.load"), Some(("act", "load"))))
                    }))
                }
            }
        }
    })
}

fn tried(desk: &Desk<'_>, trial: &Trial) -> Markup {
    let facts = [
        ("claims", trial.claims.to_string()),
        ("n", trial.differing.len().to_string()),
        ("before", trial.before.to_string()),
        ("after", trial.after.to_string()),
    ];
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let columns = ["number", "payable", "new_payable", "rules", "new_rules"].map(|name| Column {
        title: desk.say(&format!("hq.terms.{name}")),
        number: name.ends_with("payable"),
    });
    let rules = |rules: &std::collections::BTreeSet<&'static str>| {
        rules.iter().copied().collect::<Vec<_>>().join(" ")
    };
    let rows: Vec<Vec<Markup>> = trial
        .differing
        .iter()
        .take(CLAIMS)
        .map(|claim| {
            vec![
                html! { a href={ "/records/" (claim.id) } { (widgets::short(&claim.no)) } },
                html! { (claim.before.payable) },
                html! { (claim.after.payable) },
                html! { (rules(&claim.before.rules)) },
                html! { (rules(&claim.after.rules)) },
            ]
        })
        .collect();
    html! {
        section id="trial" {
            (widgets::told(Tone::Plain, &desk.tell("hq.policy.tried", &facts)))
            (widgets::table(&desk.say("console.admin.policy.try"), &columns, &rows, &desk.say("console.none")))
        }
    }
}

pub(super) fn calendar(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&calendar_leaf(desk)?))
}

fn calendar_leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let held = desk.look(|office| Ok(office.terms()?))?;
    let (policy, calendar) = (held.in_force.policy(desk.today()), &held.in_force.calendar);
    let asked = desk.visit.query.get("year").and_then(|year| year.parse().ok());
    let this = desk.today().ymd().map_or(2026, |(year, ..)| year);
    let year = asked.unwrap_or(this).clamp(2012, 2100);
    let months: Vec<MonthSeen> = (1..=12)
        .filter_map(|month| Month::of(Day::from_ymd(year, month, 1)?))
        .map(|month| figures::month_seen(month, policy, calendar))
        .collect();
    let years: Vec<i32> = calendar.years().collect();
    let known = years.contains(&year);
    let content = html! {
        nav.chips aria-label=(desk.say("console.admin.calendar.years")) {
            @for one in years.iter().rev().take(6).rev() {
                a href={ "/admin/calendar?year=" (one) } aria-current=[(*one == year).then_some("true")] { (one) }
            }
            a href={ "/admin/calendar?year=" (this + 1) } aria-current=[(this + 1 == year).then_some("true")] { (this + 1) }
        }
        @if !known { (widgets::told(Tone::Warning, &desk.tell("console.admin.calendar.missing", &[("year", &year.to_string())]))) }
        (charts::calendar(desk, &months))
        section { h2 { (desk.say("console.admin.calendar.load")) }
            p.hint { (desk.say("console.admin.calendar.load.hint")) }
            (desk.form("/admin/calendar", &html! {
                (file(&desk.say("console.admin.calendar.file"), ".json"))
                (widgets::button(Weight::First, &desk.say("console.admin.calendar.load"), Some(("act", "load"))))
            }))
        }
    };
    Ok(Leaf {
        place: Place::Admin,
        title: format!("{} {year}", desk.say("console.admin.calendar")),
        back: Some("/admin".to_owned()),
        content,
    })
}

pub(super) fn calendar_load(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let loaded = given(desk).and_then(|given| {
        let lang = desk.lang;
        let name = given.name.clone();
        desk.administer("console calendar", given.name, move |office, now_ms| {
            let loaded = office.load_calendar(&given.text, now_ms);
            loaded.map(|(years, _)| years).map_err(|error| terms::fault(Path::new(&name), error, lang))
        })
    });
    match loaded {
        Ok(years) => {
            let year = years.last().map_or_else(String::new, |year| format!("year={year}&"));
            Ok(Reply::go(&format!("/admin/calendar?{year}done=calendar")))
        }
        Err(fault) => Ok(desk.refused(&calendar_leaf(desk)?, &fault)),
    }
}
