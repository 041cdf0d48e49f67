//! `policy load`, `policy list`, `policy try` and `calendar load`: the company's own policy and calendar.

use std::path::{Path, PathBuf};

use records::time::{Day, Ts, Zone};
use serde_json::{Value, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang, REFUSED};
use crate::cli::policy::{calendar_fault, policy_fault};
use crate::cli::table::table;
use crate::money::load::LoadError;
use crate::money::trial::Trial;

/// What can be done with the calendar.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Calendar {
    /// Takes in the years of a calendar file; devices get them with their next sync
    Load {
        /// The file (JSON)
        file: PathBuf,
    },
}

/// Returns the day in the policy's zone.
pub(super) fn today(room: &Room) -> Day {
    Ts(i64::try_from(room.clock.now_ms()).unwrap_or(i64::MAX)).day(Zone::SHANGHAI)
}

fn read(file: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(file).map_err(|error| Fault::file(file, &error))
}

/// Returns why a file was not loaded.
pub(crate) fn fault(file: &Path, error: LoadError, lang: Lang) -> Fault {
    match error {
        LoadError::Policy(error) => policy_fault(file, &error, lang),
        LoadError::Calendar(error) => calendar_fault(file, &error.sentence(), lang),
        LoadError::SameVersion { version } => Fault::new(REFUSED, "hq.policy.same").with("version", version),
        LoadError::TooLong { bytes } => Fault::usage("hq.policy.long").with("bytes", bytes),
        LoadError::Import(error) => error.into(),
        LoadError::Author(error) => error.into(),
        LoadError::Store(error) => error.into(),
    }
}

/// Loads a version of the policy.
pub(super) fn load(file: &Path, valid_from: Option<Day>, room: &Room) -> Result<Answer, Fault> {
    let text = read(file)?;
    let (from, now) = (valid_from.unwrap_or_else(|| today(room)), room.clock.now_ms());
    let mut desk = room.open()?;
    let loaded = desk.transact(|desk| {
        let policy = desk.load_policy(&text, from, now)?;
        desk.store.audit(0, now, "policy", &policy.version)?;
        Ok::<_, LoadError>(policy)
    });
    let policy = loaded.map_err(|error| fault(file, error, room.lang))?;
    let facts = [("version".to_owned(), policy.version.clone()), ("from".to_owned(), from.to_string())];
    let json = json!({"version": policy.version, "valid_from": from.to_string()});
    Ok(Answer::new(json, room.lang.say("hq.policy.loaded", &facts)))
}

/// Lists the versions of the policy, the one in force marked.
pub(super) fn list(room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let terms = desk.terms()?;
    let in_force = terms.in_force.policy(today(room)).version.clone();
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for (from, version) in terms.in_force.versions() {
        let from = from.map(|day| day.to_string());
        let now = version == in_force;
        let mark = if now { room.lang.say("hq.policy.in_force", &[]) } else { String::new() };
        lines.push(vec![version.to_owned(), from.clone().unwrap_or_default(), mark]);
        rows.push(json!({"version": version, "valid_from": from, "in_force": now}));
    }
    let titles =
        ["version", "valid_from", "mark"].map(|name| room.lang.say(&format!("hq.terms.{name}"), &[]));
    Ok(Answer::new(Value::Array(rows), table(&titles, lines)))
}

/// Judges past claims by another policy and shows what would be paid otherwise. Nothing is written.
pub(super) fn trial(
    file: &Path,
    (since, until): (Option<Day>, Option<Day>),
    room: &Room,
) -> Result<Answer, Fault> {
    let text = read(file)?;
    let mut desk = room.open()?;
    let policy = records::policy::terms::Policy::parse(&text)
        .map_err(|error| policy_fault(file, &error, room.lang))?;
    let days = since.unwrap_or(Day(i32::MIN))..=until.unwrap_or(Day(i32::MAX));
    let trial = desk.try_policy(&policy, &days, today(room))?;
    Ok(Answer::new(trial_json(&trial, &policy.version), trial_text(&trial, room.lang)))
}

fn trial_json(trial: &Trial, version: &str) -> Value {
    let amount = |fen: records::money::Fen| fen.to_string();
    let claims: Vec<Value> = trial
        .differing
        .iter()
        .map(|claim| {
            json!({
                "id": claim.id.to_string(), "code": claim.id.code(), "number": claim.no, "policy": claim.policy,
                "payable_fen": claim.before.payable.0, "payable": amount(claim.before.payable),
                "new_payable_fen": claim.after.payable.0, "new_payable": amount(claim.after.payable),
                "self_paid_fen": claim.before.self_paid.0, "self_paid": amount(claim.before.self_paid),
                "new_self_paid_fen": claim.after.self_paid.0, "new_self_paid": amount(claim.after.self_paid),
                "vp": claim.before.vp, "new_vp": claim.after.vp,
                "rules": claim.before.rules, "new_rules": claim.after.rules,
            })
        })
        .collect();
    json!({
        "version": version,
        "claims": trial.claims,
        "differing": claims,
        "payable_fen": trial.before.0, "payable": amount(trial.before),
        "new_payable_fen": trial.after.0, "new_payable": amount(trial.after),
    })
}

fn trial_text(trial: &Trial, lang: Lang) -> String {
    let rules = |rules: &std::collections::BTreeSet<&'static str>| {
        rules.iter().copied().collect::<Vec<_>>().join(" ")
    };
    let lines = trial.differing.iter().map(|claim| {
        vec![
            claim.no.clone(),
            claim.before.payable.to_string(),
            claim.after.payable.to_string(),
            rules(&claim.before.rules),
            rules(&claim.after.rules),
        ]
    });
    let titles = ["number", "payable", "new_payable", "rules", "new_rules"]
        .map(|name| lang.say(&format!("hq.terms.{name}"), &[]));
    let facts = [
        ("claims".to_owned(), trial.claims.to_string()),
        ("n".to_owned(), trial.differing.len().to_string()),
        ("before".to_owned(), trial.before.to_string()),
        ("after".to_owned(), trial.after.to_string()),
    ];
    let head = lang.say("hq.policy.tried", &facts);
    if trial.differing.is_empty() { head } else { format!("{head}\n{}", table(&titles, lines.collect())) }
}

/// Takes in the years of a calendar file.
pub(super) fn calendar(command: &Calendar, room: &Room) -> Result<Answer, Fault> {
    let Calendar::Load { file } = command;
    let text = read(file)?;
    let now = room.clock.now_ms();
    let mut desk = room.open()?;
    let loaded = desk.transact(|desk| {
        let loaded = desk.load_calendar(&text, now)?;
        let years = loaded.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        desk.store.audit(0, now, "calendar", &years)?;
        Ok::<_, LoadError>(loaded)
    });
    let (years, done) = loaded.map_err(|error| fault(file, error, room.lang))?;
    let named = years.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let facts = [
        ("years".to_owned(), named),
        ("added".to_owned(), done.added.to_string()),
        ("changed".to_owned(), done.changed.to_string()),
    ];
    let json = json!({"years": years, "added": done.added, "changed": done.changed, "already": done.already});
    let key = if years.is_empty() { "hq.calendar.none" } else { "hq.calendar.loaded" };
    Ok(Answer::new(json, room.lang.say(key, &facts)))
}
