//! The payment file: what the bank is to pay, one row a payment.

use records::money::Fen;

use crate::lists::{Cell, List, ListError, heads};
use crate::words::{Lang, Word};

/// What one payment batch pays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentFile {
    /// The batch's number.
    pub payment_no: String,
    /// The payments in order.
    pub rows: Vec<PaymentRow>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// The payee's staff code.
    pub staff_code: String,
    /// In whose name the account is.
    pub account_name: String,
    /// The account's number: digits, kept as text.
    pub account_no: String,
    /// The bank.
    pub bank_name: String,
    /// Its branch.
    pub bank_branch: String,
    /// The branch's number in the clearing system; may be empty.
    pub cnaps: String,
    /// What is paid.
    pub amount: Fen,
    /// The numbers of the claims that are paid.
    pub claims: Vec<String>,
    /// What the payee reads on his statement.
    pub purpose: String,
}

const HEADS: [Word; 11] = [
    ("付款批次号", "付款批次號", "Payment"),
    ("序号", "序號", "No."),
    ("工号", "工號", "Staff"),
    ("户名", "戶名", "Account name"),
    ("账号", "帳號", "Account number"),
    ("开户银行", "開戶銀行", "Bank"),
    ("开户网点", "開戶網點", "Branch"),
    ("联行号", "聯行號", "CNAPS"),
    ("金额", "金額", "Amount"),
    ("报销单号", "報銷單號", "Claims"),
    ("用途", "用途", "Purpose"),
];

impl PaymentFile {
    /// Returns the list without a sum: every row is a payment.
    #[must_use]
    pub fn list(&self, lang: Lang) -> List {
        let cells = |(n, row): (u32, &PaymentRow)| {
            vec![
                Cell::text(&self.payment_no),
                Cell::Count(n),
                Cell::text(&row.staff_code),
                Cell::text(&row.account_name),
                Cell::text(&row.account_no),
                Cell::text(&row.bank_name),
                Cell::text(&row.bank_branch),
                Cell::text(&row.cnaps),
                Cell::Money(row.amount),
                Cell::text(&row.claims.join(" ")),
                Cell::text(&row.purpose),
            ]
        };
        let rows = (1..).zip(&self.rows).map(cells).collect();
        List {
            name: lang.say(("付款文件", "付款檔案", "Payments")), heads: heads(lang, &HEADS), rows
        }
    }

    /// Returns the sum of the payments.
    ///
    /// # Errors
    /// [`ListError::Sum`].
    pub fn total(&self) -> Result<Fen, ListError> {
        crate::paper::sum(self.rows.iter().map(|row| row.amount)).map_err(|_| ListError::Sum)
    }
}
