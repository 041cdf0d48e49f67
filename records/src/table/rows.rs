//! The rows of a file as new records: one by one, each whole or refused with its reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use crate::kinds::number;
use crate::machine::Index;
use crate::schema::{Field, Group, Kind, Tag};
use crate::table::mapping::{Case, List, Mapping};
use crate::table::pick::{From, Outside, Pick};
use crate::table::plain;
use crate::table::record::{Entry, Head, Record, Records, RecordsError};
use crate::table::refusal::{Reason, Refusal, shown};
use crate::table::source::Source;
use crate::time::{Day, Zone};
use crate::value::{Type, Value};

/// A list takes so many entries from one row.
///
/// Source: docs/PROTOCOL.md, Limits.
pub const ENTRIES_MAX: usize = crate::value::LIST_MAX;

/// What `rest` writes is at most so long; a field's own limit cuts it further.
const REST_CHARS_MAX: usize = 4000;

/// One row of a group: its values in the order of the table.
pub type Values = crate::value::Row;

/// A new record out of one row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Names the row for ever, in this file and the next: a row whose key was imported before adds nothing.
    ///
    /// The first 16 bytes of SHA-256 over the kind and the key columns, or over the row and its place among equal rows.
    pub key: [u8; 16],
    /// Its place among equal rows, from 0; more than 0 only where the mapping names no key: a notice.
    pub ordinal: u32,
    /// The kind.
    pub kind: &'static Kind,
    /// The groups that have a value, each once, by number: one row of values, of a ledger or set as many as entries.
    ///
    /// References are typed text as the file has it; whoever imports links them.
    pub groups: Vec<(Tag, Vec<Values>)>,
    /// The steps to take with the new record, in order.
    pub then: Vec<Index>,
}

/// Why no row of a file can be read.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The file.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The mapping names columns that the file has not.
    #[error("the file has no column {}", .columns.join(", "))]
    NoColumn {
        /// What is missing.
        columns: Vec<String>,
    },
    /// Without a mapping no column is a field of the kind.
    #[error("no column is a field of {kind}")]
    NothingKnown {
        /// The kind's name.
        kind: &'static str,
    },
    /// The mapping is for other kinds.
    #[error("the mapping does not make {kind}")]
    OtherKind {
        /// The kind that was asked for.
        kind: &'static str,
    },
    /// Neither a mapping nor a kind was given.
    #[error("without a mapping the kind must be named")]
    NoKind,
}

/// What to read a file as.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The mapping; `None`: the columns are named as the fields of `kind`.
    pub mapping: Option<Mapping>,
    /// Only records of this kind; rows that the mapping makes another kind are left out and counted.
    pub kind: Option<&'static Kind>,
    /// The policy's zone, for instants without one.
    pub zone: Zone,
    /// Today, for values that must lie in the past.
    pub today: Day,
}

/// The rows of a file.
///
/// ```
/// # use records::table::rows::{Rows, Wanted};
/// # use records::time::{Day, Zone};
/// let staff = records::kinds::by_name("staff");
/// let wanted = Wanted { mapping: None, kind: staff, zone: Zone::SHANGHAI, today: Day(20_000) };
/// let file = "code,name,roles\nE01,王芳,engineer;supervisor\n";
/// let rows: Vec<_> = Rows::open(file.as_bytes(), wanted)?.collect();
/// assert!(rows[0].is_ok());
/// # Ok::<(), records::table::rows::RowsError>(())
/// ```
pub struct Rows<'a> {
    records: Records<'a>,
    mapping: Mapping,
    /// Without a mapping each JSON line has its own columns, so the mapping is made again for each.
    plain: bool,
    only: Option<&'static Kind>,
    outside: Outside,
    seen: BTreeMap<[u8; 16], u32>,
    /// Rows that were read so far, the refused and the left out included.
    pub read: u64,
    /// Rows that the mapping leaves out, or makes another kind than was asked for.
    pub left_out: u64,
}

impl<'a> Rows<'a> {
    /// Opens a file, looks at its encoding and header, and holds the mapping against them.
    ///
    /// # Errors
    /// [`RowsError`].
    pub fn open(read: impl Read + 'a, wanted: Wanted) -> Result<Self, RowsError> {
        let named = wanted.mapping.as_ref().and_then(|mapping| mapping.encoding);
        let source = Source::open(read, named).map_err(RecordsError::from)?;
        let records = Records::open(
            source,
            wanted.mapping.as_ref().and_then(|mapping| mapping.delimiter),
        )?;
        let plain = wanted.mapping.is_none();
        let mapping = match (wanted.mapping, wanted.kind) {
            (Some(mapping), _) => mapping,
            (None, Some(kind)) => plain::mapping(kind, records.head().map_or(&[], |head| &head.names), true),
            (None, None) => return Err(RowsError::NoKind),
        };
        if let Some(head) = records.head() {
            fits(&mapping, head)?;
        }
        if let Some(kind) = wanted.kind
            && mapping.kinds().iter().all(|made| made.number != kind.number)
        {
            return Err(RowsError::OtherKind { kind: kind.name });
        }
        let outside = Outside {
            zone: mapping.zone.unwrap_or(wanted.zone),
            today: wanted.today,
        };
        let seen = BTreeMap::new();
        Ok(Self {
            records,
            mapping,
            plain,
            only: wanted.kind,
            outside,
            seen,
            read: 0,
            left_out: 0,
        })
    }

    fn row(&mut self, line: u64, record: &Record) -> Option<Result<Row, Refusal>> {
        let own = match (self.plain, record, self.only) {
            (true, Record::Object(_), Some(kind)) => {
                let columns: Vec<String> = record.columns().into_iter().map(str::to_owned).collect();
                Some(plain::mapping(kind, &columns, false))
            }
            _ => None,
        };
        let mapping = own.as_ref().unwrap_or(&self.mapping);
        let Some(case) = mapping.case(record, self.only) else {
            if mapping.case(record, None).is_some() {
                self.left_out += 1;
                return None;
            }
            return Some(Err(refusal(line, "", "", Reason::NoCase)));
        };
        if case.skip.iter().any(|condition| condition.holds(record)) {
            self.left_out += 1;
            return None;
        }
        let maker = Maker {
            case,
            record,
            outside: self.outside,
        };
        let made = maker.groups().and_then(|groups| Ok((groups, maker.key()?)));
        let (groups, (key, named)) = match made {
            Ok(made) => made,
            Err((field, value, reason)) => return Some(Err(refusal(line, &field, &value, reason))),
        };
        let (kind, then) = (case.kind, case.then.clone());
        let ordinal = if named { 0 } else { self.ordinal(key) };
        let key = if ordinal == 0 {
            key
        } else {
            digest(&[&key, &ordinal.to_le_bytes()])
        };
        Some(Ok(Row {
            line,
            key,
            ordinal,
            kind,
            groups,
            then,
        }))
    }

    fn ordinal(&mut self, key: [u8; 16]) -> u32 {
        let next = self.seen.entry(key).or_default();
        let ordinal = *next;
        *next = next.saturating_add(1);
        ordinal
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.read += 1;
            match self.records.next() {
                None => {
                    self.read -= 1;
                    return None;
                }
                Some(Err(refusal)) => return Some(Err(refusal)),
                Some(Ok((line, record))) => {
                    if let Some(row) = self.row(line, &record) {
                        return Some(row);
                    }
                }
            }
        }
    }
}

/// Every column that a CSV mapping names must be there; of `first` one is enough, what is `optional` may be missing.
fn fits(mapping: &Mapping, head: &Head) -> Result<(), RowsError> {
    let has = |name: &str| head.names.iter().any(|known| known == name);
    let mut missing: Vec<String> = Vec::new();
    for case in &mapping.cases {
        if case.fields.is_empty() && case.lists.is_empty() {
            return Err(RowsError::NothingKnown { kind: case.kind.name });
        }
        let spare: Vec<&String> = case
            .picks()
            .filter(|pick| may_lack(pick, &has))
            .flat_map(Pick::columns)
            .collect();
        let named = case
            .columns()
            .into_iter()
            .filter(|name| !has(name) && spare.iter().all(|other| other != name));
        missing.extend(named.map(str::to_owned));
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(RowsError::NoColumn { columns: missing })
    }
}

fn may_lack(pick: &Pick, has: &dyn Fn(&str) -> bool) -> bool {
    pick.optional || matches!(&pick.from, From::First(names) if names.iter().any(|name| has(name)))
}

/// Returns the key of a row that key columns name, as [`Row::key`] has it.
///
/// So a voucher that names a sheet by the sheet's id at the source finds the sheet that was imported from there.
///
/// ```
/// let repair = records::kinds::by_name("repair").unwrap();
/// assert_eq!(records::table::rows::key_of(repair, &["17"]).len(), 16);
/// ```
#[must_use]
pub fn key_of(kind: &Kind, columns: &[&str]) -> [u8; 16] {
    let columns = columns.iter().map(|text| text.as_bytes());
    digest(
        &[b"key", kind.name.as_bytes()]
            .into_iter()
            .chain(columns)
            .collect::<Vec<_>>(),
    )
}

fn refusal(line: u64, field: &str, value: &str, reason: Reason) -> Refusal {
    Refusal {
        line,
        field: field.to_owned(),
        value: shown(value),
        reason,
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        context.update(part);
    }
    let hash = context.finish();
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

/// Field, value and reason.
type Wrong = (String, String, Reason);

/// Makes one record out of one row.
struct Maker<'r> {
    case: &'r Case,
    record: &'r Record,
    outside: Outside,
}

impl Maker<'_> {
    fn groups(&self) -> Result<Vec<(Tag, Vec<Values>)>, Wrong> {
        let mut groups: BTreeMap<Tag, Vec<Values>> = BTreeMap::new();
        for flat in &self.case.fields {
            let Some(field) = flat.group.fields.get(flat.index) else {
                continue;
            };
            if let Some(value) = self.value(field, &flat.pick, None)? {
                self.allowed(flat.group, field, &value)?;
                let rows = groups
                    .entry(flat.group.tag())
                    .or_insert_with(|| vec![vec![None; flat.group.fields.len()]]);
                if let Some(place) = rows.first_mut().and_then(|row| row.get_mut(flat.index)) {
                    *place = Some(value);
                }
            }
        }
        for list in &self.case.lists {
            let rows = self.list(list)?;
            if rows.is_empty() {
                continue;
            }
            let all = groups.entry(list.group.tag()).or_default();
            all.extend(rows);
            if all.len() > ENTRIES_MAX {
                let reason = Reason::TooManyEntries { max: ENTRIES_MAX };
                return Err((list.group.name.to_owned(), all.len().to_string(), reason));
            }
        }
        Ok(groups.into_iter().collect())
    }

    /// What no mapping may allow: a refund is taken as it was captured, an amount of zero is not.
    ///
    /// Source: docs/RULES.md, I-16.
    fn allowed(&self, group: &Group, field: &Field, value: &Value) -> Result<(), Wrong> {
        let paid =
            self.case.kind.number == number::VOUCHER && field.name == "amount" && field.ty == Type::Fen;
        if paid && *value == Value::Int(0) {
            return Err((field.name.to_owned(), "0.00".to_owned(), Reason::ZeroAmount));
        }
        debug_assert!(group.fields.contains(field));
        Ok(())
    }

    fn list(&self, list: &List) -> Result<Vec<Values>, Wrong> {
        let Some(each) = &list.each else {
            return Ok(self.entry(list, None)?.into_iter().collect());
        };
        let wrong = |reason| {
            let text = self.record.text(each).unwrap_or_default().into_owned();
            (list.group.name.to_owned(), text, reason)
        };
        let entries = self.record.entries(each, list.split.as_deref()).map_err(wrong)?;
        if entries.len() > ENTRIES_MAX {
            return Err(wrong(Reason::TooManyEntries { max: ENTRIES_MAX }));
        }
        entries
            .iter()
            .filter_map(|entry| self.entry(list, Some(entry)).transpose())
            .collect()
    }

    /// One entry; `None` where only constants would stand in it.
    fn entry(&self, list: &List, entry: Option<&Entry>) -> Result<Option<Values>, Wrong> {
        let mut values: Values = vec![None; list.group.fields.len()];
        let mut told = false;
        for (index, pick) in &list.fields {
            let Some(field) = list.group.fields.get(*index) else {
                continue;
            };
            let value = self.value(field, pick, entry)?;
            told |= value.is_some() && !matches!(pick.from, From::Constant(_));
            if let Some(place) = values.get_mut(*index) {
                *place = value;
            }
        }
        Ok(told.then_some(values))
    }

    fn value(&self, field: &Field, pick: &Pick, entry: Option<&Entry>) -> Result<Option<Value>, Wrong> {
        let column = |name: &str| match (entry, name.strip_prefix('^')) {
            (Some(entry), None) => entry.text(name),
            (Some(_), Some(outer)) => self.record.text(outer),
            (None, _) => self.record.text(name),
        };
        let text = pick.text(&column, &|| self.rest(), &self.case.empty);
        pick.value(field, &text, self.outside)
            .map_err(|reason| (field.name.to_owned(), text, reason))
    }

    /// The columns that nothing names, as `column: text` lines.
    fn rest(&self) -> String {
        let named = self.case.columns();
        let first = |name: &str| {
            named
                .iter()
                .any(|known| known.split('.').next() == Some(name) || *known == name)
        };
        let lines = self
            .record
            .columns()
            .into_iter()
            .filter(|name| !first(name))
            .filter_map(|name| {
                let text = self.record.text(name).filter(|text| !text.is_empty())?;
                let none = self.case.empty.iter().any(|word| *word == text);
                (!none).then(|| format!("{name}: {text}"))
            });
        lines
            .collect::<Vec<_>>()
            .join("\n")
            .chars()
            .take(REST_CHARS_MAX)
            .collect()
    }

    /// The row's hash, and whether key columns made it.
    fn key(&self) -> Result<([u8; 16], bool), Wrong> {
        if self.case.key.is_empty() {
            return Ok((self.hash(), false));
        }
        let mut texts: Vec<Cow<str>> = Vec::new();
        for column in &self.case.key {
            let text = self.record.text(column).filter(|text| !text.is_empty());
            texts.push(text.ok_or_else(|| (column.clone(), String::new(), Reason::Missing))?);
        }
        let texts: Vec<&str> = texts.iter().map(Cow::as_ref).collect();
        Ok((key_of(self.case.kind, &texts), true))
    }

    /// By column name, so that another order of the columns makes no new records.
    fn hash(&self) -> [u8; 16] {
        let kind = self.case.kind.name.as_bytes();
        let named = |name| Some((name, self.record.text(name).filter(|text| !text.is_empty())?));
        let cells: BTreeMap<&str, Cow<str>> = self.record.columns().into_iter().filter_map(named).collect();
        let cells = cells
            .iter()
            .flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
        digest(&[b"row", kind].into_iter().chain(cells).collect::<Vec<_>>())
    }
}
