//! The documents that one job touches, with their ops: loaded once, folded when asked.

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, OpId};
use records::kinds;
use records::schema::{Class, Reach};
use sync_protocol::merge::{Document, Judged, Lines, Standing, fold};
use sync_protocol::ruling::Verdict;

use crate::reading;
use crate::store::documents::{Card, Indexed, Known};

/// A document that no branch's feed carries: nobody is named on it yet whose branch it could be.
pub const NOWHERE: u32 = u32::MAX;

/// One document at work.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// The branch under which it is kept: its creator's.
    pub home: u32,
    /// What the index said before this job; `None` for a new document.
    pub before: Option<Known>,
    /// Its ops, judged; deferred ones are not among them.
    pub ops: Vec<Judged>,
    /// Those that this job added or judged again.
    pub added: Vec<OpId>,
    /// As folded; `None` before the first fold, or where nothing stands.
    pub document: Option<Document>,
    /// Its own people, sorted: creator, concerned staff, named colleagues.
    pub people: Vec<DocId>,
    /// The branch in whose feed it is.
    pub scope: u32,
    /// The creator's staff document.
    pub creator: Option<DocId>,
    /// Whether ops came since the last fold.
    pub stale: bool,
}

impl Work {
    /// Folds its ops again, where any came since.
    pub fn fold(&mut self, lines: &Lines) {
        if !self.stale {
            return;
        }
        self.document = fold(&self.ops, lines).ok();
        self.stale = false;
        if let Some(document) = &self.document {
            self.people = people(document, &self.ops, self.creator);
        }
    }

    /// Takes the folded document out, on its way into the index, which said `before` of it, where that is known; `None`
    /// where nothing stands.
    pub(crate) fn card(&mut self, before: Option<Known>) -> Option<Card> {
        let document = self.document.take()?;
        let kind = kinds::by_number(document.kind);
        let number = kind.and_then(|kind| kind.key).map(|key| reading::text(&document, key));
        let indexed = Indexed {
            number: number.filter(|number| !number.is_empty()),
            scope: self.scope,
            people: self.people.clone(),
            creator: self.creator,
            digest: document.digest(),
            document,
        };
        let arrivals =
            self.ops.iter().filter_map(|op| op.judgement.as_ref()).map(|judgement| judgement.order);
        Some(Card { branch: self.home, indexed, before, arrival: arrivals.min().unwrap_or(0) })
    }

    /// Returns the verdict `Merged` for an op that left something open or superseded; `None` where it did not.
    #[must_use]
    pub fn merged(&self, id: OpId) -> Option<Verdict> {
        let document = self.document.as_ref()?;
        let contested = document.registers.iter().any(|(tag, register)| {
            let writers = || register.others.iter().chain([&register.value]).map(|written| written.op);
            tag.class() == Some(Class::Contested)
                && !register.others.is_empty()
                && writers().any(|op| op == id)
        });
        let late = || document.late.iter().any(|(_, written)| written.op == id);
        let lost = || {
            let lost = |standing| match standing {
                Standing::Superseded | Standing::Contested | Standing::Stale | Standing::TooLate => true,
                Standing::Stands | Standing::Void => false,
            };
            document.decisions.iter().any(|ruled| ruled.op == id && lost(ruled.standing))
        };
        (contested || late() || lost()).then_some(Verdict::Merged)
    }

    /// Whether everybody gets it; one whose creation was refused stays with its author.
    #[must_use]
    pub fn is_company(&self) -> bool {
        self.reach() == Some(Reach::Company)
    }

    /// Returns who gets it by its kind; `None` where its creation was refused, or the kind is a newer version's.
    #[must_use]
    pub fn reach(&self) -> Option<Reach> {
        let stands = |op: &&Judged| {
            let judgement = op.judgement.as_ref();
            op.row.doc.is_none() && judgement.is_none_or(|judgement| judgement.verdict.stands())
        };
        let creation = self.ops.iter().find(stands);
        Some(kinds::by_number(creation?.row.kind)?.reach)
    }
}

/// Creator, concerned staff, and the colleagues whom decisions that stand named.
pub(super) fn people(document: &Document, ops: &[Judged], creator: Option<DocId>) -> Vec<DocId> {
    let mut people = reading::concerned(document);
    people.extend(creator);
    let stands = document.decisions.iter().filter(|ruled| ruled.standing == Standing::Stands);
    for ruled in stands {
        let op = ops.iter().find(|op| op.id == ruled.op);
        let bytes = op.and_then(|op| op.row.write(DECISION_TAG));
        let decision = bytes.and_then(|bytes| postcard::from_bytes::<Decision>(bytes).ok());
        people.extend(decision.and_then(|decision| decision.to));
    }
    people.sort_unstable();
    people.dedup();
    people
}
