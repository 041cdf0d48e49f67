//! What goes with a branch's envelope (报销批次): the label outside, and inside the list of covers to be ticked off.
//!
//! Source: docs/RULES.md, P-19.

use records::money::Fen;
use records::time::Day;

use crate::block::{Block, Column, Head, Leaf, Table};
use crate::words::{Lang, Word};

/// An envelope as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchForm {
    /// The batch's number, on the label as a symbol too.
    pub number: String,
    /// The branch that sends it.
    pub branch: String,
    /// Until when it has to go; `None` for a supplementary one.
    pub due: Option<Day>,
    /// The waybill; empty where there is none yet.
    pub waybill: String,
    /// The covers inside, in their order.
    pub covers: Vec<Cover>,
}

/// One claim inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub staff: String,
    /// How many vouchers are pasted.
    pub vouchers: u32,
    /// What is claimed.
    pub claimed: Fen,
}

const LABEL: Word = ("报销批次标签", "報銷批次標籤", "Envelope label");
const LIST: Word = ("报销批次清单", "報銷批次清單", "What is inside");
const BRANCH: Word = ("寄件分公司", "寄件分公司", "From branch");
const DUE: Word = ("应寄日期", "應寄日期", "To be sent by");
const WAYBILL: Word = ("运单号", "運單號", "Waybill");
const CLAIMS: Word = ("报销单数", "報銷單數", "Claims");
const VOUCHERS: Word = ("票据张数", "票據張數", "Vouchers");
const SUM: Word = ("合计金额", "合計金額", "Total");
const NUMBER: Word = ("报销单号", "報銷單號", "Claim");
const STAFF: Word = ("报销人", "報銷人", "Claimant");
const AMOUNT: Word = ("金额", "金額", "Amount");
const SEEN: Word = ("收到", "收到", "Received");

impl BatchForm {
    /// Returns the label, and the list on a page of its own.
    pub(crate) fn leaf(&self, lang: Lang) -> Leaf {
        let vouchers: u64 = self.covers.iter().map(|cover| u64::from(cover.vouchers)).sum();
        let claimed = self.covers.iter().fold(0_i64, |sum, cover| sum.saturating_add(cover.claimed.0));
        let facts = vec![
            (lang.say(BRANCH), self.branch.clone()),
            (lang.say(DUE), self.due.map(|day| day.to_string()).unwrap_or_default()),
            (lang.say(CLAIMS), self.covers.len().to_string()),
            (lang.say(VOUCHERS), vouchers.to_string()),
            (lang.say(SUM), Fen(claimed).to_string()),
            (lang.say(WAYBILL), self.waybill.clone()),
        ];
        let head = |title: Word| Head {
            title: lang.say(title),
            lines: vec![self.number.clone(), self.branch.clone()],
            symbol: self.number.clone(),
        };
        let sums = vec![vec![
            lang.say(SUM),
            String::new(),
            vouchers.to_string(),
            Fen(claimed).to_string(),
            String::new(),
        ]];
        let columns = vec![
            Column::left(lang.pick(NUMBER), 30),
            Column::left(lang.pick(STAFF), 26),
            Column::right(lang.pick(VOUCHERS), 14),
            Column::right(lang.pick(AMOUNT), 18),
            Column::left(lang.pick(SEEN), 12),
        ];
        let rows = self.covers.iter().map(Cover::row).collect();
        Leaf {
            foot: format!("{} {}", lang.pick(LIST), self.number),
            blocks: vec![
                Block::Head(head(LABEL)),
                Block::Facts(facts),
                Block::NextPage,
                Block::Head(head(LIST)),
                Block::Table(Table { columns, rows, sums }),
            ],
        }
    }
}

impl Cover {
    fn row(&self) -> Vec<String> {
        vec![
            self.number.clone(),
            self.staff.clone(),
            self.vouchers.to_string(),
            self.claimed.to_string(),
            String::new(),
        ]
    }
}
