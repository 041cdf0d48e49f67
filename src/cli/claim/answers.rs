//! How the answers of `claim` read.

use std::fmt::Write;

use records::claim::checks;
use records::claim::view::Line;
use records::kinds::claim_machine::CLAIM;
use records::kinds::voucher::Category;
use records::money::Fen;
use records::problems::Problem;
use records::rules::Weight;
use serde_json::{Map, Value, json};

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Fault, problem_json};
use crate::cli::table::{Column, Tone, pairs, table};
use crate::clock::Now;
use crate::notebook::claim::check::{Checked, check};
use crate::notebook::claim::draft::{Drafted, LeftOut, Why};
use crate::notebook::claim::submit::Submitted;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;

/// Adds an amount under both of its names.
fn money(members: &mut Map<String, Value>, name: &str, amount: Fen) {
    members.insert(format!("{name}_fen"), amount.0.into());
    members.insert(name.to_owned(), amount.to_string().into());
}

/// Says what was drawn up, and what the rules say of it.
pub(crate) fn drafted(store: &Store, drafted: &Drafted, now: Now, desk: &Desk) -> Result<Page, Fault> {
    let checked = check(store, &drafted.id.to_string(), now)?;
    let json = || {
        let mut total = Map::new();
        money(&mut total, "claimed", checked.settled.claimed);
        let mut answer = json!({
            "id": drafted.id.to_string(),
            "code": drafted.id.code(),
            "created": drafted.created,
            "lines": drafted.lines,
            "vouchers": drafted.vouchers,
            "trips": drafted.trips.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "left_out": drafted.left_out.iter().map(|left| left_json(left, desk)).collect::<Vec<_>>(),
        });
        if let Some(members) = answer.as_object_mut() {
            members.append(&mut total);
        }
        answer
    };
    Ok(desk.page(json, |desk| {
        let key = if drafted.created { "text.claim.drafted" } else { "text.claim.grown" };
        let facts = [
            ("code", drafted.id.code()),
            ("lines", drafted.lines.len().to_string()),
            ("vouchers", drafted.vouchers.to_string()),
            ("total", checked.settled.claimed.to_string()),
        ];
        let mut text =
            desk.lang.say(key, &facts.each_ref().map(|(name, value)| (*name, value.as_str()))) + "\n";
        for left in &drafted.left_out {
            let _ = writeln!(text, "  {} {}", left.voucher.code(), why(left, desk).1);
        }
        text + &findings(&checked, desk)
    }))
}

/// Returns the rule and the sentence of a voucher that stayed out.
fn why(left: &LeftOut, desk: &Desk) -> (&'static str, String) {
    let say = |key: &str, facts: &[(&str, &str)]| desk.lang.say(key, facts);
    match &left.why {
        Why::Unfinished(points) => {
            let texts: Vec<String> = points.iter().map(|point| point.text(desk.lang.of_labels())).collect();
            (points.first().map_or("", |point| point.rule), texts.join("；"))
        }
        Why::Expired(day) => ("B5", say("text.claim.left.expired", &[("day", &day.to_string())])),
        Why::Currency(currency) => ("V-08", say("text.claim.left.currency", &[("currency", currency)])),
        Why::Refund(amount) => ("B9", say("text.claim.left.refund", &[("amount", &amount.to_string())])),
        Why::TakenOut => ("", say("text.claim.left.taken_out", &[])),
    }
}

fn left_json(left: &LeftOut, desk: &Desk) -> Value {
    let (rule, message) = why(left, desk);
    json!({
        "voucher": left.voucher.to_string(),
        "code": left.voucher.code(),
        "rule": rule,
        "message": message,
    })
}

/// Says what the rules say of a claim, and what will be paid.
pub(crate) fn checked(store: &Store, checked: &Checked, desk: &Desk) -> Result<Page, Fault> {
    let title = crate::notebook::show::name(store, checked.claim.id).map_err(NotebookError::from)?;
    Ok(desk.page(
        || Value::Object(checked_json(checked, desk)),
        |desk| {
            let heading = desk.style.paint(Tone::Heading, &title);
            format!("{heading}\n{}{}{}", lines(checked, desk), totals(checked, desk), findings(checked, desk))
        },
    ))
}

/// Returns the members of a checked claim.
pub(crate) fn checked_json(checked: &Checked, desk: &Desk) -> Map<String, Value> {
    let claim = &checked.claim;
    let state = CLAIM.states.get(usize::from(claim.state)).map(|state| state.name);
    let goes = checked.goes_with.as_ref();
    let members = json!({
        "id": claim.id.to_string(),
        "code": claim.id.code(),
        "number": claim.no,
        "state": state,
        "half": claim.half.map(|half| half.to_string()),
        "cost_owner": records::kinds::claim::CostOwner::CHOICES.option(claim.cost_owner.0).map(|option| option.0),
        "policy": checked.policy,
        "findings": checked.problems.iter().map(|problem| finding_json(problem, checked, desk)).collect::<Vec<_>>(),
        "lines": claim.lines.iter().map(|line| line_json(line, checked)).collect::<Vec<_>>(),
        "vouchers": claim.voucher_count(),
        "submit_by": checked.submit_by.map(|day| day.to_string()),
        "goes_with": goes.map(|goes| json!({"batch": goes.cycle.to_string(), "due": goes.due.to_string()})),
        "vp": checked.vp,
        "ready": checked.in_the_way().next().is_none(),
        "missing_calendars": checked.missing_calendars,
    });
    let Value::Object(mut members) = members else {
        return Map::new();
    };
    let settled = &checked.settled;
    let totals = [
        ("claimed", settled.claimed),
        ("payable", settled.payable),
        ("self_paid", settled.self_paid),
        ("taken_off", settled.taken_off),
    ];
    totals.into_iter().for_each(|(name, amount)| money(&mut members, name, amount));
    members
}

/// Returns the identifier of what a finding does.
fn weight(problem: &Problem) -> &'static str {
    match problem.rule().map(|rule| rule.weight) {
        None | Some(Weight::Blocks) => "blocks",
        Some(Weight::Reason) => "reason",
        Some(Weight::Notice) => "notice",
    }
}

fn finding_json(problem: &Problem, checked: &Checked, desk: &Desk) -> Value {
    let mut json = problem_json(problem, desk.lang);
    let line = checks::line_of(problem);
    let key = (problem.rule.to_owned(), line.unwrap_or(0));
    if let Some(members) = json.as_object_mut() {
        members.insert("line".to_owned(), line.into());
        members.insert("weight".to_owned(), weight(problem).into());
        members.insert("reason".to_owned(), checked.claim.reasons.get(&key).cloned().into());
    }
    json
}

fn line_json(line: &Line, checked: &Checked) -> Value {
    let category = line.category.and_then(|category| Category::CHOICES.option(category.0));
    let settled = checked.settled.line(line.n);
    let members = json!({
        "line": line.n,
        "category": category.map(|option| option.0),
        "date": line.date.map(|date| date.to_string()),
        "vouchers": line.vouchers.iter().filter_map(|ticket| Some(ticket.voucher?.to_string())).collect::<Vec<_>>(),
        "sheets": line.sheets.len(),
        "detail": line.detail,
    });
    let Value::Object(mut members) = members else {
        return Value::Null;
    };
    money(&mut members, "claimed", line.claimed);
    money(&mut members, "support", line.support());
    if let Some(settled) = settled {
        money(&mut members, "payable", settled.paid.payable);
        money(&mut members, "self_paid", settled.paid.self_paid);
        money(&mut members, "taken_off", settled.paid.taken_off);
    }
    members.into()
}

/// Returns the lines as a table.
pub(crate) fn lines(checked: &Checked, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let columns = [
        Column::right(say("column.line")),
        Column::left(say("column.category")),
        Column::left(say("column.date")),
        Column::right(say("column.vouchers")),
        Column::right(say("column.claimed")),
        Column::right(say("column.payable")),
        Column::right(say("column.self_paid")),
        Column::left(say("column.detail")),
    ];
    let row = |line: &Line| {
        let category = line.category.and_then(|category| Category::CHOICES.option(category.0));
        let settled = checked.settled.line(line.n);
        let paid = |of: fn(&records::policy::line::Paid) -> Fen| {
            settled.map_or_else(String::new, |settled| of(&settled.paid).to_string())
        };
        vec![
            line.n.to_string(),
            category.map_or("", |(_, zh, en)| desk.lang.label(zh, en)).to_owned(),
            line.date.map(|date| date.to_string()).unwrap_or_default(),
            line.vouchers.len().to_string(),
            line.claimed.to_string(),
            paid(|paid| paid.payable),
            paid(|paid| paid.self_paid),
            if line.from_to.is_empty() { line.detail.clone() } else { line.from_to.clone() },
        ]
    };
    let rows: Vec<Vec<String>> = checked.claim.lines.iter().map(row).collect();
    table(desk.style, &columns, &rows)
}

/// Returns the sums of a claim and until when it must go.
pub(crate) fn totals(checked: &Checked, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let settled = &checked.settled;
    let mut rows = vec![
        (say("column.claimed"), settled.claimed.to_string()),
        (say("column.payable"), settled.payable.to_string()),
    ];
    if settled.self_paid != Fen(0) {
        rows.push((say("column.self_paid"), settled.self_paid.to_string()));
    }
    if settled.taken_off != Fen(0) {
        rows.push((say("column.taken_off"), settled.taken_off.to_string()));
    }
    if let Some(day) = checked.submit_by {
        rows.push((say("text.claim.submit_by"), day.to_string()));
    }
    if let Some(goes) = &checked.goes_with {
        let facts = [("batch", goes.cycle.to_string()), ("due", goes.due.to_string())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        rows.push((say("text.claim.goes_with"), desk.lang.say("text.claim.mailing", &facts)));
    }
    if checked.vp {
        rows.push((say("text.claim.vp"), say("text.claim.vp_asked")));
    }
    for year in &checked.missing_calendars {
        rows.push((
            say("text.claim.calendar"),
            desk.lang.say("text.claim.calendar_missing", &[("year", &year.to_string())]),
        ));
    }
    pairs(desk.style, &rows)
}

/// Returns the findings, one line each; what stands in the way first.
fn findings(checked: &Checked, desk: &Desk) -> String {
    let labels = desk.lang.of_labels();
    let mut text = String::new();
    let stands = |problem: &&Problem| checks::stands_in_the_way(problem, &checked.claim);
    let (first, rest): (Vec<&Problem>, Vec<&Problem>) = checked.problems.iter().partition(stands);
    for problem in first.into_iter().chain(rest) {
        let tone = match weight(problem) {
            "blocks" => Tone::Bad,
            "reason" => Tone::Warning,
            _ => Tone::Good,
        };
        let rule = desk.style.paint(tone, problem.rule);
        let _ = writeln!(text, "  {rule} {} ({})", problem.text(labels), problem.hint(labels));
    }
    if checked.in_the_way().next().is_none() {
        text.push_str(&(desk.style.paint(Tone::Good, &desk.lang.say("text.claim.ready", &[])) + "\n"));
    }
    text
}

/// Says that a claim was submitted.
pub(crate) fn submitted(submitted: &Submitted, desk: &Desk) -> Result<Page, Fault> {
    let checked = &submitted.checked;
    let goes = checked.goes_with.as_ref();
    let json = || {
        let answer = json!({
            "id": submitted.id.to_string(),
            "code": submitted.id.code(),
            "number": submitted.number,
            "state": "submitted",
            "rev": submitted.rev,
            "policy": checked.policy,
            "vouchers": checked.claim.voucher_count(),
            "goes_with": goes.map(|goes| json!({"batch": goes.cycle.to_string(), "due": goes.due.to_string()})),
            "vp": checked.vp,
            "notices": crate::cli::sheet::notices_json(&checked.problems, desk),
        });
        let Value::Object(mut members) = answer else {
            return Value::Null;
        };
        money(&mut members, "claimed", checked.settled.claimed);
        money(&mut members, "payable", checked.settled.payable);
        members.into()
    };
    Ok(desk.page(json, |desk| {
        let facts = [
            ("code", submitted.id.code()),
            ("number", submitted.number.clone()),
            ("total", checked.settled.claimed.to_string()),
            ("n", checked.claim.voucher_count().to_string()),
        ];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        desk.lang.say("text.claim.submitted", &facts) + "\n" + &totals(checked, desk)
    }))
}
