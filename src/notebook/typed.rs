//! Typed rows as writes: what a use case saves that knows its kind, and ops that hold no more than one may.

use std::collections::BTreeMap;

use records::decision::DECISION_TAG;
use records::id::OpId;
use records::record::Record;
use records::schema::{Class, Field, Kind, SetChange, Tag, Typed};
use records::value::payload::{encode_rows, encode_set};
use records::value::{Row, decode_exact, encode};
use sync_protocol::merge::Document;
use sync_protocol::op::Write;

use crate::notebook::rows;
use crate::store::write::{NewOp, On};

/// Rows of one list in one op, and their bytes: four lists and a decision together stay below what an op may hold.
///
/// Source: docs/PROTOCOL.md, Limits.
const ROWS_MAX: usize = 128;
const ROWS_BYTES_MAX: usize = 3 * 1024;

/// Returns a typed row in the table's order.
#[must_use]
pub fn row<G: Typed>(typed: &G) -> Row {
    let fields = G::GROUP.fields;
    // The table's bytes are postcard of the typed struct, both ways.
    let bytes = postcard::to_allocvec(typed).unwrap_or_default();
    decode_exact(fields, &bytes).unwrap_or_else(|_| vec![None; fields.len()])
}

/// Returns the write of a register.
#[must_use]
pub fn register<G: Typed>(typed: &G) -> Write {
    Write { tag: G::GROUP.tag(), bytes: encode(G::GROUP.fields, &row(typed)) }
}

/// Returns the typed entries of a list that stand in a document, each with its name.
#[must_use]
pub fn standing<G: Typed>(document: &Document) -> Vec<(G, (OpId, u32))> {
    let typed = |entry: rows::Standing| {
        let bytes = encode(G::GROUP.fields, &entry.values);
        Some((postcard::from_bytes(&bytes).ok()?, (entry.op, entry.index)))
    };
    rows::of(&G::GROUP, document).into_iter().filter_map(typed).collect()
}

/// What is to be written to one record, group by group.
#[derive(Debug, Default)]
pub struct Writes {
    single: Vec<Write>,
    lists: BTreeMap<Tag, List>,
}

#[derive(Debug, Default)]
struct List {
    fields: &'static [Field],
    add: Vec<Row>,
    remove: Vec<(OpId, u32)>,
}

impl Writes {
    /// Adds a register or a decision.
    pub fn single(&mut self, write: Write) {
        self.single.push(write);
    }

    /// Adds an entry to a list.
    pub fn add<G: Typed>(&mut self, typed: &G) {
        self.list::<G>().add.push(row(typed));
    }

    /// Takes elements out of a Set.
    pub fn remove<G: Typed>(&mut self, names: impl IntoIterator<Item = (OpId, u32)>) {
        self.list::<G>().remove.extend(names);
    }

    fn list<G: Typed>(&mut self) -> &mut List {
        let list = self.lists.entry(G::GROUP.tag()).or_default();
        list.fields = G::GROUP.fields;
        list
    }

    /// Shows a record as it will read: what is taken out of a Set without a successor still stands.
    pub fn show(&self, record: &mut Record) {
        for (tag, list) in &self.lists {
            for write in list.writes(*tag) {
                // A list that the table does not know is passed over; the bytes are our own.
                let _ = record.write(*tag, &write.bytes);
            }
        }
        for write in self.single.iter().filter(|write| write.tag != DECISION_TAG) {
            let _ = record.write(write.tag, &write.bytes);
        }
    }

    /// Returns whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.single.is_empty()
            && self.lists.values().all(|list| list.add.is_empty() && list.remove.is_empty())
    }

    /// Returns the ops that write it all. What stands alone comes with the last of them: a seal closes what it covers.
    ///
    /// On [`On::Create`] the first op creates the record: it holds what stands alone, and the others follow on it.
    #[must_use]
    pub fn into_ops(self, kind: &'static Kind, on: On) -> Vec<NewOp> {
        let mut parts: Vec<Vec<Write>> = Vec::new();
        for (tag, list) in self.lists {
            for (at, write) in list.writes(tag).into_iter().enumerate() {
                match parts.get_mut(at) {
                    Some(part) => part.push(write),
                    None => parts.push(vec![write]),
                }
            }
        }
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        let carrier = if on == On::Create { parts.first_mut() } else { parts.last_mut() };
        if let Some(carrier) = carrier {
            carrier.extend(self.single);
            carrier.sort_by_key(|write| write.tag);
        }
        let op = |(at, writes): (usize, Vec<Write>)| NewOp {
            kind: kind.number,
            schema: kind.schema,
            on: if at > 0 && on == On::Create { On::CreatedBy(0) } else { on },
            writes,
            local: None,
        };
        parts.into_iter().filter(|writes| !writes.is_empty()).enumerate().map(op).collect()
    }
}

impl List {
    fn writes(&self, tag: Tag) -> Vec<Write> {
        let mut chunks: Vec<(Vec<Row>, usize)> = Vec::new();
        for row in &self.add {
            let bytes = encode(self.fields, row).len();
            match chunks.last_mut() {
                Some((rows, sum)) if rows.len() < ROWS_MAX && *sum + bytes <= ROWS_BYTES_MAX => {
                    rows.push(row.clone());
                    *sum += bytes;
                }
                _ => chunks.push((vec![row.clone()], bytes)),
            }
        }
        if tag.class() == Some(Class::Ledger) {
            let write = |(rows, _): (Vec<Row>, usize)| Write { tag, bytes: encode_rows(self.fields, &rows) };
            return chunks.into_iter().map(write).collect();
        }
        let mut removed = self.remove.chunks(ROWS_MAX).map(<[(OpId, u32)]>::to_vec);
        let mut writes = Vec::new();
        let mut added = chunks.into_iter().map(|(rows, _)| rows);
        loop {
            let (add, remove) = (added.next(), removed.next());
            if add.is_none() && remove.is_none() {
                return writes;
            }
            let change = SetChange { add: add.unwrap_or_default(), remove: remove.unwrap_or_default() };
            writes.push(Write { tag, bytes: encode_set(self.fields, &change) });
        }
    }
}

#[cfg(test)]
mod tests {
    use records::kinds::claim::{CLAIM, Lines, Placed};
    use records::kinds::sheet::Notes;
    use records::value::payload::rows_at;
    use records::value::{Count, Text};

    use super::*;

    fn line(n: u32) -> Lines {
        Lines { line: Some(Count(n)), detail: Some(Text("细".repeat(400))), ..Lines::default() }
    }

    #[test]
    fn a_typed_row_reads_back() {
        let typed = line(7);
        let bytes = encode(Lines::GROUP.fields, &row(&typed));
        assert_eq!(postcard::from_bytes::<Lines>(&bytes).unwrap(), typed);
    }

    #[test]
    fn many_rows_go_into_several_ops_that_each_stay_small_and_lose_none() {
        let mut writes = Writes::default();
        (0..40).for_each(|n| writes.add(&line(n)));
        (0..300).for_each(|_| writes.add(&Placed::default()));
        writes.add(&Notes { text: Some(Text("x".to_owned())) });
        let ops = writes.into_ops(&CLAIM, On::Create);
        assert_eq!(ops.first().map(|op| op.on), Some(On::Create));
        assert!(ops.iter().skip(1).all(|op| op.on == On::CreatedBy(0)));
        let mut lines = 0;
        for op in &ops {
            assert!(op.writes.windows(2).all(|pair| pair[0].tag < pair[1].tag), "by rising tag");
            assert!(op.writes.iter().map(|write| write.bytes.len()).sum::<usize>() < 14 * 1024);
            let rows = |write: &Write| rows_at(&Lines::GROUP, 1, &write.bytes).unwrap().len();
            lines +=
                op.writes.iter().filter(|write| write.tag == Lines::GROUP.tag()).map(rows).sum::<usize>();
        }
        assert_eq!(lines, 40);
    }

    #[test]
    fn nothing_to_write_makes_no_op() {
        assert!(Writes::default().is_empty());
        assert!(Writes::default().into_ops(&CLAIM, On::Create).is_empty());
    }
}
