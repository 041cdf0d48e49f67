//! `history`: who wrote what on a record, when by HQ's clock, and what headquarters said of it.

use records::decision::{DECISION_TAG, Decision};
use records::kinds;
use records::schema::Kind;
use records::time::Zone;
use records::value::{self, payload};
use serde_json::{Value as Json, json};
use sync_protocol::merge::Judged;
use sync_protocol::op::Write;
use sync_protocol::ruling::Verdict;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::show::{self, Args};
use crate::cli::table::table;
use crate::intake::desk::Desk;

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let document = show::find(&mut desk, args)?;
    let kind = kinds::by_number(document.kind);
    let mut ops = desk.history(document.id)?;
    ops.sort_by_key(|op| document.ops.iter().position(|id| *id == op.id));
    let mut rows = Vec::new();
    for op in &ops {
        let recorded = show::recorded(&mut desk, op.id, op.row.stamp)?;
        let author = show::author(&mut desk, op.id)?;
        let changes: Vec<Json> = op.row.writes.iter().map(|write| change_json(kind, write)).collect();
        rows.push(json!({
            "op": op.id.to_string(),
            "by": author,
            "recorded": recorded.map(show::recorded_json),
            "verdict": verdict(op),
            "changes": changes,
        }));
    }
    let lines = lines(&mut desk, &ops, kind, room.lang)?.into_iter().map(Vec::from).collect();
    let titles = ["recorded", "who", "field", "value", "said"]
        .map(|column| room.lang.say(&format!("hq.column.{column}"), &[]));
    Ok(Answer::new(Json::Array(rows), table(&titles, lines)))
}

/// Returns what ops changed: when, who, what, its value, and what headquarters said of it; when and who once an op.
pub(crate) fn lines(
    desk: &mut Desk,
    ops: &[Judged],
    kind: Option<&'static Kind>,
    lang: Lang,
) -> Result<Vec<[String; 5]>, Fault> {
    let mut lines = Vec::new();
    for op in ops {
        let recorded = show::recorded(desk, op.id, op.row.stamp)?;
        let when = recorded.map(|recorded| show::recorded_text(&recorded, lang)).unwrap_or_default();
        let said = lang.say(&format!("text.verdict.{}", verdict(op)), &[]);
        let mut head = [when, show::author(desk, op.id)?, said];
        for (name, value) in op.row.writes.iter().flat_map(|write| change_text(kind, write, lang)) {
            let [when, who, said] = std::mem::take(&mut head);
            lines.push([when, who, name, value, said]);
        }
    }
    Ok(lines)
}

fn verdict(op: &Judged) -> &'static str {
    match op.judgement.as_ref().map(|judgement| &judgement.verdict) {
        Some(Verdict::Accepted) => "accepted",
        Some(Verdict::Merged) => "merged",
        Some(Verdict::Duplicate) => "duplicate",
        Some(Verdict::TooLate) => "too_late",
        Some(Verdict::Quarantined { .. }) => "quarantined",
        Some(Verdict::Newer { .. }) => "newer",
        Some(Verdict::Deferred { .. }) | None => "deferred",
    }
}

fn step(kind: Option<&'static Kind>, write: &Write) -> Option<(&'static records::machine::Step, String)> {
    let decision: Decision = postcard::from_bytes(&write.bytes).ok()?;
    Some((kind?.machine?.step_at(decision.step)?, decision.reason))
}

fn change_json(kind: Option<&'static Kind>, write: &Write) -> Json {
    if write.tag == DECISION_TAG {
        let step = step(kind, write);
        let reason = step.as_ref().map(|(_, reason)| reason.clone());
        return json!({"group": "decision", "step": step.map(|(step, _)| step.name), "reason": reason});
    }
    let group = kind.and_then(|kind| kind.group(write.tag.number()));
    let rows = group.and_then(|group| Some((group, payload::rows_of(group, &write.bytes).ok()?)));
    match rows {
        Some((group, rows)) => {
            let values: Vec<Json> = rows
                .iter()
                .map(|row| value::json::object(group.fields, row, Zone::SHANGHAI).into())
                .collect();
            json!({"group": group.name, "values": values})
        }
        // One of a newer version.
        None => json!({"group": write.tag.number(), "values": Json::Null}),
    }
}

fn change_text(kind: Option<&'static Kind>, write: &Write, lang: Lang) -> Vec<(String, String)> {
    let words = lang.words();
    if write.tag == DECISION_TAG {
        let (name, reason) = match step(kind, write) {
            Some((step, reason)) => (words.pick(step.zh, step.en), reason),
            None => ("?", String::new()),
        };
        return vec![(
            lang.say("column.step", &[]),
            [name, &records::both::said(&reason, words)].join(" ").trim_end().to_owned(),
        )];
    }
    let group = kind.and_then(|kind| kind.group(write.tag.number()));
    let rows = group.and_then(|group| Some((group, payload::rows_of(group, &write.bytes).ok()?)));
    match rows {
        Some((group, rows)) => rows.iter().flat_map(|row| show::row_text(group, row, lang)).collect(),
        None => vec![(lang.say("text.show.newer", &[]), String::new())],
    }
}
