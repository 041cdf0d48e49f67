//! What the office's commands share: who acts, how claims and amounts are shown, how a refusal is said.

use records::id::DocId;
use records::kinds::claim::{CostOwner, LineVerdict};
use records::money::Fen;
use records::record::Record;
use records::time::{Day, Ts, Zone};
use records::value::Choices;
use serde_json::{Map, Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Fault, Lang, raw};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::refusal::MoneyError;
use crate::money::rows::instant;
use crate::money::waiting::{since, waits_for};
use crate::store::StoreError;

/// Who acts.
#[derive(Debug, clap::Args)]
pub(crate) struct Acts {
    /// The staff code of whoever takes the step
    #[arg(id = "as", long = "as", value_name = "STAFF")]
    staff: String,
    /// The staff code of the one for whom he acts
    #[arg(id = "for", long = "for", value_name = "STAFF")]
    principal: Option<String>,
}

impl Acts {
    /// Returns who acts, from options that a command has itself.
    pub(crate) fn of(staff: &str, principal: Option<&str>) -> Self {
        Self { staff: staff.to_owned(), principal: principal.map(str::to_owned) }
    }
}

/// Returns the day of the command, in China.
pub(super) fn today(room: &Room) -> Day {
    instant(room.clock.now_ms()).day(Zone::SHANGHAI)
}

/// Does a job of somebody in a transaction: all of it or nothing.
pub(super) fn act<T>(
    room: &Room,
    acts: &Acts,
    job: impl FnOnce(&mut Desk, &Actor, u64) -> Result<T, MoneyError>,
) -> Result<(T, Desk), Fault> {
    let mut desk = room.open()?;
    let now_ms = room.clock.now_ms();
    let done = desk.transact(|desk| {
        let actor = desk.actor(&acts.staff, acts.principal.as_deref(), today(room))?;
        job(desk, &actor, now_ms)
    });
    Ok((done.map_err(|error| Fault::money(error, room.lang))?, desk))
}

/// Looks something up.
pub(super) fn look<T>(
    room: &Room,
    job: impl FnOnce(&mut Desk) -> Result<T, MoneyError>,
) -> Result<(T, Desk), Fault> {
    let mut desk = room.open()?;
    let found = job(&mut desk).map_err(|error| Fault::money(error, room.lang))?;
    Ok((found, desk))
}

/// Adds an amount under both of its names: fen, and yuan as people read them.
pub(crate) fn amount(json: &mut Map<String, Json>, name: &str, fen: Option<Fen>) {
    json.insert(format!("{name}_fen"), fen.map(|fen| fen.0).into());
    json.insert(name.to_owned(), fen.map(|fen| fen.to_string()).into());
}

/// Returns an object's members, to add amounts to.
pub(crate) fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// Returns the identifier of a choice.
pub(crate) fn word(list: &Choices, index: u8) -> &'static str {
    list.option(index).map_or("?", |(name, ..)| name)
}

/// Returns the label of a choice.
pub(crate) fn label(list: &Choices, index: u8, lang: Lang) -> &'static str {
    list.option(index).map_or("?", |(_, zh, en)| lang.words().pick(zh, en))
}

/// How much of a list is printed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct AtMost {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
}

impl AtMost {
    /// Shortens a list; how many were left out is the text's last line, and beside a document for programs it is told on
    /// standard error.
    pub(super) fn keep<T>(self, list: &mut Vec<T>, room: &Room) -> String {
        let n = list.len().saturating_sub(self.limit);
        list.truncate(self.limit);
        if n == 0 {
            return String::new();
        }
        let told = say(room.lang, "hq.list.left_out", &[("n", n.to_string())]) + "\n";
        if room.json {
            raw(&told, false);
        }
        told
    }
}

/// Returns the identifier of a record's state.
pub(crate) fn state_name(record: &Record) -> &'static str {
    record.state_name()
}

/// Returns the label of a record's state.
pub(crate) fn state_label(record: &Record, lang: Lang) -> &'static str {
    let states = record.kind.machine.map_or(&[][..], |machine| machine.states);
    states.get(usize::from(record.state)).map_or("", |state| lang.words().pick(state.zh, state.en))
}

/// Returns a person as answers name him; `null` for nobody.
pub(crate) fn person(desk: &mut Desk, staff: Option<DocId>) -> Result<Json, StoreError> {
    let people = desk.people()?;
    let person = staff.and_then(|staff| people.staff.get(&staff));
    Ok(person.map_or(Json::Null, |person| json!({"code": person.code, "name": person.name})))
}

/// Returns a person as tables name him.
pub(crate) fn person_text(desk: &mut Desk, staff: Option<DocId>) -> Result<String, StoreError> {
    let people = desk.people()?;
    let person = staff.and_then(|staff| people.staff.get(&staff));
    Ok(person.map_or_else(String::new, |person| format!("{} ({})", person.name, person.code)))
}

/// Returns an instant as answers write it.
pub(crate) fn at(ts: Ts) -> String {
    ts.rfc3339(Zone::SHANGHAI)
}

/// Returns a sentence with its facts.
pub(crate) fn say(lang: Lang, key: &str, facts: &[(&str, String)]) -> String {
    let facts: Vec<(String, String)> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    lang.say(key, &facts)
}

/// Returns the titles of a table's columns.
pub(crate) fn titles<const N: usize>(lang: Lang, names: [&str; N]) -> [String; N] {
    names.map(|name| lang.say(&format!("hq.column.{name}"), &[]))
}

/// Returns what answers say of a claim in one object.
pub(crate) fn claim_json(desk: &mut Desk, held: &Held) -> Result<Json, StoreError> {
    let claim = &held.claim;
    let submission = claim.submission.as_ref();
    let mut json = object(json!({
        "id": held.record.id.to_string(),
        "code": held.record.id.code(),
        "claim_no": claim.no,
        "staff": person(desk, Some(claim.staff))?,
        "unit": unit(desk, claim.unit)?,
        "half": claim.half.map(|half| half.to_string()),
        "cycle": submission.map(|submission| submission.cycle.clone()),
        "cost_owner": word(&CostOwner::CHOICES, claim.cost_owner.0),
        "state": state_name(&held.record),
        "since": since(claim).map(at),
        "waits_for": waits_for(claim.state),
        "revision": submission.map(|submission| submission.rev),
        "submitted_day": submission.map(|submission| submission.day.to_string()),
        "policy_version": submission.map(|submission| submission.policy_version.clone()),
        "voucher_total_count": claim.voucher_count(),
    }));
    amount(&mut json, "claimed_total", Some(claim.claimed_total()));
    let audited = !claim.audit.is_empty();
    amount(&mut json, "payable_total", audited.then(|| held.payable()));
    amount(&mut json, "self_paid_total", audited.then(|| held.self_paid()));
    Ok(json.into())
}

/// Returns a unit's code.
pub(crate) fn unit(desk: &mut Desk, unit: Option<DocId>) -> Result<Json, StoreError> {
    let people = desk.people()?;
    Ok(unit.and_then(|unit| people.units.get(&unit)).map(|unit| unit.code.clone()).into())
}

/// Returns a claim's line of a table: number, person, state, amounts.
pub(crate) fn claim_row(desk: &mut Desk, held: &Held, lang: Lang) -> Result<Vec<String>, StoreError> {
    let payable = (!held.claim.audit.is_empty()).then(|| held.payable().to_string());
    Ok(vec![
        held.no(),
        person_text(desk, Some(held.claim.staff))?,
        state_label(&held.record, lang).to_owned(),
        held.claim.claimed_total().to_string(),
        payable.unwrap_or_default(),
        since(&held.claim).map(|at| at.day(Zone::SHANGHAI).to_string()).unwrap_or_default(),
    ])
}

/// The columns of [`claim_row`].
pub(crate) const CLAIM_COLUMNS: [&str; 6] = ["claim_no", "claimant", "state", "claimed", "payable", "since"];

/// Returns what a step left of a claim: its summary, and one sentence.
pub(crate) fn told(desk: &mut Desk, held: &Held, lang: Lang) -> Result<(Json, String), StoreError> {
    let facts = [("no", held.no()), ("state", state_label(&held.record, lang).to_owned())];
    Ok((claim_json(desk, held)?, say(lang, "hq.claim.now", &facts)))
}

/// Reads the identifier of a verdict.
pub(crate) fn verdict(text: &str) -> Result<LineVerdict, String> {
    LineVerdict::CHOICES.index(text).map(LineVerdict).ok_or_else(|| text.to_owned())
}
