//! `file`: attachments that headquarters holds, lacks, or asks a device for.

use std::path::{Path, PathBuf};

use records::files::{Named, Part};
use records::id::{DocId, Replica};
use serde_json::{Value, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang, REFUSED};
use crate::cli::table::table;
use crate::intake::desk::Desk;

/// What can be done with files.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists the files that records name
    List {
        /// Only those that are not here
        #[arg(long)]
        missing: bool,
    },
    /// Writes a file out
    Get {
        /// Its SHA-256, or the beginning of it
        hash: String,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Asks the devices that wrote the record for a file
    Ask {
        /// Its SHA-256, or the beginning of it
        hash: String,
    },
}

/// A file that a record names.
struct Found {
    doc: DocId,
    kind: u16,
    named: Named,
    writers: Vec<Replica>,
}

pub(super) fn run(command: Command, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    match command {
        Command::List { missing } => list(&desk, missing, room.lang),
        Command::Get { hash, out } => get(&desk, &hash, &out, room.lang),
        Command::Ask { hash } => ask(&mut desk, &hash, room.lang),
    }
}

/// Returns the files that records name, by record.
fn all(desk: &Desk) -> Result<Vec<Found>, Fault> {
    let mut found = Vec::new();
    desk.store.each_document::<Fault>(None, |_, indexed| {
        let document = &indexed.document;
        let mut writers: Vec<Replica> = document.ops.iter().map(|op| op.replica).collect();
        writers.sort_unstable();
        writers.dedup();
        for named in crate::reading::files(document) {
            found.push(Found { doc: document.id, kind: document.kind, named, writers: writers.clone() });
        }
        Ok(())
    })?;
    Ok(found)
}

fn list(desk: &Desk, missing: bool, lang: Lang) -> Result<Answer, Fault> {
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for found in all(desk)? {
        let bytes = desk.files.length(&found.named.hash);
        if missing && bytes.is_some() {
            continue;
        }
        let hash = records::hex::of(&found.named.hash);
        let word = if bytes.is_some() { "hq.file.here" } else { "hq.file.missing" };
        lines.push(vec![
            hash.get(..12).unwrap_or_default().to_owned(),
            found.doc.code(),
            part(found.named.part).to_owned(),
            bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
            lang.say(word, &[]),
        ]);
        rows.push(json!({
            "hash": hash,
            "part": part(found.named.part),
            "id": found.doc.to_string(),
            "code": found.doc.code(),
            "kind": records::kinds::by_number(found.kind).map(|kind| kind.name),
            "bytes": bytes,
            "here": bytes.is_some(),
        }));
    }
    let titles = ["hash", "code", "part", "bytes", "where"]
        .map(|column| lang.say(&format!("hq.column.{column}"), &[]));
    let text = if lines.is_empty() { lang.say("hq.file.none", &[]) } else { table(&titles, lines) };
    Ok(Answer::new(Value::Array(rows), text))
}

fn part(part: Part) -> &'static str {
    match part {
        Part::Thumb => "thumb",
        Part::Whole => "file",
        Part::Original => "original",
    }
}

/// Returns the files whose name begins so: one file, with each record that names it.
fn find(desk: &Desk, beginning: &str) -> Result<Vec<Found>, Fault> {
    let beginning = beginning.trim().to_ascii_lowercase();
    let mut found = all(desk)?;
    found
        .retain(|found| !beginning.is_empty() && records::hex::of(&found.named.hash).starts_with(&beginning));
    let one = found.first().map(|found| found.named.hash);
    if one.is_none() || found.iter().any(|found| Some(found.named.hash) != one) {
        return Err(Fault::new(REFUSED, "hq.file.unknown").with("hash", beginning));
    }
    Ok(found)
}

fn get(desk: &Desk, hash: &str, out: &Path, lang: Lang) -> Result<Answer, Fault> {
    let found = find(desk, hash)?;
    let Some(named) = found.first().map(|found| found.named.hash) else {
        return Err(Fault::new(REFUSED, "hq.file.unknown").with("hash", hash));
    };
    let absent = || Fault::new(REFUSED, "hq.file.absent").with("hash", hash);
    let failed = |error: &std::io::Error| Fault::file(out, error);
    let mut from = desk.files.open(&named).map_err(|_| absent())?;
    let mut to = std::fs::File::create(out).map_err(|error| failed(&error))?;
    let bytes = std::io::copy(&mut from, &mut to).map_err(|error| failed(&error))?;
    to.sync_all().map_err(|error| failed(&error))?;
    let path = out.display().to_string();
    let text = lang.say("hq.file.written", &[("path".to_owned(), path.clone())]);
    Ok(Answer::new(json!({"hash": records::hex::of(&named), "bytes": bytes, "file": path}), text))
}

fn ask(desk: &mut Desk, hash: &str, lang: Lang) -> Result<Answer, Fault> {
    let found = find(desk, hash)?;
    let Some(named) = found.first().map(|found| found.named.hash) else {
        return Err(Fault::new(REFUSED, "hq.file.unknown").with("hash", hash));
    };
    let here = desk.files.length(&named).is_some();
    let mut asked: Vec<Replica> = found.into_iter().flat_map(|found| found.writers).collect();
    asked.retain(|replica| !here && *replica != Replica::HQ);
    asked.sort_unstable();
    asked.dedup();
    desk.transact(|desk| {
        for replica in &asked {
            if let Some(branch) = desk.home(*replica)? {
                desk.store.file_ask(branch, *replica, &named)?;
            }
        }
        Ok::<_, Fault>(())
    })?;
    let facts = [("n".to_owned(), asked.len().to_string())];
    let text = lang.say(if here { "hq.file.is_here" } else { "hq.file.asked" }, &facts);
    let replicas: Vec<u32> = asked.iter().map(|replica| replica.0).collect();
    Ok(Answer::new(json!({"hash": records::hex::of(&named), "here": here, "asked": replicas}), text))
}
