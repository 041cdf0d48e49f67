//! Conflicts side by side, one tap settles; and what HQ did not take.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Tone};
use records::time::Zone;

use crate::cli::fault::Fault;
use crate::notebook::conflict::{Candidate, Of, Open, Take, open, settle as take};
use crate::notebook::quarantine::{Held, quarantine, resubmit as again};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::more::address;

/// Returns the open conflicts; `?all=1` shows those too where a value was taken already.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    desk.page(&leaf(desk)?)
}

/// Takes one of the values.
pub(super) fn settle(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let place = form.get("take").and_then(|place| place.parse().ok()).unwrap_or_default();
    let wanted = Take::Place(place, form.get("of").unwrap_or_default().to_ascii_lowercase());
    match desk.with(|store| take(store, id, &wanted, desk.now())) {
        Ok(_) => Ok(Reply::go("/conflicts?done=settled")),
        Err(fault) => desk.refused(&leaf(desk)?, &fault),
    }
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let soft = desk.visit.query.get("all").is_some();
    let (conflicts, zone) = desk.with(|store| {
        let mut all = open(store, Of::Hard)?;
        if soft {
            all.extend(open(store, Of::Soft)?);
        }
        Ok::<_, NotebookError>((all, store.zone()))
    })?;
    Ok(Leaf {
        place: Place::More,
        title: desk.say("web.conflict.title"),
        back: Some("/more".to_owned()),
        content: html! {
            @if conflicts.is_empty() { p.none { (desk.say("text.conflict.none")) } }
            @for conflict in &conflicts { (one(desk, conflict, zone)) }
            @if !soft { div.actions { a.way href="/conflicts?all=1" { (desk.say("web.conflict.soft")) } } }
        },
    })
}

fn one(desk: &Desk<'_>, conflict: &Open, zone: Zone) -> Markup {
    let kind = desk.lang.label(conflict.kind.zh, conflict.kind.en);
    let group = desk.lang.label(conflict.group.zh, conflict.group.en);
    let named = if conflict.number.is_empty() { conflict.id.code() } else { conflict.number.clone() };
    html! {
        section.conflict {
            h2 { a href=(address(conflict.kind, conflict.id)) { (kind) " " (widgets::text(&named)) } " · " (group) }
            div.two {
                @for (n, value) in (1_usize..).zip(&conflict.values) { (side(desk, conflict, (n, value), zone)) }
            }
        }
    }
}

fn side(desk: &Desk<'_>, conflict: &Open, (n, value): (usize, &Candidate), zone: Zone) -> Markup {
    let mut facts = Vec::new();
    for (group, row) in &value.rows {
        for (field, value) in group.fields.iter().zip(row) {
            if let Some(value) = value {
                let said = value.label(field, zone, desk.lang.of_labels());
                facts.push((
                    desk.lang.label(field.zh, field.en).to_owned(),
                    html! { strong { (widgets::text(&said)) } },
                ));
            }
        }
    }
    html! {
        div.side {
            p { strong { (widgets::text(&value.by)) } " #" (value.device.0) br; (value.at.minute(zone)) " "
                @if n == 1 { (widgets::badge(Tone::Plain, &desk.say("web.conflict.stands"))) } }
            (widgets::facts(&facts))
            (desk.form(&format!("/conflicts/{}", conflict.id), &html! {
                input type="hidden" name="of" value=(conflict.hash);
                button.first type="submit" name="take" value=(n) id={ "take-" (conflict.hash) "-" (n) } { (desk.say("web.conflict.take")) }
            }))
        }
    }
}

/// Returns what HQ did not take, each with its reason.
pub(super) fn refused(desk: &Desk<'_>) -> Result<Reply, Fault> {
    desk.page(&refused_leaf(desk)?)
}

/// Writes a refused op again.
pub(super) fn resubmit(desk: &Desk<'_>, op: &str) -> Result<Reply, Fault> {
    let done = desk.with(|store| {
        let id = op.parse().map_err(|_| Refusal::by("W-26").with("op", op))?;
        again(store, id, desk.now())
    });
    match done {
        Ok(_) => Ok(Reply::go("/quarantine?done=resubmitted")),
        Err(fault) => desk.refused(&refused_leaf(desk)?, &fault),
    }
}

fn refused_leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let (held, zone) = desk.with(|store| Ok::<_, NotebookError>((quarantine(store)?, store.zone())))?;
    Ok(Leaf {
        place: Place::More,
        title: desk.say("text.status.quarantine"),
        back: Some("/more".to_owned()),
        content: html! {
            @if held.is_empty() { p.none { (desk.say("text.quarantine.none")) } }
            ul.findings { @for held in &held { li.bad { (held_of(desk, held, zone)) } } }
        },
    })
}

fn held_of(desk: &Desk<'_>, held: &Held, zone: Zone) -> Markup {
    let kind = records::kinds::by_name(held.kind);
    html! {
        p {
            strong { (kind.map_or("?", |kind| desk.lang.label(kind.zh, kind.en))) } " "
            @if let (Some(kind), Some(id)) = (kind, held.id) { a href=(address(kind, id)) { (id.code()) } }
            @if let Some(at) = held.at { " · " (at.minute(zone)) }
        }
        p { (widgets::text(&held.text)) @if let Some(code) = held.code { " [" (code) "]" } }
        @if held.retryable {
            (desk.form(&format!("/quarantine/{}", held.op), &html! {
                button.first type="submit" id={ "resubmit-" (held.op) } { (desk.say("web.quarantine.again")) }
            }))
        } @else { p.hint { (desk.say("web.quarantine.no_use")) } }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn without_conflicts_the_pages_say_so_and_a_wrong_settlement_is_refused() {
        let device = Device::new();
        let browser = Browser::of(&device);
        assert!(browser.get("/conflicts?all=1").contains("class=\"none\""));
        assert!(browser.get("/quarantine").contains("class=\"none\""));
        let at = browser.send("/vouchers", &[("amount", "35"), ("category", "meal"), ("date", "2026-11-20")]);
        let id = at.trim_start_matches("/vouchers/").split('?').next().unwrap();
        let page = browser.refused(&format!("/conflicts/{id}"), &[("take", "1"), ("of", "00")]);
        assert!(page.contains("W-23"), "{page}");
        assert!(browser.refused("/quarantine/7.1.99", &[]).contains("W-26"));
    }
}
