//! What becomes of a claim: who has it, until when and why then, what was cut, what the auditor asks.

use maud::{Markup, html};
use pages::widgets::{self, Column, Tone};
use records::both;
use records::claim::clocks::Clock;
use records::kinds::claim::CutReason;
use records::kinds::claim_machine as at;
use records::kinds::exception::ExceptionKind;

use crate::cli::record::standing_name;
use crate::notebook::claim::way::{Stepped, Told};
use crate::web::claims::one::Seen;
use crate::web::desk::Desk;

/// Returns the days that matter of a claim on its way.
pub(super) fn standing(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let way = &seen.way;
    html! {
        @if let Some(day) = way.paid_on { (widgets::told(Tone::Good, &desk.tell("web.money.paid_on", &[("day", &day.to_string())]))) }
        @else if let Some(day) = way.paid_by { (widgets::told(Tone::Plain, &desk.tell("web.money.paid_by", &[("day", &day.to_string())]))) }
        @for clock in way.clocks.iter().filter(|clock| clock.done.is_none()) { (clock_of(desk, seen, clock)) }
    }
}

/// Returns one clock with every day that it counted and skipped.
fn clock_of(desk: &Desk<'_>, seen: &Seen, clock: &Clock) -> Markup {
    let due = clock.due.map_or_else(|| "–".to_owned(), |day| day.to_string());
    let columns = ["column.date", "web.claim.day_kind", "web.claim.day_mark"]
        .map(|key| Column { title: desk.say(key), number: false });
    let rows: Vec<Vec<Markup>> = clock
        .trace
        .steps
        .iter()
        .map(|step| {
            let n = match step.mark {
                records::policy::count::Mark::Counted(n) => n.to_string(),
                _ => String::new(),
            };
            vec![
                html! { (step.day) },
                html! { (desk.say(&format!("text.policy.kind.{}", step.kind.name()))) },
                html! { (desk.tell(&format!("text.policy.mark.{}", step.mark.name()), &[("n", &n)])) },
            ]
        })
        .collect();
    html! {
        details {
            summary {
                (desk.say(&format!("text.claim.clock_{}", clock.what.name()))) ": " (due) " "
                @if clock.paused { (widgets::badge(Tone::Plain, &desk.say("text.claim.clock_paused"))) }
                @else if clock.is_late(seen.today) { (widgets::badge(Tone::Bad, &desk.say("web.claim.late"))) }
            }
            (widgets::table(&desk.say("web.claim.days"), &columns, &rows, &desk.say("web.claim.no_days")))
        }
    }
}

/// Returns cuts, questions, exceptions, decisions, and the ways to take the claim back.
pub(super) fn rest(desk: &Desk<'_>, seen: &Seen) -> Markup {
    html! {
        @for told in seen.way.returns.iter().chain(&seen.way.cuts) { (widgets::told(Tone::Bad, &told_text(desk, told))) }
        (exceptions(desk, seen))
        (questions(desk, seen))
        (steps(desk, &seen.way.steps, seen))
        (back(desk, seen))
    }
}

fn told_text(desk: &Desk<'_>, told: &Told) -> String {
    let reason = told.reason.and_then(|reason| CutReason::CHOICES.option(reason.0));
    let reason = reason.map_or("", |(_, zh, en)| desk.lang.label(zh, en));
    let key = if told.to.is_some() { "text.claim.cut" } else { "text.claim.line_returned" };
    desk.tell(
        key,
        &[
            ("line", &told.line.to_string()),
            ("from", &told.claimed.to_string()),
            ("to", &told.to.map(|to| to.to_string()).unwrap_or_default()),
            ("reason", format!("{reason} {}", told.note).trim_end()),
        ],
    )
}

fn exceptions(desk: &Desk<'_>, seen: &Seen) -> Markup {
    html! {
        @for asked in &seen.way.exceptions {
            @let kind = asked.kind.and_then(|kind| ExceptionKind::CHOICES.option(kind.0)).map_or("?", |(_, zh, en)| desk.lang.label(zh, en));
            @let state = asked.state.map_or("?", |state| desk.lang.label(state.zh, state.en));
            (widgets::told(Tone::Plain, &desk.tell("text.claim.exception", &[("code", &asked.id.code()), ("kind", kind), ("state", state)])))
        }
    }
}

fn questions(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let claim = &seen.checked().claim;
    html! {
        @if !claim.questions.is_empty() {
            section {
                h2 { (desk.say("web.claim.questions")) }
                @for question in &claim.questions {
                    p { strong { (desk.say(if question.answer { "web.claim.answered" } else { "web.claim.asked" })) " " (question.at.minute(seen.zone)) } br; (widgets::text(&question.text)) }
                }
                @if claim.state == at::INFO_REQUESTED {
                    (desk.form(&format!("/claims/{}/answer", claim.id), &html! {
                        label.field { span { (desk.say("web.claim.answer")) } textarea name="text" rows="3" required maxlength="1000" {} }
                        button.first #claim-answer type="submit" { (desk.say("web.claim.answer_send")) }
                    }))
                }
            }
        }
    }
}

fn steps(desk: &Desk<'_>, steps: &[Stepped], seen: &Seen) -> Markup {
    let columns = ["column.step", "column.by", "column.at", "column.reason", "column.standing"]
        .map(|key| Column { title: desk.say(key), number: false });
    let row = |step: &Stepped| {
        let by = match &step.on_behalf_of {
            Some(principal) => desk.tell("text.claim.for", &[("by", &step.by), ("principal", principal)]),
            None => step.by.clone(),
        };
        vec![
            html! { (step.step.map_or("?", |step| desk.lang.label(step.zh, step.en))) },
            widgets::short(&by),
            html! { (step.at.minute(seen.zone)) },
            widgets::short(&both::said(&step.reason, desk.lang.of_labels())),
            html! { (desk.say(&format!("text.standing.{}", standing_name(step.standing)))) },
        ]
    };
    let rows: Vec<Vec<Markup>> = steps.iter().map(row).collect();
    html! {
        @if !rows.is_empty() { section { h2 { (desk.say("text.show.decisions")) } (widgets::table(&desk.say("text.show.decisions"), &columns, &rows, "")) } }
    }
}

/// Returns the ways to take a claim back, or to throw it away.
fn back(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let claim = &seen.checked().claim;
    html! {
        @if claim.state == at::SUBMITTED {
            (desk.form(&format!("/claims/{}/withdraw", claim.id), &html! {
                button #claim-withdraw type="submit" data-confirm=(desk.say("web.claim.withdraw_sure")) { (desk.say("web.claim.withdraw")) }
            }))
        }
        @if at::CLAIM.opens(claim.state) {
            details {
                summary { (desk.say("web.claim.void")) }
                (desk.form(&format!("/claims/{}/void", claim.id), &html! {
                    label.field { span { (desk.say("column.reason")) } input type="text" name="text" required maxlength="500" autocomplete="off"; }
                    button.danger #claim-void type="submit" data-confirm=(desk.say("web.claim.void_sure")) { (desk.say("web.claim.void")) }
                }))
            }
        }
    }
}
