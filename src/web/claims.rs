//! Claims: the ready-made claim of a half-month, its findings, its submission, and what becomes of it.

mod one;
mod way;

use pages::reply::Reply;
use pages::widgets::{self, Row};
use records::kinds::claim::{CLAIM, CostOwner};
use records::kinds::number;
use records::money::Fen;
use records::policy::cycle::HalfMonth;

use crate::cli::fault::Fault;
use crate::notebook::claim::draft::{Draft, draft as draw_up};
use crate::notebook::claim::exception;
use crate::notebook::claim::submit::{Submit, submit as hand_in};
use crate::notebook::claim::{edit, steps};
use crate::notebook::find::Wanted;
use crate::notebook::list::{Filter, list};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::show::show;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::shown;

pub(super) use one::one;

/// Rows of a list before "more".
const ROWS: usize = 50;

/// Returns the list of claims, newest first.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let from: usize = desk.visit.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let limit = from.saturating_add(ROWS).saturating_add(1);
    let filter = Filter { kinds: vec![&CLAIM], limit: Some(limit), ..Filter::default() };
    let lines = desk.with(|store| list(store, &filter, desk.lang.of_labels()))?;
    let more = lines.len() == limit;
    let rows: Vec<Row> = lines
        .iter()
        .skip(from)
        .take(ROWS)
        .map(|line| Row {
            href: format!("/claims/{}", line.id),
            title: if line.number.is_empty() { line.id.code() } else { line.number.clone() },
            below: maud::html! { (line.state.map_or("", |state| desk.lang.label(state.zh, state.en))) " · " (line.title) },
            right: maud::html! { strong { (line.amount.map_or_else(String::new, |fen| Fen(fen).to_string())) } },
        })
        .collect();
    desk.page(&Leaf {
        place: Place::Money,
        title: desk.say("web.money.all_claims"),
        back: Some("/money".to_owned()),
        content: maud::html! {
            (widgets::rows(&rows, &desk.say("web.money.no_claims")))
            @if more { div.actions { (widgets::way(&format!("/claims?from={}", from.saturating_add(ROWS)), &desk.say("web.more_rows"))) } }
        },
    })
}

/// Draws up the claim of a half-month, or adds what is new, and opens it.
pub(super) fn draft(desk: &Desk<'_>, half: &str) -> Result<Reply, Fault> {
    let non_service = desk.visit.form.get("owner") == Some("non_service");
    let drafted = desk.with(|store| {
        let half: HalfMonth = crate::notebook::trip::half(store, half)?;
        let cost_owner = if non_service { CostOwner::NON_SERVICE } else { CostOwner::SERVICE };
        draw_up(store, &Draft { half, also: Vec::new(), cost_owner, empty: false }, desk.now())
    })?;
    Ok(Reply::go(&format!("/claims/{}", drafted.id)))
}

/// Submits; the reasons that findings ask for come with it.
pub(super) fn submit(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let reasons = desk.visit.form.under("reason.");
    let reasons = reasons.into_iter().filter(|(_, why)| !why.is_empty());
    let reasons = reasons.map(|(place, why)| format!("{place}={why}")).collect();
    let request = Submit { record: id.to_owned(), reasons };
    let done = desk.with(|store| hand_in(store, &request, desk.now()));
    after(desk, id, "claim_submitted", done)
}

/// Changes a line, or the claim.
pub(super) fn set(desk: &Desk<'_>, id: &str, line: Option<&str>) -> Result<Reply, Fault> {
    let pairs: Vec<Pair> =
        desk.visit.form.under("set.").into_iter().map(|(name, value)| Pair::new(name, value)).collect();
    let line = line.and_then(|line| line.parse().ok());
    let done = desk.with(|store| edit::set(store, id, line, &pairs, desk.now()));
    after(desk, id, "saved", done)
}

/// Takes a line off.
pub(super) fn remove(desk: &Desk<'_>, id: &str, line: &str) -> Result<Reply, Fault> {
    let line = line.parse().unwrap_or_default();
    let done = desk.with(|store| edit::remove_line(store, id, line, desk.now()));
    after(desk, id, "line_removed", done)
}

/// Withdraws, throws away, answers the auditor.
pub(super) fn step(desk: &Desk<'_>, id: &str, step: &str) -> Result<Reply, Fault> {
    let text = desk.visit.form.get("text").unwrap_or_default();
    let done = desk.with(|store| match step {
        "withdraw" => steps::withdraw(store, id, desk.now()),
        "void" => steps::void(store, id, text, desk.now()),
        _ => steps::answer(store, id, text, desk.now()),
    });
    after(desk, id, "saved", done)
}

fn after<T>(desk: &Desk<'_>, id: &str, key: &str, outcome: Result<T, Fault>) -> Result<Reply, Fault> {
    match outcome {
        Ok(_) => Ok(Reply::go(&format!("/claims/{}?done={key}", pages::visit::part(id)))),
        Err(fault) => desk.refused(&one::leaf(desk, id)?, &fault),
    }
}

const CASES: Wanted = Wanted::Kind(number::CASE);

/// Returns a disciplinary case, with the appeal.
pub(super) fn case(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&case_leaf(desk, id)?)
}

/// Appeals against a case.
pub(super) fn appeal(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let reason = desk.visit.form.get("text").unwrap_or_default();
    match desk.with(|store| exception::appeal(store, id, reason, desk.now())) {
        Ok(_) => Ok(Reply::go(&format!("/cases/{}?done=appealed", pages::visit::part(id)))),
        Err(fault) => desk.refused(&case_leaf(desk, id)?, &fault),
    }
}

fn case_leaf(desk: &Desk<'_>, id: &str) -> Result<Leaf, Fault> {
    let (shown, zone) = desk.with(|store| {
        Ok::<_, NotebookError>((show(store, id, CASES, desk.lang.of_labels())?, store.zone()))
    })?;
    let confirmed = shown.line.state.is_some_and(|state| state.name == "confirmed");
    Ok(Leaf {
        place: Place::Money,
        title: desk.tell("web.case.one", &[("code", &shown.line.id.code())]),
        back: Some("/money".to_owned()),
        content: maud::html! {
            p { (widgets::badge(widgets::Tone::Warning, shown.line.state.map_or("", |state| desk.lang.label(state.zh, state.en)))) }
            (widgets::facts(&shown::facts(desk, &shown, zone)))
            (shown::lists(desk, &shown, zone, &[]))
            @if confirmed {
                (desk.form(&format!("/cases/{}/appeal", shown.line.id), &maud::html! {
                    label.field { span { (desk.say("web.case.why")) } textarea name="text" rows="4" required maxlength="1000" {} }
                    button.first #appeal type="submit" { (desk.say("web.case.appeal")) }
                }))
            }
            (shown::decisions(desk, &shown, zone))
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn the_ready_claim_shows_its_findings_with_what_mends_them_and_prints() {
        let device = Device::new();
        let browser = Browser::of(&device);
        for amount in ["35.00", "12.50"] {
            let fields = [("amount", amount), ("category", "meal"), ("date", "2026-11-20")];
            browser.send_with("/vouchers", &fields, &[("photo", "a.jpg", b"\xFF\xD8\xFFslip")]);
        }
        let money = browser.get("/money");
        assert!(money.contains("/claims/2026-11-H2/draft") && money.contains("47.50"), "{money}");
        let at = browser.send("/claims/2026-11-H2/draft", &[]);
        let claim = browser.get(&at);
        assert!(claim.contains("47.50") && claim.contains("id=\"claim-submit\""), "{claim}");
        assert!(claim.contains("/trips/2026-11-H2"), "the summary is confirmed from here: {claim}");
        // Where something stands in the way the page says it again, and nothing was submitted.
        let refused = browser.refused(&format!("{at}/submit"), &[]);
        assert!(refused.contains("W-55") && refused.contains("class=\"findings\""), "{refused}");
        browser.send(&format!("{at}/lines/1/set"), &[("set.detail", "<b>lunch</b>")]);
        let claim = browser.get(&at);
        assert!(claim.contains("&lt;b&gt;lunch") && !claim.contains("<b>lunch"));
    }
}
