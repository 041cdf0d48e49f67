//! Who may come in: a person with a staff code and a password, then his session's cookie.

use maud::html;
use pages::gate;
use pages::reply::{Reply, cookie};
use pages::shell::{self, Face, Shell};
use pages::visit::{Verb, Visit};
use pages::widgets::{self, Tone, Weight};
use records::time::Zone;

use crate::cli::answer::{Fault, Lang};
use crate::logins::{self, LoginError};
use crate::money::rows::instant;
use crate::web::console::Console;
use crate::web::desk::{Desk, Person};
use crate::web::routes;

/// The session's cookie.
const COOKIE: &str = "fieldbook_hq";
/// The cookie with the language.
const LANGUAGE: &str = "language";
const LANGUAGE_DAYS: u32 = 365;

/// Returns the answer to one visit.
pub(super) fn answer(console: &Console, visit: &Visit) -> Reply {
    let lang = language(console, visit);
    let host = visit.header("host").unwrap_or_default();
    if gate::same_site(visit, host).is_err() {
        return login_page(visit, lang, Some(lang.say("console.elsewhere", &[])), 403);
    }
    if let Some(asset) = pages::assets::answer(visit) {
        return asset;
    }
    match visit.route() {
        (Verb::Get, parts) if parts.first() == Some(&"language") => {
            let chosen = parts.get(1).copied().unwrap_or_default();
            let back = visit.query.get("back").unwrap_or("/");
            let cookie = cookie(LANGUAGE, Lang::chosen(Some(chosen)).id(), LANGUAGE_DAYS, console.secure);
            return Reply::go(back).with_cookie(cookie);
        }
        (Verb::Post, parts) if parts == ["login"] => return log_in(console, visit, lang),
        _ => {}
    }
    match person(console, visit) {
        Ok(Some(person)) => inside(console, visit, lang, &person),
        Ok(None) => login_page(visit, lang, None, if visit.path == "/" { 200 } else { 401 }),
        Err(fault) => login_page(visit, lang, Some(fault.sentence(lang)), 500),
    }
}

fn inside(console: &Console, visit: &Visit, lang: Lang, person: &Person) -> Reply {
    let desk = Desk { visit, console, lang, person };
    if visit.verb == Verb::Post {
        if !visit.form.get("token").is_some_and(|sent| gate::same(sent, &person.token)) {
            return desk.fault(&Fault::usage("console.elsewhere"));
        }
        if visit.path == "/logout" {
            let held = visit.cookies.get(COOKIE).cloned().unwrap_or_default();
            let _ = console.office.writer.run(move |desk| desk.log_out(&held));
            return Reply::go("/").with_cookie(cookie(COOKIE, "", 0, console.secure));
        }
    }
    routes::answer(&desk)
}

/// Returns who comes, by his cookie; `None` where it is nobody's.
fn person(console: &Console, visit: &Visit) -> Result<Option<Person>, Fault> {
    let Some(held) = visit.cookies.get(COOKIE) else { return Ok(None) };
    let now_ms = console.office.clock.now_ms();
    let found = console.read(|desk| {
        let Some(visitor) = desk.visitor(held, now_ms)? else { return Ok(None) };
        let people = desk.people()?;
        let known = people.staff.get(&visitor.staff).cloned();
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let delegated = desk.delegated(visitor.staff, today)?;
        Ok::<_, crate::store::StoreError>(known.map(|known| (visitor, known, delegated)))
    })?;
    let Some((visitor, known, delegated)) = found else { return Ok(None) };
    if now_ms.saturating_sub(visitor.seen_ms) > logins::SEEN_MS {
        let held = held.clone();
        // Lost without harm: the session then ends some minutes earlier.
        let _ = console.office.writer.run(move |desk| desk.visitor_seen(&held, now_ms));
    }
    let (code, name, roles) = (known.code, known.name, known.roles);
    Ok(Some(Person { staff: visitor.staff, code, name, roles, delegated, token: visitor.token }))
}

fn log_in(console: &Console, visit: &Visit, lang: Lang) -> Reply {
    match try_login(console, visit) {
        Ok(held) => Reply::go(visit.form.get("back").unwrap_or("/")).with_cookie(cookie(
            COOKIE,
            &held,
            1,
            console.secure,
        )),
        Err(LoginError::Wait { seconds }) => {
            let sentence = lang.say("console.login.wait", &[("seconds".to_owned(), seconds.to_string())]);
            let mut reply = login_page(visit, lang, Some(sentence), 429);
            reply.retry_after_s = u32::try_from(seconds).ok();
            reply
        }
        Err(LoginError::Store(_) | LoginError::Keys(_) | LoginError::Hash) => {
            login_page(visit, lang, Some(lang.say("hq.busy", &[])), 500)
        }
        Err(LoginError::CodeAsked) => {
            login_page(visit, lang, Some(lang.say("console.login.asked", &[])), 403)
        }
        Err(LoginError::Wrong | LoginError::NoSuchStaff | LoginError::Length) => {
            login_page(visit, lang, Some(lang.say("console.login.refused", &[])), 403)
        }
    }
}

fn try_login(console: &Console, visit: &Visit) -> Result<String, LoginError> {
    let now_ms = console.office.clock.now_ms();
    let code = visit.form.get("code").unwrap_or_default();
    let password = visit.form.get("password").unwrap_or_default().to_owned();
    if !console.may_try(&visit.from, now_ms) {
        return Err(LoginError::Wait { seconds: 600 });
    }
    let login = console.read(|desk| desk.login_of(code)).map_err(|_| LoginError::Hash)?;
    let Some(login) = login else {
        return nobody(console, visit, (code, &password), now_ms);
    };
    let login = Some(login);
    let one_time = visit.form.get("one_time").unwrap_or_default().to_owned();
    logins::may_try(login.as_ref(), now_ms)?;
    let fits = logins::fits(login.as_ref(), &password);
    if !fits {
        console.was_wrong(&visit.from, now_ms);
    }
    let login = login.ok_or(LoginError::Wrong)?;
    let session = console
        .office
        .writer
        .run(move |desk| desk.tried(login, (fits, &one_time), now_ms))
        .map_err(|_| LoginError::Hash)??;
    if session.is_none() && fits {
        // A wrong one-time code is a wrong try like any other.
        console.was_wrong(&visit.from, now_ms);
    }
    session.map(|session| session.cookie).ok_or(LoginError::Wrong)
}

/// A staff code that has no login costs as much and is answered as one with a wrong password.
fn nobody(
    console: &Console,
    visit: &Visit,
    (code, password): (&str, &str),
    now_ms: u64,
) -> Result<String, LoginError> {
    logins::may_try(Some(&console.nobodys(code)), now_ms)?;
    let _ = logins::fits(None, password);
    console.was_wrong(&visit.from, now_ms);
    console.was_nobodys(code, now_ms);
    console.office.writer.run(move |desk| desk.tried_nobodys(now_ms)).map_err(|_| LoginError::Hash)??;
    Err(LoginError::Wrong)
}

fn login_page(visit: &Visit, lang: Lang, told: Option<String>, status: u16) -> Reply {
    let say = |key: &str| lang.say(key, &[]);
    let back = if visit.verb == Verb::Get { visit.path.as_str() } else { "/" };
    let shell = Shell {
        face: Face::Office,
        lang: lang.id(),
        title: say("console.login.title"),
        brand: say("console.brand"),
        person: String::new(),
        tabs: Vec::new(),
        back: None,
        notice: told.map(|sentence| (Tone::Bad, sentence)),
        standing: html! {},
        address: "/".to_owned(),
        skip: say("console.skip"),
        tabs_label: say("console.tabs"),
        manifest: None,
    };
    let content = html! {
        form method="post" action="/login" {
            input type="hidden" name="back" value=(back);
            label.field { span { (say("console.login.code")) }
                input type="text" name="code" autocomplete="username" autofocus value=(visit.form.get("code").unwrap_or_default());
            }
            label.field { span { (say("console.login.password")) }
                input type="password" name="password" autocomplete="current-password";
            }
            label.field { span { (say("console.login.one_time")) }
                input type="text" name="one_time" inputmode="numeric" autocomplete="one-time-code" maxlength="8";
            }
            (widgets::button(Weight::First, &say("console.login.enter"), None))
        }
    };
    Reply::page_as(status, shell::page(&shell, &content))
}

fn language(console: &Console, visit: &Visit) -> Lang {
    visit.cookies.get(LANGUAGE).map_or(console.lang, |name| Lang::chosen(Some(name)))
}
