//! What betrays a wrong claim: sixteen rules that find what a person should look at before he approves.
//!
//! A finding is no verdict: it carries what a person can check, and is acknowledged or explained. The rules are pure;
//! what they look at is a [`Trail`], which [`gather`] reads out of records, and [`marks`] says under which marks an
//! index finds those records again.
//!
//! Reading order: [`trail`], [`papers`] (A1, A2, A5, A9, A13, A15), [`sums`] (A3, A4, A6, A11), [`days`] (A7, A8, A10,
//! A12) with [`place`], [`clocks`] (A14, A16), their sentences in [`sentences`].
//!
//! Source: docs/RULES.md, Anomalies.

pub mod clocks;
pub mod days;
pub mod gather;
pub mod marks;
pub mod papers;
pub mod place;
pub mod sentences;
pub mod sums;
#[cfg(test)]
mod tests;
pub mod trail;

use crate::claim::traces::trail::Trail;
use crate::id::DocId;
use crate::policy::calendar::Calendar;
use crate::policy::terms::Policy;
use crate::problems::Problem;
use crate::value::text::Lang;

/// One finding of one rule on one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The rule's id, `A1` to `A16`.
    pub rule: &'static str,
    /// The line that it is about; `None` where it is about the whole claim.
    pub line: Option<u32>,
    /// The vouchers, sheets and other claims that it is about, sorted.
    pub about: Vec<DocId>,
    /// What the sentence names, by the words in its braces.
    pub facts: Vec<(&'static str, String)>,
}

impl Trace {
    pub(crate) const fn new(rule: &'static str, line: Option<u32>) -> Self {
        Self { rule, line, about: Vec::new(), facts: Vec::new() }
    }

    pub(crate) fn about(mut self, about: impl IntoIterator<Item = DocId>) -> Self {
        self.about.extend(about);
        self.about.sort_unstable();
        self.about.dedup();
        self
    }

    pub(crate) fn fact(mut self, name: &'static str, value: &dyn std::fmt::Display) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Returns the evidence as a sentence that a person can check.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        self.problem().text(lang)
    }

    /// Returns the finding as forms and answers show problems.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let mut problem = Problem::new(self.rule, "claim", "");
        problem.facts.clone_from(&self.facts);
        if let Some(line) = self.line {
            problem = problem.fact("line", line.to_string());
        }
        problem
    }

    /// Returns what stays the same where the same thing is found again: rule, line and what it is about.
    ///
    /// Whoever keeps findings asks it, so that none is raised twice.
    #[must_use]
    pub fn identity(&self) -> String {
        let about: Vec<String> = self.about.iter().map(ToString::to_string).collect();
        format!("{}:{}:{}", self.rule, self.line.unwrap_or(0), about.join(","))
    }
}

/// Returns everything that the rules find on a claim, by rule and line.
///
/// ```
/// use records::claim::traces::{of_claim, trail::Trail};
/// # use records::claim::view::Claim;
/// # use records::kinds::claim::{CLAIM, Claimant};
/// # use records::value::{Row, Target, Value, encode};
/// # use records::schema::Typed;
/// use records::policy::{calendar::Calendar, terms::Policy};
/// # let mut record = records::record::Record::new("7.1.1".parse()?, &CLAIM);
/// # let row: Row = vec![Some(Value::Ref(Target::Doc("0.1.5".parse()?))), None, None, None];
/// # record.write(Claimant::GROUP.tag(), &encode(Claimant::GROUP.fields, &row))?;
/// # let claim = Claim::of(&record).ok_or("nobody's")?;
/// let trail = Trail::new(claim);
/// assert_eq!(of_claim(&trail, &Policy::parse("")?, &Calendar::china()), []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: docs/RULES.md, Anomalies.
#[must_use]
pub fn of_claim(trail: &Trail, policy: &Policy, calendar: &Calendar) -> Vec<Trace> {
    let mut traces = Vec::new();
    papers::look(trail, policy, &mut traces);
    sums::look(trail, policy, &mut traces);
    days::look(trail, policy, calendar, &mut traces);
    clocks::look(trail, policy, &mut traces);
    let number = |rule: &str| rule.get(1..).and_then(|n| n.parse::<u8>().ok());
    traces.sort_by_key(|trace| (number(trace.rule), trace.line));
    traces
}
