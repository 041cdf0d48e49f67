//! HQ's answers to a bundle, brought back in a file.

use std::collections::BTreeMap;
use std::path::Path;

use sync_protocol::asides::Tell;
use sync_protocol::bundle::{Answered, BundleError, BundleId, BundleKind, For, Header, Part};
use sync_protocol::conversation::{Answer, RequestHash, read_answer};
use sync_protocol::cursor::Incarnation;
use sync_protocol::message::{Certificate, Notice};
use sync_protocol::proof::AnswerProof;

use crate::bundle::{BundleFault, files, header, remembered, walk};
use crate::clock::Now;
use crate::store::Store;
use crate::store::apply::Applied;
use crate::store::carry::{Carried, Written};

/// What a receipt changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The bundle that it answers.
    pub bundle: Option<BundleId>,
    /// Answers in it.
    pub answers: u32,
    /// Answers of a history of HQ that this device has left behind: nothing of them counts.
    pub past: u32,
    /// Own ops that HQ has signed for now and had not before.
    pub sent_ops: u64,
    /// Ops that were not here before.
    pub received_ops: u64,
    /// Own ops newly ruled on, by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Own ops that went into quarantine.
    pub new_quarantine: u64,
    /// Documents that left what this device may see.
    pub evicted: u64,
    /// What HQ wants a person to know.
    pub notices: Vec<Notice>,
}

/// Takes in a receipt: all of it is checked before any of it is used.
///
/// # Errors
/// [`BundleFault`]; nothing of a file that is damaged, for another device or not HQ's is used.
pub fn read(store: &mut Store, now: Now, path: &Path) -> Result<Receipt, BundleFault> {
    let header = header(path)?;
    if header.kind != BundleKind::Receipt || !header.readers.contains(&store.identity().enrolment.replica) {
        return Err(BundleFault::NotForHim);
    }
    walk(path, &mut |part| opened(store, part).map(drop))?;
    let before = store.counts()?.unsent_ops;
    let mut taking = Taking::new(store, &header)?;
    walk(path, &mut |part| match opened(store, part)? {
        Some(opened) => taking.take(store, opened, now),
        None => Ok(()),
    })?;
    let mut receipt = taking.receipt;
    receipt.sent_ops = before.saturating_sub(store.counts()?.unsent_ops);
    Ok(receipt)
}

/// An answer whose signature was checked.
struct Opened {
    request: RequestHash,
    page: u32,
    answer: Answer,
    proof: AnswerProof,
}

/// Opens a part of a receipt; `None` for what is no answer.
fn opened(store: &Store, part: Part) -> Result<Option<Opened>, BundleFault> {
    let Part::Parcel(For::Reader, sealed) = part else {
        return Ok(None);
    };
    let signer = store.signer()?;
    let plain = signer.opener().open(&sealed)?;
    let answered = Answered::from_bytes(&plain).ok_or(BundleError::Damaged)?;
    if !answered.was_asked_by(&signer.public()) {
        return Err(BundleFault::NotForHim);
    }
    let key = store.identity().enrolment.hq_key;
    let (answer, proof) = read_answer(&answered.answer, answered.request, &key)?;
    Ok(Some(Opened { request: answered.request, page: answered.page, answer, proof }))
}

/// A receipt that is being taken in.
struct Taking {
    under: Option<Incarnation>,
    /// The page of each request that may come next.
    next: BTreeMap<[u8; 32], u32>,
    receipt: Receipt,
}

impl Taking {
    fn new(store: &Store, header: &Header) -> Result<Self, BundleFault> {
        let written = remembered(store)?.into_iter().find(|bundle| Some(bundle.id) == header.answers);
        let receipt = Receipt { bundle: header.answers, ..Receipt::default() };
        Ok(Self { under: written.map(|bundle| bundle.under), next: BTreeMap::new(), receipt })
    }

    fn take(&mut self, store: &mut Store, opened: Opened, now: Now) -> Result<(), BundleFault> {
        let Opened { request, page, answer, proof } = opened;
        let next = self.next.entry(request.0).or_default();
        let written = Written { under: self.under, unbroken: *next == page };
        let (tells, incarnation) = (answer.tells.clone(), answer.ack.incarnation);
        let (notices, certificate) = (answer.notices.clone(), answer.certificate.clone());
        self.receipt.answers += 1;
        match store.apply_carried(answer, &proof, written, now)? {
            Carried::Past => {
                self.receipt.past += 1;
                return Ok(());
            }
            Carried::Word(applied) => self.note(store, applied, notices)?,
            Carried::Read(applied) | Carried::Whole(applied) => {
                *next = page.saturating_add(1);
                self.note(store, applied, notices)?;
            }
        }
        files::hear(store, &tells, incarnation, now)?;
        for tell in &tells {
            if let Tell::Vouched(vouched) = tell {
                crate::sync::introduction::vouched(store, vouched)?;
            }
        }
        let newer = |shown: &Certificate| {
            let kept = crate::sync::introduction::certificate(store).ok().flatten();
            kept.is_none_or(|kept| kept.valid_until_ms < shown.valid_until_ms)
        };
        if let Some(certificate) = certificate.filter(newer) {
            crate::sync::introduction::certified(store, &certificate)?;
        }
        Ok(())
    }

    fn note(&mut self, store: &mut Store, applied: Applied, notices: Vec<Notice>) -> Result<(), BundleFault> {
        if applied.restored {
            crate::sync::ask_first(store)?;
        }
        let receipt = &mut self.receipt;
        receipt.received_ops += applied.received_ops;
        receipt.new_quarantine += applied.new_quarantine;
        receipt.evicted += applied.evicted;
        for (name, count) in applied.verdicts {
            *receipt.verdicts.entry(name.to_owned()).or_default() += count;
        }
        for notice in notices {
            // Put back, but not behind what was at HQ: nothing was missing.
            let told = matches!(notice, Notice::Rewound { .. }) && applied.given_back == 0;
            if !told && !receipt.notices.contains(&notice) {
                receipt.notices.push(notice);
            }
        }
        Ok(())
    }
}
