//! `KIND import`: master data and jobs out of a file.

use std::path::{Path, PathBuf};

use records::schema::Kind;
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, REFUSED, of_system};
use crate::cli::progress::Progress;
use crate::import::ImportError;

/// What can be done with master data.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Takes in a CSV or JSON lines file; a row that is known already changes its record, or nothing
    Import {
        /// The file
        file: PathBuf,
    },
}

pub(super) fn run(kind: &'static Kind, command: &Command, room: &Room) -> Result<Answer, Fault> {
    let Command::Import { file } = command;
    let open = std::fs::File::open(file).map_err(|error| Fault::file(file, &error))?;
    let mut desk = room.open()?;
    let now = room.clock.now_ms();
    let bar = Progress::waiting("text.progress.import", room);
    let done = desk.transact(|desk| {
        let done = desk.import(open, kind, now).map_err(|error| fault(error, file))?;
        let about = format!("{}: {} added, {} changed", kind.name, done.added, done.changed);
        desk.store.audit(0, now, "import", &about)?;
        Ok::<_, Fault>(done)
    })?;
    drop(bar);
    let words = room.lang.words();
    let refused: Vec<_> = done
        .refused
        .iter()
        .map(|refusal| {
            json!({
                "line": refusal.line,
                "rule": refusal.reason.rule(),
                "field": refusal.field,
                "value": refusal.value,
                "reason": refusal.problem().text(words),
            })
        })
        .collect();
    let facts = [
        ("read".to_owned(), done.read.to_string()),
        ("added".to_owned(), done.added.to_string()),
        ("changed".to_owned(), done.changed.to_string()),
        ("already".to_owned(), done.already.to_string()),
        ("refused".to_owned(), done.refused.len().to_string()),
    ];
    let mut text = room.lang.say("hq.import.done", &facts);
    for refusal in &done.refused {
        let facts = [
            ("line".to_owned(), refusal.line.to_string()),
            ("field".to_owned(), refusal.field.to_string()),
            ("value".to_owned(), refusal.value.to_string()),
            ("rule".to_owned(), refusal.reason.rule().to_string()),
            ("reason".to_owned(), refusal.problem().text(words)),
        ];
        text.push_str(&format!("\n{}", room.lang.say("hq.import.refused", &facts)));
    }
    let json = json!({
        "read": done.read,
        "added": done.added,
        "changed": done.changed,
        "already": done.already,
        "refused": refused,
    });
    Ok(Answer { json, text, code: if done.refused.is_empty() { 0 } else { REFUSED } })
}

/// A file that stops being read is told by its name.
fn fault(error: ImportError, file: &Path) -> Fault {
    match &error {
        ImportError::Rows(rows) if let Some(said) = of_system(rows) => Fault::file(file, said),
        _ => error.into(),
    }
}
