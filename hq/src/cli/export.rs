//! `export`: all records of a kind as a table.

use std::path::PathBuf;

use records::kinds;
use records::table::export::{Export, Form, Words};
use records::time::Zone;
use records::value::text;
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, DAMAGED, Fault};
use crate::cli::progress::Progress;
use crate::lists;

/// What `export` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which records
    #[arg(long)]
    kind: String,
    /// The form of the file
    #[arg(long, value_parser = ["csv", "jsonl", "xlsx"], default_value = "csv")]
    format: String,
    /// Where to; standard output without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Identifiers instead of labels, as on standard output
    #[arg(long)]
    names: bool,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let kind = kinds::by_name(&args.kind).ok_or_else(|| unknown(&args.kind))?;
    let form = match args.format.as_str() {
        "csv" => Form::Csv { mark: args.out.is_some() && !args.names },
        "xlsx" => Form::Xlsx,
        _ => Form::JsonLines,
    };
    let words = match room.lang.words() {
        _ if args.names || args.out.is_none() => Words::Names,
        text::Lang::Zh | text::Lang::ZhTw => Words::Zh,
        text::Lang::En => Words::En,
    };
    if args.out.is_none() && room.json {
        return Err(Fault::usage("error.export.json_needs_out"));
    }
    let mut desk = room.open()?;
    let bar = Progress::waiting("text.progress.export", room);
    let people = desk.people()?;
    let bad = |error: &dyn std::fmt::Display| Fault::new(DAMAGED, "hq.export").with("reason", error);
    let mut table = Export::begin(Vec::new(), kind, form, words, Zone::SHANGHAI).map_err(|e| bad(&e))?;
    let mut records = 0_u64;
    desk.store.each_document::<Fault>(Some(kind.number), |_, indexed| {
        let author = lists::author(&desk.store, &people, &indexed.document)?;
        lists::write(&mut table, kind, &indexed.document, &author).map_err(|error| bad(&error))?;
        records += 1;
        Ok(())
    })?;
    let bytes = table.end().map_err(|error| bad(&error))?;
    drop(bar);
    let Some(file) = &args.out else {
        use std::io::Write;
        // A reader that has gone away wants no more of it.
        let _ = std::io::stdout().write_all(&bytes).and_then(|()| std::io::stdout().flush());
        return Ok(Answer::printed());
    };
    std::fs::write(file, &bytes).map_err(|error| Fault::file(file, &error))?;
    let file = file.display().to_string();
    let facts = [("n".to_owned(), records.to_string()), ("file".to_owned(), file.clone())];
    Ok(Answer::new(json!({"file": file, "records": records}), room.lang.say("text.exported", &facts)))
}

fn unknown(kind: &str) -> Fault {
    let names: Vec<&str> = kinds::KINDS.iter().map(|kind| kind.name).collect();
    Fault::usage("error.unknown_kind").with("kind", kind).with("kinds", names.join(", "))
}
