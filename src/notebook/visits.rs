//! The sheets of a job or of a machine, and what was last read on its meters.

use records::claim::traces::marks::Mark;
use records::id::DocId;
use records::kinds::sheet::Readings;
use records::kinds::{number, takes};
use records::schema::Kind;
use records::time::Ts;
use records::value::{Target, Value};
use sync_protocol::merge::Document;

use crate::notebook::{list, rows};
use crate::store::Store;
use crate::store::error::StoreError;

/// A sheet and its kind.
pub type Sheet = (Document, &'static Kind);

/// Returns the sheets that answer a job, newest first.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn of_job(store: &Store, job: DocId) -> Result<Vec<Sheet>, StoreError> {
    let answers = |(document, kind): &Sheet| {
        rows::value(kind, document, "work_order") == Some(Value::Ref(Target::Doc(job)))
    };
    let mut found = marked(store, &Mark::Job(job), usize::MAX)?;
    found.retain(answers);
    Ok(found)
}

/// Returns the sheets on which a machine was worked on, newest first, so many at most.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn of_asset(store: &Store, asset: DocId, limit: usize) -> Result<Vec<Sheet>, StoreError> {
    let mut found = marked(store, &Mark::Asset(asset), limit)?;
    found.retain(|(document, kind)| machines(document, kind).contains(&asset));
    Ok(found)
}

/// Returns the linked machines of a sheet.
#[must_use]
pub fn machines(document: &Document, kind: &'static Kind) -> Vec<DocId> {
    let named = rows::record(kind, document).all::<records::kinds::sheet::Assets>().into_iter();
    named.filter_map(|row| row.asset?.doc()).collect()
}

fn marked(store: &Store, mark: &Mark, limit: usize) -> Result<Vec<Sheet>, StoreError> {
    let mut entries = Vec::new();
    for id in store.marked(mark)? {
        entries.extend(store.entry(id)?.filter(|entry| entry.whole && takes(number::SHEET, entry.kind)));
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.created, entry.id)));
    let mut found = Vec::new();
    for entry in entries.into_iter().take(limit) {
        let kind = records::kinds::by_number(entry.kind);
        found.extend(store.document(entry.id)?.zip(kind));
    }
    Ok(found)
}

/// What was read on a meter, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The meter's name.
    pub meter: String,
    /// What it showed.
    pub value: records::value::MeterValue,
    /// When.
    pub at: Ts,
}

/// Sheets that are looked through for earlier readings.
const SHEETS_MAX: usize = 20;

/// Returns the last reading of each meter of a sheet's machines before this sheet, by name.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn last_readings(
    store: &Store,
    (document, kind): (&Document, &'static Kind),
) -> Result<Vec<Read>, StoreError> {
    let mut last: std::collections::BTreeMap<String, Read> = std::collections::BTreeMap::new();
    for machine in machines(document, kind) {
        for (sheet, kind) in of_asset(store, machine, SHEETS_MAX)? {
            if sheet.id == document.id {
                continue;
            }
            for row in rows::record(kind, &sheet).all::<Readings>() {
                let Some((meter, value)) = row.meter.zip(row.value) else { continue };
                let at = row.taken_at.unwrap_or_else(|| list::created(sheet.created));
                let later = last.get(&meter.0).is_none_or(|known| known.at < at);
                if later {
                    last.insert(meter.0.clone(), Read { meter: meter.0, value, at });
                }
            }
        }
    }
    Ok(last.into_values().collect())
}
