//! The papers of a record: a sheet's report, a claim with what is pasted and signed, a trip summary, an envelope's label.

use std::cell::RefCell;

use papers::batch::{BatchForm, Cover};
use papers::paper::Paper;
use papers::read::{Named, Source};
use papers::trip::TripForm;
use records::claim::guard::batch::Batch;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::number;
use records::kinds::trip::TripDays;
use records::policy::cycle::HalfMonth;
use records::record::Record;
use records::time::Day;
use records::value::Target;

use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::report::report;
use crate::notebook::terms::Terms;
use crate::notebook::trip::{self, build::BuiltDay};
use crate::notebook::{batch, review, rows, show};
use crate::store::Store;
use crate::store::error::StoreError;

/// What is printed of a record.
#[derive(Debug, Clone)]
pub struct Print {
    /// The record; `None` for a half-month's summary of which nothing is saved yet.
    pub id: Option<DocId>,
    /// Its papers.
    pub named: Named,
}

/// Returns the papers of a sheet, a claim, a batch or a trip summary; a half-month (`2026-11-H1`) names one's own summary.
///
/// # Errors
/// W-05 for a record that has no papers; what [`find::document`] refuses; [`NotebookError::Store`].
pub fn print(
    store: &Store,
    text: &str,
    lang: papers::words::Lang,
    labels: records::value::text::Lang,
    today: Day,
) -> Result<Print, NotebookError> {
    let terms = Terms::read(store)?;
    let damaged: RefCell<Option<StoreError>> = RefCell::new(None);
    let record = |id| read(store, id).unwrap_or_else(|error| damaged.replace(Some(error)).and(None));
    let facts = terms.facts(None, today, today);
    let source = Source {
        record: &record,
        zone: store.identity().enrolment.zone,
        lang,
        paste_max_per_sheet: facts.policy.paste_max_per_sheet,
    };
    let printed = match text.parse::<HalfMonth>() {
        Ok(half) => {
            own_trip(store, half, &source, labels).map(|(id, form)| Print { id, named: of_trip(form) })
        }
        Err(_) => of_record(store, text, &terms, &source, (labels, today)),
    };
    match damaged.into_inner() {
        Some(error) => Err(error.into()),
        None => printed,
    }
}

fn of_trip(form: TripForm) -> Named {
    Named { title: format!("{} {}", form.staff, form.half), papers: vec![Paper::Trip(form)] }
}

fn of_record(
    store: &Store,
    text: &str,
    terms: &Terms,
    source: &Source,
    (labels, today): (records::value::text::Lang, Day),
) -> Result<Print, NotebookError> {
    let (document, kind) = find::document(store, text, Wanted::Any)?;
    let none = || NotebookError::from(Refusal::by("W-05").with("text", text));
    let whole = rows::record(kind, &document);
    let named = match kind.number {
        number::INSTALL | number::REPAIR | number::INSPECTION => {
            let paper = report(store, text, labels)?.paper;
            let title = format!("{} {}", paper.kind, paper.number).trim_end().to_owned();
            Named { title, papers: vec![Paper::Sheet(paper)] }
        }
        number::CLAIM => {
            let claim = Claim::of(&whole).ok_or_else(none)?;
            let named = claim.submission.as_ref().map(|submission| submission.policy_version.as_str());
            let facts = terms.facts(named, claim.submitted_day(today), today);
            source.claim(&claim, facts.policy.vp.is_asked(claim.claimed_total(), claim.claimed_total()))
        }
        number::TRIP => of_trip(source.trip(&whole).ok_or_else(none)?),
        number::BATCH => of_batch(store, &batch::read(&document), terms)?,
        _ => return Err(none()),
    };
    Ok(Print { id: Some(document.id), named })
}

fn of_batch(store: &Store, batch: &Batch, terms: &Terms) -> Result<Named, NotebookError> {
    let mut covers = Vec::new();
    for (id, no) in &batch.claims {
        let claim = store.document(*id)?.and_then(|document| review::read(&document));
        covers.push(Cover {
            number: no.clone(),
            staff: claim
                .as_ref()
                .map(|claim| show::name(store, claim.staff))
                .transpose()?
                .unwrap_or_default(),
            vouchers: claim.as_ref().map_or(0, Claim::voucher_count),
            claimed: claim.map(|claim| claim.claimed_total()).unwrap_or_default(),
        });
    }
    let form = BatchForm {
        number: batch.no.clone(),
        branch: batch.branch.map(|branch| terms.unit_code(branch).to_owned()).unwrap_or_default(),
        due: batch.due,
        waybill: batch.waybill.clone(),
        covers,
    };
    Ok(Named { title: batch.no.clone(), papers: vec![Paper::Batch(form)] })
}

fn read(store: &Store, id: DocId) -> Result<Option<Record>, StoreError> {
    let document = store.document(id)?;
    let kind = |kind| records::kinds::by_number(kind);
    Ok(document.and_then(|document| Some(rows::record(kind(document.kind)?, &document))))
}

/// Returns the summary of this person's half-month, saved or not.
fn own_trip(
    store: &Store,
    half: HalfMonth,
    source: &Source,
    labels: records::value::text::Lang,
) -> Result<(Option<DocId>, TripForm), NotebookError> {
    let enrolment = &store.identity().enrolment;
    let summary = trip::summary(store, half, labels)?;
    let saved = summary.id.map(|id| read(store, id)).transpose()?.flatten();
    let blank = || source.blank_trip(enrolment.staff, Some(enrolment.unit));
    let mut form = saved.and_then(|record| source.trip(&record)).unwrap_or_else(blank);
    form.half = half.to_string();
    form.state = labels.pick(summary.state.zh, summary.state.en).to_owned();
    let of_day = |(day, built): (&Day, &BuiltDay)| {
        let row = TripDays { date: Some(*day), ..built.row.clone() };
        (row, built.sheets.iter().map(|sheet| (*day, Target::Doc(*sheet))).collect::<Vec<_>>())
    };
    let (rows, sheets): (Vec<TripDays>, Vec<_>) = summary.days.iter().map(of_day).unzip();
    form.days = source.days(rows, &sheets.concat(), &summary.legs);
    Ok((summary.id, form))
}
