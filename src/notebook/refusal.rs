//! Why a use case did not do what it was asked: a rule with the facts that make its sentence, or the store.

use records::problems::Problem;
use records::value::Choices;
use records::value::text::ValueError;

use crate::store::error::StoreError;

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
    /// Source: docs/RULES.md, Writing (W-01 and on).
    pub rule: &'static str,
    /// Which of the rule's sentences; empty where it has one.
    pub case: &'static str,
    /// What fills the sentence.
    pub facts: Vec<(&'static str, Said)>,
    /// The open points, where the rule is that none is left.
    pub points: Vec<Problem>,
}

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NotebookError {
    /// A rule stands against it.
    #[error("refused by rule {}", .0.rule)]
    Refused(Box<Refusal>),
    /// The home.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that the request names.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl From<Refusal> for NotebookError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Refusal {
    /// Returns the refusal by that rule.
    #[must_use]
    pub fn by(rule: &'static str) -> Self {
        Self { rule, case: "", facts: Vec::new(), points: Vec::new() }
    }

    /// Names which of the rule's sentences it is.
    #[must_use]
    pub fn case(mut self, case: &'static str) -> Self {
        self.case = case;
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, Said::Text(value.into())));
        self
    }

    /// Returns the refusal of a step that open points stand against (W-14).
    #[must_use]
    pub fn unfinished(code: impl Into<String>, points: Vec<Problem>) -> Self {
        Self { points, ..Self::by("W-14").with("code", code) }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: &'static str, zh: &'static str, en: &'static str) -> Self {
        self.facts.push((name, Said::Label(zh, en)));
        self
    }

    /// Returns the refusal of a value that does not fit its field (W-02).
    #[must_use]
    pub fn value(field: &str, value: &str, error: ValueError) -> Self {
        let mut refusal = Self::by("W-02").with("field", field).with("value", shown(value));
        let (case, limit) = match error {
            ValueError::TooLong { chars, max } => {
                refusal = refusal.with("chars", chars.to_string());
                ("too_long", max.to_string())
            }
            ValueError::Control(code) => ("control", format!("U+{code:04X}")),
            ValueError::NotComposed | ValueError::WrongType => ("type", String::new()),
            ValueError::Empty => ("empty", String::new()),
            ValueError::Amount(records::money::FenError::NotANumber) => ("amount", String::new()),
            ValueError::Amount(records::money::FenError::TooFine) => ("amount_fine", String::new()),
            ValueError::Amount(records::money::FenError::TooLarge) => {
                ("amount_large", "100000000.00".to_owned())
            }
            ValueError::Time(records::time::TimeError::NotADay) => ("day", String::new()),
            ValueError::Time(records::time::TimeError::NotAnInstant) => ("instant", String::new()),
            ValueError::NotACount => ("count", u32::MAX.to_string()),
            ValueError::NotADecimal { decimals } => ("decimal", decimals.to_string()),
            ValueError::NotABool => ("yes_no", String::new()),
            ValueError::NotInList { list } => ("choice", words(list)),
            ValueError::NotAFix => ("position", String::new()),
            ValueError::NotAHash => ("file", String::new()),
        };
        refusal.case(case).with("limit", limit)
    }
}

/// Returns the identifiers of a list, for a sentence.
#[must_use]
pub fn words(list: &Choices) -> String {
    list.options.iter().map(|(word, ..)| *word).collect::<Vec<_>>().join(", ")
}

/// Of a value that was refused, so many characters are shown.
const SHOWN_CHARS: usize = 60;

fn shown(value: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut text: String = value.chars().take(SHOWN_CHARS).map(visible).collect();
    if value.chars().nth(SHOWN_CHARS).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Collects what stands between `by("` and the next quotation mark in every file below a folder.
    fn named(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let ids = ["Refusal::by(\"", ".rule(\""]
                    .iter()
                    .flat_map(|before| text.split(before).skip(1))
                    .filter_map(|after| after.split('"').next());
                found.extend(ids.filter(|id| id.len() < 8).map(ToOwned::to_owned));
            }
        }
    }

    #[test]
    fn every_rule_that_refuses_stands_in_the_document() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        named(&root.join("src"), &mut found);
        assert!(found.contains("W-03") && found.contains("W-23"), "{found:?}");
        let document = std::fs::read_to_string(root.join("docs/RULES.md")).unwrap();
        let missing: Vec<_> = found.iter().filter(|id| !document.contains(&format!("| {id} |"))).collect();
        assert!(missing.is_empty(), "not in docs/RULES.md: {missing:?}");
    }
}
