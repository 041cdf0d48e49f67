//! `conflict`: what the merge did not choose, and settling it.

use std::fmt::Write;

use records::time::Zone;
use serde_json::{Map, Value, json};

use crate::cli::args::Conflict;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::sheet::changed_page;
use crate::cli::table::Tone;
use crate::notebook::conflict::{Candidate, Of, Open, Take, open, settle};

/// Runs a command on conflicts.
pub(crate) fn run(command: &Conflict, desk: &Desk) -> Result<Page, Fault> {
    match command {
        Conflict::List { soft: false } => list(Of::Hard, desk),
        Conflict::List { soft: true } => list(Of::Soft, desk),
        Conflict::Show { id } => list(Of::Record(id), desk),
        Conflict::Settle { id, take, of } => {
            let take = taken(take, of.as_deref())?;
            let changed = settle(&mut desk.store()?, id, &take, desk.clock.now())?;
            Ok(changed_page(&changed, desk))
        }
    }
}

fn taken(take: &str, of: Option<&str>) -> Result<Take, Fault> {
    let bad = || Fault::new(Exit::Usage, "error.not_a_take").with("value", &take);
    match of {
        Some(hash) => Ok(Take::Place(take.parse().map_err(|_| bad())?, hash.to_ascii_lowercase())),
        None => Ok(Take::Op(take.parse().map_err(|_| bad())?)),
    }
}

fn list(which: Of<'_>, desk: &Desk) -> Result<Page, Fault> {
    let store = desk.store()?;
    let zone = store.identity().enrolment.zone;
    let conflicts = open(&store, which)?;
    let json = || conflicts.iter().map(|conflict| conflict_json(conflict, zone)).collect();
    Ok(desk.page(json, |desk| text(&conflicts, desk, zone)))
}

/// Returns a conflict as it stands in an answer.
pub(crate) fn conflict_json(conflict: &Open, zone: Zone) -> Value {
    let value = |(at, value): (usize, &Candidate)| {
        let rows = value.rows.iter();
        let fields: Map<String, Value> =
            rows.flat_map(|(group, row)| records::value::json::object(group.fields, row, zone)).collect();
        json!({
            "n": at + 1,
            "op": value.op.to_string(),
            "by": value.by,
            "at": value.at.rfc3339(zone),
            "device": value.device.0,
            "fields": fields,
        })
    };
    json!({
        "id": conflict.id.to_string(),
        "code": conflict.id.code(),
        "kind": conflict.kind.name,
        "number": conflict.number,
        "group": conflict.group.name,
        "hash": conflict.hash,
        "soft": conflict.soft,
        "values": conflict.values.iter().enumerate().map(value).collect::<Vec<_>>(),
    })
}

fn text(conflicts: &[Open], desk: &Desk, zone: Zone) -> String {
    if conflicts.is_empty() {
        return desk.lang.say("text.conflict.none", &[]) + "\n";
    }
    let lang = desk.lang;
    let mut text = String::new();
    for conflict in conflicts {
        let group = lang.label(conflict.group.zh, conflict.group.en);
        let kind = lang.label(conflict.kind.zh, conflict.kind.en);
        let title = format!("{kind} {} {}: {group}", conflict.id.code(), conflict.number);
        text.push_str(&(desk.style.paint(Tone::Heading, &title) + "\n"));
        for (at, value) in conflict.values.iter().enumerate() {
            let _ = writeln!(text, "  {}  {}", at + 1, value_text(value, desk, zone));
        }
        let facts = [("code", conflict.id.code()), ("hash", conflict.hash.clone())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        text.push_str(
            &(lang.say(if conflict.soft { "text.conflict.dismiss" } else { "text.conflict.settle" }, &facts)
                + "\n"),
        );
    }
    text
}

fn value_text(value: &Candidate, desk: &Desk, zone: Zone) -> String {
    let lang = desk.lang;
    let mut fields = Vec::new();
    for (group, row) in &value.rows {
        for (field, value) in group.fields.iter().zip(row) {
            if let Some(value) = value {
                let said = value.label(field, zone, lang.of_labels());
                fields.push(format!("{} {said}", lang.label(field.zh, field.en)));
            }
        }
    }
    format!(
        "{}  {} (#{})  {}  {}",
        fields.join(", "),
        value.by,
        value.device.0,
        value.at.minute(zone),
        value.op
    )
}
