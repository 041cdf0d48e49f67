//! What goes with a branch's envelope: the detail list, the summary list, and the list of what is none of the service's.
//!
//! Source: docs/RULES.md, P-19, P-20 and P-25.

use records::money::Fen;
use records::time::Day;

use crate::lists::{Cell, List, ListError, count, heads, total};
use crate::words::{Lang, Word};

/// Every line of every claim in the envelope, in order of persons and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestDetail {
    /// The batch's number.
    pub batch_no: String,
    /// The rows in order.
    pub rows: Vec<DetailRow>,
}

/// A line of a claim, or a number that is not inside and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailRow {
    /// A line.
    Line(DetailLine),
    /// A number between those inside: void, or sent back.
    Explained {
        /// The number.
        claim_no: String,
        /// Whose.
        staff_code: String,
        /// His name.
        name: String,
        /// Why it is not inside.
        why: String,
    },
}

/// A line of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailLine {
    /// The claim's number.
    pub claim_no: String,
    /// Whose.
    pub staff_code: String,
    /// His name.
    pub name: String,
    /// The line, from 1.
    pub line: u32,
    /// The day of the expense.
    pub date: Day,
    /// The category.
    pub category: String,
    /// From where to where, why.
    pub detail: String,
    /// What is claimed.
    pub claimed: Fen,
    /// How many vouchers.
    pub vouchers: u32,
    /// The numbers of its work sheets.
    pub sheets: Vec<String>,
}

/// One row a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestSummary {
    /// The batch's number.
    pub batch_no: String,
    /// The rows in order.
    pub rows: Vec<SummaryRow>,
}

/// What a person sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// His staff code.
    pub staff_code: String,
    /// His name.
    pub name: String,
    /// His unit.
    pub unit: String,
    /// The first number inside.
    pub first_no: String,
    /// The last number inside.
    pub last_no: String,
    /// How many claims.
    pub claims: u32,
    /// How many vouchers.
    pub vouchers: u32,
    /// The sum of what is claimed.
    pub claimed: Fen,
    /// Numbers that are not inside, and why: `0013 void: typing error`.
    pub explained: String,
}

/// Expenses that are none of the service's, with what they were for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NonService {
    /// The batch's number.
    pub batch_no: String,
    /// The lines in order.
    pub rows: Vec<DetailLine>,
}

const BATCH: Word = ("批次号", "批次號", "Batch");
const CLAIM: Word = ("报销单号", "報銷單號", "Claim");
const STAFF: Word = ("工号", "工號", "Staff");
const NAME: Word = ("姓名", "姓名", "Name");
const UNIT: Word = ("单位", "單位", "Unit");
const LINE: Word = ("行", "行", "Line");
const DATE: Word = ("日期", "日期", "Date");
const CATEGORY: Word = ("费用类别", "費用類別", "Category");
const DETAIL: Word = ("说明", "說明", "Details");
const CLAIMED: Word = ("报销金额", "報銷金額", "Claimed");
const VOUCHERS: Word = ("票据张数", "票據張數", "Vouchers");
const SHEETS: Word = ("工作单", "工作單", "Sheets");
const EXPLAINED: Word = ("缺号说明", "缺號說明", "Not inside, and why");
const FIRST: Word = ("起始单号", "起始單號", "First number");
const LAST: Word = ("截止单号", "截止單號", "Last number");
const CLAIMS: Word = ("份数", "份數", "Claims");
const TOTAL: Word = ("合计", "合計", "Total");
const LINES_HEADS: [Word; 11] =
    [BATCH, CLAIM, STAFF, NAME, LINE, DATE, CATEGORY, DETAIL, CLAIMED, VOUCHERS, SHEETS];

impl DetailLine {
    fn cells(&self, batch_no: &str) -> Vec<Cell> {
        vec![
            Cell::text(batch_no),
            Cell::text(&self.claim_no),
            Cell::text(&self.staff_code),
            Cell::text(&self.name),
            Cell::Count(self.line),
            Cell::Day(self.date),
            Cell::text(&self.category),
            Cell::text(&self.detail),
            Cell::Money(self.claimed),
            Cell::Count(self.vouchers),
            Cell::text(&self.sheets.join(" ")),
        ]
    }
}

/// Returns the row that closes a list of lines.
fn lines_total<'l>(
    lines: impl Iterator<Item = &'l DetailLine> + Clone,
    lang: Lang,
) -> Result<Vec<Cell>, ListError> {
    let mut row = vec![Cell::Empty; LINES_HEADS.len()];
    let cells = [
        (0, Cell::Text(lang.say(TOTAL))),
        (8, total(lines.clone().map(|line| line.claimed))?),
        (9, count(lines.map(|line| line.vouchers))),
    ];
    for (at, cell) in cells {
        if let Some(place) = row.get_mut(at) {
            *place = cell;
        }
    }
    Ok(row)
}

impl ManifestDetail {
    /// Returns the list with its sum.
    ///
    /// # Errors
    /// [`ListError::Sum`].
    pub fn list(&self, lang: Lang) -> Result<List, ListError> {
        let mut words = LINES_HEADS.to_vec();
        words.push(EXPLAINED);
        let mut rows: Vec<Vec<Cell>> = self.rows.iter().map(|row| self.cells(row)).collect();
        let lines = self.rows.iter().filter_map(|row| match row {
            DetailRow::Line(line) => Some(line),
            DetailRow::Explained { .. } => None,
        });
        let mut sum = lines_total(lines, lang)?;
        sum.push(Cell::Empty);
        rows.push(sum);
        Ok(List {
            name: lang.say(("报销明细", "報銷明細", "Detail")), heads: heads(lang, &words), rows
        })
    }

    fn cells(&self, row: &DetailRow) -> Vec<Cell> {
        let (mut cells, why) = match row {
            DetailRow::Line(line) => (line.cells(&self.batch_no), ""),
            DetailRow::Explained { claim_no, staff_code, name, why } => {
                let who = [&self.batch_no, claim_no, staff_code, name];
                (who.map(|text| Cell::text(text)).to_vec(), why.as_str())
            }
        };
        cells.resize(LINES_HEADS.len(), Cell::Empty);
        cells.push(Cell::text(why));
        cells
    }
}

impl ManifestSummary {
    /// Returns the list with its sums.
    ///
    /// # Errors
    /// [`ListError::Sum`].
    pub fn list(&self, lang: Lang) -> Result<List, ListError> {
        let words = [BATCH, STAFF, NAME, UNIT, FIRST, LAST, CLAIMS, VOUCHERS, CLAIMED, EXPLAINED];
        let cells = |row: &SummaryRow| {
            vec![
                Cell::text(&self.batch_no),
                Cell::text(&row.staff_code),
                Cell::text(&row.name),
                Cell::text(&row.unit),
                Cell::text(&row.first_no),
                Cell::text(&row.last_no),
                Cell::Count(row.claims),
                Cell::Count(row.vouchers),
                Cell::Money(row.claimed),
                Cell::text(&row.explained),
            ]
        };
        let mut rows: Vec<Vec<Cell>> = self.rows.iter().map(cells).collect();
        let mut sum = vec![Cell::Text(lang.say(TOTAL))];
        sum.resize(6, Cell::Empty);
        sum.extend([
            count(self.rows.iter().map(|row| row.claims)),
            count(self.rows.iter().map(|row| row.vouchers)),
            total(self.rows.iter().map(|row| row.claimed))?,
            Cell::Empty,
        ]);
        rows.push(sum);
        Ok(List {
            name: lang.say(("报销汇总", "報銷彙總", "Summary")), heads: heads(lang, &words), rows
        })
    }
}

impl NonService {
    /// Returns the list with its sum.
    ///
    /// # Errors
    /// [`ListError::Sum`].
    pub fn list(&self, lang: Lang) -> Result<List, ListError> {
        let mut rows: Vec<Vec<Cell>> = self.rows.iter().map(|line| line.cells(&self.batch_no)).collect();
        rows.push(lines_total(self.rows.iter(), lang)?);
        let name = lang.say(("非服务费用", "非服務費用", "Not for service"));
        Ok(List { name, heads: heads(lang, &LINES_HEADS), rows })
    }
}
