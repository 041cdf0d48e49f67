//! The report of a work sheet (安装单, 维修单, 巡检单): what was found and done, and who signed for it.

use crate::block::{Block, Column, Head, Leaf, Picture, Table};
use crate::words::{Lang, Word};

/// The largest side of a signature's picture, in pixels.
pub const PICTURE_SIDE_MAX: u32 = 4_096;

/// A work sheet as it is printed; labels are in the paper's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetReport {
    /// The kind of sheet: the title.
    pub kind: String,
    /// Its number; empty for a draft.
    pub number: String,
    /// Its id, which the symbol holds beside the number.
    pub id: String,
    /// Its short code.
    pub code: String,
    /// Its state, in the paper's language.
    pub state: String,
    /// Short values with their labels: customer, site, times, result.
    pub facts: Vec<(String, String)>,
    /// Long texts with their labels: problem, work done.
    pub texts: Vec<(String, String)>,
    /// Lists such as parts, times, readings and answers.
    pub tables: Vec<ReportTable>,
    /// Who signed, or why nobody did.
    pub signed: Signed,
}

/// A list of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTable {
    /// What the list is called.
    pub title: String,
    /// What its columns are called.
    pub columns: Vec<String>,
    /// Its rows; each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// The customer's word on a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// Somebody signed.
    By {
        /// Who, as what, and when.
        who: String,
        /// The strokes; `None` where the file is not on this device.
        strokes: Option<Strokes>,
    },
    /// Nobody did, and why.
    Not {
        /// The reason, in the paper's language.
        reason: String,
    },
    /// Not yet.
    Open,
}

/// A drawing in shades of grey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strokes {
    width: u32,
    height: u32,
    shades: Vec<u8>,
}

impl Strokes {
    /// Takes a drawing row by row from the top, a byte for each pixel, 0 for black.
    ///
    /// `None` where the bytes do not fill the sides, or a side is 0 or above [`PICTURE_SIDE_MAX`].
    #[must_use]
    pub fn new(width: u32, height: u32, shades: Vec<u8>) -> Option<Self> {
        let sides = [width, height].iter().all(|side| (1..=PICTURE_SIDE_MAX).contains(side));
        let whole = usize::try_from(u64::from(width) * u64::from(height)) == Ok(shades.len());
        (sides && whole).then_some(Self { width, height, shades })
    }
}

const NUMBER: Word = ("编号", "編號", "Number");
const DRAFT: Word = ("草稿：尚无编号", "草稿：尚無編號", "Draft: no number yet");
const STATE: Word = ("状态", "狀態", "State");
const CUSTOMER_SIGN: Word = ("客户签字", "客戶簽字", "Customer's signature");
const NOT_SIGNED: Word = ("未签字", "未簽字", "Not signed");
const SIGN_HERE: Word = ("签字：          日期：", "簽字：          日期：", "Signed:             Date:");

impl SheetReport {
    pub(crate) fn leaf(&self, lang: Lang) -> Leaf {
        let number = if self.number.is_empty() {
            lang.say(DRAFT)
        } else {
            lang.labelled(lang.pick(NUMBER), &self.number)
        };
        let lines = vec![
            number,
            format!("{} · {}", self.code, self.id),
            lang.labelled(lang.pick(STATE), &self.state),
        ];
        let symbol = format!("{} {}", self.number, self.id).trim().to_owned();
        let mut blocks = vec![Block::Head(Head { title: self.kind.clone(), lines, symbol })];
        if !self.facts.is_empty() {
            blocks.push(Block::Facts(self.facts.clone()));
        }
        for (label, text) in &self.texts {
            blocks.extend([Block::Heading(label.clone()), Block::Text(text.clone())]);
        }
        for table in self.tables.iter().filter(|table| !table.rows.is_empty()) {
            blocks.extend([Block::Heading(table.title.clone()), Block::Table(table.block())]);
        }
        blocks.push(Block::Heading(lang.say(CUSTOMER_SIGN)));
        blocks.extend(self.signed.blocks(lang));
        Leaf { foot: format!("{} {} {}", self.kind, self.number, self.code), blocks }
    }
}

impl ReportTable {
    fn block(&self) -> Table {
        let columns = self.columns.iter().map(|head| Column::left(head, self.share(head))).collect();
        Table { columns, rows: self.rows.clone(), sums: Vec::new() }
    }

    /// Returns the part of the width that a column gets: by its longest text, within bounds.
    fn share(&self, head: &str) -> i32 {
        let at = self.columns.iter().position(|column| column == head).unwrap_or(0);
        let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        let longest = cells.chain([head.chars().count()]).max().unwrap_or(0);
        i32::try_from(longest.clamp(4, 24)).unwrap_or(24)
    }
}

impl Signed {
    fn blocks(&self, lang: Lang) -> Vec<Block> {
        match self {
            Self::By { who, strokes: Some(strokes) } => vec![Block::Picture(Picture {
                label: who.clone(),
                width: strokes.width,
                height: strokes.height,
                shades: strokes.shades.clone(),
            })],
            Self::By { who, strokes: None } => vec![Block::Text(who.clone())],
            Self::Not { reason } => vec![Block::Text(lang.labelled(lang.pick(NOT_SIGNED), reason))],
            Self::Open => vec![Block::Text(lang.say(SIGN_HERE))],
        }
    }
}
