//! Everything else: the ways to it, how things stand, the policy's calculators, the history of a record.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row, Tone};
use records::id::DocId;
use records::kinds::number;
use records::policy::explain::{Question, explain};
use records::schema::Kind;
use records::time::Day;

use crate::cli::fault::{Exit, Fault};
use crate::cli::status::bytes;
use crate::notebook::find::Wanted;
use crate::notebook::refusal::NotebookError;
use crate::notebook::terms::Terms;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::sheets::past;

/// Returns where a record is looked at.
pub(crate) fn address(kind: &Kind, id: DocId) -> String {
    let room = match kind.number {
        number::VOUCHER => "vouchers",
        number::CLAIM => "claims",
        number::JOB => "jobs",
        number::INSTALL | number::REPAIR | number::INSPECTION => "sheets",
        number::BATCH => "batches",
        number::CASE => "cases",
        number::TRIP => "trips",
        _ => "records",
    };
    format!("/{room}/{id}")
}

/// Returns the tab.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let status = desk.with(|store| desk.held.remembered.status(store, desk.now()))?;
    let counted = |n: u64| {
        if n == 0 { widgets::badge(Tone::Good, "0") } else { widgets::badge(Tone::Bad, &n.to_string()) }
    };
    let row = |href: &str, key: &str, right: Markup| Row {
        href: href.to_owned(),
        title: desk.say(key),
        below: html! {},
        right,
    };
    let rows = [
        row("/sync", "web.sync.title", html! { (status.counts.unsent_ops) }),
        row("/conflicts", "web.conflict.title", counted(status.counts.conflicts)),
        row("/quarantine", "text.status.quarantine", counted(status.counts.quarantined)),
        row("/search", "web.more.search", html! {}),
        row("/batches", "web.batch.title", html! {}),
        row("/policy", "web.policy.title", html! {}),
    ];
    let facts = [
        (
            desk.say("text.status.who"),
            html! { (widgets::text(&status.staff_name)) " (" (status.staff_code) ")" },
        ),
        (
            desk.say("text.status.unit"),
            html! { (widgets::text(&status.company)) " / " (widgets::text(&status.unit_name)) },
        ),
        (
            desk.say("text.status.device"),
            html! { (widgets::text(&status.device)) " (#" (status.replica.0) ")" },
        ),
        (desk.say("text.status.key"), html! { (status.key) }),
        (desk.say("web.more.hq"), html! { (widgets::text(&status.address)) }),
        (desk.say("text.status.records"), html! { (status.counts.documents) }),
        (
            desk.say("text.status.free"),
            html! { (status.free_bytes.map_or_else(|| desk.say("text.status.unknown"), bytes)) },
        ),
        (desk.say("web.more.version"), html! { (env!("CARGO_PKG_VERSION")) }),
    ];
    desk.page(&Leaf {
        place: Place::More,
        title: desk.say("web.tab.more"),
        back: None,
        content: html! { (widgets::rows(&rows, "")) section { h2 { (desk.say("web.more.about")) } (widgets::facts(&facts)) } },
    })
}

/// Returns the calculators of the policy; `?age=DAY` and the like answer.
pub(super) fn policy(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let query = &desk.visit.query;
    let asked = ["age", "received", "audited", "approved", "blackout"]
        .into_iter()
        .find_map(|name| Some((name, query.get(name)?.parse::<Day>().ok()?)));
    let answered = asked.map(|(name, day)| answer(desk, name, day)).transpose()?;
    let today = desk.with(|store| Ok::<_, NotebookError>(desk.now().wall.day(store.zone())))?;
    desk.page(&Leaf {
        place: Place::More,
        title: desk.say("web.policy.title"),
        back: Some("/more".to_owned()),
        content: html! {
            @if let Some(text) = &answered { section #answer { pre.answer { (text) } } }
            @for name in ["age", "received", "audited", "approved", "blackout"] {
                form method="get" action="/policy" {
                    (widgets::input(name, &desk.say(&format!("web.policy.{name}")), &asked.filter(|(n, _)| *n == name).map_or(today, |(_, day)| day).to_string(), "date", None))
                    button type="submit" { (desk.say("web.policy.ask")) }
                }
            }
        },
    })
}

fn answer(desk: &Desk<'_>, name: &str, day: Day) -> Result<String, Fault> {
    let question = match name {
        "received" => Question::Audit { received: day },
        "audited" => Question::Manager { audited: day },
        "approved" => Question::Finance { approved: day },
        "blackout" => Question::Blackout { date: day },
        _ => Question::Age { date: day },
    };
    let terms = desk.with(|store| Ok::<_, NotebookError>(Terms::read(store)?))?;
    let (policy, calendar) = (terms.in_force.policy(day), &terms.in_force.calendar);
    let explained =
        explain(&question, policy, calendar).map_err(|_| Fault::new(Exit::Refused, "web.policy.none"))?;
    Ok(explained.text(&|key, facts| desk.lang.say(key, facts)))
}

/// Returns the changes of any record.
pub(super) fn history(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let content = past::told(desk, id, Wanted::Any)?;
    desk.page(&Leaf {
        place: Place::More,
        title: desk.say("web.history"),
        back: Some("/more".to_owned()),
        content,
    })
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn the_rest_is_within_two_taps() {
        let device = Device::new();
        let browser = Browser::of(&device);
        let more = browser.get("/more");
        assert!(
            ["/sync", "/conflicts", "/quarantine", "/policy"].iter().all(|way| more.contains(way)),
            "{more}"
        );
        let said = browser.get("/policy?age=2026-02-28");
        assert!(said.contains("2026-03-30"), "{said}");
        let at = browser.send("/vouchers", &[("amount", "35"), ("category", "meal"), ("date", "2026-11-20")]);
        let id = at.trim_start_matches("/vouchers/").split('?').next().unwrap();
        assert!(browser.get(&format!("/history/{id}")).contains("35.00"));
    }
}
