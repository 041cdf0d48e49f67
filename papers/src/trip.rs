//! The trip summary (出差汇总审批表): one person's half-month at a glance.
//!
//! Source: docs/RULES.md, P-10.

use records::time::Day;

use crate::block::{Block, Column, Head, Leaf, Table};
use crate::claim::{SignStep, signatures};
use crate::words::{Lang, Word};

/// A half-month's travels as they are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripForm {
    /// Who travelled.
    pub staff: String,
    /// His staff code.
    pub staff_code: String,
    /// His unit.
    pub unit: String,
    /// The half-month, as `2026-11-H1`.
    pub half: String,
    /// The state, in the paper's language.
    pub state: String,
    /// The days in order.
    pub days: Vec<TripDay>,
    /// What the person adds.
    pub note: String,
    /// Who signs: the traveller, and who approves.
    pub steps: Vec<SignStep>,
}

/// One day of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripDay {
    /// The day.
    pub date: Day,
    /// Where.
    pub place: String,
    /// Whose site.
    pub customer: String,
    /// What for.
    pub purpose: String,
    /// The legs travelled, one each.
    pub legs: Vec<String>,
    /// The numbers of the work sheets.
    pub sheets: Vec<String>,
    /// Nights away.
    pub nights: u32,
    /// Days for which an allowance is due.
    pub allowance_days: u32,
}

const TITLE: Word = ("出差汇总审批表", "出差彙總審批表", "Trip summary");
const STAFF: Word = ("出差人", "出差人", "Traveller");
const UNIT: Word = ("单位", "單位", "Unit");
const HALF: Word = ("半月", "半月", "Half-month");
const STATE: Word = ("状态", "狀態", "State");
const DATE: Word = ("日期", "日期", "Date");
const PLACE: Word = ("地点与客户", "地點與客戶", "Place and customer");
const PURPOSE: Word = ("事由", "事由", "Purpose");
const LEGS: Word = ("行程", "行程", "Legs");
const SHEETS: Word = ("工作单", "工作單", "Sheets");
const NIGHTS: Word = ("住宿夜", "住宿夜", "Nights");
const ALLOWANCE: Word = ("补贴天", "補貼天", "Days");
const TOTAL: Word = ("合计", "合計", "Total");
const NOTE: Word = ("备注", "備註", "Note");

impl TripForm {
    pub(crate) fn leaf(&self, lang: Lang) -> Leaf {
        let facts = vec![
            (lang.say(STAFF), format!("{} {}", self.staff, self.staff_code)),
            (lang.say(UNIT), self.unit.clone()),
            (lang.say(HALF), self.half.clone()),
            (lang.say(STATE), self.state.clone()),
        ];
        let head = Head { title: lang.say(TITLE), lines: vec![self.half.clone()], symbol: String::new() };
        let mut blocks = vec![Block::Head(head), Block::Facts(facts), Block::Table(self.table(lang))];
        if !self.note.is_empty() {
            blocks.push(Block::Heading(lang.say(NOTE)));
            blocks.push(Block::Text(self.note.clone()));
        }
        blocks.extend(signatures(&self.steps, lang));
        Leaf { foot: format!("{} {} {}", lang.pick(TITLE), self.staff, self.half), blocks }
    }

    fn table(&self, lang: Lang) -> Table {
        let columns = vec![
            Column::left(lang.pick(DATE), 12),
            Column::left(lang.pick(PLACE), 22),
            Column::left(lang.pick(PURPOSE), 18),
            Column::left(lang.pick(LEGS), 22),
            Column::left(lang.pick(SHEETS), 14),
            Column::right(lang.pick(NIGHTS), 7),
            Column::right(lang.pick(ALLOWANCE), 7),
        ];
        let nights: u64 = self.days.iter().map(|day| u64::from(day.nights)).sum();
        let allowance: u64 = self.days.iter().map(|day| u64::from(day.allowance_days)).sum();
        let mut total = vec![String::new(); 5];
        total.splice(0..1, [lang.say(TOTAL)]);
        total.extend([nights.to_string(), allowance.to_string()]);
        Table { columns, rows: self.days.iter().map(TripDay::row).collect(), sums: vec![total] }
    }
}

impl TripDay {
    fn row(&self) -> Vec<String> {
        let both = [&self.place, &self.customer].into_iter().filter(|part| !part.is_empty());
        vec![
            self.date.to_string(),
            both.cloned().collect::<Vec<_>>().join("\n"),
            self.purpose.clone(),
            self.legs.join("\n"),
            self.sheets.join("\n"),
            self.nights.to_string(),
            self.allowance_days.to_string(),
        ]
    }
}
