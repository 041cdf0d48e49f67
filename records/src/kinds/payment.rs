//! A payment batch (付款批次): the claims that finance pays with one file. It never leaves headquarters.

use crate::decision::DECISIONS;
use crate::kinds::{approval, number, payment_machine, sheet};
use crate::money::Fen;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Ts;
use crate::value::{Count, FileHash, Ref, Text};

crate::group! {
    /// Its number.
    PaymentNo = 2 "payment" ("付款批次", "Payment") Once content=true frozen=true writer=Hq {
        payment_no: Text<40> = ("付款批次号", "Payment number", ""),
    }
}

crate::group! {
    /// What is paid to whom for which claim.
    PaymentClaims = 3 "claim" ("报销单", "Claims") Set content=true frozen=true writer=Hq key=0 {
        claim: Ref<{ number::CLAIM }> = ("报销单", "Claim", ""),
        claim_no: Text<60> = ("报销单号", "Claim number", ""),
        staff: Ref<{ number::STAFF }> = ("收款人", "Payee", ""),
        amount: Fen = ("金额", "Amount", ""),
    }
}

crate::group! {
    /// The file that went to the bank.
    Exported = 4 "export" ("付款文件", "Payment file") Ledger content=false frozen=false writer=Hq {
        file: FileHash = ("文件", "File", ""),
        n: Count = ("笔数", "Payments", ""),
        total: Fen = ("合计", "Total", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
    }
}

crate::group! {
    /// What the bank said of each payment.
    Results = 5 "result" ("付款结果", "Results") Ledger content=false frozen=false writer=Hq {
        claim: Ref<{ number::CLAIM }> = ("报销单", "Claim", ""),
        ok: bool = ("成功", "Paid", ""),
        note: Text<200> = ("说明", "Note", ""),
        by: Ref<{ number::STAFF }> = ("经办人", "By", ""),
        at: Ts = ("时间", "At", ""),
    }
}

/// The table.
pub static PAYMENT: Kind = Kind {
    number: number::PAYMENT,
    schema: 1,
    name: "payment",
    zh: "付款批次",
    en: "Payment batch",
    reach: Reach::Headquarters,
    machine: Some(&payment_machine::PAYMENT),
    key: Some("payment_no"),
    title: &["payment_no"],
    concerns: &[],
    groups: &[
        &DECISIONS,
        &PaymentNo::GROUP,
        &PaymentClaims::GROUP,
        &Exported::GROUP,
        &Results::GROUP,
        &sheet::Notes::GROUP,
        &approval::Approvals::GROUP,
    ],
};
