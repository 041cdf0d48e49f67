//! Alerts that a person must answer: explained, confirmed as what they look like, or a false alarm.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Tone, Weight};
use records::both;
use records::id::DocId;
use records::kinds::alert_machine as at;
use records::kinds::case::CaseKind;
use records::kinds::number;

use crate::cli::answer::Fault;
use crate::money::decide::Taken;
use crate::money::rows::linked;
use crate::money::story::Alert;
use crate::web::approve::listed;
use crate::web::claims::paged;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf};

/// Returns the open alerts; `?all=1` those that were answered too.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk)?))
}

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let states: &[u8] = if desk.visit.query.get("all").is_some() { &[] } else { &[at::OPEN] };
    let (alerts, names) = desk.look(|office| {
        let mut alerts = Vec::new();
        for record in office.records(number::ALERT, states)? {
            let alert = Alert::of(record);
            let claim = linked(alert.finding.claim.as_ref());
            let title = claim.map(|claim| office.title_of(claim)).transpose()?;
            alerts.push((alert, claim.zip(title)));
        }
        Ok((alerts, Names::read(office)?))
    })?;
    Ok(listed(
        desk,
        "/approve/alerts",
        &html! {
            p { a href="/approve/alerts?all=1" { (desk.say("money.all")) } }
            @if alerts.is_empty() { p.none { (desk.say("money.alerts.none")) } }
            ul.findings { @for (alert, claim) in paged::part(desk, &alerts) { (item(desk, alert, claim.as_ref(), &names)) } }
            (paged::more(desk, "/approve/alerts", alerts.len()))
        },
    ))
}

fn item(desk: &Desk<'_>, alert: &Alert, claim: Option<&(DocId, String)>, names: &Names) -> Markup {
    let words = desk.lang.words();
    let by = names.of(linked(alert.finding.by.as_ref()));
    let kinds = CaseKind::CHOICES.options.iter().filter(|(word, ..)| *word != "audit_late");
    html! {
        li.bad[alert.is_open()] {
            strong { (parts::rule(desk, alert.rule())) } " " (parts::state(desk, &alert.record))
            @if let Some((id, no)) = claim { " · " a href=(parts::address(*id)) { (widgets::short(no)) } }
            @if let Some(line) = alert.finding.line { " · " (desk.tell("money.of_line", &[("n", &line.0.to_string())])) }
            " · " (widgets::short(&names.of(linked(alert.finding.staff.as_ref()))))
            @if !by.is_empty() { " · " (widgets::badge(Tone::Warning, &desk.say("money.alarm.by"))) " " (widgets::short(&by)) }
            @if let Some(evidence) = &alert.finding.evidence { p { (widgets::text(&both::said(&evidence.0, desk.lang.words()))) } }
            @if alert.record.state == at::OPEN {
                (desk.form(&format!("/approve/alerts/{}", visit::part(&alert.record.id.to_string())), &html! {
                    fieldset.inline {
                        legend { (alert.record.id.code()) }
                        label.field { span { (desk.say("money.reason")) } input type="text" name="reason" maxlength="500" autocomplete="off" required; }
                        label.field { span { (desk.say("money.alert.case")) }
                            select name="kind" {
                                option value="" { (desk.say("money.alert.by_rule")) }
                                @for (word, zh, en) in kinds { option value=(word) { (words.pick(zh, en)) } }
                                option value="none" { (desk.say("money.alert.no_case")) }
                            }
                        }
                        (widgets::button(Weight::Danger, &desk.say("money.alert.confirm"), Some(("step", "confirm"))))
                        (widgets::button(Weight::Second, &desk.say("money.alert.explain"), Some(("step", "explain"))))
                        (widgets::button(Weight::Second, &desk.say("money.alert.false"), Some(("step", "false_alarm"))))
                    }
                }))
            }
        }
    }
}

/// Answers an alert.
pub(super) fn act(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let kind = form.get("kind").map(|word| CaseKind::CHOICES.index(word).map(CaseKind));
    let (alert, step) = (name.to_owned(), form.get("step").unwrap_or_default().to_owned());
    let reason = form.get("reason").unwrap_or_default().to_owned();
    let done = desk.act(move |office, actor, now_ms| {
        office
            .answer_alert(&alert, &Taken::step(&step, &reason), kind, actor, now_ms)
            .map(|(_, case)| case.is_some())
    });
    match done {
        Ok(true) => Ok(Reply::go("/approve/alerts?done=case_proposed")),
        Ok(false) => Ok(Reply::go("/approve/alerts?done=decided")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}
