//! Why a row was not taken: facts, with a stable rule id; the edge makes the sentence.

use crate::money::FenError;

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
    /// I-06: no such day, or another shape of date than the mapping names.
    #[error("not a date")]
    NotADate,
    /// I-07: not a number.
    #[error("not a number")]
    NotANumber,
    /// I-08: more decimals than the field keeps.
    #[error("more than {decimals} decimals")]
    TooFine {
        /// What the field keeps.
        decimals: u8,
    },
    /// I-09: beyond the field's range.
    #[error("beyond the range of the field")]
    OutOfRange,
    /// I-10: a word that is not in the list.
    #[error("not one of the list {list}")]
    UnknownWord {
        /// The list's name.
        list: &'static str,
    },
    /// I-11: longer than the field.
    #[error("{found} characters where {max} are kept")]
    TooLong {
        /// The field's limit.
        max: u16,
        /// Of the text.
        found: usize,
    },
    /// I-12: a control character other than tab and line end.
    #[error("a control character")]
    Control,
    /// I-13: not pairs of hexadecimal digits, or more than 32 bytes.
    #[error("not the hexadecimal digits of at most 32 bytes")]
    NotHex,
    /// I-14: not latitude and longitude in degrees.
    #[error("not a latitude and a longitude in degrees")]
    NotAPlace,
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
            Self::NotADate => "I-06",
            Self::NotANumber => "I-07",
            Self::TooFine { .. } => "I-08",
            Self::OutOfRange => "I-09",
            Self::UnknownWord { .. } => "I-10",
            Self::TooLong { .. } => "I-11",
            Self::Control => "I-12",
            Self::NotHex => "I-13",
            Self::NotAPlace => "I-14",
            Self::InFuture => "I-15",
            Self::ZeroAmount => "I-16",
            Self::NotAList => "I-17",
            Self::TooManyEntries { .. } => "I-18",
            Self::NoCase => "I-19",
            Self::BreaksOff => "I-20",
        }
    }
}

impl From<FenError> for Reason {
    fn from(error: FenError) -> Self {
        match error {
            FenError::NotANumber => Self::NotANumber,
            FenError::TooFine => Self::TooFine { decimals: 2 },
            FenError::TooLarge => Self::OutOfRange,
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
