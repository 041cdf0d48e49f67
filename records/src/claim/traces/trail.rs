//! Everything around a claim that the rules look at, as plain values: each caller fills in what he has.
//!
//! What is not here is not seen: a device knows its branch at most, headquarters the company.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::view::Claim;
use crate::duplicate::{Key, PictureHash};
use crate::id::{DocId, Replica};
use crate::kinds::claim_machine as at;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::time::{Day, Ts, Zone};
use crate::value::{FileHash, Fix};

/// A claim and what lies around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The claim that is looked at.
    pub claim: Claim,
    /// Where its days begin.
    pub zone: Zone,
    /// Other claims: of its person in the last 90 days, those with the same vouchers, those that the same supervisor
    /// approved that day.
    pub claims: Vec<Claim>,
    /// Its vouchers, and those of anybody that resemble one of them.
    pub papers: BTreeMap<DocId, Paper>,
    /// Sheets of its lines, and those of its person on its days.
    pub sheets: BTreeMap<DocId, Sheet>,
    /// What its person travelled on its days.
    pub legs: Vec<Leg>,
    /// Where its person was by his trip summaries, by day.
    pub places: BTreeMap<Day, BTreeSet<String>>,
    /// Where the clock of its person's device was set while he recorded it.
    pub jumps: Vec<Jump>,
    /// What each colleague spent on each day of the last 90 days on which he spent anything.
    pub peers: Vec<Fen>,
    /// The person's monthly ceilings.
    pub caps: Vec<(Category, Fen)>,
}

/// A voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Which document.
    pub id: DocId,
    /// Who spent it, as far as that is known.
    pub owner: Option<DocId>,
    /// By which key it is found again.
    pub key: Option<Key>,
    /// What its first photo looks like.
    pub look: Option<PictureHash>,
    /// The day on it.
    pub date: Option<Day>,
    /// Its amount, tax included.
    pub amount: Option<Fen>,
    /// Who sold it; empty where nothing was written.
    pub seller: String,
    /// Where; empty where nothing was written.
    pub place: String,
    /// The numbers on its invoice.
    pub invoice: Option<Invoiced>,
    /// The sum in its QR, where the typed amount cannot be this invoice's.
    pub other_sum: Option<Fen>,
    /// Its photos.
    pub photos: Vec<Photo>,
    /// Whether it counts: neither thrown away nor rejected.
    pub counts: bool,
}

/// The numbers on an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoiced {
    /// The code; empty for a digital one.
    pub code: String,
    /// The number, at most 20 digits.
    pub number: u128,
}

/// A photo of a voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// The file.
    pub file: FileHash,
    /// When it was taken.
    pub taken_at: Option<Ts>,
    /// Where it was taken.
    pub fix: Option<Fix>,
}

/// A work sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its number, else its code.
    pub name: String,
    /// Who worked there.
    pub staff: BTreeSet<DocId>,
    /// When the visit began.
    pub from: Option<Ts>,
    /// When it ended.
    pub to: Option<Ts>,
    /// Where the visit was: the device's position, else the site's.
    pub fix: Option<Fix>,
    /// The site's address or name; empty where none is known.
    pub place: String,
    /// What became of it, where it does not stand: `void`, `returned`, `amended`.
    pub gone: Option<&'static str>,
}

/// A stretch of travel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg {
    /// When it began.
    pub depart: Ts,
    /// When it ended.
    pub arrive: Ts,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
}

/// A device's clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// Whose clock.
    pub replica: Replica,
    /// The first op under the new time.
    pub seq: u64,
    /// How far it was set, milliseconds; ahead is above zero.
    pub by_ms: i64,
}

impl Trail {
    /// Returns a trail with nothing around the claim.
    #[must_use]
    pub const fn new(claim: Claim) -> Self {
        Self {
            claim,
            zone: Zone::SHANGHAI,
            claims: Vec::new(),
            papers: BTreeMap::new(),
            sheets: BTreeMap::new(),
            legs: Vec::new(),
            places: BTreeMap::new(),
            jumps: Vec::new(),
            peers: Vec::new(),
            caps: Vec::new(),
        }
    }

    /// Returns the claim's vouchers that are known, each with its line.
    pub fn own(&self) -> impl Iterator<Item = (u32, &Paper)> {
        let tickets =
            self.claim.lines.iter().flat_map(|line| line.vouchers.iter().map(|ticket| (line.n, ticket)));
        tickets.filter_map(|(line, ticket)| Some((line, self.papers.get(&ticket.voucher?)?)))
    }

    /// Returns the vouchers that count and are not `paper`.
    pub fn others(&self, paper: &Paper) -> impl Iterator<Item = &Paper> {
        let id = paper.id;
        self.papers.values().filter(move |other| other.id != id && other.counts)
    }

    /// Returns the other claims that still count: neither thrown away nor rejected.
    pub fn live(&self) -> impl Iterator<Item = &Claim> {
        let own = self.claim.id;
        self.claims.iter().filter(move |claim| {
            claim.id != own && !matches!(claim.state, at::VOID | at::REJECTED | at::DRAFT)
        })
    }

    /// Returns the other claims that still count and stand on a voucher.
    pub fn claims_with(&self, voucher: DocId) -> impl Iterator<Item = &Claim> {
        self.live().filter(move |claim| {
            let mut tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
            tickets.any(|ticket| ticket.voucher == Some(voucher))
        })
    }

    /// Returns the day of a submission that counts back: the claim's own; `None` before it.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        self.claim.submission.as_ref().map(|submission| submission.day)
    }
}

/// Returns how a claim is called: its number, else its code.
#[must_use]
pub fn name(claim: &Claim) -> String {
    claim.no.clone().unwrap_or_else(|| claim.id.code())
}

/// Joins what a sentence lists.
pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().collect::<Vec<_>>().join("; ")
}
