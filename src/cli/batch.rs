//! `batch`: the branch's envelope of claims.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use records::claim::guard::batch::Batch;
use records::id::DocId;
use records::kinds::batch_machine;
use records::time::Day;
use serde_json::{Value, json};

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::review_text::{decided_json, decided_text};
use crate::cli::sheet::changed_page;
use crate::cli::table::{Column, Tone, table};
use crate::notebook::batch::fill::{self, Filled};
use crate::notebook::batch::lists::{self, Listed};
use crate::notebook::batch::send::{self, Send, Sent};
use crate::notebook::batch::view::{View, view};
use crate::notebook::batch::{self, Opened};
use crate::notebook::refusal::NotebookError;

/// The branch's envelope of claims.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Open {
        cycle: Option<String>,
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    Add {
        #[arg(required_unless_present = "all")]
        claims: Vec<String>,
        #[arg(long, conflicts_with = "claims")]
        all: bool,
        #[arg(long, value_name = "NO")]
        batch: Option<String>,
    },
    Remove {
        #[arg(required = true)]
        claims: Vec<String>,
        #[arg(long, value_name = "NO")]
        batch: Option<String>,
    },
    Explain {
        number: String,
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[arg(long, value_name = "NO")]
        batch: Option<String>,
    },
    Seal {
        batch: Option<String>,
    },
    Unseal {
        batch: Option<String>,
    },
    Dispatch {
        batch: Option<String>,
        #[arg(long, value_name = "NO")]
        waybill: String,
        #[arg(long, value_name = "NAME")]
        carrier: Option<String>,
        #[arg(long, value_name = "TEXT")]
        late_reason: Option<String>,
        #[arg(long, value_name = "DAY")]
        day: Option<Day>,
    },
    Show {
        batch: Option<String>,
    },
    List,
    Manifest {
        batch: Option<String>,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Runs a command on batches.
pub(crate) fn run(command: Command, desk: &Desk) -> Result<Page, Fault> {
    let now = desk.clock.now();
    let mut store = desk.store()?;
    match command {
        Command::Open { cycle, reason } => {
            let opened = batch::open(&mut store, cycle.as_deref(), reason.as_deref(), now)?;
            Ok(desk.page(|| opened_json(&opened), |desk| opened_text(&opened, desk)))
        }
        Command::Add { claims, all: _, batch } => {
            let filled = fill::add(&mut store, batch.as_deref(), &claims, now)?;
            Ok(desk
                .page(|| filled_json(&filled, desk), |desk| filled_text(&filled, "text.batch.added", desk)))
        }
        Command::Remove { claims, batch } => {
            let filled = fill::remove(&mut store, batch.as_deref(), &claims, now)?;
            Ok(desk
                .page(|| filled_json(&filled, desk), |desk| filled_text(&filled, "text.batch.removed", desk)))
        }
        Command::Explain { number, why, batch } => {
            let changed = fill::explain(&mut store, batch.as_deref(), &number, &why, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Seal { batch } => {
            let decided = send::seal(&mut store, batch.as_deref(), now)?;
            Ok(desk.page(|| decided_json(&decided), |desk| decided_text(&decided, desk)))
        }
        Command::Unseal { batch } => {
            let decided = send::unseal(&mut store, batch.as_deref(), now)?;
            Ok(desk.page(|| decided_json(&decided), |desk| decided_text(&decided, desk)))
        }
        Command::Dispatch { batch, waybill, carrier, late_reason, day } => {
            let request = Send { batch, waybill, carrier, late_reason, day };
            let sent = send::dispatch(&mut store, &request, now)?;
            Ok(desk.page(|| sent_json(&sent), |desk| sent_text(&sent, desk)))
        }
        Command::Show { batch } => {
            let view = view(&store, batch.as_deref(), now)?;
            Ok(desk.page(|| view_json(&view), |desk| view_text(&view, desk)))
        }
        Command::Manifest { batch, out } => {
            let listed = lists::lists(&store, batch.as_deref(), desk.lang.of_papers(), now)?;
            manifest(&listed, &out, desk)
        }
        Command::List => {
            let all = batch::all(&store).map_err(NotebookError::from)?;
            let lines = || all.iter().rev().map(|(document, batch)| (document.id, batch));
            let json = || lines().map(|(id, batch)| line_json(id, batch)).collect();
            let batches: Vec<&Batch> = lines().map(|(_, batch)| batch).collect();
            Ok(desk.page(json, |desk| list_text(&batches, desk)))
        }
    }
}

/// Writes the lists of a batch: all of them into a workbook, the detail list into a text file.
fn manifest(listed: &Listed, out: &Path, desk: &Desk) -> Result<Page, Fault> {
    let unwritten = |_| Fault::new(Exit::Refused, "error.paper.sum");
    let lists = listed.lists.as_deref().map_err(unwritten)?;
    let bytes = match (out.extension().and_then(|extension| extension.to_str()), lists.first()) {
        (Some("xlsx"), _) => papers::lists::workbook(lists),
        (Some("csv"), Some(detail)) => detail.csv(true),
        _ => return Err(Fault::new(Exit::Usage, "error.list.form").with("file", &out.display())),
    };
    std::fs::write(out, bytes.map_err(|_| Fault::new(Exit::Refused, "error.paper.sum"))?)
        .map_err(|error| Fault::file(out, &error))?;
    let file = out.display().to_string();
    let n = listed.claims.to_string();
    let facts = [("batch", listed.batch.as_str()), ("n", n.as_str()), ("file", file.as_str())];
    let json = || {
        let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
        json!({"batch": listed.batch, "claims": listed.claims, "file": file, "lists": names})
    };
    Ok(desk.page(json, |desk| desk.lang.say("text.batch.listed", &facts) + "\n"))
}

fn state(batch: &Batch) -> Option<&'static records::machine::State> {
    batch_machine::BATCH.states.get(usize::from(batch.state))
}

fn line_json(id: DocId, batch: &Batch) -> Value {
    json!({
        "id": id.to_string(),
        "code": id.code(),
        "number": batch.no,
        "cycle": batch.cycle.map(|cycle| cycle.to_string()),
        "state": state(batch).map(|state| state.name),
        "due": batch.due.map(|day| day.to_string()),
        "claims": batch.claims.len(),
        "dispatched": batch.dispatched.map(|day| day.to_string()),
        "waybill": batch.waybill,
        "late": batch.is_late(),
        "late_reason": batch.late_reason,
    })
}

fn opened_json(opened: &Opened) -> Value {
    let mut json = line_json(opened.id, &opened.batch);
    if let Some(members) = json.as_object_mut() {
        members.insert("exception".to_owned(), opened.exception.map(|id| id.code()).into());
    }
    json
}

fn opened_text(opened: &Opened, desk: &Desk) -> String {
    let due = opened.batch.due.map(|day| day.to_string()).unwrap_or_default();
    let facts = [("batch", opened.batch.no.as_str()), ("due", due.as_str())];
    let key = if opened.exception.is_some() { "text.batch.opened_extra" } else { "text.batch.opened" };
    desk.lang.say(key, &facts) + "\n"
}

fn list_text(batches: &[&Batch], desk: &Desk) -> String {
    if batches.is_empty() {
        return desk.lang.say("text.list.empty", &[]) + "\n";
    }
    let say = |key: &str| desk.lang.say(key, &[]);
    let columns = ["column.number", "column.state", "column.review.due", "column.batch.waybill"]
        .map(|key| Column::left(say(key)));
    let rows: Vec<Vec<String>> = batches
        .iter()
        .map(|batch| {
            let label = state(batch).map_or("", |state| desk.lang.label(state.zh, state.en));
            let late = if batch.is_late() { format!(" !{}", say("text.batch.late")) } else { String::new() };
            let due = batch.due.map(|day| day.to_string()).unwrap_or_default();
            vec![batch.no.clone(), label.to_owned() + &late, due, batch.waybill.clone()]
        })
        .collect();
    table(desk.style, &columns, &rows)
}

fn filled_json(filled: &Filled, desk: &Desk) -> Value {
    let claim = |(id, no): &(DocId, String)| json!({"id": id.to_string(), "number": no});
    let left = filled.left.iter().map(|(id, no, refusal)| {
        let problem = refusal.points.first();
        json!({
            "id": id.to_string(),
            "number": no,
            "rule": problem.map_or(refusal.rule, |problem| problem.rule),
            "message": problem.map(|problem| problem.text(desk.lang.of_labels())),
        })
    });
    json!({
        "batch": filled.batch,
        "claims": filled.claims.iter().map(claim).collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
    })
}

fn filled_text(filled: &Filled, key: &str, desk: &Desk) -> String {
    let n = filled.claims.len().to_string();
    let mut text = desk.lang.say(key, &[("n", &n), ("batch", &filled.batch)]) + "\n";
    for (_, no, refusal) in &filled.left {
        let said = refusal.points.first().map(|problem| problem.text(desk.lang.of_labels()));
        let rule = refusal.points.first().map_or(refusal.rule, |problem| problem.rule);
        text.push_str(&format!("  {no}: {} [{rule}]\n", said.unwrap_or_default()));
    }
    text
}

fn sent_json(sent: &Sent) -> Value {
    let mut json = decided_json(&sent.decided);
    let exception = |(id, no): &(DocId, String)| json!({"id": id.to_string(), "claim": no});
    if let Some(members) = json.as_object_mut() {
        members.insert("claims".to_owned(), sent.claims.into());
        members.insert("due".to_owned(), sent.due.map(|day| day.to_string()).into());
        members.insert("dispatched".to_owned(), sent.day.to_string().into());
        members.insert("late".to_owned(), sent.late.into());
        members.insert("not_sent".to_owned(), sent.not_sent.clone().into());
        members.insert("exceptions".to_owned(), sent.exceptions.iter().map(exception).collect());
    }
    json
}

fn sent_text(sent: &Sent, desk: &Desk) -> String {
    let say = |key: &str, facts: &[(&str, &str)]| desk.lang.say(key, facts) + "\n";
    let due = sent.due.map(|day| day.to_string()).unwrap_or_default();
    let (n, day) = (sent.claims.to_string(), sent.day.to_string());
    let mut text = say("text.batch.sent", &[("batch", &sent.decided.name), ("n", &n), ("day", &day)]);
    if sent.late {
        let n = sent.exceptions.len().to_string();
        let late = say("text.batch.sent_late", &[("due", &due), ("n", &n)]);
        text.push_str(&desk.style.paint(Tone::Warning, &late));
    }
    for no in &sent.not_sent {
        text.push_str(&say("text.batch.not_sent", &[("name", no)]));
    }
    text
}

fn view_json(view: &View) -> Value {
    let mut json = line_json(view.id, &view.batch);
    let claims = view.claims.iter().map(|(id, no, inside)| {
        json!({
            "id": id.to_string(),
            "number": no,
            "state": inside.as_ref().and_then(|inside| inside.state).map(|state| state.name),
            "flags": inside.as_ref().map(|inside| inside.flags.iter().map(|flag| flag.name).collect::<Vec<_>>()),
            "claimed_fen": inside.as_ref().map(|inside| inside.claim.claimed_total().0),
            "vouchers": inside.as_ref().map(|inside| inside.claim.voucher_count()),
            "received": view.batch.received.get(no),
        })
    });
    let faults = view.faults.iter().map(|(staff, gap)| {
        json!({
            "staff": staff.to_string(),
            "fault": gap.fault.name(),
            "year": gap.first.year,
            "first": gap.first.seq,
            "last": gap.last.seq,
        })
    });
    if let Some(members) = json.as_object_mut() {
        members.insert("claims".to_owned(), claims.collect());
        members.insert("explained".to_owned(), json!(view.batch.explained));
        members.insert("faults".to_owned(), faults.collect());
        members.insert("total_fen".to_owned(), view.manifest.total.0.into());
        members.insert("total".to_owned(), view.manifest.total.to_string().into());
        members.insert("vouchers".to_owned(), view.manifest.vouchers.into());
        members.insert("lines".to_owned(), view.manifest.detail.len().into());
        members.insert("non_service_lines".to_owned(), view.manifest.non_service.len().into());
    }
    json
}

fn view_text(view: &View, desk: &Desk) -> String {
    let lang = desk.lang;
    let state = view.state.map_or("", |state| lang.label(state.zh, state.en));
    let mut text = desk.style.paint(Tone::Heading, &format!("{} {state}", view.batch.no)) + "\n";
    let say = |key: &str| lang.say(key, &[]);
    let mut columns = vec![Column::left(say("column.number")), Column::left(say("column.state"))];
    columns.push(Column::right(say("column.review.vouchers")));
    columns.push(Column::right(say("column.amount")));
    let rows: Vec<Vec<String>> = view
        .claims
        .iter()
        .map(|(_, no, inside)| {
            let labels = inside.iter().flat_map(|inside| inside.state.iter().chain(&inside.flags));
            let labels: Vec<&str> = labels.map(|state| lang.label(state.zh, state.en)).collect();
            let claim = inside.as_ref().map(|inside| &inside.claim);
            vec![
                no.clone(),
                labels.join(", "),
                claim.map(|claim| claim.voucher_count().to_string()).unwrap_or_default(),
                claim.map(|claim| claim.claimed_total().to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    text.push_str(&table(desk.style, &columns, &rows));
    let facts =
        [("total", view.manifest.total.to_string()), ("vouchers", view.manifest.vouchers.to_string())];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    text.push_str(&(lang.say("text.batch.total", &facts) + "\n"));
    for (_, gap) in &view.faults {
        let (year, first, last) =
            (gap.first.year.to_string(), gap.first.seq.to_string(), gap.last.seq.to_string());
        let facts = [("year", year.as_str()), ("first", first.as_str()), ("last", last.as_str())];
        text.push_str(&desk.style.paint(Tone::Warning, &(lang.say("text.batch.fault", &facts) + "\n")));
    }
    text
}
