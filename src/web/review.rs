//! The review tab, offline too: what waits, the claim with its pictures, and the decision; then the next opens itself.

mod one;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Row, Tone};
use records::kinds::number;
use records::money::Fen;

use crate::cli::fault::Fault;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::alarm::alarm as raise;
use crate::notebook::review::approve::{Approve, approve as pass};
use crate::notebook::review::clean::{Glance, approve_clean, glances};
use crate::notebook::review::cut::{Cut, amount, cut as take_off};
use crate::notebook::review::paper::paper as here;
use crate::notebook::review::send_back::{SendBack, send_back as back};
use crate::notebook::review::summary::{Sign, sign};
use crate::notebook::review::waiting::{Waiting, waiting};
use crate::web::desk::{Desk, Leaf, Place};

pub(super) use one::one;

/// Returns what waits: outliers first, then what is due first.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    desk.page(&leaf(desk)?)
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let found = desk.with(|store| glances(store, desk.now()))?;
    let clean: Vec<&Glance> = found.iter().filter(|g| g.clean && g.waiting.step == "gm_approve").collect();
    let sum = |of: &mut dyn Iterator<Item = &Glance>| {
        Fen(of.filter_map(|g| g.waiting.claimed).fold(0, |sum: i64, fen| sum.saturating_add(fen.0)))
    };
    let usual = Fen(found.iter().filter_map(|g| g.usual).fold(0, |sum: i64, fen| sum.saturating_add(fen.0)));
    let rows: Vec<Row> = found.iter().map(|glance| glanced(desk, glance)).collect();
    Ok(Leaf {
        place: Place::Review,
        title: desk.say("web.tab.review"),
        back: None,
        content: html! {
            @if !found.is_empty() {
                p { (desk.tell("web.review.total", &[("n", &found.len().to_string()), ("sum", &sum(&mut found.iter()).to_string()), ("usual", &usual.to_string())])) }
            }
            @if !clean.is_empty() {
                (desk.form("/review/clean", &html! {
                    button.first #review-clean type="submit" data-confirm=(desk.say("web.review.clean_sure")) {
                        (desk.tell("web.review.clean", &[("n", &clean.len().to_string()), ("sum", &sum(&mut clean.iter().copied()).to_string())]))
                    }
                }))
            }
            (widgets::rows(&rows, &desk.say("text.review.nothing")))
            div.actions { a.way href="/batches" { (desk.say("web.batch.title")) } }
        },
    })
}

fn glanced(desk: &Desk<'_>, glance: &Glance) -> Row {
    let usual = glance.usual.unwrap_or_default().to_string();
    let row = row(desk, &glance.waiting);
    let below = html! {
        (row.below)
        @if glance.outlier { " " (widgets::badge(Tone::Warning, &desk.tell("web.review.outlier", &[("usual", &usual)]))) }
    };
    Row { below, ..row }
}

/// Returns the row of what waits for a review; it leads to the decision.
pub(super) fn row(desk: &Desk<'_>, waiting: &Waiting) -> Row {
    let kind = desk.lang.label(waiting.kind.zh, waiting.kind.en);
    Row {
        href: one::address(waiting),
        title: format!(
            "{} · {kind} {}",
            waiting.staff,
            if waiting.number.is_empty() { &waiting.half } else { &waiting.number }
        ),
        below: html! {
            (waiting.half) " · " (waiting.unit)
            @if let Some(due) = waiting.due { " · " (desk.tell("web.money.clock", &[("day", &due.to_string())])) }
            @if waiting.vouchers > 0 { " · " (desk.tell("web.review.vouchers_n", &[("n", &waiting.vouchers.to_string())])) }
            @for rule in &waiting.anomalies { " " (widgets::badge(Tone::Bad, rule)) }
            @if waiting.again { " " (widgets::badge(Tone::Warning, &desk.say("text.review.again"))) }
            @if waiting.paper { " " (widgets::badge(Tone::Good, &desk.say("text.review.paper"))) }
        },
        right: html! { @if let Some(claimed) = waiting.claimed { strong { (claimed) } } },
    }
}

/// Approves all clean claims of the second level.
pub(super) fn clean(desk: &Desk<'_>) -> Result<Reply, Fault> {
    match desk.with(|store| approve_clean(store, desk.now())) {
        Ok(_) => Ok(Reply::go("/review?done=approved_clean")),
        Err(fault) => desk.refused(&leaf(desk)?, &fault),
    }
}

/// Takes a decision; the next record that waits opens itself.
pub(super) fn decide(desk: &Desk<'_>, id: &str, step: &str) -> Result<Reply, Fault> {
    match desk.with(|store| take(store, desk, id, step)) {
        Ok(()) if matches!(step, "cut" | "uncut" | "alarm" | "paper") => {
            let principal = desk
                .visit
                .form
                .get("for")
                .map(|who| format!("&for={}", pages::visit::part(who)))
                .unwrap_or_default();
            Ok(Reply::go(&format!("/review/{}?done=saved{principal}", pages::visit::part(id))))
        }
        Ok(()) => {
            let next =
                desk.with(|store| Ok::<_, NotebookError>(waiting(store, desk.now())?.into_iter().next()))?;
            let done = if step == "approve" { "approved" } else { "returned" };
            let to = next.map_or_else(|| "/review".to_owned(), |next| one::address(&next));
            let join = if to.contains('?') { '&' } else { '?' };
            Ok(Reply::go(&format!("{to}{join}done={done}")))
        }
        Err(fault) => desk.refused(&one::leaf(desk, id)?, &fault),
    }
}

fn take(store: &mut crate::store::Store, desk: &Desk<'_>, id: &str, step: &str) -> Result<(), NotebookError> {
    let (form, now) = (&desk.visit.form, desk.now());
    let said = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let principal = form.get("for").map(ToOwned::to_owned);
    let record = id.to_owned();
    let (_, kind) = find::document(store, id, Wanted::Any)?;
    if kind.number == number::TRIP {
        let reason = [said("reason"), said("note")].join(" ");
        let request = Sign { record: id, step, reason: reason.trim(), principal: principal.as_deref() };
        return sign(store, &request, now).map(drop);
    }
    match step {
        "approve" => {
            let vouchers = form.get("vouchers").and_then(|n| n.parse().ok());
            let acks = form.all("ack").map(ToOwned::to_owned).collect();
            pass(store, &Approve { record, vouchers, acks, principal, note: said("note") }, now).map(drop)
        }
        "cut" | "uncut" => {
            let to = if step == "cut" { Some(amount(store, &said("to"))?) } else { None };
            let line = said("line").parse().unwrap_or_default();
            take_off(store, &Cut { record, line, to, reason: said("reason"), principal }, now).map(drop)
        }
        "alarm" => {
            raise(store, id, form.get("line").and_then(|n| n.parse().ok()), &said("note"), now).map(drop)
        }
        "paper" => here(store, id, &said("note"), now).map(drop),
        _ => {
            let lines = form.all("line").filter_map(|n| n.parse().ok()).collect();
            back(
                store,
                &SendBack { record, lines, reason: said("reason"), note: said("note"), principal },
                now,
            )
            .map(drop)
        }
    }
}

/// Returns the list of reasons, as large boxes.
fn reasons(desk: &Desk<'_>, id: &str) -> Markup {
    use records::kinds::claim::CutReason;
    html! {
        label.field for=(id) { span { (desk.say("column.reason")) }
            select id=(id) name="reason" required {
                option value="" {}
                @for (word, zh, en) in CutReason::CHOICES.options { option value=(word) { (desk.lang.label(zh, en)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn a_page_of_review_says_when_nothing_waits_and_refuses_what_is_no_ones_turn() {
        let device = Device::new();
        let browser = Browser::of(&device);
        assert!(browser.get("/review").contains("class=\"none\""));
        browser.send("/vouchers", &[("amount", "35"), ("category", "meal"), ("date", "2026-11-20")]);
        let at = browser.send("/claims/2026-11-H2/draft", &[]);
        let id = at.trim_start_matches("/claims/");
        let page = browser.get(&format!("/review/{id}"));
        assert!(
            page.contains("35.00") && !page.contains("review-approve"),
            "one's own claim is not one's to judge: {page}"
        );
        assert!(browser.refused(&format!("/review/{id}/approve"), &[("vouchers", "1")]).contains("W-62"));
        assert!(browser.refused(&format!("/review/{id}/return"), &[("reason", "nonsense")]).contains("W-63"));
    }
}
