//! What is entered of a folded document so that the office finds it: marks, what waits for a person, and which claims a
//! payment batch pays.

use std::collections::BTreeSet;

use records::claim::traces::marks as traces;
use records::claim::view::Claim;
use records::kinds::batch::BatchClaims;
use records::kinds::exception::Ask;
use records::kinds::payment::PaymentClaims;
use records::kinds::{self, alert, case, number, takes};
use records::record::Record;
use records::time::Zone;
use sync_protocol::merge::Document;

use crate::intake::desk::Desk;
use crate::money::pay;
use crate::money::rows::linked;
use crate::reading;
use crate::store::StoreError;
use crate::store::documents::Card;
use crate::store::marks::{Mark, Marked};

impl Desk {
    /// Enters what documents are found by, in place of what they were found by before.
    ///
    /// # Errors
    /// [`StoreError::InPayment`] where a payment batch would pay what another one pays.
    pub(crate) fn index_money(&mut self, cards: &[Card]) -> Result<(), StoreError> {
        let mut marked = Vec::new();
        for card in cards {
            let document = &card.indexed.document;
            let unsettled = !document.refused.is_empty() || !document.conflicts().is_empty();
            let record = if is_marked(document) { record(document) } else { None };
            let mut marks = record.as_ref().map(marks).unwrap_or_default();
            marks.extend(unsettled.then_some(Mark::Unsettled));
            if let Some(record) = record.as_ref().filter(|_| traces::has(document.kind)) {
                let found = traces::of(record, Zone::SHANGHAI);
                marks.extend(found.iter().map(|mark| Mark::Trace(mark.to_bytes())));
            }
            if let Some(payment) = record.filter(|_| document.kind == number::PAYMENT) {
                let mut claims = Vec::new();
                for claim in pay::Batch::of(payment).pays() {
                    claims.push((self.home(claim.0.replica)?.unwrap_or(0), claim));
                }
                self.store.in_payment_put(document.id, &claims)?;
            }
            marked.push(Marked { branch: card.branch, id: document.id, marks, new: card.is_new() });
        }
        self.store.marks_put(&marked)
    }

    /// Returns the documents on which a conflict or a refused entry waits for a person, by branch and id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unsettled_documents(&mut self) -> Result<Vec<Document>, StoreError> {
        let mut found = Vec::new();
        for id in self.store.listed(&Mark::Unsettled)? {
            let document = self.document(id)?;
            // One that was judged anew may still be listed.
            found.extend(document.filter(|one| !one.refused.is_empty() || !one.conflicts().is_empty()));
        }
        Ok(found)
    }
}

/// Whether what it says is entered of a document. A sheet is no evidence before its seal, and costs nothing until then.
fn is_marked(document: &Document) -> bool {
    let money = (number::CLAIM..=number::ALERT).contains(&document.kind);
    let sheet = takes(number::SHEET, document.kind);
    money || traces::has(document.kind) && (!sheet || document.state != 0)
}

/// Returns the document as its marks are made of it.
fn record(document: &Document) -> Option<Record> {
    if !takes(number::SHEET, document.kind) {
        return reading::record(document);
    }
    let kind = kinds::by_number(document.kind)?;
    Some(document.record_of(kind, |tag| traces::OF_SHEET.contains(&tag)))
}

/// Returns what a record is found by.
fn marks(record: &Record) -> BTreeSet<Mark> {
    match record.kind.number {
        number::CLAIM => Claim::of(record).map(|claim| of_claim(&claim)).unwrap_or_default(),
        number::BATCH => {
            let claims = record.all::<BatchClaims>();
            claims.iter().filter_map(|row| linked(row.claim.as_ref())).map(Mark::Claim).collect()
        }
        number::PAYMENT => {
            let claims = record.all::<PaymentClaims>();
            claims.iter().filter_map(|row| linked(row.claim.as_ref())).map(Mark::Claim).collect()
        }
        number::CASE => {
            let about = record.get::<case::About>().unwrap_or_default();
            linked(about.claim.as_ref()).map(Mark::Claim).into_iter().collect()
        }
        number::EXCEPTION => {
            let ask = record.get::<Ask>().unwrap_or_default();
            let claim = linked(ask.claim.as_ref()).map(Mark::Claim);
            claim.into_iter().chain(linked(ask.asked_by.as_ref()).map(Mark::Staff)).collect()
        }
        number::ALERT => {
            let finding = record.get::<alert::Finding>().unwrap_or_default();
            linked(finding.claim.as_ref()).map(Mark::Claim).into_iter().collect()
        }
        _ => BTreeSet::new(),
    }
}

fn of_claim(claim: &Claim) -> BTreeSet<Mark> {
    let tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
    let keys = tickets.filter(|ticket| !ticket.key.is_empty()).map(|ticket| Mark::Key(ticket.key.clone()));
    keys.chain([Mark::Staff(claim.staff)]).chain(claim.unit.map(Mark::Unit)).collect()
}
