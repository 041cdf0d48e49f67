//! Lists for the office: CSV that a spreadsheet opens without harm, or a workbook.
//!
//! **Text** stays text in both, so that a number of twenty digits keeps them all.
//! What a spreadsheet would calculate gets a quote before it in CSV; in a workbook the cell is text and carries the
//! mark of a typed quote, so that it stays text when somebody edits it.
//!
//! **Money** is `1234.56` in CSV.
//! A workbook stores numbers as decimal digits and reckons with doubles: the digits are written as they are in the
//! amount, and an amount of more than 15 digits, which a double would change, is written as text.
//! Sums are added up in fen before they are written, never by the spreadsheet.
//!
//! **Days** are `2026-11-22` in CSV, and a day that is shown so in a workbook.
//!
//! Reading order: [`manifest`], [`envelope`], [`gaps`], [`payment`], [`fines`], then [`List`] with `csv` and `xlsx`.

mod csv;
pub mod envelope;
pub mod fines;
pub mod gaps;
pub mod manifest;
pub mod payment;
mod xlsx;

use records::money::Fen;
use records::time::Day;

use crate::words::{Lang, Word};

/// The rows of a workbook's sheet, the heading apart.
pub const ROWS_MAX: usize = 1_048_575;

/// The characters of a workbook's cell.
pub const CELL_CHARS_MAX: usize = 32_767;

/// A table with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// What the sheet of a workbook is called: at most 31 characters, none of `[]:*?/\`.
    pub name: String,
    /// The headings.
    pub heads: Vec<String>,
    /// The rows; each as long as `heads`.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text, however much it looks like a number or a formula.
    Text(String),
    /// An amount.
    Money(Fen),
    /// A day.
    Day(Day),
    /// How many.
    Count(u32),
    /// Nothing.
    Empty,
}

/// Why a list was not written.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A sum beyond what an amount can be.
    #[error("the sum of the rows is no amount")]
    Sum,
    /// More rows than [`ROWS_MAX`].
    #[error("{rows} rows; at most {ROWS_MAX} are written")]
    TooLong {
        /// How many there are.
        rows: usize,
    },
    /// The workbook's writer refused.
    #[error("the workbook cannot be written: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

impl Cell {
    /// Returns a text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }
}

impl List {
    /// Returns the list as CSV in UTF-8; `mark` puts the byte order mark before it, by which spreadsheets know that.
    ///
    /// # Errors
    /// [`ListError::TooLong`].
    pub fn csv(&self, mark: bool) -> Result<Vec<u8>, ListError> {
        self.fits()?;
        Ok(csv::written(self, mark))
    }

    fn fits(&self) -> Result<(), ListError> {
        let rows = self.rows.len();
        if rows > ROWS_MAX { Err(ListError::TooLong { rows }) } else { Ok(()) }
    }
}

/// Returns a workbook with a sheet for each list; equal lists give equal bytes.
///
/// # Errors
/// [`ListError::TooLong`], [`ListError::Xlsx`].
pub fn workbook(lists: &[List]) -> Result<Vec<u8>, ListError> {
    lists.iter().try_for_each(List::fits)?;
    Ok(xlsx::written(lists)?)
}

/// Returns headings in a language.
fn heads(lang: Lang, words: &[Word]) -> Vec<String> {
    words.iter().map(|word| lang.say(*word)).collect()
}

/// Returns a sum as a cell.
fn total(amounts: impl Iterator<Item = Fen>) -> Result<Cell, ListError> {
    crate::paper::sum(amounts).map(Cell::Money).map_err(|_| ListError::Sum)
}

/// Returns how many there are of something that is counted in parts.
fn count(parts: impl Iterator<Item = u32>) -> Cell {
    Cell::Count(parts.fold(0, u32::saturating_add))
}
