//! Under which marks records are found again: an index lists each record under its own, and a question asks for some.
//!
//! A mark only leads to a record that may fit: who asks reads the record and compares. So an index may go on listing a
//! record under a mark that it bears no more.
//!
//! Source: docs/STORAGE.md, Marks.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::claim::traces::gather::paper;
use crate::claim::traces::trail::{Invoiced, Paper};
use crate::claim::view::Claim;
use crate::duplicate::Key;
use crate::id::{DocId, Replica};
use crate::kinds::asset::Barcodes;
use crate::kinds::claim::CLAIM;
use crate::kinds::sheet::{Assets, Engineer, Helpers, Order, Times, Visit};
use crate::kinds::trip::{TRIP, TripOf};
use crate::kinds::voucher::VOUCHER;
use crate::kinds::{number, takes};
use crate::money::Fen;
use crate::policy::cycle::HalfMonth;
use crate::policy::terms::Policy;
use crate::record::Record;
use crate::schema::{Tag, Typed};
use crate::time::{Day, Ts, Zone};
use crate::value::{Ref, Target};

/// What a record is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Mark {
    /// Vouchers: the number of an invoice or ticket, [`Key::Strong`].
    Invoice(String),
    /// Vouchers: day, amount and seller of a purchase.
    Purchase(Day, Fen, String),
    /// Vouchers: a part of what the photo looks like, see [`crate::duplicate::PictureHash::bands`].
    Look(u8, u16),
    /// Vouchers: a photo's content.
    Photo(Vec<u8>),
    /// Claims: whose.
    Claimant(DocId),
    /// Claims: a voucher that stands on them.
    Voucher(DocId),
    /// Claims: who approved as supervisor, and on which day, UTC.
    Approved(DocId, Day),
    /// Claims: of which unit, for which half-month, by its first day.
    Unit(DocId, Day),
    /// Sheets and trip summaries: who worked or travelled, in which half-month, by its first day.
    Worked(DocId, Day),
    /// Sheets that name no engineer: whose device made them, in which half-month, by its first day.
    Made(Replica, Day),
    /// Sheets: the job that they answer.
    Job(DocId),
    /// Sheets: a machine that was worked on.
    Asset(DocId),
    /// Machines: a code that sticks on them.
    Barcode(String),
}

impl Mark {
    /// Returns the mark's bytes; no two marks have the same.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising plain data into a growing vector has no way to fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }
}

/// Returns the marks under which a record is listed; none of a kind that nobody looks for.
///
/// `zone` is where days begin.
#[must_use]
pub fn of(record: &Record, zone: Zone) -> BTreeSet<Mark> {
    match record.kind.number {
        number::VOUCHER => of_voucher(record),
        number::CLAIM => Claim::of(record).map(|claim| of_claim(&claim)).unwrap_or_default(),
        number::TRIP => of_trip(record),
        number::ASSET => of_asset(record),
        kind if takes(number::SHEET, kind) => of_sheet(record, zone),
        _ => BTreeSet::new(),
    }
}

/// The groups from which the marks of a sheet are made: the others, which are most of it, need not be read for them.
pub const OF_SHEET: [Tag; 6] = [
    Visit::GROUP.tag(),
    Engineer::GROUP.tag(),
    Helpers::GROUP.tag(),
    Times::GROUP.tag(),
    Order::GROUP.tag(),
    Assets::GROUP.tag(),
];

/// Returns whether records of a kind are listed under marks.
#[must_use]
pub fn has(kind: u16) -> bool {
    [VOUCHER.number, CLAIM.number, TRIP.number, number::ASSET].contains(&kind) || takes(number::SHEET, kind)
}

fn of_voucher(record: &Record) -> BTreeSet<Mark> {
    // Whose it is stands in no mark.
    let paper = paper(record, None);
    let mut marks: BTreeSet<Mark> = purchase(&paper).into_iter().collect();
    if let Some(Key::Strong(key)) = &paper.key {
        marks.insert(Mark::Invoice(key.clone()));
    }
    let bands = paper.look.into_iter().flat_map(crate::duplicate::PictureHash::bands);
    marks.extend(bands.map(|(band, part)| Mark::Look(band, part)));
    marks.extend(paper.photos.into_iter().map(|photo| Mark::Photo(photo.file.0)));
    marks
}

fn of_claim(claim: &Claim) -> BTreeSet<Mark> {
    let mut marks: BTreeSet<Mark> = [Mark::Claimant(claim.staff)].into();
    let tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
    marks.extend(tickets.filter_map(|ticket| ticket.voucher.map(Mark::Voucher)));
    marks.extend(claim.unit.zip(claim.half).map(|(unit, half)| Mark::Unit(unit, half.first())));
    marks.extend(approved(claim).map(|(by, at)| Mark::Approved(by, at.day(Zone(0)))));
    marks
}

fn of_sheet(record: &Record, zone: Zone) -> BTreeSet<Mark> {
    let visit = record.get::<Visit>().unwrap_or_default();
    let halves: BTreeSet<Day> =
        [visit.arrived, visit.left].into_iter().flatten().filter_map(|at| half(at.day(zone))).collect();
    let staff = workers(record, None);
    let made = engineer(record).is_none().then_some(record.id.0.replica);
    let worked = halves.iter().flat_map(|half| staff.iter().map(|who| Mark::Worked(*who, *half)));
    let mut marks: BTreeSet<Mark> =
        worked.chain(halves.iter().filter_map(|half| Some(Mark::Made(made?, *half)))).collect();
    marks.extend(record.get::<Order>().and_then(|order| order.work_order?.doc()).map(Mark::Job));
    let machines = record.all::<Assets>().into_iter();
    marks.extend(machines.filter_map(|row| row.asset?.doc()).map(Mark::Asset));
    marks
}

fn of_asset(record: &Record) -> BTreeSet<Mark> {
    let codes = record.all::<Barcodes>().into_iter();
    codes.filter_map(|row| Some(Mark::Barcode(row.barcode?.0.trim().to_owned()))).collect()
}

fn of_trip(record: &Record) -> BTreeSet<Mark> {
    let trip = record.get::<TripOf>();
    let staff = trip.as_ref().and_then(|trip| doc(trip.staff.as_ref()));
    let half = trip.and_then(|trip| trip.half?.0.parse::<HalfMonth>().ok());
    staff.zip(half).map(|(staff, half)| Mark::Worked(staff, half.first())).into_iter().collect()
}

/// Returns who worked on a sheet: its engineer, else whose device made it, and those who helped.
#[must_use]
pub fn workers(sheet: &Record, author: Option<DocId>) -> BTreeSet<DocId> {
    let engineer = engineer(sheet).or(author);
    let helpers = sheet.all::<Helpers>().into_iter().filter_map(|row| doc(row.staff.as_ref()));
    let timed = sheet.all::<Times>().into_iter().filter_map(|row| doc(row.staff.as_ref()));
    engineer.into_iter().chain(helpers).chain(timed).collect()
}

fn engineer(sheet: &Record) -> Option<DocId> {
    sheet.get::<Engineer>().and_then(|group| doc(group.engineer.as_ref()))
}

/// Returns the supervisors' approvals of a claim: who, when.
pub(crate) fn approved(claim: &Claim) -> impl Iterator<Item = (DocId, Ts)> {
    let steps = |step: &str| matches!(step, "sup_approve" | "sup_cut");
    claim.approvals.iter().filter(move |one| steps(&one.step)).filter_map(|one| Some((one.by?, one.at)))
}

/// Returns the marks under which lies what the rules look at around a claim, beside its own vouchers and sheets.
///
/// `devices` are those of the claimant.
#[must_use]
pub fn around_claim(claim: &Claim, devices: &[Replica], policy: &Policy) -> BTreeSet<Mark> {
    let mut marks: BTreeSet<Mark> = [Mark::Claimant(claim.staff)].into();
    let tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
    marks.extend(tickets.filter_map(|ticket| ticket.voucher.map(Mark::Voucher)));
    for half in claim.lines.iter().filter_map(|line| half(line.date?)) {
        marks.insert(Mark::Worked(claim.staff, half));
        marks.extend(devices.iter().map(|device| Mark::Made(*device, half)));
    }
    // An approval near midnight has neighbours on the next day.
    let around = |day: Day| [day.plus(-1), day, day.plus(1)];
    let approvals = approved(claim).flat_map(|(by, at)| around(at.day(Zone(0))).map(|day| (by, day)));
    marks.extend(approvals.map(|(by, day)| Mark::Approved(by, day)));
    if let (Some(unit), Some(submission)) = (claim.unit, &claim.submission) {
        marks.extend(
            halves(submission.day, policy.trace.window_days).into_iter().map(|day| Mark::Unit(unit, day)),
        );
    }
    marks
}

/// Returns the first days of the half-months that a window of days touches; its last day is `last`.
fn halves(last: Day, days: u16) -> BTreeSet<Day> {
    (0..i32::from(days)).filter_map(|back| half(last.plus(-back))).collect()
}

/// Returns the marks under which vouchers lie that may be the same paper.
#[must_use]
pub fn twins(paper: &Paper, policy: &Policy) -> BTreeSet<Mark> {
    let mut marks: BTreeSet<Mark> = purchase(paper).into_iter().collect();
    if let Some(Key::Strong(key)) = &paper.key {
        marks.insert(Mark::Invoice(key.clone()));
    }
    let near = paper.look.map(|look| look.near_bands(policy.dup.phash_max)).unwrap_or_default();
    marks.extend(near.into_iter().map(|(band, part)| Mark::Look(band, part)));
    marks
}

/// Returns the marks under which lies what the rules look at around a voucher.
#[must_use]
pub fn around_voucher(paper: &Paper, policy: &Policy) -> BTreeSet<Mark> {
    let mut marks = twins(paper, policy);
    marks.extend(paper.photos.iter().map(|photo| Mark::Photo(photo.file.0.clone())));
    if let (Some(Key::Strong(key)), Some(invoice)) = (&paper.key, &paper.invoice) {
        marks.extend(neighbours(key, invoice, policy.trace.invoice_gap).into_iter().map(Mark::Invoice));
    }
    marks
}

/// Returns the keys of the invoices next to one.
fn neighbours(key: &str, invoice: &Invoiced, gap: u16) -> Vec<String> {
    let Some((before, number)) = key.rsplit_once(':') else {
        return Vec::new();
    };
    let near = |by: u16| [invoice.number.checked_sub(by.into()), invoice.number.checked_add(by.into())];
    let numbers = (1..=gap).flat_map(near).flatten();
    let width = number.len();
    numbers.map(|number| format!("{before}:{number:0width$}")).collect()
}

fn purchase(paper: &Paper) -> Option<Mark> {
    Some(Mark::Purchase(paper.date?, paper.amount?, paper.seller.trim().to_owned()))
}

fn half(day: Day) -> Option<Day> {
    HalfMonth::of(day).map(HalfMonth::first)
}

pub(crate) fn doc<const KIND: u16>(reference: Option<&Ref<KIND>>) -> Option<DocId> {
    match &reference?.0 {
        Target::Doc(id) => Some(*id),
        Target::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop};

    use super::*;
    use crate::kinds::repair::REPAIR;
    use crate::schema::Class;
    use crate::value::Row;
    use crate::value::tests::any_row;

    /// One row of each group of a sheet, half of them.
    fn any_rows() -> impl Strategy<Value = Vec<(Tag, Row)>> {
        let groups = REPAIR.groups.iter().filter(|group| group.class != Class::Decision);
        let row = |group: &&'static crate::schema::Group| {
            let tag = group.tag();
            prop::option::of(any_row(group.fields)).prop_map(move |row| row.map(|row| (tag, row)))
        };
        let rows: Vec<_> = groups.map(row).collect();
        rows.prop_map(|rows| rows.into_iter().flatten().collect())
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

        #[test]
        fn a_sheets_marks_are_made_of_those_groups_alone(rows in any_rows()) {
            let record = |rows: Vec<(Tag, Row)>| {
                Record::from_parts("7.1.1".parse().unwrap(), &REPAIR, 1, BTreeSet::new(), rows)
            };
            let some = rows.iter().filter(|(tag, _)| OF_SHEET.contains(tag)).cloned().collect();
            proptest::prop_assert_eq!(of(&record(rows), Zone::SHANGHAI), of(&record(some), Zone::SHANGHAI));
        }
    }
}
