//! loro: one document, a map of sheets, a commit a sheet; version vectors and updates over a plain socket.

use std::path::Path;
use std::time::Duration;

use driver::{Done, Journal, Line, Peer};
use loro::{ExportMode, LoroDoc, LoroMap, LoroValue, VersionVector};
use serde_json::Value;

struct Loro;

fn main() -> Done<()> {
    driver::main::<Loro>()
}

impl Peer for Loro {
    fn join(_folder: &Path, _url: &str) -> Done<()> {
        Ok(())
    }

    fn save(folder: &Path, rows: &[Value]) -> Done<Vec<Duration>> {
        let (doc, journal) = (load(folder)?, Journal::of(folder));
        let sheets = doc.get_map("sheets");
        let mut times = Vec::new();
        for row in rows {
            times.push(driver::timed(|| {
                let before = doc.oplog_vv();
                let sheet = sheets.insert_container(driver::text(row, "id"), LoroMap::new())?;
                for (name, value) in row.as_object().into_iter().flatten() {
                    sheet.insert(name, LoroValue::from(value.clone()))?;
                }
                doc.commit();
                journal.append(&doc.export(ExportMode::updates(&before))?)
            })?);
        }
        journal.replace(&doc.export(ExportMode::Snapshot)?)?;
        Ok(times)
    }

    fn sync(folder: &Path, url: &str) -> Done<Option<u64>> {
        let doc = load(folder)?;
        let mut line = Line::to(url)?;
        // What the server had when they last met is sent nothing of.
        let mut theirs = known(folder);
        let mut turns = 0;
        loop {
            line.send(&doc.oplog_vv().encode())?;
            line.send(&lacking(&doc, &theirs)?)?;
            theirs = VersionVector::decode(&line.hear()?.ok_or("the server has hung up")?)?;
            heed(&doc, &line.hear()?.ok_or("the server has hung up")?)?;
            turns += 1;
            if theirs == doc.oplog_vv() {
                break;
            }
        }
        std::fs::write(folder.join("server"), theirs.encode())?;
        Journal::of(folder).replace(&doc.export(ExportMode::Snapshot)?)?;
        Ok(Some(turns))
    }

    fn count(folder: &Path) -> Done<usize> {
        Ok(load(folder)?.get_map("sheets").len())
    }

    fn serve(folder: &Path) -> Done<()> {
        let doc = load(folder)?;
        driver::serve_lines(|mut line| {
            while let Some(theirs) = line.hear()? {
                let theirs = VersionVector::decode(&theirs)?;
                let updates = line.hear()?.ok_or("the device has hung up")?;
                if !updates.is_empty() {
                    heed(&doc, &updates)?;
                    Journal::of(folder).append(&updates)?;
                }
                line.send(&doc.oplog_vv().encode())?;
                line.send(&lacking(&doc, &theirs)?)?;
            }
            Ok(())
        })
    }
}

fn load(folder: &Path) -> Done<LoroDoc> {
    let doc = LoroDoc::new();
    for part in Journal::of(folder).read()? {
        doc.import(&part)?;
    }
    Ok(doc)
}

/// Returns what the server had when they last met.
fn known(folder: &Path) -> VersionVector {
    let kept = std::fs::read(folder.join("server")).ok();
    kept.and_then(|bytes| VersionVector::decode(&bytes).ok()).unwrap_or_default()
}

/// Returns the updates that somebody lacks; nothing where he lacks none.
fn lacking(doc: &LoroDoc, theirs: &VersionVector) -> Done<Vec<u8>> {
    if doc.oplog_vv().includes_vv(theirs) && theirs.includes_vv(&doc.oplog_vv()) {
        return Ok(Vec::new());
    }
    Ok(doc.export(ExportMode::updates(theirs))?)
}

fn heed(doc: &LoroDoc, updates: &[u8]) -> Done<()> {
    if !updates.is_empty() {
        doc.import(updates)?;
    }
    Ok(())
}
