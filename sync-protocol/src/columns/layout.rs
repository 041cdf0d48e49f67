//! How a group's payload falls into columns: frozen with the (kind, schema) whose table it comes from.

use records::schema::{Class, Field, Kind, Tag};
use records::value::Type;

/// What stands at one place of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Atom {
    /// A signed number.
    Signed,
    /// An unsigned number.
    Number,
    /// One byte.
    Byte,
    /// A length and a text.
    Text,
    /// A length and bytes.
    Bytes,
    /// 16 bytes.
    Half,
    /// An op's name.
    Id,
    /// 0 and a text, or 1 and a document's name.
    Target,
    /// A meter's value.
    Meter,
    /// A position.
    Fix,
}

/// One place of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Whether a byte 0 or 1 in front says that it is there.
    pub(crate) optional: bool,
    /// What it holds.
    pub(crate) atom: Atom,
}

impl Slot {
    /// Returns whether the slot at that place of the row stands in a row of that mask.
    pub(crate) fn stands(self, at: usize, mask: i64) -> bool {
        !self.optional || mask >> at & 1 == 1
    }
}

/// How rows stand in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One row.
    One,
    /// A count and rows.
    Many,
    /// A count and rows, a count and names with a number.
    Change,
}

/// The columns of one group; equal ones share their columns, whatever kinds they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) tag: Tag,
    pub(crate) shape: Shape,
    pub(crate) slots: Vec<Slot>,
}

/// A mask of present slots is one number.
const SLOTS_MAX: usize = 60;

impl Layout {
    /// Returns the layout of a group of that kind and schema; `None` where this build has no table of it.
    pub(crate) fn of(kind: u16, schema: u8, tag: Tag) -> Option<Self> {
        let kind: &Kind = records::kinds::by_number(kind).filter(|kind| schema <= kind.schema)?;
        let group = kind.group(tag.number()).filter(|group| group.tag() == tag)?;
        let shape = match group.class {
            Class::Once | Class::Last | Class::Contested | Class::Decision => Shape::One,
            Class::Ledger => Shape::Many,
            Class::Set => Shape::Change,
        };
        let slots = if group.class == Class::Decision { decision() } else { fields(group.fields_at(schema)) };
        (1..=SLOTS_MAX).contains(&slots.len()).then_some(Self { tag, shape, slots })
    }
}

/// [`records::decision::Decision`]: step, role, principal, colleague, reason, digest, pick.
fn decision() -> Vec<Slot> {
    let slot = |(optional, atom)| Slot { optional, atom };
    let slots = [
        (false, Atom::Byte),
        (false, Atom::Byte),
        (true, Atom::Id),
        (true, Atom::Id),
        (false, Atom::Text),
        (true, Atom::Half),
        (true, Atom::Id),
    ];
    slots.into_iter().map(slot).collect()
}

fn fields(fields: &[Field]) -> Vec<Slot> {
    let atom = |ty| match ty {
        Type::Text(_) => Atom::Text,
        Type::Fen | Type::Ts | Type::Qty | Type::Day => Atom::Signed,
        Type::Min | Type::Count | Type::Metre => Atom::Number,
        Type::Bool | Type::Choice(_) => Atom::Byte,
        Type::Ref(_) => Atom::Target,
        Type::Meter => Atom::Meter,
        Type::Fix => Atom::Fix,
        Type::File | Type::Digest => Atom::Bytes,
    };
    fields.iter().map(|field| Slot { optional: true, atom: atom(field.ty) }).collect()
}
