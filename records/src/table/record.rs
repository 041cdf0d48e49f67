//! One row as it stands in the file: the cells of a CSV row, or a JSON object; and the rows of a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::table::refusal::{Reason, Refusal, shown};
use crate::table::source::{Fence, RECORD_BYTES_MAX, Source, SourceError, Words};

/// The column names of a CSV file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// As they stand, trimmed.
    pub names: Vec<String>,
    at: BTreeMap<String, usize>,
}

/// One row.
#[derive(Debug, Clone)]
pub enum Record {
    /// Of a CSV file: as many cells as the header has names.
    Cells(Arc<Head>, Vec<String>),
    /// Of a JSON lines file: an object.
    Object(Json),
}

/// One entry of a list in a row, with its name where the list is an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, for `{"leak free": 1}`.
    pub name: Option<String>,
    /// The entry.
    pub value: Json,
}

impl Record {
    /// Returns the text in a column, trimmed; `None` where there is no such column or JSON says `null`.
    ///
    /// In a JSON object `a.b` goes into objects and `a.0` into arrays; a list reads as its JSON text.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Cells(head, cells) => {
                cells.get(*head.at.get(column)?).map(|cell| Cow::Borrowed(cell.trim()))
            }
            Self::Object(json) => scalar(at(json, column)?),
        }
    }

    /// Returns the entries of a list: a JSON array or object, or a cell that holds one; with `split`, the parts of
    /// a cell.
    ///
    /// # Errors
    /// [`Reason::NotAList`].
    pub fn entries(&self, column: &str, split: Option<&str>) -> Result<Vec<Entry>, Reason> {
        let found = match self {
            Self::Object(json) => at(json, column).cloned(),
            Self::Cells(..) => None,
        };
        let list = match found {
            Some(list @ (Json::Array(_) | Json::Object(_))) => list,
            Some(Json::Null) => return Ok(Vec::new()),
            _ => {
                let text = self.text(column).unwrap_or_default();
                if text.is_empty() {
                    return Ok(Vec::new());
                }
                match (split, text.starts_with(['[', '{'])) {
                    (_, true) => serde_json::from_str(&text).map_err(|_| Reason::NotAList)?,
                    (Some(split), false) => text.split(split).map(|part| Json::from(part.trim())).collect(),
                    (None, false) => return Err(Reason::NotAList),
                }
            }
        };
        Ok(match list {
            Json::Array(items) => items.into_iter().map(|value| Entry { name: None, value }).collect(),
            Json::Object(map) => {
                map.into_iter().map(|(name, value)| Entry { name: Some(name), value }).collect()
            }
            _ => return Err(Reason::NotAList),
        })
    }

    /// Returns the names of the columns of this row, in the file's order.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Cells(head, _) => head.names.iter().map(String::as_str).collect(),
            Self::Object(json) => {
                json.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
            }
        }
    }
}

impl Entry {
    /// Returns a part of the entry: `.` is the entry itself, `@name` its name, anything else a path into it.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<Cow<'_, str>> {
        match column {
            "." => scalar(&self.value),
            "@name" => self.name.as_deref().map(Cow::Borrowed),
            _ => scalar(at(&self.value, column)?),
        }
    }
}

/// Follows a path; a name with dots in it is tried as it stands first.
fn at<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    if let Some(found) = json.get(path) {
        return Some(found);
    }
    path.split('.').try_fold(json, |inner, step| match inner {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => inner.get(step),
    })
}

fn scalar(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(Cow::Borrowed(text.trim())),
        // A reference as exports write it.
        Json::Object(one) if one.len() == 1 && (one.contains_key("id") || one.contains_key("text")) => {
            scalar(one.get("id").or_else(|| one.get("text"))?)
        }
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// Why the rows of a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The bytes.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A CSV file without a header line, or one that is not in the file's encoding.
    #[error("the first line must name the columns")]
    NoHeader,
    /// One JSON array instead of an object on each line.
    #[error("this is one JSON list; one object on each line is read")]
    OneDocument,
    /// Two columns with one name.
    #[error("two columns are named {0}")]
    SameName(String),
}

/// The rows of a file with the line on which each begins; ends after a row that cannot be found the end of.
pub struct Records<'a> {
    input: Input<'a>,
    words: Words,
    ended: bool,
}

type Bytes<'a> = Fence<Box<dyn Read + 'a>>;

enum Input<'a> {
    /// With what a row's own line number falls short of the file's.
    Csv(Box<csv::Reader<Bytes<'a>>>, Arc<Head>, u64),
    Lines(BufReader<Bytes<'a>>, u64),
}

impl<'a> Records<'a> {
    /// Reads the header of a CSV file, or finds that the file has a JSON object on each line.
    ///
    /// `delimiter`: `None` takes the comma, or the semicolon or tab where the header has it instead.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn open(source: Source<'a>, delimiter: Option<u8>) -> Result<Self, RecordsError> {
        let Source { bytes, mut words, window } = source;
        let first = window.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            return Err(RecordsError::OneDocument);
        }
        if first == Some(&b'{') {
            return Ok(Self { input: Input::Lines(BufReader::new(bytes), 0), words, ended: false });
        }
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter.unwrap_or_else(|| delimiter_of(&window)))
            .from_reader(bytes);
        let mut header = csv::ByteRecord::new();
        if !csv.read_byte_record(&mut header).map_err(|_| RecordsError::NoHeader)? {
            return Err(RecordsError::NoHeader);
        }
        let mut head = Head::default();
        for name in &header {
            let name = words.read(name).ok_or(RecordsError::NoHeader)?.trim().to_owned();
            let twice = head.at.insert(name.clone(), head.names.len()).is_some();
            if twice && !name.is_empty() {
                return Err(RecordsError::SameName(name));
            }
            head.names.push(name);
        }
        Ok(Self { input: Input::Csv(Box::new(csv), Arc::new(head), short_of(&window)), words, ended: false })
    }

    /// Returns the names of a CSV file's columns; `None` for JSON lines, where each line has its own.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match &self.input {
            Input::Csv(_, head, _) => Some(head),
            Input::Lines(..) => None,
        }
    }

    fn refuse(&mut self, line: u64, value: &str, reason: Reason) -> Refusal {
        self.ended = matches!(reason, Reason::TooManyBytes | Reason::BreaksOff);
        Refusal { line, field: String::new(), value: shown(value), reason }
    }
}

fn broken(error: &std::io::Error) -> Reason {
    match error.kind() {
        std::io::ErrorKind::FileTooLarge => Reason::TooManyBytes,
        _ => Reason::BreaksOff,
    }
}

/// The reader counts a line at its `\n`; where lines end with `\r\n` a row begins between the two.
fn short_of(window: &[u8]) -> u64 {
    let end = window.iter().position(|byte| *byte == b'\n');
    let before = end.and_then(|end| window.get(end.checked_sub(1)?));
    u64::from(before == Some(&b'\r'))
}

/// Whether the file ended inside a quoted cell: it took in the lines that were left, which must not pass as text.
fn never_closed(csv: &csv::Reader<Bytes>, raw: &csv::ByteRecord) -> bool {
    let last = raw.len().checked_sub(1).and_then(|at| raw.get(at)).unwrap_or_default();
    let bytes = csv.get_ref();
    last.contains(&b'\n') && csv.position().byte() == bytes.read && bytes.solid != b'"'
}

/// The line on which a row begins, reckoned from its end: before it the reader passes over empty lines.
///
/// `ended`: the reader is past a line end of one byte.
fn line_of(csv: &csv::Reader<Bytes>, raw: &csv::ByteRecord, ended: bool) -> u64 {
    let end = csv.position();
    let within = raw.as_slice().iter().filter(|byte| **byte == b'\n').count();
    let bytes = csv.get_ref();
    let open = end.byte() == bytes.read && bytes.last != b'\n';
    let passed = u64::from(ended && !open);
    end.line().saturating_sub(passed).saturating_sub(u64::try_from(within).unwrap_or(0))
}

/// The delimiter that the header's line has most of; the comma in doubt.
fn delimiter_of(window: &[u8]) -> u8 {
    let line = window.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    [b';', b'\t'].into_iter().find(|other| count(*other) > count(b',')).unwrap_or(b',')
}

impl Iterator for Records<'_> {
    type Item = Result<(u64, Record), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match &mut self.input {
            Input::Csv(csv, head, short) => {
                let (head, short) = (Arc::clone(head), *short);
                let mut raw = csv::ByteRecord::new();
                csv.get_mut().left = RECORD_BYTES_MAX;
                let line = csv.position().line() + short;
                match csv.read_byte_record(&mut raw) {
                    Ok(false) => None,
                    Ok(true) => {
                        let open = never_closed(csv, &raw);
                        let line = line_of(csv, &raw, short == 0 && !open);
                        Some(if open {
                            Err(self.refuse(line, "", Reason::TooManyBytes))
                        } else {
                            self.cells(&head, &raw, line)
                        })
                    }
                    Err(error) => {
                        let reason = match error.kind() {
                            csv::ErrorKind::Io(error) => broken(error),
                            _ => Reason::BreaksOff,
                        };
                        Some(Err(self.refuse(line, "", reason)))
                    }
                }
            }
            Input::Lines(lines, line) => {
                let mut raw = Vec::new();
                loop {
                    raw.clear();
                    lines.get_mut().left = RECORD_BYTES_MAX;
                    *line += 1;
                    let at = *line;
                    match lines.read_until(b'\n', &mut raw) {
                        Ok(0) => return None,
                        Ok(_) if raw.iter().all(u8::is_ascii_whitespace) => {}
                        Ok(_) => return Some(self.object(at, &raw)),
                        Err(error) => return Some(Err(self.refuse(at, "", broken(&error)))),
                    }
                }
            }
        }
    }
}

impl Records<'_> {
    fn cells(
        &mut self,
        head: &Arc<Head>,
        raw: &csv::ByteRecord,
        line: u64,
    ) -> Result<(u64, Record), Refusal> {
        if raw.len() != head.names.len() {
            let first = String::from_utf8_lossy(raw.get(0).unwrap_or_default()).into_owned();
            let reason = Reason::Columns { expected: head.names.len(), found: raw.len() };
            return Err(self.refuse(line, &first, reason));
        }
        let mut cells = Vec::with_capacity(raw.len());
        for (cell, name) in raw.iter().zip(&head.names) {
            let Some(text) = self.words.read(cell) else {
                let field = name.clone();
                let value = shown(&String::from_utf8_lossy(cell));
                return Err(Refusal { line, field, value, reason: Reason::Encoding });
            };
            cells.push(text.into_owned());
        }
        Ok((line, Record::Cells(Arc::clone(head), cells)))
    }

    fn object(&mut self, line: u64, raw: &[u8]) -> Result<(u64, Record), Refusal> {
        let Some(text) = self.words.read(raw) else {
            return Err(self.refuse(line, &String::from_utf8_lossy(raw), Reason::Encoding));
        };
        match serde_json::from_str(&text) {
            Ok(object @ Json::Object(_)) => Ok((line, Record::Object(object))),
            _ => {
                let text = text.into_owned();
                Err(self.refuse(line, text.trim(), Reason::NotAnObject))
            }
        }
    }
}
