//! Staff and their logins: roles as they are, a password set or taken away.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Column, Tone, Weight};
use records::id::DocId;
use records::kinds::staff::Role;

use crate::cli::answer::{Fault, REFUSED};
use crate::logins;
use crate::money::rows::instant;
use crate::people::Person;
use crate::store::logins::Login;
use crate::web::desk::{Desk, Leaf, Place};

/// Rows of a page.
const ROWS: usize = 50;

pub(super) fn list(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let (people, logins) = desk.look(|office| Ok((office.people()?, office.logins()?)))?;
    let asked = desk.visit.query.get("q").unwrap_or_default();
    let from: usize = desk.visit.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let mut staff: Vec<(&DocId, &Person)> = people.staff.iter().collect();
    staff.retain(|(_, person)| {
        asked.is_empty()
            || [&person.code, &person.name].iter().any(|text| records::pinyin::finds(text, asked))
    });
    staff.sort_by(|(_, a), (_, b)| a.code.cmp(&b.code));
    let columns = ["code", "name", "unit", "roles", "login"]
        .map(|name| Column { title: desk.say(&format!("console.admin.column.{name}")), number: false });
    let rows: Vec<Vec<Markup>> = staff
        .iter()
        .skip(from)
        .take(ROWS)
        .map(|(id, person)| {
            let unit = person.unit.and_then(|unit| people.units.get(&unit));
            let login = logins.iter().find(|login| login.staff == **id);
            vec![
                html! { a href={ "/admin/staff/" (part(&person.code)) } { (widgets::short(&person.code)) } },
                widgets::short(&person.name),
                widgets::short(unit.map_or("", |unit| &unit.name)),
                html! { (roles(desk, person)) },
                login_state(desk, login),
            ]
        })
        .collect();
    let content = html! {
        form.filters method="get" action="/admin/staff" {
            (widgets::input("q", &desk.say("console.search"), asked, "search", None))
            (widgets::button(Weight::Second, &desk.say("console.search"), None))
        }
        (widgets::table(&desk.say("console.admin.staff"), &columns, &rows, &desk.say("console.none")))
        @if staff.len() > from.saturating_add(ROWS) {
            div.actions { a.way href={ "/admin/staff?q=" (part(asked)) "&from=" (from + ROWS) } { (desk.say("console.more")) } }
        }
    };
    Ok(desk.page(&Leaf {
        place: Place::Admin,
        title: desk.say("console.admin.staff"),
        back: Some("/admin".to_owned()),
        content,
    }))
}

fn roles(desk: &Desk<'_>, person: &Person) -> String {
    let words = desk.lang.words();
    let named = person.roles.iter().filter_map(|role| Role::CHOICES.option(role.0));
    named.map(|(_, zh, en)| words.pick(zh, en)).collect::<Vec<_>>().join(desk.lang.words().pick("、", ", "))
}

fn login_state(desk: &Desk<'_>, login: Option<&Login>) -> Markup {
    match login {
        Some(login) => {
            let since = desk.instant(instant(login.changed_ms));
            html! {
                (widgets::badge(Tone::Good, &desk.say("console.admin.login.has"))) " " (since)
                @if login.failed > 0 {
                    " " (widgets::badge(Tone::Warning, &desk.tell("console.admin.login.failed", &[("n", &login.failed.to_string())])))
                }
            }
        }
        None => html! { (desk.say("console.admin.login.none")) },
    }
}

pub(super) fn one(desk: &Desk<'_>, code: &str) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk, code)?))
}

fn leaf(desk: &Desk<'_>, code: &str) -> Result<Leaf, Fault> {
    let (people, login) = desk.look(|office| Ok((office.people()?, office.login_of(code)?)))?;
    let unknown = || Fault::new(REFUSED, "hq.staff.unknown").with("staff", code);
    let (id, person) = people.by_code(code).ok_or_else(unknown)?;
    let watched = desk.look(|office| Ok(office.watched()?))?;
    let own: Vec<_> = watched.iter().filter(|one| one.device.staff == Some(id)).collect();
    let unit = person.unit.and_then(|unit| people.units.get(&unit));
    let fact = |name: &str, value: Markup| (desk.say(&format!("console.admin.column.{name}")), value);
    let facts = [
        fact("code", widgets::text(&person.code)),
        fact("name", widgets::text(&person.name)),
        fact("unit", widgets::text(unit.map_or("", |unit| &unit.name))),
        fact("roles", html! { (roles(desk, person)) }),
        fact("login", login_state(desk, login.as_ref())),
        fact(
            "device",
            html! { @for one in own {
                a href={ "/admin/devices/" (one.device.replica.0) } { (widgets::short(&one.device.name)) " " (one.device.replica.0) } " "
            } },
        ),
    ];
    let address = |act: &str| format!("/admin/staff/{}/{act}", part(code));
    let content = html! {
        (widgets::facts(&facts))
        div.actions {
            a.way href={ "/admin/devices/new?staff=" (part(code)) } { (desk.say("console.admin.enrol")) }
            a.way href={ "/records/" (id) } { (desk.say("console.record")) }
        }
        section {
            h2 { (desk.say("console.admin.password")) }
            p.hint { (desk.say("console.admin.password.hint")) }
            (desk.form(&address("password"), &html! {
                @for (name, key) in [("password", "console.admin.password.new"), ("again", "console.admin.password.again")] {
                    label.field { span { (desk.say(key)) }
                        input type="password" name=(name) required minlength=(logins::PASSWORD_CHARS_MIN) maxlength=(logins::PASSWORD_CHARS_MAX) autocomplete="new-password";
                    }
                }
                (widgets::button(Weight::First, &desk.say("console.admin.password"), Some(("act", "password"))))
            }))
        }
        @if login.is_some() {
            section {
                h2 { (desk.say("console.admin.login.remove")) }
                p.hint { (desk.say("console.admin.login.remove.hint")) }
                (desk.form(&address("remove"), &widgets::button(Weight::Danger, &desk.say("console.admin.login.remove"), Some(("act", "remove")))))
            }
        }
    };
    Ok(Leaf {
        place: Place::Admin,
        title: person.name.clone(),
        back: Some("/admin/staff".to_owned()),
        content,
    })
}

pub(super) fn act(desk: &Desk<'_>, code: &str, act: &str) -> Result<Reply, Fault> {
    match acted(desk, code, act) {
        Ok(()) => Ok(Reply::go(&format!("/admin/staff/{}?done=login", part(code)))),
        Err(fault) => Ok(desk.refused(&leaf(desk, code)?, &fault)),
    }
}

fn acted(desk: &Desk<'_>, code: &str, act: &str) -> Result<(), Fault> {
    let staff = code.to_owned();
    let told = |error, staff: &str| Fault::from(error).with("staff", staff);
    match act {
        "password" => {
            let password = desk.visit.form.get("password").unwrap_or_default();
            if desk.visit.form.get("again") != Some(password) {
                return Err(Fault::usage("console.fault.differs"));
            }
            // Hashed here: it takes its time, and the writer keeps nobody waiting.
            let hash = logins::hash(password)?;
            desk.administer("console password set", staff.clone(), move |office, now_ms| {
                office.set_password(&staff, hash, now_ms).map_err(|error| told(error, &staff))
            })
        }
        "remove" => desk.administer("console login removed", staff.clone(), move |office, now_ms| {
            office.drop_login(&staff, now_ms).map_err(|error| told(error, &staff))
        }),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}
