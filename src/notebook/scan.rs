//! Making a voucher of an invoice's QR text.

use records::id::DocId;
use records::invoice::{Checksum, Tax};
use records::kinds::voucher::VOUCHER;
use records::money::Fen;
use records::problems::Problem;
use records::value::Value;

use crate::clock::Now;
use crate::notebook::create::{Create, create};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::{rows, voucher};
use crate::store::Store;

/// What a QR text gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The voucher.
    pub id: DocId,
    /// Whether it was made now; else it was here.
    pub added: bool,
    /// What stands on the voucher, tax included; `None` where it is still to be typed.
    pub amount: Option<Fen>,
    /// The sum in the text.
    pub qr_amount: Fen,
    /// `included`, `excluded` or `unknown`: what that sum means.
    pub tax: &'static str,
    /// `match`, `miss` or `absent`; a miss is a notice, never a refusal.
    pub checksum: &'static str,
    /// What a person should look at.
    pub notices: Vec<Problem>,
}

/// Makes a voucher of a QR text; the same invoice again gives the voucher that is here.
///
/// The sum of the text is taken only where it is with tax; else the voucher waits for its amount.
///
/// # Errors
/// W-28 where the text is no invoice's; what [`create`] refuses.
pub fn scan(
    store: &mut Store,
    text: &str,
    category: Option<&str>,
    now: Now,
) -> Result<Scanned, NotebookError> {
    let invoice = voucher::read(text)?;
    let here = voucher::captured(store, &invoice)?;
    let id = match here {
        Some(id) => id,
        None => capture(store, text, category, now)?,
    };
    let amount = match store.document(id)?.map(|document| rows::value(&VOUCHER, &document, "amount")) {
        Some(Some(Value::Int(fen))) => Some(Fen(fen)),
        _ => None,
    };
    Ok(Scanned {
        id,
        added: here.is_none(),
        amount,
        qr_amount: invoice.amount,
        tax: match invoice.tax() {
            Tax::Included => "included",
            Tax::Excluded => "excluded",
            Tax::Unknown => "unknown",
        },
        checksum: match invoice.checksum {
            Checksum::Match => "match",
            Checksum::Miss => "miss",
            Checksum::Absent => "absent",
        },
        notices: voucher::notices(store, id, now)?,
    })
}

fn capture(store: &mut Store, text: &str, category: Option<&str>, now: Now) -> Result<DocId, NotebookError> {
    let mut pairs = vec![Pair::new("qr_raw", text)];
    pairs.extend(category.map(|category| Pair::new("category", category)));
    voucher::fill(&mut pairs);
    let request = Create { kind: &VOUCHER, job: None, pairs, entries: Vec::new() };
    Ok(create(store, &request, now)?.id)
}
