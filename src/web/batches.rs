//! The branch's envelopes: the check list, the seal, manifest and label, the waybill.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Column, Row, Tone};
use records::kinds::batch_machine;

use crate::cli::fault::{Exit, Fault};
use crate::notebook::batch::fill::{add, explain as say_why, remove};
use crate::notebook::batch::lists::lists;
use crate::notebook::batch::send::{Send, dispatch, seal, unseal};
use crate::notebook::batch::view::{View, view};
use crate::notebook::batch::{self, open as begin};
use crate::notebook::refusal::NotebookError;
use crate::notebook::show;
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the batches, the last one first.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    desk.page(&leaf(desk)?)
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let all = desk.with(|store| Ok::<_, NotebookError>(batch::all(store)?))?;
    let row = |(document, batch): &(sync_protocol::merge::Document, records::claim::guard::batch::Batch)| {
        let state = batch_machine::BATCH.states.get(usize::from(batch.state));
        Row {
            href: format!("/batches/{}", document.id),
            title: batch.no.clone(),
            below: html! {
                (state.map_or("", |state| desk.lang.label(state.zh, state.en)))
                @if let Some(due) = batch.due { " · " (desk.tell("web.money.clock", &[("day", &due.to_string())])) }
                @if batch.is_late() { " " (widgets::badge(Tone::Bad, &desk.say("text.batch.late"))) }
            },
            right: html! { (batch.claims.len()) },
        }
    };
    let rows: Vec<Row> = all.iter().rev().map(row).collect();
    Ok(Leaf {
        place: Place::Review,
        title: desk.say("web.batch.title"),
        back: Some("/review".to_owned()),
        content: html! {
            (widgets::rows(&rows, &desk.say("text.list.empty")))
            (desk.form("/batches", &html! {
                (widgets::input("cycle", &desk.say("web.batch.cycle"), "", "text", None))
                (widgets::input("reason", &desk.say("web.batch.why_extra"), "", "text", None))
                button.first #batch-open type="submit" { (desk.say("web.batch.open")) }
            }))
        },
    })
}

/// Opens a batch and puts in all that may go.
pub(super) fn open(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let opened = desk.with(|store| {
        let opened = begin(store, form.get("cycle"), form.get("reason"), desk.now())?;
        add(store, Some(&opened.id.to_string()), &[], desk.now())?;
        Ok(opened)
    });
    match opened {
        Ok(opened) => Ok(Reply::go(&format!("/batches/{}?done=saved", opened.id))),
        Err(fault) => desk.refused(&leaf(desk)?, &fault),
    }
}

/// Returns one batch.
pub(super) fn one(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&one_leaf(desk, id)?)
}

/// Fills, empties, explains, seals, opens again, dispatches.
pub(super) fn step(desk: &Desk<'_>, id: &str, step: &str) -> Result<Reply, Fault> {
    let (form, now) = (&desk.visit.form, desk.now());
    let said = |name: &str| form.get(name).unwrap_or_default();
    let own = |name: &str| form.get(name).map(ToOwned::to_owned);
    let done = desk.with(|store| match step {
        "fill" => add(store, Some(id), &[], now).map(drop),
        "remove" => remove(store, Some(id), &[said("claim").to_owned()], now).map(drop),
        "explain" => say_why(store, Some(id), said("number"), said("why"), now).map(drop),
        "seal" => seal(store, Some(id), now).map(drop),
        "unseal" => unseal(store, Some(id), now).map(drop),
        _ => {
            let day = form.get("day").and_then(|day| day.parse().ok());
            let (waybill, carrier) = (said("waybill").to_owned(), own("carrier"));
            let request =
                Send { batch: Some(id.to_owned()), waybill, carrier, late_reason: own("late_reason"), day };
            dispatch(store, &request, now).map(drop)
        }
    });
    match done {
        Ok(()) => Ok(Reply::go(&format!("/batches/{}?done=batch_{step}", pages::visit::part(id)))),
        Err(fault) => desk.refused(&one_leaf(desk, id)?, &fault),
    }
}

fn one_leaf(desk: &Desk<'_>, id: &str) -> Result<Leaf, Fault> {
    let (view, people) = desk.with(|store| {
        let view = view(store, Some(id), desk.now())?;
        let mut people = Vec::new();
        for (_, _, inside) in &view.claims {
            people.push(inside.as_ref().map(|inside| show::name(store, inside.claim.staff)).transpose()?);
        }
        Ok::<_, NotebookError>((view, people))
    })?;
    Ok(Leaf {
        place: Place::Review,
        title: view.batch.no.clone(),
        back: Some("/batches".to_owned()),
        content: content(desk, &view, &people),
    })
}

fn content(desk: &Desk<'_>, view: &View, people: &[Option<String>]) -> Markup {
    let (batch, id) = (&view.batch, view.id);
    let open = batch.state == batch_machine::OPEN;
    let total = desk.tell(
        "text.batch.total",
        &[("total", &view.manifest.total.to_string()), ("vouchers", &view.manifest.vouchers.to_string())],
    );
    html! {
        p.big { (batch.claims.len()) " " (widgets::badge(Tone::Plain, view.state.map_or("", |state| desk.lang.label(state.zh, state.en)))) }
        p { (total) @if let Some(due) = batch.due { " · " (desk.tell("web.money.clock", &[("day", &due.to_string())])) } }
        @if batch.is_late() { (widgets::told(Tone::Bad, &desk.say("text.batch.late"))) }
        @if batch.state != batch_machine::OPEN { (papers(desk, view)) }
        @for (_, gap) in &view.faults { (gap_of(desk, view, gap, open)) }
        @if open {
            (desk.form(&format!("/batches/{id}/fill"), &html! { button #batch-fill type="submit" { (desk.say("web.batch.fill")) } }))
            (desk.form(&format!("/batches/{id}/seal"), &html! {
                button.first #batch-seal data-step="batch-seal" type="submit" { (desk.say("web.batch.seal")) }
            }))
        }
        @if batch.state == batch_machine::SEALED { (sending(desk, view)) }
        @if !batch.waybill.is_empty() { p { (desk.say("column.batch.waybill")) ": " (widgets::text(&batch.waybill)) } }
        (members(desk, view))
        (claims(desk, view, people, open))
        @if open { (papers(desk, view)) }
    }
}

/// The check list: who of the branch has nothing on the way, and how far the others are.
fn members(desk: &Desk<'_>, view: &View) -> Markup {
    let lacking = view.members.iter().filter(|member| member.lacks()).count();
    let columns = [("column.review.staff", false), ("column.state", false)]
        .map(|(key, number)| Column { title: desk.say(key), number });
    let rows: Vec<Vec<Markup>> = view
        .members
        .iter()
        .map(|member| {
            vec![
                widgets::short(&member.name),
                html! {
                    @if member.claims.is_empty() { (widgets::badge(Tone::Bad, &desk.say("web.batch.nothing"))) }
                    @for (id, no, state) in &member.claims {
                        @let tone = if member.lacks() { Tone::Bad } else { Tone::Plain };
                        a href={ "/review/" (id) } { (no) } " " (widgets::badge(tone, desk.lang.label(state.zh, state.en))) " "
                    }
                },
            ]
        })
        .collect();
    html! {
        @if !view.members.is_empty() {
            section #members {
                h2 { (desk.tell("web.batch.members", &[("n", &lacking.to_string()), ("all", &view.members.len().to_string())])) }
                (widgets::table(&desk.say("web.batch.check_list"), &columns, &rows, ""))
            }
        }
    }
}

/// Label and list as one print, and the lists as a workbook.
fn papers(desk: &Desk<'_>, view: &View) -> Markup {
    html! {
        div.actions {
            a.way.first[view.batch.state == batch_machine::SEALED] #batch-print href={ "/papers/" (view.id) } download { (desk.say("web.batch.print")) }
            a.way #batch-lists href={ "/batches/" (view.id) "/lists.xlsx" } download { (desk.say("web.batch.lists")) }
        }
    }
}

/// Returns the lists of a batch as a workbook.
pub(super) fn workbook(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let listed = desk.with(|store| lists(store, Some(id), desk.lang.of_papers(), desk.now()))?;
    let unwritten = |_| Fault::new(Exit::Refused, "error.paper.sum");
    let bytes = listed.lists.and_then(|lists| papers::lists::workbook(&lists)).map_err(unwritten)?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(Reply::download(kind, &format!("{}.xlsx", listed.batch), bytes))
}

fn gap_of(desk: &Desk<'_>, view: &View, gap: &records::claim::gaps::Gap, open: bool) -> Markup {
    let facts = [
        ("year", gap.first.year.to_string()),
        ("first", gap.first.seq.to_string()),
        ("last", gap.last.seq.to_string()),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    html! {
        (widgets::told(Tone::Warning, &desk.tell("text.batch.fault", &facts)))
        @if open {
            details {
                summary { (desk.say("web.batch.explain")) }
                (desk.form(&format!("/batches/{}/explain", view.id), &html! {
                    (widgets::input("number", &desk.say("column.number"), "", "text", None))
                    (widgets::input("why", &desk.say("column.reason"), "", "text", None))
                    button type="submit" { (desk.say("web.save")) }
                }))
            }
        }
    }
}

fn sending(desk: &Desk<'_>, view: &View) -> Markup {
    let id = view.id;
    html! {
        (desk.form(&format!("/batches/{id}/dispatch"), &html! {
            label.field { span { (desk.say("column.batch.waybill")) } input #waybill type="text" name="waybill" required maxlength="60" autocomplete="off"; }
            button type="button" hidden data-scans="waybill" { (desk.say("web.scan")) }
            (widgets::input("carrier", &desk.say("web.batch.carrier"), "", "text", None))
            (widgets::input("late_reason", &desk.say("web.batch.late_reason"), "", "text", None))
            button.first #batch-dispatch data-step="batch-dispatch" type="submit" { (desk.say("web.batch.dispatch")) }
        }))
        (desk.form(&format!("/batches/{id}/unseal"), &html! { button type="submit" { (desk.say("web.batch.unseal")) } }))
    }
}

fn claims(desk: &Desk<'_>, view: &View, people: &[Option<String>], open: bool) -> Markup {
    let columns = [
        ("column.number", false),
        ("column.review.staff", false),
        ("column.state", false),
        ("column.claimed", true),
    ]
    .map(|(key, number)| Column { title: desk.say(key), number });
    let rows: Vec<Vec<Markup>> = view
        .claims
        .iter()
        .zip(people)
        .map(|((id, no, inside), person)| {
            let state = inside.as_ref().and_then(|inside| inside.state);
            let flags = inside.iter().flat_map(|inside| &inside.flags);
            vec![
                html! { a href={ "/review/" (id) } { (no) } },
                widgets::short(person.as_deref().unwrap_or("?")),
                html! {
                    (state.map_or("?", |state| desk.lang.label(state.zh, state.en)))
                    @for flag in flags { " " (widgets::badge(Tone::Bad, desk.lang.label(flag.zh, flag.en))) }
                    @if open {
                        (desk.form(&format!("/batches/{}/remove", view.id), &html! {
                            input type="hidden" name="claim" value=(id);
                            button type="submit" { (desk.say("web.batch.remove")) }
                        }))
                    }
                },
                html! { (inside.as_ref().map_or_else(String::new, |inside| inside.claim.claimed_total().to_string())) },
            ]
        })
        .collect();
    widgets::table(&desk.say("web.batch.claims"), &columns, &rows, &desk.say("web.batch.empty"))
}
