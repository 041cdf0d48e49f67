//! What this device knows beside a claim, as the rules ask for it.
//!
//! Headquarters knows more: what it says later stands above what is found here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use records::claim::facts::{BatchFact, Facts, Granted, QrFact, SheetFact, TripFact, Use, VoucherFact};
use records::claim::settle;
use records::claim::traces::marks::Mark;
use records::claim::view::Claim;
use records::duplicate::PictureHash;
use records::id::DocId;
use records::invoice::{Checksum, Invoice};
use records::kinds::batch::{BATCH, BatchClaims, BatchNo, Dispatch};
use records::kinds::claim::CLAIM;
use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::trip::{TRIP, TripOf, TripSheets};
use records::kinds::voucher::{Amount, InvoiceNo, VOUCHER};
use records::kinds::{claim_machine, exception_machine, number, voucher_machine};
use records::policy::choices::CapScope;
use records::record::Record;
use records::schema::{Kind, Tag};
use records::time::Day;
use records::value::{Ref, Target};
use sync_protocol::merge::Document;
use sync_protocol::stamp::Stamp;

use crate::clock::Now;
use crate::notebook::people::People as Owners;
use crate::notebook::terms::Terms;
use crate::notebook::{files, rows, work};
use crate::store::Store;
use crate::store::error::StoreError;

/// Returns the vouchers for which an exception of that kind was granted before they stood on a claim.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn excused(store: &Store, kind: ExceptionKind) -> Result<BTreeSet<DocId>, StoreError> {
    let granted = granted(store)?.into_iter().filter(|granted| granted.kind == kind);
    Ok(granted.filter_map(|granted| granted.voucher).collect())
}

/// Returns what is known here now beside these claims, see [`on`].
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn of(store: &Store, claims: &[&Claim], now: Now) -> Result<Facts, StoreError> {
    on(store, claims, now.wall.day(store.identity().enrolment.zone))
}

/// Returns what is known here beside these claims on a day, see [`Beside::facts`].
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn on(store: &Store, claims: &[&Claim], today: Day) -> Result<Facts, StoreError> {
    Beside::read(store)?.facts(store, claims, today)
}

/// What stands beside any claim of this device: read once, asked for many.
#[derive(Debug, Clone)]
pub struct Beside {
    terms: Terms,
    granted: Vec<Granted>,
    owners: Owners,
    batch: BTreeMap<DocId, BatchFact>,
    withdrawn: BTreeSet<DocId>,
    /// What was submitted and lives, in the order of submission.
    claims: Vec<Claim>,
}

impl Beside {
    /// Reads it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let (claims, withdrawn) = submitted(store)?;
        Ok(Self {
            terms: Terms::read(store)?,
            granted: granted(store)?,
            owners: Owners::read(store)?,
            batch: batches(store)?,
            withdrawn,
            claims,
        })
    }

    /// Returns the exceptions that were granted.
    #[must_use]
    pub fn granted(&self) -> &[Granted] {
        &self.granted
    }

    /// Returns what is known here beside these claims on a day. The first one's policy counts: while it is open that of
    /// the day, then the one that it names.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn facts(&self, store: &Store, claims: &[&Claim], today: Day) -> Result<Facts, StoreError> {
        let judged = claims.first().and_then(|claim| claim.submission.as_ref());
        let judged =
            judged.filter(|_| claims.first().is_some_and(|claim| !claim_machine::CLAIM.opens(claim.state)));
        let named = judged.map(|submitted| submitted.policy_version.as_str());
        let mut facts = self.terms.facts(named, judged.map_or(today, |submitted| submitted.day), today);
        facts.exceptions.clone_from(&self.granted);
        facts.batch.clone_from(&self.batch);
        facts.withdrawn.clone_from(&self.withdrawn);
        for claim in claims {
            around(store, claim, &self.owners, &mut facts)?;
        }
        alike(store, &mut facts)?;
        self.others(claims, &mut facts);
        Ok(facts)
    }

    /// What other claims took before: duplicate keys, and room under ceilings, in the order of their submission.
    fn others(&self, claims: &[&Claim], facts: &mut Facts) {
        let asked: BTreeSet<DocId> = claims.iter().map(|claim| claim.staff).collect();
        let whole_unit = facts.policy.caps.scope == CapScope::PerUnit;
        let settled = |claim: &&Claim| whole_unit || asked.contains(&claim.staff);
        let beside: Vec<&Claim> = self.claims.iter().filter(settled).collect();
        let keys: BTreeSet<&str> =
            claims.iter().chain(&beside).flat_map(|claim| keys(claim)).map(|(_, key)| key).collect();
        for claim in &self.claims {
            let at = claim.submission.as_ref().map_or(0, |submission| submission.at.0);
            for (line, key) in self::keys(claim).filter(|(_, key)| keys.contains(key)) {
                let no = claim.no.clone().unwrap_or_default();
                let arrival = u64::try_from(at).ok();
                let used = Use { claim: claim.id, no, line, staff: claim.staff, arrival };
                facts.taken.entry(key.to_owned()).or_default().push(used);
            }
        }
        for claim in beside {
            let settled = settle::settle(claim, facts);
            for (account, spent) in settle::spends(claim, &settled) {
                facts.spend(account, spent);
            }
        }
    }
}

/// The duplicate keys of a claim's vouchers, each with its line.
fn keys(claim: &Claim) -> impl Iterator<Item = (u32, &str)> {
    let tickets = claim.lines.iter().flat_map(|line| line.vouchers.iter().map(move |at| (line.n, at)));
    tickets.map(|(line, ticket)| (line, ticket.key.as_str())).filter(|(_, key)| !key.is_empty())
}

/// Returns the claims that were submitted and live, in the order of submission, and those withdrawn on the way.
fn submitted(store: &Store) -> Result<(Vec<Claim>, BTreeSet<DocId>), StoreError> {
    let (mut all, mut withdrawn): (Vec<Claim>, _) = (Vec::new(), BTreeSet::new());
    store.each(Some(number::CLAIM), &mut |document| {
        if document.flags().iter().any(|flag| flag.name.ends_with("_in_transit")) {
            withdrawn.insert(document.id);
        }
        let claim = Claim::of(&rows::record(&CLAIM, &document));
        all.extend(claim.filter(|claim| claim.submission.is_some()));
        ControlFlow::Continue(())
    })?;
    let gone = [claim_machine::DRAFT, claim_machine::VOID, claim_machine::REJECTED];
    all.retain(|claim| !gone.contains(&claim.state) && !withdrawn.contains(&claim.id));
    all.sort_by_key(|claim| (claim.submission.as_ref().map(|at| at.at), claim.no.clone()));
    Ok((all, withdrawn))
}

/// Returns every record of a kind, those created earlier first.
fn all(store: &Store, kind: &'static Kind) -> Result<Vec<Record>, StoreError> {
    let mut found: Vec<(Stamp, Record)> = Vec::new();
    store.each(Some(kind.number), &mut |document| {
        found.push((document.created, rows::record(kind, &document)));
        ControlFlow::Continue(())
    })?;
    found.sort_by_key(|(created, record)| (*created, record.id));
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// The sheets, trips and vouchers that a claim names.
fn around(store: &Store, claim: &Claim, owners: &Owners, facts: &mut Facts) -> Result<(), StoreError> {
    let mut sheets: BTreeSet<DocId> = BTreeSet::new();
    for id in &claim.trips {
        let document = store.document(*id)?.filter(|document| document.kind == number::TRIP);
        if let Some(trip) = document.and_then(|document| trip(&rows::record(&TRIP, &document))) {
            sheets.extend(trip.sheets.values().flatten());
            facts.trips.insert(*id, trip);
        }
    }
    for line in &claim.lines {
        sheets.extend(line.sheets.iter().filter_map(|target| match target {
            Target::Doc(id) => Some(*id),
            Target::Text(_) => None,
        }));
        for id in line.vouchers.iter().filter_map(|ticket| ticket.voucher) {
            let document = store.document(id)?.filter(|document| document.kind == number::VOUCHER);
            if let Some(document) = document {
                facts.vouchers.insert(id, voucher(store, &document)?);
            }
        }
    }
    for id in sheets {
        if let Some(work) = work::read(store, id, owners)? {
            let work::Work { days, staff, stands, .. } = work;
            facts.sheets.insert(id, SheetFact { days, staff, stands });
        }
    }
    authors(store, claim, owners, facts)
}

fn trip(record: &Record) -> Option<TripFact> {
    let of = record.get::<TripOf>()?;
    let mut sheets: BTreeMap<_, BTreeSet<DocId>> = BTreeMap::new();
    for row in record.all::<TripSheets>() {
        if let (Some(day), Some(id)) = (row.date, linked(row.sheet)) {
            sheets.entry(day).or_default().insert(id);
        }
    }
    Some(TripFact { staff: linked(of.staff)?, half: of.half?.0.parse().ok()?, state: record.state, sheets })
}

fn voucher(store: &Store, document: &Document) -> Result<VoucherFact, StoreError> {
    let record = rows::record(&VOUCHER, document);
    let files = files::of(store, &VOUCHER, document)?;
    // What headquarters has is not lost, though the device may have given its room back.
    let named = files::named(&VOUCHER, document);
    let mut files_here = files.here == files.all;
    if !files_here {
        files_here = true;
        for named in named.iter().filter(|named| named.part == records::files::Part::Whole) {
            let hash = records::value::FileHash(named.hash.to_vec());
            let here = crate::blobs::Blobs::of(store).has(&hash);
            files_here &= here || store.file_at_hq(&named.hash)?.is_some();
        }
    }
    Ok(VoucherFact { state: document.state, files_here, alike: None, qr: qr(&record) })
}

fn qr(record: &Record) -> Option<QrFact> {
    let invoice = Invoice::parse(&record.get::<InvoiceNo>()?.qr_raw?.0).ok()?;
    let money = record.get::<Amount>().unwrap_or_default();
    let differs = money.amount.is_some_and(|claimed| !invoice.agrees_with(claimed, money.tax));
    let miss = invoice.checksum == Checksum::Miss;
    (differs || miss).then_some(QrFact { amount: invoice.amount, checksum_ok: !miss })
}

/// Who wrote the content of a claim, beside its claimant.
fn authors(store: &Store, claim: &Claim, owners: &Owners, facts: &mut Facts) -> Result<(), StoreError> {
    let content = |tag: Tag| CLAIM.group(tag.number()).is_some_and(|group| group.content);
    for op in store.ops(claim.id)? {
        if op.row.writes.iter().any(|write| content(write.tag)) {
            let author = owners.staff(op.id.replica).filter(|author| *author != claim.staff);
            facts.authors.entry(claim.id).or_default().extend(author);
        }
    }
    Ok(())
}

/// Tells of the vouchers that were asked about whether another one's photo looks like theirs.
fn alike(store: &Store, facts: &mut Facts) -> Result<(), StoreError> {
    let near = facts.policy.dup.phash_max;
    for (id, fact) in &mut facts.vouchers {
        let own = store.document(*id)?.map(|document| rows::record(&VOUCHER, &document));
        let Some(look) = own.and_then(|record| PictureHash::of(&record)) else { continue };
        let mut others = BTreeSet::new();
        for (band, part) in look.near_bands(near) {
            others.extend(store.marked(&Mark::Look(band, part))?);
        }
        others.remove(id);
        for other in others {
            let document = store.document(other)?;
            let live = document.filter(|document| document.state != voucher_machine::DISCARDED);
            let seen = live.and_then(|document| PictureHash::of(&rows::record(&VOUCHER, &document)));
            if seen.is_some_and(|seen| look.distance(seen) <= near.into()) {
                fact.alike = Some(other.code());
                break;
            }
        }
    }
    Ok(())
}

/// The batch that each claim is in.
fn batches(store: &Store) -> Result<BTreeMap<DocId, BatchFact>, StoreError> {
    let mut found = BTreeMap::new();
    for record in all(store, &BATCH)? {
        let no = record.get::<BatchNo>().unwrap_or_default();
        let fact = BatchFact {
            batch: record.id,
            branch: linked(no.branch),
            state: record.state,
            due: no.due_day,
            dispatched: record.get::<Dispatch>().and_then(|sent| sent.dispatched_day),
        };
        for row in record.all::<BatchClaims>() {
            if let Some(claim) = linked(row.claim) {
                found.insert(claim, fact.clone());
            }
        }
    }
    Ok(found)
}

/// Returns the exceptions that were granted.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn granted(store: &Store) -> Result<Vec<Granted>, StoreError> {
    let of = |record: &Record| {
        let ask = record.get::<Ask>()?;
        Some(Granted {
            kind: ask.kind_of?,
            staff: linked(ask.asked_by),
            claim: linked(ask.claim),
            line: ask.line.map(|line| line.0),
            voucher: linked(ask.voucher),
            batch: linked(ask.batch),
            category: ask.category,
            month: ask.month.and_then(|month| month.0.parse().ok()),
            amount: ask.amount.unwrap_or_default(),
        })
    };
    let records = all(store, &EXCEPTION)?;
    Ok(records.iter().filter(|record| record.state == exception_machine::APPROVED).filter_map(of).collect())
}

fn linked<const KIND: u16>(reference: Option<Ref<KIND>>) -> Option<DocId> {
    reference?.doc()
}
