//! The paste sheets (票据粘贴单): which voucher is pasted on which place.
//!
//! Source: docs/RULES.md, P-09.

use records::money::Fen;
use records::time::Day;

use crate::block::{Block, Column, Head, Leaf, Table};
use crate::words::{Lang, Word};

/// The vouchers of a claim in the order in which they are pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasteSheets {
    /// The claim's number, on each sheet as a symbol too; empty for a draft.
    pub number: String,
    /// Whose expenses.
    pub claimant: String,
    /// How many vouchers a sheet takes; 0 is taken for 1.
    pub max_per_sheet: u16,
    /// The vouchers in order of the claim's lines.
    pub vouchers: Vec<PasteVoucher>,
}

/// A voucher that goes with a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasteVoucher {
    /// The line of the claim, from 1.
    pub line: u32,
    /// The day on it.
    pub date: Day,
    /// What kind of voucher, in the paper's language.
    pub kind: String,
    /// Its number; empty where it has none.
    pub number: String,
    /// Who sold.
    pub seller: String,
    /// The amount on it.
    pub amount: Fen,
    /// Whether there is a paper to paste; an electronic invoice stays a file.
    pub paper: bool,
}

/// Where a voucher is pasted, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The sheet.
    pub sheet: usize,
    /// The place on it.
    pub place: usize,
}

const TITLE: Word = ("票据粘贴单", "票據黏貼單", "Voucher paste sheet");
const NUMBER: Word = ("报销单编号", "報銷單編號", "Claim");
const DRAFT: Word = ("草稿", "草稿", "draft");
const CLAIMANT: Word = ("报销人", "報銷人", "Claimant");
const PLACE: Word = ("位置", "位置", "Place");
const LINE: Word = ("行", "行", "Line");
const DATE: Word = ("日期", "日期", "Date");
const KIND: Word = ("票据种类", "票據種類", "Kind");
const VOUCHER: Word = ("票号", "票號", "Voucher no.");
const SELLER: Word = ("开票方", "開票方", "Seller");
const AMOUNT: Word = ("金额", "金額", "Amount");
const ELECTRONIC: Word = (
    "只有电子件，不粘贴；原文件随数据上报",
    "只有電子件，不黏貼；原檔隨資料上報",
    "Electronic only, not pasted; the file goes with the data",
);
const NONE: Word = ("本单没有需要粘贴的票据", "本單沒有需要黏貼的票據", "There is nothing to paste");

impl PasteSheets {
    /// Returns where each voucher is pasted, in their order; `None` for one without paper.
    #[must_use]
    pub fn places(&self) -> Vec<Option<Place>> {
        let most = usize::from(self.max_per_sheet.max(1));
        let mut pasted = 0;
        let place = |voucher: &PasteVoucher| {
            if !voucher.paper {
                return None;
            }
            pasted += 1;
            let before = pasted - 1;
            Some(Place { sheet: before / most + 1, place: before % most + 1 })
        };
        self.vouchers.iter().map(place).collect()
    }

    pub(crate) fn leaf(&self, lang: Lang) -> Leaf {
        let placed: Vec<(Place, &PasteVoucher)> = self
            .places()
            .into_iter()
            .zip(&self.vouchers)
            .filter_map(|(place, voucher)| Some((place?, voucher)))
            .collect();
        let sheets = placed.last().map_or(0, |(place, _)| place.sheet);
        let mut blocks = Vec::new();
        for sheet in placed.chunk_by(|(a, _), (b, _)| a.sheet == b.sheet) {
            if !blocks.is_empty() {
                blocks.push(Block::NextPage);
            }
            self.sheet(sheet, sheets, lang, &mut blocks);
        }
        if blocks.is_empty() {
            blocks.push(self.head(None, lang));
            blocks.push(Block::Text(lang.say(NONE)));
        }
        let electronic: Vec<_> = self.vouchers.iter().filter(|voucher| !voucher.paper).collect();
        if !electronic.is_empty() {
            blocks.push(Block::Heading(lang.say(ELECTRONIC)));
            let rows = electronic.into_iter().map(|voucher| voucher.row(String::new())).collect();
            blocks.push(Block::Table(Table { columns: columns(lang), rows, sums: Vec::new() }));
        }
        Leaf { foot: format!("{} {}", lang.pick(TITLE), self.number), blocks }
    }

    fn head(&self, sheet: Option<(usize, usize)>, lang: Lang) -> Block {
        let number = if self.number.is_empty() { lang.pick(DRAFT) } else { &self.number };
        let title = match sheet {
            Some((sheet, sheets)) => format!("{} {sheet}/{sheets}", lang.pick(TITLE)),
            None => lang.say(TITLE),
        };
        let lines = vec![
            lang.labelled(lang.pick(NUMBER), number),
            lang.labelled(lang.pick(CLAIMANT), &self.claimant),
        ];
        Block::Head(Head { title, lines, symbol: self.number.clone() })
    }

    fn sheet(&self, sheet: &[(Place, &PasteVoucher)], of: usize, lang: Lang, blocks: &mut Vec<Block>) {
        let number = sheet.first().map_or(0, |(place, _)| place.sheet);
        blocks.push(self.head(Some((number, of)), lang));
        let rows = sheet.iter().map(|(place, voucher)| voucher.row(place.place.to_string())).collect();
        blocks.push(Block::Table(Table { columns: columns(lang), rows, sums: Vec::new() }));
        let label = |(place, voucher): &(Place, &PasteVoucher)| {
            format!("{}　¥{}　{}", place.place, voucher.amount, voucher.date)
        };
        blocks.push(Block::Places(sheet.iter().map(label).collect()));
    }
}

fn columns(lang: Lang) -> Vec<Column> {
    vec![
        Column::right(lang.pick(PLACE), 7),
        Column::right(lang.pick(LINE), 6),
        Column::left(lang.pick(DATE), 13),
        Column::left(lang.pick(KIND), 16),
        Column::left(lang.pick(VOUCHER), 22),
        Column::left(lang.pick(SELLER), 24),
        Column::right(lang.pick(AMOUNT), 12),
    ]
}

impl PasteVoucher {
    fn row(&self, place: String) -> Vec<String> {
        vec![
            place,
            self.line.to_string(),
            self.date.to_string(),
            self.kind.clone(),
            self.number.clone(),
            self.seller.clone(),
            self.amount.to_string(),
        ]
    }
}
