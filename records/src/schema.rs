//! The table of each record kind: which groups it has, how they merge, who writes them, how they read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::machine::Machine;
use crate::value::Type;

/// How two offline writers of one group become one; the low three bits of a group's tag.
///
/// Source: docs/PROTOCOL.md, Merge classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The first by effective time stands, a second is kept and shown.
    Once = 0,
    /// The later effective time wins, the loser stays readable.
    Last = 1,
    /// Never automatic: all values are kept until a named person settles.
    Contested = 2,
    /// Grows only; a correction is a reversing entry.
    Ledger = 3,
    /// Add wins over a concurrent remove.
    Set = 4,
    /// Decisions, folded by the kind's [`Machine`].
    Decision = 5,
}

impl Class {
    /// Returns the class of a tag's low bits; `None` for the reserved 6 and 7.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Once),
            1 => Some(Self::Last),
            2 => Some(Self::Contested),
            3 => Some(Self::Ledger),
            4 => Some(Self::Set),
            5 => Some(Self::Decision),
            _ => None,
        }
    }
}

/// A group's name on the wire: `number << 3 | class`, so that a build that does not know the group still merges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
pub struct Tag(pub u16);

impl Tag {
    /// Returns the tag of group `number` (at most 8191) merging as `class`.
    #[must_use]
    pub const fn new(number: u16, class: Class) -> Self {
        Self(number << 3 | class as u16)
    }

    /// Returns the group's number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0 >> 3
    }

    /// Returns the merge class; `None` where a newer version uses a reserved one.
    #[must_use]
    pub fn class(self) -> Option<Class> {
        Class::from_bits(u8::try_from(self.0 & 7).unwrap_or(7))
    }
}

/// Who may write a group. Intake judges it; the device asks the same table first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Whoever has the document in his scope.
    Scope,
    /// Only HQ, in its own log.
    Hq,
}

/// One field of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The identifier of `--set`, JSON and CSV; unique within its kind except in Ledger and Set groups.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// The unit shown behind it; empty for none.
    pub unit: &'static str,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// The kind's schema that brought it; 1 for one that was always there. Never falls within a group.
    pub since: u8,
}

/// The fields that only make sense together: the unit of writing and of merging.
///
/// Payload of Once, Last, Contested: one row of `fields`. Of Ledger: a postcard sequence of rows, at least one;
/// an entry's identity is (op id, index). Of Set: [`crate::schema::SetChange`]. Of Decision: [`crate::decision::Decision`].
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number within the kind, never reused.
    pub number: u16,
    /// The word of `sheet add ID <name>`, JSON and history.
    pub name: &'static str,
    /// How it merges.
    pub class: Class,
    /// Whether a decision decides on it.
    pub content: bool,
    /// Whether it takes no writes after the seal.
    pub frozen: bool,
    /// Who writes it.
    pub writer: Writer,
    /// For a Set: index of the field that identifies an element; `None`: the op that added it does.
    pub key: Option<usize>,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// The fields, in wire order; only appended to under a new schema number.
    pub fields: &'static [Field],
}

impl Group {
    /// Returns the group's tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        Tag::new(self.number, self.class)
    }

    /// Returns the fields that a row has under `schema` of its kind: those that it or an earlier one brought.
    ///
    /// A group only grows at its end, so the rows of every schema begin alike.
    ///
    /// ```
    /// use records::schema::Typed;
    /// let group = records::kinds::site::Address::GROUP;
    /// assert_eq!(group.fields_at(1).len(), group.fields.len());
    /// assert!(group.fields_at(0).is_empty());
    /// ```
    #[must_use]
    pub fn fields_at(&self, schema: u8) -> &'static [Field] {
        let there = self.fields.iter().take_while(|field| field.since <= schema).count();
        self.fields.get(..there).unwrap_or(self.fields)
    }

    /// Returns the lowest schema of the kind under which the group is as it is now.
    #[must_use]
    pub fn schema(&self) -> u8 {
        self.fields.last().map_or(1, |field| field.since)
    }

    /// Returns the member of `--json` that holds the group's rows, for a Ledger or a Set: `parts` for `part`.
    ///
    /// No field of a register has that name within the kind, so both may stand side by side.
    ///
    /// ```
    /// use records::schema::Typed;
    /// assert_eq!(records::kinds::sheet::Parts::GROUP.list_name(), "parts");
    /// assert_eq!(records::kinds::staff::Roles::GROUP.list_name(), "roles");
    /// ```
    #[must_use]
    pub fn list_name(&self) -> String {
        let name = self.name;
        if name.ends_with('s') { name.to_owned() } else { format!("{name}s") }
    }
}

/// Which feed a kind's documents go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everybody: master data, staff, templates.
    Company,
    /// The branch, and the staff it concerns.
    Branch,
    /// Nobody: it stays at headquarters.
    Headquarters,
}

/// One kind of record.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its number on the wire; the high bit means that a reader must understand it.
    pub number: u16,
    /// The number of this table's version.
    pub schema: u8,
    /// The identifier of `--kind`.
    pub name: &'static str,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// Who gets it.
    pub reach: Reach,
    /// Its states; `None` for master data.
    pub machine: Option<&'static Machine>,
    /// The field by which people, imports and typed references name a document of the kind.
    pub key: Option<&'static str>,
    /// The fields shown of a document where one line must do, best first.
    pub title: &'static [&'static str],
    /// The staff fields whose people the document concerns: (group number, field index). HQ sends it to their devices,
    /// and a step that only the document's own people may take is open to them, its author and a named colleague.
    pub concerns: &'static [(u16, usize)],
    /// Its groups, by number.
    pub groups: &'static [&'static Group],
}

impl Kind {
    /// Returns the group of that number.
    #[must_use]
    pub fn group(&self, number: u16) -> Option<&'static Group> {
        self.groups.iter().copied().find(|group| group.number == number)
    }

    /// Returns the lowest schema under which rows of these groups are what this build writes.
    ///
    /// An op says no more than that, so that a build that does not know the latest schema reads all else.
    ///
    /// ```
    /// use records::schema::Typed;
    /// let tags = [records::kinds::sheet::Problem::GROUP.tag()];
    /// assert_eq!(records::kinds::repair::REPAIR.schema_of(tags), 1);
    /// ```
    #[must_use]
    pub fn schema_of(&self, tags: impl IntoIterator<Item = Tag>) -> u8 {
        let groups = tags.into_iter().filter_map(|tag| self.group(tag.number()));
        groups.map(Group::schema).max().unwrap_or(1)
    }

    /// Returns the group and the field's index of a `--set` name: a field of a Once, Last or Contested group.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(&'static Group, usize)> {
        self.groups
            .iter()
            .copied()
            .filter(|group| matches!(group.class, Class::Once | Class::Last | Class::Contested))
            .find_map(|group| Some((group, group.fields.iter().position(|field| field.name == name)?)))
    }
}

/// A typed group: the struct that the table's row decodes to.
pub trait Typed: Serialize + DeserializeOwned {
    /// Its line in the table.
    const GROUP: Group;
}

/// What one op does to a Set group.
///
/// `add` rows follow the group's fields; `remove` names elements as seen by the author.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
pub struct SetChange<Row> {
    /// New elements; an element's identity is (op id, index here), or its key field.
    pub add: Vec<Row>,
    /// Additions that the author saw and takes away: (op id, index).
    pub remove: Vec<(crate::id::OpId, u32)>,
}

/// Declares one group: the typed struct and its line in the table.
///
/// `writer` is `Scope` or `Hq`; `content` and `frozen` are `true` or `false`; each field ends with (zh, en, unit);
/// a field whose identifier is a word of Rust is written `kind_of as "type": …`, one that schema 2 of the kind brought
/// `name since 2: …`.
#[macro_export]
macro_rules! group {
    (
        $(#[$doc:meta])*
        $name:ident = $number:literal $word:literal ($zh:literal, $en:literal)
        $class:ident content=$content:literal frozen=$frozen:literal writer=$writer:ident $(key=$key:literal)?
        { $(
            $(#[cfg($when:meta)])?
            $field:ident $(as $word_of:literal)? $(since $since:literal)? : $ty:ty =
                ($fzh:literal, $fen:literal, $unit:literal)
        ),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[cfg($when)])? #[doc = $fen] pub $field: Option<$ty>),* }

        impl $crate::schema::Typed for $name {
            const GROUP: $crate::schema::Group = $crate::schema::Group {
                number: $number,
                name: $word,
                class: $crate::schema::Class::$class,
                content: $content,
                frozen: $frozen,
                writer: $crate::schema::Writer::$writer,
                key: $crate::group!(@key $($key)?),
                zh: $zh,
                en: $en,
                fields: &[$($(#[cfg($when)])? $crate::schema::Field {
                    name: $crate::group!(@name $field $($word_of)?),
                    ty: <$ty as $crate::value::FieldType>::TYPE,
                    unit: $unit,
                    zh: $fzh,
                    en: $fen,
                    since: $crate::group!(@since $($since)?),
                }),*],
            };
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $word:literal) => { $word };
    (@since) => { 1 };
    (@since $since:literal) => { $since };
    (@key) => { None };
    (@key $key:literal) => { Some($key) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_its_number_and_its_class() {
        use Class::{Contested, Decision, Last, Ledger, Once, Set};
        for class in [Once, Last, Contested, Ledger, Set, Decision] {
            let tag = Tag::new(8191, class);
            assert_eq!((tag.number(), tag.class()), (8191, Some(class)));
        }
        assert_eq!([Class::from_bits(6), Class::from_bits(7)], [None, None]);
    }
}
