//! `file`: the files of records, fetching one, and how long they stay.

use std::path::Path;

use records::files::Part;
use records::value::FileHash;
use serde_json::{Value, json};

use crate::blobs::Blobs;
use crate::cli::args::File;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::status::bytes;
use crate::cli::table::{Column, table};
use crate::notebook::attach::{self, Originals};
use crate::notebook::files::{self, KEEP_DAYS_MIN, Listed};
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::sync::{Options, sync};

/// Runs a command on files.
pub(crate) fn run(command: &File, desk: &Desk) -> Result<Page, Fault> {
    match command {
        File::List { waiting } => {
            let mut listed = files::list(&desk.store()?).map_err(broken)?;
            listed.retain(|file| !waiting || (file.bytes.is_some() && !file.at_hq));
            let json = || listed.iter().map(file_json).collect();
            Ok(desk.page(json, |desk| text(&listed, desk)))
        }
        File::Get { hash, out } => get(hash, out, desk),
        File::Keep { days } => keep(days, desk),
        File::Originals { what } => {
            let keep = if what == "keep" { Originals::Keep } else { Originals::Drop };
            let mut store = desk.store()?;
            attach::keep_originals(&mut store, keep).map_err(broken)?;
            let key = format!("text.file.originals_{what}");
            Ok(desk.page(|| json!({"originals": what}), |desk| desk.lang.say(&key, &[]) + "\n"))
        }
    }
}

fn broken(error: StoreError) -> Fault {
    NotebookError::from(error).into()
}

/// Writes a file out, from HQ where it is not here.
fn get(hash: &str, out: &Path, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let unknown = || Fault::new(Exit::Refused, "error.file.unknown").with("hash", &hash);
    let found = files::find(&store, hash).map_err(broken)?.ok_or_else(unknown)?;
    let name = FileHash(found.named.hash.to_vec());
    if !Blobs::of(&store).has(&name) {
        fetch(&mut store, &found, desk)?;
    }
    if !Blobs::of(&store).has(&name) {
        return Err(Fault::new(Exit::Refused, "error.file.absent").with("hash", &hash));
    }
    let mut file = std::fs::File::create(out).map_err(|error| Fault::file(out, &error))?;
    let written = Blobs::of(&store).read_to(&name, &mut file).map_err(broken)?;
    file.sync_all().map_err(|error| Fault::file(out, &error))?;
    let path = out.display().to_string();
    let answer = json!({"hash": records::hex::of(&name.0), "bytes": written, "file": path});
    Ok(desk.page(|| answer, |desk| desk.lang.say("text.file.written", &[("path", &path)]) + "\n"))
}

fn fetch(store: &mut Store, found: &Listed, desk: &Desk) -> Result<(), Fault> {
    let first = store.fetch_first(found.doc, found.named.hash).map_err(broken)?;
    let done = sync(store, &desk.clock, Options::default(), &mut |_| {});
    // Asked for once: what HQ has not is not asked for again and again.
    store.fetch_no_more(&first).and_then(|()| store.checkpoint()).map_err(broken)?;
    done.map(|_| ()).map_err(|error| crate::cli::sync::fault(error, &store.identity().enrolment.address))
}

fn keep(days: &str, desk: &Desk) -> Result<Page, Fault> {
    let wrong = || {
        let fault = Fault::new(Exit::Usage, "error.file.days").with("value", &days);
        fault.with("least", &KEEP_DAYS_MIN)
    };
    let kept = match days {
        "all" => None,
        days => Some(days.parse().ok().filter(|days| *days >= KEEP_DAYS_MIN).ok_or_else(wrong)?),
    };
    let mut store = desk.store()?;
    files::keep(&mut store, kept).map_err(broken)?;
    let freed = files::reclaim(&store, desk.clock.now()).map_err(broken)?;
    let json = || json!({"keep_days": kept, "freed_bytes": freed});
    Ok(desk.page(json, |desk| match kept {
        None => desk.lang.say("text.file.keep_all", &[]) + "\n",
        Some(days) => {
            let facts = [("days", days.to_string()), ("freed", bytes(freed))];
            let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
            desk.lang.say("text.file.keep_days", &facts) + "\n"
        }
    }))
}

fn part(part: Part) -> &'static str {
    match part {
        Part::Thumb => "thumb",
        Part::Whole => "file",
        Part::Original => "original",
    }
}

fn file_json(file: &Listed) -> Value {
    json!({
        "hash": records::hex::of(&file.named.hash),
        "part": part(file.named.part),
        "id": file.doc.to_string(),
        "code": file.doc.code(),
        "kind": file.kind.name,
        "bytes": file.bytes,
        "here": file.bytes.is_some(),
        "at_hq": file.at_hq,
    })
}

fn text(listed: &[Listed], desk: &Desk) -> String {
    if listed.is_empty() {
        return desk.lang.say("text.list.empty", &[]) + "\n";
    }
    let columns = ["column.hash", "column.code", "column.part", "column.size", "column.where"]
        .map(|key| Column::left(desk.lang.say(key, &[])));
    let place = |file: &Listed| match (file.bytes.is_some(), file.at_hq) {
        (true, true) => "text.file.both",
        (true, false) => "text.file.here",
        (false, true) => "text.file.at_hq",
        (false, false) => "text.file.elsewhere",
    };
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|file| {
            let hash = records::hex::of(&file.named.hash);
            vec![
                hash.get(..12).unwrap_or_default().to_owned(),
                file.doc.code(),
                desk.lang.say(&format!("text.file.part_{}", part(file.named.part)), &[]),
                file.bytes.map(bytes).unwrap_or_default(),
                desk.lang.say(place(file), &[]),
            ]
        })
        .collect();
    table(desk.style, &columns, &rows)
}
