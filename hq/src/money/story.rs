//! A claim's whole story: what it asks for and what the rules leave of it, its vouchers with their pictures, its sheets,
//! what was found, what was decided, and until when.

use std::collections::BTreeMap;

use records::claim::checks;
use records::claim::clocks::{self, Clock};
use records::claim::settle::{self, Settled};
use records::claim::traces::Trace;
use records::claim::traces::papers::Alike;
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::alert::Finding;
use records::kinds::sheet::Photos;
use records::kinds::{alert_machine, number};
use records::problems::Problem;
use records::record::Record;
use records::time::Day;
use records::value::FileHash;

use crate::intake::desk::Desk;
use crate::money::claims::{Held, Known};
use crate::money::decide::title;
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::seats::Seat;
use crate::store::StoreError;
use crate::store::files::Hash;
use crate::store::marks::Mark;

/// All that is to be told of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The claim with what the rules must know.
    pub known: Known,
    /// What the rules leave of it.
    pub settled: Settled,
    /// Its vouchers.
    pub slips: BTreeMap<DocId, Slip>,
    /// The work sheets that it names.
    pub sheets: BTreeMap<DocId, Slip>,
    /// Alerts about it, those that are open first.
    pub alerts: Vec<Alert>,
    /// What the rules find suspicious now.
    pub traces: Vec<Trace>,
    /// What the checks of a submission say now.
    pub problems: Vec<Problem>,
    /// Its clocks.
    pub clocks: Vec<Clock>,
    /// The claimant's other claims that were submitted, the latest first, at most [`EARLIER_MAX`].
    pub earlier: Vec<Held>,
}

/// Other claims of a person that are shown beside one.
pub const EARLIER_MAX: usize = 8;

/// A voucher or a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// The document.
    pub record: Record,
    /// Its photos and files.
    pub pictures: Vec<Picture>,
    /// Vouchers that may be the same paper.
    pub twins: Vec<Twin>,
}

/// A photo or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its content.
    pub file: Hash,
    /// What format it was said to have.
    pub mime: String,
    /// Whether headquarters has it.
    pub here: bool,
}

/// Another voucher that may be the same paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Which.
    pub voucher: DocId,
    /// How that shows.
    pub alike: Alike,
    /// The claims on which it stands: documents and numbers.
    pub claims: Vec<(DocId, String)>,
}

/// An alert about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The document.
    pub record: Record,
    /// What was found.
    pub finding: Finding,
}

impl Alert {
    pub(crate) fn of(record: Record) -> Self {
        Self { finding: record.get().unwrap_or_default(), record }
    }

    /// Returns the rule that raised it; `manual` for a person's alarm.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.finding.rule.as_ref().map_or("", |rule| rule.0.as_str())
    }

    /// Returns whether an approver has to acknowledge it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        [alert_machine::OPEN, alert_machine::CONFIRMED].contains(&self.record.state)
    }
}

impl Story {
    /// Returns the rules of the alerts that an approver has to acknowledge, each once.
    #[must_use]
    pub fn to_acknowledge(&self) -> Vec<&str> {
        let open = self.known.facts.alerts.get(&self.known.held.record.id);
        open.into_iter().flatten().map(String::as_str).collect()
    }

    /// Returns what the rules say of one line: findings and problems, by rule.
    #[must_use]
    pub fn of_line(&self, line: u32) -> (Vec<&Trace>, Vec<&Problem>) {
        let traces = self.traces.iter().filter(|trace| trace.line == Some(line)).collect();
        let problems =
            self.problems.iter().filter(|problem| checks::line_of(problem) == Some(line)).collect();
        (traces, problems)
    }
}

/// Lines that are looked at together: so many pictures stand beside each other.
const TOGETHER_MAX: usize = 6;

impl Story {
    /// Returns the lines as an auditor looks at them: those on which the rules find nothing go together with their
    /// neighbours of the same category, any other stands by itself.
    #[must_use]
    pub fn groups(&self) -> Vec<Vec<u32>> {
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let mut before = None;
        for line in &self.known.held.claim.lines {
            let clean = self.is_clean(line.n).then_some(line.category);
            let fits = clean.is_some() && clean == before;
            match groups.last_mut().filter(|group| fits && group.len() < TOGETHER_MAX) {
                Some(group) => group.push(line.n),
                None => groups.push(vec![line.n]),
            }
            before = clean;
        }
        groups
    }

    /// Returns whether nothing is to be said of a line: no finding, no twin, and all that was claimed is paid.
    #[must_use]
    pub fn is_clean(&self, line: u32) -> bool {
        let (traces, problems) = self.of_line(line);
        let claim = &self.known.held.claim;
        let Some(asked) = claim.line(line) else { return false };
        let paid = self.settled.lines.iter().find(|settled| settled.n == line);
        let slips = asked.vouchers.iter().filter_map(|ticket| self.slips.get(&ticket.voucher?));
        traces.is_empty()
            && problems.is_empty()
            && paid.is_some_and(|paid| paid.paid.payable == asked.claimed)
            && slips.clone().all(|slip| slip.twins.is_empty())
    }
}

impl Desk {
    /// Returns the claim of that number, code or id where one of the seats reads it.
    ///
    /// # Errors
    /// H-01, H-02; H-01 too for a claim that is not theirs to read.
    pub fn claim_for(&mut self, name: &str, seats: &[Seat]) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        if self.reads(seats, &held.claim)? {
            Ok(held)
        } else {
            Err(Refusal::by("H-01").with("text", name).into())
        }
    }

    /// Returns a claim's story where one of the seats reads it.
    ///
    /// # Errors
    /// What [`Desk::claim_for`] refuses.
    pub fn story(&mut self, name: &str, seats: &[Seat], today: Day) -> Result<Story, MoneyError> {
        let held = self.claim_for(name, seats)?;
        let facts = self.facts(&held.claim, today)?;
        let claim = &held.claim;
        let mut slips = BTreeMap::new();
        for voucher in claim.lines.iter().flat_map(|line| &line.vouchers).filter_map(|ticket| ticket.voucher)
        {
            slips.extend(self.slip(voucher, (today, Some(claim.id)))?.map(|slip| (voucher, slip)));
        }
        let mut sheets = BTreeMap::new();
        for sheet in facts.sheets.keys() {
            sheets.extend(self.slip(*sheet, (today, None))?.map(|slip| (*sheet, slip)));
        }
        let mut alerts = Vec::new();
        for id in self.store.marked(&Mark::Claim(claim.id), number::ALERT)? {
            alerts.extend(self.record(id)?.map(Alert::of));
        }
        alerts.sort_by_key(|alert| (!alert.is_open(), alert.record.id));
        let earlier = self.earlier(claim)?;
        Ok(Story {
            earlier,
            settled: settle::settle(claim, &facts),
            traces: self.traces(&held.record, claim, &facts)?,
            problems: checks::check(claim, &facts),
            clocks: clocks::clocks(claim, &facts),
            known: Known { held, facts },
            slips,
            sheets,
            alerts,
        })
    }

    /// Returns the claimant's other claims that were submitted, the latest first.
    fn earlier(&mut self, claim: &Claim) -> Result<Vec<Held>, StoreError> {
        let mut earlier = Vec::new();
        for id in self.store.marked(&Mark::Staff(claim.staff), number::CLAIM)? {
            let held = self.held_claim(id)?.filter(|held| id != claim.id && held.claim.submission.is_some());
            earlier.extend(held);
        }
        let at = |held: &Held| held.claim.submission.as_ref().map(|submission| submission.at);
        earlier.sort_by_key(|held| std::cmp::Reverse((at(held), held.record.id)));
        earlier.truncate(EARLIER_MAX);
        Ok(earlier)
    }

    /// Returns a voucher or sheet with its pictures; of a voucher on a claim its twins too.
    fn slip(&mut self, id: DocId, (today, on): (Day, Option<DocId>)) -> Result<Option<Slip>, StoreError> {
        let Some(record) = self.record(id)? else { return Ok(None) };
        let mut twins = Vec::new();
        for (paper, alike) in if on.is_some() { self.twins_of(id, today)? } else { Vec::new() } {
            let claims = self.claims_with(paper.id)?;
            let named =
                |claim: records::claim::view::Claim| (claim.id, claim.no.unwrap_or_else(|| claim.id.code()));
            twins.push(Twin { voucher: paper.id, alike, claims: claims.into_iter().map(named).collect() });
        }
        Ok(Some(Slip { pictures: self.pictures(&record), record, twins }))
    }

    fn pictures(&self, record: &Record) -> Vec<Picture> {
        let picture = |photo: Photos| {
            let file = content(photo.file)?;
            let mime = photo.mime.map(|mime| mime.0).unwrap_or_default();
            Some(Picture { file, mime, here: self.files.length(&file).is_some() })
        };
        record.all::<Photos>().into_iter().filter_map(picture).collect()
    }

    /// Returns whether a claim that one of the seats reads names a file: on a voucher or on a work sheet.
    ///
    /// # Errors
    /// What [`Desk::claim_for`] refuses.
    pub fn shows_file(
        &mut self,
        name: &str,
        file: &Hash,
        seats: &[Seat],
        today: Day,
    ) -> Result<bool, MoneyError> {
        let held = self.claim_for(name, seats)?;
        let facts = self.facts(&held.claim, today)?;
        let tickets = held.claim.lines.iter().flat_map(|line| &line.vouchers);
        let documents: Vec<DocId> =
            tickets.filter_map(|ticket| ticket.voucher).chain(facts.sheets.keys().copied()).collect();
        for id in documents {
            let Some(document) = self.document(id)? else { continue };
            if crate::reading::files(&document).iter().any(|named| named.hash == *file) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns what people call a document; its code where headquarters does not hold it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn title_of(&mut self, id: DocId) -> Result<String, StoreError> {
        Ok(self.record(id)?.as_ref().map_or_else(|| id.code(), title))
    }
}

fn content(file: Option<FileHash>) -> Option<Hash> {
    <[u8; 32]>::try_from(file?.0.as_slice()).ok()
}
