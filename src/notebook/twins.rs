//! Whether a voucher is here already, and what else betrays a wrong claim, as far as this device can see.
//!
//! Source: docs/RULES.md B6, R2 and Anomalies.

use records::claim::traces::gather::{self, Index, Made};
use records::claim::traces::marks::Mark;
use records::claim::traces::papers::Alike;
use records::claim::traces::trail::{Paper, name};
use records::claim::traces::{Trace, of_claim};
use records::claim::view::Claim;
use records::id::{DocId, Replica};
use records::kinds::{number, voucher};
use records::problems::Problem;
use records::record::Record;
use records::schema::Typed;
use records::time::Day;

use crate::notebook::people::People;
use crate::notebook::rows;
use crate::notebook::terms::{self, Terms};
use crate::store::Store;
use crate::store::error::StoreError;

/// A device's store as the place where records are looked up.
struct Here<'s> {
    store: &'s Store,
    people: People,
}

impl Index for Here<'_> {
    type Error = StoreError;

    fn listed(&mut self, mark: &Mark) -> Result<Vec<DocId>, StoreError> {
        self.store.marked(mark)
    }

    fn devices(&mut self, staff: DocId) -> Result<Vec<Replica>, StoreError> {
        Ok(self.people.of(staff).into_iter().collect())
    }

    fn record(&mut self, id: DocId) -> Result<Option<Made>, StoreError> {
        let Some(document) = self.store.document(id)? else {
            return Ok(None);
        };
        let kind = records::kinds::by_number(document.kind);
        let author = self.people.staff(id.0.replica);
        Ok(kind.map(|kind| Made { record: rows::record(kind, &document), author }))
    }
}

/// Returns what is said of a voucher that is here already, or looks like one that is: B6 and R2, as notices. Of any other
/// record nothing. Where nobody is named who spent it, `author` did; `None`: whose device made it.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn notices(
    store: &Store,
    record: &Record,
    author: Option<DocId>,
    today: Day,
) -> Result<Vec<Problem>, StoreError> {
    if record.kind.number != number::VOUCHER {
        return Ok(Vec::new());
    }
    let mut here = Here { store, people: People::read(store)? };
    let terms = terms::in_force(store)?;
    let author = author.or_else(|| here.people.staff(record.id.0.replica));
    let made = Made { record: record.clone(), author };
    let mut notices = Vec::new();
    for (twin, how) in gather::twins(&made, terms.policy(today), &mut here)? {
        let rule = if how == Alike::Strong { "B6" } else { "R2" };
        let claims = gather::claims_with(twin.id, &mut here)?;
        let group = voucher::InvoiceNo::GROUP.name;
        notices.push(Problem::new(rule, group, "").fact("other", said(&twin, &claims)));
    }
    Ok(notices)
}

/// Returns what the rules find on a claim, as far as this device can see; nothing of what is no claim.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn traces(store: &Store, claim: &Record, today: Day) -> Result<Vec<Trace>, StoreError> {
    let Some(view) = Claim::of(claim) else {
        return Ok(Vec::new());
    };
    let named = view.submission.as_ref().map(|submission| submission.policy_version.as_str());
    let facts = Terms::read(store)?.facts(named, view.submitted_day(today), today);
    let mut here = Here { store, people: People::read(store)? };
    let Some(mut trail) = gather::trail(claim, &facts.policy, &mut here)? else {
        return Ok(Vec::new());
    };
    trail.caps = gather::ceilings(&view, &facts);
    Ok(of_claim(&trail, &facts.policy, &facts.calendar))
}

/// A voucher by its code, its day, and the claims on which it stands.
fn said(paper: &Paper, claims: &[Claim]) -> String {
    let day = paper.date.map(|day| day.to_string());
    let parts = std::iter::once(paper.id.code()).chain(day).chain(claims.iter().map(name));
    parts.collect::<Vec<_>>().join(", ")
}
