//! automerge: one document, a map of sheets, a change a sheet; its own sync messages over a plain socket.

use std::path::Path;
use std::time::Duration;

use automerge::sync::{Message, State, SyncDoc as _};
use automerge::transaction::Transactable as _;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc as _, ScalarValue};
use driver::{Done, Journal, Line, Peer};
use serde_json::Value;

struct Automerge;

fn main() -> Done<()> {
    driver::main::<Automerge>()
}

impl Peer for Automerge {
    fn join(_folder: &Path, _url: &str) -> Done<()> {
        Ok(())
    }

    fn save(folder: &Path, rows: &[Value]) -> Done<Vec<Duration>> {
        let (mut doc, journal) = (load(folder)?, Journal::of(folder));
        // What is loaded stands in the journal already.
        doc.save_incremental();
        let mut times = Vec::new();
        for row in rows {
            times.push(driver::timed(|| {
                put(&mut doc, &ROOT, driver::text(row, "id"), row)?;
                doc.commit();
                journal.append(&doc.save_incremental())
            })?);
        }
        journal.replace(&doc.save())?;
        Ok(times)
    }

    fn sync(folder: &Path, url: &str) -> Done<Option<u64>> {
        let mut doc = load(folder)?;
        let mut known = known(folder, "server");
        let (mut line, mut turns) = (Line::to(url)?, 0);
        // The server keeps what it knows of each device, as this device does of the server.
        line.send(folder.file_name().ok_or("a folder has a name")?.as_encoded_bytes())?;
        loop {
            let mine = words(&mut doc, &mut known);
            line.send(&mine)?;
            let theirs = line.hear()?.ok_or("the server has hung up")?;
            turns += 1;
            if theirs.is_empty() && mine.is_empty() {
                break;
            }
            heed(&mut doc, &mut known, &theirs)?;
        }
        std::fs::write(folder.join("server"), known.encode())?;
        Journal::of(folder).replace(&doc.save())?;
        Ok(Some(turns))
    }

    fn count(folder: &Path) -> Done<usize> {
        Ok(load(folder)?.length(ROOT))
    }

    fn serve(folder: &Path) -> Done<()> {
        let mut doc = load(folder)?;
        driver::serve_lines(|mut line| {
            let Some(name) = line.hear()? else { return Ok(()) };
            let name = String::from_utf8(name)?;
            let mut known = known(folder, &name);
            while let Some(theirs) = line.hear()? {
                let before = doc.get_heads();
                heed(&mut doc, &mut known, &theirs)?;
                if doc.get_heads() != before {
                    Journal::of(folder).append(&doc.save_after(&before))?;
                }
                let mine = words(&mut doc, &mut known);
                if theirs.is_empty() && mine.is_empty() {
                    std::fs::write(folder.join(&name), known.encode())?;
                }
                line.send(&mine)?;
            }
            Ok(())
        })
    }
}

fn load(folder: &Path) -> Done<AutoCommit> {
    Ok(AutoCommit::load(&Journal::of(folder).read()?.concat())?)
}

/// Returns what was kept of the other side; nothing where they never met.
fn known(folder: &Path, name: &str) -> State {
    std::fs::read(folder.join(name)).ok().and_then(|bytes| State::decode(&bytes).ok()).unwrap_or_default()
}

fn words(doc: &mut AutoCommit, known: &mut State) -> Vec<u8> {
    doc.sync().generate_sync_message(known).map(Message::encode).unwrap_or_default()
}

fn heed(doc: &mut AutoCommit, known: &mut State, theirs: &[u8]) -> Done<()> {
    if !theirs.is_empty() {
        doc.sync().receive_sync_message(known, Message::decode(theirs)?)?;
    }
    Ok(())
}

/// Writes a JSON value as automerge's own lists and maps.
fn put(doc: &mut AutoCommit, at: &ObjId, key: &str, value: &Value) -> Done<()> {
    match value {
        Value::Object(fields) => {
            let map = doc.put_object(at, key, ObjType::Map)?;
            fields.iter().try_for_each(|(key, value)| put(doc, &map, key, value))
        }
        Value::Array(items) => {
            let list = doc.put_object(at, key, ObjType::List)?;
            items.iter().enumerate().try_for_each(|(n, item)| insert(doc, &list, n, item))
        }
        plain => Ok(doc.put(at, key, scalar(plain))?),
    }
}

fn insert(doc: &mut AutoCommit, list: &ObjId, at: usize, item: &Value) -> Done<()> {
    match item {
        Value::Object(fields) => {
            let map = doc.insert_object(list, at, ObjType::Map)?;
            fields.iter().try_for_each(|(key, value)| put(doc, &map, key, value))
        }
        Value::Array(items) => {
            let inner = doc.insert_object(list, at, ObjType::List)?;
            items.iter().enumerate().try_for_each(|(n, item)| insert(doc, &inner, n, item))
        }
        plain => Ok(doc.insert(list, at, scalar(plain))?),
    }
}

fn scalar(value: &Value) -> ScalarValue {
    match (value.as_bool(), value.as_i64(), value.as_f64(), value.as_str()) {
        (Some(truth), _, _, _) => ScalarValue::Boolean(truth),
        (_, Some(whole), _, _) => ScalarValue::Int(whole),
        (_, _, Some(number), _) => ScalarValue::F64(number),
        (_, _, _, Some(text)) => ScalarValue::Str(text.into()),
        _ => ScalarValue::Null,
    }
}
