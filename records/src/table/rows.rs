//! The rows of a file as new records: one by one, each whole or refused with its reason.

use std::collections::BTreeMap;
use std::io::Read;

use crate::checklist::Template;
use crate::id::{DocId, Epoch, OpId, Replica};
use crate::kinds::number;
use crate::machine::Index;
use crate::problems::{Problem, at_capture, before_seal};
use crate::schema::{Class, Kind, SetChange, Tag};
use crate::table::make::{Maker, digest, nth};
use crate::table::mapping::{Case, Mapping};
use crate::table::pick::{From, Outside, Pick};
use crate::table::plain;
use crate::table::record::{Head, Record, Records, RecordsError};
use crate::table::refusal::{Reason, Refusal, shown};
use crate::table::source::Source;
use crate::time::{Day, Zone};
use crate::value::{encode, payload};

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

impl Row {
    /// Returns the payload of each group, as an op carries it; `groups` after its references were linked.
    #[must_use]
    pub fn payloads(&self) -> Vec<(Tag, Vec<u8>)> {
        self.groups.iter().filter_map(|(tag, rows)| Some((*tag, self.payload(*tag, rows)?))).collect()
    }

    fn payload(&self, tag: Tag, rows: &[Values]) -> Option<Vec<u8>> {
        let group = self.kind.group(tag.number())?;
        match group.class {
            Class::Once | Class::Last | Class::Contested => Some(encode(group.fields, rows.first()?)),
            Class::Ledger => Some(payload::encode_rows(group.fields, rows)),
            Class::Set => {
                let change = SetChange { add: rows.to_vec(), remove: Vec::new() };
                Some(payload::encode_set(group.fields, &change))
            }
            Class::Decision => None,
        }
    }

    /// The first rule of the record itself that stands in the way of it, or of the seal that the mapping asks for.
    fn problem(&self, zone: Zone) -> Option<Problem> {
        let machine = self.kind.machine;
        let seals = self
            .then
            .iter()
            .any(|step| machine.and_then(|m| m.step_at(*step)).is_some_and(|step| step.seals));
        let voucher = self.kind.number == number::VOUCHER;
        if !seals && !voucher {
            return None;
        }
        // The rules do not look at the id; the row has none yet.
        let id = DocId(OpId { replica: Replica::HQ, epoch: Epoch(0), seq: 1 });
        let mut record = crate::record::Record::new(id, self.kind);
        for (tag, bytes) in self.payloads() {
            record.write(tag, &bytes).ok()?;
        }
        let problems =
            if voucher { at_capture(&record) } else { before_seal(&record, &Template::default(), zone) };
        problems.into_iter().find(Problem::blocks)
    }

    fn text(&self, field: &str, zone: Zone) -> String {
        let value = || {
            let (group, at) = self.kind.field(field)?;
            let (_, rows) = self.groups.iter().find(|(tag, _)| *tag == group.tag())?;
            Some(rows.first()?.get(at)?.as_ref()?.text(group.fields.get(at)?.ty, zone))
        };
        value().unwrap_or_default()
    }
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
        let records = Records::open(source, wanted.mapping.as_ref().and_then(|mapping| mapping.delimiter))?;
        let plain = wanted.mapping.is_none();
        let mapping = match (wanted.mapping, wanted.kind) {
            (Some(mapping), _) => mapping,
            (None, Some(kind)) => plain::mapping(kind, records.head().map_or(&[], |head| &head.names), true),
            (None, None) => return Err(RowsError::NoKind),
        };
        if let Some(head) = records.head() {
            fits(&mapping, head, wanted.kind)?;
        }
        if let Some(kind) = wanted.kind
            && mapping.kinds().iter().all(|made| made.number != kind.number)
        {
            return Err(RowsError::OtherKind { kind: kind.name });
        }
        let outside = Outside { zone: mapping.zone.unwrap_or(wanted.zone), today: wanted.today };
        let seen = BTreeMap::new();
        Ok(Self { records, mapping, plain, only: wanted.kind, outside, seen, read: 0, left_out: 0 })
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
        let maker = Maker { case, record, outside: self.outside };
        let made = maker.groups().and_then(|groups| Ok((groups, maker.key()?)));
        let (groups, named) = match made {
            Ok(made) => made,
            Err((field, value, reason)) => return Some(Err(refusal(line, &field, &value, reason))),
        };
        let key = named.as_ref().map_or_else(|| maker.hash(), |texts| key_of(case.kind, texts));
        let (kind, then) = (case.kind, case.then.clone());
        let mut row = Row { line, key, ordinal: 0, kind, groups, then };
        if let Some(problem) = row.problem(self.outside.zone) {
            let (field, value) = (problem.field, row.text(problem.field, self.outside.zone));
            return Some(Err(refusal(line, field, &value, Reason::Record(Box::new(problem)))));
        }
        if named.is_none() {
            row.ordinal = self.ordinal(key);
            row.key = nth(key, row.ordinal);
        }
        Some(Ok(row))
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
fn fits(mapping: &Mapping, head: &Head, only: Option<&Kind>) -> Result<(), RowsError> {
    let has = |name: &str| head.names.iter().any(|known| known == name);
    let mut missing: Vec<String> = Vec::new();
    let wanted = |case: &&Case| only.is_none_or(|kind| kind.number == case.kind.number);
    for case in mapping.cases.iter().filter(wanted) {
        if case.fields.is_empty() && case.lists.is_empty() {
            return Err(RowsError::NothingKnown { kind: case.kind.name });
        }
        let spare: Vec<&String> =
            case.picks().filter(|pick| may_lack(pick, &has)).flat_map(Pick::columns).collect();
        let named =
            case.columns().into_iter().filter(|name| !has(name) && spare.iter().all(|other| other != name));
        missing.extend(named.map(str::to_owned));
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() { Ok(()) } else { Err(RowsError::NoColumn { columns: missing }) }
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
pub fn key_of(kind: &Kind, columns: &[impl AsRef<str>]) -> [u8; 16] {
    let columns = columns.iter().map(|text| text.as_ref().as_bytes());
    digest(&[b"key", kind.name.as_bytes()].into_iter().chain(columns).collect::<Vec<_>>())
}

fn refusal(line: u64, field: &str, value: &str, reason: Reason) -> Refusal {
    Refusal { line, field: field.to_owned(), value: shown(value), reason }
}
