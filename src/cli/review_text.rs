//! How a reviewer's answers read: as JSON, and for a person.

use std::fmt::Write;

use records::both::said;
use records::claim::view::{Claim, Line};
use records::id::DocId;
use records::kinds::voucher::Category;
use records::money::Fen;
use records::time::Zone;
use records::value::Target;
use serde_json::{Value, json};

use crate::cli::desk::Desk;
use crate::cli::fault::problem_json;
use crate::cli::lang::Lang;
use crate::cli::table::{Column, Tone, pairs, table};
use crate::notebook::review::Decided;
use crate::notebook::review::approve::Approved;
use crate::notebook::review::cut::CutDown;
use crate::notebook::review::differ::Glance;
use crate::notebook::review::told::{Fate, Other, Told};
use crate::notebook::review::view::View;
use crate::notebook::review::waiting::Waiting;

/// Returns what waits, then what became of decisions; an array.
pub(crate) fn list_json(waiting: &[Waiting], told: &[Told], zone: Zone) -> Value {
    let told = told.iter().map(|told| told_json(told, zone));
    waiting.iter().map(|waiting| waiting_json(waiting, zone)).chain(told).collect()
}

fn waiting_json(waiting: &Waiting, zone: Zone) -> Value {
    json!({
        "what": "waits",
        "id": waiting.id.to_string(),
        "code": waiting.id.code(),
        "kind": waiting.kind.name,
        "number": waiting.number,
        "step": waiting.step,
        "staff": waiting.staff,
        "unit": waiting.unit,
        "half": waiting.half,
        "claimed_fen": waiting.claimed.map(|fen| fen.0),
        "claimed": waiting.claimed.map(|fen| fen.to_string()),
        "vouchers": waiting.vouchers,
        "rev": waiting.rev,
        "since": waiting.since.rfc3339(zone),
        "due": waiting.due.map(|day| day.to_string()),
        "anomalies": waiting.anomalies,
        "paper": waiting.paper,
        "for": waiting.principal.map(|id| id.to_string()),
        "again": waiting.again,
    })
}

/// Returns what became of a decision.
pub(crate) fn told_json(told: &Told, zone: Zone) -> Value {
    let (then, now) = match &told.fate {
        Fate::Changed(difference) => (Some(&difference.then), Some(&difference.now)),
        Fate::Overruled(_) | Fate::TooLate(_) => (None, None),
    };
    let other = other(&told.fate);
    json!({
        "what": fate_name(&told.fate),
        "id": told.id.to_string(),
        "code": told.id.code(),
        "kind": told.kind.name,
        "number": told.name,
        "op": told.op.to_string(),
        "step": told.step.name,
        "at": told.at.rfc3339(zone),
        "state": told.state.map(|state| state.name),
        "by": other.map(|other| other.by.clone()),
        "reason": other.map(|other| other.reason.clone()),
        "then": then.map(glance_json),
        "now": now.map(glance_json),
    })
}

fn glance_json(glance: &Glance) -> Value {
    let line = |(n, amount, vouchers): &(u32, Fen, usize)| json!({"line": n, "claimed_fen": amount.0, "claimed": amount.to_string(), "vouchers": vouchers});
    json!({
        "rev": glance.rev,
        "claimed_fen": glance.claimed.0,
        "claimed": glance.claimed.to_string(),
        "vouchers": glance.vouchers,
        "lines": glance.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn other(fate: &Fate) -> Option<&Other> {
    match fate {
        Fate::Changed(_) => None,
        Fate::Overruled(other) | Fate::TooLate(other) => Some(other),
    }
}

fn fate_name(fate: &Fate) -> &'static str {
    match fate {
        Fate::Changed(_) => "changed",
        Fate::Overruled(_) => "overruled",
        Fate::TooLate(_) => "too_late",
    }
}

/// Returns what waits as a table, and what became of decisions as sentences.
pub(crate) fn list_text(waiting: &[Waiting], told: &[Told], desk: &Desk) -> String {
    let mut text = match waiting {
        [] => desk.lang.say("text.review.nothing", &[]) + "\n",
        _ => waiting_text(waiting, desk),
    };
    for told in told {
        text.push_str(&told_text(told, desk));
    }
    text
}

fn waiting_text(waiting: &[Waiting], desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let left =
        ["column.number", "column.step", "column.review.staff", "column.review.half", "column.review.due"];
    let mut columns: Vec<Column> = left.iter().map(|key| Column::left(say(key))).collect();
    columns.push(Column::right(say("column.review.vouchers")));
    columns.push(Column::right(say("column.amount")));
    columns.push(Column::left(say("column.review.mark")));
    let row = |waiting: &Waiting| {
        let machine = waiting.kind.machine;
        let step = machine.and_then(|machine| machine.step(waiting.step)).map(|(_, step)| step);
        let number = Some(waiting.number.clone()).filter(|number| !number.is_empty());
        let mut marks: Vec<String> = waiting.anomalies.iter().map(|rule| format!("!{rule}")).collect();
        marks.extend(waiting.again.then(|| say("text.review.again")));
        marks.extend(waiting.paper.then(|| say("text.review.paper")));
        vec![
            number.unwrap_or_else(|| waiting.id.code()),
            step.map_or("", |step| desk.lang.label(step.zh, step.en)).to_owned(),
            waiting.staff.clone(),
            waiting.half.clone(),
            waiting.due.map(|day| day.to_string()).unwrap_or_default(),
            if waiting.claimed.is_some() { waiting.vouchers.to_string() } else { String::new() },
            waiting.claimed.map(|fen| fen.to_string()).unwrap_or_default(),
            marks.join(" "),
        ]
    };
    let rows: Vec<Vec<String>> = waiting.iter().map(row).collect();
    table(desk.style, &columns, &rows)
}

/// Returns what became of a decision: one sentence, of a changed claim the two lines, and what to do.
pub(crate) fn told_text(told: &Told, desk: &Desk) -> String {
    let lang = desk.lang;
    let step = lang.label(told.step.zh, told.step.en);
    let state = told.state.map_or("", |state| lang.label(state.zh, state.en));
    let mut facts = vec![("name", told.name.as_str()), ("step", step), ("state", state)];
    let other = other(&told.fate).cloned().unwrap_or_default();
    let others_step = lang.label(other.step.0, other.step.1);
    let by = if other.by.is_empty() { "?".to_owned() } else { other.by.clone() };
    let reason = if other.reason.is_empty() { String::new() } else { format!(" ({})", other.reason) };
    facts.extend([("by", by.as_str()), ("other", others_step), ("reason", reason.as_str())]);
    let key = format!("text.told.{}", fate_name(&told.fate));
    let mut text = desk.style.paint(Tone::Warning, &lang.say(&key, &facts)) + "\n";
    if let Fate::Changed(difference) = &told.fate {
        let _ = writeln!(text, "  - {}", glance_text(&difference.then, lang));
        let _ = writeln!(text, "  + {}", glance_text(&difference.now, lang));
    }
    let vouchers = match &told.fate {
        Fate::Changed(difference) => difference.now.vouchers.to_string(),
        Fate::Overruled(_) | Fate::TooLate(_) => String::new(),
    };
    facts.push(("vouchers", &vouchers));
    let _ = writeln!(text, "  {}", lang.say(&format!("{key}.hint"), &facts));
    text
}

fn glance_text(glance: &Glance, lang: Lang) -> String {
    let line = |(n, amount, vouchers): &(u32, Fen, usize)| {
        let facts = [("line", n.to_string()), ("amount", amount.to_string()), ("n", vouchers.to_string())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        lang.say("text.review.line", &facts)
    };
    let lines: Vec<String> = glance.lines.iter().map(line).collect();
    let facts = [
        ("rev", glance.rev.to_string()),
        ("amount", glance.claimed.to_string()),
        ("vouchers", glance.vouchers.to_string()),
        ("lines", lines.join("; ")),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    lang.say("text.review.glance", &facts)
}

/// Returns what a step led to.
pub(crate) fn decided_json(decided: &Decided) -> Value {
    json!({
        "id": decided.id.to_string(),
        "code": decided.id.code(),
        "number": decided.name,
        "step": decided.step,
        "state": decided.state,
        "op": decided.op.map(|op| op.to_string()),
    })
}

/// Returns what a step led to.
pub(crate) fn decided_text(decided: &Decided, desk: &Desk) -> String {
    let step = desk.lang.label(decided.label.0, decided.label.1);
    desk.lang.say("text.review.decided", &[("name", &decided.name), ("step", step)]) + "\n"
}

/// Returns what was approved, and what waits next.
pub(crate) fn approved_json(approved: &Approved, next: Option<&Waiting>) -> Value {
    let mut json = decided_json(&approved.decided);
    let cut = |(line, to): &(u32, Fen)| json!({"line": line, "to_fen": to.0, "to": to.to_string()});
    let next = next.map(|next| json!({"id": next.id.to_string(), "number": next.number}));
    if let Some(members) = json.as_object_mut() {
        members.insert("rev".to_owned(), approved.rev.into());
        members.insert("vouchers".to_owned(), approved.vouchers.into());
        members.insert("claimed_fen".to_owned(), approved.claimed.0.into());
        members.insert("claimed".to_owned(), approved.claimed.to_string().into());
        members.insert("cuts".to_owned(), approved.cuts.iter().map(cut).collect());
        members.insert("next".to_owned(), next.unwrap_or(Value::Null));
    }
    json
}

/// Returns what was approved; that it is true and reasonable stands in the sentence.
pub(crate) fn approved_text(approved: &Approved, next: Option<&Waiting>, desk: &Desk) -> String {
    let facts = [
        ("name", approved.decided.name.clone()),
        ("step", desk.lang.label(approved.decided.label.0, approved.decided.label.1).to_owned()),
        ("amount", approved.claimed.to_string()),
        ("vouchers", approved.vouchers.to_string()),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut text = desk.lang.say("text.review.approved", &facts) + "\n";
    if let Some(next) = next {
        let number = if next.number.is_empty() { next.id.code() } else { next.number.clone() };
        let facts = [("name", number.as_str()), ("staff", next.staff.as_str())];
        text.push_str(&(desk.lang.say("text.review.next", &facts) + "\n"));
    }
    text
}

/// Returns what was cut.
pub(crate) fn cut_json(done: &CutDown) -> Value {
    json!({
        "id": done.changed.id.to_string(),
        "code": done.changed.id.code(),
        "number": done.name,
        "op": done.changed.op.map(|op| op.to_string()),
        "line": done.line,
        "claimed_fen": done.claimed.0,
        "claimed": done.claimed.to_string(),
        "to_fen": done.to.map(|fen| fen.0),
        "to": done.to.map(|fen| fen.to_string()),
    })
}

/// Returns what was cut, and that it counts with the approval.
pub(crate) fn cut_text(done: &CutDown, desk: &Desk) -> String {
    let to = done.to.unwrap_or(done.claimed).to_string();
    let facts = [
        ("name", done.name.clone()),
        ("line", done.line.to_string()),
        ("claimed", done.claimed.to_string()),
        ("to", to),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    let key = if done.to.is_some() { "text.review.cut" } else { "text.review.uncut" };
    desk.lang.say(key, &facts) + "\n"
}

/// Returns an alarm that was raised.
pub(crate) fn alarm_json(alert: DocId, claim: &Claim) -> Value {
    json!({
        "id": alert.to_string(),
        "code": alert.code(),
        "claim": {"id": claim.id.to_string(), "number": claim.no},
    })
}

/// Returns an alarm that was raised.
pub(crate) fn alarm_text(alert: DocId, claim: &Claim, desk: &Desk) -> String {
    let name = claim.no.clone().unwrap_or_else(|| claim.id.code());
    desk.lang.say("text.review.alarm", &[("code", &alert.code()), ("name", &name)]) + "\n"
}

/// Returns a claim as its reviewer reads it.
pub(crate) fn view_json(view: &View, lang: Lang, zone: Zone) -> Value {
    let claim = &view.claim;
    let settled = &view.settled;
    let anomaly = |anomaly: &crate::notebook::review::facts::Anomaly| {
        json!({
            "id": anomaly.id.to_string(), "rule": anomaly.rule, "line": anomaly.line,
            "evidence": said(&anomaly.evidence, lang.of_labels()),
        })
    };
    let submission = claim.submission.as_ref();
    json!({
        "id": claim.id.to_string(),
        "code": claim.id.code(),
        "number": claim.no,
        "state": state_name(claim),
        "flags": view.flags.iter().map(|flag| flag.name).collect::<Vec<_>>(),
        "staff": name(view, claim.staff),
        "half": claim.half.map(|half| half.to_string()),
        "rev": submission.map(|submission| submission.rev),
        "submitted": submission.map(|submission| submission.day.to_string()),
        "policy": submission.map(|submission| submission.policy_version.clone()),
        "cycle": submission.map(|submission| submission.cycle.clone()),
        "vouchers": claim.voucher_count(),
        "claimed_fen": settled.claimed.0,
        "claimed": settled.claimed.to_string(),
        "payable_fen": settled.payable.0,
        "payable": settled.payable.to_string(),
        "self_paid_fen": settled.self_paid.0,
        "self_paid": settled.self_paid.to_string(),
        "lines": claim.lines.iter().map(|line| line_json(view, line)).collect::<Vec<_>>(),
        "findings": view.findings.iter().map(|problem| problem_json(problem, lang)).collect::<Vec<_>>(),
        "anomalies": view.anomalies.iter().map(anomaly).collect::<Vec<_>>(),
        "step": if view.cuts.is_empty() { view.level.approve } else { view.level.cut },
        "hindrance": view.hindrance.as_ref().map(|problem| problem_json(problem, lang)),
        "told": view.told.as_ref().map(|told| told_json(told, zone)),
    })
}

fn line_json(view: &View, line: &Line) -> Value {
    let paid = view.settled.lines.iter().find(|settled| settled.n == line.n);
    let ticket = |ticket: &records::claim::view::Ticket| {
        json!({
            "id": ticket.voucher.map(|id| id.to_string()),
            "amount_fen": ticket.amount.0,
            "amount": ticket.amount.to_string(),
            "date": ticket.date.map(|day| day.to_string()),
        })
    };
    let sheet = |sheet: &Target| match sheet {
        Target::Doc(id) => name(view, *id),
        Target::Text(text) => text.clone(),
    };
    let cut = view.cuts.iter().find(|(n, _)| *n == line.n).map(|(_, to)| *to);
    let earlier = view.claim.cut_to(line.n, "sup_cut");
    json!({
        "line": line.n,
        "category": category(line).map(|(word, ..)| word),
        "date": line.date.map(|day| day.to_string()),
        "from_to": line.from_to,
        "detail": line.detail,
        "claimed_fen": line.claimed.0,
        "claimed": line.claimed.to_string(),
        "cut_to_fen": cut.or(earlier).map(|fen| fen.0),
        "cut_to": cut.or(earlier).map(|fen| fen.to_string()),
        "payable_fen": paid.map(|settled| settled.paid.payable.0),
        "payable": paid.map(|settled| settled.paid.payable.to_string()),
        "vouchers": line.vouchers.iter().map(ticket).collect::<Vec<_>>(),
        "sheets": line.sheets.iter().map(sheet).collect::<Vec<_>>(),
    })
}

fn state_name(claim: &Claim) -> &'static str {
    let states = records::kinds::claim_machine::CLAIM.states;
    states.get(usize::from(claim.state)).map_or("", |state| state.name)
}

fn name(view: &View, id: DocId) -> String {
    view.names.get(&id).cloned().unwrap_or_else(|| id.code())
}

fn category(line: &Line) -> Option<(&'static str, &'static str, &'static str)> {
    Category::CHOICES.option(line.category?.0)
}

/// Returns a claim as its reviewer reads it: lines with what proves them, findings, anomalies, and what it comes to.
pub(crate) fn view_text(view: &View, desk: &Desk) -> String {
    let lang = desk.lang;
    let claim = &view.claim;
    let states = records::kinds::claim_machine::CLAIM.states.get(usize::from(claim.state));
    let labels = states.into_iter().chain(view.flags.iter().copied());
    let state: Vec<&str> = labels.map(|state| lang.label(state.zh, state.en)).collect();
    let number = claim.no.clone().unwrap_or_else(|| claim.id.code());
    let mut text = desk.style.paint(Tone::Heading, &number) + "\n";
    let say = |key: &str| lang.say(key, &[]);
    text.push_str(&pairs(
        desk.style,
        &[
            (say("column.state"), state.join(", ")),
            (say("column.review.staff"), name(view, claim.staff)),
            (say("column.review.half"), claim.half.map(|half| half.to_string()).unwrap_or_default()),
            (say("column.review.vouchers"), claim.voucher_count().to_string()),
            (say("column.amount"), view.settled.claimed.to_string()),
            (say("column.review.payable"), view.settled.payable.to_string()),
        ],
    ));
    text.push_str(&lines_text(view, desk));
    for problem in &view.findings {
        let _ = writeln!(text, "  {} {}", problem.rule, problem.text(lang.of_labels()));
    }
    for anomaly in &view.anomalies {
        let line = anomaly.line.map_or_else(String::new, |line| format!(" #{line}"));
        let said = format!("  ! {}{line} {}", anomaly.rule, said(&anomaly.evidence, lang.of_labels()));
        text.push_str(&(desk.style.paint(Tone::Warning, &said) + "\n"));
    }
    if let Some(told) = &view.told {
        text.push_str(&told_text(told, desk));
    }
    if let Some(problem) = &view.hindrance {
        let said = problem.text(lang.of_labels());
        let _ = writeln!(text, "{} [{}]", desk.style.paint(Tone::Warning, &said), problem.rule);
    }
    text
}

fn lines_text(view: &View, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let mut columns = vec![Column::right(say("column.line"))];
    columns.extend(["column.review.category", "column.review.date"].map(|key| Column::left(say(key))));
    columns.extend(
        ["column.amount", "column.review.cut", "column.review.vouchers"].map(|key| Column::right(say(key))),
    );
    columns.extend(["column.review.sheets", "column.title"].map(|key| Column::left(say(key))));
    let row = |line: &Line| {
        let cut = view.cuts.iter().find(|(n, _)| *n == line.n).map(|(_, to)| *to);
        let cut = cut.or_else(|| view.claim.cut_to(line.n, "sup_cut"));
        let tickets: Vec<String> = line.vouchers.iter().map(|ticket| ticket.amount.to_string()).collect();
        let sheets = line.sheets.iter().map(|sheet| match sheet {
            Target::Doc(id) => name(view, *id),
            Target::Text(text) => text.clone(),
        });
        vec![
            line.n.to_string(),
            category(line).map_or("", |(_, zh, en)| desk.lang.label(zh, en)).to_owned(),
            line.date.map(|day| day.to_string()).unwrap_or_default(),
            line.claimed.to_string(),
            cut.map(|fen| fen.to_string()).unwrap_or_default(),
            tickets.join("+"),
            sheets.collect::<Vec<_>>().join(", "),
            [line.from_to.as_str(), line.detail.as_str()].join(" ").trim().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = view.claim.lines.iter().map(row).collect();
    table(desk.style, &columns, &rows)
}
