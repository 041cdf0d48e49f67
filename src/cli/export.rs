//! `export`: records of one kind as CSV, JSON lines or a workbook.

use std::io::Write;
use std::path::Path;

use records::table::export::{ExportError, Form, Words};
use serde_json::json;

use crate::cli::Streams;
use crate::cli::args;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::progress::Progress;
use crate::cli::sheet::filter;
use crate::notebook::export::{TableError, export};
use crate::notebook::refusal::NotebookError;

/// Writes a table to a file, or to standard output.
pub(crate) fn run(args: &args::Export, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    let kind = crate::cli::schema::kind(&args.kind)?;
    let store = desk.store()?;
    let filter = filter(vec![kind], &args.listed, store.identity().enrolment.zone)?;
    // The mark tells a spreadsheet which encoding a file is in; a script reads standard output and needs none.
    let form = match args.format.as_str() {
        "jsonl" => Form::JsonLines,
        "xlsx" => Form::Xlsx,
        _ => Form::Csv { mark: args.out.is_some() && !args.names },
    };
    let words = match desk.lang.of_labels() {
        _ if args.names || args.out.is_none() => Words::Names,
        records::value::text::Lang::Zh | records::value::text::Lang::ZhTw => Words::Zh,
        records::value::text::Lang::En => Words::En,
    };
    let Some(path) = &args.out else {
        if desk.json {
            return Err(Fault::new(Exit::Usage, "error.export.json_needs_out"));
        }
        return match export(&store, kind, &filter, form, words, &mut *streams.out) {
            Ok(_) => Ok(Page::Printed(Exit::Done)),
            // `fieldbook export | head` closes the pipe: the reader has what it wanted.
            Err(TableError::Export(ExportError::Io(error)))
                if error.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                Ok(Page::Printed(Exit::Done))
            }
            Err(error) => Err(fault(error, Path::new("-"))),
        };
    };
    let file = std::fs::File::create(path).map_err(|error| Fault::file(path, &error))?;
    let out = std::io::BufWriter::new(file);
    let bar = Progress::waiting("text.progress.export", desk);
    let (n, mut out) = export(&store, kind, &filter, form, words, out).map_err(|error| fault(error, path))?;
    out.flush().map_err(|error| Fault::file(path, &error))?;
    drop(bar);
    let name = path.display().to_string();
    let facts = [("n", n.to_string()), ("file", name.clone())];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    Ok(desk
        .page(|| json!({"file": name, "records": n}), |desk| desk.lang.say("text.exported", &facts) + "\n"))
}

fn fault(error: TableError, path: &Path) -> Fault {
    match error {
        TableError::Store(error) => NotebookError::from(error).into(),
        TableError::Export(ExportError::Io(error)) => Fault::file(path, &error),
        TableError::Export(ExportError::Xlsx(error)) => {
            Fault::new(Exit::Refused, "error.file").with("file", &path.display()).with("reason", &error)
        }
    }
}
