//! What stands in a document, group by group, as rows.

use records::id::OpId;
use records::record::Record;
use records::schema::{Class, Group, Kind};
use records::value::{Row, Value};
use sync_protocol::merge::{Document, Entry};

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
    match group.class {
        Class::Once | Class::Last | Class::Contested => {
            let register = document.registers.get(&tag);
            let standing = register.and_then(|register| {
                Some(Standing { op: register.value.op, index: 0, values: register.value.row(group)? })
            });
            standing.into_iter().collect()
        }
        Class::Ledger | Class::Set => {
            let lists = if group.class == Class::Set { &document.sets } else { &document.ledgers };
            let entries = lists.get(&tag).map(Vec::as_slice).unwrap_or_default();
            let standing = |entry: &Entry| {
                Some(Standing { op: entry.op, index: entry.index, values: entry.row(group)? })
            };
            entries.iter().filter_map(standing).collect()
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
    document.record(kind)
}
