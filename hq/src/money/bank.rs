//! The file that goes to the bank: one row a payment; a payee without an account, and a claim that is not
//! with finance any more, are left out and named.

use std::collections::BTreeMap;

use papers::lists::payment::{PaymentFile, PaymentRow};
use papers::lists::{ListError, workbook};
use records::id::DocId;
use records::kinds::account::{AccountOf, Bank};
use records::kinds::payment::{Exported, Results};
use records::kinds::{claim_machine, number, payment_machine};
use records::money::Fen;
use records::value::{Count, FileHash};
use sync_protocol::chain::sha256;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::decide::Taken;
use crate::money::pay::{Batch, Payment};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{ROWS_MAX, instant, link, linked, put, text};

/// What the file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text with commas, in UTF-8 with the mark that tells spreadsheets so.
    Csv,
    /// A workbook.
    Xlsx,
}

/// A file for the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, as the batch notes it.
    pub sha256: String,
    /// How many payments are in it.
    pub n: usize,
    /// What they come to.
    pub total: Fen,
    /// Who has no account: not in the file, and free for another batch.
    pub missing: Vec<DocId>,
    /// Claims that are not with finance any more, frozen or paid meanwhile: not in the file.
    pub left_out: Vec<String>,
    /// The batch.
    pub batch: Batch,
}

/// What becomes of the payments of a batch.
#[derive(Debug, Default)]
struct Sorted {
    /// Those in the file.
    rows: Vec<PaymentRow>,
    /// Those that have no account to go to.
    missing: Vec<Payment>,
    /// Those whose claim is not with finance any more.
    gone: Vec<Payment>,
}

impl Desk {
    /// Makes the file of an approved batch and notes its hash; of an exported one the same file again.
    ///
    /// # Errors
    /// H-16 after a restore, H-14 where the file of an exported batch would be another one now, and what [`Desk::decide`] refuses.
    pub fn bank_file(
        &mut self,
        name: &str,
        form: Form,
        lang: papers::words::Lang,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<BankFile, MoneyError> {
        self.moving()?;
        let batch = self.payment(name)?;
        let accounts = self.accounts()?;
        let Sorted { rows, missing, gone } = self.sort(&batch, &accounts)?;
        let file = PaymentFile { payment_no: batch.no.clone(), rows };
        let unwritten = |error: ListError| Refusal::by("H-15").with("file", error);
        let total = file.total().map_err(unwritten)?;
        let list = file.list(lang);
        let bytes = match form {
            Form::Csv => list.csv(true),
            Form::Xlsx => workbook(&[list]),
        };
        let bytes = bytes.map_err(unwritten)?;
        let hash = sha256(&[&bytes]);
        let n = file.rows.len();
        if batch.record.state == payment_machine::EXPORTED {
            let noted = batch.record.all::<Exported>();
            if !noted.iter().any(|row| row.file.as_ref().is_some_and(|file| file.0 == hash)) {
                return Err(Refusal::by("H-14").with("payment", &batch.no).into());
            }
        } else {
            let row = Exported {
                file: Some(FileHash(hash.to_vec())),
                n: Some(Count(u32::try_from(n).unwrap_or(u32::MAX))),
                total: Some(total),
                by: link(actor.staff),
                at: Some(instant(now_ms)),
            };
            self.decide(batch.record.id, actor, &Taken::step("export", ""), vec![put(&[row])], now_ms)?;
            self.leave_out(&batch, (&missing, "no account"), actor, now_ms)?;
            self.leave_out(&batch, (&gone, "not with finance any more"), actor, now_ms)?;
        }
        let mut staff: Vec<DocId> = missing.iter().map(|payment| payment.staff).collect();
        staff.sort_unstable();
        staff.dedup();
        let batch = self.payment(&batch.record.id.to_string())?;
        let left_out = gone.into_iter().map(|payment| payment.no).collect();
        Ok(BankFile { bytes, sha256: records::hex::of(&hash), n, total, missing: staff, left_out, batch })
    }

    /// Sorts the payments on which the bank has no word yet. Nothing is nobody's payment.
    fn sort(&mut self, batch: &Batch, accounts: &BTreeMap<DocId, Bank>) -> Result<Sorted, MoneyError> {
        let mut sorted = Sorted::default();
        let written = batch.record.state == payment_machine::EXPORTED;
        for payment in batch.payments.iter().filter(|payment| payment.paid.is_none()) {
            // What went to the bank once is not changed by what became of a claim since.
            let with_finance = written
                || self
                    .record(payment.claim)?
                    .is_some_and(|claim| claim.state == claim_machine::FIN_RECEIVED);
            if !with_finance {
                sorted.gone.push(payment.clone());
                continue;
            }
            if payment.amount <= Fen(0) {
                continue;
            }
            let Some(bank) = accounts.get(&payment.staff) else {
                sorted.missing.push(payment.clone());
                continue;
            };
            let word = |text: Option<String>| text.unwrap_or_default();
            sorted.rows.push(PaymentRow {
                staff_code: self.staff_code(payment.staff)?,
                account_name: word(bank.account_name.as_ref().map(|text| text.0.clone())),
                account_no: word(bank.account_no.as_ref().map(|text| text.0.clone())),
                bank_name: word(bank.bank_name.as_ref().map(|text| text.0.clone())),
                bank_branch: word(bank.bank_branch.as_ref().map(|text| text.0.clone())),
                cnaps: word(bank.cnaps.as_ref().map(|text| text.0.clone())),
                amount: payment.amount,
                claims: vec![payment.no.clone()],
                purpose: payment.no.clone(),
            });
        }
        Ok(sorted)
    }

    /// A payment that is not in the file is not paid by it.
    fn leave_out(
        &mut self,
        batch: &Batch,
        (payments, why): (&[Payment], &str),
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(), MoneyError> {
        let row = |payment: &Payment| Results {
            claim: link(payment.claim),
            ok: Some(false),
            note: text(why),
            by: link(actor.staff),
            at: Some(instant(now_ms)),
        };
        let rows: Vec<Results> = payments.iter().map(row).collect();
        for chunk in rows.chunks(ROWS_MAX) {
            let on = On::Document(batch.record.id);
            self.write(vec![NewOp { kind: number::PAYMENT, on, writes: vec![put(chunk)] }], now_ms)?;
        }
        Ok(())
    }

    /// Returns everybody's account that has a number; of two records of one person the one by id.
    fn accounts(&mut self) -> Result<BTreeMap<DocId, Bank>, MoneyError> {
        let mut accounts = BTreeMap::new();
        for record in self.records(number::ACCOUNT, &[])? {
            let of = record.get::<AccountOf>().unwrap_or_default();
            let code = of.code.map(|code| code.0).unwrap_or_default();
            let staff = match linked(of.staff.as_ref()) {
                Some(staff) => Some(staff),
                None => self.people()?.by_code(&code).map(|(id, _)| id),
            };
            // An account of which two people entered different numbers is none until one of them is taken.
            let settled = record.open.is_empty();
            let bank = record.get::<Bank>().filter(|bank| settled && bank.account_no.is_some());
            accounts.extend(staff.zip(bank));
        }
        Ok(accounts)
    }
}
