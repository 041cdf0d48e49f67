//! The claim form (费用报销单).
//!
//! Source: docs/RULES.md, P-09 and P-25: lines and numbers in order, so that headquarters can tell what is missing.

use records::money::Fen;
use records::time::Day;

use crate::block::{Block, Column, Head, Leaf, Signing, Table};
use crate::capitals::capitals;
use crate::paper::{PaperError, difference, sum};
use crate::words::{Lang, Word};

/// A claim as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimForm {
    /// The claim's number, on the form as a symbol too; empty for a draft, which says so.
    pub number: String,
    /// The company or branch, above the title; may be empty.
    pub company: String,
    /// Whose expenses.
    pub claimant: String,
    /// His staff code.
    pub staff_code: String,
    /// His unit.
    pub unit: String,
    /// The half-month, with its first and last day where the caller knows them.
    pub period: String,
    /// When it was submitted.
    pub submitted: Option<Day>,
    /// The version of the policy that it is judged by.
    pub policy: String,
    /// Whether it holds expenses that are none of the service's.
    pub non_service: bool,
    /// The lines in order.
    pub lines: Vec<ClaimLine>,
    /// Who signs, in order of the steps.
    pub steps: Vec<SignStep>,
}

/// A line of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimLine {
    /// The day of the expense.
    pub date: Day,
    /// The category, in the paper's language.
    pub category: String,
    /// From where to where, with whom, why.
    pub detail: String,
    /// The numbers of its work sheets.
    pub sheets: Vec<String>,
    /// What is claimed.
    pub claimed: Fen,
    /// How many vouchers are pasted.
    pub vouchers: u32,
    /// What will be paid; `None` where that is not decided.
    pub payable: Option<Fen>,
    /// What the claimant bears himself, above a cap.
    pub self_paid: Fen,
    /// Why less is paid; empty where nothing was cut.
    pub reason: String,
}

/// A box in which somebody signs, or has decided already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignStep {
    /// The step, in the paper's language.
    pub title: String,
    /// Who decided, and for whom; empty where nobody has.
    pub name: String,
    /// What was decided; empty where nothing is.
    pub decision: String,
    /// On which day.
    pub day: Option<Day>,
}

const TITLE: Word = ("费用报销单", "費用報銷單", "Expense claim");
const NON_SERVICE: Word =
    ("费用报销单（非服务费用）", "費用報銷單（非服務費用）", "Expense claim (not for service)");
const NUMBER: Word = ("编号", "編號", "Number");
const DRAFT: Word =
    ("草稿：尚无编号，不能报销", "草稿：尚無編號，不能報銷", "Draft: no number yet, not to be paid");
const CLAIMANT: Word = ("报销人", "報銷人", "Claimant");
const UNIT: Word = ("单位", "單位", "Unit");
const PERIOD: Word = ("期间", "期間", "Period");
const SUBMITTED: Word = ("提交日期", "提交日期", "Submitted");
const POLICY: Word = ("制度版本", "制度版本", "Policy");
const VOUCHERS_TOTAL: Word = ("票据合计", "票據合計", "Vouchers");
const LINE: Word = ("序", "序", "No.");
const DATE: Word = ("日期", "日期", "Date");
const CATEGORY: Word = ("费用类别", "費用類別", "Category");
const DETAIL: Word = ("说明", "說明", "Details");
const SHEETS: Word = ("工作单", "工作單", "Sheets");
const CLAIMED: Word = ("报销金额", "報銷金額", "Claimed");
const VOUCHERS: Word = ("张数", "張數", "Count");
const CUT: Word = ("核减", "核減", "Cut");
const PAYABLE: Word = ("核定金额", "核定金額", "Payable");
const SELF_PAID: Word = ("自付", "自付", "Own share");
const REASON: Word = ("核减原因", "核減原因", "Why cut");
const TOTAL: Word = ("合计", "合計", "Total");
const OPEN: Word = ("待审核", "待審核", "Not decided");
const CLAIMED_CAPITALS: Word = ("报销金额大写", "報銷金額大寫", "Claimed");
const PAYABLE_CAPITALS: Word = ("核定金额大写", "核定金額大寫", "Payable");
const SIGNATURES: Word = ("签字", "簽字", "Signatures");
const SIGN_HERE: Word = ("签字：          日期：", "簽字：          日期：", "Signed:             Date:");
const STEPS: [Word; 7] = [
    CLAIMANT,
    ("主管初审", "主管初審", "Supervisor"),
    ("分公司总经理", "分公司總經理", "Branch general manager"),
    ("费用审核专员", "費用審核專員", "Auditor"),
    ("客户服务部经理", "客戶服務部經理", "Customer service manager"),
    ("副总经理", "副總經理", "Vice-president"),
    ("财务", "財務", "Finance"),
];
/// The place of the vice-president among the steps.
const VICE_PRESIDENT: usize = 5;

/// Returns an empty box for each step, the vice-president's only where the claim needs him.
#[must_use]
pub fn blank_steps(lang: Lang, vice_president: bool) -> Vec<SignStep> {
    let signed = |(at, _): &(usize, Word)| vice_president || *at != VICE_PRESIDENT;
    let blank = |(_, word)| SignStep {
        title: lang.say(word),
        name: String::new(),
        decision: String::new(),
        day: None,
    };
    STEPS.into_iter().enumerate().filter(signed).map(blank).collect()
}

impl ClaimForm {
    pub(crate) fn leaf(&self, lang: Lang) -> Result<Leaf, PaperError> {
        let title = lang.pick(if self.non_service { NON_SERVICE } else { TITLE });
        let number = if self.number.is_empty() {
            lang.say(DRAFT)
        } else {
            lang.labelled(lang.pick(NUMBER), &self.number)
        };
        let mut lines = vec![number];
        lines.extend(Some(self.company.clone()).filter(|company| !company.is_empty()));
        let mut blocks = vec![
            Block::Head(Head { title: title.to_owned(), lines, symbol: self.number.clone() }),
            Block::Facts(self.facts(lang)),
            Block::Table(self.table(lang)?),
            Block::Facts(self.totals(lang)?),
        ];
        blocks.extend(signatures(&self.steps, lang));
        Ok(Leaf { foot: format!("{title} {}", self.number), blocks })
    }

    fn facts(&self, lang: Lang) -> Vec<(String, String)> {
        let day = |day: Option<Day>| day.map_or_else(String::new, |day| day.to_string());
        let vouchers: u64 = self.lines.iter().map(|line| u64::from(line.vouchers)).sum();
        vec![
            (lang.say(CLAIMANT), format!("{} {}", self.claimant, self.staff_code)),
            (lang.say(UNIT), self.unit.clone()),
            (lang.say(PERIOD), self.period.clone()),
            (lang.say(SUBMITTED), day(self.submitted)),
            (lang.say(POLICY), self.policy.clone()),
            (lang.say(VOUCHERS_TOTAL), vouchers.to_string()),
        ]
    }

    fn table(&self, lang: Lang) -> Result<Table, PaperError> {
        let columns = vec![
            Column::right(lang.pick(LINE), 5),
            Column::left(lang.pick(DATE), 11),
            Column::left(lang.pick(CATEGORY), 13),
            Column::left(lang.pick(DETAIL), 31),
            Column::right(lang.pick(CLAIMED), 11),
            Column::right(lang.pick(VOUCHERS), 8),
            Column::right(lang.pick(CUT), 10),
            Column::right(lang.pick(PAYABLE), 11),
        ];
        let vouchers: u64 = self.lines.iter().map(|line| u64::from(line.vouchers)).sum();
        let (claimed, payable) = (self.claimed()?, self.payable()?);
        let open = || lang.say(OPEN);
        let cut = payable.map(|payable| difference(claimed, payable)).transpose()?;
        let total = vec![
            String::new(),
            lang.say(TOTAL),
            String::new(),
            String::new(),
            claimed.to_string(),
            vouchers.to_string(),
            cut.map_or_else(String::new, |cut| cut.to_string()),
            payable.map_or_else(open, |payable| payable.to_string()),
        ];
        let rows = (1_u64..).zip(&self.lines).map(|(n, line)| line.row(n, lang)).collect::<Result<_, _>>()?;
        Ok(Table { columns, rows, sums: vec![total] })
    }

    fn totals(&self, lang: Lang) -> Result<Vec<(String, String)>, PaperError> {
        let self_paid = sum(self.lines.iter().map(|line| line.self_paid))?;
        let figures_and_capitals = |amount: Fen| format!("¥{amount} {}", capitals(amount));
        let payable = self.payable()?.map_or_else(|| lang.say(OPEN), figures_and_capitals);
        let mut totals = vec![
            (lang.say(CLAIMED_CAPITALS), figures_and_capitals(self.claimed()?)),
            (lang.say(PAYABLE_CAPITALS), payable),
        ];
        if self_paid != Fen(0) {
            totals.push((lang.say(SELF_PAID), format!("¥{self_paid}")));
        }
        Ok(totals)
    }

    /// Returns the sum of what is claimed.
    ///
    /// # Errors
    /// [`PaperError::Sum`].
    pub fn claimed(&self) -> Result<Fen, PaperError> {
        sum(self.lines.iter().map(|line| line.claimed))
    }

    /// Returns the sum of what will be paid; `None` while a line is not decided.
    ///
    /// # Errors
    /// [`PaperError::Sum`].
    pub fn payable(&self) -> Result<Option<Fen>, PaperError> {
        let decided: Option<Vec<Fen>> = self.lines.iter().map(|line| line.payable).collect();
        decided.map(|amounts| sum(amounts.into_iter())).transpose()
    }
}

impl ClaimLine {
    fn row(&self, n: u64, lang: Lang) -> Result<Vec<String>, PaperError> {
        let mut detail = vec![self.detail.clone()];
        if !self.sheets.is_empty() {
            detail.push(lang.labelled(lang.pick(SHEETS), &self.sheets.join(" ")));
        }
        if !self.reason.is_empty() {
            detail.push(lang.labelled(lang.pick(REASON), &self.reason));
        }
        if self.self_paid != Fen(0) {
            detail.push(lang.labelled(lang.pick(SELF_PAID), &self.self_paid.to_string()));
        }
        detail.retain(|part| !part.is_empty());
        let cut = self.payable.map(|payable| difference(self.claimed, payable)).transpose()?;
        let amount = |amount: Option<Fen>| amount.map_or_else(String::new, |amount| amount.to_string());
        Ok(vec![
            n.to_string(),
            self.date.to_string(),
            self.category.clone(),
            detail.join("\n"),
            self.claimed.to_string(),
            self.vouchers.to_string(),
            amount(cut.filter(|cut| *cut != Fen(0))),
            amount(self.payable),
        ])
    }
}

/// Returns the boxes to sign in, under their heading.
pub(crate) fn signatures(steps: &[SignStep], lang: Lang) -> Vec<Block> {
    if steps.is_empty() {
        return Vec::new();
    }
    let boxes = steps.iter().map(|step| step.signing(lang)).collect();
    vec![Block::Heading(lang.say(SIGNATURES)), Block::Signatures(boxes)]
}

impl SignStep {
    fn signing(&self, lang: Lang) -> Signing {
        let lines = [&self.name, &self.decision].into_iter().filter(|line| !line.is_empty());
        let foot = self.day.map_or_else(|| lang.say(SIGN_HERE), |day| day.to_string());
        Signing { title: self.title.clone(), lines: lines.cloned().collect(), foot }
    }
}
