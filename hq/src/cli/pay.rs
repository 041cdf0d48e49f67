//! `pay`: finance.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use records::kinds::payment::PAYMENT;
use records::time::Zone;
use serde_json::{Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::audit::pair;
use crate::cli::office::{
    self, Acts, amount, object, person, person_text, say, state_label, state_name, titles,
};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::pay::Batch;
use crate::money::rows::instant;
use crate::store::StoreError;

/// What finance can do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Takes claims in; on a day on which finance is closed it is refused
    Accept {
        /// Their numbers, codes or ids
        #[arg(required_unless_present = "all")]
        claims: Vec<String>,
        /// All that wait
        #[arg(long, conflicts_with = "claims")]
        all: bool,
        #[command(flatten)]
        acts: Acts,
    },
    /// Sends a claim back to the auditor
    Back {
        /// Its number, code or id
        claim: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Puts all claims that were taken in into a new payment batch
    Batch {
        #[command(flatten)]
        acts: Acts,
    },
    /// Lists payment batches
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// Shows one with its payments
    Show {
        /// Its number, code or id
        payment: String,
    },
    /// Approves one: somebody else than who drafted it
    Approve {
        /// Its number, code or id
        payment: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Gives one up before its file went out
    Cancel {
        /// Its number, code or id
        payment: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Writes the file for the bank
    Export {
        /// Its number, code or id
        payment: String,
        /// The file, .csv or .xlsx
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        acts: Acts,
    },
    /// After a restore: lets payments go on, once somebody compared with the bank's statement
    Resume {
        /// Claims that the bank paid and that are not marked as paid here
        #[arg(long, value_name = "NO,NO", value_delimiter = ',')]
        paid: Vec<String>,
        /// What was compared
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Enters what the bank said: all but the failed ones are paid
    Confirm {
        /// Its number, code or id
        payment: String,
        /// A claim that the bank did not pay, with the reason; once for each
        #[arg(long, value_name = "NO=REASON", value_parser = pair)]
        failed: Vec<(String, String)>,
        #[command(flatten)]
        acts: Acts,
    },
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::Accept { claims, all: _, acts } => accept(claims, acts, room),
        Command::Back { claim, reason, acts } => {
            let (held, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.send_back(claim, reason, actor, now))?;
            let (json, text) = office::told(&mut desk, &held, room.lang)?;
            Ok(Answer::new(json, text))
        }
        Command::Batch { acts } => draft(acts, room),
        Command::List { state } => list(state.as_deref(), room),
        Command::Show { payment } => {
            let (batch, mut desk) = office::look(room, |desk| desk.payment(payment))?;
            shown(&mut desk, &batch, room.lang)
        }
        Command::Approve { payment, acts } => {
            let (batch, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.approve_payment(payment, actor, now))?;
            shown(&mut desk, &batch, room.lang)
        }
        Command::Cancel { payment, reason, acts } => {
            let (batch, mut desk) =
                office::act(room, acts, |desk, actor, now| desk.cancel_payment(payment, reason, actor, now))?;
            shown(&mut desk, &batch, room.lang)
        }
        Command::Export { payment, out, acts } => export(payment, out, acts, room),
        Command::Resume { paid, reason, acts } => resume(paid, reason, acts, room),
        Command::Confirm { payment, failed, acts } => confirm(payment, failed, acts, room),
    }
}

fn accept(claims: &[String], acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (accepted, mut desk) = office::act(room, acts, |desk, actor, now| desk.accept(claims, actor, now))?;
    let (mut rows, mut text) = (Vec::new(), String::new());
    for held in &accepted {
        let (json, said) = office::told(&mut desk, held, room.lang)?;
        rows.push(json);
        text.push_str(&format!("{said}\n"));
    }
    let text = if accepted.is_empty() { say(room.lang, "hq.pay.none_waits", &[]) } else { text };
    Ok(Answer::new(rows.into(), text))
}

fn summary(desk: &mut Desk, batch: &Batch) -> Result<Json, StoreError> {
    let mut json = object(json!({
        "id": batch.record.id.to_string(),
        "code": batch.record.id.code(),
        "payment_no": batch.no,
        "state": state_name(&batch.record),
        "n_claims": batch.payments.len(),
    }));
    amount(&mut json, "total", Some(batch.total()));
    let mut claims = Vec::new();
    for payment in &batch.payments {
        let mut row = object(json!({
            "claim_no": payment.no,
            "id": payment.claim.to_string(),
            "staff": person(desk, Some(payment.staff))?,
            "paid": payment.paid,
            "note": payment.note,
        }));
        amount(&mut row, "amount", Some(payment.amount));
        claims.push(Json::from(row));
    }
    json.insert("claims".to_owned(), claims.into());
    Ok(json.into())
}

fn head(batch: &Batch, lang: Lang) -> String {
    [batch.no.clone(), state_label(&batch.record, lang).to_owned(), batch.total().to_string()].join("  ")
}

fn shown(desk: &mut Desk, batch: &Batch, lang: Lang) -> Result<Answer, Fault> {
    let mut lines = Vec::new();
    for payment in &batch.payments {
        let paid = match payment.paid {
            None => String::new(),
            Some(true) => say(lang, "hq.pay.paid", &[]),
            Some(false) => say(lang, "hq.pay.failed", &[]),
        };
        let who = person_text(desk, Some(payment.staff))?;
        lines.push(vec![payment.no.clone(), who, payment.amount.to_string(), paid, payment.note.clone()]);
    }
    let columns = ["claim_no", "payee", "amount", "said", "notes"];
    let text = format!("{}\n{}", head(batch, lang), table(&titles(lang, columns), lines));
    Ok(Answer::new(summary(desk, batch)?, text))
}

fn draft(acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (drafted, mut desk) = office::act(room, acts, |desk, actor, now| desk.draft(actor, now))?;
    let answer = shown(&mut desk, &drafted.batch, room.lang)?;
    let mut json = object(answer.json);
    let mut text = answer.text;
    let mut left_out = Vec::new();
    for (no, payable) in &drafted.left_out {
        let mut row = object(json!({"claim_no": no}));
        amount(&mut row, "amount", Some(*payable));
        left_out.push(Json::from(row));
        let facts = [("no", no.clone()), ("amount", payable.to_string())];
        text.push_str(&format!("{}\n", say(room.lang, "hq.pay.left_out", &facts)));
    }
    json.insert("left_out".to_owned(), left_out.into());
    Ok(Answer::new(json.into(), text))
}

fn list(state: Option<&str>, room: &Room) -> Result<Answer, Fault> {
    let known = |name: &str| PAYMENT.machine.and_then(|machine| machine.state(name));
    let states: Vec<u8> = match state {
        None => Vec::new(),
        Some(name) => vec![known(name).ok_or_else(|| Fault::usage("hq.state.unknown").with("state", name))?],
    };
    let (batches, mut desk) = office::look(room, |desk| Ok(desk.payments(&states)?))?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for batch in &batches {
        rows.push(summary(&mut desk, batch)?);
        let (state, n) = (state_label(&batch.record, room.lang).to_owned(), batch.payments.len().to_string());
        lines.push(vec![batch.no.clone(), state, n, batch.total().to_string()]);
    }
    let mut text = table(&titles(room.lang, ["payment", "state", "claims", "amount"]), lines);
    if let Some(still) = desk.standstill()? {
        let day = instant(still.since_ms).day(Zone::SHANGHAI).to_string();
        let facts = [("day", day), ("silent", still.silent.to_string())];
        text = format!("{}\n{text}", say(room.lang, "rule.H-16", &facts));
    }
    Ok(Answer::new(rows.into(), text))
}

fn resume(paid: &[String], reason: &str, acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (done, mut desk) = office::act(room, acts, |desk, actor, now| desk.resume(paid, reason, actor, now))?;
    let mut text = say(room.lang, "hq.pay.resumed", &[]);
    for no in &done.known {
        text.push_str(&format!("\n{}", say(room.lang, "hq.pay.known", &[("no", no.clone())])));
    }
    let mut batch = Json::Null;
    if let Some(entered) = &done.batch {
        let shown = shown(&mut desk, entered, room.lang)?;
        batch = shown.json;
        let next = say(room.lang, "hq.pay.entered", &[("payment", entered.no.clone())]);
        text.push_str(&format!("\n{next}\n{}", shown.text));
    }
    Ok(Answer::new(json!({"batch": batch, "known": done.known}), text))
}

fn confirm(payment: &str, failed: &[(String, String)], acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let failed: BTreeMap<String, String> = failed.iter().cloned().collect();
    let (confirmed, mut desk) =
        office::act(room, acts, |desk, actor, now| desk.confirm_payment(payment, &failed, actor, now))?;
    let answer = shown(&mut desk, &confirmed.batch, room.lang)?;
    let mut json = object(answer.json);
    json.insert("paid".to_owned(), confirmed.paid.clone().into());
    json.insert("failed".to_owned(), confirmed.failed.clone().into());
    json.insert("later".to_owned(), confirmed.later.clone().into());
    let mut text = answer.text;
    for no in &confirmed.later {
        text.push_str(&format!("{}\n", say(room.lang, "hq.pay.later", &[("no", no.clone())])));
    }
    Ok(Answer::new(json.into(), text))
}

/// The file lies complete beside its name before the step is taken, and gets its name after it.
fn export(payment: &str, out: &Path, acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let form = match out.extension().and_then(|extension| extension.to_str()) {
        Some("xlsx") => crate::money::bank::Form::Xlsx,
        Some("csv") => crate::money::bank::Form::Csv,
        _ => return Err(Fault::usage("hq.pay.form").with("file", out.display())),
    };
    let part = out.with_extension("part");
    let mut kept: Result<(), Fault> = Ok(());
    let done = office::act(room, acts, |desk, actor, now| {
        let file = desk.bank_file(payment, form, room.lang.papers(), actor, now)?;
        kept = std::fs::write(&part, &file.bytes).map_err(|error| Fault::file(&part, &error));
        if kept.is_err() {
            return Err(crate::money::refusal::Refusal::by("H-15").with("file", part.display()).into());
        }
        Ok(file)
    });
    kept?;
    let (file, mut desk) = done.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    std::fs::rename(&part, out).map_err(|error| Fault::file(out, &error))?;
    let mut json = object(json!({
        "payment_no": file.batch.no,
        "state": state_name(&file.batch.record),
        "file": out.display().to_string(),
        "sha256": file.sha256,
        "n_payments": file.n,
    }));
    amount(&mut json, "total", Some(file.total));
    let mut missing = Vec::new();
    let facts =
        [("n", file.n.to_string()), ("total", file.total.to_string()), ("file", out.display().to_string())];
    let mut text = say(room.lang, "hq.pay.exported", &facts);
    for staff in &file.missing {
        missing.push(person(&mut desk, Some(*staff))?);
        let who = person_text(&mut desk, Some(*staff))?;
        text.push_str(&format!("\n{}", say(room.lang, "hq.pay.no_account", &[("who", who)])));
    }
    for no in &file.left_out {
        text.push_str(&format!("\n{}", say(room.lang, "hq.pay.gone", &[("no", no.clone())])));
    }
    json.insert("left_out".to_owned(), file.left_out.clone().into());
    json.insert("missing_accounts".to_owned(), missing.into());
    Ok(Answer::new(json.into(), text))
}
