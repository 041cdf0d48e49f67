//! `bundle`: sync by file.

use std::path::Path;

use records::id::DocId;
use serde_json::json;
use sync_protocol::bundle::{BundleError, BundleId, BundleKind};
use sync_protocol::conversation::ReadError;
use sync_protocol::parcel::ParcelError;

use crate::bundle::hand_over;
use crate::bundle::receipt::{self, Receipt};
use crate::bundle::relay::{self, Carried};
use crate::bundle::work::{self, Written};
use crate::bundle::{self, BundleFault};
use crate::cli::args::Bundle;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::status::bytes;
use crate::cli::sync::{notice_names, notices_text, warn};
use crate::clock::Now;
use crate::notebook::hand_over::{HandedOver, handed_over};
use crate::notebook::people::People;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::store::error::StoreError;

/// Runs a command on bundles.
pub(crate) fn run(command: &Bundle, desk: &Desk) -> Result<Page, Fault> {
    match command {
        Bundle::Write { file, records } => write(file, *records, desk),
        Bundle::Read { file } => read(file, desk),
        Bundle::Receipts => receipts(desk),
    }
}

fn write(file: &Path, records: bool, desk: &Desk) -> Result<Page, Fault> {
    let write = if records { work::write_records } else { work::write };
    let written = write(&mut desk.store()?, desk.clock.now(), file).map_err(|error| fault(error, file))?;
    let json = || {
        json!({
            "kind": "work",
            "bundle": name(written.id),
            "file": file.display().to_string(),
            "bytes": written.bytes,
            "ops": written.ops,
            "requests": written.requests,
            "files": written.files,
        })
    };
    Ok(desk.page(json, |desk| written_text(&written, file, desk)))
}

fn written_text(written: &Written, file: &Path, desk: &Desk) -> String {
    let facts = [
        ("ops", written.ops.to_string()),
        ("files", written.files.to_string()),
        ("file", file.display().to_string()),
        ("bytes", bytes(written.bytes)),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    let next = desk.lang.say("text.bundle.written_next", &[]);
    format!("{}\n{next}\n", desk.lang.say("text.bundle.written", &facts))
}

fn read(file: &Path, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let fault = |error| fault(error, file);
    match bundle::header(file).map_err(fault)?.kind {
        BundleKind::Receipt => {
            let receipt = receipt::read(&mut store, desk.clock.now(), file).map_err(fault)?;
            Ok(desk.page(|| receipt_json(&receipt), |desk| receipt_text(&receipt, desk)))
        }
        BundleKind::Work => {
            let kept = relay::keep(&store, file).map_err(fault)?;
            let author = People::read(&store).map_err(NotebookError::from)?.name(kept.author);
            let json = || {
                json!({
                    "kind": "work",
                    "bundle": name(kept.id),
                    "replica": kept.author.0,
                    "author": author,
                    "parcels": kept.parcels,
                })
            };
            let text = |desk: &Desk| desk.lang.say("text.bundle.kept", &[("author", &author)]) + "\n";
            Ok(desk.page(json, text))
        }
        BundleKind::HandOver => {
            let taken = hand_over::read(&mut store, desk.clock.now(), file).map_err(fault)?;
            let author = People::read(&store).map_err(NotebookError::from)?.name(taken.kept.author);
            let json = || {
                json!({
                    "kind": "hand_over",
                    "bundle": name(taken.kept.id),
                    "replica": taken.kept.author.0,
                    "author": author,
                    "received_ops": taken.received_ops,
                    "parcels": taken.kept.parcels,
                })
            };
            let text = |desk: &Desk| desk.lang.say("text.bundle.handed", &[("author", &author)]) + "\n";
            Ok(desk.page(json, text))
        }
    }
}

/// Hands a job over and writes the file with which the colleague goes on. A job that was handed over to him already
/// only gets its file.
///
/// # Errors
/// A [`Fault`] where he has no device, the step is refused, or the file cannot be written.
pub(crate) fn hand_over_file(
    store: &mut Store,
    job: &str,
    colleague: DocId,
    file: &Path,
    now: Now,
) -> Result<(HandedOver, Written), Fault> {
    // Asked first: a job that is handed over to nobody who could read the file would lie there.
    let readers = hand_over::readers(store, colleague).map_err(|error| fault(error, file))?;
    let handed = match handed_over(store, job, colleague)? {
        Some(handed) => handed,
        None => crate::notebook::hand_over::hand_over(store, job, colleague, now)?,
    };
    let docs: Vec<DocId> = [handed.job].into_iter().chain(handed.sheets.iter().copied()).collect();
    let written = hand_over::write(store, now, file, &readers, &docs).map_err(|error| fault(error, file))?;
    Ok((handed, written))
}

/// Lists what is and was carried for others.
fn receipts(desk: &Desk) -> Result<Page, Fault> {
    let store = desk.store()?;
    let people = People::read(&store).map_err(NotebookError::from)?;
    relay::finish(&store, desk.clock.now()).map_err(NotebookError::from)?;
    let carried = relay::carried(&store).map_err(NotebookError::from)?;
    let path = |carried: &Carried| carried.receipt.as_ref().map(|path| path.display().to_string());
    let json = |carried: &Carried| {
        json!({
            "bundle": name(carried.id),
            "replica": carried.author.0,
            "author": people.name(carried.author),
            "waiting": carried.waiting,
            "file": path(carried),
        })
    };
    let line = |carried: &Carried| {
        let waits = || desk.lang.say("text.bundle.waits", &[]);
        format!("{}  {}\n", people.name(carried.author), path(carried).unwrap_or_else(waits))
    };
    Ok(desk.page(
        || carried.iter().map(json).collect(),
        |desk| match carried.as_slice() {
            [] => desk.lang.say("text.bundle.nothing_carried", &[]) + "\n",
            all => all.iter().map(line).collect(),
        },
    ))
}

fn receipt_json(receipt: &Receipt) -> serde_json::Value {
    json!({
        "kind": "receipt",
        "bundle": receipt.bundle.map(name),
        "answers": receipt.answers,
        "past": receipt.past,
        "sent_ops": receipt.sent_ops,
        "received_ops": receipt.received_ops,
        "verdicts": receipt.verdicts,
        "new_quarantine": receipt.new_quarantine,
        "evicted": receipt.evicted,
        "notices": notice_names(&receipt.notices, |_| true),
    })
}

fn receipt_text(receipt: &Receipt, desk: &Desk) -> String {
    let facts = [("sent", receipt.sent_ops.to_string()), ("received", receipt.received_ops.to_string())];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut text = desk.lang.say("text.bundle.receipt", &facts) + "\n";
    if receipt.answers == 0 {
        text.push_str(&warn(desk, "text.bundle.unread", 0));
    }
    if receipt.past > 0 {
        text.push_str(&warn(desk, "text.bundle.past", u64::from(receipt.past)));
    }
    if receipt.new_quarantine > 0 {
        text.push_str(&warn(desk, "text.sync.new_quarantine", receipt.new_quarantine));
    }
    text.push_str(&notices_text(&receipt.notices, desk));
    text
}

fn name(id: BundleId) -> String {
    records::hex::of(&id.0)
}

/// Returns why a bundle was neither written nor read, as a person reads it.
pub(crate) fn fault(error: BundleFault, file: &Path) -> Fault {
    let refused = |key: &str| Fault::new(Exit::Refused, key).with("file", &file.display());
    match error {
        BundleFault::File { path, source } => Fault::file(&path, &source),
        BundleFault::NotForHim => refused("error.bundle.not_for_him"),
        BundleFault::TooOld => refused("error.bundle.too_old"),
        BundleFault::Stranger => refused("error.bundle.stranger"),
        BundleFault::NoDevice => Fault::new(Exit::Refused, "error.bundle.no_device"),
        BundleFault::Bundle(error) => refused(match error {
            BundleError::NotABundle => "error.bundle.none",
            BundleError::Header => "error.bundle.newer",
            BundleError::CutShort => "error.bundle.cut",
            BundleError::Damaged | BundleError::Signature => "error.bundle.damaged",
        }),
        BundleFault::Parcel(error) => refused(match error {
            ParcelError::NotForHim => "error.bundle.not_for_him",
            ParcelError::Version { .. } => "error.bundle.newer",
            ParcelError::Readers | ParcelError::TooLong | ParcelError::Damaged => "error.bundle.damaged",
        }),
        BundleFault::Answer(error) => refused(match error {
            ReadError::Signature => "error.bundle.not_hq",
            ReadError::Body(_)
            | ReadError::TooManyOps
            | ReadError::Frame(_)
            | ReadError::Message(_)
            | ReadError::Order { .. } => "error.bundle.damaged",
        }),
        BundleFault::Store(StoreError::Io { path, source, .. }) if path == file => Fault::file(file, &source),
        BundleFault::Store(error) => NotebookError::from(error).into(),
    }
}
