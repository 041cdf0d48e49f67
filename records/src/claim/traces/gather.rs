//! A trail out of records: read by their marks from an index, at headquarters over the company, on a device over what
//! is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::ceiling;
use crate::claim::facts::Facts;
use crate::claim::traces::marks::{self, Mark, doc};
use crate::claim::traces::papers::{Alike, duplicates};
use crate::claim::traces::sums::per_day;
use crate::claim::traces::trail::{Invoiced, Leg, Paper, Photo, Sheet, Trail};
use crate::claim::view::Claim;
use crate::duplicate::{self, PictureHash};
use crate::id::{DocId, Replica};
use crate::invoice::Invoice;
use crate::kinds::sheet::{Legs, Photos, Place, Position, SheetNo, Visit};
use crate::kinds::site::{Address, Geo, SiteName};
use crate::kinds::trip::{TripDays, TripOf};
use crate::kinds::voucher::{Amount, Category, Dated, InvoiceNo, Owner, Seller, VoucherPlace};
use crate::kinds::{number, takes};
use crate::money::Fen;
use crate::policy::terms::Policy;
use crate::record::Record;
use crate::time::Day;
use crate::value::Target;

/// A record, and whose device made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The record.
    pub record: Record,
    /// Whose device made it; `None` of headquarters' own, and where nobody told.
    pub author: Option<DocId>,
}

/// Where records are looked up: an index by marks, and the records themselves.
pub trait Index {
    /// Why it cannot answer.
    type Error;

    /// Returns the documents listed under a mark; some may bear it no more.
    ///
    /// # Errors
    /// What the index answers.
    fn listed(&mut self, mark: &Mark) -> Result<Vec<DocId>, Self::Error>;

    /// Returns the devices that a person has or had.
    ///
    /// # Errors
    /// What the index answers.
    fn devices(&mut self, staff: DocId) -> Result<Vec<Replica>, Self::Error>;

    /// Returns a record; `None` where it is not here.
    ///
    /// # Errors
    /// What the index answers.
    fn record(&mut self, id: DocId) -> Result<Option<Made>, Self::Error>;
}

/// Records that were read, by id; each is read once.
struct Read<'i, I: Index> {
    index: &'i mut I,
    known: BTreeMap<DocId, Option<Made>>,
}

impl<I: Index> Read<'_, I> {
    fn read(&mut self, ids: impl IntoIterator<Item = DocId>) -> Result<(), I::Error> {
        for id in ids {
            if !self.known.contains_key(&id) {
                let made = self.index.record(id)?;
                self.known.insert(id, made);
            }
        }
        Ok(())
    }

    /// Reads what is listed under marks, and returns it.
    fn listed(&mut self, marks: &BTreeSet<Mark>) -> Result<BTreeSet<DocId>, I::Error> {
        let mut found = BTreeSet::new();
        for mark in marks {
            found.extend(self.index.listed(mark)?);
        }
        self.read(found.iter().copied())?;
        Ok(found)
    }

    fn get(&self, id: DocId) -> Option<&Made> {
        self.known.get(&id)?.as_ref()
    }
}

/// Gathers what lies around a claim; `None` where the record is no claim. Jumps of clocks and ceilings are the caller's
/// to add.
///
/// # Errors
/// What the index answers.
pub fn trail<I: Index>(claim: &Record, policy: &Policy, index: &mut I) -> Result<Option<Trail>, I::Error> {
    let Some(view) = Claim::of(claim) else {
        return Ok(None);
    };
    let devices = index.devices(view.staff)?;
    let mut read = Read { index, known: BTreeMap::new() };
    let tickets = view.lines.iter().flat_map(|line| line.vouchers.iter().filter_map(|ticket| ticket.voucher));
    let own: Vec<DocId> = tickets.collect();
    let sheets = view.lines.iter().flat_map(|line| line.sheets.iter().filter_map(document));
    read.read(own.iter().copied().chain(sheets).chain(view.trips.iter().copied()))?;
    read.listed(&marks::around_claim(&view, &devices, policy))?;
    let mut like = BTreeSet::new();
    for id in &own {
        let asked =
            read.get(*id).map(|made| marks::around_voucher(&paper(&made.record, made.author), policy));
        like.extend(read.listed(&asked.unwrap_or_default())?);
    }
    // On which claims the others stand.
    read.listed(&like.into_iter().map(Mark::Voucher).collect())?;
    let sites: Vec<DocId> = read.known.values().flatten().filter_map(|made| site(&made.record)).collect();
    read.read(sites)?;
    let around: Vec<Made> = read.known.into_values().flatten().collect();
    Ok(Some(of_records(view, policy, &around)))
}

/// Returns the vouchers that may be the same paper as one, read from the index, the surest first.
///
/// # Errors
/// What the index answers.
pub fn twins<I: Index>(
    voucher: &Made,
    policy: &Policy,
    index: &mut I,
) -> Result<Vec<(Paper, Alike)>, I::Error> {
    let own = paper(&voucher.record, voucher.author);
    let mut read = Read { index, known: BTreeMap::new() };
    let ids = read.listed(&marks::twins(&own, policy))?;
    let vouchers = ids.iter().filter_map(|id| read.get(*id)).filter(|made| is(made, number::VOUCHER));
    let papers: Vec<Paper> = vouchers.map(|made| paper(&made.record, made.author)).collect();
    let found = duplicates(&own, &papers, policy.dup.phash_max);
    Ok(found.into_iter().map(|(paper, how)| (paper.clone(), how)).collect())
}

/// Returns the claims on which a voucher stands, read from the index; those thrown away or rejected are left out.
///
/// # Errors
/// What the index answers.
pub fn claims_with<I: Index>(voucher: DocId, index: &mut I) -> Result<Vec<Claim>, I::Error> {
    let mut read = Read { index, known: BTreeMap::new() };
    let ids = read.listed(&[Mark::Voucher(voucher)].into())?;
    let claims = ids.iter().filter_map(|id| Claim::of(&read.get(*id)?.record));
    let stands = |claim: &Claim| {
        use crate::kinds::claim_machine as at;
        let mut tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
        !matches!(claim.state, at::VOID | at::REJECTED)
            && tickets.any(|ticket| ticket.voucher == Some(voucher))
    };
    Ok(claims.filter(stands).collect())
}

/// Returns the monthly ceilings that the claim's lines come under: of each category the one of its first line.
#[must_use]
pub fn ceilings(claim: &Claim, facts: &Facts) -> Vec<(Category, Fen)> {
    let mut found = BTreeMap::new();
    for line in &claim.lines {
        if let Some(account) = ceiling::account(claim, line, facts)
            && let Some(cap) = ceiling::cap_row(claim, &account, facts)
        {
            found.entry(account.category).or_insert(cap);
        }
    }
    found.into_iter().collect()
}

/// Makes a trail of records at hand: claims, vouchers, sheets, trip summaries and sites; others are passed over.
#[must_use]
pub fn of_records(claim: Claim, policy: &Policy, around: &[Made]) -> Trail {
    let mut trail = Trail { zone: policy.zone, ..Trail::new(claim) };
    let sites: BTreeMap<DocId, &Record> =
        of_kind(around, number::SITE).map(|made| (made.record.id, &made.record)).collect();
    for made in around {
        let record = &made.record;
        match record.kind.number {
            number::CLAIM => {
                trail.claims.extend(Claim::of(record).filter(|claim| claim.id != trail.claim.id))
            }
            number::VOUCHER => {
                trail.papers.insert(record.id, paper(record, made.author));
            }
            number::TRIP => travelled(&mut trail, record),
            kind if takes(number::SHEET, kind) => {
                let sheet = sheet(made, &sites);
                if sheet.gone.is_none() && sheet.staff.contains(&trail.claim.staff) {
                    trail.legs.extend(record.all::<Legs>().into_iter().filter_map(leg));
                }
                trail.sheets.insert(record.id, sheet);
            }
            _ => {}
        }
    }
    trail.peers = peers(&trail, policy);
    trail
}

fn of_kind(around: &[Made], kind: u16) -> impl Iterator<Item = &Made> {
    around.iter().filter(move |made| is(made, kind))
}

fn is(made: &Made, kind: u16) -> bool {
    made.record.kind.number == kind
}

fn document(target: &Target) -> Option<DocId> {
    match target {
        Target::Doc(id) => Some(*id),
        Target::Text(_) => None,
    }
}

/// Reads a voucher; `author` spent it where nobody else is named.
#[must_use]
pub fn paper(record: &Record, author: Option<DocId>) -> Paper {
    let owner = record.get::<Owner>().and_then(|group| doc(group.owner.as_ref())).or(author);
    let money = record.get::<Amount>().unwrap_or_default();
    let numbers = record.get::<InvoiceNo>().unwrap_or_default();
    let qr = numbers.qr_raw.as_ref().and_then(|text| Invoice::parse(&text.0).ok());
    let typed =
        numbers.inv_no.map(|number| (numbers.inv_code.map(|code| code.0).unwrap_or_default(), number.0));
    let numbered = qr.as_ref().map(|qr| (qr.code.clone(), qr.number.clone())).or(typed);
    let differs = |qr: &Invoice| money.amount.is_some_and(|amount| !qr.agrees_with(amount, money.tax));
    let photo = |row: Photos| Some(Photo { file: row.file?, taken_at: row.taken_at, fix: row.fix });
    Paper {
        id: record.id,
        owner,
        key: duplicate::key(record, &owner.unwrap_or(record.id)),
        look: PictureHash::of(record),
        date: record.get::<Dated>().and_then(|group| group.date),
        amount: money.amount,
        seller: record.get::<Seller>().and_then(|group| group.seller).map(|text| text.0).unwrap_or_default(),
        place: record
            .get::<VoucherPlace>()
            .and_then(|group| group.place)
            .map(|text| text.0)
            .unwrap_or_default(),
        invoice: numbered.and_then(|(code, number)| Some(Invoiced { code, number: number.parse().ok()? })),
        other_sum: qr.filter(differs).map(|qr| qr.amount),
        photos: record.all::<Photos>().into_iter().filter_map(photo).collect(),
        counts: !matches!(record.state_name(), "discarded" | "rejected"),
    }
}

fn sheet(made: &Made, sites: &BTreeMap<DocId, &Record>) -> Sheet {
    let record = &made.record;
    let visit = record.get::<Visit>().unwrap_or_default();
    let place = record.get::<Place>().unwrap_or_default();
    let typed = place.site.as_ref().and_then(|site| match &site.0 {
        Target::Text(text) => Some(text.clone()),
        Target::Doc(_) => None,
    });
    let at = site(record).and_then(|id| sites.get(&id));
    let address = at.and_then(|site| site.get::<Address>()?.address).map(|text| text.0);
    let called = at.and_then(|site| site.get::<SiteName>()?.name).map(|text| text.0);
    let fix = record.get::<Position>().and_then(|group| group.fix).filter(|fix| !fix.mock);
    let number = record.get::<SheetNo>().and_then(|group| group.sheet_no).map(|text| text.0);
    Sheet {
        name: number.unwrap_or_else(|| record.id.code()),
        staff: marks::workers(record, made.author),
        from: visit.arrived,
        to: visit.left,
        fix: fix.or_else(|| at.and_then(|site| site.get::<Geo>()?.geo)),
        place: address.or(called).or(typed).unwrap_or_default(),
        gone: Some(record.state_name()).filter(|state| ["void", "returned", "amended"].contains(state)),
    }
}

/// Returns the site of a sheet.
fn site(record: &Record) -> Option<DocId> {
    takes(number::SHEET, record.kind.number)
        .then(|| record.get::<Place>())??
        .site
        .as_ref()
        .and_then(|site| document(&site.0))
}

fn leg(row: Legs) -> Option<Leg> {
    let text = |place: Option<crate::value::Text<120>>| place.map(|text| text.0).unwrap_or_default();
    Some(Leg { depart: row.depart?, arrive: row.arrive?, from: text(row.from_place), to: text(row.to_place) })
}

/// Takes in the days and legs of the person's trip summary.
fn travelled(trail: &mut Trail, record: &Record) {
    let staff = record.get::<TripOf>().and_then(|trip| doc(trip.staff.as_ref()));
    if staff != Some(trail.claim.staff) {
        return;
    }
    trail.legs.extend(record.all::<Legs>().into_iter().filter_map(leg));
    for row in record.all::<TripDays>() {
        if let (Some(date), Some(place)) = (row.date, row.place.filter(|place| !place.0.trim().is_empty())) {
            trail.places.entry(date).or_default().insert(place.0);
        }
    }
}

/// Returns what each colleague of the unit spent on each day of the window before the claim's submission.
fn peers(trail: &Trail, policy: &Policy) -> Vec<Fen> {
    let Some(last) = trail.day() else {
        return Vec::new();
    };
    let first = last.plus(1 - i32::from(policy.trace.window_days));
    let mut people: BTreeMap<DocId, Vec<&Claim>> = BTreeMap::new();
    let unit = trail.claim.unit.is_some();
    let colleagues = trail.live().filter(|claim| {
        unit && claim.unit == trail.claim.unit
            && claim.staff != trail.claim.staff
            && claim.submission.is_some()
    });
    for claim in colleagues {
        people.entry(claim.staff).or_default().push(claim);
    }
    let days = people.into_values().flat_map(per_day);
    let window =
        |(day, amount): (Day, Fen)| ((first..=last).contains(&day) && amount > Fen(0)).then_some(amount);
    days.filter_map(window).collect()
}
