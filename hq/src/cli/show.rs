//! `show`: one record as headquarters holds it, with when it was really recorded.

use records::id::{DocId, OpId};
use records::kinds;
use records::schema::{Class, Group, Kind};
use records::time::{Ts, Zone};
use records::value::{self, Row};
use serde_json::{Map, Value as Json, json};
use sync_protocol::merge::Document;
use sync_protocol::stamp::Stamp;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang, REFUSED};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::reading;
use crate::recorded::{Recorded, Told};

/// What `show` and `history` are told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A number, the beginning of a code, or an id
    pub(super) record: String,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let document = find(&mut desk, args)?;
    let kind = kinds::by_number(document.kind);
    let created = created(&mut desk, &document)?;
    let author = author(&mut desk, document.id.0)?;
    let state = kind.and_then(|kind| kind.machine?.states.get(usize::from(document.state)));
    let number = kind.and_then(|kind| kind.key).map(|key| reading::text(&document, key));
    let mut json = json!({
        "id": document.id.to_string(),
        "code": document.id.code(),
        "kind": kind.map(|kind| kind.name),
        "number": number,
        "state": state.map(|state| state.name),
        "flags": document.flags().iter().map(|flag| flag.name).collect::<Vec<_>>(),
        "author": author,
        "recorded": created.map(recorded_json),
        "conflicts": document.conflicts().len(),
        "digest": records::hex::of(&document.digest()),
    });
    if let (Json::Object(members), Some(kind)) = (&mut json, kind) {
        let (fields, lists) = values_json(&document, kind);
        members.insert("fields".to_owned(), fields.into());
        members.insert("lists".to_owned(), lists.into());
    }
    let lang = room.lang;
    let mut head =
        vec![kind.map_or("?", |kind| lang.words().pick(kind.zh, kind.en)).to_owned(), document.id.code()];
    head.extend(number);
    let states = state.into_iter().chain(document.flags());
    head.extend(states.map(|state| lang.words().pick(state.zh, state.en).to_owned()));
    let mut text = head.join("  ") + "\n";
    if let Some(created) = created {
        let facts = [("when".to_owned(), recorded_text(&created, lang)), ("who".to_owned(), author)];
        text.push_str(&(lang.say("hq.show.recorded", &facts) + "\n"));
    }
    if let Some(kind) = kind {
        let titles = ["field", "value"].map(|column| lang.say(&format!("hq.column.{column}"), &[]));
        text.push_str(&table(&titles, values_text(&document, kind, lang)));
    }
    Ok(Answer::new(json, text))
}

/// Returns the one record that a text names.
pub(super) fn find(desk: &mut Desk, args: &Args) -> Result<Document, Fault> {
    let mut found = Vec::new();
    for doc in desk.store.find(&args.record)? {
        let home = desk.home(doc.0.replica)?.unwrap_or(0);
        found.extend(desk.store.document(home, doc)?);
    }
    found.sort_by_key(|document| document.id);
    found.dedup_by_key(|document| document.id);
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(document), None) => Ok(document),
        (None, _) => Err(Fault::new(REFUSED, "hq.record.unknown").with("id", &args.record)),
        (Some(_), Some(_)) => Err(Fault::new(REFUSED, "hq.record.ambiguous").with("id", &args.record)),
    }
}

fn created(desk: &mut Desk, document: &Document) -> Result<Option<Recorded>, Fault> {
    let stamp = desk.row(document.id.0)?.map(|row| row.stamp);
    match stamp {
        Some(stamp) => recorded(desk, document.id.0, stamp),
        None => Ok(None),
    }
}

/// Returns when an op was recorded.
pub(crate) fn recorded(desk: &mut Desk, op: OpId, stamp: Stamp) -> Result<Option<Recorded>, Fault> {
    Ok(desk.recorded(op, stamp)?)
}

/// Returns the name and code of the owner of the device that wrote an op; headquarters for its own.
pub(crate) fn author(desk: &mut Desk, op: OpId) -> Result<String, Fault> {
    let people = desk.people()?;
    let staff: Option<DocId> = desk.store.device(op.replica)?.and_then(|device| device.staff);
    let person = staff.and_then(|staff| people.staff.get(&staff));
    Ok(person.map_or_else(|| "HQ".to_owned(), |person| format!("{} ({})", person.name, person.code)))
}

fn instant(ms: u64) -> Ts {
    Ts(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Returns when something was recorded, as it stands in an answer.
pub(super) fn recorded_json(recorded: Recorded) -> Json {
    let text = |ms: u64| instant(ms).rfc3339(Zone::SHANGHAI);
    json!({
        "at": text(recorded.at_ms),
        "device_at": text(recorded.device_ms),
        "received": text(recorded.came.received_ms),
        "clock_skew_ms": recorded.came.skew_ms,
    })
}

/// Returns when something was recorded, for a person: the minute, and what is to be said of the clock.
pub(crate) fn recorded_text(recorded: &Recorded, lang: Lang) -> String {
    let at = instant(recorded.at_ms).minute(Zone::SHANGHAI);
    let (key, by) = match recorded.told() {
        Told::Nothing => return at,
        Told::Slow(ms) => ("hq.clock.slow", duration(ms, lang)),
        Told::Fast(ms) => ("hq.clock.fast", duration(ms, lang)),
        Told::RanAhead => ("hq.clock.ran_ahead", String::new()),
    };
    format!("{at} {}", lang.say(key, &[("by".to_owned(), by)]))
}

/// Returns a length of time in its largest unit, rounded.
pub(crate) fn duration(ms: u64, lang: Lang) -> String {
    let minutes = ms.saturating_add(30_000) / 60_000;
    let hours = minutes.saturating_add(30) / 60;
    let (key, n) = match minutes {
        0..90 => ("hq.time.minutes", minutes),
        _ if hours < 48 => ("hq.time.hours", hours),
        _ if hours < 2 * 8766 => ("hq.time.days", hours.saturating_add(12) / 24),
        _ => ("hq.time.years", hours.saturating_add(4383) / 8766),
    };
    lang.say(key, &[("n".to_owned(), n.to_string())])
}

fn values_json(document: &Document, kind: &'static Kind) -> (Map<String, Json>, Map<String, Json>) {
    let (mut fields, mut lists) = (Map::new(), Map::new());
    let object = |group: &Group, row: &Row| value::json::object(group.fields, row, Zone::SHANGHAI);
    for group in kind.groups {
        let rows = reading::rows(document, group);
        match group.class {
            Class::Once | Class::Last | Class::Contested => {
                fields.extend(rows.first().map(|row| object(group, row)).unwrap_or_default());
            }
            Class::Ledger | Class::Set if !rows.is_empty() => {
                let rows = rows.iter().map(|row| Json::from(object(group, row))).collect();
                lists.insert(group.name.to_owned(), rows);
            }
            Class::Ledger | Class::Set | Class::Decision => {}
        }
    }
    (fields, lists)
}

fn values_text(document: &Document, kind: &'static Kind, lang: Lang) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for group in kind.groups {
        for row in reading::rows(document, group) {
            lines.extend(row_text(group, &row, lang).into_iter().map(|(name, value)| vec![name, value]));
        }
    }
    lines
}

/// Returns the present values of a row: a line each of single fields, one line of a list's entry.
pub(crate) fn row_text(group: &Group, row: &Row, lang: Lang) -> Vec<(String, String)> {
    let words = lang.words();
    let present = group.fields.iter().zip(row).filter_map(|(field, value)| Some((field, value.as_ref()?)));
    let each = present.map(|(field, value)| {
        (words.pick(field.zh, field.en).to_owned(), value.label(field, Zone::SHANGHAI, words))
    });
    match group.class {
        Class::Once | Class::Last | Class::Contested => each.collect(),
        Class::Ledger | Class::Set | Class::Decision => {
            let values: Vec<String> = each.map(|(_, value)| value).collect();
            vec![(format!("+ {}", words.pick(group.zh, group.en)), values.join(", "))]
        }
    }
}
