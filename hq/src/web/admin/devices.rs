//! Devices: how each stands, what waits of it, and the steps that an administrator takes with a reason.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Column, Tone, Weight};
use records::id::Replica;
use records::kinds::device::DEVICE_MACHINE;

use crate::cli::answer::{Fault, REFUSED};
use crate::cli::show;
use crate::devices::{DeviceError, Watched};
use crate::money::refusal::MoneyError;
use crate::money::rows::instant;
use crate::store::devices::Standing;
use crate::web::desk::{Desk, Leaf, Place};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Returns what is to be thought of a device's silence: a day is much, a week too much.
pub(super) fn silence(one: &Watched, now_ms: u64) -> Tone {
    if !one.device.standing.takes_part() {
        return Tone::Plain;
    }
    match one.silent_ms(now_ms) {
        None | Some(0..DAY_MS) => Tone::Plain,
        Some(ms) if ms < 7 * DAY_MS => Tone::Warning,
        Some(_) => Tone::Bad,
    }
}

pub(super) fn list(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let now_ms = desk.now_ms();
    let watched = desk.look(|office| Ok(office.watched()?))?;
    let columns = ["owner", "device", "replica", "state", "seen", "unsent", "notes"].map(|name| Column {
        title: desk.say(&format!("console.admin.column.{name}")),
        number: name == "unsent",
    });
    let rows: Vec<Vec<Markup>> = watched.iter().map(|one| row(desk, one, now_ms)).collect();
    let content = html! {
        div.actions { a.way.first href="/admin/devices/new" id="enrol" { (desk.say("console.admin.enrol")) } }
        p.hint { (desk.say("console.admin.unsent.hint")) }
        (widgets::table(&desk.say("console.admin.devices"), &columns, &rows, &desk.say("console.admin.devices.none")))
    };
    Ok(desk.page(&Leaf {
        place: Place::Admin,
        title: desk.say("console.admin.devices"),
        back: Some("/admin".to_owned()),
        content,
    }))
}

fn row(desk: &Desk<'_>, one: &Watched, now_ms: u64) -> Vec<Markup> {
    let id = one.device.replica.0;
    vec![
        html! { a href={ "/admin/devices/" (id) } { (owner(one)) } },
        widgets::short(&one.device.name),
        html! { (id) },
        state(desk, one.device.standing),
        html! { (one.device.seen_ms.map(|seen| desk.instant(instant(seen))).unwrap_or_default()) },
        unsent(desk, one, now_ms),
        notes(desk, one),
    ]
}

fn owner(one: &Watched) -> Markup {
    match &one.owner {
        Some(owner) => html! { (widgets::short(&owner.name)) " (" (widgets::short(&owner.code)) ")" },
        None => html! { "?" },
    }
}

fn state(desk: &Desk<'_>, standing: Standing) -> Markup {
    let state = DEVICE_MACHINE.states.get(usize::from(standing as u8));
    let word = state.map_or("", |state| desk.lang.words().pick(state.zh, state.en));
    let tone = match standing {
        Standing::Enrolled => Tone::Good,
        Standing::Pending | Standing::Suspended => Tone::Warning,
        Standing::Lost => Tone::Bad,
        Standing::Revoked | Standing::Retired => Tone::Plain,
    };
    widgets::badge(tone, word)
}

/// Since when it may keep work that HQ has not got.
fn unsent(desk: &Desk<'_>, one: &Watched, now_ms: u64) -> Markup {
    let Some(ms) = one.silent_ms(now_ms).filter(|_| one.device.standing.takes_part()) else {
        return html! { "–" };
    };
    let age = show::duration(ms, desk.lang);
    match silence(one, now_ms) {
        Tone::Plain => html! { (age) },
        tone => widgets::badge(tone, &age),
    }
}

fn notes(desk: &Desk<'_>, one: &Watched) -> Markup {
    html! {
        @if one.leads { (desk.say("console.admin.leads")) " " }
        @if one.device.copied { (widgets::badge(Tone::Bad, &desk.say("hq.device.copied"))) " " }
        @if one.held_back > 0 {
            (widgets::badge(Tone::Warning, &desk.tell("hq.device.waiting", &[("n", &one.held_back.to_string())]))) " "
        }
        @if !one.keys.is_empty() {
            (widgets::badge(Tone::Warning, &desk.tell("hq.device.waiting_keys", &[("keys", &one.keys.join(" "))])))
        }
    }
}

pub(super) fn one(desk: &Desk<'_>, replica: &str) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk, &find(desk, replica)?)))
}

fn find(desk: &Desk<'_>, replica: &str) -> Result<Watched, Fault> {
    let found = match replica.parse() {
        Ok(number) => desk.look(|office| Ok(office.watched_one(Replica(number))?))?,
        Err(_) => None,
    };
    found.ok_or_else(|| unknown(replica))
}

fn unknown(replica: &str) -> Fault {
    Fault::new(REFUSED, "hq.device.unknown").with("id", replica)
}

fn leaf(desk: &Desk<'_>, one: &Watched) -> Leaf {
    let fact = |name: &str, value: Markup| (desk.say(&format!("console.admin.column.{name}")), value);
    let now_ms = desk.now_ms();
    let facts = [
        fact("owner", owner(one)),
        fact("device", widgets::text(&one.device.name)),
        fact("replica", html! { (one.device.replica.0) }),
        fact("state", state(desk, one.device.standing)),
        fact(
            "seen",
            html! { (one.device.seen_ms.map(|seen| desk.instant(instant(seen))).unwrap_or_default()) },
        ),
        fact("unsent", unsent(desk, one, now_ms)),
        fact("notes", notes(desk, one)),
    ];
    let content = html! {
        (widgets::facts(&facts))
        @if one.held_back > 0 || !one.keys.is_empty() { (confirm(desk, one)) }
        @if !one.leads && one.device.standing.takes_part() { (lease(desk, one)) }
        @for step in one.steps() {
            section {
                h2 { (desk.lang.words().pick(step.zh, step.en)) }
                p.hint { (desk.say(&format!("console.admin.{}.hint", step.name))) }
                (desk.form(&address(one, step.name), &html! {
                    (reason(desk))
                    (widgets::button(Weight::Danger, desk.lang.words().pick(step.zh, step.en), Some(("step", step.name))))
                }))
            }
        }
    };
    let title = one.owner.as_ref().map_or_else(String::new, |owner| format!("{} · ", owner.name));
    Leaf {
        place: Place::Admin,
        title: format!("{title}{}", one.device.name),
        back: Some("/admin/devices".to_owned()),
        content,
    }
}

fn address(one: &Watched, act: &str) -> String {
    format!("/admin/devices/{}/{act}", one.device.replica.0)
}

fn reason(desk: &Desk<'_>) -> Markup {
    let typed = desk.visit.form.get("reason").unwrap_or_default();
    html! {
        label.field { span { (desk.say("console.admin.reason")) }
            input type="text" name="reason" value=(typed) required maxlength="200" autocomplete="off";
        }
    }
}

fn confirm(desk: &Desk<'_>, one: &Watched) -> Markup {
    html! {
        section {
            h2 { (desk.say("console.admin.confirm")) }
            p.hint { (desk.say("console.admin.confirm.hint")) }
            (desk.form(&address(one, "confirm"), &html! {
                @if one.keys.len() > 1 {
                    fieldset.choices {
                        legend { (desk.say("console.admin.confirm.key")) }
                        @for key in &one.keys { (widgets::choice("key", key, key, false)) }
                    }
                } @else {
                    @for key in &one.keys { p { code { (key) } } }
                }
                (reason(desk))
                (widgets::button(Weight::First, &desk.say("console.admin.confirm"), Some(("step", "confirm"))))
            }))
        }
    }
}

fn lease(desk: &Desk<'_>, one: &Watched) -> Markup {
    html! {
        details {
            summary { (desk.say("console.admin.lease")) }
            p.hint { (desk.say("console.admin.lease.hint")) }
            (desk.form(&address(one, "lease"), &html! {
                (widgets::input("next", &desk.say("console.admin.lease.next"), desk.visit.form.get("next").unwrap_or_default(), "text", Some("numeric")))
                (reason(desk))
                (widgets::button(Weight::Second, &desk.say("console.admin.lease"), Some(("step", "lease"))))
            }))
        }
    }
}

pub(super) fn act(desk: &Desk<'_>, replica: &str, act: &str) -> Result<Reply, Fault> {
    let one = find(desk, replica)?;
    match acted(desk, &one, act) {
        Ok(()) => Ok(Reply::go(&format!("/admin/devices/{}?done=device", part(replica)))),
        Err(fault) => Ok(desk.refused(&leaf(desk, &one), &fault)),
    }
}

fn acted(desk: &Desk<'_>, one: &Watched, act: &str) -> Result<(), Fault> {
    let (replica, lang) = (one.device.replica, desk.lang);
    let reason = desk.visit.form.get("reason").unwrap_or_default().to_owned();
    if reason.is_empty() {
        return Err(Fault::usage("console.fault.why"));
    }
    let about = format!("{} {reason}", replica.0);
    match act {
        "lose" | "revoke" | "retire" => {
            let act = act.to_owned();
            desk.administer("console device step", about, move |office, now_ms| {
                office.step_device(replica, &act, &reason, now_ms).map_err(|error| match error {
                    DeviceError::Unknown => unknown(&replica.0.to_string()),
                    DeviceError::Refused(refusal) => Fault::money(MoneyError::Refused(refusal), lang),
                    DeviceError::Enrol(error) => error.into(),
                    DeviceError::Store(error) => error.into(),
                })
            })
        }
        "confirm" => {
            let key = desk.visit.form.get("key").map(str::to_owned);
            desk.administer("console device confirm", about, move |office, now_ms| {
                Ok(office.confirm(replica, key.as_deref(), now_ms).map(drop)?)
            })
        }
        "lease" => {
            let next = desk.visit.form.get("next").map(str::parse).transpose();
            let next = next.map_err(|_| Fault::usage("console.fault.number"))?;
            let (device, owner) = (one.device.clone(), one.owner.clone());
            let code = owner.map(|owner| owner.code).unwrap_or_default();
            desk.administer("console lease moved", about, move |office, now_ms| {
                let moved = office.move_lease(&code, &device, next, now_ms);
                moved
                    .map(drop)
                    .map_err(|error| Fault::from(error).with("staff", &code).with("id", device.replica.0))
            })
        }
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}
