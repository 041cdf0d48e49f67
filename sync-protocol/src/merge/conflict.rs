//! What the merge did not choose, for a person to see or settle.

use records::id::OpId;
use records::schema::{Class, Tag};

use crate::merge::{Document, Register, Standing};

/// Something that only a named person settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict<'a> {
    /// Two values of a Contested group.
    Values(Tag, &'a Register),
    /// Two seals, each with its content and signature.
    Seals(Vec<OpId>),
}

impl Document {
    /// Returns the open conflicts: groups by tag, then the seals.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict<'_>> {
        let values =
            self.open(&[Some(Class::Contested)]).map(|(tag, register)| Conflict::Values(tag, register));
        let contested = self.decisions.iter().filter(|ruled| ruled.standing == Standing::Contested);
        let seals: Vec<OpId> = contested.map(|ruled| ruled.op).collect();
        let seals = (!seals.is_empty()).then_some(Conflict::Seals(seals));
        values.chain(seals).collect()
    }

    /// Returns the groups where one of several values was taken and the others are still to be seen, by tag.
    pub fn soft_conflicts(&self) -> impl Iterator<Item = (Tag, &Register)> {
        self.open(&[Some(Class::Once), Some(Class::Last)])
    }

    fn open<'a>(&'a self, classes: &'a [Option<Class>]) -> impl Iterator<Item = (Tag, &'a Register)> {
        let open = |(tag, register): &(&Tag, &Register)| {
            !register.others.is_empty() && classes.contains(&tag.class())
        };
        self.registers.iter().filter(open).map(|(tag, register)| (*tag, register))
    }
}
