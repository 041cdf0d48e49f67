//! `trip`: the summary of a half-month, built by itself and corrected by hand.

use clap::Subcommand;
use records::kinds::number;
use records::kinds::trip::TripDays;
use records::schema::Typed;
use records::time::{Day, Zone};
use records::value::Value;
use serde_json::{Value as Json, json};

use crate::cli::args::{Listed, Print};
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::sheet::{changed_page, list_page, read_pairs};
use crate::cli::table::{Column, Tone, table};
use crate::cli::{history, paper};
use crate::notebook::add::Entry;
use crate::notebook::find::Wanted;
use crate::notebook::refusal::NotebookError;
use crate::notebook::trip::{self, Summary, build::BuiltDay};
use crate::notebook::{show, typed};
use crate::store::Store;

/// Trip summaries; `half` is `2026-11-H1`, or the code of one's own summary.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show {
        half: String,
    },
    Print(Print),
    Set {
        half: String,
        day: Day,
        #[arg(required = true, value_name = "NAME=VALUE")]
        pairs: Vec<String>,
    },
    Add {
        half: String,
        list: String,
        #[arg(required = true)]
        values: Vec<String>,
    },
    Submit {
        half: String,
    },
    Withdraw {
        half: String,
    },
    History {
        half: String,
    },
    List {
        #[command(flatten)]
        listed: Listed,
    },
}

/// Runs a command on trip summaries.
pub(crate) fn run(command: Command, desk: &Desk) -> Result<Page, Fault> {
    let (now, lang) = (desk.clock.now(), desk.lang.of_labels());
    match command {
        Command::Print(args) => paper::run(&args, desk),
        Command::Show { half } => {
            let store = desk.store()?;
            let summary = trip::summary(&store, trip::half(&store, &half)?, lang)?;
            page(&store, &summary, desk)
        }
        Command::Set { half, day, pairs } => {
            let mut store = desk.store()?;
            let half = trip::half(&store, &half)?;
            let changed = trip::set(&mut store, half, day, &read_pairs(&pairs)?, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Add { half, list, values } => {
            let mut store = desk.store()?;
            let half = trip::half(&store, &half)?;
            let entry = Entry { list, words: values, files: Vec::new() };
            let changed = trip::add(&mut store, half, entry, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Submit { half } => {
            let mut store = desk.store()?;
            let half = trip::half(&store, &half)?;
            let changed = trip::submit(&mut store, half, lang, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Withdraw { half } => {
            let mut store = desk.store()?;
            let half = trip::half(&store, &half)?;
            let changed = trip::withdraw(&mut store, half, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::History { half } => {
            let saved = {
                let store = desk.store()?;
                let half = trip::half(&store, &half)?;
                trip::own(&store, half).map_err(NotebookError::from)?
            };
            let id = saved.map_or(half, |document| document.id.to_string());
            history::run(&id, Wanted::Kind(number::TRIP), desk)
        }
        Command::List { listed } => list_page(&["trip"], &listed, desk),
    }
}

fn page(store: &Store, summary: &Summary, desk: &Desk) -> Result<Page, Fault> {
    let zone = store.identity().enrolment.zone;
    let days: Vec<_> = summary.days.iter().collect();
    let mut rows = Vec::new();
    for (day, built) in &days {
        rows.push(cells(store, **day, built, desk)?);
    }
    let json = || answer(summary, zone);
    Ok(desk.page(json, |desk| text(summary, &rows, desk, zone)))
}

fn answer(summary: &Summary, zone: Zone) -> Json {
    let day = |(day, built): (&Day, &BuiltDay)| {
        json!({
            "date": day.to_string(),
            "fields": records::value::json::object(TripDays::GROUP.fields, &typed::row(&built.row), zone),
            "sheets": built.sheets.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "corrected": corrected(summary, *day),
        })
    };
    let legs = summary.legs.iter().map(|leg| {
        let fields = records::kinds::sheet::Legs::GROUP.fields;
        Json::Object(records::value::json::object(fields, &typed::row(leg), zone))
    });
    json!({
        "half": summary.half.to_string(),
        "id": summary.id.map(|id| id.to_string()),
        "code": summary.id.map(|id| id.code()),
        "state": summary.state.name,
        "days": summary.days.iter().map(day).collect::<Vec<_>>(),
        "lists": {"leg": legs.collect::<Vec<_>>()},
    })
}

/// Returns the fields of a day that the person wrote himself.
fn corrected(summary: &Summary, day: Day) -> Vec<&'static str> {
    let Some(written) = summary.written.get(&day) else {
        return Vec::new();
    };
    let fields = TripDays::GROUP.fields.iter().zip(typed::row(written));
    fields
        .filter(|(field, value)| field.name != "date" && value.is_some())
        .map(|(field, _)| field.name)
        .collect()
}

fn cells(store: &Store, day: Day, built: &BuiltDay, desk: &Desk) -> Result<Vec<String>, Fault> {
    let zone = store.identity().enrolment.zone;
    let lang = desk.lang.of_labels();
    let mut cells = vec![day.to_string()];
    let values = typed::row(&built.row);
    for name in ["place", "customer", "purpose", "nights"] {
        let at = TripDays::GROUP.fields.iter().position(|field| field.name == name);
        let field = at.and_then(|at| TripDays::GROUP.fields.get(at));
        let value: Option<&Value> = at.and_then(|at| values.get(at)?.as_ref());
        cells.push(match (field, value) {
            (Some(field), Some(value)) => {
                show::named(store, field, value, zone, lang).map_err(NotebookError::from)?
            }
            _ => String::new(),
        });
    }
    let mut sheets = Vec::new();
    for id in &built.sheets {
        sheets.push(show::name(store, *id).map_err(NotebookError::from)?);
    }
    cells.push(sheets.join(", "));
    Ok(cells)
}

fn text(summary: &Summary, rows: &[Vec<String>], desk: &Desk, zone: Zone) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let state = desk.lang.label(summary.state.zh, summary.state.en);
    let saved = summary.id.map_or_else(|| say("text.trip.unsaved"), |id| id.code());
    let heading = desk
        .lang
        .say("text.trip.heading", &[("half", &summary.half.to_string()), ("code", &saved), ("state", state)]);
    let mut text = desk.style.paint(Tone::Heading, &heading) + "\n";
    if rows.is_empty() {
        return text + &say("text.trip.empty") + "\n";
    }
    let columns = [
        "column.date",
        "column.place",
        "column.customer",
        "column.purpose",
        "column.nights",
        "column.sheets",
    ]
    .map(|key| Column::left(say(key)));
    text.push_str(&table(desk.style, &columns, rows));
    for leg in &summary.legs {
        let place =
            |text: &Option<records::value::Text<120>>| text.as_ref().map_or("?", |text| &text.0).to_owned();
        let at = leg.depart.or(leg.arrive).map(|at| at.minute(zone)).unwrap_or_default();
        text.push_str(&format!("  {at} {} → {}\n", place(&leg.from_place), place(&leg.to_place)));
    }
    text
}
