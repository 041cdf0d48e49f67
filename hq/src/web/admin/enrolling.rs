//! The enrolment code of a new device: a symbol that its camera reads from the screen, and the same as text.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::symbol;
use pages::widgets::{self, Tone, Weight};
use sync_protocol::enrolment::Enrolment;

use crate::cli::answer::Fault;
use crate::data;
use crate::money::rows::instant;
use crate::web::desk::{Desk, Leaf, Place};

/// Asks for whom.
pub(super) fn ask(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&asking(desk)?))
}

fn asking(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let people = desk.look(|office| Ok(office.people()?))?;
    let mut staff: Vec<(&str, String)> = people
        .staff
        .values()
        .map(|person| (person.code.as_str(), widgets::plain(&format!("{} {}", person.code, person.name))))
        .collect();
    staff.sort_unstable();
    let options: Vec<(&str, &str)> = staff.iter().map(|(code, said)| (*code, said.as_str())).collect();
    let chosen = desk.visit.form.get("staff").or_else(|| desk.visit.query.get("staff")).unwrap_or_default();
    let content = html! {
        p.hint { (desk.say("console.admin.enrol.hint")) }
        (desk.form("/admin/devices/new", &html! {
            (widgets::select("staff", &desk.say("console.admin.enrol.staff"), &options, chosen))
            (widgets::button(Weight::First, &desk.say("console.admin.enrol.make"), None))
        }))
    };
    Ok(leaf(desk, content))
}

fn leaf(desk: &Desk<'_>, content: Markup) -> Leaf {
    Leaf {
        place: Place::Admin,
        title: desk.say("console.admin.enrol"),
        back: Some("/admin/devices".to_owned()),
        content,
    }
}

/// Names a new device and shows its code. The code holds a one-time secret: it is shown once, and not kept to be shown
/// again, so this answer is the page itself.
pub(super) fn show(desk: &Desk<'_>) -> Result<Reply, Fault> {
    match issued(desk) {
        Ok(enrolment) => Ok(desk.page(&leaf(desk, shown(desk, &enrolment)))),
        Err(fault) => Ok(desk.refused(&asking(desk)?, &fault)),
    }
}

fn issued(desk: &Desk<'_>) -> Result<Enrolment, Fault> {
    let staff = desk.visit.form.get("staff").unwrap_or_default().to_owned();
    desk.administer("console device code", staff.clone(), move |office, now_ms| {
        let reach = data::reach(&office.store, None)?;
        office.issue_code(&staff, &reach, now_ms).map_err(|error| Fault::from(error).with("staff", &staff))
    })
}

fn shown(desk: &Desk<'_>, enrolment: &Enrolment) -> Markup {
    let code = enrolment.to_code();
    let until = desk.instant(instant(enrolment.expires_ms));
    let facts = [
        (
            desk.say("console.admin.column.owner"),
            html! { (widgets::text(&enrolment.staff_name)) " (" (widgets::text(&enrolment.staff_code)) ")" },
        ),
        (desk.say("console.admin.column.replica"), html! { (enrolment.replica.0) }),
        (desk.say("console.admin.enrol.address"), html! { code { (enrolment.address) } }),
        (desk.say("console.admin.enrol.until"), html! { (until) }),
    ];
    html! {
        (widgets::told(Tone::Warning, &desk.say("console.admin.enrol.once")))
        div.two {
            div { (widgets::facts(&facts))
                label.field { span { (desk.say("console.admin.enrol.text")) }
                    textarea id="code" rows="6" readonly { (code) }
                }
                p { code { "fieldbook enrol CODE" } }
            }
            @if let Some(symbol) = symbol::draw(&code, &desk.say("console.admin.enrol.symbol")) {
                figure.picture id="symbol" { (symbol) figcaption { (desk.say("console.admin.enrol.scan")) } }
            }
        }
    }
}
