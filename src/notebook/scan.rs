//! Making a voucher of an invoice's QR text.

use std::ops::ControlFlow;

use records::id::DocId;
use records::invoice::{Checksum, Invoice};
use records::kinds::number;
use records::kinds::voucher::VOUCHER;
use records::money::Fen;
use records::value::Value;

use crate::clock::Now;
use crate::notebook::create::{Create, create};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// What a QR text gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The voucher.
    pub id: DocId,
    /// Whether it was made now; else it was here.
    pub added: bool,
    /// What the text says was paid.
    pub amount: Fen,
    /// `match`, `miss` or `absent`; a miss is a notice, never a refusal.
    pub checksum: &'static str,
}

/// Makes a voucher of a QR text; the same text again gives the voucher that is here.
///
/// # Errors
/// W-28 where the text is no invoice's; what [`create`] refuses.
pub fn scan(
    store: &mut Store,
    text: &str,
    category: Option<&str>,
    now: Now,
) -> Result<Scanned, NotebookError> {
    let invoice = Invoice::parse(text).map_err(|_| Refusal::by("W-28").with("text", text))?;
    let checksum = match invoice.checksum {
        Checksum::Match => "match",
        Checksum::Miss => "miss",
        Checksum::Absent => "absent",
    };
    if let Some(id) = same(store, text)? {
        return Ok(Scanned {
            id,
            added: false,
            amount: invoice.amount,
            checksum,
        });
    }
    let mut pairs = vec![
        Pair::new("qr_raw", text),
        Pair::new("amount", invoice.amount.to_string()),
        Pair::new("date", invoice.date.to_string()),
        Pair::new("category", category.unwrap_or("other_service")),
    ];
    pairs.retain(|pair| !pair.value.is_empty());
    let request = Create {
        kind: &VOUCHER,
        job: None,
        pairs,
        entries: Vec::new(),
    };
    let created = create(store, &request, now)?;
    Ok(Scanned {
        id: created.id,
        added: true,
        amount: invoice.amount,
        checksum,
    })
}

fn same(store: &Store, text: &str) -> Result<Option<DocId>, StoreError> {
    let mut found = None;
    store.each(Some(number::VOUCHER), &mut |document| {
        let scanned = rows::value(&VOUCHER, &document, "qr_raw");
        if scanned == Some(Value::Text(text.to_owned())) {
            found = Some(document.id);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
