//! What the bank answers to a payment file: a table that names each payment with a word that says paid or failed.
//!
//! Source: docs/RULES.md H-19.

use std::collections::BTreeMap;

use records::money::Fen;
use records::table::record::{Record, Records, RecordsError};
use records::table::source::{Source, SourceError};

use crate::intake::desk::Desk;
use crate::money::pay::{Batch, Payment};
use crate::money::refusal::{MoneyError, Refusal};

/// How the columns may be called that are read.
const RESULT: [&str; 7] = ["结果", "结果状态", "处理结果", "交易状态", "状态", "result", "status"];
const REASON: [&str; 7] = ["原因", "失败原因", "备注", "摘要", "reason", "note", "message"];
const AMOUNT: [&str; 3] = ["金额", "交易金额", "amount"];

/// Words that say that a payment was made; they are looked for after those that say it was not.
const PAID: [&str; 6] = ["成功", "已付", "完成", "success", "paid", "ok"];
const FAILED: [&str; 10] = ["失败", "退", "未", "拒", "不", "fail", "reject", "return", "unpaid", "error"];

impl Desk {
    /// Reads what the bank says of a batch: the payments that failed, with the reasons; all others were made.
    ///
    /// # Errors
    /// H-01, H-02, and H-19 for a file that is not about exactly these payments.
    pub fn bank_result(&mut self, name: &str, bytes: &[u8]) -> Result<BTreeMap<String, String>, MoneyError> {
        Ok(failed(&self.payment(name)?, bytes)?)
    }
}

/// Returns the payments of a batch that a file says failed, with the reasons.
fn failed(batch: &Batch, bytes: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let refusal = |case| Refusal::by("H-19").case(case).with("payment", &batch.no);
    let unread = |error: RecordsError| match error {
        RecordsError::Source(SourceError::NotText) => refusal("not_text"),
        RecordsError::Source(SourceError::Empty) => refusal("empty"),
        RecordsError::SameName(column) => refusal("same_name").with("column", column),
        RecordsError::Source(SourceError::Io(_)) | RecordsError::NoHeader | RecordsError::OneDocument => {
            refusal("file")
        }
    };
    let source = Source::open(bytes, None).map_err(|error| unread(error.into()))?;
    let mut said: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for row in Records::open(source, None).map_err(unread)? {
        let (line, row) = row.map_err(|row| refusal("row").with("line", row.line))?;
        if row.columns().iter().all(|column| row.text(column).is_none_or(|cell| cell.is_empty())) {
            continue;
        }
        let open = batch.payments.iter().filter(|payment| payment.paid.is_none());
        let named = |payment: &&Payment| {
            row.columns().iter().any(|column| row.text(column).as_deref() == Some(payment.no.as_str()))
        };
        let payment = open.into_iter().find(named).ok_or_else(|| refusal("stranger").with("line", line))?;
        let why = word(&row, payment, &refusal)?;
        if said.insert(&payment.no, why).is_some() {
            return Err(refusal("twice").with("claim", &payment.no));
        }
    }
    let mut wanted =
        batch.payments.iter().filter(|payment| payment.paid.is_none() && payment.amount > Fen(0));
    match wanted.find(|payment| !said.contains_key(payment.no.as_str())) {
        Some(payment) => Err(refusal("missing").with("claim", &payment.no)),
        None => Ok(said.into_iter().filter_map(|(no, why)| Some((no.to_owned(), why?))).collect()),
    }
}

/// Returns what a row says of its payment: `None` that it was made, else why not.
fn word(
    row: &Record,
    payment: &Payment,
    refusal: &impl Fn(&'static str) -> Refusal,
) -> Result<Option<String>, Refusal> {
    let cell = |names: &[&str]| {
        let column = row
            .columns()
            .into_iter()
            .find(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)));
        column.and_then(|column| row.text(column)).map(std::borrow::Cow::into_owned)
    };
    let amount = cell(&AMOUNT).map(|amount| amount.replace([',', '¥'], ""));
    if amount.as_deref().is_some_and(|amount| amount.parse::<Fen>().ok() != Some(payment.amount)) {
        let amount = amount.unwrap_or_default();
        return Err(refusal("amount").with("claim", &payment.no).with("amount", amount));
    }
    let result = cell(&RESULT).ok_or_else(|| refusal("columns"))?;
    let small = result.to_lowercase();
    if FAILED.iter().any(|failed| small.contains(failed)) {
        return Ok(Some(cell(&REASON).filter(|why| !why.is_empty()).unwrap_or(result)));
    }
    if PAID.iter().any(|paid| small.contains(paid)) {
        return Ok(None);
    }
    Err(refusal("word").with("claim", &payment.no).with("word", result))
}

#[cfg(test)]
mod tests {
    use records::id::DocId;
    use records::kinds::payment::PAYMENT;
    use records::record::Record as Document;

    use super::*;

    fn batch() -> Batch {
        let id: DocId = "0.1.1".parse().unwrap();
        let payment = |no: &str, fen| Payment {
            claim: id,
            no: no.to_owned(),
            staff: id,
            amount: Fen(fen),
            paid: None,
            note: String::new(),
        };
        let payments = vec![payment("C-1", 123_450), payment("C-2", 500)];
        Batch { record: Document::new(id, &PAYMENT), no: "PAY-1".to_owned(), payments }
    }

    #[test]
    fn each_payment_is_named_once_with_its_amount_and_a_word() {
        let check = |file: &str, expected: Result<&[(&str, &str)], &str>| {
            let found = failed(&batch(), file.as_bytes()).map_err(|refusal| refusal.case);
            let expected = expected
                .map(|failed| failed.iter().map(|(no, why)| ((*no).to_owned(), (*why).to_owned())).collect());
            assert_eq!(found, expected, "{file}");
        };
        let head = "用途,金额,结果,原因\n";
        check(
            &format!("{head}C-1,\"1,234.50\",交易成功,\nC-2,5.00,付款失败,账号已销户\n"),
            Ok(&[("C-2", "账号已销户")]),
        );
        check("purpose,status\nC-1,Success\nC-2,unpaid\n", Ok(&[("C-2", "unpaid")]));
        check(&format!("{head}C-1,1234.50,交易成功,\n"), Err("missing"));
        check(&format!("{head}C-1,1234.50,成功,\nC-2,6.00,成功,\n"), Err("amount"));
        check(&format!("{head}C-1,1234.50,成功,\nC-1,1234.50,成功,\n"), Err("twice"));
        check(&format!("{head}C-1,1234.50,处理中,\n"), Err("word"));
        check(&format!("{head}C-9,1234.50,成功,\n"), Err("stranger"));
        check("a,b\nC-1,1\n", Err("columns"));
        check("", Err("empty"));
        check("PK\u{3}\u{4}workbook", Err("not_text"));
        check("结果,结果\nC-1,成功\n", Err("same_name"));
        check("[{\"结果\":\"成功\"}]\n", Err("file"));
    }
}
