//! How `claim show` reads: the whole way of a claim.

use std::fmt::Write;

use records::both::said;
use records::kinds::claim::CutReason;
use records::kinds::exception::ExceptionKind;
use records::time::{Day, Zone};
use serde_json::{Value, json};

use crate::cli::claim::answers;
use crate::cli::desk::{Desk, Page};
use crate::cli::lang::Lang;
use crate::cli::record;
use crate::cli::table::{Column, Tone, pairs, table};
use crate::notebook::claim::way::{Stepped, Told, Way};

/// Tells the way of a claim.
pub(crate) fn page(way: &Way, zone: Zone, desk: &Desk) -> Page {
    desk.page(|| answer(way, zone, desk), |desk| text(way, zone, desk))
}

fn answer(way: &Way, zone: Zone, desk: &Desk) -> Value {
    let mut json = record::shown_json(&way.shown, zone);
    let Some(members) = json.as_object_mut() else {
        return json;
    };
    let settled = answers::checked_json(&way.checked, desk);
    let kept = [
        "payable",
        "payable_fen",
        "self_paid",
        "self_paid_fen",
        "taken_off",
        "taken_off_fen",
        "claimed",
        "claimed_fen",
        "goes_with",
        "submit_by",
        "vp",
        "half",
    ];
    members.extend(settled.into_iter().filter(|(name, _)| kept.contains(&name.as_str())));
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    let today = desk.clock.now().wall.day(zone);
    let clocks = way.clocks.iter().map(|clock| {
        json!({
            "what": clock.what.name(),
            "started": clock.started.to_string(),
            "due": day(clock.due),
            "done": day(clock.done),
            "paused": clock.paused,
            "late": clock.is_late(today),
        })
    });
    let exceptions = way.exceptions.iter().map(|asked| {
        let kind = asked.kind.and_then(|kind| ExceptionKind::CHOICES.option(kind.0));
        json!({
            "id": asked.id.to_string(),
            "code": asked.id.code(),
            "kind": kind.map(|option| option.0),
            "state": asked.state.map(|state| state.name),
        })
    });
    let more = [
        ("way", way.steps.iter().map(|step| step_json(step, zone, desk.lang)).collect()),
        ("cuts", way.cuts.iter().map(told_json).collect()),
        ("returns", way.returns.iter().map(told_json).collect()),
        ("clocks", clocks.collect::<Vec<_>>().into()),
        ("exceptions", exceptions.collect::<Vec<_>>().into()),
        ("paid_by", day(way.paid_by).into()),
        ("paid_on", day(way.paid_on).into()),
    ];
    members.extend(more.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    json
}

fn step_json(step: &Stepped, zone: Zone, lang: Lang) -> Value {
    json!({
        "op": step.op.to_string(),
        "step": step.step.map(|step| step.name),
        "by": step.by,
        "on_behalf_of": step.on_behalf_of,
        "at": step.at.rfc3339(zone),
        "reason": said(&step.reason, lang.of_labels()),
        "standing": record::standing_name(step.standing),
    })
}

fn told_json(told: &Told) -> Value {
    let reason = told.reason.and_then(|reason| CutReason::CHOICES.option(reason.0));
    json!({
        "line": told.line,
        "step": told.step,
        "claimed_fen": told.claimed.0,
        "claimed": told.claimed.to_string(),
        "to_fen": told.to.map(|to| to.0),
        "to": told.to.map(|to| to.to_string()),
        "reason": reason.map(|option| option.0),
        "note": told.note,
    })
}

fn text(way: &Way, zone: Zone, desk: &Desk) -> String {
    let lang = desk.lang;
    let line = &way.shown.line;
    let state = line.state.map_or("", |state| lang.label(state.zh, state.en));
    let title = format!("{} {} {}", lang.label(line.kind.zh, line.kind.en), line.id.code(), line.number);
    let mut text = desk.style.paint(Tone::Heading, title.trim_end()) + "\n";
    let mut rows = vec![(lang.say("column.state", &[]), state.to_owned())];
    if let Some(day) = way.paid_on {
        rows.push((lang.say("text.claim.paid_on", &[]), day.to_string()));
    }
    if let Some(day) = way.paid_by {
        rows.push((lang.say("text.claim.paid_by", &[]), day.to_string()));
    }
    for clock in way.clocks.iter().filter(|clock| clock.done.is_none()) {
        let due = clock.due.map_or_else(|| "–".to_owned(), |day| day.to_string());
        let paused = if clock.paused { lang.say("text.claim.clock_paused", &[]) } else { String::new() };
        let key = format!("text.claim.clock_{}", clock.what.name());
        rows.push((lang.say(&key, &[]), format!("{due} {paused}").trim_end().to_owned()));
    }
    text.push_str(&pairs(desk.style, &rows));
    text.push_str(&answers::lines(&way.checked, desk));
    text.push_str(&answers::totals(&way.checked, desk));
    for told in way.cuts.iter().chain(&way.returns) {
        let _ = writeln!(text, "  {}", told_text(told, desk));
    }
    for asked in &way.exceptions {
        let kind = asked.kind.and_then(|kind| ExceptionKind::CHOICES.option(kind.0));
        let kind = kind.map_or("?", |(_, zh, en)| lang.label(zh, en));
        let state = asked.state.map_or("?", |state| lang.label(state.zh, state.en));
        let facts = [("code", asked.id.code()), ("kind", kind.to_owned()), ("state", state.to_owned())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        let _ = writeln!(text, "  {}", lang.say("text.claim.exception", &facts));
    }
    text + &steps_text(way, zone, desk)
}

fn told_text(told: &Told, desk: &Desk) -> String {
    let reason = told.reason.and_then(|reason| CutReason::CHOICES.option(reason.0));
    let reason = reason.map_or("", |(_, zh, en)| desk.lang.label(zh, en));
    let facts = [
        ("line", told.line.to_string()),
        ("from", told.claimed.to_string()),
        ("to", told.to.map(|to| to.to_string()).unwrap_or_default()),
        ("reason", format!("{reason} {}", told.note).trim_end().to_owned()),
    ];
    let key = if told.to.is_some() { "text.claim.cut" } else { "text.claim.line_returned" };
    desk.lang.say(key, &facts.each_ref().map(|(name, value)| (*name, value.as_str())))
}

fn steps_text(way: &Way, zone: Zone, desk: &Desk) -> String {
    if way.steps.is_empty() {
        return String::new();
    }
    let lang = desk.lang;
    let columns = ["column.step", "column.by", "column.at", "column.reason", "column.standing"]
        .map(|key| Column::left(lang.say(key, &[])));
    let row = |step: &Stepped| {
        let by = match &step.on_behalf_of {
            Some(principal) => lang.say("text.claim.for", &[("by", &step.by), ("principal", principal)]),
            None => step.by.clone(),
        };
        vec![
            step.step.map_or("?", |step| lang.label(step.zh, step.en)).to_owned(),
            by,
            step.at.minute(zone),
            said(&step.reason, lang.of_labels()),
            lang.say(&format!("text.standing.{}", record::standing_name(step.standing)), &[]),
        ]
    };
    let rows: Vec<Vec<String>> = way.steps.iter().map(row).collect();
    let heading = desk.style.paint(Tone::Heading, &lang.say("text.show.decisions", &[]));
    format!("\n{heading}\n{}", table(desk.style, &columns, &rows))
}
