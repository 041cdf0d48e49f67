//! The fines list for payroll: fines are never taken off what a claim pays.
//!
//! Source: docs/RULES.md, P-27, P-29 and P-30.

use records::money::Fen;
use records::time::Day;

use crate::lists::{Cell, List, ListError, heads, total};
use crate::words::{Lang, Word};

/// Confirmed fines, one row a person and case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FinesList {
    /// The rows in order.
    pub rows: Vec<FineRow>,
}

/// A fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FineRow {
    /// The case's number or code.
    pub case: String,
    /// Whom it meets.
    pub staff_code: String,
    /// His name.
    pub name: String,
    /// The month of payroll, as `2026-11`.
    pub month: String,
    /// What for, in the list's language.
    pub reason: String,
    /// The claim that it is about; may be empty.
    pub claim_no: String,
    /// How much.
    pub amount: Fen,
    /// The appraisal's grade that goes with it, such as `C`; may be empty.
    pub grade: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// When.
    pub confirmed: Day,
    /// What became of it, in the list's language.
    pub state: String,
}

const HEADS: [Word; 11] = [
    ("案件", "案件", "Case"),
    ("工号", "工號", "Staff"),
    ("姓名", "姓名", "Name"),
    ("月份", "月份", "Month"),
    ("事由", "事由", "Reason"),
    ("报销单号", "報銷單號", "Claim"),
    ("金额", "金額", "Amount"),
    ("考核等级", "考核等級", "Grade"),
    ("确认人", "確認人", "Confirmed by"),
    ("确认日期", "確認日期", "Confirmed on"),
    ("状态", "狀態", "State"),
];

impl FinesList {
    /// Returns the list with its sum.
    ///
    /// # Errors
    /// [`ListError::Sum`].
    pub fn list(&self, lang: Lang) -> Result<List, ListError> {
        let cells = |row: &FineRow| {
            vec![
                Cell::text(&row.case),
                Cell::text(&row.staff_code),
                Cell::text(&row.name),
                Cell::text(&row.month),
                Cell::text(&row.reason),
                Cell::text(&row.claim_no),
                Cell::Money(row.amount),
                Cell::text(&row.grade),
                Cell::text(&row.confirmed_by),
                Cell::Day(row.confirmed),
                Cell::text(&row.state),
            ]
        };
        let mut rows: Vec<Vec<Cell>> = self.rows.iter().map(cells).collect();
        let mut sum = vec![Cell::Text(lang.say(("合计", "合計", "Total")))];
        sum.resize(6, Cell::Empty);
        sum.push(total(self.rows.iter().map(|row| row.amount))?);
        sum.resize(HEADS.len(), Cell::Empty);
        rows.push(sum);
        Ok(List {
            name: lang.say(("罚款清单", "罰款清單", "Fines")), heads: heads(lang, &HEADS), rows
        })
    }
}
