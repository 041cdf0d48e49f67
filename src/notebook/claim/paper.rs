//! A voucher as a claim looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use records::duplicate::{self, Key};
use records::id::DocId;
use records::kinds::claim::Placed;
use records::kinds::voucher::{
    self, Amount, Category, Dated, Owner, PaperKind, Period, Purpose, Remark, VOUCHER, VoucherKind,
    VoucherPlace,
};
use records::kinds::{number, voucher_machine};
use records::machine::Index;
use records::money::Fen;
use records::policy::cycle::Month;
use records::problems::{Problem, before_place};
use records::record::Record;
use records::time::Day;
use records::value::{Count, Ref, Target, Text};
use sync_protocol::merge::Document;
use sync_protocol::stamp::Stamp;

use crate::notebook::people::People;
use crate::notebook::refusal::Refusal;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// A voucher as a claim looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Which document.
    pub id: DocId,
    /// Where it is, see [`voucher_machine`].
    pub state: Index,
    /// What the money was spent on; `None` where nobody said.
    pub category: Option<Category>,
    /// The day on it.
    pub date: Option<Day>,
    /// The billed month, where it names a period.
    pub month: Option<Month>,
    /// The amount, tax included.
    pub amount: Option<Fen>,
    /// The currency, where one is named.
    pub currency: String,
    /// What kind of paper.
    pub kind: Option<VoucherKind>,
    /// The duplicate key as text; empty where too little stands on it.
    pub key: String,
    /// The work that it belongs to.
    pub sheets: BTreeSet<Target>,
    /// Where.
    pub place: String,
    /// What for, in words.
    pub note: String,
    /// What stands between it and a line.
    pub open: Vec<Problem>,
}

impl Paper {
    /// Reads a voucher; `owner` is whose it is.
    #[must_use]
    pub fn of(record: &Record, owner: DocId) -> Self {
        let money = record.get::<Amount>().unwrap_or_default();
        let from = record.get::<Period>().and_then(|period| period.period_from);
        let key = match duplicate::key(record, &owner) {
            Some(Key::Strong(key) | Key::Weak(key)) => key,
            None => String::new(),
        };
        let sheets = record.all::<voucher::Sheets>().into_iter().filter_map(|row| row.sheet);
        Self {
            id: record.id,
            state: record.state,
            category: record.get::<Purpose>().and_then(|purpose| purpose.category),
            date: record.get::<Dated>().and_then(|dated| dated.date),
            month: from.and_then(Month::of),
            amount: money.amount,
            currency: money.currency.map(|text| text.0).unwrap_or_default(),
            kind: record.get::<PaperKind>().and_then(|paper| paper.kind),
            key,
            sheets: sheets.map(|Ref(target)| target).collect(),
            place: record
                .get::<VoucherPlace>()
                .and_then(|at| at.place)
                .map(|text| text.0)
                .unwrap_or_default(),
            note: record
                .get::<Remark>()
                .and_then(|remark| remark.note)
                .map(|text| text.0)
                .unwrap_or_default(),
            open: before_place(record),
        }
    }

    /// Returns its row on a line of a claim.
    #[must_use]
    pub fn placed(&self, line: u32) -> Placed {
        Placed {
            line: Some(Count(line)),
            voucher: Some(Ref(Target::Doc(self.id))),
            amount: self.amount,
            date: self.date,
            kind: self.kind,
            key: (!self.key.is_empty()).then(|| Text(self.key.chars().take(300).collect())),
        }
    }
}

/// Returns whose a voucher is: its owner, else the owner of the device that wrote it; `None` where nobody knows.
#[must_use]
pub fn owner(record: &Record, people: &People, me: (DocId, &str)) -> Option<DocId> {
    match record.get::<Owner>().and_then(|group| group.owner) {
        Some(Ref(Target::Doc(id))) => Some(id),
        Some(Ref(Target::Text(text))) => (text.trim() == me.1).then_some(me.0),
        None => people.staff(record.id.0.replica),
    }
}

/// Refuses a change to a voucher that reviewers look at (W-59): its claim must be withdrawn or sent back first.
///
/// # Errors
/// W-59.
pub fn editable(voucher: &Document) -> Result<(), Refusal> {
    let bound = [voucher_machine::SUBMITTED, voucher_machine::VERIFIED, voucher_machine::REJECTED];
    if !bound.contains(&voucher.state) {
        return Ok(());
    }
    let state = voucher_machine::VOUCHER.states.get(usize::from(voucher.state));
    let (zh, en) = state.map_or(("", ""), |state| (state.zh, state.en));
    Err(Refusal::by("W-59").with("voucher", voucher.id.code()).label("state", zh, en))
}

/// Returns a voucher that is here, with its document; `None` where it is not, or is somebody else's.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn read(store: &Store, id: DocId) -> Result<Option<(Document, Paper)>, StoreError> {
    let Some(document) = store.document(id)?.filter(|document| document.kind == number::VOUCHER) else {
        return Ok(None);
    };
    let people = People::read(store)?;
    Ok(own(store, &people, document))
}

fn own(store: &Store, people: &People, document: Document) -> Option<(Document, Paper)> {
    let enrolment = &store.identity().enrolment;
    let record = rows::record(&VOUCHER, &document);
    let owner = owner(&record, people, (enrolment.staff, &enrolment.staff_code))?;
    (owner == enrolment.staff).then(|| (document, Paper::of(&record, owner)))
}

/// Returns this person's captured vouchers, in the order of their days.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn captured(store: &Store) -> Result<Vec<(Document, Paper)>, StoreError> {
    in_states(store, &[voucher_machine::CAPTURED])
}

/// Vouchers as they were read before: one whose document did not change since is not read again.
#[derive(Debug, Default)]
pub struct Known {
    people: People,
    /// The document's digest, its creation, and the voucher where it is one's own.
    papers: BTreeMap<DocId, ([u8; 16], Stamp, Option<Paper>)>,
}

/// Returns this person's vouchers that no submitted claim holds, in the order of their days.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn unsubmitted(store: &Store, known: &mut Known) -> Result<Vec<Paper>, StoreError> {
    let people = People::read(store)?;
    if people != known.people {
        *known = Known { people, ..Known::default() };
    }
    let mut current = BTreeMap::new();
    store.each_entry(Some(number::VOUCHER), &mut |entry| {
        if entry.whole && [voucher_machine::CAPTURED, voucher_machine::PLACED].contains(&entry.state) {
            let before = known.papers.remove(&entry.id).filter(|(digest, ..)| *digest == entry.digest);
            let paper = match before {
                Some((.., paper)) => paper,
                None => {
                    let document = store.document(entry.id)?;
                    document.and_then(|document| own(store, &known.people, document)).map(|(_, paper)| paper)
                }
            };
            current.insert(entry.id, (entry.digest, entry.created, paper));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    known.papers = current;
    let mut papers: Vec<(Stamp, &Paper)> =
        known.papers.values().filter_map(|(_, created, paper)| Some((*created, paper.as_ref()?))).collect();
    papers.sort_by_key(|(created, paper)| (paper.date, *created, paper.id));
    Ok(papers.into_iter().map(|(_, paper)| paper.clone()).collect())
}

fn in_states(store: &Store, states: &[Index]) -> Result<Vec<(Document, Paper)>, StoreError> {
    let people = People::read(store)?;
    let mut waiting = Vec::new();
    store.each_entry(Some(number::VOUCHER), &mut |entry| {
        if entry.whole && states.contains(&entry.state) {
            waiting.push(entry.id);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut papers = Vec::new();
    for id in waiting {
        let document = store.document(id)?;
        papers.extend(document.and_then(|document| own(store, &people, document)));
    }
    papers.sort_by_key(|(document, paper)| (paper.date, document.created, paper.id));
    Ok(papers)
}
