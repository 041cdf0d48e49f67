//! One payment batch: what each person gets, the second person's word, the file for the bank and the bank's answer.

use std::collections::BTreeMap;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Tone, Weight};
use records::id::DocId;
use records::kinds::payment_machine as at;
use records::money::Fen;

use crate::cli::answer::Fault;
use crate::money::bank::Form;
use crate::money::pay::{Batch, Payment};
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::pay::persons;

/// Returns a payment batch.
pub(super) fn page(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk, name)?))
}

fn leaf(desk: &Desk<'_>, name: &str) -> Result<Leaf, Fault> {
    let (batch, names) = desk.look(|office| Ok((office.payment(name)?, Names::read(office)?)))?;
    let live = batch.payments.iter().filter(|payment| payment.paid != Some(false));
    let each: Vec<(DocId, Fen)> = live.map(|payment| (payment.staff, payment.amount)).collect();
    Ok(Leaf {
        place: Place::Pay,
        title: batch.no.clone(),
        back: Some("/pay".to_owned()),
        content: html! {
            p { (parts::state(desk, &batch.record)) " · " strong.big { (batch.total()) } }
            (steps(desk, &batch))
            h2 { (desk.say("money.pay.persons")) }
            (persons(desk, &each, &names))
            h2 { (desk.say("money.pay.payments")) }
            (payments(desk, &batch, &names))
        },
    })
}

fn payments(desk: &Desk<'_>, batch: &Batch, names: &Names) -> Markup {
    let columns = [("claim", false), ("who", false), ("amount", true), ("state", false), ("note", false)]
        .map(|(key, number)| parts::column(desk, key, number));
    let row = |payment: &Payment| {
        vec![
            html! { a href=(parts::address(payment.claim)) { (widgets::short(&payment.no)) } },
            html! { (widgets::short(&names.of(Some(payment.staff)))) },
            html! { (payment.amount) },
            html! { @match payment.paid {
                None => {},
                Some(true) => (widgets::badge(Tone::Good, &desk.say("hq.pay.paid"))),
                Some(false) => (widgets::badge(Tone::Bad, &desk.say("hq.pay.failed"))),
            } },
            html! { (widgets::short(&payment.note)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = batch.payments.iter().map(row).collect();
    widgets::table(&desk.say("money.pay.payments"), &columns, &rows, &desk.say("money.pay.nothing"))
}

/// Returns what can be done with the batch where it is.
fn steps(desk: &Desk<'_>, batch: &Batch) -> Markup {
    let at = format!("/pay/{}", visit::part(&batch.no));
    let file = |form: &str, id: &str, first: bool| {
        let content = html! {
            input type="hidden" name="form" value=(form);
            button id=(id) class=(if first { "first" } else { "second" }) type="submit" { (desk.tell("money.pay.export", &[("form", form)])) }
        };
        desk.form(&format!("{at}/export"), &content)
    };
    html! {
        @if batch.record.state == at::DRAFT {
            p.hint { (desk.say("money.pay.second")) }
            (desk.form(&format!("{at}/approve"), &html! { button #pay-approve.first type="submit" { (desk.say("money.pay.approve")) } }))
        }
        @if [at::APPROVED, at::EXPORTED].contains(&batch.record.state) {
            div.actions { (file("csv", "pay-export", batch.record.state == at::APPROVED)) (file("xlsx", "pay-export-xlsx", false)) }
        }
        @if batch.record.state == at::EXPORTED { (confirm(desk, batch, &at)) }
        @if [at::DRAFT, at::APPROVED].contains(&batch.record.state) {
            details { summary { (desk.say("money.pay.cancel")) }
                (desk.form(&format!("{at}/cancel"), &html! {
                    (widgets::input("reason", &desk.say("money.reason"), "", "text", None))
                    (widgets::button(Weight::Danger, &desk.say("money.pay.cancel"), None))
                }))
            }
        }
    }
}

/// Returns the ways to enter what the bank said: its file, or which payments failed.
fn confirm(desk: &Desk<'_>, batch: &Batch, at: &str) -> Markup {
    let open = batch.payments.iter().filter(|payment| payment.paid.is_none());
    html! {
        (desk.form(&format!("{at}/result"), &html! {
            fieldset.inline { legend { (desk.say("money.pay.result")) }
                label.field { span { (desk.say("money.pay.result_file")) } input #pay-result type="file" name="file" accept=".csv,.txt,text/csv"; }
                (widgets::button(Weight::First, &desk.say("money.pay.result_send"), None))
            }
        }))
        details { summary { (desk.say("money.pay.by_hand")) }
            (desk.form(&format!("{at}/confirm"), &html! {
                p.hint { (desk.say("money.pay.by_hand_hint")) }
                @for payment in open {
                    (widgets::input(&format!("failed.{}", payment.no), &format!("{} · {}", widgets::plain(&payment.no), payment.amount), "", "text", None))
                }
                button #pay-confirm.first type="submit" { (desk.say("money.pay.confirm")) }
            }))
        }
    }
}

/// Does what a form of this page says.
pub(super) fn act(desk: &Desk<'_>, name: &str, what: &str) -> Result<Reply, Fault> {
    let done = match what {
        "approve" => approve(desk, name),
        "cancel" => cancel(desk, name),
        "export" => export(desk, name),
        "confirm" => by_hand(desk, name),
        "result" => result(desk, name),
        _ => return Err(Fault::usage("console.fault.no_page")),
    };
    match done {
        Ok(reply) => Ok(reply),
        Err(fault) => Ok(desk.refused(&leaf(desk, name)?, &fault)),
    }
}

fn stay(name: &str, done: &str) -> Reply {
    Reply::go(&format!("/pay/{}?done={done}", visit::part(name)))
}

fn approve(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let no = name.to_owned();
    desk.act(move |office, actor, now_ms| office.approve_payment(&no, actor, now_ms))?;
    Ok(stay(name, "payment_approved"))
}

fn cancel(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let (no, reason) = (name.to_owned(), desk.visit.form.get("reason").unwrap_or_default().to_owned());
    desk.act(move |office, actor, now_ms| office.cancel_payment(&no, &reason, actor, now_ms))?;
    Ok(stay(name, "payment_cancelled"))
}

/// The file is made and noted before it is sent; whoever lost it on the way gets the same one again.
fn export(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let (form, ending, kind) = match desk.visit.form.get("form") {
        Some("xlsx") => {
            (Form::Xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        }
        _ => (Form::Csv, "csv", "text/csv; charset=utf-8"),
    };
    let (no, lang) = (name.to_owned(), desk.lang.papers());
    let file = desk.act(move |office, actor, now_ms| office.bank_file(&no, form, lang, actor, now_ms))?;
    Ok(Reply::download(kind, &format!("{}.{ending}", file.batch.no), file.bytes))
}

fn by_hand(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let failed = desk.visit.form.under("failed.").into_iter().filter(|(_, why)| !why.is_empty());
    let failed: BTreeMap<String, String> = failed.map(|(no, why)| (no.to_owned(), why.to_owned())).collect();
    confirmed(desk, name, failed)
}

fn result(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let file = desk.visit.uploads("file").next().ok_or_else(|| Fault::usage("console.fault.no_file"))?;
    let (no, bytes) = (name.to_owned(), file.bytes.clone());
    let failed = desk.look(|office| office.bank_result(&no, &bytes))?;
    confirmed(desk, name, failed)
}

fn confirmed(desk: &Desk<'_>, name: &str, failed: BTreeMap<String, String>) -> Result<Reply, Fault> {
    let no = name.to_owned();
    let done = desk.act(move |office, actor, now_ms| office.confirm_payment(&no, &failed, actor, now_ms))?;
    Ok(stay(name, if done.failed.is_empty() { "payment_confirmed" } else { "payment_part_failed" }))
}
