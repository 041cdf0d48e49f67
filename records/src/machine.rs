//! State machines as tables: states, steps, who may take them, and which of two concurrent ones is stricter.

use crate::kinds::staff::Role;

/// A state or a step by its place in the machine's list; lists are only appended to.
pub type Index = u8;

/// One state.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// The identifier of `--state` and JSON.
    pub name: &'static str,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
}

/// One step from some states to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The identifier.
    pub name: &'static str,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// From where it may be taken.
    pub from: &'static [Index],
    /// Where it leads.
    pub to: Index,
    /// The roles that may take it; empty: only HQ's own log.
    pub who: &'static [Role],
    /// Whether only the document's own engineer or assignee may take it.
    pub own: bool,
    /// Of two concurrent steps the one with the larger number stands; equal numbers: the first in HQ's order.
    pub strictness: u8,
    /// Whether the step closes the content (the seal): frozen groups take no further writes.
    pub seals: bool,
}

/// The states and steps of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    /// The machine's name.
    pub name: &'static str,
    /// The states; a new document is in the first.
    pub states: &'static [State],
    /// The steps; a decision carries the index.
    pub steps: &'static [Step],
}

impl Machine {
    /// Returns the index and the step of that name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<(Index, &'static Step)> {
        let at = self.steps.iter().position(|step| step.name == name)?;
        Some((Index::try_from(at).ok()?, self.steps.get(at)?))
    }
}
