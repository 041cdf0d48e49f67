//! Papers as values, and the one file that they are printed into.

use std::collections::BTreeSet;

use records::money::Fen;

use crate::batch::BatchForm;
use crate::block::Leaf;
use crate::claim::ClaimForm;
use crate::paste::PasteSheets;
use crate::press::Press;
use crate::set::Setter;
use crate::sheet::SheetReport;
use crate::trip::TripForm;
use crate::typefaces::Typefaces;
use crate::words::Lang;

/// How much text one file may hold; a claim of 1,000 lines has a tenth of it.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// What is printed on every page, beside the papers' own texts.
const ALWAYS: &str = "0123456789";

/// One paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// 费用报销单.
    Claim(ClaimForm),
    /// 票据粘贴单.
    Paste(PasteSheets),
    /// 出差汇总审批表.
    Trip(TripForm),
    /// 安装单, 维修单 or 巡检单.
    Sheet(SheetReport),
    /// 报销批次: label and list.
    Batch(BatchForm),
}

/// What is printed together, each paper on pages of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print {
    /// The language of the papers' own words.
    pub lang: Lang,
    /// What a window that shows the file is called.
    pub title: String,
    /// The papers in order.
    pub papers: Vec<Paper>,
}

/// Why nothing was printed.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum PaperError {
    /// A sum beyond what an amount can be.
    #[error("the sum of the lines is no amount")]
    Sum,
    /// More text than [`TEXT_BYTES_MAX`].
    #[error("{bytes} bytes of text; at most {TEXT_BYTES_MAX} are printed")]
    TooLong {
        /// How much there is.
        bytes: usize,
    },
    /// A font is damaged behind its tables.
    #[error("the font is damaged")]
    Font,
}

impl Print {
    /// Returns every character that is printed: what [`Typefaces::choose`] looks for.
    ///
    /// # Errors
    /// [`PaperError::Sum`], [`PaperError::TooLong`].
    pub fn characters(&self) -> Result<BTreeSet<char>, PaperError> {
        let page = self.lang.page(0, 0);
        let mut characters: BTreeSet<char> = ALWAYS.chars().chain(page.chars()).collect();
        for leaf in self.leaves()? {
            leaf.texts(&mut |text| characters.extend(text.chars()));
        }
        Ok(characters)
    }

    /// Returns the papers as one PDF file; equal values give equal bytes.
    ///
    /// # Errors
    /// [`PaperError`].
    pub fn pdf(&self, faces: &Typefaces) -> Result<Vec<u8>, PaperError> {
        let mut press = Press::new(faces);
        for leaf in self.leaves()? {
            Setter::set(&mut press, leaf, self.lang);
        }
        press.finish(&self.title, self.lang).map_err(|_| PaperError::Font)
    }

    fn leaves(&self) -> Result<Vec<Leaf>, PaperError> {
        let leaf = |paper: &Paper| match paper {
            Paper::Claim(form) => form.leaf(self.lang),
            Paper::Paste(sheets) => Ok(sheets.leaf(self.lang)),
            Paper::Trip(form) => Ok(form.leaf(self.lang)),
            Paper::Sheet(report) => Ok(report.leaf(self.lang)),
            Paper::Batch(form) => Ok(form.leaf(self.lang)),
        };
        let leaves = self.papers.iter().map(leaf).collect::<Result<Vec<_>, _>>()?;
        let mut bytes = 0_usize;
        for leaf in &leaves {
            leaf.texts(&mut |text| bytes = bytes.saturating_add(text.len()));
        }
        if bytes > TEXT_BYTES_MAX { Err(PaperError::TooLong { bytes }) } else { Ok(leaves) }
    }
}

/// Returns the sum of amounts.
///
/// # Errors
/// [`PaperError::Sum`].
pub(crate) fn sum(amounts: impl Iterator<Item = Fen>) -> Result<Fen, PaperError> {
    let mut sum = 0_i64;
    for amount in amounts {
        sum = sum.checked_add(amount.0).ok_or(PaperError::Sum)?;
    }
    Ok(Fen(sum))
}

/// Returns how much less one amount is than another.
///
/// # Errors
/// [`PaperError::Sum`].
pub(crate) fn difference(from: Fen, less: Fen) -> Result<Fen, PaperError> {
    from.0.checked_sub(less.0).map(Fen).ok_or(PaperError::Sum)
}
