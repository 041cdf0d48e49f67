//! Why the office's use cases did not do what they were asked: a rule with the facts of its sentence, or the database.

use records::problems::Problem;

use crate::author::AuthorError;
use crate::store::StoreError;

/// What one place of a refusal's sentence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The same in every language.
    Text(String),
    /// A label: zh-CN and English.
    Label(&'static str, &'static str),
}

/// A rule that stands against a request; nothing was changed.
///
/// The edge makes the sentence: its place in the table of sentences is named after the rule and the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule's id.
    ///
    /// Source: docs/RULES.md, The office (H-01 and on), Writing (W-07 and on).
    pub rule: &'static str,
    /// Which of the rule's sentences; empty where it has one.
    pub case: &'static str,
    /// What fills the sentence.
    pub facts: Vec<(&'static str, Said)>,
}

impl Refusal {
    /// Returns the refusal by that rule.
    #[must_use]
    pub const fn by(rule: &'static str) -> Self {
        Self { rule, case: "", facts: Vec::new() }
    }

    /// Names which of the rule's sentences it is.
    #[must_use]
    pub const fn case(mut self, case: &'static str) -> Self {
        self.case = case;
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.facts.push((name, Said::Text(value.to_string())));
        self
    }

    /// Adds a label as a fact.
    #[must_use]
    pub fn label(mut self, name: &'static str, zh: &'static str, en: &'static str) -> Self {
        self.facts.push((name, Said::Label(zh, en)));
        self
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum MoneyError {
    /// A rule stands against it.
    #[error("refused by rule {}", .0.rule)]
    Refused(Box<Refusal>),
    /// A rule of the records stands against it.
    #[error("refused by rule {}", .0.rule)]
    Ruled(Box<Problem>),
    /// HQ's log.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for MoneyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
