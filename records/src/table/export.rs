//! Records as a table for others: CSV that a spreadsheet opens without harm, JSON lines, or a workbook.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use crate::machine::Index;
use crate::schema::{Class, Field, Group, Kind, Tag};
use crate::table::cell;
use crate::table::plain::list_column;
use crate::table::rows::Values;
use crate::table::xlsx::Workbook;
use crate::time::{Ts, Zone};
use crate::value::{Type, Value, json};

/// The file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV in UTF-8; the byte order mark tells spreadsheets so.
    Csv {
        /// Whether to write the byte order mark.
        mark: bool,
    },
    /// One JSON object a line.
    JsonLines,
    /// A workbook: one sheet for the records, one for each list that has entries.
    Xlsx,
}

/// In which words columns, choices and states are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Identifiers: what an import reads back.
    Names,
    /// Labels in zh-CN; an import reads these back too.
    Zh,
    /// Labels in English; an import reads these back too.
    En,
}

/// One record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The id's text.
    pub id: &'a str,
    /// The short code.
    pub code: &'a str,
    /// The state by its place in the kind's machine; `None` for master data.
    pub state: Option<Index>,
    /// Who made it.
    pub author: &'a str,
    /// When it was made.
    pub created: Ts,
    /// The groups as the record has them now; lists with all entries.
    pub groups: &'a [(Tag, Vec<Values>)],
}

/// What every table begins with; one that is called like a field of the kind is left to the field.
const HEAD: [(&str, &str, &str); 5] = [
    ("id", "标识", "Id"),
    ("code", "短码", "Short code"),
    ("state", "状态", "State"),
    ("author", "作者", "Author"),
    ("created", "创建时间", "Created"),
];

/// What was written of a table so far cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Writing failed.
    #[error("the table cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The workbook has no room for it.
    #[error("the workbook cannot be written: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

impl From<csv::Error> for ExportError {
    fn from(error: csv::Error) -> Self {
        // The system's own error keeps its kind: whoever writes to a pipe asks whether it was closed.
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::Io(error),
            other => Self::Io(io::Error::other(format!("{other:?}"))),
        }
    }
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Head(usize),
    Field(&'static Group, usize, &'static Field),
    List(&'static Group),
}

/// The columns of a kind, in the order in which every form writes them.
pub(crate) struct Layout {
    pub(crate) kind: &'static Kind,
    pub(crate) words: Words,
    pub(crate) zone: Zone,
    pub(crate) columns: Vec<Column>,
}

impl Layout {
    fn new(kind: &'static Kind, words: Words, zone: Zone) -> Self {
        let own = |name: &str| kind.field(name).is_none() && (name != "state" || kind.machine.is_some());
        let head = HEAD.iter().enumerate().filter(|(_, (name, ..))| own(name)).map(|(i, _)| Column::Head(i));
        let mut columns: Vec<Column> = head.collect();
        for group in kind.groups.iter().copied() {
            match group.class {
                Class::Once | Class::Last | Class::Contested => {
                    columns.extend(
                        group.fields.iter().enumerate().map(|(i, field)| Column::Field(group, i, field)),
                    );
                }
                Class::Ledger | Class::Set => columns.push(Column::List(group)),
                Class::Decision => {}
            }
        }
        Self { kind, words, zone, columns }
    }

    /// Returns the column's heading: where two columns would be called alike, the identifier.
    pub(crate) fn heading(&self, column: Column) -> String {
        let label = self.label(column);
        let alike = self.columns.iter().filter(|other| self.label(**other) == label).count();
        match column {
            Column::Field(_, _, field) if alike > 1 => field.name.to_owned(),
            Column::Head(_) | Column::Field(..) | Column::List(_) => label,
        }
    }

    fn label(&self, column: Column) -> String {
        match column {
            Column::Head(i) => HEAD.get(i).map_or("", |(name, zh, en)| self.word(name, zh, en)).to_owned(),
            Column::Field(_, _, field) => self.word(field.name, field.zh, field.en).to_owned(),
            // Lists keep the identifier: a label may be that of a field too.
            Column::List(group) => list_column(group),
        }
    }

    pub(crate) fn word<'w>(&self, name: &'w str, zh: &'w str, en: &'w str) -> &'w str {
        match self.words {
            Words::Names => name,
            Words::Zh => zh,
            Words::En => en,
        }
    }

    /// Returns the text of one of the first columns.
    pub(crate) fn head(&self, i: usize, line: &Line) -> String {
        match HEAD.get(i).map_or("", |(name, ..)| name) {
            "id" => line.id.to_owned(),
            "code" => line.code.to_owned(),
            "author" => line.author.to_owned(),
            "created" => line.created.rfc3339(self.zone),
            _ => self.state(line.state).unwrap_or_default(),
        }
    }

    fn state(&self, state: Option<Index>) -> Option<String> {
        let state = self.kind.machine?.states.get(usize::from(state?))?;
        Some(self.word(state.name, state.zh, state.en).to_owned())
    }

    /// Returns a value as text: the plain form, choices in the words asked for.
    pub(crate) fn text(&self, ty: Type, value: &Value) -> String {
        match (ty, value) {
            (Type::Choice(list), Value::Choice(index)) => match list.options.get(usize::from(*index)) {
                Some((name, zh, en)) => self.word(name, zh, en).to_owned(),
                None => value.text(ty, self.zone),
            },
            (Type::Bool, Value::Bool(true)) => self.word("yes", "是", "Yes").to_owned(),
            (Type::Bool, Value::Bool(false)) => self.word("no", "否", "No").to_owned(),
            _ => value.text(ty, self.zone),
        }
    }

    fn entries(&self, group: &Group, rows: &[Values]) -> Json {
        rows.iter().map(|row| json::object(group.fields, row, self.zone)).collect()
    }
}

/// Returns the rows that a record has of a group.
pub(crate) fn rows_of<'l>(line: &'l Line, group: &Group) -> &'l [Values] {
    line.groups.iter().find(|(tag, _)| *tag == group.tag()).map_or(&[], |(_, rows)| rows.as_slice())
}

/// Returns the single value in a column.
pub(crate) fn value_of<'l>(line: &'l Line, group: &Group, index: usize) -> Option<&'l Value> {
    rows_of(line, group).first()?.get(index)?.as_ref()
}

/// A table that is being written, row by row.
pub struct Export<W: Write> {
    layout: Layout,
    sink: Sink<W>,
}

enum Sink<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Lines(W),
    Xlsx(Box<Workbook>, W),
}

impl<W: Write> Export<W> {
    /// Begins a table of records of one kind; writes the header.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn begin(
        mut out: W,
        kind: &'static Kind,
        form: Form,
        words: Words,
        zone: Zone,
    ) -> Result<Self, ExportError> {
        let layout = Layout::new(kind, words, zone);
        let sink = match form {
            Form::Csv { mark } => {
                if mark {
                    out.write_all("\u{feff}".as_bytes())?;
                }
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(layout.columns.iter().map(|column| layout.heading(*column)))?;
                Sink::Csv(Box::new(csv))
            }
            Form::JsonLines => Sink::Lines(out),
            Form::Xlsx => Sink::Xlsx(Box::new(Workbook::begin(&layout)?), out),
        };
        Ok(Self { layout, sink })
    }

    /// Writes one record.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn line(&mut self, line: &Line) -> Result<(), ExportError> {
        let layout = &self.layout;
        match &mut self.sink {
            Sink::Csv(csv) => {
                let cells = layout.columns.iter().map(|column| harmless(csv_cell(layout, *column, line)));
                csv.write_record(cells)?;
            }
            Sink::Lines(out) => {
                serde_json::to_writer(&mut *out, &object(layout, line)).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Sink::Xlsx(book, _) => book.line(layout, line)?,
        }
        Ok(())
    }

    /// Ends the table and gives back what it was written to, flushed.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn end(self) -> Result<W, ExportError> {
        let mut out = match self.sink {
            Sink::Csv(csv) => csv.into_inner().map_err(csv::IntoInnerError::into_error)?,
            Sink::Lines(out) => out,
            Sink::Xlsx(mut book, mut out) => {
                out.write_all(&book.end()?)?;
                out
            }
        };
        out.flush()?;
        Ok(out)
    }
}

fn csv_cell(layout: &Layout, column: Column, line: &Line) -> String {
    match column {
        Column::Head(i) => layout.head(i, line),
        Column::Field(group, index, field) => {
            value_of(line, group, index).map_or_else(String::new, |value| layout.text(field.ty, value))
        }
        Column::List(group) => match rows_of(line, group) {
            [] => String::new(),
            rows => layout.entries(group, rows).to_string(),
        },
    }
}

/// Puts a quote before what a spreadsheet would calculate: a customer's name must not call a program.
fn harmless(text: String) -> String {
    if cell::formula(&text) { format!("{}{text}", cell::QUOTE) } else { text }
}

fn object(layout: &Layout, line: &Line) -> Json {
    let mut object = Map::new();
    for column in &layout.columns {
        match *column {
            Column::Head(i) => {
                object.insert(
                    HEAD.get(i).map_or("", |(name, ..)| name).to_owned(),
                    layout.head(i, line).into(),
                );
            }
            Column::Field(group, index, field) => {
                if let Some(value) = value_of(line, group, index) {
                    object.extend(json::pairs(field, Some(value), layout.zone));
                }
            }
            Column::List(group) => {
                let rows = rows_of(line, group);
                if !rows.is_empty() {
                    object.insert(list_column(group), layout.entries(group, rows));
                }
            }
        }
    }
    Json::Object(object)
}
