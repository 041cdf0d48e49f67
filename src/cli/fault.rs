//! What ends a command early: its exit code, one sentence and one hint.

use records::problems::Problem;
use serde_json::{Value, json};

use crate::cli::lang::Lang;
use crate::notebook::refusal::Said;

/// The exit codes.
///
/// Source: docs/CLI.md, Exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused by a rule.
    Refused = 1,
    /// The command line is not one of ours.
    Usage = 2,
    /// HQ cannot be reached, or answers with another key.
    Unreachable = 3,
    /// The store is damaged.
    Damaged = 4,
    /// Locked by a PIN.
    Locked = 5,
    /// No space.
    NoSpace = 6,
    /// Another process holds the home.
    InUse = 7,
}

/// The sentence of a file; what the system said of it brings its own hint.
const FILE: &str = "error.file";

/// Why a command did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The exit code.
    pub exit: Exit,
    /// The rule's id; empty where no rule of the domain is behind it.
    pub rule: String,
    /// The key of the sentence; its hint stands under the same key with `.hint`.
    pub key: String,
    /// What fills the sentence and the hint.
    pub facts: Vec<(String, Said)>,
    /// The key of our words for what the system said: they fill `reason`.
    pub reason: Option<&'static str>,
    /// What else is wrong, one line each: the open points of a sheet that cannot be sealed.
    pub points: Vec<Problem>,
}

impl Fault {
    /// Returns the fault with that sentence and no facts.
    #[must_use]
    pub fn new(exit: Exit, key: &str) -> Self {
        let (rule, key) = (String::new(), key.to_owned());
        Self { exit, rule, key, facts: Vec::new(), reason: None, points: Vec::new() }
    }

    /// Returns the fault of a file that could not be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::StorageFull => Exit::NoSpace,
            _ => Exit::Usage,
        };
        Self::new(exit, FILE).with("file", &path.display()).because(error)
    }

    /// Adds what the system said as `reason`: in our words, or in its own where we have none.
    #[must_use]
    pub fn because(mut self, error: &std::io::Error) -> Self {
        self.reason = locales::reason(error.kind());
        if self.reason.is_some() { self } else { self.with("reason", error) }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: &dyn std::fmt::Display) -> Self {
        self.facts.push((name.to_owned(), Said::Text(value.to_string())));
        self
    }

    /// Names the rule.
    #[must_use]
    pub fn rule(mut self, rule: &str) -> Self {
        rule.clone_into(&mut self.rule);
        self
    }

    /// Returns the sentence.
    #[must_use]
    pub fn sentence(&self, lang: Lang) -> String {
        self.filled(lang, &self.key)
    }

    /// Returns the hint.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> String {
        let advice = self.reason.filter(|_| self.key == FILE);
        self.filled(lang, &format!("{}.hint", advice.unwrap_or(&self.key)))
    }

    /// Returns what stands on standard error: the sentence with the rule's id, the points, the hint.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let mut text = self.sentence(lang);
        if !self.rule.is_empty() {
            text.push_str(&format!(" [{}]", self.rule));
        }
        text.push('\n');
        for point in &self.points {
            text.push_str(&format!(
                "  {} {} ({})\n",
                point.rule,
                point.text(lang.of_labels()),
                point.hint(lang.of_labels())
            ));
        }
        text.push_str(&format!("hint: {}\n", self.hint(lang)));
        text
    }

    /// Returns what stands on standard output under `--json`.
    #[must_use]
    pub fn json(&self, lang: Lang) -> Value {
        let points: Vec<Value> = self.points.iter().map(|point| problem_json(point, lang)).collect();
        json!({"error": {
            "exit": self.exit as u8,
            "rule": self.rule,
            "message": self.sentence(lang),
            "hint": self.hint(lang),
            "problems": points,
        }})
    }

    fn filled(&self, lang: Lang, key: &str) -> String {
        let said = |said: &Said| match said {
            Said::Text(text) => text.clone(),
            Said::Label(zh, en) => lang.label(zh, en).to_owned(),
        };
        let mut texts: Vec<(&str, String)> =
            self.facts.iter().map(|(name, value)| (name.as_str(), said(value))).collect();
        texts.extend(self.reason.map(|reason| ("reason", lang.say(reason, &[]))));
        let facts: Vec<(&str, &str)> = texts.iter().map(|(name, value)| (*name, value.as_str())).collect();
        lang.say(key, &facts)
    }
}

/// Returns a problem as it stands in an answer.
#[must_use]
pub fn problem_json(problem: &Problem, lang: Lang) -> Value {
    json!({
        "rule": problem.rule,
        "group": problem.group,
        "field": problem.field,
        "message": problem.text(lang.of_labels()),
        "hint": problem.hint(lang.of_labels()),
    })
}
