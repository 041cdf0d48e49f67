//! A document as it reads now: its state and its rows, decoded; what rules, pages and exports look at.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::DocId;
use crate::machine::Index;
use crate::schema::{Class, Group, Kind, Tag, Typed};
use crate::value::payload::rows_of;
use crate::value::{CodecError, Row, Value, encode};

/// The folded values of one document that this build can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which document.
    pub id: DocId,
    /// Its table.
    pub kind: &'static Kind,
    /// The state of its machine; 0 for a kind without one.
    pub state: Index,
    /// The groups with an open conflict; their row is the provisional value.
    pub open: BTreeSet<Tag>,
    rows: BTreeMap<Tag, Vec<Row>>,
}

impl Record {
    /// Returns a new record without values.
    #[must_use]
    pub fn new(id: DocId, kind: &'static Kind) -> Self {
        Self { id, kind, state: 0, open: BTreeSet::new(), rows: BTreeMap::new() }
    }

    /// Builds a record from what was folded: one row of each register, one row of each living entry of a list, in order.
    ///
    /// Groups that the table does not know are passed over: they belong to a newer version.
    #[must_use]
    pub fn from_parts(
        id: DocId,
        kind: &'static Kind,
        state: Index,
        open: BTreeSet<Tag>,
        rows: impl IntoIterator<Item = (Tag, Row)>,
    ) -> Self {
        let mut record = Self { state, open, ..Self::new(id, kind) };
        for (tag, row) in rows {
            if record.group(tag).is_some() {
                record.rows.entry(tag).or_default().push(row);
            }
        }
        record
    }

    /// Shows the record as it would read after a write: what a use case asks its rules before it saves.
    ///
    /// A register's row is replaced, list rows are added; a keyed element takes the place of its namesake.
    /// Removals from a Set are not shown.
    ///
    /// # Errors
    /// [`CodecError`]. Writes to groups that the table does not know change nothing.
    pub fn write(&mut self, tag: Tag, payload: &[u8]) -> Result<(), CodecError> {
        let Some(group) = self.group(tag) else {
            return Ok(());
        };
        let added = rows_of(group, payload)?;
        let rows = self.rows.entry(tag).or_default();
        match (group.class, group.key) {
            (Class::Set, Some(key)) => {
                for row in added {
                    rows.retain(|old| old.get(key) != row.get(key));
                    rows.push(row);
                }
            }
            (Class::Set | Class::Ledger, _) => rows.extend(added),
            (Class::Once | Class::Last | Class::Contested | Class::Decision, _) => *rows = added,
        }
        Ok(())
    }

    /// Returns the typed row of a register; `None` where nobody wrote it.
    ///
    /// ```
    /// use records::kinds::repair::REPAIR;
    /// use records::kinds::sheet::Problem;
    /// use records::record::Record;
    /// use records::schema::Typed;
    /// use records::value::{Value, encode};
    /// let mut record = Record::new("7.1.1".parse()?, &REPAIR);
    /// let row = encode(Problem::GROUP.fields, &[Some(Value::Text("漏水".into()))]);
    /// record.write(Problem::GROUP.tag(), &row)?;
    /// assert_eq!(record.get::<Problem>().and_then(|group| group.problem?.0.into()), Some("漏水".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn get<G: Typed>(&self) -> Option<G> {
        self.all().into_iter().next()
    }

    /// Returns the typed rows of a list.
    #[must_use]
    pub fn all<G: Typed>(&self) -> Vec<G> {
        let typed = |row: &Row| postcard::from_bytes(&encode(G::GROUP.fields, row)).ok();
        self.rows(G::GROUP.tag()).iter().filter_map(typed).collect()
    }

    /// Returns the rows of a group: at most one of a register, all of a list.
    #[must_use]
    pub fn rows(&self, tag: Tag) -> &[Row] {
        self.rows.get(&tag).map_or(&[], Vec::as_slice)
    }

    /// Returns the value of a `--set` field.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        let (group, at) = self.kind.field(name)?;
        self.rows(group.tag()).first()?.get(at)?.as_ref()
    }

    /// Returns the identifier of the state; empty for a kind without a machine.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        let states = self.kind.machine.map_or(&[][..], |machine| machine.states);
        states.get(usize::from(self.state)).map_or("", |state| state.name)
    }

    fn group(&self, tag: Tag) -> Option<&'static Group> {
        self.kind.group(tag.number()).filter(|group| group.tag() == tag && group.class != Class::Decision)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::kinds::repair::REPAIR;
    use crate::kinds::sheet::{Answers, Notes, Problem, Rating};
    use crate::value::payload::{encode_rows, encode_set};
    use crate::value::{Count, Text, decode_exact};

    impl Record {
        /// Writes typed rows, as a test's way to fill a record.
        pub(crate) fn with<G: Typed>(mut self, rows: &[G]) -> Self {
            let group = G::GROUP;
            let row = |typed: &G| decode_exact(group.fields, &postcard::to_allocvec(typed).unwrap()).unwrap();
            let rows: Vec<Row> = rows.iter().map(row).collect();
            let payload = match group.class {
                Class::Ledger => encode_rows(group.fields, &rows),
                Class::Set => {
                    encode_set(group.fields, &crate::schema::SetChange { add: rows, remove: Vec::new() })
                }
                _ => encode(group.fields, &rows[0]),
            };
            self.write(group.tag(), &payload).unwrap();
            self
        }
    }

    fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
        Some(Text(text.to_owned()))
    }

    #[test]
    fn a_write_replaces_a_register_and_a_keyed_element_and_adds_to_a_ledger() {
        let answer =
            |item, answer: &str| Answers { item: text(item), text: text(answer), ..Answers::default() };
        let record = Record::new("1.1.1".parse().unwrap(), &REPAIR)
            .with(&[Problem { problem: text("one") }])
            .with(&[Problem { problem: text("two") }])
            .with(&[Notes { text: text("a") }])
            .with(&[Notes { text: text("b") }])
            .with(&[answer("k", "old"), answer("l", "other")])
            .with(&[answer("k", "new")]);
        assert_eq!(record.get::<Problem>().unwrap().problem, text("two"));
        assert_eq!(record.value("problem"), Some(&Value::Text("two".into())));
        assert_eq!(record.all::<Notes>().len(), 2);
        assert_eq!(record.all::<Answers>(), [answer("l", "other"), answer("k", "new")]);
        assert_eq!(record.get::<Rating>(), None::<Rating>);
        assert_eq!(record.state_name(), "draft");
    }

    #[test]
    fn what_this_build_does_not_know_is_passed_over() {
        let tag = Tag::new(900, Class::Last);
        let five = vec![Some(Value::Int(5))];
        let parts = [(tag, five.clone()), (Rating::GROUP.tag(), five)];
        let id = "1.1.1".parse().unwrap();
        let record = Record::from_parts(id, &REPAIR, 1, BTreeSet::new(), parts);
        assert_eq!(record.get::<Rating>().unwrap().customer_rating, Some(Count(5)));
        assert!(record.rows(tag).is_empty());
    }
}
