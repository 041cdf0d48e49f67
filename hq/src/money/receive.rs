//! A branch's envelope is opened: each claim's cover is scanned, what is missing is named, and a faulty list is refused.

use std::collections::{BTreeMap, BTreeSet};

use records::id::DocId;
use records::kinds::batch::{BatchClaims, BatchNo, Explained, Received};
use records::kinds::claim::{PaperSeen, Papers};
use records::kinds::{batch_machine, claim_machine, number};
use records::record::Record;
use records::time::Zone;
use sync_protocol::op::Write;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::decide::{Taken, title};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{ROWS_MAX, instant, link, linked, put, text};
use crate::store::StoreError;
use crate::store::marks::Mark;

/// Where a claim is no more the auditor's business.
const BEHIND: [u8; 7] = [
    claim_machine::HELD_BLACKOUT,
    claim_machine::TO_FINANCE,
    claim_machine::FIN_RECEIVED,
    claim_machine::PAID,
    claim_machine::CLOSED,
    claim_machine::REJECTED,
    claim_machine::VOID,
];

/// What was found in an envelope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The claims whose cover was scanned; `None`: all that the list names but the missing ones.
    pub found: Option<BTreeSet<String>>,
    /// The claims that the list names and that were not inside.
    pub missing: BTreeSet<String>,
    /// What was inside and stands on no list.
    pub unlisted: BTreeSet<String>,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The document.
    pub record: Record,
    /// Its number, mailing and day.
    pub of: BatchNo,
    /// The claims that its list names, in order; without a document where HQ holds none.
    pub listed: Vec<Listed>,
    /// Numbers that are explained.
    pub explained: BTreeMap<String, String>,
    /// What was found of each number.
    pub received: BTreeMap<String, bool>,
}

/// A claim on a batch's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub no: String,
    /// The document.
    pub claim: Option<DocId>,
}

/// Why an envelope is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong: `no_list`, or the name of a fault of numbers.
    pub fault: &'static str,
    /// The number, or the run of numbers; empty where there is no list.
    pub numbers: String,
}

/// What became of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The batch as it is now.
    pub batch: Batch,
    /// The claims that are received.
    pub received: Vec<String>,
    /// The claims whose paper is missing.
    pub missing: Vec<String>,
    /// The claims that the list names and no device has sent yet.
    pub not_synced: Vec<String>,
    /// What was inside and stands on no list.
    pub unlisted: Vec<String>,
    /// What is wrong with its list: why it was not taken, unless the policy lets that pass.
    pub faults: Vec<Fault>,
}

impl Batch {
    fn of(record: Record) -> Self {
        let mut rows: Vec<(u32, Listed)> = record
            .all::<BatchClaims>()
            .into_iter()
            .map(|row| {
                let no = row.claim_no.map(|no| no.0).unwrap_or_default();
                (row.at.map_or(u32::MAX, |at| at.0), Listed { no, claim: linked(row.claim.as_ref()) })
            })
            .collect();
        rows.sort_by(|(a, x), (b, y)| (a, &x.no).cmp(&(b, &y.no)));
        let explained = record
            .all::<Explained>()
            .into_iter()
            .filter_map(|row| Some((row.claim_no?.0, row.why.map(|why| why.0).unwrap_or_default())));
        let received =
            record.all::<Received>().into_iter().filter_map(|row| Some((row.claim_no?.0, row.ok?)));
        Self {
            of: record.get().unwrap_or_default(),
            listed: rows.into_iter().map(|(_, listed)| listed).collect(),
            explained: explained.collect(),
            received: received.collect(),
            record,
        }
    }

    /// Returns its number; its code before it has one.
    #[must_use]
    pub fn no(&self) -> String {
        title(&self.record)
    }
}

impl Desk {
    /// Returns the batch of that number, code or id.
    ///
    /// # Errors
    /// H-01, H-02.
    pub fn batch(&mut self, name: &str) -> Result<Batch, MoneyError> {
        Ok(Batch::of(self.named_record(number::BATCH, name)?))
    }

    /// Returns the batches in one of some states; no states: all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn batches(&mut self, states: &[u8]) -> Result<Vec<Batch>, StoreError> {
        Ok(self.records(number::BATCH, states)?.into_iter().map(Batch::of).collect())
    }

    /// Opens an envelope: the claims inside are received, those not inside miss their paper; a faulty list is refused.
    ///
    /// # Errors
    /// H-40 for a number that the list does not have, and what [`Desk::decide`] refuses.
    ///
    /// Source: docs/RULES.md P-25.
    pub fn receive(
        &mut self,
        name: &str,
        contents: &Contents,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Opened, MoneyError> {
        let batch = self.batch(name)?;
        let faults = self.faults(&batch)?;
        let today = instant(now_ms).day(Zone::SHANGHAI);
        let wanted = self.terms()?.in_force.policy(today).wants_lists();
        // An envelope that nothing is known to be in cannot be taken in, whatever the policy lets pass.
        if !faults.is_empty() && (wanted || batch.listed.is_empty()) {
            let words: Vec<String> =
                faults.iter().map(|fault| format!("{} {}", fault.fault, fault.numbers)).collect();
            let words = words.join("; ");
            self.decide(batch.record.id, actor, &Taken::step("refuse", &words), Vec::new(), now_ms)?;
            return Ok(Opened { faults, ..Opened::of(self.batch(name)?) });
        }
        let listed: BTreeSet<&str> = batch.listed.iter().map(|listed| listed.no.as_str()).collect();
        let named = contents.found.iter().flatten().chain(&contents.missing);
        if let Some(no) = named.into_iter().find(|no| !listed.contains(no.as_str())) {
            return Err(Refusal::by("H-40").with("claim", no).with("batch", batch.no()).into());
        }
        let inside = |no: &str| match &contents.found {
            Some(found) => found.contains(no),
            None => !contents.missing.contains(no),
        };
        let mut opened = Opened { faults, ..Opened::of(batch.clone()) };
        opened.unlisted = contents.unlisted.iter().cloned().collect();
        let mut rows = Vec::new();
        for Listed { no, claim } in &batch.listed {
            let ok = inside(no);
            if batch.received.get(no) != Some(&ok) {
                rows.push((no.clone(), ok));
            }
            let Some(held) = claim.map(|claim| self.held_claim(claim)).transpose()?.flatten() else {
                opened.not_synced.push(no.clone());
                continue;
            };
            if self.cover(&held, ok, actor, now_ms)? {
                if ok { &mut opened.received } else { &mut opened.missing }.push(no.clone());
            }
        }
        rows.extend(contents.unlisted.iter().map(|no| (no.clone(), true)));
        let complete = opened.missing.is_empty() && opened.not_synced.is_empty();
        self.enter_contents(&batch, &rows, (complete, actor), now_ms)?;
        self.find_unlisted(&contents.unlisted, actor, now_ms)?;
        opened.batch = self.batch(name)?;
        Ok(opened)
    }

    /// Returns what is wrong with the list of a batch.
    fn faults(&mut self, batch: &Batch) -> Result<Vec<Fault>, MoneyError> {
        if batch.listed.is_empty() {
            return Ok(vec![Fault { fault: "no_list", numbers: String::new() }]);
        }
        Ok(self.list_faults(batch)?)
    }

    /// Notes whether a claim's paper was inside, and takes the step that follows; `false` where none does.
    fn cover(&mut self, held: &Held, inside: bool, actor: &Actor, now_ms: u64) -> Result<bool, MoneyError> {
        let step = match (held.claim.state, inside) {
            (claim_machine::IN_TRANSIT | claim_machine::MISSING_PAPER, true) => "receive",
            (claim_machine::IN_TRANSIT, false) => "miss",
            (claim_machine::MISSING_PAPER, false) => return Ok(true),
            _ => return Ok(false),
        };
        let seen = if inside { PaperSeen::SCANNED } else { PaperSeen::MISSING };
        self.decide(held.record.id, actor, &Taken::step(step, ""), vec![paper(seen, actor, now_ms)], now_ms)?;
        Ok(true)
    }

    /// Writes down what was found, and whether that is everything.
    fn enter_contents(
        &mut self,
        batch: &Batch,
        found: &[(String, bool)],
        (complete, actor): (bool, &Actor),
        now_ms: u64,
    ) -> Result<(), MoneyError> {
        let rows: Vec<Received> = found.iter().map(|(no, ok)| seen(no, *ok, actor, now_ms)).collect();
        let id = batch.record.id;
        for chunk in rows.chunks(ROWS_MAX) {
            let op = NewOp { kind: number::BATCH, on: On::Document(id), writes: vec![put(chunk)] };
            self.write(vec![op], now_ms)?;
        }
        let step = match (batch.record.state, complete) {
            (batch_machine::PART_RECEIVED, false) => return Ok(()),
            (_, true) => "receive",
            (_, false) => "receive_part",
        };
        self.decide(id, actor, &Taken::step(step, ""), Vec::new(), now_ms)?;
        Ok(())
    }

    /// Paper that stands on no list is not lost: where HQ holds its claim, the cover was seen.
    fn find_unlisted(
        &mut self,
        unlisted: &BTreeSet<String>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(), MoneyError> {
        for no in unlisted {
            if let Some(id) = self.store.numbered(number::CLAIM, no)? {
                let writes = vec![paper(PaperSeen::SCANNED, actor, now_ms)];
                self.write(vec![NewOp { kind: number::CLAIM, on: On::Document(id), writes }], now_ms)?;
            }
        }
        Ok(())
    }

    /// Takes in a claim whose paper came after all, or a copy of it; the batch is complete with its last one.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses.
    pub fn found(&mut self, name: &str, copy: bool, actor: &Actor, now_ms: u64) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        let seen = if copy { PaperSeen::COPY } else { PaperSeen::SCANNED };
        let extra = vec![paper(seen, actor, now_ms)];
        self.decide(held.record.id, actor, &Taken::step("receive", ""), extra, now_ms)?;
        self.complete(&held, actor, now_ms)?;
        self.claim(name)
    }

    /// Gives up a claim whose paper is lost: its number stays, explained.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses.
    pub fn lose(&mut self, name: &str, reason: &str, actor: &Actor, now_ms: u64) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        self.decide(held.record.id, actor, &Taken::step("lose", reason), Vec::new(), now_ms)?;
        self.complete(&held, actor, now_ms)?;
        self.claim(name)
    }

    /// The audit of a batch begins with its first claim, once all of its paper is here.
    pub(crate) fn begin_batch(&mut self, claim: DocId, actor: &Actor, now_ms: u64) -> Result<(), MoneyError> {
        for batch in self.batches_of(claim, batch_machine::RECEIVED)? {
            self.decide(batch.record.id, actor, &Taken::step("start", ""), Vec::new(), now_ms)?;
        }
        Ok(())
    }

    /// A batch is forwarded with the last of its claims that anything is still to be done about at the auditor's.
    pub(crate) fn forward_batch(
        &mut self,
        claim: DocId,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(), MoneyError> {
        for batch in self.batches_of(claim, batch_machine::AUDITING)? {
            let mut open = false;
            for listed in &batch.listed {
                let held = listed.claim.map(|claim| self.held_claim(claim)).transpose()?.flatten();
                open |= held.is_none_or(|held| !BEHIND.contains(&held.claim.state));
            }
            if !open {
                self.decide(batch.record.id, actor, &Taken::step("forward", ""), Vec::new(), now_ms)?;
            }
        }
        Ok(())
    }

    /// Returns the batches in a state that list a claim.
    pub(crate) fn batches_of(&mut self, claim: DocId, state: u8) -> Result<Vec<Batch>, StoreError> {
        let mut batches = Vec::new();
        for id in self.store.marked(&Mark::Claim(claim), number::BATCH)? {
            batches.extend(self.record(id)?.filter(|record| record.state == state).map(Batch::of));
        }
        Ok(batches)
    }

    /// A batch received in part is whole once none of its claims waits for paper.
    fn complete(&mut self, held: &Held, actor: &Actor, now_ms: u64) -> Result<(), MoneyError> {
        for batch in self.batches_of(held.record.id, batch_machine::PART_RECEIVED)? {
            let id = batch.record.id;
            let mut waits = false;
            for listed in &batch.listed {
                let claim = listed.claim.map(|claim| self.held_claim(claim)).transpose()?.flatten();
                let waiting = [claim_machine::IN_TRANSIT, claim_machine::MISSING_PAPER];
                waits |= claim.is_none_or(|held| waiting.contains(&held.claim.state));
            }
            let row = vec![put(&[seen(&held.no(), true, actor, now_ms)])];
            if waits {
                self.write(vec![NewOp { kind: number::BATCH, on: On::Document(id), writes: row }], now_ms)?;
            } else {
                self.decide(id, actor, &Taken::step("receive", ""), row, now_ms)?;
            }
        }
        Ok(())
    }
}

impl Opened {
    fn of(batch: Batch) -> Self {
        Self {
            batch,
            received: Vec::new(),
            missing: Vec::new(),
            not_synced: Vec::new(),
            unlisted: Vec::new(),
            faults: Vec::new(),
        }
    }
}

fn paper(seen: PaperSeen, actor: &Actor, now_ms: u64) -> Write {
    put(&[Papers { seen: Some(seen), by: link(actor.staff), at: Some(instant(now_ms)), note: None }])
}

fn seen(no: &str, ok: bool, actor: &Actor, now_ms: u64) -> Received {
    Received {
        claim_no: text(no),
        ok: Some(ok),
        by: link(actor.staff),
        at: Some(instant(now_ms)),
        note: None,
    }
}
