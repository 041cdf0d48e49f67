//! `due`: what is late and what comes next, with every counted and skipped day; and the lists of those who wait for claims.

use records::claim::clocks::Clock;
use records::policy::count::{Mark, Step};
use records::time::Day;
use serde_json::{Map, Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::office::{self, AtMost, object, person_text, say, state_label, titles};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::claims::Held;
use crate::money::waiting::Waiting;
use crate::store::StoreError;

/// What `due` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One claim, with each counted and skipped day; without it every claim that somebody has to do something about
    claim: Option<String>,
    /// Only what is late
    #[arg(long)]
    late: bool,
    #[command(flatten)]
    at_most: AtMost,
}

/// Says which clock runs and until when.
fn tell(waiting: &Waiting, json: &mut Map<String, Json>, today: Day) {
    let clock = waiting.open();
    json.insert("clock".to_owned(), clock.map(|clock| clock.what.name()).into());
    json.insert("due".to_owned(), waiting.due().map(|due| due.to_string()).into());
    json.insert("late".to_owned(), waiting.is_late(today).into());
    json.insert("paused".to_owned(), clock.is_some_and(|clock| clock.paused).into());
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    match &args.claim {
        Some(claim) => explained(claim, room),
        None => listed(&[], args.late, args.at_most, room),
    }
}

/// Lists the claims in some states by their due days, what is overdue first.
pub(super) fn waiting(states: &[u8], at_most: AtMost, room: &Room) -> Result<Answer, Fault> {
    listed(states, false, at_most, room)
}

/// Returns what answers say of a claim, with the clock that runs.
pub(super) fn told(desk: &mut Desk, held: &Held, today: Day) -> Result<Json, StoreError> {
    let waiting = desk.with_clocks(held.clone(), today)?;
    let mut json = object(office::claim_json(desk, held)?);
    tell(&waiting, &mut json, today);
    Ok(json.into())
}

/// Returns how many claims somebody has to do something about, and how many of them are late.
pub(super) fn counts(desk: &mut Desk, today: Day) -> Result<(usize, usize), StoreError> {
    let waiting = desk.waiting(&[], today)?;
    Ok((waiting.len(), waiting.iter().filter(|waiting| waiting.is_late(today)).count()))
}

fn listed(states: &[u8], late: bool, at_most: AtMost, room: &Room) -> Result<Answer, Fault> {
    let today = office::today(room);
    let (mut waiting, mut desk) = office::look(room, |desk| Ok(desk.waiting(states, today)?))?;
    waiting.retain(|waiting| !late || waiting.is_late(today));
    let left_out = at_most.keep(&mut waiting, room);
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for waiting in &waiting {
        let mut json = object(office::claim_json(&mut desk, &waiting.held)?);
        tell(waiting, &mut json, today);
        rows.push(Json::from(json));
        let due = waiting.due().map(|due| due.to_string()).unwrap_or_default();
        let mark = if waiting.is_late(today) { say(room.lang, "hq.due.late", &[]) } else { String::new() };
        lines.push(vec![
            waiting.held.no(),
            person_text(&mut desk, Some(waiting.held.claim.staff))?,
            state_label(&waiting.held.record, room.lang).to_owned(),
            waiting.held.claim.claimed_total().to_string(),
            due,
            mark,
        ]);
    }
    let columns = ["claim_no", "claimant", "state", "claimed", "due", "notes"];
    Ok(Answer::new(rows.into(), table(&titles(room.lang, columns), lines) + &left_out))
}

fn explained(name: &str, room: &Room) -> Result<Answer, Fault> {
    let today = office::today(room);
    let (waiting, mut desk) = office::look(room, |desk| {
        let held = desk.claim(name)?;
        Ok(desk.with_clocks(held, today)?)
    })?;
    let mut json = object(office::claim_json(&mut desk, &waiting.held)?);
    json.insert("clocks".to_owned(), waiting.clocks.iter().map(|clock| clock_json(clock, today)).collect());
    let mut text = format!("{}  {}\n", waiting.held.no(), state_label(&waiting.held.record, room.lang));
    for clock in &waiting.clocks {
        text.push_str(&clock_text(clock, today, room.lang));
    }
    Ok(Answer::new(json.into(), text))
}

fn clock_json(clock: &Clock, today: Day) -> Json {
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    json!({
        "clock": clock.what.name(),
        "started": clock.started.to_string(),
        "due": day(clock.due),
        "done": day(clock.done),
        "paused": clock.paused,
        "late": clock.is_late(today),
        "off": clock.off.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "days": clock.trace.steps.iter().map(day_json).collect::<Vec<_>>(),
        "missing_calendars": clock.trace.missing,
    })
}

fn day_json(step: &Step) -> Json {
    let n = match step.mark {
        Mark::Counted(n) => Some(n),
        _ => None,
    };
    json!({"day": step.day.to_string(), "is": step.kind.name(), "mark": step.mark.name(), "n": n})
}

fn clock_text(clock: &Clock, today: Day, lang: Lang) -> String {
    let day = |day: Option<Day>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
    let facts = [
        ("clock", lang.say(&format!("hq.clock.of.{}", clock.what.name()), &[])),
        ("started", clock.started.to_string()),
        ("due", day(clock.due)),
        ("done", day(clock.done)),
        ("late", if clock.is_late(today) { lang.say("hq.due.late", &[]) } else { String::new() }),
    ];
    let mut text = format!("{}\n", say(lang, "hq.due.clock", &facts).trim_end());
    for step in &clock.trace.steps {
        text.push_str(&format!("  {}\n", crate::cli::policy::said(&step.sentence(), lang)));
    }
    text
}
