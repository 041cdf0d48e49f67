//! What a mapping says: which kind a row is, which column fills which field, what is done then.

use crate::machine::Index;
use crate::schema::{Class, Group, Kind};
use crate::table::pick::Pick;
use crate::table::record::Record;
use crate::table::source::Encoding;
use crate::time::Zone;

/// A mapping file, read and checked against the schema tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The file's encoding, where it should not be found by looking.
    pub encoding: Option<Encoding>,
    /// What stands between two columns of a CSV row.
    pub delimiter: Option<u8>,
    /// The zone of instants that name none; `None`: the policy's.
    pub zone: Option<Zone>,
    /// The kinds that a row may be; the first whose conditions hold is taken.
    pub cases: Vec<Case>,
}

/// How a row becomes a record of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The kind.
    pub kind: &'static Kind,
    /// All must hold.
    pub when: Vec<Condition>,
    /// Where one holds the row is left out and counted.
    pub skip: Vec<Condition>,
    /// The columns that name a row; without any the row's hash and its place among equal rows do.
    pub key: Vec<String>,
    /// Words that mean "nothing" in every column.
    pub empty: Vec<String>,
    /// The single fields.
    pub fields: Vec<Flat>,
    /// The lists; several sections may fill one list.
    pub lists: Vec<List>,
    /// Steps that the importer takes with each new record, in order.
    pub then: Vec<Index>,
}

/// A single field and where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flat {
    /// Its group.
    pub group: &'static Group,
    /// Its place in the group.
    pub index: usize,
    /// Where from.
    pub pick: Pick,
}

/// Entries of a ledger or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The group.
    pub group: &'static Group,
    /// The list in the row; `None`: the section is one entry of the row's own columns.
    pub each: Option<String>,
    /// What divides a text cell into entries.
    pub split: Option<String>,
    /// The entry's fields; in an entry `.` is the entry itself, `@name` its name, `^column` a column of the row.
    pub fields: Vec<(usize, Pick)>,
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column; one that is not there counts as empty.
    pub column: String,
    /// One of these words.
    pub is: Vec<String>,
    /// Whether none of these words makes it hold.
    pub not: bool,
}

impl Condition {
    /// Whether it holds for a row.
    #[must_use]
    pub fn holds(&self, record: &Record) -> bool {
        let text = record.text(&self.column).unwrap_or_default();
        self.is.iter().any(|word| *word == text) != self.not
    }
}

impl Mapping {
    /// Returns the case of a row; `only` is the one kind that is asked for.
    #[must_use]
    pub fn case(&self, record: &Record, only: Option<&Kind>) -> Option<&Case> {
        self.cases
            .iter()
            .filter(|case| only.is_none_or(|kind| kind.number == case.kind.number))
            .find(|case| case.when.iter().all(|condition| condition.holds(record)))
    }

    /// Returns the kinds it makes, each once.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static Kind> {
        let mut kinds: Vec<&'static Kind> = self.cases.iter().map(|case| case.kind).collect();
        kinds.sort_by_key(|kind| kind.number);
        kinds.dedup_by_key(|kind| kind.number);
        kinds
    }
}

impl Case {
    /// Returns every pick that reads columns of the row itself.
    pub(crate) fn picks(&self) -> impl Iterator<Item = &Pick> {
        let lists = self.lists.iter().filter(|list| list.each.is_none()).flat_map(|list| &list.fields);
        self.fields.iter().map(|flat| &flat.pick).chain(lists.map(|(_, pick)| pick))
    }

    /// Returns every column that the case names: in its key, its conditions, its fields and lists.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let conditions = self.when.iter().chain(&self.skip).map(|condition| condition.column.as_str());
        let lists = self.lists.iter().flat_map(|list| {
            let own = list.fields.iter().flat_map(|(_, pick)| pick.columns());
            let row = own.filter_map(|name| {
                if list.each.is_none() { Some(name.as_str()) } else { name.strip_prefix('^') }
            });
            list.each.iter().map(String::as_str).chain(row.collect::<Vec<_>>())
        });
        let fields = self.fields.iter().flat_map(|flat| flat.pick.columns()).map(String::as_str);
        self.key.iter().map(String::as_str).chain(conditions).chain(fields).chain(lists).collect()
    }
}

/// Returns the ledger or set of that name.
pub(crate) fn list_group(kind: &'static Kind, name: &str) -> Option<&'static Group> {
    let list = |group: &&Group| matches!(group.class, Class::Ledger | Class::Set) && group.name == name;
    kind.groups.iter().copied().find(list)
}
