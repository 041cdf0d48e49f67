//! A sentence for people as a value: its place in the table of sentences and what fills it.
//!
//! The programs hold the table, in three languages, under `text.policy.`.

use crate::policy::calendar::DayKind;
use crate::policy::calendar_file::CalendarError;
use crate::policy::count::{Mark, Step};
use crate::policy::file::Problem;
use crate::policy::line::{self, LineError};

/// A sentence: where it stands in the table, and its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Its key without the beginning that all share.
    pub id: String,
    /// The name of each place, and what fills it.
    pub facts: Vec<(&'static str, Fact)>,
}

/// What fills a place of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A text as it is.
    Text(String),
    /// Words of the table.
    Words(Sentence),
}

impl Sentence {
    /// Returns a sentence without facts.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), facts: Vec::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.facts.push((name, Fact::Text(value.to_string())));
        self
    }

    /// Adds a fact that is itself in the table.
    #[must_use]
    pub fn words(mut self, name: &'static str, words: Self) -> Self {
        self.facts.push((name, Fact::Words(words)));
        self
    }

    /// Returns the text: `say` gives the sentence of a key with its facts filled in.
    pub fn text(&self, say: &impl Fn(&str, &[(&str, &str)]) -> String) -> String {
        let fill = |fact: &Fact| match fact {
            Fact::Text(text) => text.clone(),
            Fact::Words(words) => words.text(say),
        };
        let facts: Vec<(&str, String)> = self.facts.iter().map(|(name, fact)| (*name, fill(fact))).collect();
        let facts: Vec<(&str, &str)> = facts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        say(&format!("text.policy.{}", self.id), &facts)
    }
}

impl Step {
    /// Returns the line of a day: the day, its weekday, what it is and what it did.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        Sentence::new("day")
            .with("day", self.day)
            .words("weekday", Sentence::new(format!("weekday.{}", self.day.weekday())))
            .words("kind", self.kind.sentence())
            .words("mark", self.mark.sentence())
    }
}

impl DayKind {
    fn sentence(self) -> Sentence {
        Sentence::new(format!("kind.{}", self.name()))
    }
}

impl Mark {
    fn sentence(self) -> Sentence {
        let sentence = Sentence::new(format!("mark.{}", self.name()));
        match self {
            Self::Counted(n) => sentence.with("n", n),
            Self::Start
            | Self::Skipped
            | Self::Closed
            | Self::Paused
            | Self::Accepted
            | Self::Named
            | Self::Moved => sentence,
        }
    }
}

impl line::Step {
    /// Returns the line of a step: what it is, its amount and its rule.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        let id = if self.rule.is_empty() { "amount" } else { "amount_by_rule" };
        let sentence = Sentence::new(id)
            .words("what", Sentence::new(format!("what.{}", self.what.name())))
            .with("amount", format!("{:>9}", self.amount.to_string()));
        if self.rule.is_empty() { sentence } else { sentence.with("rule", self.rule) }
    }
}

impl Problem {
    /// Returns what is wrong with a policy file.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Syntax(reason) => Sentence::new("problem.syntax").with("reason", reason),
            Self::UnknownKey { known } => Sentence::new("problem.unknown_key").with("known", known),
            Self::NoVersion => Sentence::new("problem.no_version"),
            Self::NotATable => Sentence::new("problem.not_a_table"),
            Self::NotABool => Sentence::new("problem.not_a_bool"),
            Self::NotAText { min, max } => {
                Sentence::new("problem.not_a_text").with("min", min).with("max", max)
            }
            Self::NotANumber { min, max } => {
                Sentence::new("problem.not_a_number").with("min", min).with("max", max)
            }
            Self::NotAWord { found, allowed } => {
                Sentence::new("problem.not_a_word").with("found", found).with("allowed", allowed)
            }
            Self::NotCarriedOut { found, does } => {
                Sentence::new("problem.not_carried_out").with("found", found).with("does", does)
            }
            Self::NotACurrency => Sentence::new("problem.not_a_currency"),
            Self::NotAPattern => Sentence::new("problem.not_a_pattern"),
            Self::NotAZone => Sentence::new("problem.not_a_zone"),
            Self::OneEnd => Sentence::new("problem.one_end"),
            Self::NeverOpen => Sentence::new("problem.never_open"),
            Self::BeforeItsEnd => Sentence::new("problem.before_its_end"),
            Self::HalfUnsent => Sentence::new("problem.half_unsent"),
        }
    }
}

impl CalendarError {
    /// Returns what is wrong with a calendar file.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Syntax { line } => Sentence::new("calendar.syntax").with("line", line),
            Self::Shape { at, expected } => {
                Sentence::new("calendar.shape").with("at", at).with("expected", expected)
            }
            Self::NotADay { at, found } => {
                Sentence::new("calendar.not_a_day").with("at", at).with("found", found)
            }
            Self::OtherYear { at, day, year } => {
                Sentence::new("calendar.other_year").with("at", at).with("day", day).with("year", year)
            }
            Self::Both { day } => Sentence::new("calendar.both").with("day", day),
            Self::TooLong => Sentence::new("calendar.too_long"),
        }
    }
}

impl LineError {
    /// Returns why nothing can be reckoned.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::NotPositive(amount) => Sentence::new("line.not_positive").with("amount", amount),
            Self::Negative(amount) => Sentence::new("line.negative").with("amount", amount),
            Self::TooLarge => Sentence::new("line.too_large"),
        }
    }
}
