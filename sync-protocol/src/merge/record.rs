//! A folded document as the rules look at it.

use records::record::Record;
use records::schema::{Kind, Tag};
use records::value::payload;

use crate::merge::conflict::Conflict;
use crate::merge::{Document, Written};

impl Document {
    /// Returns the document as the rules look at it; `kind` is its own. Values of a newer version are passed over.
    #[must_use]
    pub fn record(&self, kind: &'static Kind) -> Record {
        self.record_of(kind, |_| true)
    }

    /// The same with those groups only that are `wanted`: the others are not read.
    #[must_use]
    pub fn record_of(&self, kind: &'static Kind, wanted: impl Fn(Tag) -> bool) -> Record {
        let open = self.conflicts().into_iter().filter_map(|conflict| match conflict {
            Conflict::Values(tag, _) => Some(tag),
            Conflict::Seals(_) => None,
        });
        let known = |tag: &Tag| kind.group(tag.number()).filter(|group| group.tag() == *tag);
        let group = |tag: &Tag| known(tag).filter(|_| wanted(*tag));
        let registers = self.registers.iter().filter_map(|(tag, register)| {
            let Written { schema, bytes, .. } = &register.value;
            let (row, rest) = payload::row_at(group(tag)?, *schema, bytes).ok()?;
            rest.is_empty().then_some((*tag, row))
        });
        let lists = self.ledgers.iter().chain(&self.sets);
        let entries = lists.filter_map(|(tag, entries)| Some((*tag, group(tag)?, entries)));
        let rows = entries.flat_map(|(tag, group, entries)| {
            entries.iter().filter_map(move |entry| Some((tag, entry.row(group)?)))
        });
        Record::from_parts(self.id, kind, self.state, open.collect(), registers.chain(rows))
    }
}
