//! What ends a command early: its exit code, one sentence and one hint.

use serde_json::{Value, json};

use crate::cli::lang::Lang;

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
    pub facts: Vec<(String, String)>,
    /// What else is wrong, one line each: the open points of a sheet that cannot be sealed.
    pub points: Vec<Point>,
}

/// One of several things that are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The rule's id.
    pub rule: String,
    /// The field, item or line that it is about; empty for the whole record.
    pub field: String,
    /// The sentence.
    pub message: String,
}

impl Fault {
    /// Returns the fault with that sentence and no facts.
    #[must_use]
    pub fn new(exit: Exit, key: &str) -> Self {
        Self {
            exit,
            rule: String::new(),
            key: key.to_owned(),
            facts: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Returns the fault of a file that could not be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let (exit, key) = match error.kind() {
            std::io::ErrorKind::NotFound => (Exit::Usage, "error.file.missing"),
            std::io::ErrorKind::PermissionDenied => (Exit::Usage, "error.file.denied"),
            std::io::ErrorKind::StorageFull => (Exit::NoSpace, "error.file.no_space"),
            _ => (Exit::Usage, "error.file.other"),
        };
        Self::new(exit, key)
            .with("file", &path.display())
            .with("reason", error)
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: &dyn std::fmt::Display) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
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
        self.filled(lang, &format!("{}.hint", self.key))
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
            text.push_str(&format!("  {} {}\n", point.rule, point.message));
        }
        text.push_str(&format!("hint: {}\n", self.hint(lang)));
        text
    }

    /// Returns what stands on standard output under `--json`.
    #[must_use]
    pub fn json(&self, lang: Lang) -> Value {
        let points: Vec<Value> = self
            .points
            .iter()
            .map(|point| json!({"rule": point.rule, "field": point.field, "message": point.message}))
            .collect();
        json!({"error": {
            "exit": self.exit as u8,
            "rule": self.rule,
            "message": self.sentence(lang),
            "hint": self.hint(lang),
            "problems": points,
        }})
    }

    fn filled(&self, lang: Lang, key: &str) -> String {
        let facts: Vec<(&str, &str)> = self.facts.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        lang.say(key, &facts)
    }
}
