//! `import`: the rows of a file as records.

use std::fs::File;
use std::path::Path;

use records::table::mapping::Mapping;
use records::table::mapping_walk::{MappingError, Problem};
use records::table::record::RecordsError;
use records::table::rows::RowsError;
use records::table::source::SourceError;
use serde_json::{Value, json};

use crate::cli::args;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::cli::progress::Progress;
use crate::cli::table::{Column, table};
use crate::notebook::import::{Import, ImportError, Imported, RefusedRow, Why, import};

/// Imports the file; ends with [`Exit::Refused`] where a row was refused.
pub(crate) fn run(args: &args::Import, desk: &Desk) -> Result<Page, Fault> {
    let kind = args.kind.as_deref().map(crate::cli::schema::kind).transpose()?;
    let mapping = args.map.as_deref().map(mapping).transpose()?;
    let file = File::open(&args.file).map_err(|error| Fault::file(&args.file, &error))?;
    let request = Import { kind, mapping };
    let bytes = file.metadata().map_or(0, |file| file.len());
    let mut store = desk.store()?;
    let bar = Progress::of_file("text.progress.import", bytes, desk);
    let done = import(&mut store, bar.read(file), request, desk.clock.now())
        .map_err(|error| fault(error, &args.file))?;
    drop(bar);
    let exit = if done.refused.is_empty() { Exit::Done } else { Exit::Refused };
    Ok(if desk.json {
        Page::Json(answer(&done, desk.lang), exit)
    } else {
        Page::Text(text(&done, desk), exit)
    })
}

fn mapping(path: &Path) -> Result<Mapping, Fault> {
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
    Mapping::parse(&text).map_err(|error| mapping_fault(&error, path))
}

fn mapping_fault(error: &MappingError, path: &Path) -> Fault {
    let (key, what) = match &error.problem {
        Problem::Syntax(error) => ("error.map.syntax", error.message().to_owned()),
        Problem::UnknownKey => ("error.map.unknown_key", String::new()),
        Problem::Expected(what) => ("error.map.expected", (*what).to_owned()),
        Problem::NoKind => ("error.map.no_kind", String::new()),
        Problem::UnknownKind => ("error.map.unknown_kind", String::new()),
        Problem::UnknownField(kind) => ("error.map.unknown_field", (*kind).to_owned()),
        Problem::UnknownList(kind) => ("error.map.unknown_list", (*kind).to_owned()),
        Problem::UnknownStep(kind) => ("error.map.unknown_step", (*kind).to_owned()),
        Problem::Value(error) => ("error.map.value", error.to_string()),
    };
    Fault::new(Exit::Usage, key)
        .with("file", &path.display())
        .with("line", &error.line)
        .with("key", &error.key)
        .with("what", &what)
}

fn fault(error: ImportError, path: &Path) -> Fault {
    let usage = |key: &str| Fault::new(Exit::Usage, key).with("file", &path.display());
    match error {
        ImportError::Notebook(error) => error.into(),
        ImportError::Rows(error) => match error {
            RowsError::Records(RecordsError::Source(SourceError::Io(error))) => Fault::file(path, &error),
            RowsError::Records(RecordsError::Source(SourceError::Empty)) => usage("error.import.empty"),
            RowsError::Records(RecordsError::Source(SourceError::NotText)) => usage("error.import.not_text"),
            RowsError::Records(RecordsError::NoHeader) => usage("error.import.no_header"),
            RowsError::Records(RecordsError::OneDocument) => usage("error.import.one_document"),
            RowsError::Records(RecordsError::SameName(name)) => {
                usage("error.import.same_name").with("column", &name)
            }
            RowsError::NoColumn { columns } => {
                usage("error.import.no_column").with("columns", &columns.join(", "))
            }
            RowsError::NothingKnown { kind } => usage("error.import.nothing_known").with("kind", &kind),
            RowsError::OtherKind { kind } => usage("error.import.other_kind").with("kind", &kind),
            RowsError::NoKind => usage("error.import.no_kind"),
        },
    }
}

fn answer(done: &Imported, lang: Lang) -> Value {
    let refused: Vec<Value> = done
        .refused
        .iter()
        .map(|row| {
            json!({
                "line": row.line,
                "rule": rule(row),
                "field": row.field,
                "value": row.value,
                "reason": reason(row, lang),
            })
        })
        .collect();
    json!({"read": done.read, "added": done.added, "already": done.already, "refused": refused})
}

fn rule(row: &RefusedRow) -> &'static str {
    match &row.why {
        Why::Table(problem) => problem.rule,
        Why::Writing(refusal) => refusal.rule,
    }
}

fn reason(row: &RefusedRow, lang: Lang) -> String {
    match &row.why {
        Why::Table(problem) => problem.text(lang.of_labels()),
        Why::Writing(refusal) => {
            Fault::from(crate::notebook::refusal::NotebookError::from(refusal.clone())).sentence(lang)
        }
    }
}

fn text(done: &Imported, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let refused = done.refused.len().to_string();
    let numbers = [
        ("read", done.read.to_string()),
        ("added", done.added.to_string()),
        ("already", done.already.to_string()),
        ("refused", refused),
        ("left_out", done.left_out.to_string()),
        ("repeated", done.repeated.to_string()),
    ];
    let facts = numbers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut text = desk.lang.say("text.import.done", &facts) + "\n";
    if done.left_out > 0 {
        text.push_str(&(desk.lang.say("text.import.left_out", &facts) + "\n"));
    }
    if done.repeated > 0 {
        text.push_str(&(desk.lang.say("text.import.repeated", &facts) + "\n"));
    }
    let columns = [
        Column::right(say("column.line")),
        Column::left(say("column.rule")),
        Column::left(say("column.field")),
        Column::left(say("column.value")),
        Column::left(say("column.reason")),
    ];
    let rows: Vec<Vec<String>> = done
        .refused
        .iter()
        .map(|row| {
            vec![
                row.line.to_string(),
                rule(row).to_owned(),
                row.field.clone(),
                row.value.split_whitespace().collect::<Vec<_>>().join(" "),
                reason(row, desk.lang),
            ]
        })
        .collect();
    text.push_str(&table(desk.style, &columns, &rows));
    text
}
