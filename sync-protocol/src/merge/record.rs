//! A folded document as the rules look at it.

use records::record::Record;
use records::schema::{Kind, Tag};

use crate::merge::Document;
use crate::merge::conflict::Conflict;

impl Document {
    /// Returns the document as the rules look at it; `kind` is its own. Values of a newer version are passed over.
    #[must_use]
    pub fn record(&self, kind: &'static Kind) -> Record {
        let open = self.conflicts().into_iter().filter_map(|conflict| match conflict {
            Conflict::Values(tag, _) => Some(tag),
            Conflict::Seals(_) => None,
        });
        let group = |tag: &Tag| kind.group(tag.number()).filter(|group| group.tag() == *tag);
        let registers = self.registers.iter().filter_map(|(tag, register)| {
            let group = group(tag).filter(|group| register.value.is_read(group))?;
            Some((*tag, register.value.row(group)?))
        });
        let lists = self.ledgers.iter().chain(&self.sets);
        let entries = lists.filter_map(|(tag, entries)| Some((*tag, group(tag)?, entries)));
        let rows = entries.flat_map(|(tag, group, entries)| {
            entries.iter().filter_map(move |entry| Some((tag, entry.row(group)?)))
        });
        Record::from_parts(self.id, kind, self.state, open.collect(), registers.chain(rows))
    }
}
