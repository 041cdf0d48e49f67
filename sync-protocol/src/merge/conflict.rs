//! What the merge did not choose, for a person to see or settle.

use records::id::OpId;
use records::machine::State;
use records::schema::{Class, Tag};

use crate::merge::{Document, Register, Ruled, Standing};

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

    /// Returns what lost steps left to be seen on the document: a cancel that came too late, a withdrawal in transit.
    ///
    /// Where the content is open the person can still do what he wanted, and whoever sealed it again thereafter wants
    /// it no more: then nothing is left of it.
    ///
    /// Source: docs/PROTOCOL.md, Merge classes.
    #[must_use]
    pub fn flags(&self) -> Vec<&'static State> {
        let machine = records::kinds::by_number(self.kind).and_then(|kind| kind.machine);
        let Some(machine) = machine.filter(|machine| !machine.opens(self.state)) else {
            return Vec::new();
        };
        let seals = |ruled: &Ruled| machine.step_at(ruled.step).is_some_and(|step| step.seals);
        let sealed = |ruled: &Ruled| ruled.standing == Standing::Stands && seals(ruled);
        let since = self.decisions.iter().rposition(sealed).map_or(0, |seal| seal + 1);
        let lost = |ruled: &&Ruled| matches!(ruled.standing, Standing::Superseded | Standing::TooLate);
        let lost = self.decisions.iter().skip(since).filter(lost);
        let mut flags: Vec<&State> =
            lost.filter_map(|ruled| machine.step_at(ruled.step)?.lost_flag).collect();
        flags.dedup();
        flags
    }

    fn open<'a>(&'a self, classes: &'a [Option<Class>]) -> impl Iterator<Item = (Tag, &'a Register)> {
        let open = |(tag, register): &(&Tag, &Register)| {
            !register.others.is_empty() && classes.contains(&tag.class())
        };
        self.registers.iter().filter(open).map(|(tag, register)| (*tag, register))
    }
}
