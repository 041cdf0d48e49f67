//! What an invoice's QR text and the rules say of a voucher.

use std::collections::BTreeSet;

use records::id::DocId;
use records::invoice::{Invoice, Tax};
use records::kinds::number;
use records::kinds::voucher::{InvoiceNo, VOUCHER};
use records::problems::{Problem, at_capture, before_place};
use records::record::Record;
use sync_protocol::chain::sha256;
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::pair::Pair;
use crate::notebook::refusal::Refusal;
use crate::notebook::{rows, state, twins};
use crate::store::Store;
use crate::store::error::StoreError;

/// Adds what the QR text among the pairs says of the fields that nobody typed: the day, and the sum where it is with tax.
///
/// Source: docs/RULES.md, Invoice QR.
pub fn fill(pairs: &mut Vec<Pair>) {
    let qr = pairs.iter().find(|pair| pair.name == "qr_raw");
    let Some(invoice) = qr.and_then(|pair| Invoice::parse(&pair.value).ok()) else {
        return;
    };
    let typed: BTreeSet<String> = pairs.iter().map(|pair| pair.name.clone()).collect();
    if !typed.contains("date") {
        pairs.push(Pair::new("date", invoice.date.to_string()));
    }
    if !typed.contains("amount") && invoice.tax() == Tax::Included {
        pairs.push(Pair::new("amount", invoice.amount.to_string()));
    }
}

/// Reads a QR text.
///
/// # Errors
/// W-28 where it is no invoice's, or was cut short: it says which part does not fit.
pub fn read(text: &str) -> Result<Invoice, Refusal> {
    Invoice::parse(text).map_err(|error| Refusal::by("W-28").case(error.part()).with("text", text))
}

/// Returns what is wrong with a QR text among the pairs; a voucher keeps none that says nothing.
///
/// # Errors
/// As [`read`].
pub fn check_text(pairs: &[Pair]) -> Result<(), Refusal> {
    let mut typed = pairs.iter().filter(|pair| pair.name == "qr_raw" && !pair.value.is_empty());
    typed.try_for_each(|pair| read(&pair.value).map(drop))
}

/// Returns the key under which this device finds an invoice again.
#[must_use]
pub fn invoice_key(invoice: &Invoice) -> [u8; 16] {
    let hash = sha256(&[b"invoice", invoice.duplicate_key().as_bytes()]);
    let mut key = [0; 16];
    key.iter_mut().zip(hash).for_each(|(place, byte)| *place = byte);
    key
}

/// Returns the invoice whose QR text stands on a voucher.
#[must_use]
pub fn invoice(record: &Record) -> Option<Invoice> {
    let text = record.get::<InvoiceNo>()?.qr_raw?.0;
    Invoice::parse(&text).ok()
}

/// Vouchers of one invoice that are looked at; all but one of them were thrown away.
const SAME_INVOICE_MAX: usize = 64;

/// Returns the voucher of an invoice that was captured here, unless it was thrown away.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn captured(store: &Store, invoice: &Invoice) -> Result<Option<DocId>, StoreError> {
    for id in store.all_imported(&invoice_key(invoice), SAME_INVOICE_MAX)? {
        let discarded = |document: &Document| {
            state::of(&VOUCHER, document).is_some_and(|state| state.name == "discarded")
        };
        if store.document(id)?.is_some_and(|document| !discarded(&document)) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Returns what a person should look at on a voucher as it would be saved.
///
/// # Errors
/// W-14 with what stands against saving it.
pub fn check(record: &Record, code: &str) -> Result<Vec<Problem>, Refusal> {
    let (blocking, notices): (Vec<Problem>, Vec<Problem>) =
        at_capture(record).into_iter().partition(Problem::blocks);
    if blocking.is_empty() { Ok(notices) } else { Err(Refusal::unfinished(code, blocking)) }
}

/// Returns what a person should look at on a saved voucher, other vouchers like it included; of any other record nothing.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn notices(store: &Store, id: DocId, now: Now) -> Result<Vec<Problem>, StoreError> {
    let document = store.document(id)?;
    let Some(document) = document.filter(|document| document.kind == number::VOUCHER) else {
        return Ok(Vec::new());
    };
    let record = rows::record(&VOUCHER, &document);
    let mut notices = at_capture(&record);
    notices.extend(twins::notices(store, &record, None, now.wall.day(store.zone()))?);
    Ok(notices)
}

/// Returns what stands between a saved voucher and a line of a claim; of one that stands there already nothing.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn missing(store: &Store, id: DocId) -> Result<Vec<Problem>, StoreError> {
    let captured = |document: &Document| {
        document.kind == number::VOUCHER && document.state == records::kinds::voucher_machine::CAPTURED
    };
    let document = store.document(id)?.filter(captured);
    Ok(document.map(|document| before_place(&rows::record(&VOUCHER, &document))).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pairs: &[(&str, &str)]) -> Vec<Pair> {
        let mut pairs = pairs.iter().map(|(name, value)| Pair::new(*name, *value)).collect();
        fill(&mut pairs);
        pairs.split_off(1)
    }

    #[test]
    fn only_a_sum_with_tax_is_taken_from_the_qr_and_never_over_a_typed_one() {
        let with_tax = ("qr_raw", "01,32,,25152000009858579102,56.00,20250302,,D263");
        let without = ("qr_raw", "01,10,011001605111,80100798,64.9,20161018,85342965681116380258");
        let (day, sum) = (Pair::new("date", "2025-03-02"), Pair::new("amount", "56.00"));
        assert_eq!(filled(&[with_tax]), [day.clone(), sum]);
        assert_eq!(filled(&[with_tax, ("amount", "60")]), [Pair::new("amount", "60"), day]);
        assert_eq!(filled(&[without]), [Pair::new("date", "2016-10-18")]);
        let unknown = ("qr_raw", "01,77,011001605111,80100798,64.9,20161018,");
        assert_eq!(filled(&[unknown]), [Pair::new("date", "2016-10-18")]);
        assert_eq!(filled(&[("qr_raw", "hello")]), []);
    }

    #[test]
    fn an_invoice_has_one_key_however_its_text_ends() {
        let key = |text: &str| invoice_key(&Invoice::parse(text).unwrap());
        let text = "01,10,011001900311,26105568,356.60,20190602,69609999443421834136,C348";
        assert_eq!(key(text), key(&format!("{text},")));
        assert_ne!(key(text), key(&text.replace("26105568", "26105569")));
    }
}
