//! By which key two vouchers are the same paper.

use crate::id::DocId;
use crate::invoice::{Invoice, duplicate_key};
use crate::kinds::voucher::{Amount, Dated, InvoiceNo, PaperKind, Seller, VoucherKind};
use crate::record::Record;
use crate::value::Text;

/// The key of a voucher's paper.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `D:`, `T:` or `V:` and the invoice's own numbers: unique over the company for ever.
    Strong(String),
    /// `W:` and owner, day, amount, seller: two that are alike are only warned about.
    Weak(String),
}

/// Returns the key of a voucher that `owner` (its field's, else its author) spent; `None` where too little stands on it.
///
/// The QR text speaks first, then typed numbers, then the weak key.
///
/// Source: docs/RULES.md, Invoice QR.
#[must_use]
pub fn key(voucher: &Record, owner: &DocId) -> Option<Key> {
    let numbers = voucher.get::<InvoiceNo>().unwrap_or_default();
    if let Some(invoice) = numbers.qr_raw.and_then(|text| Invoice::parse(&text.0).ok()) {
        return Some(Key::Strong(invoice.duplicate_key()));
    }
    let kind = voucher.get::<PaperKind>().and_then(|group| group.kind);
    let code = numbers.inv_code.map(|code| code.0).unwrap_or_default();
    let ticket = matches!(kind, Some(VoucherKind::TRAIN | VoucherKind::AIR));
    // Eight digits are unique only together with a code; a ticket's number is of its own.
    let whole = |number: &Text<20>| ticket || !code.is_empty() || number.0.len() == 20;
    if let Some(number) = numbers.inv_no.filter(whole) {
        return Some(Key::Strong(duplicate_key(kind, &code, &number.0)));
    }
    let date = voucher.get::<Dated>()?.date?;
    let amount = voucher.get::<Amount>()?.amount?.0;
    let seller = voucher.get::<Seller>().and_then(|group| group.seller).unwrap_or_default();
    Some(Key::Weak(format!("W:{owner}:{date}:{amount}:{}", seller.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::voucher::VOUCHER;
    use crate::money::Fen;
    use crate::time::Day;

    fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
        Some(Text(text.to_owned()))
    }

    fn check(numbers: InvoiceNo, expected: Option<&Key>) {
        let voucher = Record::new("7.1.1".parse().unwrap(), &VOUCHER).with(&[numbers]);
        assert_eq!(key(&voucher, &"0.1.5".parse().unwrap()).as_ref(), expected);
    }

    #[test]
    fn a_scanned_and_a_typed_invoice_have_one_key() {
        let scanned = InvoiceNo {
            qr_raw: text("01,10,011001900311,21010038,300,20200407,01731581649436515692,53F1,"),
            ..InvoiceNo::default()
        };
        let typed =
            InvoiceNo { inv_code: text("011001900311"), inv_no: text("21010038"), ..InvoiceNo::default() };
        let expected = Key::Strong("V:011001900311:21010038".into());
        check(scanned, Some(&expected));
        check(typed.clone(), Some(&expected));
        let half = InvoiceNo { inv_code: None, ..typed };
        check(half, None);
    }

    #[test]
    fn a_ticket_without_numbers_has_a_weak_key() {
        let voucher = Record::new("7.1.1".parse().unwrap(), &VOUCHER)
            .with(&[Dated { date: Some(Day(20_779)) }])
            .with(&[Amount { amount: Some(Fen(3500)), ..Amount::default() }]);
        let expected = Key::Weak("W:0.1.5:2026-11-22:3500:".into());
        assert_eq!(key(&voucher, &"0.1.5".parse().unwrap()), Some(expected));
    }
}
