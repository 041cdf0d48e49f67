//! A person's work sheets of some days: what trip summaries and claims take from them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use records::id::DocId;
use records::kinds::sheet::{Engineer, Helpers, Visit};
use records::kinds::{number, sheet_machine};
use records::record::Record;
use records::time::{Day, Ts, Zone};
use records::value::Target;

use crate::notebook::people::People;
use crate::notebook::rows;
use crate::store::Store;
use crate::store::error::StoreError;

/// A visit is on so many civil days at most: beyond that a time was mistyped.
const VISIT_DAYS_MAX: i32 = 31;

/// Sheets are looked at that were begun so many days before the first day asked about.
const BEGUN_BEFORE_DAYS: i64 = 92;

/// One work sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The civil days of the visit.
    pub days: BTreeSet<Day>,
    /// Who worked there.
    pub staff: BTreeSet<DocId>,
    /// Whether it still stands: neither thrown away nor sent back.
    pub stands: bool,
    /// All of it.
    pub record: Record,
}

impl Work {
    /// Reads a sheet; `author` is who wrote it, `me` whom a typed staff code may mean.
    #[must_use]
    pub fn of(record: Record, author: Option<DocId>, me: (DocId, &str), zone: Zone) -> Self {
        let person = |target: Target| match target {
            Target::Doc(id) => Some(id),
            Target::Text(code) => (code.trim() == me.1).then_some(me.0),
        };
        let visit = record.get::<Visit>().unwrap_or_default();
        let engineer = record.get::<Engineer>().and_then(|group| group.engineer).map(|staff| staff.0);
        let engineer = engineer.map_or(author, person);
        let helpers = record.all::<Helpers>().into_iter().filter_map(|row| person(row.staff?.0));
        Self {
            days: days(visit.arrived, visit.left, zone),
            staff: engineer.into_iter().chain(helpers).collect(),
            stands: !matches!(
                record.state,
                sheet_machine::VOID | sheet_machine::RETURNED | sheet_machine::AMENDED
            ),
            record,
        }
    }
}

fn days(arrived: Option<Ts>, left: Option<Ts>, zone: Zone) -> BTreeSet<Day> {
    let Some(first) = arrived.or(left).map(|ts| ts.day(zone)) else {
        return BTreeSet::new();
    };
    let last = left.map_or(first, |ts| ts.day(zone)).max(first);
    (first.0..=last.0.min(first.0.saturating_add(VISIT_DAYS_MAX - 1))).map(Day).collect()
}

/// Returns one sheet that is here; `None` where it is not.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn read(store: &Store, id: DocId, people: &People) -> Result<Option<Work>, StoreError> {
    let enrolment = &store.identity().enrolment;
    let document = store.document(id)?.filter(|document| records::kinds::takes(number::SHEET, document.kind));
    Ok(document.and_then(|document| {
        let kind = records::kinds::by_number(document.kind)?;
        let author = people.staff(document.id.0.replica);
        let me = (enrolment.staff, enrolment.staff_code.as_str());
        Some(Work::of(rows::record(kind, &document), author, me, enrolment.zone))
    }))
}

/// Returns this person's sheets that still stand and have a day among these, those begun earlier first.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn between(store: &Store, first: Day, last: Day) -> Result<Vec<Work>, StoreError> {
    let (me, zone) = (store.identity().enrolment.staff, store.identity().enrolment.zone);
    let people = People::read(store)?;
    let since = first.start(zone).0.saturating_sub(BEGUN_BEFORE_DAYS * 24 * 60 * 60 * 1000);
    let mut found = Vec::new();
    for kind in [number::INSTALL, number::REPAIR, number::INSPECTION] {
        let mut begun = Vec::new();
        store.each_entry(Some(kind), &mut |entry| {
            // Newest first: what follows was begun earlier still.
            if i64::try_from(entry.created.ms).unwrap_or(i64::MAX) < since {
                return Ok(ControlFlow::Break(()));
            }
            if entry.whole && entry.state != sheet_machine::VOID {
                begun.push((entry.created, entry.id));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (created, id) in begun {
            let work = read(store, id, &people)?.filter(|work| work.stands && work.staff.contains(&me));
            let inside = |work: &Work| work.days.iter().any(|day| (first..=last).contains(day));
            found.extend(work.filter(inside).map(|work| (created, work)));
        }
    }
    found.sort_by_key(|(created, work)| (*created, work.record.id));
    Ok(found.into_iter().map(|(_, work)| work).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_past_midnight_is_on_both_days_and_a_mistyped_year_on_few() {
        let ts = |text: &str| Ts::parse(text, Zone::SHANGHAI).ok();
        let check = |arrived: &str, left: &str, expected: &[&str]| {
            let expected: BTreeSet<Day> = expected.iter().map(|day| day.parse().unwrap()).collect();
            assert_eq!(days(ts(arrived), ts(left), Zone::SHANGHAI), expected);
        };
        check("2026-11-03 22:00", "2026-11-04 01:00", &["2026-11-03", "2026-11-04"]);
        check("2026-11-03 08:00", "", &["2026-11-03"]);
        check("", "2026-11-04 01:00", &["2026-11-04"]);
        check("2026-11-03 08:00", "2026-11-02 08:00", &["2026-11-03"]);
        check("", "", &[]);
        assert_eq!(days(ts("2016-11-03 08:00"), ts("2026-11-03 09:00"), Zone::SHANGHAI).len(), 31);
    }
}
