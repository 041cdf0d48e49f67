//! What stands in a document, group by group, as rows.

use records::id::OpId;
use records::record::Record;
use records::schema::{Class, Group, Kind};
use records::value::{Row, Value, decode};
use sync_protocol::merge::Document;
use sync_protocol::merge::conflict::Conflict;

/// A row that stands, and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The op that wrote it.
    pub op: OpId,
    /// Its place in that op's payload; 0 for a group with one row.
    pub index: u32,
    /// The values, in the table's order.
    pub values: Row,
}

/// Returns the rows of a group that stand; those of a newer version, which do not read, are left out.
#[must_use]
pub fn of(group: &Group, document: &Document) -> Vec<Standing> {
    let tag = group.tag();
    let read = |op: OpId, index: u32, bytes: &[u8]| {
        Some(Standing { op, index, values: decode(group.fields, bytes).ok()?.0 })
    };
    match group.class {
        Class::Once | Class::Last | Class::Contested => {
            let register = document.registers.get(&tag);
            register
                .and_then(|register| read(register.value.op, 0, &register.value.bytes))
                .into_iter()
                .collect()
        }
        Class::Ledger | Class::Set => {
            let lists = if group.class == Class::Set { &document.sets } else { &document.ledgers };
            let entries = lists.get(&tag).map(Vec::as_slice).unwrap_or_default();
            entries.iter().filter_map(|entry| read(entry.op, entry.index, &entry.bytes)).collect()
        }
        Class::Decision => Vec::new(),
    }
}

/// Returns the value of a field of a Once, Last or Contested group.
#[must_use]
pub fn value(kind: &Kind, document: &Document, name: &str) -> Option<Value> {
    let (group, at) = kind.field(name)?;
    of(group, document).into_iter().next()?.values.into_iter().nth(at)?
}

/// Returns the document as the rules look at it; values of a newer version are passed over.
#[must_use]
pub fn record(kind: &'static Kind, document: &Document) -> Record {
    let open = document.conflicts().into_iter().filter_map(|conflict| match conflict {
        Conflict::Values(tag, _) => Some(tag),
        Conflict::Seals(_) => None,
    });
    let registers = document.registers.iter().map(|(tag, register)| (*tag, register.value.bytes.as_slice()));
    let lists = document.ledgers.iter().chain(&document.sets);
    let entries = lists.flat_map(|(tag, entries)| entries.iter().map(|entry| (*tag, entry.bytes.as_slice())));
    let readable = registers.chain(entries).filter(|(tag, bytes)| {
        kind.group(tag.number())
            .is_some_and(|group| records::value::decode_exact(group.fields, bytes).is_ok())
    });
    Record::from_parts(document.id, kind, document.state, open.collect(), readable)
        .unwrap_or_else(|_| Record::new(document.id, kind))
}
