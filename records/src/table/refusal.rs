//! Why a row was not taken: facts, with a stable rule id; the edge makes the sentence.

use crate::value::text::ValueError;

/// One row that was not taken; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file on which the row begins, from 1; with a CSV the header is line 1.
    pub line: u64,
    /// The field, or the column where no field is concerned; empty where the whole row is.
    pub field: String,
    /// What stood there, at most [`VALUE_CHARS_MAX`] characters of it.
    pub value: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// So much of a refused value is shown.
pub const VALUE_CHARS_MAX: usize = 80;

/// What is wrong with a row or a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// I-01: the row has another number of columns than the header.
    #[error("{found} columns where the header has {expected}")]
    Columns {
        /// Of the header.
        expected: usize,
        /// Of the row.
        found: usize,
    },
    /// I-02: the bytes are not in the file's encoding.
    #[error("characters that are not in the file's encoding")]
    Encoding,
    /// I-03: the row is longer than [`crate::table::source::RECORD_BYTES_MAX`], or a quote is never closed.
    #[error("a row of more than {max} bytes, or a quote that is never closed")]
    TooManyBytes {
        /// The limit.
        max: usize,
    },
    /// I-04: the line is not one JSON object.
    #[error("not one JSON object on one line")]
    NotAnObject,
    /// I-05: a required value is missing.
    #[error("a required value is missing")]
    Missing,
    /// I-06 to I-14: the text is not a value of the field.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// I-15: a day or an instant later than today where the mapping says that it has passed.
    #[error("lies in the future")]
    InFuture,
    /// I-16: an amount of zero where money changed hands.
    #[error("an amount of zero")]
    ZeroAmount,
    /// I-17: a list column that is not a JSON array.
    #[error("not a JSON array of entries")]
    NotAList,
    /// I-18: more entries than a list takes.
    #[error("more than {max} entries")]
    TooManyEntries {
        /// The limit.
        max: usize,
    },
    /// I-19: no section of the mapping says which kind the row is.
    #[error("the mapping has no case for this row")]
    NoCase,
    /// I-20: the file breaks off here: it was cut, or its packing is damaged; nothing after it was read.
    #[error("the file breaks off here")]
    BreaksOff,
}

impl Reason {
    /// Returns the stable id of the rule.
    ///
    /// Source: docs/RULES.md, I-01 to I-20.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Columns { .. } => "I-01",
            Self::Encoding => "I-02",
            Self::TooManyBytes { .. } => "I-03",
            Self::NotAnObject => "I-04",
            Self::Missing => "I-05",
            Self::Value(error) => match error {
                ValueError::Time(_) => "I-06",
                ValueError::Amount(_) => "I-07",
                ValueError::NotACount | ValueError::NotADecimal { .. } => "I-08",
                ValueError::NotInList { .. } | ValueError::NotABool => "I-09",
                ValueError::TooLong { .. } => "I-10",
                ValueError::Control(_) | ValueError::NotComposed => "I-11",
                ValueError::NotAHash => "I-12",
                ValueError::NotAFix => "I-13",
                ValueError::Empty | ValueError::WrongType => "I-14",
            },
            Self::InFuture => "I-15",
            Self::ZeroAmount => "I-16",
            Self::NotAList => "I-17",
            Self::TooManyEntries { .. } => "I-18",
            Self::NoCase => "I-19",
            Self::BreaksOff => "I-20",
        }
    }
}

/// Cuts a value for [`Refusal::value`].
pub(crate) fn shown(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", value.get(..at).unwrap_or_default()),
        None => value.to_owned(),
    }
}
